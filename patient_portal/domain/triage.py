"""Triage: today's answers and the course of therapy in, a level with its reasons out.

Pure and deterministic. The worst rule wins and no rule lowers another, so a further answer
can only raise the level. Only a person of the care team lowers: what was closed with a time to
look again is watch until then. An answer that the protocol does not know raises ValueError:
there is no default branch that could calm it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from patient_portal.domain.combining import (
    Found,
    Today,
    diverges,
    found_by_answers,
    found_in_trends,
    found_missing,
    found_of_same_day,
    found_together,
    found_unresolved,
)
from patient_portal.domain.course import Course, Earlier, in_window, known_day
from patient_portal.domain.facts import facts_of_earlier, facts_of_today, measure
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.past import Held, Past
from patient_portal.domain.plan import YESTERDAY, Cell, plan_for
from patient_portal.domain.protocol import Drug, Protocol

__all__ = ["Course", "Earlier", "Reason", "TriageResult", "in_window", "measure", "triage"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that fired. `text` is the patient's sentence, English, a msgid of `safety`."""

    rule: str
    level: TriageLevel
    text: str


@dataclass(frozen=True, slots=True)
class TriageResult:
    """The level, the reasons (worst first, then in the protocol's order), the protocol's id."""

    level: TriageLevel
    reasons: tuple[Reason, ...]
    protocol: str


def triage(protocol: Protocol, answers: Mapping[str, object], course: Course) -> TriageResult:
    """Judge one check-in.

    Args:
        answers: validated answers (`domain.answers.validate_answers`), or the same as stored:
            numbers may be Decimal or their text. `yesterday` among them is one more check-in
            of the day before.

    Raises:
        ValueError: a medicine, key or value that the protocol does not know, or a number
            that is not finite.
    """
    history = _history(answers, course)
    today = _judged_alone(protocol, answers, course, history)
    if not (today.fired or history):
        return TriageResult(TriageLevel.NONE, (), protocol.id)
    found = [*found_by_answers(today), *found_together(today)]
    if history:
        found += found_in_trends(today)
        found += found_missing(today)
        found += found_unresolved(today, _worst(found))
        found += _found_on_same_day(today, history)
    return _result(protocol, found)


def _history(answers: Mapping[str, object], course: Course) -> tuple[Earlier, ...]:
    yesterday = answers.get("yesterday")
    if yesterday is None:
        return course.history
    if not isinstance(yesterday, Mapping):
        raise ValueError("yesterday: must be answers")
    return (*course.history, Earlier(1, yesterday))


def _judged_alone(
    protocol: Protocol,
    answers: Mapping[str, object],
    course: Course,
    history: tuple[Earlier, ...],
) -> Today:
    """The rules about single answers that fire, of today's check-ins that are not closed."""
    plan = plan_for(protocol)
    drug = _drug(protocol, course.drug)
    window = "in" if in_window(drug, course) else "out"
    facts = facts_of_today(plan, answers, course, window)
    past = Past(protocol, plan, course, window, history)
    for earlier in history:
        if earlier.days_ago == 0 and not earlier.is_closed:
            facts |= facts_of_earlier(plan, earlier, course, window)
    if history and not plan.asks_yesterday.isdisjoint(facts):
        before = past.facts_before(protocol.beyond.look_back.before_days)
        facts |= {YESTERDAY + one for one in before}
    cells = plan.cells[(drug.code, window)]
    day = known_day(course)
    fired: list[Cell] = []
    for own in facts:
        for cell in cells.get(own, ()):
            if cell.holds(facts, day):
                fired.append(cell)
    held = None
    if any(earlier.recheck for earlier in history):
        held = Held(past, cells, answers, facts)
    return Today(protocol, plan, answers, course, window, facts, tuple(fired), past, held)


def _found_on_same_day(today: Today, history: tuple[Earlier, ...]) -> Iterator[Found]:
    """What earlier check-ins of today make of this one."""
    same_day = [earlier for earlier in history if earlier.days_ago == 0]
    if not same_day:
        return
    yield from found_of_same_day(today.protocol, same_day)
    reporter = today.course.reporter
    if any(earlier.reporter != reporter for earlier in same_day):
        before = tuple(earlier for earlier in today.course.history if earlier.days_ago > 0)
        alone = replace(today.course, history=before)
        own = triage(today.protocol, today.answers, alone).level
        yield from diverges(today.protocol, own, reporter, same_day)


def _worst(found: Iterable[Found]) -> TriageLevel:
    return max((level for _, level in found), default=TriageLevel.NONE)


def _result(protocol: Protocol, found: Iterable[Found]) -> TriageResult:
    """The reasons in order, each rule once; with the notice that explains a lowered one."""
    order = plan_for(protocol).order
    levels: dict[str, TriageLevel] = {}
    is_lowered = False
    for rule, level in found:
        levels[rule.id] = max(level, levels.get(rule.id, level))
        is_lowered = is_lowered or level < rule.level
    if is_lowered:
        for notice in protocol.beyond.notices["recheck"]:
            levels[notice.rule] = protocol.rule(notice.rule).level
    ids = sorted(levels, key=lambda id: (-levels[id], order[id]))
    reasons = tuple(Reason(id, levels[id], protocol.rule(id).patient) for id in ids)
    level = reasons[0].level if reasons else TriageLevel.NONE
    return TriageResult(level, reasons, protocol.id)


def _drug(protocol: Protocol, code: str) -> Drug:
    try:
        return protocol.drug(code)
    except KeyError:
        raise ValueError(f"drug: {code!r} is not known to {protocol.id}") from None
