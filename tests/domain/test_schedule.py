"""Days and hours as people live them: clocks that jump, zones that change, nights."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.schedule import (
    REMINDER_SPREAD_SECONDS,
    REMINDERS_APART,
    at_wall_time,
    is_waking_hour,
    next_reminder,
    reminder_lives_for,
    therapy_day,
    within_waking_hours,
)

NEW_YORK = "America/New_York"


def _utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("day", "at", "zone", "expected"),
    [
        (date(2026, 11, 20), time(9), NEW_YORK, _utc(2026, 11, 20, 14)),
        # Clocks go forward at 02:00: half past two does not exist, three o'clock is next.
        (date(2026, 3, 8), time(2, 30), NEW_YORK, _utc(2026, 3, 8, 7)),
        (date(2026, 3, 8), time(3), NEW_YORK, _utc(2026, 3, 8, 7)),
        # Clocks go back at 02:00: half past one comes twice, the first counts.
        (date(2026, 11, 1), time(1, 30), NEW_YORK, _utc(2026, 11, 1, 5, 30)),
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", _utc(2026, 3, 29, 1)),
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", _utc(2026, 10, 25, 0, 30)),
        # A jump of half an hour, and one at midnight.
        (date(2026, 10, 4), time(2, 10), "Australia/Lord_Howe", _utc(2026, 10, 3, 15, 30)),
        (date(2026, 9, 6), time(0, 15), "America/Santiago", _utc(2026, 9, 6, 4)),
        # A day that Samoa never had.
        (date(2011, 12, 30), time(9), "Pacific/Apia", _utc(2011, 12, 30, 10)),
    ],
)
def test_a_wall_time_is_a_moment(day: date, at: time, zone: str, expected: datetime) -> None:
    assert at_wall_time(day, at, zone) == expected


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        (time(0), time(8)),
        (time(7, 59), time(8)),
        (time(8), time(8)),
        (time(20, 59), time(20, 59)),
        (time(21), time(20, 59)),
        (time(23, 30), time(20, 59)),
    ],
)
def test_nobody_is_reminded_at_night(at: time, kept: time) -> None:
    assert within_waking_hours(at) == kept


@pytest.mark.parametrize(
    ("at", "waking"),
    [
        (_utc(2026, 11, 20, 12, 59), False),  # one minute to eight in New York
        (_utc(2026, 11, 20, 13), True),
        (_utc(2026, 11, 21, 1, 59), True),
        (_utc(2026, 11, 21, 2), False),  # nine in the evening
        (_utc(2026, 11, 21, 2, 59), False),
    ],
)
def test_waking_hours_are_from_eight_until_nine_in_the_evening(at: datetime, waking: bool) -> None:
    assert is_waking_hour(at, NEW_YORK) is waking


@pytest.mark.parametrize(
    ("now", "minutes"),
    [
        (_utc(2026, 11, 20, 14), 120),  # nine in the morning
        (_utc(2026, 11, 21, 0, 30), 120),  # half past seven in the evening
        (_utc(2026, 11, 21, 1, 59), 31),
        (_utc(2026, 11, 21, 2, 30), 0),  # half past nine: too late for today
    ],
)
def test_a_reminder_that_waits_is_given_up_after_two_hours_or_at_night(
    now: datetime, minutes: int
) -> None:
    assert reminder_lives_for(now, NEW_YORK) == timedelta(minutes=minutes)


def test_reminders_of_one_minute_are_spread_over_a_quarter_of_an_hour() -> None:
    assert timedelta(seconds=REMINDER_SPREAD_SECONDS) == timedelta(minutes=15)


def test_the_day_of_the_first_dose_is_day_one() -> None:
    first = date(2026, 11, 20)
    assert therapy_day(first, first) == 1
    assert therapy_day(first, date(2026, 12, 1)) == 12
    assert therapy_day(first, date(2026, 11, 19)) == 0  # not begun
    assert therapy_day(None, first) is None


def test_a_reminder_due_this_very_moment_is_not_due_twice() -> None:
    nine = _utc(2026, 11, 20, 14)
    assert next_reminder(nine - timedelta(seconds=1), NEW_YORK, time(9)) == nine
    assert next_reminder(nine, NEW_YORK, time(9)) == nine + timedelta(days=1)


def test_the_hour_stays_the_same_when_clocks_change() -> None:
    for before, expected in (
        (_utc(2026, 3, 7, 14), _utc(2026, 3, 8, 13)),  # 23 hours later
        (_utc(2026, 10, 31, 13), _utc(2026, 11, 1, 14)),  # 25 hours later
    ):
        assert next_reminder(before, NEW_YORK, time(9), last=before) == expected


def test_spread_never_reaches_into_the_night() -> None:
    due = next_reminder(_utc(2026, 11, 20, 12), NEW_YORK, time(20, 55), spread=899)
    assert due.astimezone(ZoneInfo(NEW_YORK)).time() == time(20, 59)


def test_an_earlier_hour_wished_for_tomorrow_comes_as_soon_as_it_may() -> None:
    last = _utc(2026, 11, 21, 1, 0)  # eight in the evening in New York
    due = next_reminder(_utc(2026, 11, 21, 2), NEW_YORK, time(9), last=last)
    assert due == last + REMINDERS_APART  # four in the afternoon, not nine in the morning


def test_a_journey_never_brings_two_within_twenty_hours() -> None:
    last = _utc(2026, 11, 20, 14)  # nine in New York
    due = next_reminder(_utc(2026, 11, 20, 15), "Asia/Tokyo", time(9), last=last)
    assert due - last >= REMINDERS_APART
    assert due.astimezone(ZoneInfo("Asia/Tokyo")).hour == 19


def test_a_clock_that_was_moved_back_does_not_stop_reminders() -> None:
    now = _utc(2026, 11, 20, 12)
    due = next_reminder(now, NEW_YORK, time(9), last=now + timedelta(days=30))
    assert timedelta(hours=20) <= due - now <= timedelta(days=2)


ZONES = st.sampled_from(
    [
        NEW_YORK,
        "Europe/London",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Africa/Casablanca",
        "Pacific/Honolulu",
        "Pacific/Kiritimati",
    ]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, ZONES, ZONES, st.times(), st.times(), st.integers(0, 899))
def test_reminders_keep_their_distance_and_the_night(
    after: datetime, zone: str, next_zone: str, at: time, next_at: time, spread: int
) -> None:
    first = next_reminder(after, zone, at, spread=spread)
    second = next_reminder(first, next_zone, next_at, last=first, spread=spread)
    assert after < first <= after + timedelta(hours=49)
    assert REMINDERS_APART <= second - first <= timedelta(hours=49)
    assert is_waking_hour(first, zone)
    assert is_waking_hour(second, next_zone)
    if (zone, at) == (next_zone, next_at):
        assert second - first <= timedelta(hours=26)
