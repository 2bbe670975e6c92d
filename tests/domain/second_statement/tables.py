"""The hand-written tables as rows, and cases of the triage command as the tables name them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

Row = Mapping[str, str]


@cache
def table(name: str) -> tuple[Row, ...]:
    """The rows of one CSV file of this folder."""
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = tuple(csv.DictReader(file))
    broken = [row for row in rows if None in row or None in row.values()]
    assert not broken, f"{name}.csv: {broken[0]}"
    return rows


@cache
def rows_about(name: str, item: str) -> tuple[Row, ...]:
    """The rows of a table about one item."""
    return tuple(row for row in table(name) if row["item"] == item)


@cache
def exact(text: str) -> Fraction:
    """A number of the tables."""
    return Fraction(text)


@cache
def medicine_row(medicine: str) -> Row:
    return next(row for row in table("medicines") if row["medicine"] == medicine)


@cache
def band_row(name: str) -> Row:
    return next(row for row in table("bands") if row["band"] == name)


@dataclass
class Case:
    """One check-in with what stood before it, every answer as the tables name it."""

    medicine: str
    day: int | None
    said: dict[str, tuple[str, ...]]
    temperatures: list[tuple[Fraction, bool]] = field(default_factory=list)
    numbers: dict[str, Fraction] = field(default_factory=dict)
    weights: list[tuple[int, Fraction, bool]] = field(default_factory=list)
    baseline: Fraction | None = None
    extended: bool = False
    earlier: list[Case] = field(default_factory=list)
    fallen: list[Row] | None = None
    shown: dict[str, list[str]] = field(default_factory=dict)

    @property
    def inside(self) -> bool:
        row = medicine_row(self.medicine)
        if self.extended or self.day is None or self.day < 1 or not row["last_day"]:
            return True
        return int(row["first_day"]) <= self.day <= int(row["last_day"])

    @property
    def own(self) -> tuple[int, Fraction, bool] | None:
        """The weight of its own day."""
        return self.weights[-1] if self.weights else None

    def items(self) -> list[str]:
        """The items about which something was said."""
        measured = {"temperature": self.temperatures, "weight": self.weights}
        found = [*self.said, *self.numbers, *(item for item, values in measured.items() if values)]
        return list(dict.fromkeys(found))


def read_case(raw: Mapping[str, Any]) -> Case:
    """A case as the triage command takes it."""
    answers = raw["answers"]
    usual = raw.get("usual")
    case = _read(raw["drug"], raw.get("day_of_therapy"), answers, usual)
    case.extended = bool(raw.get("window_extended"))
    earlier = [
        _read(raw["drug"], past["day"], past["answers"], usual) for past in raw.get("history", ())
    ]
    if "yesterday" in answers:
        day = None if case.day is None else case.day - 1
        earlier.append(_read(raw["drug"], day, answers["yesterday"], usual))
    for number, past in enumerate([*earlier, case]):
        past.extended = case.extended
        past.earlier = earlier[:number]
        if past.weights:
            past.weights = [one.own for one in past.earlier if one.own] + past.weights
    return case


def _read(
    medicine: str, day: int | None, answers: Mapping[str, Any], usual: Sequence[str] | None
) -> Case:
    case = Case(medicine, day, {})
    for item, value in answers.items():
        if item in ("spo2", "bp_systolic", "baseline_kg", "weight", "weight_series"):
            continue
        if item.startswith("temperature"):
            us = item.endswith("_f") or answers.get("temperature_unit") == "f"
            if value == "not_measured":
                case.said["temperature"] = ("missing",)
            elif item != "temperature_unit":
                case.temperatures.append((Fraction(str(value)), us))
        elif item not in ("weight_unit", "yesterday"):
            case.said[item] = _words(item, value, usual)
    for item in ("spo2", "bp_systolic"):
        if answers.get(item, "not_measured") != "not_measured":
            case.numbers[item] = Fraction(str(answers[item]))
    _read_weights(case, answers)
    return case


def _read_weights(case: Case, answers: Mapping[str, Any]) -> None:
    if "baseline_kg" in answers:
        case.baseline = Fraction(str(answers["baseline_kg"]))
    for day, value, *unit in answers.get("weight_series", ()):
        case.weights.append((day, Fraction(str(value)), unit == ["lb"]))
    if answers.get("weight") == "not_measured":
        case.said["weight"] = ("missing",)
    elif "weight" in answers:
        us = answers["weight_unit"] == "lb"
        case.weights.append((case.day or 0, Fraction(str(answers["weight"])), us))


def _words(item: str, value: object, usual: Sequence[str] | None) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(str(one) for one in value)
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    row = next((row for row in table("standins") if row["item"] == item), None)
    if value == "not_sure" and row is not None:
        return (row["not_sure"],)
    if value == "usual" and usual is not None and item not in usual and row is not None:
        return (row["usual_without_baseline"],)
    return (str(value),)
