"""Triage: today's answers and the course of therapy in, a level with its reasons out.

Pure and deterministic. The worst rule wins and no rule lowers another, so a further answer
can only raise the level. An answer that the protocol does not know raises ValueError: there is
no default branch that could calm it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from operator import itemgetter

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.plan import (
    MISSING,
    YESTERDAY,
    Cell,
    Plan,
    fact,
    plan_for,
    setting_fact,
)
from patient_portal.domain.protocol import NOT_MEASURED, NOT_SURE, USUAL, Band, Drug, Protocol
from patient_portal.domain.weights import Weighed, band_of

UK_LINES = "uk_lines"
WEIGHT_UNITS = ("kg", "lb")

# How each numeric answer is named and measured: key -> (item, unit or the key that holds it).
_READINGS = {
    "temperature": ("temperature", "temperature_unit"),
    "temperature_c": ("temperature", "c"),
    "temperature_f": ("temperature", "f"),
    "spo2": ("spo2", "percent"),
    "bp_systolic": ("bp_systolic", "mmhg"),
}
_BESIDE = frozenset(
    ("temperature_unit", "weight", "weight_unit", "weight_series", "baseline_kg", "yesterday")
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that fired. `text` is the patient's sentence, English, a msgid of `safety`."""

    rule: str
    level: TriageLevel
    text: str


@dataclass(frozen=True, slots=True)
class Course:
    """What the rules need to know beside today's answers.

    Attributes:
        day_of_therapy: the day of the first dose is 1; None or below 1 counts as in the window.
        window_extended: a taper, a restart or the days after the last dose keep it open.
        weights: earlier readings, oldest first, as (days relative to today: -1 is yesterday,
            the measure as entered); only readings that count, today's own is an answer.
        usual: items the person has had for long; None accepts every "usual" as given.
        owns: "scale" and "thermometer"; None means both. Missing values raise nothing yet.
        uk_lines: the site counts 37.5 °C and above, and below 36.0 °C, as urgent.
    """

    drug: str
    day_of_therapy: int | None = None
    window_extended: bool = False
    baseline: Measure | None = None
    weights: tuple[tuple[int, Measure], ...] = ()
    usual: Collection[str] | None = None
    owns: Collection[str] | None = None
    uk_lines: bool = False


@dataclass(frozen=True, slots=True)
class TriageResult:
    """The level, the reasons (worst first, then in the protocol's order), the protocol's id."""

    level: TriageLevel
    reasons: tuple[Reason, ...]
    protocol: str


def triage(protocol: Protocol, answers: Mapping[str, object], course: Course) -> TriageResult:
    """Judge one check-in.

    Args:
        answers: validated answers (`domain.answers.validate_answers`), or the same as stored:
            numbers may be Decimal or their text.

    Raises:
        ValueError: a medicine, key or value that the protocol does not know, or a number
            that is not finite.
    """
    plan = plan_for(protocol)
    drug = _drug(protocol, course.drug)
    window = "in" if in_window(drug, course) else "out"
    facts = set(_facts(plan, answers, course, window))
    cells = plan.cells[(drug.code, window)]
    day = _known_day(course)
    fired: list[Cell] = [
        cell
        for own in facts
        for cell in cells.get(own, ())
        if cell.holds(facts, day)
    ]  # fmt: skip
    fired.sort(key=lambda cell: (-cell.rule.level, cell.order))
    rules = dict.fromkeys(cell.rule.id for cell in fired)
    reasons = tuple(Reason(rule.id, rule.level, rule.patient) for rule in map(protocol.rule, rules))
    level = reasons[0].level if reasons else TriageLevel.NONE
    return TriageResult(level, reasons, protocol.id)


def in_window(drug: Drug, course: Course) -> bool:
    """Whether today lies in the medicine's window; what is not known counts as inside."""
    day = _known_day(course)
    if drug.window is None or day is None or course.window_extended:
        return True
    first, last = drug.window
    return first <= day <= last


def _known_day(course: Course) -> int | None:
    day = course.day_of_therapy
    return None if day is None or day < 1 else day


def _drug(protocol: Protocol, code: str) -> Drug:
    try:
        return protocol.drug(code)
    except KeyError:
        raise ValueError(f"drug: {code!r} is not known to {protocol.id}") from None


def _facts(plan: Plan, answers: Mapping[str, object], course: Course, window: str) -> Iterator[str]:
    """Everything that holds today, as facts; order does not matter."""
    yield from _facts_of_answers(plan, answers, course)
    weighed = weighed_of(answers, course)
    if weighed is not None:
        for scale in plan.weights[window]:
            band = band_of(scale, weighed)
            if band is not None:
                yield fact(scale.gauge.id, band.id)
    yesterday = answers.get("yesterday")
    if yesterday is not None and plan.asks_yesterday:
        if not isinstance(yesterday, Mapping):
            raise ValueError("yesterday: must be answers")
        asked = {k: v for k, v in yesterday.items() if _item_of(k) in plan.asks_yesterday}
        for one in _facts_of_answers(plan, asked, course):
            yield YESTERDAY + one
    if course.uk_lines:
        yield setting_fact(UK_LINES)


def _item_of(key: str) -> str:
    return "temperature" if key.startswith("temperature") else key


def _facts_of_answers(plan: Plan, answers: Mapping[str, object], course: Course) -> Iterator[str]:
    measured = False
    for key, value in answers.items():
        if value is None or key in _BESIDE:
            continue
        if key in _READINGS:
            band = _band_of_reading(plan, answers, key, value)
            if band is not None:
                measured = measured or band.gauge == "temperature"
                yield fact(band.gauge, band.id)
        elif key == "red_flags":
            for flag in [value] if isinstance(value, str) else _list(key, value):
                yield _known(plan, key, flag)
        elif value == USUAL and course.usual is not None and key not in course.usual:
            yield _known(plan, key, NOT_SURE)  # not in the baseline: counts as new
        else:
            yield _known(plan, key, value)
    if not measured:
        yield fact("temperature", MISSING)


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
    item, unit = _READINGS[key]
    unit = str(answers.get(unit)) if unit == "temperature_unit" else unit
    reading = measure(key, value, unit, plan.units[item])
    for limit in plan.readings[item]:
        if limit.lower is None or reading.value >= limit.lower[reading.unit]:
            return limit.band
    raise ValueError(f"{key}: {value!r} is in no band")


def number(key: str, value: object) -> Decimal:
    """A stored number (Decimal, int, float or its text) as an exact, finite Decimal."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float | str):
        raise ValueError(f"{key}: must be a number")
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
    value = answers.get("weight")
    if value is None or value == NOT_MEASURED:
        return None
    today = measure("weight", value, str(answers.get("weight_unit")))
    return Weighed(today, earlier, baseline)


def _series(series: object) -> Iterator[tuple[object, Measure]]:
    for row in _list("weight_series", series):
        day, value, *unit = _list("weight_series", row)
        yield day, measure("weight_series", value, str(unit[0]) if unit else "kg")
