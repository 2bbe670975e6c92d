"""Puts a synthetic course through a protocol, check-in by check-in, as the server would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from patient_portal.cohort.people import Person, Report
from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import NOT_MEASURED, Protocol
from patient_portal.domain.triage import triage

LOOK_BACK = 10  # days; longer than any rule looks, but for the last weight before them
WEEK = 7
RECHECK_DAYS = 2


@dataclass(frozen=True, slots=True)
class Judge:
    """A protocol and what the team does with its alerts: closes each one within the day and asks
    to look again after `recheck_days` days (0 = does not ask)."""

    protocol: Protocol
    recheck_days: int = RECHECK_DAYS


@dataclass(frozen=True, slots=True)
class Judged:
    """A check-in and the level it came to."""

    report: Report
    level: TriageLevel


@dataclass(frozen=True, slots=True)
class Red:
    """A check-in that texts the team: hours since the start of day 1, level, rules, worst first."""

    hour: float
    level: TriageLevel
    rules: tuple[str, ...]


def reds_of(person: Person, judge: Judge, reports: Sequence[Report] | None = None) -> list[Red]:
    """The red check-ins of a course, oldest first."""
    before: list[Judged] = []
    reds = []
    for report in person.reports if reports is None else reports:
        result = triage(judge.protocol, report.answers, course_of(person, before, report, judge))
        if result.level.is_red:
            rules = tuple(reason.rule for reason in result.reasons if reason.level.is_red)
            reds.append(Red(report.hour, result.level, rules))
        before.append(Judged(report, result.level))
    return reds


def course_of(person: Person, before: Sequence[Judged], report: Report, judge: Judge) -> Course:
    """What the rules need to know beside the answers of `report`."""
    near = [one for one in before if one.report.day >= report.day - LOOK_BACK]
    weights = [
        (one.report.day - report.day, weight)
        for one in near or before
        if (weight := weight_of(one.report))
    ]
    return Course(
        drug=person.medicine,
        day_of_therapy=report.day,
        baseline=person.baseline,
        weights=tuple(weights),
        usual=person.usual,
        history=tuple(_earlier(one, report.day - one.report.day, judge) for one in near),
    )


def _earlier(one: Judged, days_ago: int, judge: Judge) -> Earlier:
    return Earlier(
        days_ago,
        one.report.answers,
        one.level,
        is_closed=one.level.is_red,
        recheck=one.level.is_red and days_ago < judge.recheck_days,
    )


def weight_of(report: Report) -> Measure | None:
    """The weight of a check-in as it was entered; None if there is none."""
    value = report.answers.get("weight")
    if value == NOT_MEASURED or not isinstance(value, Decimal):
        return None
    return Measure(value, str(report.answers["weight_unit"]))


def weekly(person: Person) -> list[Report]:
    """The check-ins of one day of the week, as if nobody were asked on the others."""
    return [report for report in person.reports if report.day % WEEK == 1]
