"""A pause: on which days nothing is asked for, and which pauses may be set."""

from datetime import date, timedelta

import pytest

from patient_portal.domain.pauses import Pause, pause_problem

TODAY = date(2026, 11, 20)


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def test_a_pause_has_its_first_and_its_last_day() -> None:
    pause = Pause(day(0), day(3))
    assert [pause.covers(day(n)) for n in (-1, 0, 3, 4)] == [False, True, True, False]
    assert pause.free_until == day(3)


def test_a_pause_that_a_person_ended_is_over_on_that_day() -> None:
    ended = Pause(day(0), day(3), resumed_on=day(2))
    assert [ended.covers(day(n)) for n in (0, 1, 2, 3)] == [True, True, False, False]
    assert ended.free_until == day(2)  # the day of resuming is not held against anybody
    assert Pause(day(0), day(3), resumed_on=day(9)).free_until == day(3)


def test_a_pause_lies_ahead_until_its_first_day() -> None:
    pause = Pause(day(1), day(3))
    assert pause.is_ahead(day(0))
    assert not pause.is_ahead(day(1))
    assert not Pause(day(1), day(3), resumed_on=day(0)).is_ahead(day(0))


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        (0, 0, ""),
        (0, -1, "order"),
        (-2, -1, "over"),
        (-2, 0, ""),
        (0, 29, ""),  # thirty days
        (0, 30, "long"),
        (-30, -1, "over"),
        (-29, 0, ""),
        (-31, 0, "long"),
        (30, 30, ""),
        (31, 31, "ahead"),
    ],
)
def test_a_pause_is_of_thirty_days_at_most_and_begins_within_thirty(
    first: int, last: int, problem: str
) -> None:
    assert pause_problem(day(first), day(last), TODAY) == problem
