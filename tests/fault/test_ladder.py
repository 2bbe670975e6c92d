"""The ladder when everything else fails: no worker, no delivery, no gateway, nobody on the rota."""

import threading
from collections import Counter
from datetime import timedelta

import pytest

from patient_portal.models import (
    Alert,
    Message,
    MessageKind,
    MessageState,
    Shift,
    StaffMember,
    StaffPhone,
)
from tests.fault.client import Client
from tests.fault.history import violations
from tests.fault.scene import Case, Scene
from tests.support.gateway import ACCOUNT, ALERT_SENDER, post_signed
from tests.support.processes import until


def _red(scene: Scene) -> Case:
    case = scene.case()
    assert scene.form(case.patient).report().status == 200
    return case


def _number(scene: Scene, case: Case, rank: int) -> str:
    """The number of the clinic's nurse, backup, physician or lead: 1 to 4."""
    return scene.rung(case.team)[0][:-1] + str(rank)


def _troubles(scene: Scene) -> tuple[int, str]:
    answer = Client(scene.base_url, scene.log, "monitor").get("/healthz/deep")
    return answer.status, answer.page


def _is_told(scene: Scene, case: Case, rank: int) -> bool:
    return scene.has_reached(scene.alert_of(case.patient), _number(scene, case, rank))


@pytest.mark.catalogue("F10")
def test_no_worker_at_all(moved_standing: Scene) -> None:
    """After two minutes every look says so, without anybody having written it down."""
    scene = moved_standing
    for worker in scene.workers:
        worker.kill()
    scene.tries += 1
    case = _red(scene)
    scene.move(timedelta(seconds=121))
    status, said = _troubles(scene)
    assert status == 503 and "worker" in said, said
    page = scene.nurse(case.team.nurse).get("/staff/inbox")
    assert page.status == 200
    assert scene.alert_of(case.patient).ref in page.page
    scene.worker()
    scene.told(case.patient)
    scene.settled()
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F38", "F69")
def test_the_gateway_delivers_nothing(moved_standing: Scene) -> None:
    """Taken and never delivered: the ladder goes on without proof, and the patient is told."""
    scene = moved_standing
    scene.gateway.script, before = "none", scene.gateway.script
    scene.tries += 1
    case = _red(scene)
    scene.told(case.patient)
    assert scene.until_moved(lambda: _is_told(scene, case, 3), 120)
    assert scene.until_moved(lambda: _is_told(scene, case, 4), 240)
    told = scene.until_moved(lambda: bool(scene.gateway.sent_to(case.patient.phone)), 330)
    assert told, "the patient was not told to call"
    assert scene.alert_of(case.patient).state == "open"
    scene.gateway.script = before
    scene.settled()
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F31")
def test_the_gateway_refuses_our_password(moved_standing: Scene) -> None:
    """No hammering, an alarm that everybody sees, and all texts out once it is mended."""
    scene = moved_standing
    case = scene.case()
    scene.tries += 1
    before = scene.gateway.attempts
    with scene.gateway.in_mood("401:20003"):
        assert scene.form(case.patient).report().status == 200
        assert until(lambda: scene.gateway.attempts > before)
        scene.pass_time(180)
        attempts = scene.gateway.attempts - before
        assert attempts <= 8, f"{attempts} attempts in three minutes"
        assert _troubles(scene)[0] == 503
    assert scene.until_moved(lambda: scene.pages_out(case.patient), 240)
    scene.settled()
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F25")
def test_a_gateway_that_fails_for_ten_minutes(moved_standing: Scene) -> None:
    scene = moved_standing
    case = scene.case()
    scene.tries += 1
    with scene.gateway.in_mood("503"):
        assert scene.form(case.patient).report().status == 200
        scene.pass_time(125)
        assert _troubles(scene)[0] == 503
        scene.pass_time(475)
    # No storm: each text about once a minute, after the first few tries.
    texts = scene.all(Message, Message.alert_id == scene.alert_of(case.patient).id)
    assert max(text.attempts for text in texts) <= 16
    assert scene.until_moved(lambda: scene.pages_out(case.patient), 240)
    scene.settled()
    assert violations(scene) == []


