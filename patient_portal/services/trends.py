"""A patient's last days on one axis: weight, temperature and signs, with the lines rules draw.

Nothing is judged here: the lines are read from the protocol in force, the numbers from stored
answers. Values are converted to one unit for drawing only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import KG_PER_LB
from patient_portal.domain.protocol import NOT_SURE, USUAL, Item, Protocol
from patient_portal.domain.triage import in_window
from patient_portal.models import CheckIn, Patient
from patient_portal.services.courses import NO_NOTES, Notes, notes_of, window_on

DAYS = 14
# Always drawn; other signs only when there was something to see.
ALWAYS = ("breathlessness", "swelling")
_CALM = ("none", "normal", USUAL, "false")
_TENTH = Decimal("0.1")
_WORST_GRADE = 3


@dataclass(frozen=True, slots=True)
class Point:
    """A number on a day, in the unit of the plot; ``by_helper`` when a caregiver typed it."""

    value: Decimal
    by_helper: bool


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of one local date. ``signs`` holds a grade from 0 to 3 for each answered."""

    on: date
    number: int | None  # day of therapy
    weight: Point | None
    temperature: Point | None
    signs: Mapping[str, int]
    has_check_in: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A limit of the protocol: from day index ``start`` on, at ``at``; ``over`` and ``span`` name
    a gain ("+2 kg in 3 days"), otherwise the line is a reading."""

    at: Decimal
    start: int
    over: Decimal | None = None
    span: int | None = None


@dataclass(frozen=True)
class Trend:
    """Consecutive days, oldest first, ready to be drawn."""

    days: tuple[Day, ...]
    signs: tuple[str, ...]  # keys of the protocol's items, in its order
    weight_unit: str
    temperature_unit: str
    weight_line: Line | None
    fever_line: Line | None
    rise: tuple[Decimal, int] | None  # weight change against the lowest (or first) of a week

    @property
    def is_empty(self) -> bool:
        """Whether no day has a check-in."""
        return not any(day.has_check_in for day in self.days)


def trend_of(
    session: Session, protocol: Protocol, patient: Patient, until: date, days: int = DAYS
) -> Trend:
    """The patient's last ``days`` local dates up to and including ``until``."""
    first = until - timedelta(days=days - 1)
    rows = session.execute(
        select(CheckIn.local_date, CheckIn.answers, CheckIn.reporter)
        .where(
            CheckIn.patient_id == patient.id,
            CheckIn.local_date >= first,
            CheckIn.local_date <= until,
        )
        .order_by(CheckIn.local_date, CheckIn.started_at)
    ).all()
    given = [(row[0], row[1], row[2]) for row in rows]
    return draw(protocol, patient, given, first, until, notes_of(session, patient))


def draw(
    protocol: Protocol,
    patient: Patient,
    rows: Sequence[tuple[date, Mapping[str, Any], str]],
    first: date,
    until: date,
    notes: Notes = NO_NOTES,
) -> Trend:
    """Lay check-ins (date, answers, reporter; oldest first) on consecutive days."""
    if rows:  # do not draw empty days before the first check-in, but always a week
        first = max(first, min(rows[0][0], until - timedelta(days=6)))
    by_day: dict[date, list[tuple[Mapping[str, Any], str]]] = {}
    for on, answers, reporter in rows:
        by_day.setdefault(on, []).append((answers, reporter))
    span = (until - first).days + 1
    dates = [first + timedelta(days=number) for number in range(span)]
    courses = [window_on(patient, on, notes, protocol) for on in dates]
    days = tuple(
        _day(protocol, patient, on, course.day_of_therapy, by_day.get(on))
        for on, course in zip(dates, courses, strict=True)
    )
    window = "in" if in_window(protocol.drug(patient.drug), courses[-1]) else "out"
    seen = {key for day in days for key, grade in day.signs.items() if grade}
    unit = patient.weight_unit
    return Trend(
        days=days,
        signs=tuple(item.key for item in protocol.items if item.key in ALWAYS or item.key in seen),
        weight_unit=unit,
        temperature_unit=patient.temperature_unit,
        weight_line=_weight_line(protocol, window, days, unit),
        fever_line=_fever_line(protocol, patient.temperature_unit),
        rise=_rise(days),
    )


