"""Answers turned into facts, such as "cough=new" or "temperature=temperature_fever".

An answer that the protocol does not know raises ValueError: nothing unknown is ever calm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from operator import itemgetter

from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.measures import Measure
from patient_portal.domain.plan import MEASURED, MISSING, Plan, fact, setting_fact
from patient_portal.domain.protocol import NOT_MEASURED, NOT_SURE, USUAL, Band
from patient_portal.domain.weights import Weighed, band_of

UK_LINES = "uk_lines"
WARM_LINE = "warm_line"
LOW_FEVER_LINE = Decimal("37.5")
WEIGHED, NOT_WEIGHED = fact("weight", MEASURED), fact("weight", MISSING)
WEIGHT_UNITS = ("kg", "lb")

# How each numeric answer is named and measured: key -> (item, unit or the key that holds it).
READINGS = {
    "temperature": ("temperature", "temperature_unit"),
    "temperature_c": ("temperature", "c"),
    "temperature_f": ("temperature", "f"),
    "spo2": ("spo2", "percent"),
    "bp_systolic": ("bp_systolic", "mmhg"),
}
_BESIDE = frozenset(
    ("temperature_unit", "weight", "weight_unit", "weight_series", "baseline_kg", "yesterday")
)


def facts_of_today(
    plan: Plan, answers: Mapping[str, object], course: Course, window: str
) -> set[str]:
    """Everything that today's answers and the settings say; order does not matter."""
    facts = set(facts_of_answers(plan, answers, course.usual))
    weighed = weighed_of(answers, course)
    facts.add(NOT_WEIGHED if weighed is None else WEIGHED)
    if weighed is not None:
        facts.update(facts_of_weight(plan, weighed, window))
    if course.on_steroid:
        facts.add(fact("on_steroid", True))
    if course.uk_lines:
        facts.add(setting_fact(UK_LINES))
    if course.fever_line == LOW_FEVER_LINE or (course.fever_line is None and course.uk_lines):
        facts.add(setting_fact(WARM_LINE))
    return facts


def facts_of_earlier(plan: Plan, earlier: Earlier, course: Course, window: str | None) -> set[str]:
    """What an earlier check-in said, its weight compared with those before it.

    Today's settings, baseline and side of the window are used for it. Without `window` the weight
    is left out.
    """
    facts = set(facts_of_answers(plan, earlier.answers, course.usual))
    if course.on_steroid:
        facts.add(fact("on_steroid", True))
    if window is not None:
        weighed = weighed_then(earlier, course)
        facts.add(NOT_WEIGHED if weighed is None else WEIGHED)
        if weighed is not None:
            facts.update(facts_of_weight(plan, weighed, window))
    return facts


def facts_of_weight(plan: Plan, weighed: Weighed, window: str) -> Iterator[str]:
    """The band of every weight gauge."""
    for scale in plan.weights[window]:
        band = band_of(scale, weighed)
        if band is not None:
            yield plan.band_facts[band.id]


def facts_of_answers(
    plan: Plan, answers: Mapping[str, object], usual: Collection[str] | None
) -> Iterator[str]:
    """What the answers say by themselves, weights apart."""
    measured = False
    for key, value in answers.items():
        if value is None or key in _BESIDE:
            continue
        if key in READINGS:
            band = _band_of_reading(plan, answers, key, value)
            if band is not None:
                measured = measured or band.gauge == "temperature"
                yield plan.band_facts[band.id]
        elif key == "red_flags":
            for flag in [value] if isinstance(value, str) else _list(key, value):
                yield _known(plan, key, flag)
        elif value == USUAL and usual is not None and key not in usual:
            yield _known(plan, key, NOT_SURE)  # not in the baseline: counts as new
        else:
            yield _known(plan, key, value)
    if not measured:
        yield plan.no_temperature


def _known(plan: Plan, key: str, value: object) -> str:
    try:
        return plan.facts[key][value]  # type: ignore[index]
    except (KeyError, TypeError):
        raise ValueError(f"{key}: {value!r} is not an answer the protocol knows") from None


def _list(key: str, value: object) -> list[object]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{key}: must be a list")
    return list(value)


