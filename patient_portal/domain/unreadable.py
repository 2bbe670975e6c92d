"""What the rules make of a record that they cannot read: never less than urgent.

A value of an older protocol, a medicine that is gone, a damaged number: `triage` raises ValueError
for each. Then what can be read is judged by itself, as if the medicine were unknown where it must
be, and a notice says that the record was not read as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patient_portal.domain.course import Course
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import UNKNOWN_DRUG, Protocol
from patient_portal.domain.triage import Reason, TriageResult, triage

# What damaged data can raise on its way through the rules.
UNREADABLE = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError)
# Answers that only say how another one is to be read.
_UNITS = ("temperature_unit", "weight_unit")


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What could be judged of a record, and what came of it."""

    answers: Mapping[str, object]
    course: Course
    result: TriageResult


def triage_the_rest(protocol: Protocol, answers: Mapping[str, object], course: Course) -> Salvaged:
    """Judge answers whose record `triage` refused; `course` is what is known without history.

    First all answers with this course, then those that can be read one by one, with every rule
    of every medicine. The notice of kind "unreadable" is always among the reasons.
    """
    try:
        return Salvaged(answers, course, with_notice(protocol, triage(protocol, answers, course)))
    except UNREADABLE:
        readable = _one_by_one(protocol, answers)
        bare = Course(UNKNOWN_DRUG, usual=(), reporter=course.reporter)
        result = triage(protocol, readable, bare)
        return Salvaged(readable, bare, with_notice(protocol, result))


def _one_by_one(protocol: Protocol, answers: Mapping[str, object]) -> dict[str, object]:
    """The answers that the rules can read without the others."""
    units = {key: answers[key] for key in _UNITS if isinstance(answers.get(key), str)}
    kept: dict[str, object] = {}
    for key, value in answers.items():
        for readable in _parts(key, value):
            try:
                triage(protocol, {**units, key: readable}, Course(UNKNOWN_DRUG, usual=()))
            except UNREADABLE:
                continue
            kept[key] = [*kept.get(key, ()), *readable] if isinstance(value, list) else readable  # type: ignore[misc]
    return kept


def _parts(key: str, value: object) -> list[Any]:
    """A value as it can be tried: each red flag by itself, anything else whole."""
    if key == "red_flags" and isinstance(value, list):
        return [[flag] for flag in value]
    return [value]


def with_notice(protocol: Protocol, result: TriageResult) -> TriageResult:
    """The same result, at least urgent, with the reason that the record could not be read."""
    rules = [protocol.rule(one.rule) for one in protocol.beyond.notices["unreadable"]]
    reasons = [*result.reasons, *(Reason(rule.id, rule.level, rule.patient) for rule in rules)]
    order = {rule.id: place for place, rule in enumerate(protocol.rules)}
    reasons.sort(key=lambda one: (-one.level, order[one.rule]))
    level = max((one.level for one in reasons), default=TriageLevel.NONE)
    return TriageResult(level, tuple(reasons), result.protocol)
