"""A worse number never means less, and none means more outside the window than inside.

`checks` has seen to it by now that each band has exactly one plain rule for each medicine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.plan import WINDOWS
from patient_portal.domain.protocol import Band, Drug, Gauge, Protocol, Rule
from patient_portal.protocols.tables import ProtocolError, Table

_LOWEST = Decimal("-Infinity")
_Judged = tuple[Band, Rule]


def check_band_levels(protocol: Protocol, lines: Mapping[int, Table]) -> None:
    """Raise ProtocolError at the rule whose level falls; `lines` has each rule's table."""
    for gauge in protocol.gauges:
        for drug in protocol.drugs:
            inside, outside = (_judged(protocol, gauge, drug, window) for window in WINDOWS)
            for judged in (inside, outside):
                _check_ends(gauge, judged, drug, lines)
            _check_sides(gauge, inside, outside, drug, lines)


def _judged(protocol: Protocol, gauge: Gauge, drug: Drug, window: str) -> list[_Judged]:
    """The bands of one side from low to high, each with the rule that gives its level."""
    unit = gauge.units[0]
    plain = [
        rule
        for rule in protocol.rules
        if rule.is_plain and rule.band and drug.matches(rule.drugs, rule.item)
    ]
    bands = [
        band for band in protocol.bands if band.gauge == gauge.id and band.window in ("any", window)
    ]
    bands.sort(key=lambda band: band.lower.get(unit, _LOWEST))
    return [(band, next(rule for rule in plain if rule.band == band.id)) for band in bands]


def _check_ends(
    gauge: Gauge, judged: Sequence[_Judged], drug: Drug, lines: Mapping[int, Table]
) -> None:
    """From the calmest band outward (or from the other end), no level is below the one before."""
    middle = (len(judged) - 1) / 2
    calmest = min(
        range(len(judged)), key=lambda place: (judged[place][1].level, abs(place - middle))
    )
    start = {"high": 0, "low": len(judged) - 1, "both": calmest}[gauge.worse]
    for way in (judged[start:], judged[start::-1]):
        for (milder, before), (_, rule) in pairwise(way):
            if rule.level < before.level:
                raise _falls(
                    rule, lines,
                    f"for {drug.code}, but {milder.id}, which is less far out, is"
                    f" {before.level.code}",
                )  # fmt: skip


def _check_sides(
    gauge: Gauge,
    inside: Sequence[_Judged],
    outside: Sequence[_Judged],
    drug: Drug,
    lines: Mapping[int, Table],
) -> None:
    unit = gauge.units[0]
    limits = {band.lower.get(unit, _LOWEST) for band, _ in (*inside, *outside)}
    for limit in sorted(limits):
        within, beyond = (_at(limit, unit, side) for side in (inside, outside))
        if within.level < beyond.level:
            raise _falls(
                within, lines, f"for {drug.code}, but outside the window it is {beyond.level.code}"
            )


def _at(limit: Decimal, unit: str, judged: Iterable[_Judged]) -> Rule:
    return [rule for band, rule in judged if band.lower.get(unit, _LOWEST) <= limit][-1]


def _falls(rule: Rule, lines: Mapping[int, Table], reason: str) -> ProtocolError:
    level: TriageLevel = rule.level
    return lines[id(rule)].fail(f"{rule.band} is {level.code} {reason}", "level")
