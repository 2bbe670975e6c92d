"""Single faults that need no crash: fences, lanes, poison, an audit log that refuses, and so on."""

import re
import sqlite3
import time
from datetime import time as clock_time
from datetime import timedelta

import pytest
from sqlalchemy import text

from patient_portal.clock import DatabaseClock
from patient_portal.models import (
    AuditEntry,
    CheckIn,
    Lane,
    Message,
    MessageKind,
    MessageState,
    Patient,
    StaffPhone,
)
from patient_portal.services import messages, outcomes, reminders
from tests.fault.history import violations
from tests.fault.scene import Scene
from tests.support.callbacks import Word
from tests.support.gateway import ACCOUNT, ALERT_SENDER, post_signed
from tests.support.processes import ROOT, until


def _draft(scene: Scene, number: str, key: str, **more: object) -> messages.Draft:
    given = {"kind": MessageKind.STAFF_ALERT, "lane": Lane.ALERT, "body": "x", **more}
    return messages.Draft(
        clinic_id=scene.team.clinic.id, to_number=number, once_key=key,
        lives_for=timedelta(hours=1), **given,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.catalogue("F13")
def test_the_fence_holds(scene: Scene) -> None:
    """A worker whose lease ended changes nothing of what another one has in hand."""
    lease = timedelta(seconds=1)
    with scene.database.transaction() as session:
        now = DatabaseClock().now(session)
        messages.queue(session, _draft(scene, "+12125560001", "fence"), now)
        slow = messages.claim_next(session, Lane.ALERT, "slow", now, lease)
    later = now + timedelta(seconds=5)
    with scene.database.transaction() as session:
        quick = messages.claim_next(session, Lane.ALERT, "quick", later, lease)
        assert slow is not None and quick is not None and slow.id == quick.id
        assert not outcomes.record_accepted(session, slow, "SMslow", later)
        assert not outcomes.record_failure(session, slow, "500", later, permanent=True)
        assert outcomes.record_accepted(session, quick, "SMquick", later)
    scene.tries += 1
    (row,) = scene.all(Message)
    assert (row.state, row.gateway_id) == (MessageState.ACCEPTED, "SMquick")


@pytest.mark.fault
@pytest.mark.catalogue("F41")
def test_a_callback_that_is_not_stored_is_answered_with_an_error(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.web()
    case = scene.case()
    scene.gateway.script = "none"
    assert scene.form(case.patient).report().status == 200
    scene.worker()
    scene.told(case.patient)
    scene.settled()
    _rename(scene, "message", "message_gone")
    answer = scene.gateway.call_back(scene.gateway.ledger[0], Word("delivered"))
    _rename(scene, "message_gone", "message")
    scene.tries += 1
    assert answer in {500, 503}
    assert scene.gateway.call_back(scene.gateway.ledger[0], Word("delivered")) == 204


def _rename(scene: Scene, old: str, new: str) -> None:
    connection = sqlite3.connect(str(scene.database.engine.url.database))
    connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
    connection.close()


@pytest.mark.catalogue("F46")
@pytest.mark.parametrize("rows", [500, pytest.param(10_000, marks=pytest.mark.fault)])
def test_reminders_queue_before_an_alert(scene: Scene, rows: int) -> None:
    scene.web()
    scene.worker()
    waiting = [scene.patient(reminder_due_at=None) for _ in range(3)]
    with scene.database.transaction() as session:
        now = DatabaseClock().now(session)
        drafts = [
            _draft(scene, waiting[0].phone, f"many:{number}", kind=MessageKind.REMINDER,
                   lane=Lane.REMINDER, patient_id=waiting[0].id)
            for number in range(rows)
        ]  # fmt: skip
        messages.queue_all(session, drafts, now)
    scene.tries += rows
    patient = scene.patient()
    assert scene.form(patient).report().status == 200
    assert scene.told(patient) < 10


@pytest.mark.fault
@pytest.mark.catalogue("F46")
def test_the_lane_of_what_is_queued_before(scene: Scene) -> None:
    """A reminder as the portal plans it waits in a lane of its own."""
    patient = scene.patient()
    with scene.database.transaction() as session:
        now = (DatabaseClock().now(session) + timedelta(days=1)).replace(hour=12)
        row = session.get_one(Patient, patient.id)
        row.zone, row.reminder_at, row.reminder_due_at = "Etc/GMT", clock_time(12), now
        session.flush()
        reminders.queue_due(session, scene.site, now)
    scene.tries += 1
    found = scene.all(Message, Message.kind == MessageKind.REMINDER)
    assert [each.lane for each in found] == [Lane.REMINDER]


@pytest.mark.fault
@pytest.mark.catalogue("F45")
def test_a_text_that_our_own_code_cannot_send(scene: Scene) -> None:
    """It holds up nobody and kills nobody; its error is counted."""
    scene.web()
    worker = scene.worker()
    with scene.database.transaction() as session:
        now = DatabaseClock().now(session)
        poison = _draft(scene, "+12125560001", "poison", secret_of="nothing:known", body="{secret}")
        messages.queue(session, poison, now)
        messages.queue(session, _draft(scene, "not a number", "bad number"), now)
    scene.tries += 2
    patient = scene.patient()
    assert scene.form(patient).report().status == 200
    assert scene.told(patient) < 10
    assert until(lambda: "message.poisoned" in worker.said())
    assert worker.is_running


@pytest.mark.catalogue("F68")
def test_the_audit_log_refuses_an_entry(sqlite_scene: Scene) -> None:
    """No change of state without its entry: nothing is stored, and the page says so."""
    scene = sqlite_scene
    scene.web()
    patient = scene.patient()
    form = scene.form(patient)
    with scene.database.transaction() as session:
        session.execute(text(
            "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entry"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        ))  # fmt: skip
    before = scene.count(AuditEntry)
    answer = form.report()
    assert answer.status in {500, 503} and "911" in answer.page
    assert (scene.count(CheckIn), scene.count(Message)) == (0, 0)
    assert scene.count(AuditEntry) == before
    with scene.database.transaction() as session:
        session.execute(text("DROP TRIGGER no_audit"))
    scene.tries += 1
    assert form.report().status == 200
    scene.worker()
    scene.told(patient)
    scene.settled()
    assert violations(scene, errors=("page.failed",)) == []


@pytest.mark.fault
def test_a_text_is_sent_once(scene: Scene) -> None:
    """Taken by the gateway, which says nothing more for a while: nobody sends it again."""
    scene.gateway.script = "none"
    scene.web()
    scene.worker()
    case = scene.case()
    assert scene.form(case.patient).report().status == 200
    scene.told(case.patient)
    scene.settled()
    time.sleep(2)
    scene.tries += 1
    assert violations(scene) == []
    assert len(scene.gateway.ledger) == 2


@pytest.mark.fault
def test_a_closed_alert_stays_closed(scene: Scene) -> None:
    """Neither its page nor a reply by text takes it once more."""
    scene.web()
    case = scene.case()
    assert scene.form(case.patient).report().status == 200
    ref = scene.alert_of(case.patient).ref
    nurse = scene.nurse(case.team.nurse)
    closing = {"outcome": "false_alarm", "useful": "no", "note": "spoke with her"}
    assert nurse.take(ref).status == 200
    assert nurse.on_alert(ref, "close", **closing).status == 200
    scene.tries += 2
    assert nurse.take(ref).status == 409
    reply = {"MessageSid": "SM" + "2" * 32, "From": scene.rung(case.team)[0],
             "To": ALERT_SENDER, "Body": ref, "AccountSid": ACCOUNT}  # fmt: skip
    assert post_signed(f"{scene.base_url}/twilio/inbound", reply) == 200
    assert scene.alert_of(case.patient).state == "closed"


@pytest.mark.fault
def test_looking_changes_no_alert(scene: Scene) -> None:
    scene.web()
    case = scene.case()
    assert scene.form(case.patient).report().status == 200
    ref = scene.alert_of(case.patient).ref
    nurse = scene.nurse(case.team.nurse)
    for path in (f"/staff/alerts/{ref}", "/staff/inbox", f"/staff/alerts/{ref}/take"):
        nurse.get(path)
    scene.tries += 3
    assert scene.alert_of(case.patient).state == "open"


@pytest.mark.fault
@pytest.mark.catalogue("F69")
def test_a_second_number_is_texted_when_the_first_is_silent(moved_scene: Scene) -> None:
    scene = moved_scene
    scene.web()
    scene.worker()
    case = scene.case()
    second = "+12125568888"
    with scene.database.transaction() as session:
        now = scene.now()
        session.add(StaffPhone(staff_id=case.team.nurse.id, rank=2, number=second,
                               verified_at=now, added_at=now))  # fmt: skip
    scene.gateway.script = "none"
    scene.tries += 1
    assert scene.form(case.patient).report().status == 200
    scene.told(case.patient)
    assert scene.until_moved(lambda: bool(scene.gateway.sent_to(second)), 180)


@pytest.mark.fault
@pytest.mark.catalogue("F67")
def test_the_log_cannot_be_written(scene: Scene) -> None:
    """A full disk under the log must not cost a text."""
    scene.processes.log_to = "/dev/full"
    scene.worker()
    scene.web()
    patient = scene.patient()
    scene.tries += 1
    assert scene.form(patient).report().status == 200
    scene.told(patient)
    scene.settled()
    assert all(each.is_running for each in scene.processes.started)
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F74")
def test_the_secret_key_is_changed_while_forms_are_open(scene: Scene) -> None:
    old = scene.processes.environment["SECRET_KEY"] = "the key of yesterday has no comma in it"
    web = scene.web()
    patient = scene.patient()
    form = scene.form(patient)
    web.kill()
    new = "another key that is as long as keys have to be"
    scene.web(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old)
    scene.tries += 1
    assert form.report().status == 200
    scene.worker()
    scene.told(patient)
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F51")
def test_a_process_of_another_version_refuses_to_start(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    with scene.database.transaction() as session:
        head = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    with scene.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    scene.tries += 2
    for command in ("worker", "web"):
        code, said = scene.processes.run(command)
        assert code == 2 and "db upgrade" in said, said
    with scene.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
    worker = scene.worker()
    assert until(lambda: "worker.started" in worker.said())


@pytest.mark.fault
@pytest.mark.catalogue("F23", "F27")
def test_the_pages_do_not_wait_for_a_gateway_that_hangs(scene: Scene) -> None:
    """Twelve alerts hang at the gateway; inbox and check-in answer as always."""
    scene.web()
    scene.worker()
    with scene.gateway.in_mood("hang"):
        for form in [scene.form(scene.patient()) for _ in range(12)]:
            assert form.report().status == 200
        nurse = scene.nurse(scene.team.nurse)
        took = []
        for _ in range(5):
            began = time.monotonic()
            assert nurse.get("/staff/inbox").status == 200
            took.append(time.monotonic() - began)
        scene.tries += 12
        assert max(took) < 3


@pytest.mark.catalogue("F44")
def test_nothing_on_the_alert_path_asks_the_machine_for_the_time() -> None:
    """Timers go by the database's clock, so a machine whose own is wrong changes nothing.

    Two lines may: the one that measures by how much it is wrong, and the one that asks how old
    the gateway's texts are, with room for clocks that differ.
    """
    asked = re.compile(r"datetime\.(now|utcnow|today)\(|date\.today\(|time\.time\(")
    rooms = ("domain", "services", "worker", "sms", "models", "web/webhooks", "web/care_team")
    found = [
        f"{path}:{number}"
        for room in rooms
        for path in (ROOT / "patient_portal" / room).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if asked.search(line)
    ]
    assert sorted(each.rpartition("/")[2].partition(":")[0] for each in found) == [
        "machine.py", "twilio.py",
    ]  # fmt: skip
