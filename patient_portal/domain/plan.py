"""A protocol made ready for evaluation: for each medicine and side of the window, which rules
each answer can fire. Made once per protocol, so that one triage is a handful of look-ups.

An answer is turned into a fact such as "cough=new" or "temperature=temperature_fever"; a rule
fires when its own fact holds and, if it needs more, when one of its conditions holds too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from patient_portal.domain.combined import Combination
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import NOT_SURE, USUAL, Condition, Protocol, Rule, Value
from patient_portal.domain.weights import Limit, Scale, scale_of

WINDOWS = ("in", "out")
YESTERDAY = "yesterday."
MISSING = "missing"
MEASURED = "measured"

# Facts of which one must hold; a conjunction needs one out of each; one conjunction is enough.
OneOf = frozenset[str]
Conjunction = tuple[OneOf, ...]


def fact(subject: str, value: Value) -> str:
    """The name of a fact: an item or gauge, and its value or band."""
    return f"{subject}={str(value).lower() if isinstance(value, bool) else value}"


def setting_fact(name: str) -> str:
    """The name of the fact that a site setting is on."""
    return fact("setting", name)


@dataclass(frozen=True, slots=True)
class Cell:
    """A rule as it stands for one medicine and side of the window; `order` is the file's."""

    order: int
    rule: Rule
    needs: tuple[Conjunction, ...] | None

    def holds(self, facts: Set[str], day: int | None) -> bool:
        """Whether the rule fires, given that its own fact holds. An unknown day is early."""
        until = self.rule.until_day
        if until is not None and day is not None and day > until:
            return False
        return self.needs is None or holds(self.needs, facts)


def holds(conjunctions: Iterable[Conjunction], facts: Set[str]) -> bool:
    """Whether one of the conjunctions has, of each of its parts, a fact that holds."""
    return any(
        all(not one_of.isdisjoint(facts) for one_of in conjunction) for conjunction in conjunctions
    )


@dataclass(frozen=True, slots=True)
class CountedWay:
    """A way in which a sign shows, made ready; `calm` is what could have shown it and did not."""

    when: tuple[Conjunction, ...]
    calm: tuple[Conjunction, ...]


@dataclass(frozen=True, slots=True)
class CountedSign:
    """A sign made ready: when it is there, and when a check-in is calm about it."""

    id: str
    kind: str
    when: tuple[Conjunction, ...]
    ways: tuple[CountedWay, ...]
    unless: tuple[Conjunction, ...]
    by_weight: bool  # whether a weight can show it

    def is_there(self, facts: Set[str]) -> bool:
        """Whether a check-in with these facts shows the sign."""
        return holds(self.when, facts)

    def is_calm(self, way: CountedWay, facts: Set[str]) -> bool:
        """Whether it answers that there is none; what is not answered is not calm."""
        return holds(way.calm, facts) and not self.is_there(facts) and not holds(self.unless, facts)


