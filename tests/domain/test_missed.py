"""Days without a check-in, and the hours at which silence speaks."""

from datetime import UTC, datetime, timedelta

import pytest

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.missed import (
    is_listed_again,
    may_page,
    missed_level,
    pages_again,
    pages_by_day,
    silence_times,
)
from patient_portal.protocols import current

PROTOCOL = current()
SILENCE = PROTOCOL.beyond.silence
NONE, WATCH, URGENT, EMERGENCY = TriageLevel
ZONE = "America/New_York"  # five hours behind UTC in November


def local(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, second, tzinfo=UTC) + timedelta(hours=5)


@pytest.mark.parametrize(
    ("days", "in_window", "after", "rule"),
    [
        (0, True, EMERGENCY, None),
        (1, True, NONE, "MC1"),
        (1, True, WATCH, "MC1"),
        (1, True, URGENT, "MC3"),
        (1, True, EMERGENCY, "MC3"),
        (2, True, NONE, "MC2"),
        (9, True, NONE, "MC2"),
        (1, False, EMERGENCY, None),
        (2, False, NONE, None),
        (3, False, NONE, "MC4"),
        (9, False, EMERGENCY, "MC4"),
    ],
)
def test_missed_days_come_to_their_rule(
    days: int, in_window: bool, after: TriageLevel, rule: str | None
) -> None:
    found = missed_level(PROTOCOL, days, in_window=in_window, after=after)
    assert (found.id if found else None) == rule


def test_the_levels_of_missed_days() -> None:
    levels = {rule: PROTOCOL.rule(rule).level for rule in ("MC1", "MC2", "MC3", "MC4")}
    assert levels == {"MC1": WATCH, "MC2": URGENT, "MC3": URGENT, "MC4": WATCH}


def test_more_missed_days_and_the_window_never_mean_less() -> None:
    def level(days: int, in_window: bool, after: TriageLevel) -> TriageLevel:
        rule = missed_level(PROTOCOL, days, in_window=in_window, after=after)
        return rule.level if rule else NONE

    for days in range(12):
        for in_window in (False, True):
            for after in TriageLevel:
                now = level(days, in_window, after)
                assert level(days + 1, in_window, after) >= now
                assert level(days, True, after) >= now
                assert level(days, in_window, EMERGENCY) >= now


def test_days_cannot_be_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        missed_level(PROTOCOL, -1, in_window=True)


def test_the_hours_after_a_text() -> None:
    times = silence_times(SILENCE, local(9), ZONE)
    assert (times.repeat_at, times.caregiver_at) == (local(12), local(14))
    assert times.cut_off_at == local(16)


@pytest.mark.parametrize(
    ("sent", "cut_off"),
    [
        (local(13, 59), local(20, 59)),
        (local(13, 59, 59), local(20, 59, 59)),
        (local(14), local(8) + timedelta(days=1)),
        (local(20, 59), local(8) + timedelta(days=1)),
        (local(0, 30), local(8)),
        (local(1), local(8)),
        (local(1, 1), local(8, 1)),
    ],
)
def test_a_cut_off_at_night_is_the_next_morning(sent: datetime, cut_off: datetime) -> None:
    assert silence_times(SILENCE, sent, ZONE).cut_off_at == cut_off


def test_silence_alone_pages_by_day() -> None:
    for moment, may in (
        (local(7, 59, 59), False),
        (local(8), True),
        (local(20, 59, 59), True),
        (local(21), False),
        (local(3), False),
    ):
        assert pages_by_day(SILENCE, moment, ZONE) is may
        assert may_page(SILENCE, moment, ZONE, open_red=False) is may
        assert may_page(SILENCE, moment, ZONE, open_red=True)


def test_a_row_that_was_read_is_listed_again_three_days_on() -> None:
    assert [is_listed_again(SILENCE, days, 4) for days in (4, 6, 7, 8)] == [
        False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "rule", "paged_at", "closed_on", "pages"),
    [
        (3, "MC2", 2, 2, False),
        (4, "MC2", 2, 2, True),
        (9, "MC2", 2, 2, True),  # the worker was off on the fourth
        (5, "MC2", 3, 3, True),  # paged late, by the same measure
        (4, "MC2", 4, 3, False),  # that was the second page
        (9, "MC2", 9, 3, False),
        (6, "MC2", 2, 6, False),  # closed today
        (7, "MC2", 2, 6, True),
        (2, "MC3", 1, 1, True),
        (1, "MC3", 1, 0, False),
        (5, "gone", 3, 3, False),  # a rule that this protocol does not have
        (6, "gone", 3, 3, True),
    ],
)
def test_silence_pages_once_more_at_twice_the_days_of_its_rule(
    days: int, rule: str, paged_at: int, closed_on: int, pages: bool
) -> None:
    found = pages_again(PROTOCOL, days, rule=rule, paged_at=paged_at, closed_on=closed_on)
    assert found is pages
