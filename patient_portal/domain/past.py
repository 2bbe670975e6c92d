"""What earlier check-ins still say today: signs that are not resolved, and held findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import groupby

from patient_portal.domain.combined import Sign
from patient_portal.domain.course import Course, Earlier, check_in_before, in_window, known_day
from patient_portal.domain.facts import facts_of_earlier, readings_of, weight_in
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.plan import Cell, CountedSign, CountedWay, Plan, holds, plan_for
from patient_portal.domain.protocol import Protocol

# Below this a lower temperature is the worse one. Between the protocol's normal limits.
_MIDDLE_F = Decimal("98.6")


@dataclass(frozen=True)
class Past:
    """The earlier check-ins of one course, looked at from today. `history` is oldest first."""

    protocol: Protocol
    plan: Plan
    course: Course
    window: str
    history: tuple[Earlier, ...]

    @cached_property
    def _seen(self) -> dict[tuple[int, bool], set[str]]:
        """Facts by the check-in's identity, as far as they were asked for."""
        return {}

    def facts(self, earlier: Earlier, *, weight: bool = True) -> set[str]:
        """What one of them said; its weight is compared only if that is asked for."""
        key = (id(earlier), weight)
        if key not in self._seen:
            window = self.window if weight else None
            self._seen[key] = facts_of_earlier(self.plan, earlier, self.course, window)
        return self._seen[key]

    def before(self, within_days: int) -> tuple[Earlier, ...]:
        """The check-ins of the last earlier date, if it is no further back."""
        return check_in_before(self.history, within_days)

    def facts_before(self, within_days: int) -> set[str]:
        """What they said together: of several check-ins of a day the worst counts."""
        return set().union(*(self.facts(earlier) for earlier in self.before(within_days)))

    def unresolved(self, today: Set[str], shown: Collection[str]) -> set[str]:
        """Ids of the signs of earlier days that still count; `shown` are today's own."""
        days = self._days
        return {
            sign.id
            for sign in self.plan.signs
            if sign.id not in shown and self._is_unresolved(sign, today, days)
        }

    @cached_property
    def in_nobodys_hands(self) -> set[str]:
        """Ids of the signs of check-ins that no person of the team has closed."""
        open_ones = [one for day in self._days for one in day if not one.is_closed]
        return {
            sign.id
            for sign in self.plan.signs
            if any(sign.is_there(self.facts(one, weight=sign.by_weight)) for one in open_ones)
        }

    @cached_property
    def _days(self) -> list[list[Earlier]]:
        """The check-ins of the days looked back on, latest day first, in order within a day."""
        limit = self.protocol.beyond.look_back.days
        near = [one for one in self.history if one.days_ago < limit]
        near.sort(key=lambda one: one.days_ago)
        return [list(day) for _, day in groupby(near, key=lambda one: one.days_ago)]

    def _is_unresolved(
        self, sign: CountedSign, today: Set[str], days: Iterable[list[Earlier]]
    ) -> bool:
        """From today back to the last day with the sign: was it named, or calm for long enough?"""
        said = [[self.facts(one, weight=sign.by_weight) for one in day] for day in days]
        if not any(sign.is_there(facts) for day in said for facts in day):
            return False
        return any(self._is_way_open(sign, way, today, said) for way in sign.ways)

    def _is_way_open(
        self, sign: CountedSign, way: CountedWay, today: Set[str], said: list[list[set[str]]]
    ) -> bool:
        enough = self.protocol.beyond.look_back.calm_days
        run = int(sign.is_calm(way, today))
        for day, heard in zip(self._days, said, strict=True):
            if run >= enough:
                return False
            showing = [n for n, facts in enumerate(heard) if holds(way.when, facts)]
            naming = [n for n, one in enumerate(day) if sign.id in one.resolved]
            if naming and (not showing or naming[-1] >= showing[-1]):
                return False
            if showing:
                return True
            if day[0].days_ago > 0:  # a calm earlier check-in of today is no day of its own
                run = run + 1 if any(sign.is_calm(way, facts) for facts in heard) else 0
        return False


