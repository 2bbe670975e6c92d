"""Every limit of every number, in each unit, on both sides of it, out of the file itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from patient_portal.domain.facts import facts_of_today
from patient_portal.domain.measures import PLAUSIBLE, Measure
from patient_portal.domain.plan import WINDOWS, plan_for
from patient_portal.domain.protocol import Band, Gauge
from patient_portal.domain.triage import Course
from patient_portal.protocols import current

PROTOCOL = current()
PLAN = plan_for(PROTOCOL)
GAUGES = {gauge.id: gauge for gauge in PROTOCOL.gauges}
HAIRS = [Decimal("0.1"), Decimal("0.01"), Decimal("0.000001")]
START = Decimal(100)
READ = {"c": "temperature_c", "f": "temperature_f", "percent": "spo2", "mmhg": "bp_systolic"}

LIMITS = [
    (band, unit, window)
    for band in PROTOCOL.bands
    for unit in band.lower
    for window in WINDOWS
    if band.window in ("any", window)
]


def band_facts(band: Band, unit: str, window: str, amount: Decimal) -> set[str]:
    """The facts of a day whose number lies at this amount of the band's gauge."""
    gauge = GAUGES[band.gauge]
    course = Course("atra", 5 if window == "in" else 900)
    answers: dict[str, Any] = {}
    if gauge.kind == "reading":
        answers = {READ[unit]: amount}
    else:
        today, weights, baseline = at(gauge, unit, amount)
        answers = {"weight": today.value, "weight_unit": today.unit}
        course = Course("atra", course.day_of_therapy, weights=weights, baseline=baseline)
    return facts_of_today(PLAN, answers, course, window)


Weights = tuple[tuple[int, Measure], ...]


def at(gauge: Gauge, unit: str, amount: Decimal) -> tuple[Measure, Weights, Measure | None]:
    """Weights of which the gauge makes exactly this amount."""
    if gauge.kind == "gain_percent":
        small = Measure(Decimal(40), "kg")
        days = gauge.days or 0
        return Measure(40 + 40 * amount / 100, "kg"), ((-days, small),), small
    start = Measure(START, unit)
    if gauge.kind in ("over_baseline", "crossing"):
        return Measure(START + amount, unit), (), start
    if gauge.kind == "loss":
        return Measure(START - amount, unit), ((-(gauge.days or 0), start),), None
    today = Measure(START + amount, unit)
    if gauge.kind == "rise":
        days = gauge.days or 0
        steps = tuple((-days + n, Measure(START + amount * n / days, unit)) for n in range(days))
        return today, steps, None
    return today, ((-(gauge.days or 0), start),), None


@pytest.mark.parametrize(
    ("band", "unit", "window"), LIMITS, ids=lambda part: getattr(part, "id", part)
)
def test_a_band_begins_exactly_at_its_limit(band: Band, unit: str, window: str) -> None:
    mine = PLAN.band_facts[band.id]
    limit = band.lower[unit]
    assert mine in band_facts(band, unit, window, limit)
    for hair in HAIRS:
        assert mine not in band_facts(band, unit, window, limit - hair)
        assert mine in band_facts(band, unit, window, limit + hair)


@pytest.mark.parametrize(
    ("band", "unit", "window"), LIMITS, ids=lambda part: getattr(part, "id", part)
)
def test_below_its_limit_lies_the_band_that_ends_there(band: Band, unit: str, window: str) -> None:
    below = [
        one
        for one in PROTOCOL.bands
        if one.gauge == band.gauge
        and one.window in ("any", window)
        and one.upper.get(unit) == band.lower[unit]
    ]
    assert len(below) == 1
    facts = band_facts(band, unit, window, band.lower[unit] - HAIRS[-1])
    assert PLAN.band_facts[below[0].id] in facts


def test_how_many_limits_there_are() -> None:
    print(f"limits: {len(LIMITS)} by unit and side, each probed 7 times")
    assert len(LIMITS) == 69


def test_fahrenheit_is_compared_in_fahrenheit() -> None:
    """100.3 °F is 37.94 °C and no fever; 100.4 °F is one, though 38.0 °C is 100.40 °F exactly."""
    fever = PLAN.band_facts["temperature_fever"]
    for text, is_fever in (("100.3", False), ("100.39", False), ("100.4", True), ("100.40", True)):
        facts = facts_of_today(PLAN, {"temperature_f": text}, Course("atra", 5), "in")
        assert (fever in facts) is is_fever


@pytest.mark.parametrize("text", ["38.0", "38.00", "38", "38.000000"])
def test_a_decimal_means_the_same_however_it_is_written(text: str) -> None:
    facts = facts_of_today(PLAN, {"temperature_c": text}, Course("atra", 5), "in")
    assert PLAN.band_facts["temperature_fever"] in facts


def test_mixed_units_take_the_lower_limit() -> None:
    """2.0 kg is 4.409 lb: 4.4 lb after kilograms is enough."""
    fast = PLAN.band_facts["three_days_in_fast"]
    before = ((-3, Measure(Decimal("80"), "kg")),)
    exact = Decimal("80") / Decimal("0.45359237")
    for gain, is_fast in (("4.4", True), ("4.41", True), ("4.399", False)):
        today = {"weight": exact + Decimal(gain), "weight_unit": "lb"}
        facts = facts_of_today(PLAN, today, Course("atra", 5, weights=before), "in")
        assert (fast in facts) is is_fast, gain


def test_limits_lie_where_a_person_can_be() -> None:
    for gauge in PROTOCOL.gauges:
        if gauge.kind == "reading":
            for band in (one for one in PROTOCOL.bands if one.gauge == gauge.id):
                for unit, limit in band.lower.items():
                    low, high = PLAUSIBLE[unit]
                    assert low < limit < high
