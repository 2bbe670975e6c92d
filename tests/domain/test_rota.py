"""Who is on call, minute by minute: the timeline, across both clock changes of several zones."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patient_portal.domain.rota import (
    Change,
    ChangeKind,
    Position,
    Turn,
    holders,
    occurrences,
    timeline,
    until_when,
)

NY = "America/New_York"
NURSE = Position.NURSE
MADE = datetime(2026, 1, 1, tzinfo=UTC)
# Zones and the days on which their clocks change; Lord Howe by half an hour, Troll by two.
NIGHTS = [
    (NY, date(2026, 3, 8)), (NY, date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 3, 29)), ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)), ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Antarctica/Troll", date(2026, 3, 29)), ("Africa/Cairo", date(2026, 4, 24)),
    ("America/Sao_Paulo", date(2026, 2, 15)), ("Asia/Kathmandu", date(2026, 5, 5)),
]  # fmt: skip
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
people = st.sampled_from(["a", "b", "c"])


def turn(person: str, weekday: int, starts: int, ends: int) -> Turn:
    return Turn(person, NURSE, weekday, time(starts % 24), time(ends % 24))


def every_day(person: str, starts: time, ends: time) -> list[Turn]:
    return [Turn(person, NURSE, day, starts, ends) for day in range(7)]


@st.composite
def rotas(draw: st.DrawFn) -> tuple[list[Turn], list[Change], datetime, str]:
    zone, night = draw(st.sampled_from(NIGHTS))
    turns = draw(
        st.lists(
            st.builds(
                Turn, people, st.just(NURSE), st.integers(0, 6), times, times,
                st.sampled_from([date.min, night]),
                st.sampled_from([None, night, night + timedelta(days=1)]),
            ),
            max_size=5,
        )
    )  # fmt: skip
    changes = []
    for number in range(draw(st.integers(0, 3))):
        starts = datetime.combine(night + timedelta(days=draw(st.integers(-1, 1))), draw(times))
        ends = starts + timedelta(minutes=15 * draw(st.integers(1, 150)))
        kind = draw(st.sampled_from(list(ChangeKind)))
        made = MADE + timedelta(hours=draw(st.integers(0, 3)), seconds=number)
        changes.append(Change(draw(people), NURSE, kind, starts, ends, made))
    since = datetime.combine(night, time(), tzinfo=UTC) - timedelta(hours=draw(st.integers(6, 24)))
    return turns, changes, since, zone


@settings(max_examples=120)
@given(rotas())
def test_the_timeline_names_the_holders_of_every_minute(
    rota: tuple[list[Turn], list[Change], datetime, str],
) -> None:
    turns, changes, since, zone = rota
    until = since + timedelta(hours=40)
    spans = timeline(turns, changes, NURSE, since, until, zone)
    assert (spans[0].starts, spans[-1].ends) == (since, until)
    for one, following in pairwise(spans):
        assert one.ends == following.starts and one.people != following.people
    minute, number = since, 0
    while minute < until:
        while spans[number].ends <= minute:
            number += 1
        assert spans[number].people == holders(turns, changes, NURSE, minute, zone), minute
        minute += timedelta(minutes=5)
    for span in spans:  # and at the very edges
        assert span.people == holders(turns, changes, NURSE, span.starts, zone)
        last = span.ends - timedelta(microseconds=1)
        assert span.people == holders(turns, changes, NURSE, last, zone)


@settings(max_examples=60)
@given(st.sampled_from(NIGHTS), st.lists(times, min_size=2, max_size=4, unique=True))
def test_turns_that_meet_leave_no_moment_without_somebody(
    where: tuple[str, date], hands: list[time]
) -> None:
    zone, night = where
    marks = sorted(hands)
    turns = [
        each
        for number, (starts, ends) in enumerate(pairwise([*marks, marks[0]]))
        for each in every_day("abcd"[number], starts, ends)
    ]
    since = datetime.combine(night, time(), tzinfo=UTC) - timedelta(days=1)
    for span in timeline(turns, [], NURSE, since, since + timedelta(days=3), zone):
        assert len(span.people) >= 1, span
        # Where the clocks skip both ends of a turn, it is as short as no time at all.
        assert span.starts < span.ends


def test_neighbouring_turns_of_one_person_are_one_span() -> None:
    turns = every_day("a", time(0), time(0))
    since = datetime(2026, 11, 20, 17, tzinfo=UTC)
    (span,) = timeline(turns, [], NURSE, since, since + timedelta(days=14), NY)
    assert span.people == ("a",)
    assert until_when(turns, [], NURSE, "a", since, NY) is None


def test_until_when_sees_the_change_before_the_turns_end() -> None:
    turns = [*every_day("a", time(8), time(20)), *every_day("b", time(20), time(8))]
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert until_when(turns, [], NURSE, "a", noon, NY) == noon + timedelta(hours=8)
    day = date(2026, 11, 20)
    starts, ends = datetime.combine(day, time(15)), datetime.combine(day, time(18))
    swap = Change("b", NURSE, ChangeKind.REPLACE, starts, ends, MADE)
    assert until_when(turns, [swap], NURSE, "a", noon, NY) == noon + timedelta(hours=3)


def test_the_timeline_of_a_position_leaves_the_others_out() -> None:
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
    until = noon + timedelta(days=1)
    backup = [Turn("b", Position.BACKUP, day, time(0), time(0)) for day in range(7)]
    day = date(2026, 11, 20)
    swap = Change(
        "c", Position.BACKUP, ChangeKind.REPLACE,
        datetime.combine(day, time(15)), datetime.combine(day, time(18)), MADE,
    )  # fmt: skip
    turns = [*every_day("a", time(0), time(0)), *backup]
    assert [span.people for span in timeline(turns, [swap], NURSE, noon, until, NY)] == [("a",)]
    spans = timeline(turns, [swap], Position.BACKUP, noon, until, NY)
    assert [span.people for span in spans] == [("b",), ("c",), ("b",)]


@pytest.mark.parametrize(
    ("hours", "told"), [(8 * 24 - 1, True), (8 * 24, False), (8 * 24 + 1, False)]
)
def test_an_end_more_than_eight_days_away_is_not_told(hours: int, told: bool) -> None:
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
    ends = noon + timedelta(hours=hours)
    local = datetime.combine(date(2026, 11, 20), time(12)) + timedelta(hours=hours)
    leaves = Change("a", NURSE, ChangeKind.REMOVE, local, local + timedelta(hours=3), MADE)
    found = until_when(every_day("a", time(0), time(0)), [leaves], NURSE, "a", noon, NY)
    assert found == (ends if told else None)


def test_a_turn_that_ends_or_starts_at_the_edge_is_not_within() -> None:
    friday = turn("a", 4, 8, 20)
    starts = datetime(2026, 11, 20, 13, tzinfo=UTC)
    ends, second = starts + timedelta(hours=12), timedelta(seconds=1)
    assert occurrences(friday, ends - second, ends + second, NY) == [(starts, ends)]
    assert occurrences(friday, ends, ends + timedelta(hours=3), NY) == []
    assert occurrences(friday, starts - timedelta(hours=3), starts + second, NY) == [(starts, ends)]
    assert occurrences(friday, starts - timedelta(hours=3), starts, NY) == []


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 11), (date(2026, 11, 1), 13), (date(2026, 6, 7), 12)]
)
def test_a_night_turn_is_shorter_or_longer_when_clocks_change(day: date, hours: int) -> None:
    saturday = (day.weekday() - 1) % 7
    since = datetime.combine(day, time(), tzinfo=UTC) - timedelta(hours=6)
    spans = timeline([turn("a", saturday, 20, 8)], [], NURSE, since, since + timedelta(days=2), NY)
    (held,) = [span for span in spans if span.people]
    assert held.ends - held.starts == timedelta(hours=hours)
