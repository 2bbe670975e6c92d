"""Alerts taken and passed on by text: only by name, only by those who were texted, one owner."""

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from patient_portal.database import Database, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.rota import Position
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    CheckKind,
    DutyCheck,
    InboundText,
    Lane,
    Message,
    MessageKind,
    MessageState,
    Patient,
    StaffPhone,
)
from patient_portal.services import alerts, inbound, ladder
from patient_portal.services.alerts import Closing, RedAnswer
from tests.support.people import NOON, Team, a_clinic, a_house, a_member, a_patient, a_site

NURSE, BACKUP, PHYSICIAN, LEAD = (f"+1212555014{n}" for n in (2, 3, 4, 5))
SOON = NOON + timedelta(minutes=1)
URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


def _raise(
    database: Database, patient: Patient, level: TriageLevel = EMERGENCY, now: datetime = NOON
) -> Alert:
    red = RedAnswer(
        check_in_id="c1", level=level, reasons=[{"rule": "B2", "level": level.code}],
        inputs={"answers": {}}, phone_recognised=True,
    )  # fmt: skip
    with database.transaction() as session:
        return alerts.raise_alert(session, a_site(), patient, red, now)


@pytest.fixture
def alert(database: Database, house: tuple[Team, Patient]) -> Alert:
    """An emergency of Rosa's: nurse and backup were texted."""
    return _raise(database, house[1])


def _text(database: Database, number: str, body: str, now: datetime = SOON) -> str:
    with database.transaction() as session:
        return inbound.receive(session, a_site(), f"SM{new_id()}", number, body, now)


def _answers(database: Database, number: str) -> list[str]:
    with database.reading() as session:
        query = select(Message.body).where(
            Message.kind == MessageKind.STAFF_REPLY, Message.to_number == number
        )
        return list(session.scalars(query.order_by(Message.created_at, Message.id)))


def _answer(database: Database, number: str) -> str:
    (only,) = _answers(database, number)
    return only


def _now(database: Database, alert: Alert) -> Alert:
    with database.reading() as session:
        return session.get_one(Alert, alert.id)


# ---- taking


@pytest.mark.parametrize("form", ["{}", "take {}", "ok {}!", "'{}'", "I will take {} now"])
def test_the_reference_takes(
    database: Database, house: tuple[Team, Patient], alert: Alert, form: str
) -> None:
    assert _text(database, NURSE, form.format(alert.ref.lower())) == "took"
    stands = _now(database, alert)
    assert (stands.state, stands.taken_by) == (AlertState.TAKEN, house[0].nurse.id)
    assert stands.taken_at == SOON
    body = _answer(database, NURSE)
    assert f"You have {alert.ref}" in body
    assert "12:16" in body  # fifteen minutes to call the patient, on the clinic's clock
    with database.reading() as session:
        row = session.scalars(select(InboundText)).one()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "alert.taken")).one()
        reply = session.scalars(
            select(Message).where(Message.kind == MessageKind.STAFF_REPLY)
        ).one()
    assert (row.alert_id, row.staff_id) == (alert.id, house[0].nurse.id)
    assert entry.actor_id == house[0].nurse.id
    assert "text" in entry.detail.values()
    assert (reply.lane, reply.due_at) == (Lane.ALERT, SOON)


