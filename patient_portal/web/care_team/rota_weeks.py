"""The table of two weeks: days across, positions down, who holds each and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from patient_portal.domain.rota import Position, Span
from patient_portal.domain.schedule import at_wall_time
from patient_portal.web.care_team.rota_words import RotaWords

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Piece:
    """A stretch of one day in which the same people hold a position."""

    names: str
    hours: str
    is_you: bool = False
    is_now: bool = False
    is_gap: bool = False


@dataclass(frozen=True)
class Week:
    """Seven days of the table: heads, and for each position its cells."""

    caption: str
    heads: list[tuple[str, bool]]  # the day, whether it is today
    rows: list[tuple[str, list[list[Piece]]]]


@dataclass(frozen=True)
class Reader:
    """Who reads the table, and when."""

    id: str
    now: datetime
    today: date


def week(
    say: RotaWords, reader: Reader, lines: Mapping[Position, Sequence[Span]], first: int
) -> Week:
    """Seven days, from ``first`` days after today."""
    plan = say.board.plan
    days = [reader.today + (first + number) * _DAY for number in range(7)]
    rows = []
    for position in Position:
        held = any(span.people for span in lines[position])
        if position in plan.needed or held:
            cells = [_pieces(say, reader, lines[position], position, day) for day in days]
            rows.append((say.position(position.value), cells))
    caption = f"{say.day(days[0])} – {say.day(days[-1])}"
    return Week(caption, [(say.day(day), day == reader.today) for day in days], rows)


def _pieces(
    say: RotaWords, reader: Reader, spans: Sequence[Span], position: Position, day: date
) -> list[Piece]:
    """What a day's cell shows. A night is shown on the day on which it begins."""
    zone = say.board.plan.zone
    begins, noon = (at_wall_time(day, at, zone) for at in (time(), time(12)))
    over = at_wall_time(day + _DAY, time(), zone)
    next_noon = at_wall_time(day + _DAY, time(12), zone)
    found = []
    for span in spans:
        if span.ends <= begins or span.starts >= over:
            continue
        is_last_night = span.starts < begins and span.ends <= noon
        if is_last_night and not (day == reader.today and span.ends > reader.now):
            continue
        starts = span.starts if span.starts >= begins else None
        ends = span.ends if span.ends <= next_noon else None
        found.append(_piece(say, reader, span, position, day, _hours(say, starts, ends, over)))
    return found


def _piece(
    say: RotaWords, reader: Reader, span: Span, position: Position, day: date, hours: str
) -> Piece:
    is_gap = not span.people
    words = say.words
    return Piece(
        names=words.message("nobody") if is_gap else say.names(span.people),
        hours=hours,
        is_you=reader.id in span.people,
        is_now=day == reader.today and span.starts <= reader.now < span.ends,
        is_gap=is_gap and position in say.board.plan.needed,
    )


def _hours(words: RotaWords, starts: datetime | None, ends: datetime | None, over: datetime) -> str:
    spoken, time_of = words.words, words.hour
    if starts is None:
        return (
            spoken.message("all day")
            if ends is None or ends >= over
            else spoken.message("until %(time)s", time=time_of(ends))
        )
    if ends is None:
        return spoken.message("from %(time)s", time=time_of(starts))
    if ends - starts > timedelta(hours=23) and ends == over:
        return spoken.message("all day")
    return spoken.message("%(start)s to %(end)s", start=time_of(starts), end=time_of(ends))
