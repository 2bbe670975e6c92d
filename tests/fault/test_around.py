"""Around the processes: TLS, no file descriptors, migrations cut short, backups, broken rules."""

import resource
import shutil
import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import inspect

from patient_portal.database import Database, revisions, upgrade
from patient_portal.models import Alert, Message, MessageState
from patient_portal.services import rota
from tests.fault.conftest import Stage
from tests.fault.history import violations
from tests.fault.scene import Scene
from tests.fault.test_sqlite import DATABASE_ERRORS, file_of
from tests.support.gateway import running_gateway
from tests.support.processes import ROOT, until
from tests.support.running import free_port


@pytest.mark.catalogue("F26")
@pytest.mark.parametrize(
    "how", [pytest.param("refused", marks=pytest.mark.fault), "bad certificate"]
)
def test_a_gateway_that_cannot_be_trusted_or_reached(scene: Scene, how: str) -> None:
    """Nothing leaves, least of all our password; when it is mended the text goes out once."""
    scene.web()
    with running_gateway(tls_bad=True) as untrusted:
        base = untrusted.url if how == "bad certificate" else f"http://127.0.0.1:{free_port()}"
        cut_off = scene.worker(TWILIO_API_BASE=base)
        patient = scene.patient()
        assert scene.form(patient).report().status == 200
        errors = Message.error_code == "not_connected"
        assert until(lambda: scene.count(Message, errors) == 2)
        assert (untrusted.attempts, untrusted.ledger) == (0, [])
    scene.tries += 1
    assert cut_off.stop() == 0
    scene.worker()
    scene.told(patient)
    scene.settled()
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F66")
def test_no_file_descriptors_are_left(scene: Scene) -> None:
    """A worker that can open nothing either ends or goes on later; no text is lost."""
    scene.web()
    worker = scene.worker()
    assert until(lambda: "worker.started" in worker.said())
    time.sleep(1)
    before = resource.prlimit(worker.child.pid, resource.RLIMIT_NOFILE)
    used = len(list(Path(f"/proc/{worker.child.pid}/fd").iterdir()))
    resource.prlimit(worker.child.pid, resource.RLIMIT_NOFILE, (used, before[1]))
    patient = scene.patient()
    assert scene.form(patient).report().status == 200
    time.sleep(4)
    scene.tries += 1
    if worker.is_running:
        resource.prlimit(worker.child.pid, resource.RLIMIT_NOFILE, before)
    scene.revive()
    scene.told(patient)
    scene.settled()
    errors = (*DATABASE_ERRORS, "message.poisoned", "asking.failed", "message.not_noted")
    assert violations(scene, errors=errors, may_end=True) == []


@pytest.mark.fault
@pytest.mark.catalogue("F53")
def test_a_migration_is_killed_half_way(stage: Stage, tmp_path: Path) -> None:
    """Killed at odd moments and begun again: the tables are those of a quiet migration."""
    whole = f"sqlite:///{tmp_path / 'whole.db'}"
    upgrade(whole)
    wanted = _tables(whole)
    with stage(whole) as scene:
        for number in range(8):
            url = f"sqlite:///{tmp_path / f'cut-{number}.db'}"
            scene.processes.environment["DATABASE_URL"] = url
            began = scene.processes.start("db", "upgrade")
            assert until(lambda: "Migrating" in began.said() or not began.is_running)  # noqa: B023
            time.sleep(0.06 * number)
            began.kill()
            scene.tries += 1
            code, said = scene.processes.run("db", "upgrade")
            assert code == 0, said
            assert _tables(url) == wanted
            found, newest = revisions(url)
            assert found == newest


def _tables(url: str) -> dict[str, list[str]]:
    database = Database(url)
    looked = inspect(database.engine)
    found = {
        name: sorted(column["name"] for column in looked.get_columns(name))
        for name in looked.get_table_names()
    }
    database.dispose()
    return found


@pytest.mark.fault
@pytest.mark.catalogue("F54")
def test_last_nights_backup_is_restored(sqlite_scene: Scene, tmp_path: Path) -> None:
    """Alerts that were open then are open and paged on; who reported since can report again."""
    scene = sqlite_scene
    web, worker = scene.web(), scene.worker()
    early, late = scene.patient(), scene.patient()
    assert scene.form(early).report().status == 200
    scene.told(early)
    scene.settled()
    copy = tmp_path / "backup.db"
    source, target = sqlite3.connect(file_of(scene)), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()
    form = scene.form(late)
    assert form.report().status == 200
    scene.told(late)
    for process in (web, worker):
        process.kill()
    scene.database.dispose()
    for ending in ("", "-wal", "-shm"):
        Path(f"{file_of(scene)}{ending}").unlink(missing_ok=True)
    shutil.copy(copy, file_of(scene))
    scene.tries += 1
    scene.web()
    scene.worker()
    assert [each.state for each in scene.all(Alert)] == ["open"]
    again = scene.form(late)  # the old link is unknown now; a new text brings a new form
    assert again.report().status == 200
    scene.told(late)
    refs = [each.ref for each in scene.all(Alert)]
    assert len(set(refs)) == 2
    assert not scene.count(Message, Message.state == MessageState.FAILED)


@pytest.mark.catalogue("F43")
@pytest.mark.parametrize("day", ["2027-03-14", "2026-11-01"])
def test_somebody_is_on_call_while_clocks_change(scene: Scene, day: str) -> None:
    """Through both nights, each quarter of an hour, the rota of New York names a nurse."""
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo("America/New_York"))
    moments = [start + timedelta(minutes=15 * number) for number in range(4 * 24)]
    with scene.database.reading() as session:
        for moment in moments:
            holding = rota.on_call(session, scene.team.clinic.id, moment)
            assert all(holding.values()), moment
    scene.tries += len(moments)


@pytest.mark.fault
@pytest.mark.catalogue("F71")
def test_rules_that_are_broken_are_refused(scene: Scene, tmp_path: Path) -> None:
    """A protocol file with a fault ends the start with its sentence, before any page is shown."""
    copy = tmp_path / "copy"
    for name in ("patient_portal", "templates", "translations"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (rules,) = (copy / "patient_portal" / "protocols").glob("ds-*.toml")
    rules.write_text(rules.read_text("utf-8").replace('level = "emergency"', 'level = "calm"', 1))
    scene.processes.code = copy
    scene.tries += 1
    code, said = scene.processes.run("web", "--port", str(scene.port))
    assert code != 0, said
    assert "rotocol" in said
