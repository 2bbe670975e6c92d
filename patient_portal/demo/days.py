"""What a person of the demo answered on each day: well days with a little noise, and a story."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from patient_portal.demo.cast import Person
from patient_portal.domain.steroid import SteroidTablets

DAYS_BACK = 21
# A scale and a thermometer never show the same number twice. Small enough that no rule minds.
_NOISE = (0, 2, -1, 1, -2, 3, 0, -1, 2, -3, 1)
_LB_PER_KG = 2
# The day of the week, counted back, on which everybody was asked about steroid tablets. On the
# day that the demo begins nobody is.
_STEROID_ON = 2
_STEPS = ("red-flags", "breathing", "swelling", "other", "temperature", "weight")
_STEP_OF = {
    "red_flags": "red-flags",
    "breathlessness": "breathing",
    "swelling": "swelling",
    "temperature": "temperature",
    "temperature_unit": "temperature",
    "fever_medicine_6h": "temperature",
    "weight": "weight",
    "weight_unit": "weight",
}


@dataclass(frozen=True)
class Day:
    """One check-in to be: when it was sent, and the answers of each step in order."""

    ago: int
    on: date
    sent_at: datetime
    steps: tuple[tuple[str, Mapping[str, Any]], ...]
    steroid: SteroidTablets | None = None

    @property
    def answers(self) -> dict[str, Any]:
        """All steps' answers together."""
        return {key: value for _, given in self.steps for key, value in given.items()}


def days_of(person: Person, now: datetime) -> Iterator[Day]:
    """The check-ins of a person up to ``now``, oldest first."""
    if person.invited_only:
        return
    today = now.astimezone(ZoneInfo(person.zone)).date()
    reach = DAYS_BACK if person.day is None else min(DAYS_BACK, person.day - 1)
    for ago in range(reach, -1, -1):
        if ago in person.missed or (ago == 0 and not person.checked_in):
            continue
        on = today - timedelta(days=ago)
        sent_at = _sent_at(person, on, now)
        if sent_at is not None:
            told = SteroidTablets.NONE if ago % 7 == _STEROID_ON else None
            yield Day(ago, on, sent_at, _steps(person, ago), told)


def local_moment(on: date, at: time, zone: str) -> datetime:
    """This wall time of this day in the zone."""
    return datetime.combine(on, at, ZoneInfo(zone))


def _sent_at(person: Person, on: date, now: datetime) -> datetime | None:
    """Some minutes after the reminder; when the demo starts earlier in the day, a while ago."""
    minutes = 2 + sum(map(ord, person.id)) % 25
    usual = local_moment(on, person.at, person.zone) + timedelta(minutes=minutes)
    if usual <= now:
        return usual
    earlier = now - timedelta(minutes=5 + minutes)
    return earlier if earlier.astimezone(ZoneInfo(person.zone)).date() == on else None


def _steps(person: Person, ago: int) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    answers = {**_well(person, ago), **person.story.get(ago, {})}
    by_step: dict[str, dict[str, Any]] = {step: {} for step in _STEPS}
    for key, value in answers.items():
        by_step[_STEP_OF.get(key, "other")][key] = value
    return tuple(by_step.items())


def _well(person: Person, ago: int) -> dict[str, Any]:
    turn = sum(map(ord, person.id)) + ago
    warmth = _NOISE[turn % len(_NOISE)]
    heft = _NOISE[(turn * 3 + 1) % len(_NOISE)]
    normal = Decimal("36.6") if person.temperature_unit == "c" else Decimal("97.9")
    scale = _LB_PER_KG if person.weight_unit == "lb" else 1
    return {
        "red_flags": ["none"],
        "breathlessness": "none",
        "swelling": "none",
        **{item: "usual" for item in person.usual},
        "temperature": str(normal + Decimal(warmth) / 10),
        "temperature_unit": person.temperature_unit,
        "fever_medicine_6h": False,
        "weight": str(Decimal(person.weight) + Decimal(heft * scale) / 10),
        "weight_unit": person.weight_unit,
    }
