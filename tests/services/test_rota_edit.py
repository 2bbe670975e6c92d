"""Changing the rota: what is kept, and what is refused with the hour that is the trouble."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from patient_portal.database import Database
from patient_portal.domain.ladders import LADDER, LadderRefused, as_stored
from patient_portal.models import (
    AuditEntry,
    ChangeKind,
    Clinic,
    MessageKind,
    Position,
    Role,
    Shift,
    ShiftChange,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import own_phones, rota, rota_edit
from patient_portal.services.own_phones import PhoneRefused
from patient_portal.services.rota_edit import Edit, RotaRefused
from tests.support.people import NOON, a_member, a_team
from tests.support.rotas import CATCH_ALL, SHORT_LADDER, TODAY, Ward, a_ward


@pytest.fixture
def ward(database: Database) -> Ward:
    return a_ward(database, catch_all=CATCH_ALL)


@pytest.fixture
def bare(database: Database) -> Ward:
    """A clinic without a phone of its own: nothing may be left open."""
    return a_ward(database)


def holders(ward: Ward, hours: float = 0, position: Position = Position.NURSE) -> list[str]:
    with ward.database.reading() as session:
        found = rota.on_call(session, ward.clinic.id, NOON + timedelta(hours=hours))[position]
        return [session.get_one(StaffMember, each).name for each in found]


def actions(ward: Ward) -> list[str]:
    with ward.database.reading() as session:
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return [each.action for each in found if each.action.startswith("rota.")]


def refused(code: str) -> Any:
    return pytest.raises(RotaRefused, match=f"^{code}$")


def test_weekly_turns_hold_at_once_and_are_audited(ward: Ward) -> None:
    ward.turns(ward.silva, 8, 20)
    ward.turns(ward.park, 20, 8)
    assert holders(ward) == ["N. Silva"]
    assert holders(ward, 9) == ["J. Park"]
    assert actions(ward) == ["rota.turns_added", "rota.turns_added"]


def test_a_gap_is_refused_where_nothing_would_catch_the_alert(bare: Ward) -> None:
    with refused("gap") as caught:
        bare.turns(bare.silva, 8, 20)
    gap = caught.value.finding
    assert gap is not None
    assert (gap.position, gap.starts) == (Position.NURSE, NOON + timedelta(hours=8))
    with bare.database.reading() as session:
        assert session.scalars(select(Shift).where(Shift.staff_id == bare.silva.id)).all() == []
    bare.turns(bare.silva)  # day and night leaves none


def test_a_hole_in_one_later_week_is_refused_too(bare: Ward) -> None:
    bare.turns(bare.silva)
    with refused("gap") as caught:
        bare.change(bare.silva, ChangeKind.REMOVE, date(2026, 11, 28), time(9), 3)
    assert caught.value.finding is not None
    assert caught.value.finding.starts == datetime(2026, 11, 28, 14, tzinfo=UTC)
    with refused("gap"):  # beyond the fourteen days, but this very edit makes it
        bare.change(bare.silva, ChangeKind.REMOVE, date(2027, 1, 9), time(9), 3)


def test_nobody_who_can_be_texted_is_refused(bare: Ward) -> None:
    bare.turns(bare.silva)
    with bare.database.transaction() as session:
        for phone in session.scalars(select(StaffPhone)):
            phone.stopped_at = NOON
            if phone.staff_id == bare.park.id:
                phone.stopped_at = None
    with refused("nobody"):
        bare.turns(bare.park, 8, 20, position=Position.BACKUP)


def test_a_number_that_answered_nothing_goes_on_no_call(ward: Ward) -> None:
    with refused("unproven") as caught:
        ward.turns(ward.new, 8, 20)
    assert caught.value.staff_id == ward.new.id
    for kind in (ChangeKind.ADD, ChangeKind.REPLACE):
        with refused("unproven"):
            ward.change(ward.new, kind, TODAY, time(13), 3)
    with ward.database.transaction() as session:
        phone = session.scalars(select(StaffPhone).where(StaffPhone.staff_id == ward.new.id)).one()
        phone.bad_at, phone.verified_at = NOON, NOON
    with refused("unreachable"):
        ward.turns(ward.new, 8, 20)


def test_only_people_of_this_clinic_who_may_act_go_on_call(ward: Ward) -> None:
    with ward.database.transaction() as session:
        theirs = a_team(session, name="Oak Clinic").nurse
        clinic = session.get_one(Clinic, ward.clinic.id)
        auditor = a_member(session, clinic, "A. Udit", role=Role.AUDITOR, phone="+12125550171")
        gone = a_member(session, clinic, "G. One", disabled_at=NOON, phone="+12125550172")
    for who in (theirs, auditor, gone):
        with refused("person"):
            ward.turns(who, 8, 20)
        with refused("person"):
            ward.change(who, ChangeKind.ADD, TODAY, time(13), 3)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"weekdays": frozenset()}, "days"),
        ({"weekdays": frozenset({7})}, "days"),
        ({"valid_from": TODAY, "valid_until": TODAY - timedelta(days=1)}, "order"),
        ({"valid_from": date(2026, 1, 1), "valid_until": TODAY - timedelta(days=1)}, "past"),
        ({"valid_from": date(2028, 1, 1)}, "far"),
    ],
)
def test_weekly_turns_that_cannot_be(ward: Ward, values: dict[str, Any], code: str) -> None:
    with refused(code):
        ward.turns(ward.silva, 8, 20, **values)


def test_an_hour_that_the_clocks_skip_is_refused_with_the_day(ward: Ward) -> None:
    with refused("skipped") as caught:
        ward.turns(ward.silva, starts=8, weekdays=frozenset({5}), ends=2)
    assert caught.value.day == date(2027, 3, 14)
    assert (caught.value.at, caught.value.instead) == (time(2), time(3))
    ward.turns(ward.silva, starts=8, weekdays=frozenset({5}), ends=3)
    late = datetime(2027, 3, 13, 17, tzinfo=UTC)
    with refused("skipped"):
        ward.change(ward.park, ChangeKind.ADD, date(2027, 3, 14), time(2, 30), 4, now=late)


def test_one_person_is_not_put_twice_into_one_position(ward: Ward) -> None:
    ward.turns(ward.silva, 8, 20)
    with refused("overlap"):
        ward.turns(ward.silva, 19, 23, weekdays=frozenset({2}))
    with refused("overlap"):
        ward.change(ward.silva, ChangeKind.ADD, TODAY, time(13), 3)
    ward.turns(ward.silva, 19, 23, position=Position.BACKUP)
    ward.turns(ward.park, 19, 23)  # two people at once are both texted


@pytest.mark.parametrize(
    ("kind", "day", "starts", "ends", "code"),
    [
        (ChangeKind.REPLACE, TODAY, time(14), datetime.combine(TODAY, time(14)), "order"),
        (ChangeKind.REPLACE, TODAY, time(14), datetime.combine(TODAY, time(13)), "order"),
        (ChangeKind.REPLACE, TODAY - timedelta(days=1), time(14), None, "past"),
        (ChangeKind.REPLACE, date(2028, 1, 1), time(14), None, "far"),
        (ChangeKind.REPLACE, TODAY, time(14), datetime.combine(date(2027, 1, 1), time(8)), "long"),
        (ChangeKind.REMOVE, TODAY, time(14), None, "not_on_call"),
    ],
)
def test_dated_changes_that_cannot_be(
    ward: Ward, kind: ChangeKind, day: date, starts: time, ends: datetime | None, code: str
) -> None:
    with refused(code):
        ward.change(ward.silva, kind, day, starts, 2, ends=ends)


def test_dated_changes_hold_for_their_time_and_can_be_taken_back(ward: Ward) -> None:
    ward.turns(ward.silva)
    swap = ward.change(ward.park, ChangeKind.REPLACE, TODAY, time(11), 4)
    assert holders(ward) == ["J. Park"]
    assert holders(ward, 3) == ["N. Silva"]
    ward.edit(lambda edit: rota_edit.end_change(edit, swap))
    assert holders(ward) == ["N. Silva"]
    with refused("gone"):
        ward.edit(lambda edit: rota_edit.end_change(edit, swap))
    with ward.database.reading() as session:
        row = session.scalars(select(ShiftChange)).one()
        assert (row.ended_at, row.made_by) == (NOON, ward.lead.id)


def test_ending_a_weekly_turn_lets_the_running_one_finish(ward: Ward) -> None:
    first, *_ = ward.turns(ward.silva, 8, 20)
    ward.edit(lambda edit: rota_edit.end_turns(edit, first))
    assert holders(ward, 7.9) == ["N. Silva"]
    assert holders(ward, 24) == []
    later, *_ = ward.turns(ward.park, 20, 8)
    ward.edit(lambda edit: rota_edit.end_turns(edit, later))  # has not begun today
    assert holders(ward, 9) == []


def test_one_weekday_can_be_ended_alone(ward: Ward) -> None:
    first, *_ = ward.turns(ward.silva)
    ward.edit(lambda edit: rota_edit.end_turns(edit, first, 5))
    assert holders(ward, 13) == []  # Saturday from midnight
    assert holders(ward, 37) == ["N. Silva"]


def test_another_clinics_turns_and_changes_are_not_there(ward: Ward) -> None:
    with ward.database.transaction() as session:
        theirs = a_team(session, name="Oak Clinic")
        turn = session.scalars(select(Shift.id).where(Shift.staff_id == theirs.nurse.id)).first()
    with refused("gone"):
        ward.edit(lambda edit: rota_edit.end_turns(edit, str(turn)))
    with refused("gone"):
        ward.edit(lambda edit: rota_edit.end_change(edit, "nothing"))


def test_two_leads_cannot_together_leave_what_neither_would_alone(bare: Ward) -> None:
    """Each takes out one of two nurses at the same moment; one of them is refused."""
    bare.turns(bare.silva)
    bare.turns(bare.park)
    start, codes = threading.Barrier(2), list[str]()

    def take_out(who: StaffMember) -> None:
        start.wait(10)
        try:
            bare.change(who, ChangeKind.REMOVE, TODAY, time(13), 3)
        except RotaRefused as error:
            codes.append(error.code)

    threads = [threading.Thread(target=take_out, args=(who,)) for who in (bare.silva, bare.park)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert codes == ["gap"]


def test_zone_and_ladder_are_checked_before_they_hold(ward: Ward) -> None:

    def move_to(zone: str) -> None:
        ward.edit(lambda edit: rota_edit.set_place(edit, CATCH_ALL, zone))

    for zone in ("Mars/Olympus", "", "../etc/passwd", "EST5"):
        with refused("zone"):
            move_to(zone)
    ward.edit(lambda edit: rota_edit.set_place(edit, "+12125550198", "Europe/Berlin"))
    with pytest.raises(LadderRefused, match="loop"):
        twice = {**SHORT_LADDER, "urgent": SHORT_LADDER["urgent"][:1] * 2}
        ward.edit(lambda edit: rota_edit.set_ladder(edit, twice))
    ward.edit(lambda edit: rota_edit.set_ladder(edit, as_stored(LADDER)))
    with ward.database.reading() as session:
        clinic = session.get_one(Clinic, ward.clinic.id)
        assert (clinic.zone, clinic.catch_all) == ("Europe/Berlin", "+12125550198")
        assert clinic.ladder == as_stored(LADDER)
    assert actions(ward) == ["rota.place_changed", "rota.ladder_changed"]


def test_a_ladder_that_needs_a_position_nobody_holds_is_refused_without_catch_all(
    bare: Ward,
) -> None:
    bare.turns(bare.silva)
    with refused("gap"):
        bare.edit(lambda edit: rota_edit.set_ladder(edit, as_stored(LADDER)))


def test_a_new_gap_is_told_once_and_not_to_the_lead_who_made_it(ward: Ward) -> None:
    with ward.database.transaction() as session:
        clinic = session.get_one(Clinic, ward.clinic.id)
        admin = a_member(
            session, clinic, "M. Reyes", phone=None, role=Role.ADMINISTRATOR, email="m@r.example"
        )
    ward.turns(ward.silva, 8, 20, by=admin)
    (text,) = ward.texts(MessageKind.STAFF_ALARM)
    assert text.staff_id == ward.lead.id
    assert "no nurse Fri, Nov 20 8:00 PM to Sat, Nov 21 8:00 AM, and 13 more gaps" in text.body
    ward.turns(ward.park, 20, 21, by=admin, weekdays=frozenset({2}))  # moves one gap's beginning
    assert len(ward.texts(MessageKind.STAFF_ALARM)) == 2
    ward.turns(ward.park, 21, 22, weekdays=frozenset({2}))  # the lead herself
    assert len(ward.texts(MessageKind.STAFF_ALARM)) == 2


def _take_back(ward: Ward, change_id: str, by: StaffMember, now: datetime) -> None:
    ward.edit(lambda edit: rota_edit.end_change(edit, change_id), by, now)


def test_a_gap_that_was_filled_and_opens_again_is_told_again(ward: Ward) -> None:
    with ward.database.transaction() as session:
        clinic = session.get_one(Clinic, ward.clinic.id)
        admin = a_member(session, clinic, "M. Reyes", phone=None, role=Role.ADMINISTRATOR)
    ward.turns(ward.silva)
    for minute in range(2):
        now = NOON + timedelta(minutes=minute)
        hole = ward.change(ward.silva, ChangeKind.REMOVE, TODAY, time(18), 2, by=admin, now=now)
        _take_back(ward, hole, admin, now)
    assert len(ward.texts(MessageKind.STAFF_ALARM)) == 2


# ---- the two numbers of a person


def _phones(ward: Ward, change: Any, who: StaffMember | None = None) -> Any:
    def run(edit: Edit) -> Any:
        me = edit.session.get_one(StaffMember, (who or ward.silva).id)
        return change(edit, me)

    return ward.edit(run)


def keep(ward: Ward, rank: int, number: str) -> StaffPhone:
    found = _phones(
        ward, lambda edit, me: own_phones.keep(edit.session, edit.before, me, rank, number, NOON)
    )
    assert isinstance(found, StaffPhone)
    return found


def test_a_changed_number_has_to_be_proven_again(ward: Ward) -> None:
    assert keep(ward, 1, "+12125550142").verified_at == NOON
    assert keep(ward, 1, "+12125550188").verified_at is None
    assert keep(ward, 2, "+12125550189").rank == 2


def test_numbers_that_cannot_be_kept_or_dropped(ward: Ward) -> None:
    with pytest.raises(PhoneRefused, match="taken"):
        keep(ward, 2, "+12125550143")
    with pytest.raises(PhoneRefused, match="same"):
        keep(ward, 2, "+12125550142")
    with pytest.raises(PhoneRefused, match="gone"):
        keep(ward, 3, "+12125550189")
    ward.turns(ward.silva)
    first = ward.phone(ward.silva).id

    def drop(phone_id: str) -> None:
        _phones(
            ward,
            lambda edit, me: own_phones.drop(edit.session, edit.before, me, phone_id, NOON),
        )

    with pytest.raises(PhoneRefused, match="last"):
        drop(first)
    with pytest.raises(PhoneRefused, match="gone"):
        drop(ward.phone(ward.park).id)
    second = keep(ward, 2, "+12125550189")
    drop(second.id)
    with ward.database.reading() as session:
        left = [each.number for each in own_phones.phones_of(session, ward.silva.id)]
        assert left == ["+12125550142"]
        assert len(ward.board(session).people[ward.silva.id].phones) == 1
    again = keep(ward, 2, "+12125550190")
    assert (again.bad_at, again.bad_code, again.verified_at) == (None, None, None)
