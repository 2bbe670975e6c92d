"""Cases to put to both statements: every answer, every pair of answers, weights, histories."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from patient_portal.domain.protocol import NOT_SURE, Protocol
from tests.domain.second_statement.tables import table

Raw = dict[str, Any]
POUND = 0.45359237
SERIES = "weights"  # readings relative to today, before they get days of therapy

CELSIUS = (34.0, 34.99, 35.0, 35.99, 36.0, 37.49, 37.5, 37.99, 38.0, 38.3, 39.99, 40.0, 41.5)
FAHRENHEIT = (94.0, 94.99, 95.0, 96.79, 96.8, 99.49, 99.5, 100.39, 100.4, 103.99, 104.0)
OXYGEN = (80, 91, 92, 94, 95, 99, "not_measured")
PRESSURE = (70, 89, 90, 99, 100, 120, "not_measured")
KG_STEPS: tuple[float, ...] = (
    *(0, 0.1, 0.9, 0.99, 1.0, 1.3, 1.4, 1.49, 1.5, 1.9, 1.99, 2.0, 2.2, 2.3, 2.9, 3.0, 4.0),
    *(4.4, 4.5, 4.9, 5.0, 6.0, 6.1, -1.9, -2.0, -2.5),
)
LB_STEPS: tuple[float, ...] = (
    *(0, 2.1, 2.2, 2.9, 3.0, 3.2, 3.3, 4.3, 4.4, 4.9, 5.0, 6.5, 6.6, 8.8, 9.9, 10.0, 10.9),
    *(11.0, 13.2, -4.3, -4.4),
)
BASELINES = (40, 45.5, 46, 49.9, 50, 50.1, 70, 90.5)


def chosen_answers(protocol: Protocol) -> Iterator[Raw]:
    """Each value of each item that is chosen, "not sure" included."""
    for item in protocol.items:
        if item.kind in ("choice", "flag"):
            values = [*item.values, *([NOT_SURE] if item.not_sure is not None else [])]
            yield from ({item.key: value} for value in values)
        elif item.kind == "flags":
            yield from ({item.key: [value]} for value in item.values)


def single_answers(protocol: Protocol) -> list[Raw]:
    """Chosen answers, and numbers on both sides of each limit in each unit."""
    return [
        *chosen_answers(protocol),
        *({"temperature": value, "temperature_unit": "c"} for value in CELSIUS),
        *({"temperature_c": value} for value in CELSIUS),
        *({"temperature_f": value} for value in FAHRENHEIT),
        {"temperature": "not_measured"},
        *({"spo2": value} for value in OXYGEN),
        *({"bp_systolic": value} for value in PRESSURE),
    ]


def cells_of_answers(protocol: Protocol) -> list[Raw]:
    """One answer in each cell: bands in both units, weights in each band."""
    weights: list[Raw] = [
        {SERIES: readings}
        for readings in (
            [(-7, 70), (0, 70)],
            [(-1, 70), (0, 71.4)],
            [(-3, 70), (-2, 70), (0, 71)],
            [(-3, 70), (0, 72)],
            [(-7, 70), (0, 71.5)],
            [(-7, 70), (0, 72.3)],
            [(-7, 70), (0, 74.5)],
            [(-3, 70), (0, 68)],
        )
    ]
    above = ([(0, 73.0)], [(0, 75.0)], [(-1, 75.2), (0, 75.2)])
    return [
        *chosen_answers(protocol),
        *({"temperature_c": value} for value in (34.0, 35.0, 36.0, 37.5, 38.0, 40.0)),
        *({"temperature_f": value} for value in (94.9, 95.0, 96.8, 99.5, 100.4, 104.0)),
        *({"spo2": value} for value in (91, 92, 95)),
        *({"bp_systolic": value} for value in (89, 90, 100)),
        *weights,
        *({SERIES: readings, "baseline_kg": 70} for readings in above),
        *({SERIES: readings, "baseline_kg": 45} for readings in ([(-3, 45), (0, 46.4)],)),
    ]


def at(answers: Mapping[str, Any], medicine: str, day: int | None) -> Raw:
    """A case of these answers on this day of therapy."""
    said = dict(answers)
    readings = said.pop(SERIES, None)
    if readings:
        said["weight_series"] = [[(day or 0) + back, kg] for back, kg in readings]
    case: Raw = {"drug": medicine, "answers": said}
    if day is not None:
        case["day_of_therapy"] = day
    return case


def pairs(protocol: Protocol) -> Iterator[Raw]:
    """Every two answers to different items."""
    for one, other in combinations(cells_of_answers(protocol), 2):
        both = {**one, **other}
        clash = set(one) & set(other) or {"temperature_c", "temperature_f"} <= set(both)
        if not clash:
            yield both


def profiles() -> list[Mapping[str, str]]:
    """One medicine of each set of columns; the others differ in their windows alone."""
    columns = ("qt", "apl", "lists_bone_pain", "lists_rash")
    first: dict[tuple[str, ...], Mapping[str, str]] = {}
    for row in table("medicines"):
        first.setdefault(tuple(row[column] for column in columns), row)
    return list(first.values())


def days_of(row: Mapping[str, str]) -> tuple[int, ...]:
    """A day inside the window and, where it ends, the first one outside."""
    return (20, int(row["last_day"]) + 1) if row["last_day"] else (20,)


def weighings(rng: random.Random) -> Raw:
    """A random series on and around the limits: kilograms, pounds or both, large and small."""
    row = rng.choice(table("medicines"))
    day = rng.choice(days_of(row))
    base, unit = rng.choice(BASELINES), rng.choice(("kg", "lb", "mixed"))
    readings = []
    for back in [*sorted(rng.sample(range(-9, 0), rng.randint(0, 6))), 0]:
        own = rng.choice(("kg", "lb")) if unit == "mixed" else unit
        step = rng.choice(KG_STEPS if own == "kg" else LB_STEPS)
        step = rng.choice((0, 0.3, -0.3, step))
        start = base if own == "kg" else round(base / POUND, 1)
        readings.append([day + back, round(start + step, 2), own])
    answers: Raw = {"weight_series": readings}
    if rng.random() < 0.6:
        answers["baseline_kg"] = base
    if rng.random() < 0.2:
        answers["dizziness"] = "mild"
    return {"drug": row["medicine"], "day_of_therapy": day, "answers": answers}


ASKED = ("breathlessness", "swelling", "cough", "dizziness", "urine", "bone_pain", "rash")
TOLD = ("chills", "felt_feverish", "fever_medicine_6h")


def histories(protocol: Protocol, rng: random.Random, left_out: float = 0) -> Raw:
    """A random course: some check-ins of the last days; `left_out` of their answers not given."""
    row = rng.choice(table("medicines"))
    day = rng.choice((16, int(row["last_day"] or 60) + 20))
    base = rng.choice((45.5, 70, 90.5))
    back = sorted(rng.sample(range(-8, 0), rng.randint(1, 7)))
    made = [
        (day + one, _without_some(_check_in(protocol, rng, base), rng, left_out))
        for one in [*back, 0]
    ]
    history = [{"day": then, "answers": answers} for then, answers in made[:-1]]
    answers = made[-1][1]
    return {"drug": row["medicine"], "day_of_therapy": day, "answers": answers, "history": history}


def _without_some(answers: Raw, rng: random.Random, left_out: float) -> Raw:
    """The same without some answers; a number goes with its unit."""
    gone = {key for key in answers if not key.endswith("_unit") and rng.random() < left_out}
    return {key: value for key, value in answers.items() if key.removesuffix("_unit") not in gone}


def _check_in(protocol: Protocol, rng: random.Random, base: float) -> Raw:
    """All the questions of signs, most of them calm."""
    answers: Raw = {}
    for key in ASKED:
        values = protocol.item(key).values
        calm = values[: 2 if "usual" in values else 1]
        answers[key] = rng.choice(values if rng.random() < 0.12 else calm)
    answers |= {key: rng.random() < 0.05 for key in TOLD}
    answers |= {"temperature": "not_measured"}
    if rng.random() < 0.85:
        warm = rng.choice(CELSIUS) if rng.random() < 0.15 else 36.6
        answers |= {"temperature": warm, "temperature_unit": "c"}
    answers |= {"weight": "not_measured", "tighter_fit": rng.random() < 0.1}
    if rng.random() < 0.85:
        del answers["tighter_fit"]
        step = rng.choice(KG_STEPS) if rng.random() < 0.3 else rng.choice((0, 0.2, -0.2, 0.4))
        answers |= {"weight": round(base + step, 2), "weight_unit": "kg"}
    return answers
