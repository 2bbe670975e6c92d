"""What the rules need to know beside today's answers: medicine, day, weights, earlier check-ins."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import Drug

PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A check-in before this one.

    Attributes:
        days_ago: in local dates; 0 is an earlier check-in of today.
        answers: as stored; an item that was seen and not ticked counts as "no" only if it says so.
        level: what it came to.
        is_closed: a person of the team has closed the alert it belongs to.
        resolved: ids of the signs that the closing outcome named.
        recheck: it was closed with a time to look again, and that time has not come.
        reporter: who answered; "patient", or whoever else.
    """

    days_ago: int
    answers: Mapping[str, object]
    level: TriageLevel = TriageLevel.NONE
    is_closed: bool = False
    resolved: Collection[str] = ()
    recheck: bool = False
    reporter: str = PATIENT


@dataclass(frozen=True, slots=True)
class Course:
    """What stands beside the answers of one check-in.

    Attributes:
        day_of_therapy: the day of the first dose is 1; None or below 1 counts as in the window.
        window_extended: a taper, a restart or the days after the last dose keep it open.
        window_last_day: the last day of the window set for this person; None is the medicine's.
        weights: earlier readings, oldest first, as (days relative to today: -1 is yesterday,
            the measure as entered), those of `history` too; today's own is an answer.
        usual: items the person has had for long; None accepts every "usual" as given.
        owns: "scale" and "thermometer"; None means both. What is not owned is never missing.
        uk_lines: the site counts 37.5 °C and above, and below 36.0 °C, as urgent.
        fever_line: the person's own in °C, 37.5 or 38.0; None is the site's.
        on_steroid: the team's medicine log says so; the person's own "yes" counts too.
        history: earlier check-ins, oldest first.
        reporter: who answers today.
        is_finished: all questions were asked. While they are being asked, signs of earlier days
            count only beside a sign of today.
    """

    drug: str
    day_of_therapy: int | None = None
    window_extended: bool = False
    baseline: Measure | None = None
    weights: tuple[tuple[int, Measure], ...] = ()
    usual: Collection[str] | None = None
    owns: Collection[str] | None = None
    uk_lines: bool = False
    window_last_day: int | None = None
    fever_line: Decimal | None = None
    on_steroid: bool = False
    history: tuple[Earlier, ...] = ()
    reporter: str = PATIENT
    is_finished: bool = True


def known_day(course: Course) -> int | None:
    """The day of therapy, if it is known and has begun."""
    day = course.day_of_therapy
    return None if day is None or day < 1 else day


def in_window(drug: Drug, course: Course) -> bool:
    """Whether today lies in the medicine's window; what is not known counts as inside."""
    day = known_day(course)
    if drug.window is None or day is None or course.window_extended:
        return True
    first, last = drug.window
    return first <= day <= (course.window_last_day or last)


def check_in_before(history: tuple[Earlier, ...], within_days: int) -> tuple[Earlier, ...]:
    """The check-ins of the last earlier date, if it is at most so many days back."""
    days = [earlier.days_ago for earlier in history if earlier.days_ago > 0]
    last = min(days, default=within_days + 1)
    if last > within_days:
        return ()
    return tuple(earlier for earlier in history if earlier.days_ago == last)
