"""Makes synthetic people: what they have each day, and what they report of it.

The same seed makes the same people on every machine; each person has a generator of their own,
so that a larger cohort begins with the people of a smaller one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from patient_portal.cohort.assumptions import (
    COMPLAINTS,
    ONSETS,
    SIGNS,
    Assumptions,
    Complaint,
    Sign,
)
from patient_portal.domain.measures import KG_PER_LB, Measure

HOURS = 24
SHORTEST_H, LONGEST_H = 18.0, 240.0
FLUID_SPREAD = 0.4
LIGHTEST_KG, HEAVIEST_KG = 26.0, 295.0
LATEST_SIGN = 0.8  # signs start within this share of the time to severe
FEVER = "fever"
WEIGHT = "weight"
CAN_BE_USUAL = ("breathlessness", "swelling", "cough", "bone_pain", "headache")
_CALM = {
    "breathlessness": "none", "swelling": "none", "cough": "none", "dizziness": "none",
    "urine": "normal", "bone_pain": "none", "rash": "none", "bleeding": "none",
    "palpitations": "none", "headache": "none", "chest_pain": "none",
}  # fmt: skip
_FLAGS = ("vomiting", "feels_much_worse")


@dataclass(frozen=True, slots=True)
class Report:
    """One check-in: day of therapy, hours since the start of day 1, the answers given."""

    day: int
    hour: float
    answers: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic course; `onset_hour` and `severe_hour` are None for a quiet one."""

    id: str
    medicine: str
    days: int
    baseline: Measure
    usual: frozenset[str]
    onset_hour: float | None
    severe_hour: float | None
    reports: tuple[Report, ...]
    calls: tuple[float, ...]


Grades = dict[str, int]  # what a person has at one time: item -> grade from 0


def make_person(seed: int, number: int, weeks: int, assumed: Assumptions, *, ill: bool) -> Person:
    """Person `number` of the half with the syndrome (`ill`) or of the quiet half."""
    rng = random.Random(f"{seed}/{'ill' if ill else 'quiet'}/{number}")  # noqa: S311 (simulation)
    maker = _Maker(rng, assumed, weeks * 7)
    return maker.person(f"{'ill' if ill else 'quiet'}-{number}", ill)


def onset_day(medicine: str, share: float, last_day: int) -> float:
    """The day by which this share of those with onset up to `last_day` has a first sign."""
    points = ONSETS[medicine].quantiles
    reach = _share_by(points, last_day)
    wanted = share * reach
    for (low, first), (high, last) in pairwise(points):
        if wanted <= high:
            part = (wanted - low) / (high - low)
            return math.exp(math.log(first) + part * (math.log(last) - math.log(first)))
    return points[-1][1]


def _share_by(points: tuple[tuple[float, float], ...], day: float) -> float:
    for (low, first), (high, last) in pairwise(points):
        if day <= last:
            part = (math.log(day) - math.log(first)) / (math.log(last) - math.log(first))
            return low + max(part, 0.0) * (high - low)
    return 1.0


@dataclass(frozen=True, slots=True)
class _Syndrome:
    """When it starts and is severe (hours), and the hour at which each sign starts."""

    onset: float
    severe: float
    starts: Mapping[str, float]
    fluid_kg_hour: float

    def grades(self, hour: float) -> Grades:
        found: Grades = {}
        for sign in SIGNS:
            start = self.starts.get(sign.item)
            if start is not None and hour >= start:
                part = (hour - start) / max(self.severe - start, 1.0)
                found[sign.item] = min(int(part * len(sign.grades)), len(sign.grades) - 1)
        return found

    def fluid(self, hour: float) -> float:
        start = self.starts.get(WEIGHT)
        return 0.0 if start is None else max(hour - start, 0.0) * self.fluid_kg_hour


