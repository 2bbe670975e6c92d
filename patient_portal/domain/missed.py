"""No check-in: when a day counts as missed, and what that means. Thresholds are the protocol's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from patient_portal.domain.combined import Silence
from patient_portal.domain.course import Course, in_window
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import UNKNOWN_DRUG, Protocol, Rule
from patient_portal.domain.schedule import at_wall_time, local_date


def is_listed_again(silence: Silence, days: int, read_at: int) -> bool:
    """Whether a row that was read at so many days is listed once more."""
    return days >= read_at + silence.row_again_days


def pages_again(protocol: Protocol, days: int, *, rule: str, paged_at: int, closed_on: int) -> bool:
    """Whether a silence that goes on pages once more, its alert being closed.

    `rule` paged at so many days; `closed_on` is the day of the silence on which its alert was
    closed. Once, and at the earliest on the day after that.
    """
    needed = [one.days for one in protocol.beyond.missed if one.rule == rule] or [paged_at]
    twice = needed[0] * protocol.beyond.silence.page_again_times
    return paged_at < twice <= days and days > closed_on


@dataclass(frozen=True, slots=True)
class SilenceTimes:
    """What follows a day's text while nobody answers; aware moments in UTC."""

    repeat_at: datetime
    caregiver_at: datetime
    cut_off_at: datetime


def missed_level(
    protocol: Protocol, days: int, *, in_window: bool, after: TriageLevel = TriageLevel.NONE
) -> Rule | None:
    """The worst rule for so many missed days running; None if it is no matter yet.

    `after` is the level of the last check-in before them; one that the team has closed counts
    too. Raises ValueError for a negative number of days.
    """
    if days < 0:
        raise ValueError("days cannot be negative")
    window = "in" if in_window else "out"
    found = [
        protocol.rule(one.rule)
        for one in protocol.beyond.missed
        if one.window in ("any", window) and days >= one.days and after >= one.after
    ]
    return max(found, key=lambda rule: rule.level, default=None)


def is_in_window(protocol: Protocol, course: Course) -> bool:
    """Whether a course is in the window today; a medicine that is not known counts as inside."""
    known = {drug.code: drug for drug in protocol.drugs}
    return in_window(known.get(course.drug, known[UNKNOWN_DRUG]), course)


def silence_times(silence: Silence, sent_at: datetime, zone: str) -> SilenceTimes:
    """When the text of this moment is repeated, sent to the caregiver, and given up on.

    The cut-off is never between the end of paging hours and their beginning: then it is at the
    beginning of the next. Raises ZoneInfoNotFoundError.
    """
    cut_off = sent_at + timedelta(hours=silence.cut_off_hours)
    if not pages_by_day(silence, cut_off, zone):
        cut_off = _next_morning(silence.pages_from, cut_off, zone)
    return SilenceTimes(
        repeat_at=sent_at + timedelta(hours=silence.repeat_hours),
        caregiver_at=sent_at + timedelta(hours=silence.caregiver_hours),
        cut_off_at=cut_off,
    )


def pages_by_day(silence: Silence, now: datetime, zone: str) -> bool:
    """Whether silence alone may page at this moment, by the patient's clock."""
    day = local_date(now, zone)
    from_, until = (at_wall_time(day, at, zone) for at in (silence.pages_from, silence.pages_until))
    # The last minute is one of them.
    return from_ <= now < until + timedelta(minutes=1)


def may_page(silence: Silence, now: datetime, zone: str, *, open_red: bool) -> bool:
    """Whether silence may page now; at any hour after a red check-in that nobody has closed."""
    return open_red or pages_by_day(silence, now, zone)


def _next_morning(at: time, now: datetime, zone: str) -> datetime:
    day = local_date(now, zone)
    morning = at_wall_time(day, at, zone)
    return morning if morning >= now else at_wall_time(day + timedelta(days=1), at, zone)
