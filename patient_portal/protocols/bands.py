"""Bands must cover every number once, in each unit, and mean the same in both units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from patient_portal.domain.measures import KG_PER_LB
from patient_portal.domain.plan import WINDOWS
from patient_portal.domain.protocol import Band, Protocol
from patient_portal.protocols.tables import Table

# How far the pound's or Fahrenheit's limit may lie from the exact conversion: the width of
# one step of a scale or thermometer.
_TOLERANCE = Decimal("0.1")
_Placed = tuple[Band, Table]


def check_bands(protocol: Protocol, tables: Mapping[str, list[Table]]) -> None:
    """Raise ProtocolError for a gap, an overlap, or a limit that looks like another unit's."""
    placed = list(zip(protocol.bands, tables["band"], strict=True))
    for band, row in placed:
        _check_twins(band.lower, row, "from")
        _check_twins(band.upper, row, "below")
    for gauge, gauge_row in zip(protocol.gauges, tables["gauge"], strict=True):
        _check_twins(gauge.step, gauge_row, "step")
        mine = [(band, row) for band, row in placed if band.gauge == gauge.id]
        if gauge.kind == "reading":
            for band, row in mine:
                if band.window != "any":
                    raise row.fail("a reading's bands are the same in any window", "window")
        for window in WINDOWS:
            side = [(band, row) for band, row in mine if band.window in ("any", window)]
            if not side:
                raise gauge_row.fail(f"has no band ({window} window)")
            for unit in gauge.units:
                _check_cover(side, unit, window)


def _check_cover(placed: Sequence[_Placed], unit: str, window: str) -> None:
    """From open below to open above, each band beginning where the one before ends."""
    lowest = Decimal("-Infinity")
    ordered = sorted(placed, key=lambda one: one[0].lower.get(unit, lowest))
    where = f"in {unit}, {window} window"
    first, first_row = ordered[0]
    if first.lower:
        raise first_row.fail(f"nothing lies below {first.lower[unit]} ({where})", "from")
    for (band, row), (after, after_row) in pairwise(ordered):
        end, start = band.upper.get(unit), after.lower.get(unit)
        if end is None or start is None or start < end:
            raise after_row.fail(f"overlaps {band.id} ({where})", "from")
        if start > end:
            raise after_row.fail(f"leaves a gap from {end} to {start} ({where})", "from")
        if band.lower and band.lower[unit] >= end:
            raise row.fail(f"is empty ({where})", "below")
    last, last_row = ordered[-1]
    if last.upper:
        raise last_row.fail(f"nothing lies at {last.upper[unit]} and above ({where})", "below")


def _check_twins(limits: Mapping[str, Decimal], row: Table, key: str) -> None:
    if "c" in limits:
        exact = limits["c"] * 9 / 5 + 32
        _check_close(limits["f"], exact, f"{limits['c']} °C is {exact.normalize()} °F", row, key)
    if "kg" in limits:
        exact = (limits["kg"] / KG_PER_LB).quantize(Decimal("0.01"))
        _check_close(limits["lb"], exact, f"{limits['kg']} kg is {exact} lb", row, key)


def _check_close(given: Decimal, exact: Decimal, said: str, row: Table, key: str) -> None:
    if abs(given - exact) > _TOLERANCE:
        raise row.fail(f"{key!r}: {said}, not {given}", key)