def _band_of_reading(
    plan: Plan, answers: Mapping[str, object], key: str, value: object
) -> Band | None:
    if value == NOT_MEASURED:
        return None
    item = READINGS[key][0]
    reading = reading_of(plan, answers, key, value)
    for limit in plan.readings[item]:
        if limit.lower is None or reading.value >= limit.lower[reading.unit]:
            return limit.band
    raise ValueError(f"{key}: {value!r} is in no band")


def reading_of(plan: Plan, answers: Mapping[str, object], key: str, value: object) -> Measure:
    """A numeric answer of `READINGS` with its unit, as entered."""
    item, unit = READINGS[key]
    unit = str(answers.get(unit)) if unit == "temperature_unit" else unit
    return measure(key, value, unit, plan.units[item])


def readings_of(plan: Plan, answers: Mapping[str, object], item: str) -> list[Measure]:
    """Every reading of an item among the answers."""
    return [
        reading_of(plan, answers, key, answers[key])
        for key, (of, _) in READINGS.items()
        if of == item and answers.get(key) not in (None, NOT_MEASURED)
    ]


def number(key: str, value: object) -> Decimal:
    """A stored number (Decimal, int, float or its text) as an exact, finite Decimal."""
    try:
        made = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{key}: must be a number") from None
    if not made.is_finite():
        raise ValueError(f"{key}: must be a finite number")
    return made


def measure(key: str, value: object, unit: str, units: Collection[str] = WEIGHT_UNITS) -> Measure:
    """A stored number with its unit; raises ValueError for another unit than `units`."""
    if unit not in units:
        raise ValueError(f"{key}: {unit!r} is not one of {', '.join(units)}")
    return Measure(number(key, value), unit)


def weight_in(answers: Mapping[str, object]) -> Measure | None:
    """The weight that a check-in's answers hold, as entered; None if not weighed."""
    series = answers.get("weight_series")
    if series:
        return list(_series(series))[-1][1]
    value = answers.get("weight")
    if value is None or value == NOT_MEASURED:
        return None
    return measure("weight", value, str(answers.get("weight_unit")))


def weights_in(history: Collection[Earlier]) -> tuple[tuple[int, Measure], ...]:
    """The readings of earlier dates' check-ins, as `Course.weights` takes them."""
    found = [
        (-earlier.days_ago, reading)
        for earlier in history
        if earlier.days_ago > 0 and (reading := weight_in(earlier.answers)) is not None
    ]
    return tuple(sorted(found, key=itemgetter(0)))


def weighed_of(answers: Mapping[str, object], course: Course) -> Weighed | None:
    """Today's weight among the answers with what to compare it to; None if not weighed."""
    earlier, baseline = course.weights, course.baseline
    if answers.get("baseline_kg") is not None:
        baseline = measure("baseline_kg", answers["baseline_kg"], "kg")
    series = answers.get("weight_series")
    if series:
        rows = [(int(str(day)), measure) for day, measure in _series(series)]
        last, today = rows[-1]
        before = tuple((day - last, measure) for day, measure in rows[:-1])
        return Weighed(today, tuple(sorted(earlier + before, key=itemgetter(0))), baseline)
    reading = weight_in(answers)
    return None if reading is None else Weighed(reading, earlier, baseline)


def weighed_then(then: Earlier, course: Course) -> Weighed | None:
    """An earlier check-in's weight with the readings before it; None if not weighed."""
    reading = weight_in(then.answers)
    if reading is None:
        return None
    before = tuple(
        (day + then.days_ago, measure) for day, measure in course.weights if day < -then.days_ago
    )
    return Weighed(reading, before, course.baseline)


def _series(series: object) -> Iterator[tuple[object, Measure]]:
    for row in _list("weight_series", series):
        day, value, *unit = _list("weight_series", row)
        yield day, measure("weight_series", value, str(unit[0]) if unit else "kg")


def was_measured(plan: Plan, answers: Mapping[str, object], item: str) -> bool:
    """Whether the answers hold a reading of the weight or the temperature."""
    if item == "weight":
        return weight_in(answers) is not None
    return bool(readings_of(plan, answers, item))


def is_declined(answers: Mapping[str, object], item: str) -> bool:
    """Whether the answers say that the item was not measured."""
    keys = [item, *(key for key, (of, _) in READINGS.items() if of == item)]
    return any(answers.get(key) == NOT_MEASURED for key in keys)
