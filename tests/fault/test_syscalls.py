"""SIGKILL at each write and each sync of a commit, and syncs that fail: SQLite, a real web process.

``strace`` attaches to the server and ends it, or fails its call, at the n-th write or sync after
a tap; n grows until the tap gets through unharmed. Where tracing is refused the table says so.
"""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from patient_portal.models import CheckIn
from tests.fault.client import Answer
from tests.fault.history import violations
from tests.fault.scene import Scene
from tests.fault.test_sqlite import DATABASE_ERRORS, servers_of
from tests.support.processes import until

pytestmark = pytest.mark.fault
CALLS = ("pwrite64", "fdatasync")
MOST = 400


@contextmanager
def _traced(pid: int, inject: str, log: Path) -> Iterator[None]:
    """Trace a process with one injection while the block runs."""
    command = ["strace", "-f", "-qq", "-e", f"inject={inject}", "-o", str(log), "-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        attached = re.compile(r"TracerPid:\s+[1-9]")
        status = Path(f"/proc/{pid}/status")
        if not until(lambda: bool(attached.search(status.read_text())), 5):
            pytest.skip("tracing refused")
        time.sleep(0.1)  # the other threads
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.wait(5)
        except subprocess.TimeoutExpired:  # it waits for threads of a process that is gone
            tracer.kill()
            tracer.wait(10)


@pytest.fixture(autouse=True)
def _can_trace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("tracing refused: strace is not installed")


def _server(scene: Scene, dead: set[int]) -> int:
    """The process that answers, once it does; none of those that were ended."""
    web = scene.processes.started[0]
    assert until(lambda: bool({*servers_of(web)} - dead))
    (pid,) = {*servers_of(web)} - dead
    return pid


def _sweep(
    scene: Scene, call: str, what: str, folder: Path, prepare: Callable[[], Callable[[], Answer]]
) -> int:
    """Make the n-th such call of an act go wrong, for n = 1, 2, 3 …; how many did."""
    dead: set[int] = set()
    for n in range(1, MOST):
        act, pid = prepare(), _server(scene, dead)
        with _traced(pid, f"{call}:{what}:when={n}", folder / f"{call}-{n}.log"):
            answer = act()
        if answer.status == 200 and Path(f"/proc/{pid}").exists():
            return n - 1
        scene.tries += 1
        dead.add(pid)
        assert answer.status in {0, 200, 500, 503}, answer.status
    raise AssertionError(f"more than {MOST} calls of {call} in one act")


@pytest.mark.catalogue("F03")
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_each_call_of_a_check_ins_commit(
    sqlite_scene: Scene, tmp_path: Path, call: str
) -> None:
    scene = sqlite_scene
    scene.web()
    forms = []

    def prepare() -> Callable[[], Answer]:
        forms.append(scene.form(scene.patient()))
        return forms[-1].report

    swept = _sweep(scene, call, "signal=SIGKILL", tmp_path, prepare)
    assert swept >= 1
    for form in forms:  # everybody taps again, whatever they saw
        assert form.report().status == 200
    assert scene.count(CheckIn) == len(forms)
    scene.worker()
    scene.settled(120)
    assert violations(scene) == []


@pytest.mark.catalogue("F11")
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_each_call_of_taking_an_alert(
    sqlite_scene: Scene, tmp_path: Path, call: str
) -> None:
    scene = sqlite_scene
    scene.web()
    scene.worker()
    cases = []

    def prepare() -> Callable[[], Answer]:
        case = scene.case()
        assert scene.form(case.patient).report().status == 200
        scene.told(case.patient)
        cases.append(case)
        nurse, ref = scene.nurse(case.team.nurse), scene.alert_of(case.patient).ref
        return lambda: nurse.take(ref)

    # The look at the page writes too (who looked), so its calls are swept with those of the taking.
    swept = _sweep(scene, call, "signal=SIGKILL", tmp_path, prepare)
    assert swept >= 1
    for case in cases:
        nurse = scene.nurse(case.team.nurse)
        assert nurse.take(scene.alert_of(case.patient).ref).status == 200
        assert scene.alert_of(case.patient).taken_by == case.team.nurse.id
    scene.settled(120)
    assert violations(scene) == []


@pytest.mark.catalogue("F19")
def test_syncing_fails(sqlite_scene: Scene, tmp_path: Path) -> None:
    """An error of the disk is said; what was thanked for before and after is there."""
    scene = sqlite_scene
    scene.web()
    before, during = scene.form(scene.patient()), scene.form(scene.patient())
    assert before.report().status == 200
    pid = _server(scene, set())
    with _traced(pid, "fdatasync:error=EIO:when=1+", tmp_path / "eio.log"):
        answer = during.report()
        scene.tries += 1
    assert (answer.status, "911" in answer.page) in {(503, True), (500, True)}
    assert during.report().status == 200
    scene.worker()
    scene.settled()
    assert violations(scene, errors=DATABASE_ERRORS) == []
