"""SQLite: locked, read-only, full, failing, copied while it is written, with files missing."""

import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from patient_portal.database import DatabaseUnusable, build_engine, upgrade
from patient_portal.models import CheckIn
from tests.fault.client import Form
from tests.fault.conftest import Stage
from tests.fault.history import violations
from tests.fault.scene import Scene
from tests.support.processes import Process

DATABASE_ERRORS = (
    "page.failed", "form.not_found", "worker.database", "chore.failed", "timers.failed",
)  # fmt: skip


def file_of(scene: Scene) -> Path:
    """The database's file."""
    name = scene.database.engine.url.database
    assert name is not None
    return Path(name)


def servers_of(web: Process) -> list[int]:
    """The process ids of the web server's own workers."""
    children = Path(f"/proc/{web.child.pid}/task/{web.child.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


@pytest.mark.fault
@pytest.mark.catalogue("F15")
def test_a_lock_of_four_seconds_is_waited_for(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.web()
    patient = scene.patient()
    form = scene.form(patient)
    scene.tries += 1
    with _locked(file_of(scene)):
        asking = threading.Thread(target=form.report)
        asking.start()
        time.sleep(4)
        assert scene.count(CheckIn) == 0
    asking.join(20)
    scene.worker()
    scene.told(patient)
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F15")
def test_a_lock_of_twenty_seconds_is_said(sqlite_scene: Scene) -> None:
    """Not saved, call this number: and the same tap again is taken."""
    scene = sqlite_scene
    scene.web()
    patient = scene.patient()
    form = scene.form(patient)
    scene.tries += 1
    with _locked(file_of(scene)):
        answer = form.report()
    assert (answer.status, "911" in answer.page, scene.count(CheckIn)) == (503, True, 0)
    _taken_after_all(scene, form)


def _taken_after_all(scene: Scene, form: Form) -> None:
    """The fault is over: the same form is taken, its texts go out, nothing else is there."""
    assert form.report().status == 200
    if not scene.workers:
        scene.worker()
    scene.told(scene.patient_of(form.key))
    scene.settled()
    with sqlite3.connect(file_of(scene)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert violations(scene, errors=DATABASE_ERRORS) == []


@pytest.mark.fault
@pytest.mark.catalogue("F17")
def test_a_file_that_takes_no_writes(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    writable = scene.web()
    form = scene.form(scene.patient())
    writable.kill()
    scene.tries += 1
    read_only = f"sqlite:///file:{file_of(scene)}?mode=ro&uri=true"
    web = scene.web(DATABASE_URL=read_only)
    answer = form.report()
    assert (answer.status, "911" in answer.page, scene.count(CheckIn)) == (503, True, 0)
    web.kill()
    scene.web()
    _taken_after_all(scene, form)


@pytest.mark.catalogue("F18")
def test_the_disk_is_full(sqlite_scene: Scene) -> None:
    """No further byte of the log of writes fits: said at once, and taken when there is room."""
    scene = sqlite_scene
    web = scene.web()
    form = scene.form(scene.patient())
    wal = Path(f"{file_of(scene)}-wal")
    scene.tries += 1
    for pid in servers_of(web):
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal.stat().st_size, -1))
    answer = form.report()
    assert (answer.status, "911" in answer.page, scene.count(CheckIn)) == (503, True, 0)
    for pid in servers_of(web):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    _taken_after_all(scene, form)


@pytest.mark.catalogue("F55")
def test_a_backup_is_taken_while_the_portal_writes(sqlite_scene: Scene, tmp_path: Path) -> None:
    """SQLite's own backup is whole, and holds all that was thanked for before it began."""
    scene = sqlite_scene
    scene.web()
    forms = [scene.form(scene.patient()) for _ in range(8)]
    for form in forms[:4]:
        assert form.report().status == 200
    writing = threading.Thread(target=lambda: [form.report() for form in forms[4:]])
    writing.start()
    copy = tmp_path / "backup.db"
    source, target = sqlite3.connect(file_of(scene)), sqlite3.connect(copy)
    source.backup(target, pages=20)
    source.close()
    writing.join()
    scene.tries += 1
    stored = {key for (key,) in target.execute("SELECT form_key FROM check_in")}
    assert {form.key for form in forms[:4]} <= stored
    assert target.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    target.close()
    scene.processes.environment["DATABASE_URL"] = f"sqlite:///{copy}"
    code, said = scene.processes.run("db", "check")
    assert code == 0, said


@pytest.mark.catalogue("F56")
def test_a_database_that_cannot_keep_its_promise_is_refused(stage: Stage, tmp_path: Path) -> None:
    """Not a database any more, or another engine: the start ends, nothing is written."""
    with pytest.raises(DatabaseUnusable, match="use sqlite or postgresql"):
        build_engine("mysql://somewhere/portal")
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this was a database once " * 400)
    with stage_of(stage, tmp_path) as scene:
        scene.processes.environment["DATABASE_URL"] = f"sqlite:///{broken}"
        code, said = scene.processes.run("worker")
        assert code != 0 and "worker.started" not in said
        scene.tries += 2


@contextmanager
def stage_of(stage: Stage, folder: Path) -> Iterator[Scene]:
    """A stage over a fresh file of its own."""
    url = f"sqlite:///{folder / 'own.db'}"
    upgrade(url)
    with stage(url) as scene:
        yield scene


@pytest.mark.fault
@pytest.mark.catalogue("F56")
def test_the_shared_index_is_lost_after_a_crash(sqlite_scene: Scene) -> None:
    """The -shm file holds nothing that cannot be made again; the commits are all there."""
    scene = sqlite_scene
    web = scene.web()
    patient = scene.patient()
    form = scene.form(patient)
    assert form.report().status == 200
    web.kill()
    scene.database.dispose()
    scene.tries += 1
    shared = Path(f"{file_of(scene)}-shm")
    shared.unlink(missing_ok=True)
    assert make_url(scene.processes.environment["DATABASE_URL"]).database == str(file_of(scene))
    scene.web()
    _taken_after_all(scene, form)


@pytest.mark.fault
@pytest.mark.catalogue("F12")
def test_many_crashes_in_the_middle_of_many_answers(sqlite_scene: Scene, crashes: int = 8) -> None:
    """SIGKILL of everything at odd moments while four people answer at once."""
    scene = sqlite_scene
    scene.web()
    for number in range(crashes):
        forms = [scene.form(scene.patient(), timeout=10) for _ in range(4)]
        tapping = [threading.Thread(target=form.report) for form in forms]
        for each in tapping:
            each.start()
        time.sleep(0.004 * number)
        for process in scene.processes.started:
            process.kill()
        scene.tries += 1
        for each in tapping:
            each.join()
        scene.web()
        for form in forms:
            assert form.report().status == 200
    scene.worker()
    scene.settled(120)
    assert violations(scene) == []
