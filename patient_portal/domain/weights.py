"""Which weight bands today's weight falls in, compared exactly in the unit of entry.

Where units are mixed, everything is converted exactly to kilograms and the lower of the two
limits holds. Nothing is rounded before it is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from patient_portal.domain.measures import KG_PER_LB, Measure
from patient_portal.domain.protocol import Band, Gauge

MIXED = "mixed"
_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Limit:
    """A band's lower limit in each unit (`mixed` = kilograms); None is open below."""

    band: Band
    lower: Mapping[str, Decimal] | None


@dataclass(frozen=True, slots=True)
class Scale:
    """A gauge with its bands of one window, highest first."""

    gauge: Gauge
    limits: tuple[Limit, ...]
    step: Mapping[str, Decimal]


def scale_of(gauge: Gauge, bands: Sequence[Band]) -> Scale:
    """The scale of a gauge's bands; bands must already be those of one window."""
    limits = [Limit(band, with_mixed(band.lower) if band.lower else None) for band in bands]
    limits.sort(key=lambda limit: _height(gauge, limit), reverse=True)
    return Scale(gauge, tuple(limits), with_mixed(gauge.step))


def with_mixed(limits: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The limits with one more for mixed units: the lower of the two, in kilograms."""
    made = dict(limits)
    if "kg" in made and "lb" in made:
        made[MIXED] = min(made["kg"], made["lb"] * KG_PER_LB)
    return made


def _height(gauge: Gauge, limit: Limit) -> Decimal:
    return limit.lower[gauge.units[0]] if limit.lower else Decimal("-Infinity")


@dataclass(frozen=True)
class Weighed:
    """Today's weight with earlier ones (days before today as 0, -1, -2 …; oldest first)."""

    today: Measure
    earlier: tuple[tuple[int, Measure], ...]
    baseline: Measure | None

    def within(self, days: int | None) -> list[Measure]:
        """Earlier readings of the last `days` days; every one if None."""
        if days is None:
            return [measure for _, measure in self.earlier]
        return [measure for day, measure in self.earlier if day >= -days]

    def unit_of(self, others: Sequence[Measure]) -> str:
        """The unit in which today is compared with others: their own, or mixed."""
        if self._is_one_unit:
            return self.today.unit
        unit = self.today.unit
        return unit if all(measure.unit == unit for measure in others) else MIXED

    @cached_property
    def _is_one_unit(self) -> bool:
        """Whether every reading there is has the same unit, as nearly always."""
        unit = self.today.unit
        is_baseline_too = self.baseline is None or self.baseline.unit == unit
        return is_baseline_too and all(measure.unit == unit for _, measure in self.earlier)


def band_of(scale: Scale, weighed: Weighed) -> Band | None:
    """The band of this gauge that today's weight falls in; None where it cannot be computed."""
    return _KINDS[scale.gauge.kind](scale, weighed)


def _in(unit: str, measure: Measure) -> Decimal:
    return measure.kilograms if unit == MIXED else measure.value


def _first_reached(scale: Scale, unit: str, amounts: Mapping[str, Decimal]) -> Band | None:
    for limit in scale.limits:
        if limit.lower is None or amounts[limit.band.against] >= limit.lower[unit]:
            return limit.band
    return None


def _gain(scale: Scale, weighed: Weighed) -> Band | None:
    near = weighed.within(scale.gauge.days)
    if not near:
        return None
    unit = weighed.unit_of(near)
    now = _in(unit, weighed.today)
    before = [_in(unit, measure) for measure in near]
    # A single odd reading must not make a small gain: two neighbours are averaged.
    means = [(one + other) * _HALF for one, other in pairwise(before)] or before
    amounts = {"lowest": now - min(before), "lowest_mean": now - min(means)}
    return _first_reached(scale, unit, amounts)


def _loss(scale: Scale, weighed: Weighed) -> Band | None:
    near = weighed.within(scale.gauge.days)
    if not near:
        return None
    unit = weighed.unit_of(near)
    lost = max(_in(unit, measure) for measure in near) - _in(unit, weighed.today)
    return _first_reached(scale, unit, {"lowest": lost})


def _gain_percent(scale: Scale, weighed: Weighed) -> Band | None:
    near = weighed.within(scale.gauge.days)
    baseline, small = weighed.baseline, scale.gauge.below_baseline_kg
    if not near or baseline is None or (small is not None and baseline.kilograms >= small):
        return None
    gain = weighed.today.kilograms - min(measure.kilograms for measure in near)
    for limit in scale.limits:
        # gain / baseline >= percent / 100, without a division that would round
        if limit.lower is None or gain * 100 >= limit.lower["percent"] * baseline.kilograms:
            return limit.band
    return None


def _over_baseline(scale: Scale, weighed: Weighed) -> Band | None:
    if weighed.baseline is None:
        return None
    unit = weighed.unit_of([weighed.baseline])
    over = _in(unit, weighed.today) - _in(unit, weighed.baseline)
    return _first_reached(scale, unit, {"lowest": over})


def _crossing(scale: Scale, weighed: Weighed) -> Band | None:
    """The band over baseline, but only on the day a limit, or a further whole step, is passed."""
    baseline = weighed.baseline
    if baseline is None:
        return None
    last = weighed.earlier[-1][1] if weighed.earlier else None
    unit = weighed.unit_of([baseline, *([last] if last else [])])
    over = _in(unit, weighed.today) - _in(unit, baseline)
    before = _in(unit, last) - _in(unit, baseline) if last else None
    for limit in scale.limits:
        if limit.lower is None:
            return limit.band
        if over >= limit.lower[unit]:
            steps = (over - limit.lower[unit]) // scale.step[unit]
            passed = before is None or before < limit.lower[unit]
            if passed or before is None or steps > (before - limit.lower[unit]) // scale.step[unit]:
                return limit.band
            return None
    return None


def _rise(scale: Scale, weighed: Weighed) -> Band | None:
    """The gain of a run of daily readings, each higher than the one before; None if it is none."""
    days = scale.gauge.days or 0
    if len(weighed.earlier) < days:
        return None
    by_day = dict(weighed.earlier)  # of several readings of a day the last one stands
    run = [by_day.get(day) for day in range(-days, 0)]
    readings = [reading for reading in run if reading is not None] + [weighed.today]
    if len(readings) <= days:
        return None
    unit = weighed.unit_of(readings)
    if any(_in(unit, after) <= _in(unit, before) for before, after in pairwise(readings)):
        return None
    return _first_reached(scale, unit, {"lowest": _in(unit, readings[-1]) - _in(unit, readings[0])})


_KINDS: Mapping[str, Callable[[Scale, Weighed], Band | None]] = {
    "gain": _gain,
    "loss": _loss,
    "gain_percent": _gain_percent,
    "over_baseline": _over_baseline,
    "crossing": _crossing,
    "rise": _rise,
}