def test_the_second_number_takes_as_well(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    with database.transaction() as session:
        session.add(
            StaffPhone(
                staff_id=house[0].nurse.id, rank=2, number="+12125550999", verified_at=NOON,
                added_at=NOON,
            )
        )  # fmt: skip
    assert _text(database, "+12125550999", alert.ref) == "took"
    assert _now(database, alert).taken_by == house[0].nurse.id


def test_who_is_second_hears_who_was_first_and_when(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    assert _text(database, NURSE, alert.ref) == "took"
    assert _text(database, BACKUP, alert.ref, SOON + timedelta(minutes=3)) == "already_taken"
    said = _answer(database, BACKUP)
    assert re.search(rf"{alert.ref} was taken by N\. Silva at 12:01", said)
    assert _now(database, alert).taken_by == house[0].nurse.id


def test_taking_twice_is_no_error(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    _text(database, NURSE, alert.ref)
    assert _text(database, NURSE, alert.ref, SOON + timedelta(hours=1)) == "own_already"
    assert "already" in _answers(database, NURSE)[1]
    assert _now(database, alert).taken_at == SOON


def test_a_closed_alert_is_over(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    with database.transaction() as session:
        found = session.get_one(Alert, alert.id)
        closing = Closing(outcome="false_alarm", useful=None, note="Tapped by mistake")
        alerts.close(session, found, house[0].backup, closing, SOON)
    assert _text(database, NURSE, alert.ref, SOON + timedelta(days=2)) == "was_closed"
    assert "closed" in _answer(database, NURSE)
    assert _now(database, alert).state is AlertState.CLOSED


# ---- passing on


def test_e_passes_on(database: Database, house: tuple[Team, Patient], alert: Alert) -> None:
    assert _text(database, NURSE, f"{alert.ref}e") == "passed_on"
    assert _now(database, alert).state is AlertState.OPEN
    assert "passed on" in _answer(database, NURSE)
    with database.reading() as session:
        texted = session.scalars(
            select(Message.to_number).where(Message.kind == MessageKind.STAFF_ALERT)
        ).all()
    assert PHYSICIAN in texted


def test_e_of_a_taken_alert_gives_it_away(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    _text(database, NURSE, alert.ref)
    assert _text(database, BACKUP, f"{alert.ref} E") == "already_taken"  # not hers to pass on
    assert _now(database, alert).state is AlertState.TAKEN
    assert _text(database, NURSE, f"{alert.ref} E", SOON + timedelta(minutes=1)) == "passed_on"
    stands = _now(database, alert)
    assert (stands.state, stands.taken_by) == (AlertState.OPEN, None)


# ---- what takes nothing


@pytest.mark.parametrize(
    ("form", "handled_as", "says"),
    [
        ("ok", "which", "{}"), ("1", "which", "{}"), ("yes", "which", "{}"), ("E", "which", "{}"),
        ("hello there", "not_understood", "{}"), ("can't take {}", "unclear", "{} E"),
        ("{}?", "unclear", "{} E"), ("{} d", "close_refused", "/staff/alerts/{}"),
        ("close {}", "close_refused", "/staff/alerts/{}"), ("{} P3R4T", "several", "{}, P3R4T"),
        ("Liked “ALERT {} https://chk.example/staff”", "which", "{}"),
        ("ZZZ99", "wrong_ref", "ZZZ99"), ("help", "not_understood", "{}"),
    ],
)  # fmt: skip
def test_what_does_not_name_one_alert_plainly_takes_none(
    database: Database, alert: Alert, form: str, handled_as: str, says: str
) -> None:
    assert _text(database, NURSE, form.format(alert.ref)) == handled_as
    assert _now(database, alert).state is AlertState.OPEN
    assert says.format(alert.ref) in _answer(database, NURSE)


def test_with_nothing_open_ok_is_answered_so(
    database: Database, house: tuple[Team, Patient]
) -> None:
    assert _text(database, NURSE, "ok") == "which"
    assert "No alert waits" in _answer(database, NURSE)
    assert "/staff/inbox" in _answer(database, NURSE)


def test_a_bare_ok_lists_the_open_alerts_of_this_person_worst_first(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, rosa = house
    with database.transaction() as session:
        eva = a_patient(session, team.clinic, phone="+12125550124")
        far = a_clinic(session, name="Far Clinic")
        a_member(session, far, "X. Else", Position.NURSE, phone="+12125550190")
        other = a_patient(session, far, phone="+12125550125")
    urgent = _raise(database, rosa, URGENT)
    emergency = _raise(database, eva, EMERGENCY)
    elsewhere = _raise(database, other, URGENT)
    _text(database, NURSE, "ok")
    assert f"{emergency.ref}, {urgent.ref}" in _answer(database, NURSE)
    assert elsewhere.ref not in _answer(database, NURSE)
    _text(database, BACKUP, "ok")
    assert urgent.ref not in _answer(database, BACKUP)  # the backup was not texted about it


def test_only_who_was_texted_may_take(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    """The reference was forwarded to a friend, or to somebody of another step."""
    assert _text(database, PHYSICIAN, alert.ref) == "wrong_ref"
    assert _text(database, "+12125550888", alert.ref) == "unknown_number"
    assert _now(database, alert).state is AlertState.OPEN


def test_another_clinics_alert_does_not_exist(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    with database.transaction() as session:
        far = a_clinic(session, name="Far Clinic")
        a_member(session, far, "X. Else", Position.NURSE, phone="+12125550190")
    assert _text(database, "+12125550190", alert.ref) == "wrong_ref"
    assert _text(database, "+12125550190", "ZZZ99", SOON + timedelta(seconds=9)) == "wrong_ref"
    theirs, none = _answers(database, "+12125550190")
    assert theirs.replace(alert.ref, "ZZZ99") == none
    assert _now(database, alert).state is AlertState.OPEN


def test_an_untested_number_takes_nothing(database: Database, alert: Alert) -> None:
    with database.transaction() as session:
        session.execute(update(StaffPhone).values(verified_at=None))
    assert _text(database, NURSE, alert.ref) == "not_verified"
    assert "tested" in _answer(database, NURSE)
    assert _now(database, alert).state is AlertState.OPEN


def test_who_has_left_takes_nothing(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    with database.transaction() as session:
        session.get_one(type(house[0].nurse), house[0].nurse.id).disabled_at = NOON
    assert _text(database, NURSE, alert.ref) == "unknown_number"
    assert _now(database, alert).state is AlertState.OPEN


def test_a_number_of_two_people_takes_nothing_for_either(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, rosa = house
    with database.transaction() as session:
        session.execute(
            update(StaffPhone).where(StaffPhone.staff_id == team.backup.id).values(number=NURSE)
        )
    alert = _raise(database, rosa)
    assert _text(database, NURSE, alert.ref) == "phone_shared"
    assert _now(database, alert).state is AlertState.OPEN


def test_letters_for_digits_count_where_there_is_such_an_alert(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    with database.transaction() as session:
        session.get_one(Alert, alert.id).ref = "K0Q1M"
    assert _text(database, NURSE, "world peace") == "not_understood"
    assert _text(database, NURSE, "koqlm", SOON + timedelta(seconds=1)) == "took"


# ---- wrong ones


def _alarms(database: Database) -> list[Message]:
    with database.reading() as session:
        return list(session.scalars(select(Message).where(Message.kind == MessageKind.STAFF_ALARM)))


def test_more_than_three_wrong_references_are_an_alarm(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    for n in range(3):
        _text(database, NURSE, f"ZZZ9{n}", SOON + timedelta(seconds=n))
    assert not _alarms(database)
    for n in range(3, 9):
        _text(database, NURSE, f"ZZZ9{n}", SOON + timedelta(seconds=n))
    (alarm,) = _alarms(database)
    assert (alarm.to_number, alarm.lane) == (LEAD, Lane.ALERT)
    assert "N. Silva" in alarm.body
    with database.reading() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert "staff.wrong_references" in actions
    assert _now(database, alert).state is AlertState.OPEN
    assert _text(database, NURSE, alert.ref, SOON + timedelta(seconds=20)) == "took"


def test_wrong_references_over_a_long_time_are_no_alarm(
    database: Database, house: tuple[Team, Patient]
) -> None:
    for n in range(8):
        _text(database, NURSE, f"ZZZ9{n}", SOON + timedelta(minutes=4 * n))
    assert not _alarms(database)


def test_a_machine_is_not_answered_for_ever_and_a_person_is_heard_again(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    handled = [
        _text(database, NURSE, "I am driving", SOON + timedelta(seconds=n)) for n in range(7)
    ]
    assert handled == ["not_understood"] * 5 + ["looping"] * 2
    assert len(_answers(database, NURSE)) == 5
    assert _text(database, NURSE, alert.ref, SOON + timedelta(seconds=20)) == "took"
    assert _text(database, NURSE, "ok", SOON + timedelta(seconds=30)) == "which"
    assert len(_answers(database, NURSE)) == 7


# ---- STOP, tests


def test_stop_from_staff_is_an_alarm_and_start_mends_it(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    assert _text(database, BACKUP, "STOP") == "stop"
    (alarm,) = _alarms(database)
    assert (alarm.to_number, "J. Park" in alarm.body) == (LEAD, True)
    with database.reading() as session:
        phone = session.scalars(select(StaffPhone).where(StaffPhone.number == BACKUP)).one()
    assert phone.stopped_at == SOON
    assert _text(database, BACKUP, "yes", SOON + timedelta(minutes=1)) == "start"
    with database.reading() as session:
        assert session.get_one(StaffPhone, phone.id).stopped_at is None
    assert not _answers(database, BACKUP)  # the network answers these words itself


def test_a_check_is_answered_by_its_own_reference(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, _ = house
    with database.transaction() as session:
        phone = session.scalars(select(StaffPhone).where(StaffPhone.number == NURSE)).one()
        phone.verified_at = None
        session.add(
            DutyCheck(
                ref="T3ST9", clinic_id=team.clinic.id, staff_id=team.nurse.id, phone_id=phone.id,
                kind=CheckKind.TEST, created_at=NOON, due_at=NOON + timedelta(minutes=30),
            )
        )  # fmt: skip
    assert _text(database, BACKUP, "T3ST9") == "wrong_ref"
    assert _text(database, NURSE, "t3st9") == "duty_check"
    with database.reading() as session:
        assert session.scalars(select(DutyCheck.answered_at)).one() == SOON
        assert session.get_one(StaffPhone, phone.id).verified_at == SOON
    assert "Alerts reach this phone" in _answer(database, NURSE)


def test_a_nurse_who_is_a_patient_too_is_understood_as_both(
    database: Database, house: tuple[Team, Patient], alert: Alert
) -> None:
    team, _ = house
    with database.transaction() as session:
        a_patient(session, team.clinic, first_name="Nina", phone=NURSE)
    assert _text(database, NURSE, alert.ref) == "took"
    assert _text(database, NURSE, "when is my visit") == "needs_reading"
    assert _text(database, NURSE, "I cannot breathe") == "danger"


# ---- at the same moment


def _at_once(*acts: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, all let go together; what they returned or raised."""
    gate = threading.Barrier(len(acts))
    found: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        gate.wait()
        try:
            found[place] = act()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_two_in_the_same_second_one_has_it_and_the_other_is_told(
    database: Database, house: tuple[Team, Patient]
) -> None:
    _, rosa = house
    for n in range(20):
        now = NOON + timedelta(hours=n)
        alert = _raise(database, rosa, EMERGENCY, now)
        found = _at_once(
            lambda: _text(database, NURSE, alert.ref, now),  # noqa: B023
            lambda: _text(database, BACKUP, alert.ref, now),  # noqa: B023
        )
        assert sorted(map(str, found)) == ["already_taken", "took"]
        stands = _now(database, alert)
        first = house[0].nurse if found[0] == "took" else house[0].backup
        assert stands.taken_by == first.id
        loser = BACKUP if found[0] == "took" else NURSE
        assert f"{alert.ref} was taken by {first.name}" in "".join(_answers(database, loser))
        with database.transaction() as session:
            closing = Closing(outcome="false_alarm", useful=None, note="done")
            alerts.close(session, session.get_one(Alert, alert.id), first, closing, now)


def test_the_same_text_delivered_many_times_at_once_counts_once(
    database: Database, alert: Alert
) -> None:
    def deliver() -> str:
        with database.transaction() as session:
            return inbound.receive(session, a_site(), "SM1", NURSE, alert.ref, SOON)

    found = _at_once(*[deliver] * 6)
    assert sorted(map(str, found)) == ["duplicate"] * 5 + ["took"]
    assert len(_answers(database, NURSE)) == 1


@pytest.mark.parametrize("rounds", [15, pytest.param(200, marks=pytest.mark.fault)])
def test_a_take_at_the_moment_of_the_timer_is_never_lost(
    database: Database, house: tuple[Team, Patient], rounds: int
) -> None:
    team, rosa = house

    def tick(now: datetime) -> int:
        with database.transaction() as session:
            return ladder.advance(session, a_site(), now)

    for n in range(rounds):
        opened = NOON + timedelta(hours=n)
        alert = _raise(database, rosa, EMERGENCY, opened)
        now = opened + timedelta(minutes=5)
        taken, _ticked = _at_once(
            lambda: _text(database, NURSE, alert.ref, now),  # noqa: B023
            lambda: tick(now),  # noqa: B023
        )
        assert taken == "took"
        tick(now + timedelta(seconds=1))
        stands = _now(database, alert)
        assert (stands.state, stands.taken_by) == (AlertState.TAKEN, team.nurse.id)
        assert stands.next_action_at is not None and stands.next_action_at > now
        with database.transaction() as session:
            waiting = session.scalars(
                select(Message.id).where(
                    Message.alert_id == alert.id,
                    Message.kind == MessageKind.STAFF_ALERT,
                    Message.state == MessageState.DUE,
                )
            ).all()
            assert not waiting  # nobody is paged about what somebody has
            closing = Closing(outcome="false_alarm", useful=None, note="done")
            found = session.get_one(Alert, alert.id)
            alerts.close(session, found, team.nurse, closing, now + timedelta(minutes=1))
