"""What signs, combinations, trends and silence must fulfil, beyond the form of each table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from patient_portal.domain.combined import CORE, MINOR, Combination, Count, Missed, Trend
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.plan import conjunctions
from patient_portal.domain.protocol import Protocol, Rule
from patient_portal.protocols.beyond import RULES, Tables
from patient_portal.protocols.tables import Table, known_only

NEEDED_NOTICES = {
    "same_day": [TriageLevel.WATCH, TriageLevel.URGENT, TriageLevel.EMERGENCY],
    "recheck": [TriageLevel.WATCH],
    "divergence": [TriageLevel.WATCH],
    # A record that cannot be read must never be calm.
    "unreadable": [TriageLevel.URGENT],
}


def check_beyond(protocol: Protocol, tables: Tables) -> None:
    """Raise ProtocolError for the first thing that cannot be right, at its own line."""
    _check_sign_offs(protocol, tables)
    sources = sorted(source.id for source in protocol.sources)
    for name in RULES:
        for row in tables[name]:
            if not row.values["sources"]:
                raise row.fail("has no source", "sources")
            known_only(row, "sources", row.values["sources"], sources)
    for name in ("look_back", "windows", "silence"):
        row = tables[name][0]
        known_only(row, "sources", row.values["sources"], sources)
    conditions = [condition.id for condition in protocol.conditions]
    ways = (way for row in tables["sign"] for way in row.rows("also"))
    for row in (*tables["sign"], *ways, *tables["kind"], *tables["combination"]):
        for key in ("when", "calm", "unless", "today"):
            known_only(row, key, row.values.get(key, ()), conditions)
    _check_kinds(protocol, tables["kind"])
    _check_combinations(protocol, tables["combination"])
    for trend, row in zip(protocol.beyond.trends, tables["trend"], strict=True):
        _check_trend(protocol, trend, row)
    _check_missed(protocol, tables["missed"])
    _check_notices(protocol, tables["notice"])


def conditions_asked(protocol: Protocol) -> set[str]:
    """The conditions that signs, kinds and combinations name."""
    beyond = protocol.beyond
    asked = {id for sign in beyond.signs for id in sign.conditions}
    asked |= {id for kind in beyond.kinds for id in kind.when}
    return asked | {id for one in beyond.combinations for id in one.today}


def _check_sign_offs(protocol: Protocol, tables: Tables) -> None:
    rows = tables["sign_off"]
    if len(rows) != 2:
        raise rows[-1].fail(f"there are {len(rows)} sign-offs; a protocol has two")
    first, second = protocol.sign_offs
    if first.name and first.name.casefold() == second.name.casefold():
        raise rows[1].fail("the two sign-offs must be by two people", "name")
    status = tables["protocol"][0]
    if protocol.is_signed is ("awaiting" in protocol.status):
        signed = "both sign-offs are given" if protocol.is_signed else "a sign-off is missing"
        raise status.fail(f"'status' is {protocol.status!r}, but {signed}", "status")


def _check_kinds(protocol: Protocol, rows: Sequence[Table]) -> None:
    """No finding is of two kinds: it would be counted twice."""
    conditions = {condition.id: condition for condition in protocol.conditions}
    taken: dict[str, str] = {}
    for kind, row in zip(protocol.beyond.kinds, rows, strict=True):
        for id in kind.when:
            for conjunction in conjunctions(protocol, conditions, id):
                for one in frozenset().union(*conjunction):
                    if taken.setdefault(one, kind.id) != kind.id:
                        raise row.fail(f"'when': {one} is of kind {taken[one]} already", "when")


def _check_combinations(protocol: Protocol, rows: Sequence[Table]) -> None:
    """More signs never mean less."""
    placed = list(zip(protocol.beyond.combinations, rows, strict=True))
    have = {
        kind: sum(sign.kind == kind for sign in protocol.beyond.signs) for kind in (CORE, MINOR)
    }
    signs = [sign.id for sign in protocol.beyond.signs]
    for one, row in placed:
        known_only(row, "besides", one.besides, signs)
        for count in one.counts:
            if count.core > have[CORE] or count.minor > have[MINOR]:
                raise row.fail("counts more signs than there are", "counts")
            if count.watch > len(protocol.beyond.kinds):
                raise row.fail("counts more kinds than there are", "counts")
        for other, _ in placed:
            if _asks_more(one, other) and _level(protocol, one) < _level(protocol, other):
                raise row.fail(f"asks for more than {other.rule}, but is milder", "level")


def _asks_more(one: Combination, other: Combination) -> bool:
    """Whether whenever `one` holds `other` must hold, so that its level must not be higher."""
    if one.today or one.besides or other.today or other.besides or one is other:
        return False
    return all(any(_covers(big, small) for small in other.counts) for big in one.counts)


def _covers(big: Count, small: Count) -> bool:
    return big.core >= small.core and big.minor >= small.minor and big.watch >= small.watch


def _level(protocol: Protocol, one: Combination) -> TriageLevel:
    return protocol.rule(one.rule).level


def _check_trend(protocol: Protocol, trend: Trend, row: Table) -> None:
    known_only(row, "items", trend.items, [item.key for item in protocol.items])
    for key in trend.items:
        item = protocol.item(key)
        if not item.worse:
            raise row.fail(f"'items': {key} has no order from mild to bad", "items")
        known_only(row, "before", trend.before, item.worse)
        known_only(row, "after", trend.after, item.worse)
        if trend.kind == "step":
            highest = max(item.worse.index(value) for value in trend.before)
            if highest >= min(item.worse.index(value) for value in trend.after):
                raise row.fail(f"'after' must be worse than 'before' for {key}", "after")


def _check_missed(protocol: Protocol, rows: Sequence[Table]) -> None:
    """More days without a word, or the same after a worse check-in, never mean less."""
    placed = [
        (one, protocol.rule(one.rule), row)
        for one, row in zip(protocol.beyond.missed, rows, strict=True)
    ]
    for one, rule, row in placed:
        for other, milder, _ in placed:
            if _is_more(one, other) and rule.level < milder.level:
                raise row.fail(f"is milder than {milder.id} for no fewer days", "level")


def _is_more(one: Missed, other: Missed) -> bool:
    same_side = one.window == other.window or "any" in (one.window, other.window)
    return same_side and one.days >= other.days and one.after >= other.after


def _check_notices(protocol: Protocol, rows: Sequence[Table]) -> None:
    for kind, levels in NEEDED_NOTICES.items():
        found = [protocol.rule(one.rule).level for one in protocol.beyond.notices[kind]]
        if sorted(found) != levels:
            wanted = ", ".join(level.code for level in levels)
            raise rows[-1].fail(f"notices of kind {kind!r} must have the levels {wanted}")


def rule_rows(tables: Tables) -> list[tuple[str, Table]]:
    """Every row that is a rule, with its table's name, in the order of the protocol's rules."""
    return [(name, row) for name in ("rule", *RULES) for row in tables[name]]


def check_rule_ids(tables: Tables) -> None:
    """No two rules of any table have the same id."""
    seen: dict[str, int] = {}
    for _, row in rule_rows(tables):
        id = row.values["id"]
        if id in seen:
            raise row.fail(f"id {id!r} is already used on line {seen[id]}", "id")
        seen[id] = row.line


def lines_by_rule(rules: Iterable[Rule], tables: Tables) -> Mapping[int, Table]:
    """Each rule's table, by the rule's identity."""
    rows = (row for _, row in rule_rows(tables))
    return {id(rule): row for rule, row in zip(rules, rows, strict=True)}