@dataclass(frozen=True, slots=True)
class Together:
    """A combination made ready."""

    combination: Combination
    rule: Rule
    today: tuple[Conjunction, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Look-up tables of one protocol."""

    facts: Mapping[str, Mapping[Value, str]]  # item -> value -> fact
    cells: Mapping[tuple[str, str], Mapping[str, tuple[Cell, ...]]]  # (drug, window) -> fact ->
    weights: Mapping[str, tuple[Scale, ...]]  # window -> weight gauges
    readings: Mapping[str, tuple[Limit, ...]]  # item -> bands of the reading, highest first
    units: Mapping[str, tuple[str, ...]]  # item -> units of its reading
    band_facts: Mapping[str, str]  # band -> fact
    no_temperature: str
    # Facts of rules that ask about the check-in before; without one of them nobody need look.
    asks_yesterday: frozenset[str]
    of_yesterday: frozenset[str]  # those rules
    signs: tuple[CountedSign, ...]
    sign_facts: frozenset[str]  # without one of them no sign is there
    kinds: Mapping[str, str]  # fact -> kind of watch finding
    kind_of: Mapping[str, str]  # rule -> its kind of watch finding, if it has one
    together: tuple[Together, ...]
    grades: Mapping[str, tuple[str, int]]  # fact -> its item, and how bad it is along the chain
    bad: frozenset[str]  # the facts of `grades` that are not as good as none
    order: Mapping[str, int]  # rule -> its place in the file


@lru_cache(maxsize=32)
def plan_for(protocol: Protocol) -> Plan:
    """The protocol's tables, made on first use."""
    conditions = {condition.id: condition for condition in protocol.conditions}
    signs = _signs(protocol, conditions)
    grades = _grades(protocol)
    of_yesterday = _of_yesterday(protocol, conditions)
    kinds = {
        one: kind.id
        for kind in protocol.beyond.kinds
        for one in _facts_in(_any(protocol, conditions, kind.when))
    }
    return Plan(
        facts={item.key: _facts_of_item(protocol, item.key) for item in protocol.items},
        cells={
            (drug.code, window): _cells(protocol, drug.code, window)
            for drug in protocol.drugs
            for window in WINDOWS
        },
        weights={window: _scales(protocol, window) for window in WINDOWS},
        readings={
            gauge.item: scale_of(gauge, [b for b in protocol.bands if b.gauge == gauge.id]).limits
            for gauge in protocol.gauges
            if gauge.kind == "reading"
        },
        units={g.item: g.units for g in protocol.gauges if g.kind == "reading"},
        band_facts={band.id: fact(band.gauge, band.id) for band in protocol.bands},
        no_temperature=fact("temperature", MISSING),
        asks_yesterday=frozenset(own for rule in of_yesterday for own in own_facts(protocol, rule)),
        of_yesterday=frozenset(rule.id for rule in of_yesterday),
        signs=signs,
        sign_facts=frozenset(f for sign in signs for f in _facts_in(sign.when)),
        kinds=kinds,
        kind_of={
            rule.id: kinds[own]
            for rule in protocol.cells
            for own in own_facts(protocol, rule)
            if own in kinds
        },
        together=tuple(
            Together(one, protocol.rule(one.rule), _any(protocol, conditions, one.today))
            for one in protocol.beyond.combinations
        ),
        grades=grades,
        bad=frozenset(one for one, (_, grade) in grades.items() if grade),
        order={rule.id: order for order, rule in enumerate(protocol.rules)},
    )


def _any(
    protocol: Protocol, conditions: Mapping[str, Condition], ids: Iterable[str]
) -> tuple[Conjunction, ...]:
    return tuple(c for id in ids for c in conjunctions(protocol, conditions, id))


def _facts_in(conjunctions: Iterable[Conjunction]) -> Iterator[str]:
    for conjunction in conjunctions:
        for one_of in conjunction:
            yield from one_of


def _signs(protocol: Protocol, conditions: Mapping[str, Condition]) -> tuple[CountedSign, ...]:
    def ready(ids: tuple[str, ...]) -> tuple[Conjunction, ...]:
        return _any(protocol, conditions, ids)

    weighing = tuple(gauge.id + "=" for gauge in protocol.gauges if gauge.item == "weight")
    made = []
    for sign in protocol.beyond.signs:
        ways = tuple(CountedWay(ready(way.when), ready(way.calm)) for way in sign.ways)
        when = tuple(conjunction for way in ways for conjunction in way.when)
        by_weight = any(one.startswith(weighing) for one in _facts_in(when))
        made.append(CountedSign(sign.id, sign.kind, when, ways, ready(sign.unless), by_weight))
    return tuple(made)


def _of_yesterday(protocol: Protocol, conditions: Mapping[str, Condition]) -> list[Rule]:
    """The rules that ask about the check-in before."""
    return [
        rule
        for rule in protocol.cells
        if any(f.startswith(YESTERDAY) for f in _facts_in(_any(protocol, conditions, rule.needs)))
    ]


def _grades(protocol: Protocol) -> dict[str, tuple[str, int]]:
    """How bad each answer of a chain is; "usual" is as good as none."""
    grades = {}
    for item in protocol.items:
        grade = 0
        for value in item.worse:
            grade += value != USUAL and value != item.worse[0]
            grades[fact(item.key, value)] = (item.key, grade)
    return grades


def _facts_of_item(protocol: Protocol, key: str) -> dict[Value, str]:
    item = protocol.item(key)
    facts = {value: fact(key, value) for value in item.values}
    if item.not_sure is not None:
        facts[NOT_SURE] = fact(key, item.not_sure)
    return facts


def _scales(protocol: Protocol, window: str) -> tuple[Scale, ...]:
    return tuple(
        scale_of(
            gauge,
            [b for b in protocol.bands if b.gauge == gauge.id and b.window in ("any", window)],
        )
        for gauge in protocol.gauges
        if gauge.kind != "reading"
    )


def _cells(protocol: Protocol, code: str, window: str) -> dict[str, tuple[Cell, ...]]:
    drug = protocol.drug(code)
    conditions = {condition.id: condition for condition in protocol.conditions}
    table: dict[str, list[Cell]] = {}
    for order, rule in enumerate(protocol.cells):
        if rule.level is TriageLevel.NONE or not drug.matches(rule.drugs, rule.item):
            continue
        if rule.window not in ("any", window):
            continue
        needs = _any(protocol, conditions, rule.needs) if rule.needs else None
        for own in own_facts(protocol, rule):
            table.setdefault(own, []).append(Cell(order, rule, needs))
    return {own: tuple(cells) for own, cells in table.items()}


def own_facts(protocol: Protocol, rule: Rule) -> list[str]:
    """The facts that a rule is about: its item's values or its band."""
    if rule.band:
        return [fact(protocol.band(rule.band).gauge, rule.band)]
    return [fact(rule.item, value) for value in rule.values]


def conjunctions(
    protocol: Protocol, conditions: Mapping[str, Condition], id: str
) -> list[Conjunction]:
    """A condition as a list of conjunctions; raises KeyError for one that does not exist."""
    condition = conditions[id]
    if condition.any_of:
        parts = [c for inner in condition.any_of for c in conjunctions(protocol, conditions, inner)]
        single = frozenset().union(*(part[0] for part in parts if len(part) == 1))
        return ([(single,)] if single else []) + [part for part in parts if len(part) > 1]
    if condition.all_of:
        inner = [conjunctions(protocol, conditions, part) for part in condition.all_of]
        return [tuple(o for part in parts for o in part) for parts in product(*inner)]
    return [(frozenset(_simple(protocol, condition)),)]


def _simple(protocol: Protocol, condition: Condition) -> list[str]:
    if condition.setting:
        return [setting_fact(condition.setting)]
    facts = [fact(condition.item, value) for value in condition.values]
    facts += [fact(protocol.band(band).gauge, band) for band in condition.bands]
    if condition.missing:
        facts.append(fact(condition.item, MISSING))
    if condition.measured:
        facts.append(fact(condition.item, MEASURED))
    return [YESTERDAY + one if condition.yesterday else one for one in facts]
