"""The same protocol without its amendments against noise, to measure what each of them saves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from patient_portal.cohort.judging import Judge
from patient_portal.domain.combined import Kind
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import Condition, Protocol

CROSSING, STANDING = "crossing", "over_baseline"
RISE = "rise"


def variants_of(protocol: Protocol) -> dict[str, Judge]:
    """The protocol as first written, then with one amendment after the other, by name."""
    first = with_every_kind(without_steady_weights(protocol))
    return {
        "before amendments 5, 7 and 10": Judge(first, recheck_days=0),
        "with 5 (steady weights)": Judge(with_every_kind(protocol), recheck_days=0),
        "with 5 and 7 (kinds)": Judge(protocol, recheck_days=0),
    }


def without_steady_weights(protocol: Protocol) -> Protocol:
    """Gains counted from the lowest single reading, bands over baseline on every day, and three
    rising readings instead of four."""
    changed = {
        gauge.id: replace(gauge, kind=STANDING)
        if gauge.kind == CROSSING
        else replace(gauge, days=(gauge.days or 0) - 1)
        for gauge in protocol.gauges
        if gauge.kind in (CROSSING, RISE)
    }
    return replace(
        protocol,
        bands=tuple(replace(band, against="lowest") for band in protocol.bands),
        gauges=tuple(changed.get(gauge.id, gauge) for gauge in protocol.gauges),
    )


def with_every_kind(protocol: Protocol) -> Protocol:
    """Every finding that is at watch somewhere counts towards "more than one" and "again"."""
    conditions = tuple(_other_findings(protocol))
    kinds = tuple(Kind(one.id, one.id, (one.id,)) for one in conditions)
    beyond = replace(protocol.beyond, kinds=protocol.beyond.kinds + kinds)
    return replace(protocol, conditions=protocol.conditions + conditions, beyond=beyond)


def _other_findings(protocol: Protocol) -> Iterator[Condition]:
    """A condition for each item or band at watch that is no kind yet."""
    known = {kind.id for kind in protocol.beyond.kinds} | {"weight_gain"}
    for item in protocol.items:
        rules = [
            rule
            for rule in protocol.cells
            if rule.item == item.key and rule.level >= TriageLevel.WATCH
        ]
        watch = [rule for rule in rules if rule.level is TriageLevel.WATCH]
        values = tuple(dict.fromkeys(value for rule in rules for value in rule.values))
        if any(rule.values for rule in watch) and item.key not in known:
            yield Condition(f"every_{item.key}", item=item.key, values=values)
        bands = tuple(dict.fromkeys(rule.band for rule in watch if rule.band))
        covered = {band for one in protocol.conditions for band in one.bands}
        rest = tuple(band for band in bands if band not in covered)
        if rest:
            yield Condition(f"every_{item.key}_band", item=item.key, bands=rest)
