"""How likely somebody takes an alert in time: many alerts tried on a clinic's rota and ladder.

People answer by assumption, not by measurement: a table says with what chance somebody takes an
alert within so many minutes of its text, by day and by night, each person on their own. What comes
out compares one rota with another; it promises nothing about a single night.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from patient_portal.domain.escalation import PROOF_WITHIN, TELL_PATIENT_AFTER
from patient_portal.domain.ladders import EVERYONE, Ladder, Step
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.rota import Position, Span

HOURS = 7 * 24
LIMITS = (5, 15, 30)  # minutes from the alert's first text
HORIZON = 30.0
NEW_PERSON = "one more person"
_QUARTERS = (HOURS + 2) * 4
_A_MINUTE = timedelta(minutes=1)

# (minutes, chance that the alert is taken by then), growing evenly between the points.
Habit = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Assumptions:
    """How people answer. ``day_from`` and ``day_until`` are local hours; the rest is night."""

    day: Habit = ((5, 0.60), (10, 0.75), (15, 0.85), (30, 0.95))
    night: Habit = ((5, 0.30), (10, 0.50), (15, 0.60), (30, 0.75))
    day_from: int = 7
    day_until: int = 22
    arrives: float = 0.97  # that a text reaches the phone it was sent to

    def habit(self, hour: int) -> Habit:
        """How somebody answers who is texted in this local hour."""
        return self.day if self.day_from <= hour < self.day_until else self.night


@dataclass(frozen=True)
class Extra:
    """One more person in a position, in these local hours of every day."""

    position: Position
    from_hour: int
    until_hour: int

    def runs(self, hour: int) -> bool:
        """Whether the extra person is on call in this local hour."""
        if self.from_hour < self.until_hour:
            return self.from_hour <= hour < self.until_hour
        return hour >= self.from_hour or hour < self.until_hour


@dataclass(frozen=True)
class Scene:
    """A clinic's week ahead: its timeline, its ladder, how many numbers each person has.

    ``lines`` cover the week and two hours more from ``start`` on. Who has no number that can be
    texted stands in ``numbers`` with 0 or not at all; ``everyone`` are those whom a step with
    everyone texts.
    """

    start: datetime
    zone: str
    lines: Mapping[Position, Sequence[Span]]
    ladder: Ladder
    numbers: Mapping[str, int]
    everyone: tuple[str, ...] = ()
    catch_all: bool = False
    extra: Extra | None = None
    assumptions: Assumptions = field(default_factory=Assumptions)


@dataclass(frozen=True)
class Outcome:
    """Chances from 0 to 1. ``within`` by level and minutes, ``in_time`` by level and hour."""

    within: Mapping[TriageLevel, Mapping[int, float]]
    in_time: Mapping[TriageLevel, Sequence[float]]

    def overall(self, level: TriageLevel) -> float:
        """The chance that an alert is taken before the patient is told to call."""
        hours = self.in_time[level]
        return sum(hours) / len(hours)

    @property
    def figure(self) -> float:
        """What fixes are compared by: the mean of the levels' chances to be taken in time."""
        return sum(self.overall(level) for level in self.in_time) / len(self.in_time)

    def worst_hour(self) -> tuple[int, float]:
        """The hour of the week, counted from its start, with the lowest chance, and that chance."""
        means = [
            sum(hours) / len(self.in_time) for hours in zip(*self.in_time.values(), strict=True)
        ]
        worst = min(range(len(means)), key=means.__getitem__)
        return worst, means[worst]


def simulate(scene: Scene, *, alerts_an_hour: int = 60, seed: int = 1) -> Outcome:
    """Try alerts in every hour of the week. The same seed gives the same figures.

    Two scenes share their luck: a person who is texted in both answers alike in both.
    """
    week = _Week(scene)
    within = {level: dict.fromkeys(LIMITS, 0) for level in scene.ladder}
    in_time: dict[TriageLevel, list[float]] = {level: [] for level in scene.ladder}
    for level in scene.ladder:
        limit = TELL_PATIENT_AFTER[level] / _A_MINUTE
        for hour in range(HOURS):
            good = 0
            for number in range(alerts_an_hour):
                luck = f"{seed}:{hour}:{number}"
                minute = hour * 60 + Random(luck).random() * 60  # noqa: S311 - no secret
                taken = week.taken_after(level, minute, luck)
                good += taken <= limit
                for most in LIMITS:
                    within[level][most] += taken <= most
            in_time[level].append(good / alerts_an_hour)
    tried = HOURS * alerts_an_hour
    return Outcome(
        {level: {most: n / tried for most, n in found.items()} for level, found in within.items()},
        in_time,
    )


