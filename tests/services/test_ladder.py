"""The ladder as it climbs, minute by minute, on both engines."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from patient_portal.database import Database
from patient_portal.domain.escalation import NotAllowed
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    Caregiver,
    CaregiverGrant,
    Clinic,
    Message,
    MessageKind,
    MessageState,
    Patient,
    Position,
    Shift,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import alerts, ladder, losses, paging
from patient_portal.services.alerts import NobodyFurther
from patient_portal.services.rungs import read_roster
from tests.services.test_alerts import in_threads, raised, red
from tests.support.people import NOON, a_house, a_member, a_site

URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def tick(database: Database, now: datetime) -> int:
    with database.transaction() as session:
        return ladder.advance(session, a_site(), now)


def deliver(database: Database, now: datetime) -> None:
    """Every text that waits reaches its phone."""
    with database.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.state == MessageState.DUE)
            .values(
                state=MessageState.DELIVERED, accepted_at=now, delivered_at=now, gateway_id="SM1"
            )
        )


def lose(database: Database, *names: str, now: datetime = NOON) -> None:
    """The waiting texts to these people, or to all, fail for good."""
    with database.transaction() as session:
        rows = session.scalars(select(Message).where(Message.state == MessageState.DUE)).all()
        for row in rows:
            member = session.get(StaffMember, row.staff_id) if row.staff_id else None
            if names and (member is None or member.name not in names):
                continue
            row.state, row.failed_at, row.error_code = MessageState.FAILED, now, "30004"
            losses.on_lost(session, row, now)


def told(database: Database, kind: MessageKind = MessageKind.STAFF_ALERT) -> list[tuple[int, str]]:
    """Minute and name (or number) of each text, in order."""
    with database.reading() as session:
        rows = session.execute(
            select(Message.created_at, StaffMember.name, Message.to_number)
            .outerjoin(StaffMember, StaffMember.id == Message.staff_id)
            .where(Message.kind == kind)
            .order_by(Message.created_at, StaffMember.name, Message.to_number)
        ).all()
    return [((row[0] - NOON) // MINUTE, row[1] or row[2]) for row in rows]


def stored(database: Database) -> Alert:
    with database.reading() as session:
        return session.scalars(select(Alert)).one()


def actions(session: Session) -> Sequence[str]:
    query = select(AuditEntry.action).where(AuditEntry.subject_kind == "alert")
    return session.scalars(query.order_by(AuditEntry.id)).all()


def take(database: Database, by: StaffMember, now: datetime) -> Alert:
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.take(session, alert, by, now)
        return alert


def minutes_pass(database: Database, until: int, *, first: int = 0) -> None:
    for minute in range(first, until + 1):
        tick(database, at(minute))
        deliver(database, at(minute))


def second_number(database: Database, member: StaffMember, number: str) -> None:
    with database.transaction() as session:
        session.add(
            StaffPhone(staff_id=member.id, rank=2, number=number, verified_at=NOON, added_at=NOON)
        )


# ---- nobody answers


def test_nobody_answers_an_emergency_for_forty_minutes(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 40)
    everyone = ["A. Osei", "J. Park", "L. Brandt", "N. Silva"]
    assert told(database) == [
        (0, "J. Park"), (0, "N. Silva"), (5, "A. Osei"),
        *((minute, name) for minute in (10, 20, 30, 40) for name in everyone),
    ]  # fmt: skip
    assert told(database, MessageKind.CALL_NOW) == [(5, patient.phone)]
    alert = stored(database)
    assert (alert.state, alert.step, alert.round) == (AlertState.OPEN, 3, 3)
    assert alert.next_action_at == at(50)


def test_nobody_answers_an_urgent_alert_for_seventy_minutes(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(URGENT))
    minutes_pass(database, 70)
    assert told(database) == [
        (0, "N. Silva"), (15, "J. Park"),
        *((minute, name) for minute in (30, 45, 60) for name in ("A. Osei", "L. Brandt")),
    ]  # fmt: skip
    assert told(database, MessageKind.CALL_NOW) == [(15, patient.phone)]


def test_looking_often_sends_nothing_twice(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    for second in range(0, 11 * 60, 20):
        tick(database, NOON + timedelta(seconds=second))
        tick(database, NOON + timedelta(seconds=second))
        deliver(database, NOON + timedelta(seconds=second))
    assert [name for _, name in told(database)] == [
        "J. Park", "N. Silva", "A. Osei", "A. Osei", "J. Park", "L. Brandt", "N. Silva",
    ]  # fmt: skip


def test_a_worker_that_slept_is_late_and_sends_no_burst(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, NOON)
    assert tick(database, at(47)) == 1
    assert tick(database, at(47)) == 0
    # The step that is due now, and who was due while nobody looked: each once.
    assert told(database) == [(0, "N. Silva"), (47, "A. Osei"), (47, "J. Park"), (47, "L. Brandt")]
    alert = stored(database)
    assert alert.step == 3
    deliver(database, at(47))
    tick(database, at(50))
    assert told(database)[-1][0] == 47
    tick(database, at(62))
    assert told(database)[-1][0] == 62


def test_a_clinics_own_ladder_is_climbed(database: Database) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        session.get_one(Clinic, team.clinic.id).ladder = {
            "emergency": [
                {"who": ["physician"], "minutes": 2},
                {"who": ["lead", "everyone"], "minutes": 3},
            ],
            "urgent": [{"who": ["lead"], "minutes": 10}],
        }
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 6)
    assert [minute for minute, _ in told(database)] == [0, 2, 2, 2, 2, 5, 5, 5, 5]
    assert told(database)[0] == (0, "A. Osei")


def test_a_ladder_that_cannot_be_read_is_the_default(database: Database) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        session.get_one(Clinic, team.clinic.id).ladder = {"emergency": "soon"}
    raised(database, patient, red(EMERGENCY))
    assert told(database) == [(0, "J. Park"), (0, "N. Silva")]


# ---- nobody reached


def test_without_proof_of_arrival_the_ladder_goes_on(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    tick(database, NOON + timedelta(seconds=59))
    assert len(told(database)) == 2
    tick(database, NOON + timedelta(seconds=60))
    assert told(database)[2:] == [(1, "A. Osei")]
    tick(database, NOON + timedelta(seconds=120))
    assert [minute for minute, _ in told(database)[3:]] == [2, 2, 2, 2]
    # Then there is nobody further, and it comes again at its own pace.
    for minute in range(3, 12):
        tick(database, at(minute))
    assert told(database)[-1][0] == 2
    tick(database, at(12))
    assert told(database)[-1][0] == 12


def test_an_urgent_alert_waits_two_minutes_for_proof(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(URGENT))
    tick(database, NOON + timedelta(seconds=119))
    assert len(told(database)) == 1
    tick(database, NOON + timedelta(seconds=120))
    assert told(database)[1:] == [(2, "J. Park")]


def test_a_step_whose_every_text_is_lost_is_left_at_once(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    lose(database, "N. Silva", now=NOON + timedelta(seconds=5))
    assert tick(database, NOON + timedelta(seconds=5)) == 0
    lose(database, "J. Park", now=NOON + timedelta(seconds=8))
    assert tick(database, NOON + timedelta(seconds=8)) == 1
    assert told(database)[2:] == [(0, "A. Osei")]


@pytest.mark.parametrize("catch_all", [None, "+12125550199"])
def test_when_nobody_can_be_reached_the_clinic_itself_is(
    database: Database, catch_all: str | None
) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        session.execute(update(StaffPhone).values(bad_at=NOON))
        session.get_one(Clinic, team.clinic.id).catch_all = catch_all
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 30)
    expected = [(minute, catch_all) for minute in (0, 10, 20, 30)] if catch_all else []
    assert told(database) == expected
    alert = stored(database)
    assert alert.next_action_at == at(40)
    assert told(database, MessageKind.CALL_NOW) == [(5, patient.phone)]


def test_the_clinics_number_is_texted_with_the_last_step(database: Database) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        session.get_one(Clinic, team.clinic.id).catch_all = "+12125550199"
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 20)
    assert [minute for minute, who in told(database) if who == "+12125550199"] == [10, 20]


def test_a_step_with_nobody_is_skipped_while_climbing(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        for row in session.scalars(select(Shift).where(Shift.position == Position.PHYSICIAN)):
            session.delete(row)
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 6)
    assert [minute for minute, _ in told(database)] == [0, 0, 5, 5, 5, 5]
    assert stored(database).step == 3


def test_the_second_number_is_texted_when_the_first_fails(database: Database) -> None:
    team, patient = a_house(database)
    second_number(database, team.nurse, "+12125550152")
    raised(database, patient, red(EMERGENCY))
    lose(database, "N. Silva")
    assert tick(database, NOON + timedelta(seconds=1)) == 1
    with database.reading() as session:
        rows = session.scalars(select(Message).where(Message.staff_id == team.nurse.id)).all()
    assert {row.to_number for row in rows} == {"+12125550142", "+12125550152"}
    assert {(row.step, row.round) for row in rows} == {(1, 0)}
    assert stored(database).step == 1


def test_the_second_number_is_texted_without_proof_of_the_first(database: Database) -> None:
    team, patient = a_house(database)
    second_number(database, team.nurse, "+12125550152")
    raised(database, patient, red(EMERGENCY))
    with database.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.staff_id == team.backup.id)
            .values(state=MessageState.DELIVERED, delivered_at=NOON)
        )
    tick(database, NOON + timedelta(seconds=60))
    with database.reading() as session:
        numbers = session.scalars(select(Message.to_number)).all()
    assert sorted(numbers) == ["+12125550142", "+12125550143", "+12125550152"]
    assert stored(database).step == 1  # the backup's phone has it
    tick(database, NOON + timedelta(seconds=61))
    with database.reading() as session:
        assert len(session.scalars(select(Message.id)).all()) == 3


# ---- taken


def test_taking_tells_everybody_else_who_was_texted(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 6)
    alert = take(database, team.backup, at(7))
    assert told(database, MessageKind.STAFF_STOOD_DOWN) == [(7, "A. Osei"), (7, "N. Silva")]
    with database.reading() as session:
        bodies = session.scalars(
            select(Message.body).where(Message.kind == MessageKind.STAFF_STOOD_DOWN)
        ).all()
    assert all(f"{alert.ref} was taken by J. Park at 12:07" in body for body in bodies)
    minutes_pass(database, 14, first=8)
    assert told(database)[-1][0] == 5


def test_who_was_never_texted_is_not_stood_down(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    take(database, team.nurse, NOON)  # the backup's text had not left yet
    assert told(database, MessageKind.STAFF_STOOD_DOWN) == []


def test_closing_tells_those_who_were_texted_but_the_closer(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    deliver(database, NOON)
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.close(session, alert, team.nurse, alerts.Closing("false_alarm", None, "x"), at(3))
    assert told(database, MessageKind.STAFF_STOOD_DOWN) == [(3, "J. Park")]
    assert stored(database).next_action_at is None
    minutes_pass(database, 60, first=3)
    assert len(told(database)) == 2


@pytest.mark.parametrize(("level", "again", "opens"), [(EMERGENCY, 15, 30), (URGENT, 45, 90)])
def test_taken_without_a_call_pages_the_owner_and_opens_again(
    database: Database, level: TriageLevel, again: int, opens: int
) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(level))
    take(database, team.physician, at(1))
    minutes_pass(database, opens + 1, first=2)
    assert told(database, MessageKind.STAFF_REPAGE) == [(1 + again, "A. Osei")]
    alert = stored(database)
    assert (alert.state, alert.taken_by, alert.step) == (AlertState.OPEN, None, 1)
    assert alert.ladder_started_at == at(1 + opens)
    with database.reading() as session:
        assert list(actions(session))[-3:] == ["alert.taken", "alert.repaged", "alert.reopened"]


def test_a_noted_call_ends_the_waiting_for_one(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    take(database, team.nurse, NOON)
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.contact(session, alert, team.nurse, "no_answer", at(1))
        assert alert.next_action_at == at(15)
        alerts.contact(session, alert, team.nurse, "reached", at(4))
        assert alert.next_action_at == at(240)
    minutes_pass(database, 60)
    assert stored(database).state is AlertState.TAKEN
    assert told(database, MessageKind.STAFF_REPAGE) == []


def test_the_lead_hears_of_what_is_taken_and_never_closed(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(URGENT))
    take(database, team.nurse, NOON)
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.contact(session, alert, team.nurse, "reached", at(4))
    assert tick(database, at(239)) == 0
    assert tick(database, at(240)) == 1
    assert told(database, MessageKind.STAFF_ALARM) == [(240, "L. Brandt")]
    assert stored(database).next_action_at == at(240) + timedelta(hours=24)
    tick(database, at(240) + timedelta(hours=24))
    assert len(told(database, MessageKind.STAFF_ALARM)) == 2


def test_a_worker_that_slept_over_a_taken_alert_opens_it_once(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    take(database, team.nurse, NOON)
    assert tick(database, at(300)) == 1
    assert stored(database).state is AlertState.OPEN
    assert told(database, MessageKind.STAFF_REPAGE) == []
    assert told(database, MessageKind.STAFF_ALARM) == []


def test_worse_while_taken_starts_over(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, NOON)
    take(database, team.nurse, at(2))
    raised(database, patient, red(EMERGENCY, "RF1", check_in="c2"), at(5))
    alert = stored(database)
    assert (alert.state, alert.taken_by, alert.step) == (AlertState.OPEN, None, 1)
    assert alert.next_action_at == at(6)
    minutes_pass(database, 10, first=5)
    assert told(database)[-1] == (10, "A. Osei")


def test_a_leaked_link_cannot_text_the_owner_without_end(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(URGENT))
    take(database, team.nurse, at(1))
    for minute in range(2, 25):
        raised(database, patient, red(URGENT, f"S{minute}", check_in=f"c{minute}"), at(minute))
    assert [minute for minute, _ in told(database, MessageKind.STAFF_WORSE)] == [2, 12, 22]


@pytest.mark.parametrize("number", range(5))
def test_taking_at_the_instant_of_the_timer(database: Database, number: int) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    deliver(database, NOON)
    results = in_threads(lambda: take(database, team.nurse, at(5)), lambda: tick(database, at(5)))
    assert not any(isinstance(result, Exception) for result in results), results
    alert = stored(database)
    assert (alert.state, alert.taken_by) == (AlertState.TAKEN, team.nurse.id)
    assert alert.next_action_at == at(20)
    with database.reading() as session:
        paged = session.scalars(
            select(Message.state).where(Message.staff_id == team.physician.id)
        ).all()
    # Either the timer was first and the text was stopped, or it found the alert taken.
    assert all(state is MessageState.EXPIRED for state in paged)


def test_two_workers_at_one_timer_text_once(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    deliver(database, NOON)
    results = in_threads(*(lambda: tick(database, at(5)) for _ in range(4)))
    assert sorted(results) == [0, 0, 0, 1], results
    assert told(database)[2:] == [(5, "A. Osei")]


# ---- passing on


def passed_on(database: Database, by: StaffMember, now: datetime) -> Alert:
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.pass_on(session, alert, by, a_site(), now)
        return alert


def test_passing_on_texts_the_next_step_now(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, NOON)
    alert = passed_on(database, team.nurse, at(1))
    assert told(database)[1:] == [(1, "J. Park")]
    assert (alert.state, alert.step) == (AlertState.OPEN, 2)
    assert alert.next_action_at == at(3)


def test_whoever_has_it_can_pass_it_on(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(URGENT))
    take(database, team.nurse, at(1))
    alert = passed_on(database, team.nurse, at(2))
    assert (alert.state, alert.taken_by) == (AlertState.OPEN, None)
    assert told(database)[1:] == [(2, "J. Park")]
    minutes_pass(database, 18, first=3)
    # The patient's quarter of an hour counts from the moment when nobody had it any more.
    assert told(database, MessageKind.CALL_NOW) == [(17, patient.phone)]


def test_after_the_last_step_there_is_nobody_further(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 11)
    count = len(told(database))
    with pytest.raises(NobodyFurther):
        passed_on(database, team.nurse, at(12))
    assert len(told(database)) == count
    take(database, team.nurse, at(12))
    passed_on(database, team.nurse, at(13))  # it was taken: the others must hear that it is not
    assert [name for minute, name in told(database) if minute == 13] == [
        "A. Osei", "J. Park", "L. Brandt",
    ]  # fmt: skip


# ---- the patient and helpers


def helper(database: Database, patient: Patient, *scopes: str) -> str:
    number = f"+1212555017{len(scopes)}"
    with database.transaction() as session:
        luis = Caregiver(
            clinic_id=patient.clinic_id, first_name="Luis", phone=number, language="es",
            created_at=NOON,
        )  # fmt: skip
        session.add(luis)
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=luis.id, patient_id=patient.id, scopes=list(scopes), granted_at=NOON
            )
        )
    return number


@pytest.mark.parametrize(("level", "expected"), [(EMERGENCY, True), (URGENT, False)])
def test_helpers_who_may_know_are_told_in_an_emergency(
    database: Database, level: TriageLevel, expected: bool
) -> None:
    _, patient = a_house(database)
    number = helper(database, patient, "report", "status")
    helper(database, patient, "report")
    raised(database, patient, red(level))
    minutes_pass(database, 20)
    heard = [(5, number)] if expected else []
    assert told(database, MessageKind.HELPER_CALL_NOW) == heard


def test_a_phone_that_stopped_texts_gets_none(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        session.get_one(Patient, patient.id).texts_stopped_at = NOON
    raised(database, patient, red(EMERGENCY))
    minutes_pass(database, 10)
    assert told(database, MessageKind.CALL_NOW) == []
    assert stored(database).patient_told_at == at(5)


def test_a_level_that_somebody_else_raised_is_told_to_the_patient(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(URGENT))
    answer = red(EMERGENCY, "RF1", check_in="c2")
    with database.transaction() as session:
        from_helper = alerts.RedAnswer(**{**vars(answer), "by_patient": False})
        alerts.raise_alert(session, a_site(), patient, from_helper, at(3))
    assert told(database, MessageKind.CALL_NOW) == [(3, patient.phone)]
    minutes_pass(database, 12, first=3)
    assert told(database, MessageKind.CALL_NOW) == [(3, patient.phone), (8, patient.phone)]


# ---- tests and timers


def test_a_test_alert_does_not_climb_and_ends_by_itself(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        alert = alerts.raise_alert(session, a_site(), patient, red(URGENT), NOON)
        alert.is_test = True
    minutes_pass(database, 31)
    assert len(told(database)) == 1
    assert told(database, MessageKind.CALL_NOW) == []
    ended = stored(database)
    assert (ended.state, ended.outcome, ended.closed_at) == (AlertState.CLOSED, "test", at(30))


def test_a_patients_alert_is_never_ended_as_a_test(database: Database) -> None:
    _, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    with database.transaction() as session, pytest.raises(NotAllowed):
        alerts.end_test(session, session.get_one(Alert, alert.id), NOON)


def test_a_timer_can_be_worked_out_from_rows_alone(database: Database) -> None:
    team, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    for minute in range(12):
        tick(database, at(minute))
        with database.transaction() as session:
            alert = session.scalars(select(Alert)).one()
            kept = alert.next_action_at
            roster = read_roster(session, team.clinic.id, at(minute))
            paging.set_timer(session, roster, alert)
            assert kept is not None and alert.next_action_at is not None
            assert kept <= alert.next_action_at
            alert.next_action_at = kept
        deliver(database, at(minute))


@pytest.mark.parametrize("kept", [None, at(600)])
def test_a_timer_that_is_missing_or_late_is_mended(
    database: Database, kept: datetime | None
) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    deliver(database, NOON)
    with database.transaction() as session:
        session.execute(update(Alert).values(next_action_at=kept))
    with database.transaction() as session:
        assert ladder.rebuild(session, at(1)) == 1
        assert ladder.rebuild(session, at(1)) == 0
    assert stored(database).next_action_at == at(5)


def test_a_second_member_in_a_position_is_texted_too(database: Database) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        clinic = session.get_one(Clinic, team.clinic.id)
        a_member(session, clinic, "B. Two", Position.NURSE, phone="+12125550160")
    raised(database, patient, red(URGENT))
    assert told(database) == [(0, "B. Two"), (0, "N. Silva")]
