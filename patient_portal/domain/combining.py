"""Rules about several answers or several days. They can only raise what single answers say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

from patient_portal.domain.combined import CORE, MINOR, Missing, Trend
from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.facts import is_declined, was_measured
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.past import Held, Past
from patient_portal.domain.plan import Cell, Plan, Together, fact, holds
from patient_portal.domain.protocol import Protocol, Rule

Found = tuple[Rule, TriageLevel]


@dataclass(frozen=True, slots=True)
class Today:
    """One check-in half judged: its facts, and the rules about single answers that fired."""

    protocol: Protocol
    plan: Plan
    answers: Mapping[str, object]
    course: Course
    window: str
    facts: Set[str]
    fired: tuple[Cell, ...]
    past: Past
    held: Held | None


def found_by_answers(today: Today) -> Iterator[Found]:
    """The rules about single answers, with what a coming recheck makes of their level."""
    for cell in today.fired:
        yield cell.rule, TriageLevel.WATCH if _is_held(today, cell.rule) else cell.rule.level


def _is_held(today: Today, rule: Rule) -> bool:
    """Whether it was urgent when it was closed, or is so only for being there again."""
    held = today.held
    if held is None or rule.level is not TriageLevel.URGENT:
        return False
    is_again = rule.id in today.plan.of_yesterday
    return (is_again or held.was_urgent(rule.item)) and held.is_no_worse(rule.item)


def found_together(today: Today) -> Iterator[Found]:
    """The combinations that hold, of today's signs and those of earlier days not resolved."""
    plan, held = today.plan, today.held
    shown: set[str] = set()
    standing: set[str] = set()
    if not plan.sign_facts.isdisjoint(today.facts):
        shown = {sign.id for sign in plan.signs if sign.is_there(today.facts)}
    # A form that is still being answered has not been asked about everything: what is over must
    # not page before the question about it comes.
    if today.past.history and (shown or today.course.is_finished):
        standing = today.past.unresolved(today.facts, shown)
    # Where a person has closed the alert, earlier signs count beside a sign of today alone: nobody
    # who is well again is told to call an ambulance for what was dealt with.
    if not shown:
        standing &= today.past.in_nobodys_hands
    kinds = _watch_kinds(today)
    if not (shown or standing or kinds):
        return
    kind_of_sign = {sign.id: sign.kind for sign in plan.signs}
    for one in plan.together:
        if not _holds(one, today.facts, shown, standing, kinds, kind_of_sign):
            continue
        level = one.rule.level
        of_watch = all(count.watch for count in one.combination.counts)
        if held and level is TriageLevel.URGENT and not of_watch and shown <= held.signs:
            level = TriageLevel.WATCH
        yield one.rule, level


def _holds(
    one: Together,
    facts: Set[str],
    shown: Set[str],
    standing: Set[str],
    kinds: Collection[str],
    kind_of_sign: Mapping[str, str],
) -> bool:
    besides = one.combination.besides
    if one.combination.today and not holds(one.today, facts):
        return False
    every = [kind_of_sign[id] for id in (*shown, *standing) if id not in besides]
    for count in one.combination.counts:
        if (
            every.count(CORE) >= count.core
            and every.count(MINOR) >= count.minor
            and len(kinds) >= count.watch
        ):
            return True
    return False


def _watch_kinds(today: Today) -> dict[str, str]:
    """The kinds whose worst rule of today is watch, with the item; without those that are held."""
    plan = today.plan
    worst: dict[str, tuple[TriageLevel, str]] = {}
    for cell in today.fired:
        kind = plan.kind_of.get(cell.rule.id)
        if kind is not None:
            level, item = worst.get(kind, (TriageLevel.NONE, ""))
            worst[kind] = max((cell.rule.level, cell.rule.item), (level, item))
    return {
        kind: item
        for kind, (level, item) in worst.items()
        if level is TriageLevel.WATCH and not _kind_is_held(today, kind, item)
    }


def _kind_is_held(today: Today, kind: str, item: str) -> bool:
    held = today.held
    if held is None:
        return False
    was_there = any(today.plan.kinds.get(then) == kind for then in held.closing_facts)
    return was_there and held.is_no_worse(item)


