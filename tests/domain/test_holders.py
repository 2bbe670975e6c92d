"""Who holds a position of the rota at a moment: weekly turns, dated changes, clocks that jump."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from patient_portal.domain.rota import Change, ChangeKind, Position, Turn, covers, holders, span_on

ZONE = "America/New_York"
FRIDAY = date(2026, 11, 20)
DAY = Turn("silva", Position.NURSE, 4, time(8), time(20))
NIGHT = Turn("park", Position.NURSE, 4, time(20), time(8))
SECOND = timedelta(seconds=1)


def new_york(day: date, hour: int, minute: int = 0) -> datetime:
    """That wall time of November, which is five hours behind UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(hours=5)


def on_call(now: datetime, *changes: Change) -> tuple[str, ...]:
    return holders([DAY, NIGHT], changes, Position.NURSE, now, ZONE)


def change(
    person: str, kind: ChangeKind, starts: int = 10, ends: int = 12, made: int = 1
) -> Change:
    """A change of that Friday, from hour to hour."""
    return Change(
        person, Position.NURSE, kind,
        datetime.combine(FRIDAY, time(starts)), datetime.combine(FRIDAY, time(ends)),
        datetime(2026, 11, made, tzinfo=UTC),
    )  # fmt: skip


def test_a_turn_has_its_first_minute_and_not_its_last() -> None:
    starts, ends = new_york(FRIDAY, 8), new_york(FRIDAY, 20)
    assert span_on(DAY, FRIDAY, ZONE) == ((starts, ends),)
    assert on_call(starts - SECOND) == ()
    assert on_call(starts) == on_call(ends - SECOND) == ("silva",)
    assert on_call(ends) == ("park",)


def test_a_night_goes_on_after_midnight() -> None:
    saturday = FRIDAY + timedelta(days=1)
    assert covers(NIGHT, new_york(saturday, 0), ZONE)
    assert covers(NIGHT, new_york(saturday, 8) - SECOND, ZONE)
    assert not covers(NIGHT, new_york(saturday, 8), ZONE)
    assert not covers(NIGHT, new_york(FRIDAY, 7), ZONE)  # Thursday's night is another turn
    assert span_on(NIGHT, saturday, ZONE) == ()


def test_equal_hours_are_a_whole_day() -> None:
    always = Turn("silva", Position.NURSE, 4, time(8), time(8))
    (span,) = span_on(always, FRIDAY, ZONE)
    assert span[1] - span[0] == timedelta(days=1)


@pytest.mark.parametrize(("week", "covered"), [(-1, False), (0, True), (1, True), (2, False)])
def test_a_turn_holds_from_its_first_to_its_last_day(week: int, covered: bool) -> None:
    turn = Turn("silva", Position.NURSE, 4, time(8), time(20), FRIDAY, FRIDAY + timedelta(days=7))
    assert covers(turn, new_york(FRIDAY + timedelta(days=7 * week), 9), ZONE) is covered


def test_each_position_has_its_own_people() -> None:
    now = new_york(FRIDAY, 11)
    assert holders([DAY], [], Position.BACKUP, now, ZONE) == ()
    of_backup = Change(
        "lee", Position.BACKUP, ChangeKind.ADD,
        datetime(2026, 11, 20, 10), datetime(2026, 11, 20, 12),  # noqa: DTZ001 - wall time
        now,
    )  # fmt: skip
    assert on_call(now, of_backup) == ("silva",)
    assert holders([DAY], [of_backup], Position.BACKUP, now, ZONE) == ("lee",)


def test_a_change_adds_replaces_or_removes_while_it_runs() -> None:
    now = new_york(FRIDAY, 11)
    assert on_call(now, change("lee", ChangeKind.ADD)) == ("silva", "lee")
    assert on_call(now, change("silva", ChangeKind.ADD)) == ("silva",)
    assert on_call(now, change("lee", ChangeKind.REPLACE)) == ("lee",)
    assert on_call(now, change("silva", ChangeKind.REMOVE)) == ()
    assert on_call(now, change("lee", ChangeKind.REMOVE)) == ("silva",)
    replace = change("lee", ChangeKind.REPLACE)
    assert on_call(new_york(FRIDAY, 10), replace) == ("lee",)
    for moment in (new_york(FRIDAY, 10) - SECOND, new_york(FRIDAY, 12)):
        assert on_call(moment, replace) == ("silva",)


def test_of_two_that_replace_the_later_one_holds() -> None:
    now = new_york(FRIDAY, 11)
    first = change("lee", ChangeKind.REPLACE, made=1)
    second = change("ruiz", ChangeKind.REPLACE, made=2)
    assert on_call(now, first, second) == on_call(now, second, first) == ("ruiz",)


def test_a_hand_over_in_the_hour_that_comes_twice_leaves_nobody_out() -> None:
    sunday = date(2026, 11, 1)
    early = Turn("silva", Position.NURSE, 6, time(0), time(1, 30))
    late = Turn("park", Position.NURSE, 6, time(1, 30), time(6))
    met = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    for now, person in ((met - SECOND, "silva"), (met, "park"), (met + timedelta(hours=1), "park")):
        assert holders([early, late], [], Position.NURSE, now, ZONE) == (person,)
    assert span_on(early, sunday, ZONE)[0][1] == span_on(late, sunday, ZONE)[0][0] == met