class _Maker:
    """One person's dice, and what they fell on."""

    def __init__(self, rng: random.Random, assumed: Assumptions, days: int) -> None:
        self.rng, self.assumed, self.days = rng, assumed, days
        self.medicine = rng.choice(sorted(ONSETS))
        self.imperial = rng.random() < assumed.imperial
        self.start_kg = min(max(rng.gauss(74, 14), 42), 125)
        self.drift = rng.gauss(0, assumed.weight_drift_kg)
        self.completion = rng.uniform(assumed.least_completion, 1)
        self.usual = frozenset(i for i in CAN_BE_USUAL if rng.random() < assumed.has_usual)

    def person(self, id: str, ill: bool) -> Person:
        syndrome = self._syndrome() if ill else None
        ends = syndrome.severe if syndrome else math.inf
        spells: dict[str, tuple[int, int]] = {}
        reports, calls = [], []
        for day in range(1, self.days + 1 + (int(LONGEST_H / HOURS) if ill else 0)):
            hour = (day - 1) * HOURS + self.rng.gauss(self.assumed.check_in_hour, 1)
            if hour >= ends:
                break
            background = self._background(spells, day)
            has = _worst(background, syndrome.grades(hour) if syndrome else {})
            if self.rng.random() < self.completion:
                fluid = syndrome.fluid(hour) if syndrome else 0.0
                reports.append(Report(day, hour, self._answers(has, day, fluid)))
            call = self._call(has, hour)
            if call is not None and call < ends:
                calls.append(call)
        baseline = Measure(self._written(self.start_kg), "lb" if self.imperial else "kg")
        return Person(
            id, self.medicine, self.days, baseline, self.usual,
            syndrome.onset if syndrome else None, syndrome.severe if syndrome else None,
            tuple(reports), tuple(calls),
        )  # fmt: skip

    def _syndrome(self) -> _Syndrome:
        rng, assumed = self.rng, self.assumed
        onset = onset_day(self.medicine, rng.random(), self.days) * HOURS - rng.uniform(0, HOURS)
        length = assumed.prodrome_median_h * _spread(rng, assumed.prodrome_spread)
        length = min(max(length, SHORTEST_H), LONGEST_H)
        has: list[Sign] = []
        while len(has) < 2:  # two signs are what the criteria ask for
            has = [sign for sign in SIGNS if rng.random() < sign.share]
        first = rng.choices(has, [sign.first for sign in has])[0]
        starts = {sign.item: onset + rng.uniform(0, LATEST_SIGN) * length for sign in has}
        starts[first.item] = onset
        per_day = assumed.fluid_kg_day * _spread(rng, FLUID_SPREAD)
        return _Syndrome(onset, onset + length, starts, per_day / HOURS)

    def _background(self, spells: dict[str, tuple[int, int]], day: int) -> Grades:
        """Everyday complaints of this day; `spells` remembers grade and last day of each."""
        for complaint in COMPLAINTS:
            last = spells.get(complaint.item, (0, 0))[1]
            if day > last and self.rng.random() < self.assumed.complaints * complaint.starts / 100:
                spells[complaint.item] = (self._grade(complaint), self._last_day(complaint, day))
        return {item: grade for item, (grade, last) in spells.items() if day <= last}

    def _grade(self, complaint: Complaint) -> int:
        worse = len(complaint.grades) > 1 and self.rng.random() < self.assumed.grown_worse
        return 1 if worse else 0

    def _last_day(self, complaint: Complaint, day: int) -> int:
        return day + int(self.rng.expovariate(1 / complaint.days)) if complaint.days > 1 else day

    def _call(self, has: Grades, hour: float) -> float | None:
        """The hour at which they call the team by themselves on this day, if they do."""
        if not has:
            return None
        chance = (self.assumed.calls_mild, self.assumed.calls_worse, self.assumed.calls_worst)
        worst = max(has.values())
        return hour + self.rng.uniform(0, HOURS) if self.rng.random() < chance[worst] else None

    def _answers(self, has: Grades, day: int, fluid: float) -> dict[str, object]:
        answers: dict[str, object] = {"red_flags": (), **_CALM, **dict.fromkeys(_FLAGS, False)}
        answers |= dict.fromkeys(self.usual, "usual")
        told = {item: grade for item, grade in has.items() if self._tells(grade)}
        for item, grade in told.items():
            if item not in (FEVER, WEIGHT):
                answers[item] = _grade_of(item, grade)
        if self.rng.random() < self.assumed.slip:
            item = self.rng.choice(sorted(_CALM))
            answers[item] = "gone_now" if item == "chest_pain" else _grade_of(item, 0)
        if self.rng.random() < self.assumed.not_sure:
            answers[self.rng.choice(sorted(_CALM))] = "not_sure"
        answers |= self._temperature(has, FEVER in told) | self._weight(day, fluid)
        return answers

    def _tells(self, grade: int) -> bool:
        assumed = self.assumed
        share = (assumed.mild_reported, assumed.worse_reported, assumed.worst_reported)[grade]
        return self.rng.random() < share

    def _temperature(self, has: Grades, noticed: bool) -> dict[str, object]:
        feverish = {"felt_feverish": noticed, "chills": False, "fever_medicine_6h": False}
        if self.rng.random() >= self.assumed.thermometer_used:
            return feverish | {"temperature": "not_measured"}
        middle = float(_grade_of(FEVER, has[FEVER])) if FEVER in has else 36.6
        celsius = min(max(self.rng.gauss(middle, self.assumed.temperature_sd_c), 34.5), 41.5)
        value, unit = (celsius * 9 / 5 + 32, "f") if self.imperial else (celsius, "c")
        return feverish | {"temperature": Decimal(f"{value:.1f}"), "temperature_unit": unit}

    def _weight(self, day: int, fluid: float) -> dict[str, object]:
        if self.rng.random() >= self.assumed.scale_used:
            return {"weight": "not_measured", "tighter_fit": False}
        kg = self.rng.gauss(self.start_kg + self.drift * day + fluid, self.assumed.weight_sd_kg)
        if self.rng.random() < self.assumed.scale_error_share:
            kg += self.rng.choice((-1, 1)) * self.rng.uniform(2, 4)
        return {"weight": self._written(kg), "weight_unit": "lb" if self.imperial else "kg"}

    def _written(self, kg: float) -> Decimal:
        kg = min(max(kg, LIGHTEST_KG), HEAVIEST_KG)
        return Decimal(f"{kg / float(KG_PER_LB) if self.imperial else kg:.1f}")


def _spread(rng: random.Random, log_sd: float) -> float:
    """A log-normal factor around 1, never beyond what a float holds."""
    return math.exp(min(max(rng.gauss(0, log_sd), -6), 6))


_GRADES: dict[str, tuple[str | bool, ...]] = {
    **{complaint.item: complaint.grades for complaint in COMPLAINTS},
    **{sign.item: sign.grades for sign in SIGNS},
}


def _grade_of(item: str, grade: int) -> str | bool:
    grades = _GRADES[item]
    return grades[min(grade, len(grades) - 1)]


def _worst(one: Grades, other: Grades) -> Grades:
    return {item: max(one.get(item, 0), other.get(item, 0)) for item in {**one, **other}}
