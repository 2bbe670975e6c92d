"""Stages for fault tests, and the book in which each case is entered for the docs' table."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.fault import table
from tests.fault.scene import Scene, a_scene
from tests.support.gateway import FakeGateway, running_gateway

Stage = Callable[..., AbstractContextManager[Scene]]


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    """A gateway that delivers what it takes."""
    with running_gateway() as running:
        running.script = "delivered"
        yield running


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path, gateway: FakeGateway) -> Stage:
    """Makes stages over an address; what they counted goes into the book."""

    @contextmanager
    def make(url: str, *, moved: bool = False, **settings: str) -> Iterator[Scene]:
        with a_scene(url, tmp_path, moved=moved, gateway=gateway, **settings) as scene:
            try:
                yield scene
            finally:
                enter(request, scene.tries, scene.found)

    return make


def chosen(request: pytest.FixtureRequest, name: str) -> set[str]:
    """Which values of a parameter this run will ask for."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    return {str(spec.params[name]) for spec in specs if spec and name in spec.params}


def enter(request: pytest.FixtureRequest, tries: int, found: int) -> None:
    """Write down how many faults a test made and how much of its history was wrong."""
    request.node.user_properties.append(("counted", (tries, found)))


@pytest.fixture(scope="module")
def _standing(module_engine_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_gateway() as gateway:
        gateway.script = "delivered"
        folder = tmp_path_factory.mktemp("standing")
        with a_scene(module_engine_url, folder, gateway=gateway) as scene:
            scene.stand()
            yield scene


@pytest.fixture
def standing(_standing: Scene, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A stage with living processes that the tests of a module share, on each engine in turn."""
    tries, found = _standing.tries, _standing.found
    _standing.revive()
    yield _standing
    enter(request, _standing.tries - tries, _standing.found - found)


@pytest.fixture(scope="module")
def _moved_standing(
    module_engine_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    with running_gateway() as gateway:
        gateway.script = "delivered"
        folder = tmp_path_factory.mktemp("moved")
        with a_scene(module_engine_url, folder, moved=True, gateway=gateway) as scene:
            scene.stand()
            yield scene


@pytest.fixture
def moved_standing(_moved_standing: Scene, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """As ``standing``, with a clock that tests move. No module uses both: one database."""
    tries, found = _moved_standing.tries, _moved_standing.found
    _moved_standing.revive()
    yield _moved_standing
    enter(request, _moved_standing.tries - tries, _moved_standing.found - found)


@pytest.fixture
def scene(stage: Stage, engine_url: str) -> Iterator[Scene]:
    """A clinic's stage on each engine in turn, whose processes go by the real time."""
    with stage(engine_url) as made:
        yield made


@pytest.fixture
def moved_scene(stage: Stage, engine_url: str) -> Iterator[Scene]:
    """A clinic's stage on each engine in turn, whose clock the test moves."""
    with stage(engine_url, moved=True) as made:
        yield made


@pytest.fixture
def sqlite_scene(stage: Stage, sqlite_url: str) -> Iterator[Scene]:
    """A clinic's stage on SQLite."""
    with stage(sqlite_url) as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the catalogue's numbers and the engine of a test into its reports."""
    report = yield
    faults = [str(name) for mark in item.iter_markers("catalogue") for name in mark.args]
    if faults and not any(name == "faults" for name, _ in report.user_properties):
        engine = getattr(item, "funcargs", {}).get("engine_name", "")
        report.user_properties.append(("faults", faults))
        report.user_properties.append(("engine", engine or _engine_in(item)))
    return report


def _engine_in(item: pytest.Item) -> str:
    names = getattr(item, "fixturenames", ())
    if "sqlite_url" in names:
        return "sqlite"
    return "postgresql" if {"postgres_url", "own_cluster"} & set(names) else "both or none"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Enter a finished phase of a test into the book."""
    table.BOOK.enter(report)


def pytest_sessionfinish() -> None:
    """Print the table into the file that FAULT_TABLE names."""
    if target := os.environ.get("FAULT_TABLE"):
        table.BOOK.write(Path(target))
