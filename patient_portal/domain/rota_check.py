"""What is wrong with a rota in the days ahead: gaps, phones that cannot be reached, clock changes.

A gap is a stretch of time in which a position that the ladder needs is held by nobody. An alert
then skips that position at once, so it is late for nobody, but one pair of eyes is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from patient_portal.domain.rota import Change, Position, Span, Turn, occurrences, timeline
from patient_portal.domain.schedule import at_wall_time

LOOK_AHEAD = timedelta(days=14)
_DAY = timedelta(days=1)


class Trouble(StrEnum):
    """What a finding is about. The order is that of a list: what harms most comes first."""

    NOBODY = "nobody"  # nobody of the whole ladder can be texted
    GAP = "gap"  # a position that nobody holds
    DISABLED = "disabled"  # on the rota, but the account is closed
    NO_NUMBER = "no_number"
    STOPPED = "stopped"  # every number texted STOP
    BAD = "bad"  # the network refuses every number
    UNVERIFIED = "unverified"  # no number has answered a test
    SAME_PERSON = "same_person"  # nurse and backup at once
    SHARED_NUMBER = "shared_number"  # two people, one phone
    OVERLAP = "overlap"  # two people in one position
    CLOCK_CHANGE = "clock_change"  # a turn that is an hour longer or shorter


@dataclass(frozen=True, slots=True)
class Number:
    """A phone of somebody, and what is known of it."""

    number: str  # E.164
    is_verified: bool = True
    is_stopped: bool = False
    is_bad: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether it may be texted."""
        return not (self.is_stopped or self.is_bad)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a member of staff can be reached."""

    numbers: tuple[Number, ...] = ()
    is_disabled: bool = False

    @property
    def is_reachable(self) -> bool:
        """Whether an alert's text would be sent at all."""
        return not self.is_disabled and any(each.is_usable for each in self.numbers)

    @property
    def is_proven(self) -> bool:
        """Whether a number that can be texted has answered a test."""
        usable = [each for each in self.numbers if each.is_usable]
        return not self.is_disabled and any(each.is_verified for each in usable)

    def trouble(self) -> Trouble | None:
        """Why this person cannot be relied on; None if texts reach them and they answered."""
        if self.is_disabled:
            return Trouble.DISABLED
        if not self.numbers:
            return Trouble.NO_NUMBER
        if not self.is_reachable:
            stopped = any(each.is_stopped for each in self.numbers)
            return Trouble.STOPPED if stopped else Trouble.BAD
        return None if self.is_proven else Trouble.UNVERIFIED


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should look at. Moments are UTC; ``people`` are ids."""

    trouble: Trouble
    starts: datetime
    ends: datetime
    position: Position | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A clinic's rota as the checks see it. ``needed`` are the positions of its ladder."""

    turns: Sequence[Turn]
    changes: Sequence[Change]
    zone: str
    reach: Mapping[str, Reach]
    needed: Sequence[Position] = tuple(Position)

    def lines(self, since: datetime, until: datetime) -> dict[Position, list[Span]]:
        """The timeline of each position."""
        return {
            position: timeline(self.turns, self.changes, position, since, until, self.zone)
            for position in Position
        }


def look_ahead(plan: Plan, since: datetime, until: datetime | None = None) -> list[Finding]:
    """Everything to be said of the rota from ``since`` on, for 14 days unless told otherwise."""
    ends = until or since + LOOK_AHEAD
    lines = plan.lines(since, ends)
    found = [
        *_nobody(plan, lines, since, ends),
        *gaps(plan, lines),
        *_people(plan, lines, since, ends),
        *_same_person(lines),
        *_shared_numbers(plan, lines, since, ends),
        *_overlaps(lines),
        *_clock_changes(plan, since, ends),
    ]
    order = list(Trouble)
    return sorted(found, key=lambda one: (order.index(one.trouble), one.starts, one.people))


def gaps(plan: Plan, lines: Mapping[Position, Sequence[Span]]) -> Iterator[Finding]:
    """Stretches in which a position that the ladder needs is held by nobody."""
    for position in plan.needed:
        for span in lines[position]:
            if not span.people:
                yield Finding(Trouble.GAP, span.starts, span.ends, position)


def _nobody(
    plan: Plan, lines: Mapping[Position, Sequence[Span]], since: datetime, until: datetime
) -> Iterator[Finding]:
    """Stretches in which nobody of the ladder can be texted."""
    marks = _marks(lines, since, until)
    running: datetime | None = None
    for mark in (*marks, until):
        people = {person for spans in lines.values() for person in _at(spans, mark)}
        alive = any(plan.reach.get(person, Reach()).is_reachable for person in people)
        if running is not None and (alive or mark == until):
            yield Finding(Trouble.NOBODY, running, mark)
            running = None
        elif running is None and not alive and mark < until:
            running = mark


