"""Every answer that the protocol knows, and every band of its numbers, enumerated from the file.

An answer here is called a stone: a small set of keys and values that says one thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from typing import Any, NamedTuple

from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import NOT_SURE, UNKNOWN_DRUG, Band, Drug, Protocol

HAIR = Decimal("0.1")
# Bands that are open at one side are probed this far from their limit.
FAR = {"c": Decimal(3), "f": Decimal(5), "percent": Decimal(40), "mmhg": Decimal(40)}
START = {"kg": Decimal(80), "lb": Decimal(180)}
Answers = dict[str, Any]


class Stone(NamedTuple):
    """One answer: its item, its name, and what is posted for it. `weights` are earlier ones."""

    item: str
    name: str
    answers: Answers
    weights: tuple[tuple[int, Measure], ...] = ()
    baseline: Measure | None = None


def stones(protocol: Protocol) -> list[Stone]:
    """Every option of every item, "not sure" too, and a value in every band in each unit."""
    found = [*word_stones(protocol), *reading_stones(protocol), *weight_stones()]
    names = [stone.name for stone in found]
    assert len(names) == len(set(names))
    return found


def word_stones(protocol: Protocol) -> Iterator[Stone]:
    for item in protocol.items:
        if item.kind == "flags":
            for value in item.values:
                yield Stone(item.key, f"{item.key}={value}", {item.key: [value]})
        elif item.kind in ("choice", "flag"):
            more = [] if item.not_sure is None else [NOT_SURE]
            for value in [*item.values, *more]:
                yield Stone(item.key, f"{item.key}={value}", {item.key: value})
        else:
            yield Stone(item.key, f"{item.key}=not_measured", {item.key: "not_measured"})


def reading_stones(protocol: Protocol) -> Iterator[Stone]:
    """The lowest and the highest reading of every band of temperature, oxygen, pressure."""
    units = {"c": "temperature_c", "f": "temperature_f"}
    for gauge in protocol.gauges:
        if gauge.kind != "reading":
            continue
        for band in (one for one in protocol.bands if one.gauge == gauge.id):
            for unit in gauge.units:
                for value in ends(band, unit):
                    key = units.get(unit, gauge.item)
                    yield Stone(gauge.item, f"{band.id} {value} {unit}", {key: value})


def ends(band: Band, unit: str) -> list[Decimal]:
    """The first and the last value of a band, one step of a device apart from the next one."""
    low, high = band.lower.get(unit), band.upper.get(unit)
    step = HAIR if unit in ("c", "f") else Decimal(1)
    if low is None:
        assert high is not None
        return [high - step, high - FAR[unit]]
    return [low, low + FAR[unit] if high is None else high - step]


# Gains in kilograms that fall in each pattern of the weight bands: (days ago, gain).
PATTERNS: dict[str, tuple[tuple[int, str], ...]] = {
    "steady": ((7, "0"), (3, "0"), (1, "0")),
    "1.4 in a day": ((1, "1.4"),),
    "1.0 in 3 days": ((3, "1.0"),),
    "2.0 in 3 days": ((3, "2.0"),),
    "1.5 in 7 days": ((7, "1.5"),),
    "2.3 in 7 days": ((7, "2.3"),),
    "4.5 in 7 days": ((7, "4.5"),),
    "rise of 1.0": ((3, "1.0"), (2, "0.6"), (1, "0.3")),
    "rise of 1.5": ((3, "1.5"), (2, "1.0"), (1, "0.5")),
    "loss of 2.0": ((3, "-2.0"),),
}
POUNDS = {
    "0": "0", "0.3": "0.7", "0.5": "1.1", "0.6": "1.4", "1.0": "2.2", "1.4": "3.0", "1.5": "3.3",
    "2.0": "4.4", "2.3": "5.0", "4.5": "10.0", "-2.0": "-4.4", "3.0": "6.6", "5.0": "11.0",
}  # fmt: skip


def weight_stones() -> Iterator[Stone]:
    """Every pattern of gain and loss in each unit, and each limit over the baseline."""
    for unit, start in START.items():
        for name, gains in PATTERNS.items():
            weights = tuple(
                (-days, Measure(start - in_unit(gain, unit), unit)) for days, gain in gains
            )
            yield Stone("weight", f"weight {name} {unit}", weighed(start, unit), weights)
        for over in ("3.0", "5.0"):
            base = Measure(start - in_unit(over, unit), unit)
            yield Stone("weight", f"{over} over baseline {unit}", weighed(start, unit), (), base)
    # 3 % and 5 % of a small body: less than the limits in kilograms.
    for days, now in ((3, "41.2"), (7, "42.0")):
        small = Measure(Decimal(40), "kg")
        yield Stone(
            "weight", f"small body, {days} days", weighed(Decimal(now), "kg"),
            ((-days, small),), small,
        )  # fmt: skip


def in_unit(kilograms: str, unit: str) -> Decimal:
    """A limit in kilograms as it stands in the other unit."""
    return Decimal(kilograms if unit == "kg" else POUNDS[kilograms])


def weighed(value: Decimal, unit: str) -> Answers:
    return {"weight": value, "weight_unit": unit}


def pairs(found: list[Stone]) -> Iterator[tuple[Stone, Stone]]:
    """Every two answers to different items."""
    for one, other in combinations(found, 2):
        if one.item != other.item:
            yield one, other


def in_and_out(drug: Drug) -> dict[str, int | None]:
    """The first and last day of the window and the next, and of the early bleed."""
    if drug.window is None:
        return {"unknown day": None, "day 31": 31}
    first, last = drug.window
    return {"unknown day": None, "first": first, "31": 31, "last": last, "out": last + 1}


def columns(drug: Drug) -> tuple[object, ...]:
    """All that the rules know of a medicine beside its window."""
    return drug.qt, drug.apl, drug.lists


def one_of_each_kind(protocol: Protocol) -> list[Drug]:
    """A medicine for each set of columns, and the unknown one."""
    found = {columns(drug): drug for drug in protocol.drugs if drug.code != UNKNOWN_DRUG}
    return [*found.values(), protocol.drug(UNKNOWN_DRUG)]
