"""Counts what happened to a cohort: false alerts of the quiet half, lead time of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

from patient_portal.cohort.assumptions import Assumptions
from patient_portal.cohort.judging import Judge, Red, reds_of, weekly
from patient_portal.cohort.people import HOURS, Person, make_person
from patient_portal.domain.levels import TriageLevel

DAILY = "daily check-in, this protocol"
WEEKLY = "weekly check-in, this protocol"
CALLS = "no check-in, calls if feeling ill"
WAYS = (DAILY, WEEKLY, CALLS)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Burden:
    """What a rule costs among quiet people, in red check-ins per 100 person-days.

    `named` counts those that name it, `alone` those that no other rule would have made red.
    """

    rule: str
    named: float
    alone: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """The quiet half by one way of asking: false alerts per 100 person-weeks and what made them.

    `urgent` and `emergency` are check-ins of that level per 100 person-days.
    """

    way: str
    false_alerts: float
    urgent: float
    emergency: float
    rules: tuple[Burden, ...]


@dataclass(frozen=True, slots=True)
class Ill:
    """The half with the syndrome by one way of asking; hours are before it is severe.

    `found` is the share with an alert between the first sign and severe, `a_day_ahead` the share
    with one at least 24 hours before. `leads` are the hours of those found, longest first.
    """

    way: str
    found: float
    a_day_ahead: float
    median_lead: float | None
    leads: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything one run finds."""

    people: int
    weeks: int
    person_days: int
    quiet: tuple[Quiet, ...]
    variants_of_quiet: tuple[Quiet, ...]
    ill: tuple[Ill, ...]


def run(
    judge: Judge,
    *,
    seed: int,
    people: int,
    weeks: int,
    assumed: Assumptions,
    variants: Mapping[str, Judge],
    progress: Progress = lambda done, of: None,
) -> Findings:
    """Half of `people` quiet, half with the syndrome, each followed `weeks` weeks at most.

    `variants` are other protocols for the same quiet people, by name. `progress` is told how
    many courses are done, out of how many.
    """
    half = people // 2
    ticks = count(1)

    def made(ill: bool) -> list[Person]:
        return [make_person(seed, number, weeks, assumed, ill=ill) for number in range(half)]

    quiet_reds: dict[str, list[list[Red]]] = {way: [] for way in (*WAYS, *variants)}
    for person in made(ill=False):
        for way, reds in all_ways(person, judge).items():
            quiet_reds[way].append(reds)
        for name, other in variants.items():
            quiet_reds[name].append(reds_of(person, other))
        progress(next(ticks), 2 * half)
    ill_people, ill_reds = made(ill=True), {way: list[list[Red]]() for way in WAYS}
    for person in ill_people:
        for way, reds in all_ways(person, judge).items():
            ill_reds[way].append(reds)
        progress(next(ticks), 2 * half)
    days = half * weeks * 7
    return Findings(
        people=2 * half,
        weeks=weeks,
        person_days=days,
        quiet=tuple(quiet_figures(way, quiet_reds[way], days) for way in WAYS),
        variants_of_quiet=tuple(quiet_figures(way, quiet_reds[way], days) for way in variants),
        ill=tuple(ill_figures(way, ill_people, ill_reds[way]) for way in WAYS),
    )


def all_ways(person: Person, judge: Judge) -> dict[str, list[Red]]:
    """The alerts of one course by each way of asking; a call counts as an urgent alert."""
    return {
        DAILY: reds_of(person, judge),
        WEEKLY: reds_of(person, judge, weekly(person)),
        CALLS: [Red(hour, TriageLevel.URGENT, ()) for hour in person.calls],
    }


def quiet_figures(way: str, reds: Sequence[Sequence[Red]], person_days: int) -> Quiet:
    """The burden of one way of asking, its rules heaviest first."""
    everything = [red for of_person in reds for red in of_person]
    named = Counter(rule for red in everything for rule in red.rules)
    alone = Counter(red.rules[0] for red in everything if len(red.rules) == 1)
    each = 100 / person_days
    rules = [Burden(rule, times * each, alone[rule] * each) for rule, times in named.items()]
    emergencies = sum(red.level is TriageLevel.EMERGENCY for red in everything)
    return Quiet(
        way,
        false_alerts=len(everything) * each * 7,
        urgent=(len(everything) - emergencies) * each,
        emergency=emergencies * each,
        rules=tuple(sorted(rules, key=lambda one: (-one.named, one.rule))),
    )


def ill_figures(way: str, people: Sequence[Person], reds: Sequence[Sequence[Red]]) -> Ill:
    """Sensitivity and lead times of one way of asking; what came before the first sign is luck
    and does not count."""
    leads = []
    for person, of_person in zip(people, reds, strict=True):
        onset, severe = person.onset_hour, person.severe_hour
        assert onset is not None and severe is not None  # noqa: S101 (all of these are ill)
        hours = [red.hour for red in of_person if onset <= red.hour < severe]
        if hours:
            leads.append(severe - hours[0])
    leads.sort(reverse=True)
    return Ill(
        way,
        found=len(leads) / len(people),
        a_day_ahead=sum(lead >= HOURS for lead in leads) / len(people),
        median_lead=median(leads) if leads else None,
        leads=tuple(round(lead, 1) for lead in leads),
    )
