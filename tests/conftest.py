"""What every test may ask for: a migrated database on either engine, and a phone's browser."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from patient_portal.database import Database, upgrade
from patient_portal.migrations.rights import grant_to
from tests.support.browser import Phones, running_browser
from tests.support.network import stay_on_this_machine
from tests.support.postgres import APP, OWNER, Cluster, running_cluster

stay_on_this_machine()

# A busy machine makes no test fail; in CI the examples are the same at each run.
settings.register_profile(
    "portal",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("portal")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that should run and did not is a failure, unless ALLOW_SKIPS=1."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or os.environ.get("ALLOW_SKIPS") == "1":
        return
    skipped = len(reporter.stats.get("skipped", ()))
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line("")
        reporter.write_line(f"{skipped} skipped: that fails the run (ALLOW_SKIPS=1 allows it)")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every migration and no rows, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    upgrade(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL server."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_database(cluster: Cluster) -> str:
    """The name of a PostgreSQL database with every migration and no rows, to be copied."""
    name = cluster.create("migrated")
    upgrade(cluster.url(name, OWNER))
    grant_to(cluster.url(name, OWNER), APP)
    return name


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


Fresh = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """From an engine's name: the address of a fresh, migrated database while a block runs."""

    @contextmanager
    def make(engine: str) -> Iterator[str]:
        if engine == "sqlite":
            path = tmp_path_factory.mktemp("db") / "portal.db"
            shutil.copyfile(request.getfixturevalue("migrated_file"), path)
            yield f"sqlite:///{path}"
            return
        server: Cluster = request.getfixturevalue("cluster")
        name = server.copy(request.getfixturevalue("migrated_database"))
        yield server.url(name)
        server.drop(name)

    return make


@pytest.fixture
def engine_url(engine_name: str, fresh: Fresh) -> Iterator[str]:
    """A fresh database for this one test, on each engine in turn."""
    with fresh(engine_name) as url:
        yield url


@pytest.fixture(scope="module")
def module_engine_url(engine_name: str, fresh: Fresh) -> Iterator[str]:
    """A fresh database shared by the tests of one module, on each engine in turn."""
    with fresh(engine_name) as url:
        yield url


@pytest.fixture
def sqlite_url(fresh: Fresh) -> Iterator[str]:
    """A fresh SQLite database, for what does not depend on the engine."""
    with fresh("sqlite") as url:
        yield url


@pytest.fixture
def postgres_url(fresh: Fresh) -> Iterator[str]:
    """A fresh PostgreSQL database, for what only that engine does."""
    with fresh("postgresql") as url:
        yield url


@pytest.fixture
def database(engine_url: str) -> Iterator[Database]:
    """The portal's database object over a fresh database, on each engine in turn."""
    database = Database(engine_url)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def phones(browser: Browser) -> Iterator[Phones]:
    """Opens phone-size pages; the test fails if one asked another origin or broke the policy."""
    phones = Phones(browser)
    yield phones
    phones.close()