@pytest.mark.catalogue("F32")
def test_a_nurse_has_texted_stop(moved_standing: Scene) -> None:
    """The backup is texted, the nurse is not, and the lead hears of it."""
    scene = moved_standing
    case = scene.case()
    scene.without_first_step.add(case.team.clinic.id)
    form = {"MessageSid": f"SM{len(scene.teams):032x}", "From": _number(scene, case, 1),
            "To": ALERT_SENDER, "Body": "STOP", "AccountSid": ACCOUNT}  # fmt: skip
    assert post_signed(f"{scene.base_url}/twilio/inbound", form) == 200
    scene.tries += 1
    (phone,) = scene.all(StaffPhone, StaffPhone.number == _number(scene, case, 1))
    assert phone.stopped_at is not None
    assert until(lambda: bool(scene.gateway.sent_to(_number(scene, case, 4))))
    assert scene.form(case.patient).report().status == 200
    assert until(lambda: _is_told(scene, case, 2))
    assert not scene.gateway.sent_to(_number(scene, case, 1))


@pytest.mark.catalogue("F47")
@pytest.mark.parametrize("gone", ["no shifts", "people left", "numbers bad"])
def test_nobody_is_on_call(moved_standing: Scene, gone: str) -> None:
    """Whatever is wrong with the rota, somebody's phone rings, and at once."""
    scene = moved_standing
    case = scene.case()
    scene.without_first_step.add(case.team.clinic.id)
    with scene.database.transaction() as session:
        now = scene.now()
        if gone == "no shifts":
            for shift in session.query(Shift).filter(Shift.clinic_id == case.team.clinic.id):
                session.delete(shift)
        for member in (case.team.nurse, case.team.backup, case.team.physician):
            if gone == "people left":
                session.get_one(StaffMember, member.id).disabled_at = now
            if gone == "numbers bad":
                phone = session.query(StaffPhone).filter(StaffPhone.staff_id == member.id).one()
                phone.bad_at, phone.bad_code = now, "30006"
    scene.tries += 1
    assert scene.form(case.patient).report().status == 200
    assert until(lambda: _is_told(scene, case, 4)), gone


@pytest.mark.catalogue("F49")
def test_two_nurses_take_an_alert_at_once(moved_standing: Scene, rounds: int = 5) -> None:
    scene = moved_standing
    for _ in range(rounds):
        case = _red(scene)
        alert = scene.alert_of(case.patient)
        scene.tries += 1
        nurses = [scene.nurse(case.team.nurse), scene.nurse(case.team.backup)]
        answers: list[int] = []
        start = threading.Barrier(2)

        def take(
            nurse: Client, ref: str = alert.ref, start: threading.Barrier = start,
            answers: list[int] = answers,
        ) -> None:  # fmt: skip
            start.wait()
            answers.append(nurse.take(ref).status)

        taking = [threading.Thread(target=take, args=(nurse,)) for nurse in nurses]
        for each in taking:
            each.start()
        for each in taking:
            each.join()
        assert sorted(answers) == [200, 409]
        owner = scene.alert_of(case.patient).taken_by
        assert owner in {case.team.nurse.id, case.team.backup.id}


@pytest.mark.fault
@pytest.mark.catalogue("F48")
def test_an_alert_is_taken_when_its_timer_ends(moved_standing: Scene, rounds: int = 5) -> None:
    """Taking and the ladder's next step meet; once taken, nobody further is texted."""
    scene = moved_standing
    for _ in range(rounds):
        case = _red(scene)
        scene.told(case.patient)
        nurse = scene.nurse(case.team.nurse)
        ref = scene.alert_of(case.patient).ref
        scene.tries += 1
        with scene.database.transaction() as session:
            alert = session.get_one(Alert, scene.alert_of(case.patient).id)
            alert.step_started_at = alert.next_action_at = scene.now() - timedelta(minutes=6)
        assert nurse.take(ref).status == 200
        pages = (Message.alert_id == alert.id, Message.kind == MessageKind.STAFF_ALERT)
        taken_at = scene.alert_of(case.patient).taken_at
        scene.pass_time(20)
        assert scene.alert_of(case.patient).state == "taken"
        assert not scene.count(Message, *pages, Message.created_at > taken_at)
        waiting = Message.state == MessageState.DUE
        assert not scene.count(Message, *pages, waiting)


