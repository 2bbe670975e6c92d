"""What the look ahead finds, and what cannot be saved."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest

from patient_portal.domain.rota import Change, ChangeKind, Position, Turn
from patient_portal.domain.rota_check import (
    Number,
    Plan,
    Reach,
    Trouble,
    look_ahead,
    overlapping,
    skipped_ahead,
    skipped_hour,
)

NY = "America/New_York"
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)  # a Friday, noon in New York
NURSE, BACKUP = Position.NURSE, Position.BACKUP
GOOD = {person: Reach((Number(f"+1212555{person:0>4}"),)) for person in "1234"}


def week(person: str, position: Position, starts: int = 0, ends: int = 0) -> list[Turn]:
    return [Turn(person, position, day, time(starts), time(ends)) for day in range(7)]


def a_plan(
    turns: Sequence[Turn],
    changes: Sequence[Change] = (),
    needed: Sequence[Position] = (NURSE, BACKUP),
    zone: str = NY,
    **reach: Reach,
) -> Plan:
    known = {**GOOD, **{name.removeprefix("p"): each for name, each in reach.items()}}
    return Plan(turns, changes, zone, known, needed)


def found(plan: Plan, trouble: Trouble, since: datetime = NOON) -> list[tuple[datetime, datetime]]:
    return [(one.starts, one.ends) for one in look_ahead(plan, since) if one.trouble is trouble]


WHOLE = [*week("1", NURSE, 8, 20), *week("2", NURSE, 20, 8), *week("3", BACKUP)]


def test_a_whole_rota_of_proven_people_leaves_nothing_to_say() -> None:
    assert look_ahead(a_plan(WHOLE), NOON) == []


def test_a_missing_night_is_a_gap_from_its_first_minute_to_its_last() -> None:
    turns = [one for one in WHOLE if (one.person, one.weekday) != ("2", 5)]
    starts = datetime(2026, 11, 22, 1, tzinfo=UTC)  # Saturday 20:00
    expected = [(at, at + timedelta(hours=12)) for at in (starts, starts + timedelta(days=7))]
    assert found(a_plan(turns), Trouble.GAP) == expected
    assert found(a_plan(turns), Trouble.NOBODY) == []  # the backup is there


def test_nobody_is_told_apart_from_a_gap() -> None:
    turns = [*week("1", NURSE, 8, 20), *week("2", BACKUP, 8, 20)]
    assert found(a_plan(turns), Trouble.NOBODY)[0] == (
        NOON + timedelta(hours=8), NOON + timedelta(hours=20),
    )  # fmt: skip
    dead = Reach((Number("+12125550001", is_bad=True),))
    plan = a_plan(week("1", NURSE), p1=dead)
    assert found(plan, Trouble.NOBODY) == [(NOON, NOON + timedelta(days=14))]


def test_a_position_that_the_ladder_does_not_need_has_no_gap() -> None:
    assert found(a_plan(week("1", NURSE), needed=(NURSE,)), Trouble.GAP) == []
    assert len(found(a_plan(week("1", NURSE)), Trouble.GAP)) == 1


@pytest.mark.parametrize(
    ("reach", "trouble"),
    [
        (Reach(), Trouble.NO_NUMBER),
        (Reach((Number("+1", is_verified=False),)), Trouble.UNVERIFIED),
        (Reach((Number("+1", is_stopped=True),)), Trouble.STOPPED),
        (Reach((Number("+1", is_bad=True),)), Trouble.BAD),
        (Reach((Number("+1"),), is_disabled=True), Trouble.DISABLED),
        (Reach((Number("+1", is_stopped=True), Number("+2"))), None),
        (Reach((Number("+1", is_stopped=True), Number("+2", is_verified=False))),
         Trouble.UNVERIFIED),
        (Reach((Number("+1", is_verified=False), Number("+2"))), None),
        (Reach((Number("+1", is_bad=True), Number("+2", is_stopped=True))), Trouble.STOPPED),
    ],
)  # fmt: skip
def test_a_phone_that_cannot_be_relied_on_is_named_from_its_first_turn(
    reach: Reach, trouble: Trouble | None
) -> None:
    plan = a_plan(WHOLE, p2=reach)
    told = [one for one in look_ahead(plan, NOON) if one.people == ("2",)]
    assert [one.trouble for one in told] == ([] if trouble is None else [trouble])
    assert all(one.starts == NOON + timedelta(hours=8) for one in told)


def test_nurse_and_backup_in_one_person_is_found_for_as_long_as_it_lasts() -> None:
    starts = datetime.combine(date(2026, 11, 21), time(9))
    ends = starts + timedelta(hours=2)
    swap = Change("1", BACKUP, ChangeKind.REPLACE, starts, ends, NOON)
    at = datetime(2026, 11, 21, 14, tzinfo=UTC)
    assert found(a_plan(WHOLE, [swap]), Trouble.SAME_PERSON) == [(at, at + timedelta(hours=2))]
    beside = Change("1", BACKUP, ChangeKind.ADD, starts, ends, NOON)
    assert found(a_plan(WHOLE, [beside]), Trouble.SAME_PERSON) == []  # another backup is there
    assert found(a_plan(WHOLE, [beside]), Trouble.OVERLAP) == [(at, at + timedelta(hours=2))]


def test_two_people_with_one_number_are_named_together() -> None:
    plan = a_plan(WHOLE, p3=GOOD["1"])
    (told,) = [one for one in look_ahead(plan, NOON) if one.trouble is Trouble.SHARED_NUMBER]
    assert told.people == ("1", "3")


def test_a_turn_across_the_clock_change_is_named() -> None:
    since = datetime(2026, 10, 25, 17, tzinfo=UTC)  # the clocks go back on 1 November
    told = found(a_plan(WHOLE), Trouble.CLOCK_CHANGE, since)
    assert len(told) == 2  # the night of the nurse, the day and night of the backup
    assert found(a_plan(WHOLE), Trouble.CLOCK_CHANGE) == []


def test_an_hour_that_does_not_come_is_found_a_year_ahead() -> None:
    assert skipped_hour(date(2026, 3, 8), time(2, 30), NY) == time(3)
    assert skipped_hour(date(2026, 3, 8), time(3), NY) is None
    assert skipped_hour(date(2026, 11, 1), time(1, 30), NY) is None  # it comes twice
    today = date(2026, 11, 20)
    assert skipped_ahead([6], time(2, 30), today, None, NY) == (date(2027, 3, 14), time(3))
    assert skipped_ahead([0, 5], time(2, 30), today, None, NY) is None
    assert skipped_ahead([6], time(2, 30), today, date(2027, 3, 13), NY) is None
    assert skipped_ahead(range(7), time(2, 30), today, None, "Asia/Kathmandu") is None


def test_the_year_ahead_is_searched_day_by_day_and_no_further() -> None:
    change = (date(2027, 3, 14), time(3))
    for since in (date(2026, 11, 20), date(2026, 11, 21)):
        assert skipped_ahead([6], time(2, 30), since, None, NY) == change
    assert skipped_ahead([6], time(2, 30), date(2026, 3, 13), None, NY) == change
    assert skipped_ahead([6], time(2, 30), date(2026, 3, 12), None, NY) is None


def test_a_turn_that_ends_with_the_clock_change_is_checked_on_that_day() -> None:
    change = (date(2027, 3, 14), time(3))
    for since in (date(2026, 11, 20), date(2027, 3, 10), date(2027, 3, 14)):
        assert skipped_ahead([6], time(2, 30), since, date(2027, 3, 14), NY) == change


def test_nurse_and_backup_who_change_places_are_never_one_person() -> None:
    turns = [*week("1", NURSE, 8, 20), *week("2", NURSE, 20, 8),
             *week("2", BACKUP, 8, 20), *week("1", BACKUP, 20, 8)]  # fmt: skip
    assert look_ahead(a_plan(turns), NOON) == []


def test_somebody_in_two_positions_is_named_once_from_the_first_turn() -> None:
    plan = a_plan([*week("1", NURSE, 8, 20), *week("1", BACKUP, 14, 16)], p1=Reach())
    (told,) = [one for one in look_ahead(plan, NOON) if one.trouble is Trouble.NO_NUMBER]
    assert (told.starts, told.position) == (NOON, NURSE)
    both = a_plan([*week("1", NURSE, 8, 20), *week("1", BACKUP, 8, 20)], p1=Reach())
    (told,) = [one for one in look_ahead(both, NOON) if one.trouble is Trouble.NO_NUMBER]
    assert told.position is NURSE


def test_half_hours_count_in_turns_that_may_not_run_at_once() -> None:
    early = Turn("1", NURSE, 0, time(8), time(20, 15))
    for starts, expected in ((time(20, 10), True), (time(20, 15), False), (time(20, 30), False)):
        late = Turn("1", NURSE, 0, starts, time(22))
        assert overlapping(early, late) is overlapping(late, early) is expected
    hour = Turn("1", NURSE, 0, time(8), time(20))
    assert not overlapping(hour, Turn("1", NURSE, 0, time(20, 10), time(22)))
    evening = Turn("1", NURSE, 0, time(20), time(22))
    assert overlapping(evening, Turn("1", NURSE, 0, time(19), time(20, 10)))


def test_turns_that_share_a_single_day_may_not_run_at_once_on_it() -> None:
    ended = Turn("1", NURSE, 0, time(8), time(20), date.min, date(2027, 1, 4))
    over = Turn("1", NURSE, 0, time(8), time(20), date(2027, 1, 4))
    assert overlapping(ended, over) and overlapping(over, ended)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 8, 20), (0, 19, 21), True),
        ((0, 8, 20), (0, 20, 22), False),
        ((6, 20, 8), (0, 7, 9), True),  # over midnight, and over the week's end
        ((6, 20, 8), (0, 8, 9), False),
        ((0, 0, 0), (0, 23, 1), True),  # a whole day
        ((0, 0, 0), (1, 0, 0), False),
        ((6, 8, 20), (6, 7, 9), True),
        ((6, 8, 12), (6, 13, 15), False),
        ((0, 20, 22), (0, 8, 12), False),
        ((3, 8, 20), (1, 8, 20), False),
    ],
)
def test_two_turns_of_one_person_may_not_run_at_once(
    one: tuple[int, int, int], other: tuple[int, int, int], expected: bool
) -> None:
    first, second = (Turn("1", NURSE, day, time(at), time(end)) for day, at, end in (one, other))
    assert overlapping(first, second) is expected
    assert overlapping(second, first) is expected
    assert not overlapping(first, Turn("2", NURSE, other[0], time(other[1]), time(other[2])))
    over = Turn("1", NURSE, other[0], time(other[1]), time(other[2]), date(2027, 1, 1))
    ended = Turn("1", NURSE, one[0], time(one[1]), time(one[2]), date.min, date(2026, 12, 31))
    assert not overlapping(ended, over)
