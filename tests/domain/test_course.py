"""What stands beside a check-in: the check-in before it."""

import pytest

from patient_portal.domain.course import Earlier, check_in_before


@pytest.mark.parametrize(
    ("days", "within", "found"),
    [
        ((), 3, []),
        ((0,), 3, []),  # an earlier one of today is not the one before
        ((1, 0), 3, [1]),
        ((0,), 1, []),
        ((4, 2, 2, 0), 3, [2, 2]),  # all of that date
        ((3,), 3, [3]),
        ((4,), 3, []),
        ((2,), 1, []),
    ],
)
def test_the_one_before_is_of_the_last_earlier_date(
    days: tuple[int, ...], within: int, found: list[int]
) -> None:
    history = tuple(Earlier(day, {}) for day in days)
    assert [one.days_ago for one in check_in_before(history, within)] == found
