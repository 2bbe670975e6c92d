"""What a protocol must fulfil as a whole, beyond the form of each table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.plan import WINDOWS
from patient_portal.domain.protocol import (
    NOT_MEASURED,
    NOT_SURE,
    UNKNOWN_DRUG,
    USUAL,
    Band,
    Drug,
    Item,
    Protocol,
    Rule,
    Value,
)
from patient_portal.protocols.band_levels import check_band_levels
from patient_portal.protocols.bands import check_bands
from patient_portal.protocols.beyond_checks import (
    check_beyond,
    check_rule_ids,
    conditions_asked,
    lines_by_rule,
)
from patient_portal.protocols.tables import Table, known_only, value_shown

Tables = Mapping[str, list[Table]]
NAMES = {"drug": "code", "item": "key", "tick": "value"}
# Tables of which there is one, or whose rows have no name.
# What a check-in and an alert keep to say by which rules they were judged.
ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,19}")
NAMELESS = ("protocol", "sign_off", "look_back", "silence", "windows")


def check(protocol: Protocol, tables: Tables) -> None:
    """Raise ProtocolError for the first thing that cannot be right, at its own line."""
    for table, rows in tables.items():
        if table not in NAMELESS:
            _check_unique(rows, NAMES.get(table, "id"))
    _check_head(protocol, tables["protocol"][0])
    check_rule_ids(tables)
    _check_drugs(protocol, tables["drug"])
    for item, row in zip(protocol.items, tables["item"], strict=True):
        _check_item(protocol, item, row)
    for tick, row in zip(protocol.ticks, tables["tick"], strict=True):
        known_only(row, "items", tick.items, _keys(protocol))
    for gauge, row in zip(protocol.gauges, tables["gauge"], strict=True):
        known_only(row, "item", [gauge.item], _keys(protocol))
    check_bands(protocol, tables)
    _check_conditions(protocol, tables["condition"])
    for rule, row in zip(protocol.rules, tables["rule"], strict=False):
        _check_rule(protocol, rule, row)
        _check_red_flag(rule, protocol, row)
        _check_words_for_unsure(protocol, rule, row)
    check_beyond(protocol, tables)
    _check_all_asked(protocol, tables["condition"])
    _check_every_answer(protocol, tables)


def _check_head(protocol: Protocol, row: Table) -> None:
    if not ID.fullmatch(protocol.id):
        raise row.fail("'id' must be 1 to 20 small letters, digits, points and hyphens", "id")
    if not protocol.authors:
        raise row.fail("has no author", "authors")


def _keys(protocol: Protocol) -> list[str]:
    return [item.key for item in protocol.items]


def _check_unique(rows: Sequence[Table], key: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        name = row.values[key]
        if name in seen:
            raise row.fail(f"{key} {name!r} is already used on line {seen[name]}", key)
        seen[name] = row.line


def _check_drugs(protocol: Protocol, rows: Sequence[Table]) -> None:
    known = {source.id for source in protocol.sources}
    for drug, row in zip(protocol.drugs, rows, strict=True):
        known_only(row, "lists", drug.lists, _keys(protocol))
        _check_sources(row, drug.sources, known)
        if (drug.window is None) is not (drug.code == UNKNOWN_DRUG):
            raise row.fail(f"only {UNKNOWN_DRUG!r} has no window, and it must have none", "window")
        if drug.code == UNKNOWN_DRUG:
            others = [other for other in protocol.drugs if other.code != UNKNOWN_DRUG]
            _check_union(drug, others, row)
    if UNKNOWN_DRUG not in [drug.code for drug in protocol.drugs]:
        raise rows[-1].fail(f"after it, the medicine {UNKNOWN_DRUG!r} is missing")


def _check_union(unknown: Drug, others: Sequence[Drug], row: Table) -> None:
    qt, apl = any(drug.qt for drug in others), any(drug.apl for drug in others)
    lists = frozenset().union(*(drug.lists for drug in others))
    if not (unknown.qt >= qt and unknown.apl >= apl and unknown.lists >= lists):
        raise row.fail("must have every column that another medicine has")


def _check_sources(row: Table, sources: Sequence[str], known: Iterable[str]) -> None:
    if not sources:
        raise row.fail("has no source", "sources")
    known_only(row, "sources", sources, sorted(known))


def _check_item(protocol: Protocol, item: Item, row: Table) -> None:
    values = [option.value for option in item.options]
    if len({(type(value), value) for value in values}) != len(values):
        raise row.fail("an option is given twice", "options")
    answers = [value for value in values if value != NOT_SURE]
    if item.kind == "flag" and sorted(map(str, answers)) != ["False", "True"]:
        raise row.fail("a flag has the options false and true", "options")
    if item.kind in ("choice", "flags") and not (
        len(answers) > 1 and all(isinstance(value, str) for value in answers)
    ):
        raise row.fail(f"a {item.kind} has two or more options, each a word", "options")
    if item.kind not in ("choice", "flag", "flags") and answers != [NOT_MEASURED]:
        raise row.fail(f"a number has the one option {NOT_MEASURED!r}", "options")
    if item.kind in ("choice", "flag") and item.not_sure is None:
        raise row.fail("'not_sure' is missing: what does it count as?")
    known_only(row, "not_sure", [] if item.not_sure is None else [item.not_sure], answers)
    known_only(row, "worse", item.worse, answers)
    if item.not_sure in (False, USUAL, *item.worse[:1]):
        raise row.fail("'not_sure' must count as the mildest sign, never as none", "not_sure")
    if item.follows:
        known_only(row, "follows", [item.follows.item], _keys(protocol))
        first = protocol.item(item.follows.item)
        known_only(row, "follows", item.follows.values, [o.value for o in first.options])


def _check_conditions(protocol: Protocol, rows: Sequence[Table]) -> None:
    known: list[str] = []
    for condition, row in zip(protocol.conditions, rows, strict=True):
        if condition.item:
            known_only(row, "item", [condition.item], _keys(protocol))
            known_only(row, "is", condition.values, protocol.item(condition.item).values)
            known_only(row, "bands", condition.bands, _bands_of(protocol, condition.item))
        # Only earlier ones, so that none can lead back to itself.
        known_only(row, "any_of", condition.any_of, known)
        known_only(row, "all_of", condition.all_of, known)
        known.append(condition.id)


def _check_all_asked(protocol: Protocol, rows: Sequence[Table]) -> None:
    asked = {id for rule in protocol.rules for id in rule.needs}
    asked |= {id for one in protocol.conditions for id in (*one.any_of, *one.all_of)}
    asked |= conditions_asked(protocol)
    for condition, row in zip(protocol.conditions, rows, strict=True):
        if condition.id not in asked:
            raise row.fail("is asked for by nothing", "id")


def _bands_of(protocol: Protocol, item: str) -> list[str]:
    gauges = {gauge.id for gauge in protocol.gauges if gauge.item == item}
    return [band.id for band in protocol.bands if band.gauge in gauges]


def _check_rule(protocol: Protocol, rule: Rule, row: Table) -> None:
    known_only(row, "item", [rule.item], _keys(protocol))
    if bool(rule.values) is bool(rule.band):
        raise row.fail("must have either 'is' or 'band'")
    if rule.band:
        known_only(row, "band", [rule.band], _bands_of(protocol, rule.item))
        if rule.window != "any":
            raise row.fail("the window of a number is set by its band", "window")
    known_only(row, "is", rule.values, protocol.item(rule.item).values)
    known_only(row, "with", rule.needs, [c.id for c in protocol.conditions])
    _check_sources(row, rule.sources, [source.id for source in protocol.sources])


def _check_red_flag(rule: Rule, protocol: Protocol, row: Table) -> None:
    """The first screen promises that each of its signs is an emergency."""
    is_flags = protocol.item(rule.item).kind == "flags"
    if is_flags and rule.values != ("none",) and rule.level is not TriageLevel.EMERGENCY:
        raise row.fail("each sign of the first screen is an emergency", "level")


def _check_words_for_unsure(protocol: Protocol, rule: Rule, row: Table) -> None:
    """An emergency that "not sure" can lead to must not be told to the operator as certain."""
    if rule.level is not TriageLevel.EMERGENCY or rule.say_unsure:
        return
    conditions = {condition.id: condition for condition in protocol.conditions}
    asked = [(rule.item, rule.values)]
    needed = [conditions[id] for id in rule.needs]
    while needed:
        one = needed.pop()
        asked.append((one.item, one.values))
        needed += [conditions[id] for id in (*one.any_of, *one.all_of)]
    counts_as = {item.key: item.not_sure for item in protocol.items if item.not_sure is not None}
    for key, values in asked:
        if key in counts_as and counts_as[key] in values:
            raise row.fail(f"'say_unsure' is missing: {key!r} can be answered {NOT_SURE!r}")


def _check_every_answer(protocol: Protocol, tables: Tables) -> None:
    """Each answer and band has exactly one plain rule, and no level falls where it must not."""
    plain = [rule for rule in protocol.rules if rule.is_plain]
    lines = lines_by_rule(protocol.rules, tables)
    for drug in protocol.drugs:
        for item, row in zip(protocol.items, tables["item"], strict=True):
            for value in _asked(item):
                found = [r for r in plain if r.item == item.key and value in r.values]
                in_, out = (
                    _the_one(found, drug, window, row, f"answer {value_shown(value)}", lines)
                    for window in WINDOWS
                )
                if out.level > in_.level:
                    raise lines[id(out)].fail(
                        f"{value_shown(value)} for {drug.code} is worse outside the window"
                        " than inside"
                    )
            for window in WINDOWS:
                _check_chain(item, plain, drug, window, lines)
        for band, row in zip(protocol.bands, tables["band"], strict=True):
            for window in _windows(band):
                _the_one([r for r in plain if r.band == band.id], drug, window, row, "it", lines)
    check_band_levels(protocol, lines)


def _asked(item: Item) -> Iterator[Value]:
    if item.kind in ("choice", "flag", "flags"):
        yield from item.values


def _windows(band: Band) -> tuple[str, ...]:
    return WINDOWS if band.window == "any" else (band.window,)


def _the_one(
    rules: Sequence[Rule], drug: Drug, window: str, row: Table, what: str,
    lines: Mapping[int, Table],
) -> Rule:  # fmt: skip
    found = [r for r in rules if r.window in ("any", window) and drug.matches(r.drugs, r.item)]
    where = f"for {drug.code}, {'inside' if window == 'in' else 'outside'} the window"
    if not found:
        raise row.fail(f"no rule classifies {what} {where}")
    if len(found) > 1:
        named = " and ".join(rule.id for rule in found)
        raise lines[id(found[1])].fail(f"{named} both classify {what} of {row.name} {where}")
    return found[0]


def _check_chain(
    item: Item, plain: Sequence[Rule], drug: Drug, window: str, lines: Mapping[int, Table]
) -> None:
    highest = TriageLevel.NONE
    for value in item.worse:
        rule = next(
            r
            for r in plain
            if r.item == item.key
            and value in r.values
            and r.window in ("any", window)
            and drug.matches(r.drugs, r.item)
        )
        if rule.level < highest:
            raise lines[id(rule)].fail(
                f"{value_shown(value)} is {rule.level.code} for {drug.code}, but a milder answer of"
                f" {item.key} is {highest.code}",
                "level",
            )
        highest = rule.level
