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

from patient_portal.domain.schedule import at_wall_time, local_date

_DAY = timedelta(days=1)


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
    found = [
        turn.person for turn in turns if turn.position is position and covers(turn, now, zone)
    ]
    running = [
        change
        for change in sorted(changes, key=lambda each: each.made_at)
        if change.position is position and _runs(change, now, zone)
    ]
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


def _runs(change: Change, now: datetime, zone: str) -> bool:
    starts = at_wall_time(change.starts.date(), change.starts.time(), zone)
    ends = at_wall_time(change.ends.date(), change.ends.time(), zone)
    return starts <= now < ends
