"""Who holds a position at a moment: weekly turns and dated changes, in the clinic's own time.

Turns are wall time. A turn whose start the clocks skip starts at the next minute there is; one
whose start comes twice starts the first time. So the person who hands over and the one who takes
over always meet, whatever the clocks do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from patient_portal.domain.schedule import at_wall_time, local_date

_DAY = timedelta(days=1)
_A_WEEK = timedelta(days=8)


class Position(StrEnum):
    """Where a person stands on the escalation ladder."""

    NURSE = "nurse"
    BACKUP = "backup"
    PHYSICIAN = "physician"
    LEAD = "lead"


class ChangeKind(StrEnum):
    """What a dated change does to the weekly pattern."""

    ADD = "add"  # beside those who are on call
    REPLACE = "replace"  # instead of everyone who holds the position
    REMOVE = "remove"  # not this person


@dataclass(frozen=True, slots=True)
class Turn:
    """A weekly turn of one person. ``weekday`` counts from Monday = 0; times are local."""

    person: str
    position: Position
    weekday: int
    starts: time
    ends: time
    valid_from: date = date.min
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A dated change for one person; both ends are local wall time without zone."""

    person: str
    position: Position
    kind: ChangeKind
    starts: datetime
    ends: datetime
    made_at: datetime  # of two that replace, the later one holds


def holders(
    turns: Iterable[Turn], changes: Iterable[Change], position: Position, now: datetime, zone: str
) -> tuple[str, ...]:
    """The people who hold a position at this moment, each once, in the order of the rota.

    ``now`` is aware; ``zone`` is IANA. Raises ZoneInfoNotFoundError.
    """
    found = [turn.person for turn in turns if turn.position is position and covers(turn, now, zone)]
    running = [
        change
        for change in sorted(changes, key=lambda each: each.made_at)
        if change.position is position and _runs(change, now, zone)
    ]
    return _changed(found, running)


def _changed(people: Sequence[str], running: Iterable[Change]) -> tuple[str, ...]:
    """What dated changes, the oldest first, make of those whom the weekly pattern names."""
    found = list(people)
    for change in running:
        if change.kind is ChangeKind.REPLACE:
            found = [change.person]
        elif change.kind is ChangeKind.ADD:
            found.append(change.person)
        else:
            found = [person for person in found if person != change.person]
    return tuple(dict.fromkeys(found))


def covers(turn: Turn, now: datetime, zone: str) -> bool:
    """Whether a weekly turn runs at this moment; it includes its first minute, not its last."""
    today = local_date(now, zone)
    return any(
        starts <= now < ends
        for day in (today - _DAY, today)
        for starts, ends in span_on(turn, day, zone)
    )


def span_on(turn: Turn, day: date, zone: str) -> Sequence[tuple[datetime, datetime]]:
    """Start and end, in UTC, of the turn that starts on this local day; empty if none does."""
    if day.weekday() != turn.weekday or day < turn.valid_from:
        return ()
    if turn.valid_until is not None and day > turn.valid_until:
        return ()
    last = day if turn.ends > turn.starts else day + _DAY
    return ((at_wall_time(day, turn.starts, zone), at_wall_time(last, turn.ends, zone)),)


def span_of(change: Change, zone: str) -> tuple[datetime, datetime]:
    """Start and end of a dated change, in UTC."""
    return (
        at_wall_time(change.starts.date(), change.starts.time(), zone),
        at_wall_time(change.ends.date(), change.ends.time(), zone),
    )


def _runs(change: Change, now: datetime, zone: str) -> bool:
    starts, ends = span_of(change, zone)
    return starts <= now < ends


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in UTC, through which the same people hold a position; maybe nobody."""

    starts: datetime
    ends: datetime
    people: tuple[str, ...]


def timeline(
    turns: Iterable[Turn],
    changes: Iterable[Change],
    position: Position,
    since: datetime,
    until: datetime,
    zone: str,
) -> list[Span]:
    """Who holds a position from ``since`` to ``until``, without a hole: a span ends where one
    begins, and two neighbours never name the same people.

    Raises ZoneInfoNotFoundError.
    """
    held = [
        (turn.person, span)
        for turn in turns
        if turn.position is position
        for span in occurrences(turn, since, until, zone)
    ]
    dated = [
        (change, span_of(change, zone))
        for change in sorted(changes, key=lambda each: each.made_at)
        if change.position is position
    ]
    edges = {edge for _, span in (*held, *dated) for edge in span if since < edge < until}
    marks = [since, *sorted(edges), until]
    spans: list[Span] = []
    for starts, ends in pairwise(marks):
        people = _changed(
            [person for person, (begins, over) in held if begins <= starts < over],
            [change for change, (begins, over) in dated if begins <= starts < over],
        )
        if spans and spans[-1].people == people:
            spans[-1] = Span(spans[-1].starts, ends, people)
        else:
            spans.append(Span(starts, ends, people))
    return spans


def occurrences(
    turn: Turn, since: datetime, until: datetime, zone: str
) -> list[tuple[datetime, datetime]]:
    """Each time a weekly turn runs within these moments, in UTC."""
    day, last = local_date(since, zone) - _DAY, local_date(until, zone)
    found = []
    while day <= last:
        found += [span for span in span_on(turn, day, zone) if span[1] > since and span[0] < until]
        day += _DAY
    return found


def until_when(
    turns: Sequence[Turn],
    changes: Sequence[Change],
    position: Position,
    person: str,
    now: datetime,
    zone: str,
) -> datetime | None:
    """When somebody who holds a position now ceases to; None when that is over a week away."""
    for span in timeline(turns, changes, position, now, now + _A_WEEK, zone):
        if person not in span.people:
            return span.starts
    return None
