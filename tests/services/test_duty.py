"""Proof that phones are answered: tests, hand-overs, the weekly answer; on both engines."""

import threading
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from patient_portal.database import Database
from patient_portal.models import (
    ChangeKind,
    CheckKind,
    Clinic,
    DutyCheck,
    Lane,
    Message,
    MessageKind,
    Position,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import duty, inbound, rota_watch, team, turns
from patient_portal.services.audit import SYSTEM
from patient_portal.services.duty import TooManyTests
from patient_portal.sms.segments import count
from tests.support.people import NOON, a_site
from tests.support.rotas import CATCH_ALL, TODAY, Ward, a_ward

EIGHT = NOON + timedelta(hours=8)  # 20:00 in New York


@pytest.fixture
def ward(database: Database) -> Ward:
    ward = a_ward(database, catch_all=CATCH_ALL)
    ward.turns(ward.silva, 8, 20)
    ward.turns(ward.park, 20, 8)
    return ward


def a_test(ward: Ward, now: datetime = NOON) -> DutyCheck:
    with ward.database.transaction() as session:
        phone = session.scalars(select(StaffPhone).where(StaffPhone.staff_id == ward.new.id)).one()
        return duty.send_test(session, phone, SYSTEM, now)


def answer(ward: Ward, number: str, ref: str, now: datetime = NOON) -> duty.Answered | None:
    with ward.database.transaction() as session:
        phone = session.scalars(select(StaffPhone).where(StaffPhone.number == number)).one()
        return duty.answer(session, phone, ref, now)


def hand_over(ward: Ward, now: datetime) -> int:
    """What the worker does each minute; how many texts it queued."""
    with ward.database.transaction() as session:
        board = ward.board(session, now)
        return sum(
            turns.hand_over(session, a_site(), board, start, now)
            for start in turns.turn_starts(board, now)
        )


def tell(ward: Ward, now: datetime) -> int:
    with ward.database.transaction() as session:
        return duty.tell_of_silence(session, now)


def look(ward: Ward, now: datetime) -> bool:
    with ward.database.transaction() as session:
        board = ward.board(session, now)
        return rota_watch.is_look_due(session, board, now) and rota_watch.look(
            session, a_site(), board, now
        )


def checks(ward: Ward, kind: CheckKind) -> list[DutyCheck]:
    with ward.database.reading() as session:
        found = select(DutyCheck).where(DutyCheck.kind == kind).order_by(DutyCheck.created_at)
        return list(session.scalars(found))


def test_the_answer_to_a_test_proves_the_phone(ward: Ward) -> None:
    check = a_test(ward)
    (text,) = ward.texts(MessageKind.STAFF_CHECK)
    assert (text.to_number, text.lane) == ("+12125550144", Lane.ALERT)
    assert check.ref in text.body and count(text.body).parts == 1
    assert ward.phone(ward.new).verified_at is None
    later = NOON + timedelta(minutes=2)
    assert answer(ward, "+12125550144", check.ref, later) == duty.Answered(CheckKind.TEST, True)
    assert ward.phone(ward.new).verified_at == later
    assert answer(ward, "+12125550144", check.ref, later) == duty.Answered(CheckKind.TEST, False)
    ward.turns(ward.new, 8, 9)  # and now they may be put on call


def test_the_answer_comes_by_text_in_any_spelling(ward: Ward) -> None:
    check, later = a_test(ward), NOON + timedelta(minutes=1)
    body = f" {check.ref[:3].lower()}-{check.ref[3:]} "
    for number, expected in (("+12125550143", None), ("+12125550144", later)):
        with ward.database.transaction() as session:
            inbound.receive(session, a_site(), f"SM{number}", number, body, later)
        assert ward.phone(ward.new).verified_at == expected


def test_only_the_phone_that_was_texted_is_proven(ward: Ward) -> None:
    check = a_test(ward)
    with ward.database.transaction() as session:
        session.add(StaffPhone(staff_id=ward.new.id, rank=2, number="+12125550166", added_at=NOON))
    assert answer(ward, "+12125550142", check.ref) is None  # somebody else's phone
    assert answer(ward, "+12125550166", check.ref) is None  # their own other phone
    assert answer(ward, "+12125550144", "A1A1A") is None
    assert answer(ward, "+12125550144", check.ref, NOON + timedelta(days=3)) is None
    assert ward.phone(ward.new).verified_at is None


def test_a_test_is_not_sent_again_within_a_minute_nor_without_end(ward: Ward) -> None:
    first = a_test(ward)
    assert a_test(ward, NOON + timedelta(seconds=50)).id == first.id
    for number in range(1, duty.TESTS_A_DAY):
        a_test(ward, NOON + timedelta(minutes=2 * number))
    with pytest.raises(TooManyTests):
        a_test(ward, NOON + timedelta(hours=2))
    assert len(ward.texts(MessageKind.STAFF_CHECK)) == duty.TESTS_A_DAY


def test_a_turn_that_begins_is_told_once_with_its_end(ward: Ward) -> None:
    assert hand_over(ward, EIGHT - timedelta(minutes=1)) == 0  # the day's began 12 hours ago
    assert hand_over(ward, EIGHT) == 1
    assert hand_over(ward, EIGHT + timedelta(minutes=1)) == 0
    (text,) = ward.texts(MessageKind.STAFF_CHECK)
    (check,) = checks(ward, CheckKind.HANDOVER)
    assert text.to_number == "+12125550143"
    assert f"you are on call until 8:00 AM. Reply {check.ref}" in text.body
    assert count(text.body).parts == 1
    assert (check.turn_starts_at, check.position) == (EIGHT, Position.NURSE)


def test_a_worker_that_was_away_tells_late_but_no_turn_that_is_half_over(ward: Ward) -> None:
    assert hand_over(ward, EIGHT + timedelta(hours=4)) == 0
    assert hand_over(ward, EIGHT + timedelta(hours=3, minutes=59)) == 1
    assert hand_over(ward, EIGHT + timedelta(days=1)) == 1


def test_two_workers_at_once_text_a_turn_once(ward: Ward) -> None:
    start, told = threading.Barrier(3), list[int]()

    def work() -> None:
        start.wait(10)
        told.append(hand_over(ward, EIGHT))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert sorted(told) == [0, 0, 1]
    assert len(ward.texts(MessageKind.STAFF_CHECK)) == 1


def test_a_transaction_that_dies_leaves_nothing_and_the_next_one_all(ward: Ward) -> None:
    class Killed(Exception):
        pass

    with pytest.raises(Killed), ward.database.transaction() as session:
        board = ward.board(session, EIGHT)
        (start,) = turns.turn_starts(board, EIGHT)
        assert turns.hand_over(session, a_site(), board, start, EIGHT)
        raise Killed
    assert checks(ward, CheckKind.HANDOVER) == []
    assert hand_over(ward, EIGHT) == 1


def test_a_dated_change_hands_over_too(ward: Ward) -> None:
    ward.change(
        ward.silva,
        ChangeKind.REPLACE,
        TODAY,
        time(22),
        2,
        ends=datetime.combine(date(2026, 11, 21), time(1)),
    )
    for hours in (0, 2, 5):
        assert hand_over(ward, EIGHT + timedelta(hours=hours)) == 1
    said = [text.body.split(" until ")[1].split(".")[0] for text in _checks_sent(ward)]
    assert said == ["10:00 PM", "1:00 AM", "8:00 AM"]


def _checks_sent(ward: Ward) -> list[Message]:
    return ward.texts(MessageKind.STAFF_CHECK)


def test_who_was_on_call_long_before_is_not_told_again(ward: Ward) -> None:
    early, late = time(6), datetime.combine(TODAY, time(19))
    ward.change(ward.park, ChangeKind.REPLACE, TODAY, early, 0, ends=late)
    assert hand_over(ward, NOON + timedelta(hours=5)) == 0


def test_nobody_is_told_of_a_turn_that_only_goes_on(database: Database) -> None:
    ward = a_ward(database)
    ward.turns(ward.silva)
    for hour in range(0, 48):
        assert hand_over(ward, NOON + timedelta(hours=hour, minutes=3)) <= (hour < 4)


def test_no_answer_in_half_an_hour_is_told_to_the_lead_once(ward: Ward) -> None:
    hand_over(ward, EIGHT)
    assert tell(ward, EIGHT + timedelta(minutes=29)) == 0
    assert tell(ward, EIGHT + timedelta(minutes=30)) == 1
    assert tell(ward, EIGHT + timedelta(minutes=31)) == 0
    (text,) = ward.texts(MessageKind.STAFF_ALARM)
    assert (text.staff_id, count(text.body).parts) == (ward.lead.id, 1)
    assert "J. Park went on call and did not answer" in text.body
    hand_over(ward, EIGHT + timedelta(hours=12))
    silva = checks(ward, CheckKind.HANDOVER)[-1]
    answer(ward, "+12125550142", silva.ref, EIGHT + timedelta(hours=12, minutes=5))
    assert tell(ward, EIGHT + timedelta(hours=13)) == 0


def test_who_goes_on_call_without_a_phone_is_told_to_the_lead(ward: Ward) -> None:
    with ward.database.transaction() as session:
        session.get_one(StaffPhone, ward.phone(ward.park).id).stopped_at = NOON
    assert hand_over(ward, EIGHT) == 1
    assert hand_over(ward, EIGHT) == 0
    (text,) = ward.texts(MessageKind.STAFF_ALARM)
    assert "J. Park goes on call now and cannot be texted" in text.body


def test_everyone_of_the_rota_is_asked_once_a_week_unless_they_answered(ward: Ward) -> None:
    hand_over(ward, EIGHT)
    park = checks(ward, CheckKind.HANDOVER)[0]
    answer(ward, "+12125550143", park.ref, EIGHT)
    nine, ten = NOON + timedelta(hours=21, minutes=59), NOON + timedelta(hours=22)
    look(ward, ten - timedelta(days=1))  # the first look asks nobody: all have just been entered
    assert checks(ward, CheckKind.WEEKLY) == []
    assert not look(ward, nine)
    assert look(ward, ten)
    assert not look(ward, ten + timedelta(minutes=1))
    asked = {check.staff_id for check in checks(ward, CheckKind.WEEKLY)}
    assert asked == {ward.silva.id, ward.lead.id}  # T. Ade is not on the rota, J. Park answered
    for days in range(1, 6):
        look(ward, ten + timedelta(days=days))
    assert len(checks(ward, CheckKind.WEEKLY)) == 2
    look(ward, ten + timedelta(days=7))
    assert len(checks(ward, CheckKind.WEEKLY)) == 5


def test_an_unanswered_weekly_text_is_told_to_the_lead_and_not_about_herself_alone(
    ward: Ward,
) -> None:
    look(ward, NOON)
    look(ward, NOON + timedelta(hours=22))
    assert tell(ward, NOON + timedelta(hours=46)) == 3
    told = ward.texts(MessageKind.STAFF_ALARM)
    assert sorted(text.to_number for text in told) == ["+12125550145", "+12125550145", CATCH_ALL]


def test_the_days_look_tells_a_gap_that_has_come_into_sight(ward: Ward) -> None:
    far = date(2026, 12, 8)
    ward.change(ward.silva, ChangeKind.REMOVE, far, time(9), 3)
    for days in range(10):
        look(ward, NOON + timedelta(days=days))
    (text,) = [one for one in ward.texts(MessageKind.STAFF_ALARM) if "no nurse" in one.body]
    assert "no nurse Tue, Dec 8 9:00 AM to Tue, Dec 8 12:00 PM. https" in text.body
    assert count(text.body).parts == 1


def test_texts_of_duty_stay_few_when_a_clinic_has_no_rota(database: Database) -> None:
    ward = a_ward(database, catch_all=CATCH_ALL, ladder=None)
    for days in range(3):
        look(ward, NOON + timedelta(days=days))
    gaps = [text for text in ward.texts(MessageKind.STAFF_ALARM) if " no " in text.body]
    assert len(gaps) == 1  # nurse, backup and physician were never held: told together, once
    assert "and 2 more gaps" in gaps[0].body


def test_references_are_not_shared_with_alerts(ward: Ward) -> None:
    for number in range(5):
        a_test(ward, NOON + timedelta(minutes=2 * number))
    with ward.database.reading() as session:
        refs = session.scalars(select(func.count(func.distinct(DutyCheck.ref)))).one()
        texts = session.scalars(select(func.count(Message.id))).one()
        assert session.scalars(select(func.count(Clinic.id))).one() == 1
    assert refs == texts == 5


def test_a_gap_that_is_near_is_told_at_any_hour_and_a_far_one_waits(ward: Ward) -> None:
    """Somebody's account is closed at night: the lead must not hear of it at ten."""
    night = NOON + timedelta(hours=14)  # two in the morning
    with ward.database.transaction() as session:
        park = session.get_one(StaffMember, ward.park.id)
        team.disable_staff(session, park, SYSTEM, night)
    for minute in range(3):
        with ward.database.transaction() as session:
            now = night + timedelta(minutes=minute)
            rota_watch.tell_near_gaps(session, a_site(), ward.board(session, now), now)
    (told,) = ward.texts(MessageKind.STAFF_ALARM)
    assert "no nurse Sat, Nov 21 2:00 AM to Sat, Nov 21 8:00 AM." in told.body
    assert "more gap" not in told.body  # the next nights wait for the day's look
