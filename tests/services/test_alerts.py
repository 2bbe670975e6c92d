"""Alerts from red answer to closing, on both engines."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from patient_portal.database import Database
from patient_portal.domain.escalation import NotAllowed
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    Message,
    MessageKind,
    MessageState,
    Patient,
    Position,
    Shift,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import alerts
from patient_portal.services.alerts import Closing, RedAnswer
from tests.support.people import NOON, a_clinic, a_house, a_member, a_patient, a_site

URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY


def red(
    level: TriageLevel = URGENT, *rules: str, check_in: str = "c1", known: str | None = None
) -> RedAnswer:
    return RedAnswer(
        check_in_id=check_in,
        level=level,
        reasons=[{"rule": rule, "level": level.code} for rule in rules or ("B2",)],
        inputs={"drug": "enasidenib", "answers": {}},
        phone_recognised=True,
        known_alert_id=known,
    )


def raised(database: Database, patient: Patient, answer: RedAnswer, now: datetime = NOON) -> Alert:
    with database.transaction() as session:
        return alerts.raise_alert(session, a_site(), patient, answer, now)


def texted(session: Session, kind: MessageKind = MessageKind.STAFF_ALERT) -> list[str]:
    names = select(StaffMember.name).join(Message, Message.staff_id == StaffMember.id)
    return list(session.scalars(names.where(Message.kind == kind).order_by(StaffMember.name)))


def entries(session: Session, alert: Alert) -> Sequence[str]:
    query = select(AuditEntry.action).where(AuditEntry.subject_id == alert.id)
    return session.scalars(query.order_by(AuditEntry.id)).all()


# ---- raising


def test_an_urgent_answer_opens_an_alert_and_texts_the_nurse(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    with database.reading() as session:
        assert texted(session) == ["N. Silva"]
        message = session.scalars(select(Message)).one()
    assert alert.state is AlertState.OPEN
    assert alert.clinic_id == team.clinic.id
    assert alert.step == 1
    assert alert.next_action_at == NOON + timedelta(minutes=2)  # proof that a text arrived
    assert message.state is MessageState.DUE
    assert message.due_at == NOON
    assert alert.ref in message.body
    assert patient.first_name not in message.body


def test_an_emergency_texts_nurse_and_backup_together(database: Database) -> None:
    _, patient = a_house(database)
    alert = raised(database, patient, red(EMERGENCY))
    with database.reading() as session:
        assert texted(session) == ["J. Park", "N. Silva"]
    assert alert.next_action_at == NOON + timedelta(minutes=1)


def without(database: Database, *positions: Position) -> None:
    with database.transaction() as session:
        for row in session.scalars(select(Shift).where(Shift.position.in_(positions))):
            session.delete(row)


@pytest.mark.parametrize(
    ("empty", "reached", "step"),
    [
        ((Position.NURSE,), ["J. Park"], 2),
        ((Position.NURSE, Position.BACKUP), ["A. Osei", "L. Brandt"], 3),
        (tuple(Position), ["A. Osei", "J. Park", "L. Brandt", "N. Silva"], 3),
    ],
)
def test_a_step_with_nobody_is_skipped_at_once(
    database: Database, empty: tuple[Position, ...], reached: list[str], step: int
) -> None:
    _, patient = a_house(database)
    without(database, *empty)
    alert = raised(database, patient, red(URGENT))
    with database.reading() as session:
        assert texted(session) == reached
    assert alert.step == step


def test_people_without_phone_or_account_and_of_other_clinics_are_not_texted(
    database: Database,
) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        session.execute(
            update(StaffPhone).where(StaffPhone.staff_id == team.nurse.id).values(bad_at=NOON)
        )
        session.execute(
            update(StaffMember).where(StaffMember.id == team.backup.id).values(disabled_at=NOON)
        )
        a_member(session, a_clinic(session, name="Other"), "X. Else", Position.NURSE)
    raised(database, patient, red(EMERGENCY))
    with database.reading() as session:
        assert texted(session) == ["A. Osei"]


def test_an_alert_is_kept_even_if_there_is_nobody_to_text(database: Database) -> None:
    with database.transaction() as session:
        patient = a_patient(session, a_clinic(session))
    alert = raised(database, patient, red(EMERGENCY))
    with database.reading() as session:
        assert texted(session) == []
        shown = alerts.tracker(session, alert, NOON + timedelta(seconds=1))
    assert alert.next_action_at is not None
    assert shown.is_failing


def test_further_red_answers_join_the_alert(database: Database) -> None:
    _, patient = a_house(database)
    first = raised(database, patient, red(URGENT, "B2"))
    second = raised(database, patient, red(URGENT, "S3", known=first.id), NOON + timedelta(0, 60))
    assert second.id == first.id
    assert [reason["rule"] for reason in second.reasons] == ["B2", "S3"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 1
        assert texted(session) == ["N. Silva"]
        assert entries(session, first) == ["alert.opened", "alert.joined"]


def test_the_same_answer_again_says_nothing_new(database: Database) -> None:
    _, patient = a_house(database)
    first = raised(database, patient, red(URGENT))
    raised(database, patient, red(URGENT, known=first.id), NOON + timedelta(0, 5))
    with database.reading() as session:
        assert entries(session, first) == ["alert.opened"]


def test_a_higher_level_starts_the_ladder_again(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(URGENT))
    later = NOON + timedelta(minutes=10)
    alert = raised(database, patient, red(EMERGENCY, "RF1"), later)
    assert alert.level == EMERGENCY
    assert alert.ladder_started_at == later
    assert alert.next_action_at == later + timedelta(minutes=1)
    with database.reading() as session:
        assert texted(session) == ["J. Park", "N. Silva", "N. Silva"]


def test_a_new_red_answer_pages_again_when_no_text_can_reach_anybody(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(URGENT))
    put(database, ("undelivered",))
    alert = raised(database, patient, red(URGENT, "S3"), NOON + timedelta(hours=1))
    assert alert.ladder_started_at == NOON + timedelta(hours=1)
    with database.reading() as session:
        assert texted(session) == ["N. Silva", "N. Silva"]
        assert entries(session, alert) == ["alert.opened", "alert.worsened"]
    # Now a text is on its way, and the next answer leaves it at that.
    raised(database, patient, red(URGENT, "S4"), NOON + timedelta(hours=2))
    with database.reading() as session:
        assert len(texted(session)) == 2


def test_whoever_has_a_phone_now_hears_of_an_alert_that_reached_nobody(database: Database) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        session.execute(update(StaffPhone).values(bad_at=NOON))
    raised(database, patient, red(EMERGENCY))
    with database.transaction() as session:
        mended = update(StaffPhone).where(StaffPhone.staff_id == team.nurse.id)
        session.execute(mended.values(bad_at=None))
    raised(database, patient, red(EMERGENCY, check_in="c2"), NOON + timedelta(hours=1))
    with database.reading() as session:
        assert texted(session) == ["N. Silva"]


def test_a_milder_answer_never_lowers_the_alert(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(EMERGENCY, "RF1"))
    alert = raised(database, patient, red(URGENT, "S3"), NOON + timedelta(0, 60))
    assert alert.level == EMERGENCY


def taken(database: Database, alert: Alert, by: StaffMember, now: datetime) -> Alert:
    with database.transaction() as session:
        fresh = alerts.of_clinic(session, by.clinic_id, alert.ref)
        alerts.take(session, fresh, by, now)
        return fresh


def test_soon_after_it_was_taken_the_owner_alone_hears_of_new_answers(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    taken(database, alert, team.physician, NOON + timedelta(minutes=2))
    after = raised(database, patient, red(URGENT, "S3"), NOON + timedelta(minutes=20))
    assert after.state is AlertState.TAKEN
    with database.reading() as session:
        assert texted(session) == ["N. Silva"]
        assert texted(session, MessageKind.STAFF_WORSE) == ["A. Osei"]


def test_new_answers_are_never_lost_on_an_owner_without_phone(database: Database) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        nophone = a_member(session, team.clinic, "No Phone", phone=None)
    alert = raised(database, patient, red(URGENT))
    taken(database, alert, nophone, NOON + timedelta(minutes=2))
    raised(database, patient, red(URGENT, "S3"), NOON + timedelta(minutes=20))
    with database.reading() as session:
        assert texted(session, MessageKind.STAFF_WORSE) == ["N. Silva"]


@pytest.mark.parametrize("level", [URGENT, EMERGENCY])
def test_a_restart_takes_it_from_its_owner_and_tells_them(
    database: Database, level: TriageLevel
) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    taken(database, alert, team.physician, NOON + timedelta(minutes=2))
    with database.transaction() as session:
        mine = alerts.of_clinic(session, team.clinic.id, alert.ref)
        alerts.contact(session, mine, team.physician, "reached", NOON + timedelta(minutes=3))
    later = NOON + timedelta(minutes=5 if level is EMERGENCY else 33)
    again = raised(database, patient, red(level, "S3", check_in="c2"), later)
    assert again.state is AlertState.OPEN
    assert again.taken_by is None
    assert again.contacted_at is None
    with database.reading() as session:
        assert texted(session, MessageKind.STAFF_WORSE) == ["A. Osei"]
        shown = alerts.tracker(session, again, later)
        assert shown.taken_by is None  # the patient must not read that somebody has it in hand
        assert entries(session, alert)[-1] == "alert.worsened"


def test_after_closing_a_new_alert_names_the_one_before(database: Database) -> None:
    team, patient = a_house(database)
    first = raised(database, patient, red(URGENT))
    close(database, first, team.nurse, Closing("false_alarm", False, ""))
    second = raised(database, patient, red(URGENT), NOON + timedelta(hours=1))
    assert second.id != first.id
    assert second.previous_id == first.id


def in_threads(*works: Any) -> list[Any]:
    """Run all at once; what each gave back or raised."""
    results: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(index: int) -> None:
        start.wait()
        try:
            results[index] = works[index]()
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_red_answers_at_once_make_one_alert(database: Database) -> None:
    _, patient = a_house(database)
    works = [
        lambda number=number: raised(
            database, patient, red(URGENT, f"R{number}", check_in=f"c{number}")
        )
        for number in range(4)
    ]
    made = in_threads(*works)
    assert all(isinstance(alert, Alert) for alert in made), made
    assert len({alert.id for alert in made}) == 1
    with database.reading() as session:
        alert = session.scalars(select(Alert)).one()
        assert {reason["rule"] for reason in alert.reasons} == {"R0", "R1", "R2", "R3"}
        assert texted(session) == ["N. Silva"]


def test_closing_while_a_red_answer_comes_loses_neither(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    results = in_threads(
        lambda: close(database, alert, team.nurse, Closing("not_ds", True, "")),
        lambda: raised(database, patient, red(EMERGENCY, "RF1"), NOON + timedelta(0, 1)),
    )
    assert not any(isinstance(result, Exception) for result in results[1:]), results
    with database.reading() as session:
        rows = session.scalars(select(Alert).order_by(Alert.opened_at)).all()
        worst = rows[-1]
        # Either it was closed first and a new one was opened, or the closing found an emergency
        # that needs a reason and left it open.
        assert worst.state is AlertState.OPEN
        assert worst.level == EMERGENCY


# ---- taking


def test_the_first_who_takes_it_has_it(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(EMERGENCY))
    mine = taken(database, alert, team.nurse, NOON + timedelta(minutes=4))
    assert mine.state is AlertState.TAKEN
    assert mine.next_action_at == NOON + timedelta(minutes=19)
    with pytest.raises(alerts.AlreadyTaken) as refused:
        taken(database, alert, team.backup, NOON + timedelta(minutes=5))
    assert refused.value.by == "N. Silva"
    assert refused.value.at == NOON + timedelta(minutes=4)


def test_taking_twice_is_once(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red())
    taken(database, alert, team.nurse, NOON)
    again = taken(database, alert, team.nurse, NOON + timedelta(minutes=1))
    assert again.taken_at == NOON
    with database.reading() as session:
        assert entries(session, alert).count("alert.taken") == 1


def test_two_nurses_in_the_same_moment(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red())
    results = in_threads(
        lambda: taken(database, alert, team.nurse, NOON),
        lambda: taken(database, alert, team.backup, NOON),
    )
    refused = [result for result in results if isinstance(result, alerts.AlreadyTaken)]
    owners = [result.taken_by for result in results if isinstance(result, Alert)]
    assert len(refused) == len(owners) == 1
    with database.reading() as session:
        assert session.scalars(select(Alert.taken_by)).one() == owners[0]
        assert entries(session, alert).count("alert.taken") == 1


def test_an_act_looks_at_the_row_again(database: Database) -> None:
    """A page that was read before somebody else took the alert must not take it over."""
    team, patient = a_house(database)
    alert = raised(database, patient, red())
    with database.reading() as session:
        stale = alerts.of_clinic(session, team.clinic.id, alert.ref)
        session.expunge_all()
    taken(database, alert, team.nurse, NOON)
    with database.transaction() as session:
        session.add(stale)
        with pytest.raises(alerts.AlreadyTaken):
            alerts.take(session, stale, team.backup, NOON)


def test_taking_stands_down_what_was_not_sent_yet(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(EMERGENCY))
    with database.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.staff_id == team.nurse.id)
            .values(state=MessageState.SENDING)
        )
    taken(database, alert, team.nurse, NOON)
    with database.reading() as session:
        states = {row.staff_id: row.state for row in session.scalars(select(Message))}
    assert states[team.nurse.id] is MessageState.SENDING  # a worker has it in hand
    assert states[team.backup.id] is MessageState.EXPIRED


def test_nobody_acts_on_another_clinics_alert(database: Database) -> None:
    _, patient = a_house(database)
    alert = raised(database, patient, red())
    with database.transaction() as session:
        other = a_clinic(session, name="Other")
        stranger = a_member(session, other, "X. Else")
        with pytest.raises(alerts.NoSuchAlert):
            alerts.of_clinic(session, other.id, alert.ref)
        same = session.get_one(Alert, alert.id)
        acts: tuple[Callable[[], None], ...] = (
            lambda: alerts.take(session, same, stranger, NOON),
            lambda: alerts.release(session, same, stranger, a_site(), NOON),
            lambda: alerts.contact(session, same, stranger, "reached", NOON),
            lambda: alerts.close(session, same, stranger, Closing("test", None, "x"), NOON),
        )
        for act in acts:
            with pytest.raises(alerts.NoSuchAlert):
                act()


def test_giving_back_pages_again(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    taken(database, alert, team.nurse, NOON)
    later = NOON + timedelta(minutes=6)
    with database.transaction() as session:
        back = alerts.of_clinic(session, team.clinic.id, alert.ref)
        alerts.release(session, back, team.nurse, a_site(), later)
    assert back.state is AlertState.OPEN
    assert back.taken_by is None
    assert back.next_action_at == later + timedelta(minutes=2)
    with database.reading() as session:
        assert texted(session) == ["N. Silva", "N. Silva"]


# ---- contact and closing


def test_a_call_is_noted_and_only_a_reached_patient_counts_as_contact(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red())
    with database.transaction() as session:
        mine = alerts.of_clinic(session, team.clinic.id, alert.ref)
        with pytest.raises(NotAllowed):
            alerts.contact(session, mine, team.nurse, "reached", NOON)  # nobody has taken it
        alerts.take(session, mine, team.nurse, NOON)
        alerts.contact(session, mine, team.nurse, "no_answer", NOON)
        assert mine.contacted_at is None
        alerts.contact(session, mine, team.nurse, "reached", NOON + timedelta(minutes=2))
        alerts.contact(session, mine, team.nurse, "called_emergency", NOON + timedelta(minutes=3))
        assert mine.contacted_at == NOON + timedelta(minutes=2)
        with pytest.raises(NotAllowed):
            alerts.contact(session, mine, team.nurse, "sent a pigeon", NOON)


def close(
    database: Database,
    alert: Alert,
    by: StaffMember,
    closing: Closing,
    now: datetime = NOON + timedelta(minutes=30),
) -> Alert:
    with database.transaction() as session:
        mine = alerts.of_clinic(session, by.clinic_id, alert.ref)
        alerts.close(session, mine, by, closing, now)
        return mine


def in_a_day() -> datetime:
    return NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("closing", "code"),
    [
        (Closing("made_up", None, "x"), "outcome"),
        (Closing("", None, "x"), "outcome"),
        (Closing("not_ds", None, ""), "reason"),
        (Closing("not_ds", None, " \n "), "reason"),
        (Closing("not_ds", None, "x" * 2001), "note"),
        (Closing("advised", None, "x"), "recheck"),
        (Closing("advised", None, "x", NOON), "recheck"),
        (Closing("advised", None, "x", NOON + timedelta(days=15)), "recheck"),
        (Closing("unreachable", None, "x"), "tries"),
    ],
)
def test_what_is_missing_keeps_an_emergency_open(
    database: Database, closing: Closing, code: str
) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(EMERGENCY))
    with pytest.raises(alerts.ClosingRefused) as refused:
        close(database, alert, team.nurse, closing)
    assert refused.value.code == code
    with database.reading() as session:
        assert session.scalars(select(Alert.state)).one() is AlertState.OPEN


@pytest.mark.parametrize("outcome", [o for o in alerts.OUTCOMES if o != "unreachable"])
def test_every_outcome_closes(database: Database, outcome: str) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    recheck = in_a_day() if outcome == "advised" else None
    ended = close(database, alert, team.nurse, Closing(outcome, True, " called ", recheck))
    assert ended.state is AlertState.CLOSED
    assert ended.closed_by == team.nurse.id
    assert ended.note == "called"
    assert ended.next_action_at is None
    with database.reading() as session:
        assert session.scalars(select(Message.state)).all() == [MessageState.EXPIRED]


def test_unreachable_after_three_tries(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    taken(database, alert, team.nurse, NOON)
    for minute in range(3):
        with database.transaction() as session:
            mine = alerts.of_clinic(session, team.clinic.id, alert.ref)
            alerts.contact(session, mine, team.nurse, "no_answer", NOON + timedelta(minutes=minute))
    ended = close(database, alert, team.nurse, Closing("unreachable", None, ""))
    assert ended.outcome == "unreachable"


def test_a_closed_alert_stays_closed(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(URGENT))
    close(database, alert, team.nurse, Closing("not_ds", None, ""))
    with database.transaction() as session:
        ended = alerts.of_clinic(session, team.clinic.id, alert.ref)
        acts: tuple[Callable[[], None], ...] = (
            lambda: alerts.take(session, ended, team.nurse, NOON),
            lambda: alerts.release(session, ended, team.nurse, a_site(), NOON),
            lambda: alerts.contact(session, ended, team.nurse, "reached", NOON),
            lambda: alerts.close(session, ended, team.nurse, Closing("test", None, ""), NOON),
        )
        for act in acts:
            with pytest.raises(NotAllowed):
                act()


# ---- what the patient is told


SENT = timedelta(seconds=3)


@pytest.mark.parametrize(
    ("rows", "minutes", "failing", "nobody"),
    [
        # states of the texts to nurse and backup, minutes passed
        (("due", "due"), 1, False, False),
        (("due", "due"), 2.1, True, False),
        (("sending", "due"), 2.1, True, False),
        (("accepted", "due"), 2.1, False, False),
        (("accepted", "failed"), 2.1, False, False),
        (("failed", "failed"), 0.1, True, False),
        (("undelivered", "failed"), 0.1, True, False),
        # The gateway took one and lost it; the other has not left.
        (("undelivered", "due"), 1, False, False),
        (("undelivered", "due"), 2.1, True, False),
        (("delivered", "delivered"), 4.9, False, False),
        (("delivered", "delivered"), 5, False, True),
        (("due", "due"), 5, True, True),
    ],
)
def test_what_may_be_said_of_an_open_emergency(
    database: Database, rows: tuple[str, str], minutes: float, failing: bool, nobody: bool
) -> None:
    _, patient = a_house(database)
    alert = raised(database, patient, red(EMERGENCY))
    put(database, rows)
    with database.reading() as session:
        shown = alerts.tracker(session, alert, NOON + timedelta(minutes=minutes))
    assert (shown.is_failing, shown.nobody_took_it) == (failing, nobody)
    assert shown.reached_at == (NOON + SENT if "delivered" in rows else None)
    assert shown.taken_by is None
    assert not shown.is_closed


def put(database: Database, states: tuple[str, ...]) -> None:
    """Let the texts be in these states, in the order of the people's names."""
    with database.transaction() as session:
        query = select(Message).join(StaffMember, StaffMember.id == Message.staff_id)
        for message, state in zip(
            session.scalars(query.order_by(StaffMember.name)), states, strict=True
        ):
            message.state = MessageState(state)
            if state in ("accepted", "delivered", "undelivered"):
                message.accepted_at = NOON + timedelta(seconds=1)
            if state == "delivered":
                message.delivered_at = NOON + SENT


def test_a_taken_alert_says_who_and_when_and_nothing_else_is_wrong(database: Database) -> None:
    team, patient = a_house(database)
    alert = raised(database, patient, red(EMERGENCY))
    mine = taken(database, alert, team.backup, NOON + timedelta(minutes=4))
    with database.reading() as session:
        shown = alerts.tracker(session, mine, NOON + timedelta(hours=1))
    assert (shown.taken_by, shown.taken_at) == ("J. Park", NOON + timedelta(minutes=4))
    assert not shown.is_failing
    assert not shown.nobody_took_it


def test_an_old_text_says_nothing_of_a_new_ladder(database: Database) -> None:
    _, patient = a_house(database)
    raised(database, patient, red(URGENT))
    put(database, ("delivered",))
    later = NOON + timedelta(minutes=10)
    alert = raised(database, patient, red(EMERGENCY, "RF1"), later)
    with database.reading() as session:
        shown = alerts.tracker(session, alert, later + timedelta(minutes=3))
    assert shown.reached_at is None
    assert shown.is_failing
