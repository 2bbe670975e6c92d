"""Explaining stored alerts, and asking what another protocol would have made of stored check-ins.

`inputs_of` is what a judgment needs, as plain JSON; `course_from_inputs` is its reverse, so that
any alert can be judged again years later by the protocol whose id it bears.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.facts import measure
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.missed import is_in_window, missed_level
from patient_portal.domain.protocol import NOT_SURE, Protocol, Rule
from patient_portal.domain.triage import Reason, TriageResult, triage
from patient_portal.domain.unreadable import with_notice

# The shape of `inputs_of`. A number that is not known is refused, never guessed at.
INPUTS_VERSION = 1
_MOST_EXAMPLES = 20


def inputs_of(
    answers: Mapping[str, object],
    course: Course,
    *,
    is_whole: bool = True,
    protocol: str | None = None,
) -> dict[str, Any]:
    """Answers and course as JSON keeps them; decimals are their text, so that nothing is lost.

    `is_whole` is False where the rules could not read the whole record (`domain.unreadable`).
    `protocol` is the id of the rules that judged them; an alert may be joined under later rules.
    """
    return {
        "version": INPUTS_VERSION,
        "protocol": protocol,
        "drug": course.drug,
        "day_of_therapy": course.day_of_therapy,
        "window_extended": course.window_extended,
        "window_last_day": course.window_last_day,
        "baseline": _of_measure(course.baseline),
        "weights": [[day, str(one.value), one.unit] for day, one in course.weights],
        "usual": None if course.usual is None else sorted(course.usual),
        "owns": None if course.owns is None else sorted(course.owns),
        "uk_lines": course.uk_lines,
        "fever_line": None if course.fever_line is None else str(course.fever_line),
        "on_steroid": course.on_steroid,
        "reporter": course.reporter,
        "is_finished": course.is_finished,
        "is_whole": is_whole,
        "answers": _plain(answers),
        "history": [
            {
                "days_ago": one.days_ago,
                "answers": _plain(one.answers),
                "level": one.level.code,
                "is_closed": one.is_closed,
                "resolved": sorted(one.resolved),
                "recheck": one.recheck,
                "reporter": one.reporter,
            }
            for one in course.history
        ],
    }


def course_from_inputs(inputs: Mapping[str, Any]) -> tuple[dict[str, Any], Course]:
    """The answers and the course that `inputs_of` was given.

    Raises ValueError for inputs of another version, and KeyError for what is missing.
    """
    if inputs.get("version") != INPUTS_VERSION:
        raise ValueError(f"inputs of version {inputs.get('version')!r} cannot be read")
    line = inputs["fever_line"]
    course = Course(
        drug=inputs["drug"],
        day_of_therapy=inputs["day_of_therapy"],
        window_extended=inputs["window_extended"],
        window_last_day=inputs["window_last_day"],
        baseline=_measure(inputs["baseline"]),
        weights=tuple((day, measure("weights", *rest)) for day, *rest in inputs["weights"]),
        usual=None if inputs["usual"] is None else tuple(inputs["usual"]),
        owns=None if inputs["owns"] is None else tuple(inputs["owns"]),
        uk_lines=inputs["uk_lines"],
        fever_line=None if line is None else Decimal(line),
        on_steroid=inputs["on_steroid"],
        reporter=inputs["reporter"],
        is_finished=inputs.get("is_finished", True),
        history=tuple(
            Earlier(
                days_ago=one["days_ago"],
                answers=one["answers"],
                level=TriageLevel.from_code(one["level"]),
                is_closed=one["is_closed"],
                resolved=tuple(one["resolved"]),
                recheck=one["recheck"],
                reporter=one["reporter"],
            )
            for one in inputs["history"]
        ),
    )
    return dict(inputs["answers"]), course


def explain(
    protocol: Protocol, inputs: Mapping[str, Any], kept: Callable[[str], Protocol] | None = None
) -> TriageResult:
    """Judge stored inputs again.

    An alert that several red answers joined keeps the inputs of each (`joined_inputs`); its
    reasons are those of all of them, each at its highest level. With `kept`, which finds a protocol
    by its id, each is judged by the rules that judged it then; without, all by `protocol`.
    """
    found: dict[str, Reason] = {}
    order: dict[str, int] = {}
    alert_protocol = protocol
    for judged in inputs.get("judged", [inputs]):
        id = judged.get("protocol") or alert_protocol.id
        protocol = alert_protocol if kept is None or id == alert_protocol.id else kept(id)
        order |= {rule.id: place for place, rule in enumerate(protocol.rules)}
        if "silence" in judged:
            rule = _rule_of_silence(protocol, judged)
            if rule is not None:
                found[rule.id] = Reason(rule.id, rule.level, rule.patient)
            continue
        result = triage(protocol, *course_from_inputs(judged))
        if not judged.get("is_whole", True):
            result = with_notice(protocol, result)
        for reason in result.reasons:
            if reason.rule not in found or reason.level > found[reason.rule].level:
                found[reason.rule] = reason
    reasons = sorted(found.values(), key=lambda one: (-one.level, order[one.rule]))
    level = reasons[0].level if reasons else TriageLevel.NONE
    return TriageResult(level, tuple(reasons), alert_protocol.id)


def resting_on_unsure(protocol: Protocol, inputs: Mapping[str, Any]) -> frozenset[str]:
    """The rules of stored inputs that would not fire without the answers "not sure"."""
    judged = inputs.get("judged", [inputs])
    sure = [_without_unsure(one) for one in judged]
    if sure == list(judged):
        return frozenset()
    certain = {reason.rule for reason in explain(protocol, {"judged": sure}).reasons}
    return frozenset(one.rule for one in explain(protocol, inputs).reasons) - certain


def _without_unsure(inputs: Mapping[str, Any]) -> dict[str, Any]:
    def told(answers: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in answers.items() if value != NOT_SURE}

    history = [{**one, "answers": told(one["answers"])} for one in inputs["history"]]
    return {**inputs, "answers": told(inputs["answers"]), "history": history}


def inputs_of_silence(
    days: int, after: TriageLevel, course: Course, *, protocol: str | None = None
) -> dict[str, Any]:
    """What missed days are judged by, as plain JSON: how many, after which level, the window."""
    return {
        "version": INPUTS_VERSION,
        "protocol": protocol,
        "silence": {"days": days, "after": after.code},
        "answers": {},
        "history": [],
        "drug": course.drug,
        "day_of_therapy": course.day_of_therapy,
        "window_extended": course.window_extended,
        "window_last_day": course.window_last_day,
    }


def _rule_of_silence(protocol: Protocol, inputs: Mapping[str, Any]) -> Rule | None:
    if inputs.get("version") != INPUTS_VERSION:
        raise ValueError(f"inputs of version {inputs.get('version')!r} cannot be read")
    course = Course(
        drug=inputs["drug"],
        day_of_therapy=inputs["day_of_therapy"],
        window_extended=inputs["window_extended"],
        window_last_day=inputs["window_last_day"],
    )
    return missed_level(
        protocol,
        inputs["silence"]["days"],
        in_window=is_in_window(protocol, course),
        after=TriageLevel.from_code(inputs["silence"]["after"]),
    )


def joined_inputs(before: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of an alert after another red answer has joined it."""
    earlier = list(before.get("judged", [before] if before else []))
    return {"judged": earlier if more in earlier else [*earlier, dict(more)]}