def _people(
    plan: Plan, lines: Mapping[Position, Sequence[Span]], since: datetime, until: datetime
) -> Iterator[Finding]:
    """People of the rota whom a text would not reach, or not surely, from their first turn on."""
    first: dict[str, tuple[datetime, Position]] = {}
    for position, spans in lines.items():
        for span in spans:
            for person in span.people:
                if person not in first or span.starts < first[person][0]:
                    first[person] = (span.starts, position)
    for person, (starts, position) in first.items():
        trouble = plan.reach.get(person, Reach()).trouble()
        if trouble is not None:
            yield Finding(trouble, max(starts, since), until, position, (person,))


def _same_person(lines: Mapping[Position, Sequence[Span]]) -> Iterator[Finding]:
    """Stretches in which the backup is the nurse again: nobody stands behind the first."""
    for nurse in lines[Position.NURSE]:
        for backup in lines[Position.BACKUP]:
            starts, ends = max(nurse.starts, backup.starts), min(nurse.ends, backup.ends)
            both = set(nurse.people) & set(backup.people)
            if starts < ends and both and not set(backup.people) - both:
                yield Finding(
                    Trouble.SAME_PERSON, starts, ends, Position.BACKUP, tuple(sorted(both))
                )


def _shared_numbers(
    plan: Plan, lines: Mapping[Position, Sequence[Span]], since: datetime, until: datetime
) -> Iterator[Finding]:
    """Two people of the rota with one phone: one of them would answer for both."""
    on_rota = {person for spans in lines.values() for span in spans for person in span.people}
    owners: dict[str, list[str]] = {}
    for person in sorted(on_rota):
        for each in plan.reach.get(person, Reach()).numbers:
            owners.setdefault(each.number, []).append(person)
    for people in owners.values():
        if len(people) > 1:
            yield Finding(Trouble.SHARED_NUMBER, since, until, None, tuple(people))


def _overlaps(lines: Mapping[Position, Sequence[Span]]) -> Iterator[Finding]:
    for position, spans in lines.items():
        for span in spans:
            if len(span.people) > 1:
                yield Finding(Trouble.OVERLAP, span.starts, span.ends, position, span.people)


def _clock_changes(plan: Plan, since: datetime, until: datetime) -> Iterator[Finding]:
    """Turns across the night on which the clocks are changed."""
    place = ZoneInfo(plan.zone)
    for turn in plan.turns:
        for starts, ends in occurrences(turn, since, until, plan.zone):
            if starts.astimezone(place).utcoffset() != ends.astimezone(place).utcoffset():
                yield Finding(Trouble.CLOCK_CHANGE, starts, ends, turn.position, (turn.person,))


def _marks(
    lines: Mapping[Position, Sequence[Span]], since: datetime, until: datetime
) -> list[datetime]:
    edges = {span.starts for spans in lines.values() for span in spans}
    return sorted(edge for edge in edges if since <= edge < until)


def _at(spans: Sequence[Span], moment: datetime) -> tuple[str, ...]:
    return next((span.people for span in spans if span.starts <= moment < span.ends), ())


# ---- what cannot be saved


def skipped_hour(day: date, at: time, zone: str) -> time | None:
    """The time that clocks show instead of ``at`` on this day; None when ``at`` does come.

    Raises ZoneInfoNotFoundError.
    """
    shown = at_wall_time(day, at, zone).astimezone(ZoneInfo(zone)).time()
    return None if shown == at else shown


def skipped_ahead(
    weekdays: Iterable[int], at: time, since: date, until: date | None, zone: str
) -> tuple[date, time] | None:
    """The first day within a year on which a weekly wall time does not come, and what does."""
    wanted = set(weekdays)
    last = min(until or date.max, since + timedelta(days=366))
    day = since
    while day <= last:
        if day.weekday() in wanted:
            instead = skipped_hour(day, at, zone)
            if instead is not None:
                return day, instead
        day += _DAY
    return None


def overlapping(one: Turn, other: Turn) -> bool:
    """Whether two weekly turns of one person run at the same wall time in some week."""
    if (one.person, one.position) != (other.person, other.position):
        return False
    if max(one.valid_from, other.valid_from) > min(
        one.valid_until or date.max, other.valid_until or date.max
    ):
        return False
    week = 7 * 24 * 60
    first, second = _minutes(one), _minutes(other)
    return any(
        first[0] < second[1] + shift and second[0] + shift < first[1] for shift in (-week, 0, week)
    )


def _minutes(turn: Turn) -> tuple[int, int]:
    """From the week's first minute to start and end."""
    starts = turn.weekday * 24 * 60 + turn.starts.hour * 60 + turn.starts.minute
    ends = turn.weekday * 24 * 60 + turn.ends.hour * 60 + turn.ends.minute
    return starts, ends if turn.ends > turn.starts else ends + 24 * 60