def found_in_trends(today: Today) -> Iterator[Found]:
    """The trends against the check-in before, except the one about its alert."""
    for trend in today.protocol.beyond.trends:
        if trend.kind == "unresolved" or trend.window not in ("any", today.window):
            continue
        if _TRENDS[trend.kind](today, trend):
            rule = today.protocol.rule(trend.rule)
            yield rule, rule.level


def _is_worse(today: Today, trend: Trend) -> bool:
    """An answer along a declared chain is a grade worse, and not as one that is held."""
    grades = today.plan.grades
    worse = sorted(grades[one] for one in today.plan.bad & today.facts)
    now = {item: grade for item, grade in worse if item in trend.items}  # the worst one stands
    if not now:
        return False
    before: dict[str, int] = {}
    for one in today.past.facts_before(trend.within_days):
        if one in grades:
            item, grade = grades[one]
            before[item] = max(grade, before.get(item, 0))
    return any(
        item in before
        and grade > before[item]
        and not (today.held is not None and today.held.is_no_worse(item))
        for item, grade in now.items()
    )


def _is_again(today: Today, trend: Trend) -> bool:
    """A kind of watch finding of today was there, as watch or worse, at the check-in before."""
    kinds = _watch_kinds(today)
    if not kinds:
        return False
    before = today.past.facts_before(trend.within_days)
    return any(today.plan.kinds.get(one) in kinds for one in before)


def _is_step(today: Today, trend: Trend) -> bool:
    """The answer came from one of `before` to one of `after`."""
    for item in trend.items:
        if any(fact(item, value) in today.facts for value in trend.after):
            then = today.past.facts_before(trend.within_days)
            answered = {one for one in then if one.startswith(f"{item}=")}
            if answered and answered <= {fact(item, value) for value in trend.before}:
                return True
    return False


_TRENDS = {"worse": _is_worse, "again": _is_again, "step": _is_step}


def found_missing(today: Today) -> Iterator[Found]:
    """Numbers that were not measured, neither today nor at the check-in before."""
    for missing in today.protocol.beyond.missing:
        if is_declined(today.answers, missing.item) and _is_missing_twice(today, missing):
            rule = today.protocol.rule(missing.rule)
            yield rule, rule.level


def _is_missing_twice(today: Today, missing: Missing) -> bool:
    course, plan = today.course, today.plan
    if missing.window not in ("any", today.window):
        return False
    if course.owns is not None and missing.owns not in course.owns:
        return False
    if was_measured(plan, today.answers, missing.item):
        return False
    before = today.past.before(missing.within_days)
    if not before or any(was_measured(plan, one.answers, missing.item) for one in before):
        return False
    since = -before[0].days_ago
    return missing.item != "weight" or all(day < since for day, _ in course.weights)


def found_unresolved(today: Today, level: TriageLevel) -> Iterator[Found]:
    """Urgent again, and nobody has closed the one before. `level` is today's."""
    if level < TriageLevel.URGENT:
        return
    for trend in today.protocol.beyond.trends:
        if trend.kind == "unresolved" and any(
            one.level >= TriageLevel.URGENT and not one.is_closed
            for one in today.past.before(trend.within_days)
        ):
            rule = today.protocol.rule(trend.rule)
            yield rule, rule.level


def found_of_same_day(protocol: Protocol, same_day: Collection[Earlier]) -> Iterator[Found]:
    """An earlier check-in of today that nobody has closed keeps its level."""
    worst = max((one.level for one in same_day if not one.is_closed), default=TriageLevel.NONE)
    for notice in protocol.beyond.notices["same_day"]:
        rule = protocol.rule(notice.rule)
        if rule.level is worst:
            yield rule, rule.level


def diverges(
    protocol: Protocol, own: TriageLevel, reporter: str, same_day: Collection[Earlier]
) -> Iterator[Found]:
    """Two reporters of one day who are far apart; `own` is the level of this one's answers."""
    for notice in protocol.beyond.notices["divergence"]:
        if any(
            one.reporter != reporter and abs(one.level - own) >= notice.levels_apart
            for one in same_day
        ):
            rule = protocol.rule(notice.rule)
            yield rule, rule.level