def standing_signs(protocol: Protocol, course: Course) -> tuple[Sign, ...]:
    """The signs of the course's check-ins, today's too, that still count: nobody resolved them.

    Raises what is listed in `domain.unreadable` for stored answers that no rule can read.
    """
    plan = plan_for(protocol)
    drug = next((one for one in protocol.drugs if one.code == course.drug), None)
    window = "in" if drug is None or in_window(drug, course) else "out"
    still = Past(protocol, plan, course, window, course.history).unresolved(frozenset(), ())
    return tuple(sign for sign in protocol.beyond.signs if sign.id in still)


@dataclass(frozen=True)
class Held:
    """What a person of the team closed with a time to look again that has not come.

    An urgent finding that was urgent then and is no worse now is watch until that time.
    """

    past: Past
    cells: Mapping[str, tuple[Cell, ...]]
    answers: Mapping[str, object]
    facts: Set[str]

    @cached_property
    def closing(self) -> tuple[Earlier, ...]:
        """The check-ins that were closed so."""
        return tuple(earlier for earlier in self.past.history if earlier.recheck)

    @cached_property
    def closing_facts(self) -> set[str]:
        """What they said."""
        return set().union(*(self.past.facts(earlier) for earlier in self.closing))

    @cached_property
    def signs(self) -> set[str]:
        """The signs they showed."""
        return {s.id for s in self.past.plan.signs if s.is_there(self.closing_facts)}

    @cached_property
    def _levels(self) -> Mapping[str, TriageLevel]:
        """The level each item had by itself."""
        day = known_day(self.past.course)
        levels: dict[str, TriageLevel] = {}
        for own in self.closing_facts:
            for cell in self.cells.get(own, ()):
                if cell.holds(self.closing_facts, day):
                    item, level = cell.rule.item, cell.rule.level
                    levels[item] = max(level, levels.get(item, TriageLevel.NONE))
        return levels

    def was_urgent(self, item: str) -> bool:
        """Whether the item by itself was urgent or worse when it was closed."""
        return self._levels.get(item, TriageLevel.NONE) >= TriageLevel.URGENT

    def is_no_worse(self, item: str) -> bool:
        """Whether today's answers to the item are at most as bad as those that were closed."""
        if item == "weight":
            return self._weight_is_no_higher()
        plan = self.past.plan
        if item in plan.units:
            return self._reading_is_no_worse(item)
        return all(
            self._was_as_bad(item, fact) for fact in self.facts if fact.startswith(f"{item}=")
        )

    def _was_as_bad(self, item: str, fact: str) -> bool:
        if fact in self.closing_facts:
            return True
        grades = self.past.plan.grades
        if fact not in grades:
            return False
        now = grades[fact][1]
        return any(
            grades[then][0] == item and grades[then][1] >= now
            for then in self.closing_facts
            if then in grades
        )

    def _weight_is_no_higher(self) -> bool:
        then = [w.kilograms for one in self.closing if (w := weight_in(one.answers)) is not None]
        now = weight_in(self.answers)
        return now is not None and bool(then) and now.kilograms <= max(then)

    def _reading_is_no_worse(self, item: str) -> bool:
        plan = self.past.plan
        now = [_plain(m.value, m.unit) for m in readings_of(plan, self.answers, item)]
        then = [
            _plain(m.value, m.unit)
            for one in self.closing
            for m in readings_of(plan, one.answers, item)
        ]
        if not now or not then:
            return False
        is_high = item == "temperature" and max(now) >= _MIDDLE_F
        return max(now) <= max(then) if is_high else min(now) >= min(then)


def _plain(value: Decimal, unit: str) -> Decimal:
    """A temperature in Fahrenheit, exactly; any other reading as it is."""
    return value * 9 / 5 + 32 if unit == "c" else value