@pytest.mark.fault
@pytest.mark.catalogue("F50")
def test_replies_that_may_take_nothing(moved_standing: Scene) -> None:
    """A stranger, another clinic's nurse, a made-up reference, a closed alert: it stays open."""
    scene = moved_standing
    case, other = _red(scene), _red(scene)
    scene.told(case.patient)
    ref = scene.alert_of(case.patient).ref

    def reply(number: str, body: str, sid: int) -> int:
        form = {"MessageSid": f"SM{sid + 7000 * len(scene.teams):032x}", "From": number,
                "To": ALERT_SENDER, "Body": body, "AccountSid": ACCOUNT}  # fmt: skip
        return post_signed(f"{scene.base_url}/twilio/inbound", form)

    own = _number(scene, case, 1)
    for sid, (number, body) in enumerate(
        [("+12125559999", ref), (_number(scene, other, 1), ref), (own, "Z9Z9Z"), (own, "OK"),
         (case.patient.phone, ref)]
    ):  # fmt: skip
        assert reply(number, body, sid) == 200
        scene.tries += 1
    assert scene.alert_of(case.patient).state == "open"
    assert reply(own, ref, 50) == 200
    assert scene.alert_of(case.patient).taken_by == case.team.nurse.id
    scene.settled()


@pytest.mark.catalogue("F70")
@pytest.mark.parametrize("people", [9, pytest.param(200, marks=pytest.mark.fault)])
def test_many_alerts_at_once(moved_standing: Scene, people: int) -> None:
    """Every alert reaches nurse and backup, inside another text where there are too many."""
    scene = moved_standing
    team = scene.add_team(name=f"Maple {len(scene.teams)}")
    patients = [scene.patient(team) for _ in range(people)]
    for form in [scene.form(patient) for patient in patients]:
        assert form.report().status == 200
    scene.tries += people
    for patient in patients:
        scene.told(patient, 60)
    scene.settled()
    # A few may each find the phone free again; many may not.
    assert len(scene.gateway.sent_to(scene.rung(team)[0])) < max(people, 10)
    assert violations(scene) == []


@pytest.mark.fault
@pytest.mark.catalogue("F72")
def test_a_patient_leaves_while_an_alert_is_open(moved_standing: Scene) -> None:
    scene = moved_standing
    case = _red(scene)
    with scene.database.transaction() as session:
        patient = session.merge(case.patient)
        patient.ended_at = scene.now()
    scene.tries += 1
    scene.told(case.patient)
    nurse = scene.nurse(case.team.nurse)
    assert nurse.take(scene.alert_of(case.patient).ref).status == 200


@pytest.mark.fault
@pytest.mark.catalogue("F42")
@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=3653)])
def test_the_clock_jumps(moved_standing: Scene, jump: timedelta) -> None:
    """An alert of before is not lost, one of after is not late, and nobody is flooded."""
    scene = moved_standing
    before = _red(scene)
    scene.told(before.patient)
    sent = len(scene.gateway.ledger)
    scene.move(jump)
    scene.tries += 1
    after = scene.case()
    assert scene.form(after.patient).report().status == 200
    scene.told(after.patient)
    scene.pass_time(20)
    # A few texts each at the most: a step that was slept through, and one to the patient.
    assert max(Counter(text.to for text in scene.gateway.ledger[sent:]).values()) <= 6
    assert scene.alert_of(before.patient).state == "open"
    scene.settled()
    scene.move(-jump)