class _Week:
    """A scene with its times as minutes, quick to look things up in."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        place = ZoneInfo(scene.zone)
        self._hours = [
            (scene.start + timedelta(minutes=15 * number)).astimezone(place).hour
            for number in range(_QUARTERS)
        ]
        self._marks = {
            position: [(span.starts - scene.start) / _A_MINUTE for span in spans]
            for position, spans in scene.lines.items()
        }

    def taken_after(self, level: TriageLevel, minute: float, luck: str) -> float:
        """Minutes from the alert to its taking; infinite when nobody does within half an hour."""
        at, best, texted = 0.0, float("inf"), set[str]()
        steps = self.scene.ladder[level]
        for number, step in enumerate(steps, start=1):
            if at >= min(HORIZON, best):
                break
            people = self._people(step, minute + at, is_last=number == len(steps))
            new = [person for person in people if person not in texted]
            texted.update(new)
            if not people:
                continue  # an empty step is skipped at once
            has_proof = False
            for person in new:
                arrived, answered = self._answer(person, minute + at, luck)
                has_proof = has_proof or arrived
                best = min(best, at + answered)
            wait = step.wait / _A_MINUTE
            at += wait if has_proof else min(wait, PROOF_WITHIN[level] / _A_MINUTE)
        return best if best <= HORIZON else float("inf")

    def _people(self, step: Step, minute: float, *, is_last: bool) -> list[str]:
        found: list[str] = []
        for name in step.positions:
            if name == EVERYONE:
                found += self.scene.everyone
            else:
                found += self._holding(Position(name), minute)
        reachable = [each for each in dict.fromkeys(found) if self.scene.numbers.get(each, 0)]
        return [*reachable, "catch-all"] if is_last and self.scene.catch_all else reachable

    def _holding(self, position: Position, minute: float) -> tuple[str, ...]:
        number = bisect_right(self._marks[position], minute) - 1
        held = self.scene.lines[position][max(number, 0)].people
        extra = self.scene.extra
        if extra is not None and extra.position is position and extra.runs(self._hour(minute)):
            return (*held, NEW_PERSON)
        return held

    def _hour(self, minute: float) -> int:
        return self._hours[min(int(minute // 15), _QUARTERS - 1)]

    def _answer(self, person: str, minute: float, luck: str) -> tuple[bool, float]:
        """Whether the first text arrives, and after how many minutes this person takes it."""
        dice = Random(f"{luck}:{person}")  # noqa: S311 - no secret
        answers, first, second = dice.random(), dice.random(), dice.random()
        arrives, later = self.scene.assumptions.arrives, 0.0
        if first >= arrives:
            if self.scene.numbers.get(person, 1) < 2 or second >= arrives:
                return False, float("inf")
            later = 1.0  # the second number is texted a minute later
        return first < arrives, later + time_of(self._habit(minute), answers)

    def _habit(self, minute: float) -> Habit:
        return self.scene.assumptions.habit(self._hour(minute))


def time_of(habit: Habit, chance: float) -> float:
    """The minutes after which somebody with this luck (0 to 1) takes an alert; infinite = never."""
    for (early, low), (late, high) in pairwise(((0.0, 0.0), *habit)):
        if chance < high:
            return early + (late - early) * (chance - low) / (high - low)
    return float("inf")


# ---- what would help most


@dataclass(frozen=True)
class Fix:
    """One change, in words, and the figure (0 to 1) that it would give."""

    what: str
    figure: float


def best_fixes(
    scene: Scene,
    names: Mapping[str, str],
    *,
    alerts_an_hour: int = 20,
    seed: int = 1,
    tried: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[Fix]:
    """Try each single fix, the best first; ``tried`` hears of progress."""
    options = list(_options(scene, names))
    found = []
    for number, (what, changed) in enumerate(options, start=1):
        outcome = simulate(changed, alerts_an_hour=alerts_an_hour, seed=seed)
        found.append(Fix(what, outcome.figure))
        tried(number, len(options))
    return sorted(found, key=lambda fix: (-fix.figure, fix.what))


def _options(scene: Scene, names: Mapping[str, str]) -> Iterator[tuple[str, Scene]]:
    on_rota = {person for spans in scene.lines.values() for span in spans for person in span.people}
    for person in sorted(on_rota, key=lambda each: names.get(each, each)):
        count = scene.numbers.get(person, 0)
        if count < 2:
            more = {**scene.numbers, person: count + 1}
            which = "a second number" if count else "a phone that can be texted"
            yield f"{which} for {names.get(person, person)}", replace(scene, numbers=more)
    with_new = {**scene.numbers, NEW_PERSON: 1}
    for position in (Position.NURSE, Position.BACKUP, Position.PHYSICIAN):
        for when, hours in (("from 20:00 to 8:00", (20, 8)), ("from 8:00 to 20:00", (8, 20))):
            extra = Extra(position, *hours)
            yield (
                f"one more {position.value} {when}",
                replace(scene, extra=extra, numbers=with_new),
            )
    yield from _shorter_waits(scene)


def _shorter_waits(scene: Scene) -> Iterator[tuple[str, Scene]]:
    for level, steps in scene.ladder.items():
        for number, step in enumerate(steps[:-1]):
            half = max(_A_MINUTE, step.wait // 2 // _A_MINUTE * _A_MINUTE)
            if half < step.wait:
                changed = (*steps[:number], replace(step, wait=half), *steps[number + 1 :])
                what = (
                    f"{level.code}: step {number + 2} after {half // _A_MINUTE} minutes "
                    f"instead of {step.wait // _A_MINUTE}"
                )
                yield what, replace(scene, ladder={**scene.ladder, level: changed})