def _plain(answers: Mapping[str, object]) -> dict[str, Any]:
    return {key: _plain_value(value) for key, value in answers.items()}


def _plain_value(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_value(one) for one in value]
    return value


def _of_measure(one: Measure | None) -> list[str] | None:
    return None if one is None else [str(one.value), one.unit]


def _measure(kept: Sequence[str] | None) -> Measure | None:
    return None if kept is None else measure("baseline", *kept)


# ---- what if


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored check-in with its course; `level` is what it came to at the time."""

    id: str
    patient: str
    answers: Mapping[str, object]
    course: Course
    level: TriageLevel
    day: object = None  # its local date: several of one day are one patient-day


@dataclass(frozen=True, slots=True)
class Change:
    """A check-in that the two protocols judge differently, with the rules that differ."""

    id: str
    before: TriageLevel
    after: TriageLevel
    rules: tuple[str, ...]


@dataclass
class Comparison:
    """Two protocols on the same check-ins. `gained` and `lost` are days with an alert."""

    patient_days: int = 0
    check_ins: int = 0
    alerts_before: int = 0
    alerts_after: int = 0
    gained: int = 0
    lost: int = 0
    raised: int = 0  # red in both, and an emergency only in the second
    lowered: int = 0
    drifted: int = 0  # the first protocol today differs from the level that is stored
    unreadable: int = 0
    gained_by: Counter[str] = field(default_factory=Counter)
    lost_by: Counter[str] = field(default_factory=Counter)
    examples: list[Change] = field(default_factory=list)

    def per_100_days(self, count: int) -> float:
        """A count per 100 patient-days; 0 where there are none."""
        return 100 * count / self.patient_days if self.patient_days else 0.0


@dataclass
class _Day:
    """The worst of a patient's day under both protocols."""

    before: TriageLevel = TriageLevel.NONE
    after: TriageLevel = TriageLevel.NONE
    rules_before: set[str] = field(default_factory=set)
    rules_after: set[str] = field(default_factory=set)
    last_id: str = ""


def compare(before: Protocol, after: Protocol, stored: Iterable[Stored]) -> Comparison:
    """Judge every stored check-in by both protocols.

    Check-ins come grouped by patient and day. An alert is a day that is urgent or worse; what
    a protocol cannot read is counted and left out of both sides.
    """
    found = Comparison()
    key: tuple[str, object] | None = None
    day = _Day()
    for one in stored:
        if (one.patient, one.day) != key:
            _close(found, day)
            key, day = (one.patient, one.day), _Day()
        try:
            old, new = (triage(which, one.answers, one.course) for which in (before, after))
        except ValueError:
            found.unreadable += 1
            continue
        found.check_ins += 1
        found.drifted += old.level is not one.level
        day.last_id = one.id
        day.before, day.after = max(day.before, old.level), max(day.after, new.level)
        day.rules_before |= _red_rules(old)
        day.rules_after |= _red_rules(new)
    _close(found, day)
    return found


def _red_rules(result: TriageResult) -> set[str]:
    return {reason.rule for reason in result.reasons if reason.level.is_red}


def _close(found: Comparison, day: _Day) -> None:
    """Count one patient-day."""
    if not day.last_id:
        return
    found.patient_days += 1
    found.alerts_before += day.before.is_red
    found.alerts_after += day.after.is_red
    new, gone = day.rules_after - day.rules_before, day.rules_before - day.rules_after
    if day.after.is_red and not day.before.is_red:
        found.gained += 1
        found.gained_by.update(new)
    elif day.before.is_red and not day.after.is_red:
        found.lost += 1
        found.lost_by.update(gone)
    elif day.before.is_red and day.after != day.before:
        found.raised += day.after > day.before
        found.lowered += day.after < day.before
    if day.after != day.before and len(found.examples) < _MOST_EXAMPLES:
        found.examples.append(Change(day.last_id, day.before, day.after, tuple(sorted(new | gone))))