def _day(
    protocol: Protocol,
    patient: Patient,
    on: date,
    number: int | None,
    given: Sequence[tuple[Mapping[str, Any], str]] | None,
) -> Day:
    weight: Point | None = None
    temperature: Point | None = None
    signs: dict[str, int] = {}
    for answers, reporter in given or ():
        by_helper = reporter != "patient"
        kilos = _weight(answers, patient.weight_unit)
        if kilos is not None:
            weight = Point(kilos, by_helper)
        degrees = _temperature(answers, patient.temperature_unit)
        if degrees is not None and (temperature is None or degrees > temperature.value):
            temperature = Point(degrees, by_helper)
        for item in protocol.items:
            grade = grade_of(item, answers.get(item.key))
            if grade is not None:
                signs[item.key] = max(signs.get(item.key, 0), grade)
    return Day(
        on=on,
        number=number,
        weight=weight,
        temperature=temperature,
        signs=signs,
        has_check_in=given is not None,
    )


def grade_of(item: Item, value: object) -> int | None:
    """How bad an answer is, 0 to 3 by its place among the item's answers; None if not given."""
    if value is None or item.kind not in ("choice", "flag", "flags"):
        return None
    if item.kind == "flags":
        chosen = value if isinstance(value, list) else [value]
        return _WORST_GRADE if any(flag != "none" for flag in chosen) else 0
    if value == NOT_SURE and item.not_sure is not None:
        value = item.not_sure
    if item.kind == "flag":
        return int(value is True)
    if value in _CALM:
        return 0
    bad = [option for option in item.worse if option not in _CALM]
    # What stands outside the order (one leg, coughing blood) is no mild form of anything.
    grade = bad.index(value) + 1 if value in bad else 2
    return min(grade, _WORST_GRADE)


def _number(value: object) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _weight(answers: Mapping[str, Any], unit: str) -> Decimal | None:
    value, given = _number(answers.get("weight")), answers.get("weight_unit")
    if value is None or given not in ("kg", "lb"):
        return None
    if given == unit:
        return value
    return (value * KG_PER_LB if unit == "kg" else value / KG_PER_LB).quantize(_TENTH)


def _temperature(answers: Mapping[str, Any], unit: str) -> Decimal | None:
    read = [
        _in_degrees(value, given, unit)
        for key, given in (
            ("temperature", answers.get("temperature_unit")),
            ("temperature_c", "c"),
            ("temperature_f", "f"),
        )
        if (value := _number(answers.get(key))) is not None and given in ("c", "f")
    ]
    return max(read, default=None)


def _in_degrees(value: Decimal, given: object, unit: str) -> Decimal:
    if given == unit:
        return value
    if unit == "c":
        return ((value - 32) * 5 / 9).quantize(_TENTH)
    return (value * 9 / 5 + 32).quantize(_TENTH)


# ---- lines and findings


def _fever_line(protocol: Protocol, unit: str) -> Line | None:
    limits = [
        protocol.band(rule.band).lower.get(unit)
        for rule in protocol.rules
        if rule.item == "temperature" and rule.is_plain and rule.level is TriageLevel.URGENT
    ]
    # A low temperature is urgent too, but its band is open below.
    found = [limit for limit in limits if limit is not None]
    return Line(min(found), 0) if found else None


def _weight_line(protocol: Protocol, window: str, days: Sequence[Day], unit: str) -> Line | None:
    """The lowest weight that would be urgent on the last day, from gains in 3 and 7 days."""
    last = len(days) - 1
    lines: list[Line] = []
    for rule in protocol.rules:
        if rule.item != "weight" or not rule.is_plain or rule.level is not TriageLevel.URGENT:
            continue
        band = protocol.band(rule.band)
        gauge = next(gauge for gauge in protocol.gauges if gauge.id == band.gauge)
        if gauge.kind != "gain" or gauge.days is None or band.window not in (window, "any"):
            continue
        start = max(0, last - gauge.days)
        earlier = [day.weight.value for day in days[start:last] if day.weight is not None]
        if earlier and unit in band.lower:
            over = band.lower[unit]
            lines.append(Line(min(earlier) + over, start, over, gauge.days))
    return min(lines, key=lambda line: line.at, default=None)


def _rise(days: Sequence[Day]) -> tuple[Decimal, int] | None:
    """The last weight against the lowest of the seven days before it, and how many days ago."""
    weighed = [(index, day.weight.value) for index, day in enumerate(days) if day.weight]
    if len(weighed) < 2:
        return None
    last, value = weighed[-1]
    near = [(index, earlier) for index, earlier in weighed[:-1] if last - index <= 7]
    if not near:
        return None
    index, lowest = min(near, key=lambda pair: (pair[1], -pair[0]))
    return value - lowest, last - index
