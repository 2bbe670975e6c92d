"""Judging a stored check-in: what the rules cannot read raises the level, and is no error.

A red answer must reach a nurse even where the record around it is damaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from patient_portal.domain.course import Course
from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.replay import inputs_of
from patient_portal.domain.triage import TriageResult, triage
from patient_portal.domain.unreadable import UNREADABLE, triage_the_rest
from patient_portal.logs import get_logger
from patient_portal.models import CheckIn, CheckInState, Patient
from patient_portal.services.courses import course_for, course_with, told_by

_log = get_logger()


@dataclass(frozen=True)
class Judged:
    """What the rules say of the answers so far, and what they saw.

    ``own`` is what the check-in comes to without the others of its day. ``news`` are the red rules
    that its own answers have a part in: what another check-in of the day has said already pages
    nobody again.
    """

    told: Mapping[str, object]
    course: Course
    result: TriageResult
    own: TriageResult
    news: frozenset[str]
    is_whole: bool = True  # the rules could read all of the record

    @property
    def inputs(self) -> dict[str, Any]:
        """What an alert keeps, so that it can be explained."""
        return inputs_of(
            self.told, self.course, is_whole=self.is_whole, protocol=self.result.protocol
        )


def judge(
    session: Session, protocol: Protocol, patient: Patient, check_in: CheckIn, now: datetime
) -> Judged:
    """Triage the check-in's answers with all that is known; with less where that cannot be read."""
    try:
        course = course_with(
            session, patient, check_in.local_date, check_in.drug,
            now=now, same_day_but=check_in.id, reporter=check_in.reporter, protocol=protocol,
        )  # fmt: skip
        # Sent, or as far as the person came: the day is over.
        course = replace(course, is_finished=check_in.state is not CheckInState.OPEN)
        told = told_by(protocol, check_in.answers, check_in.progress)
        result = triage(protocol, told, course)
        return Judged(told, course, result, *_own(protocol, told, course, result))
    except UNREADABLE as error:
        kind = type(error).__name__
        _log.error("triage.failed", check_in_id=check_in.id, protocol=protocol.id, error=kind)
    bare = Course(check_in.drug, check_in.day_of_therapy, usual=(), reporter=check_in.reporter)
    rest = triage_the_rest(protocol, check_in.answers, bare)
    news = _red_rules(rest.result)
    return Judged(rest.answers, rest.course, rest.result, rest.result, news, is_whole=False)


def _own(
    protocol: Protocol, told: Mapping[str, object], course: Course, result: TriageResult
) -> tuple[TriageResult, frozenset[str]]:
    """What the answers come to without the day's other check-ins, and the red rules that are news.

    News is what they say by themselves, and what only both together say.
    """
    before = tuple(earlier for earlier in course.history if earlier.days_ago > 0)
    if len(before) == len(course.history):
        return result, _red_rules(result)
    own = triage(protocol, told, replace(course, history=before))
    others = triage(protocol, {}, course)
    return own, _red_rules(own) | (_red_rules(result) - _red_rules(others))


def _red_rules(result: TriageResult) -> frozenset[str]:
    return frozenset(reason.rule for reason in result.reasons if reason.level.is_red)


def last_weight(session: Session, patient: Patient, on: date) -> Measure | None:
    """The last weight before this date, else the baseline; None too where it cannot be read."""
    try:
        course = course_for(session, patient, on)
    except UNREADABLE:
        return None
    return course.weights[-1][1] if course.weights else course.baseline
