"""The simulation against what can be worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from patient_portal.domain.ladders import LADDER, Ladder, Step
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.rota import Position, Span
from patient_portal.domain.rota_simulation import (
    HOURS,
    Assumptions,
    Extra,
    Scene,
    best_fixes,
    simulate,
    time_of,
)

START = datetime(2026, 11, 23, tzinfo=UTC)  # a Monday, midnight
END = START + timedelta(hours=HOURS + 2)
EMERGENCY, URGENT = TriageLevel.EMERGENCY, TriageLevel.URGENT
# Everybody answers evenly within the half hour or, one time in five, not at all.
EVEN = ((30.0, 0.8),)
SURE = Assumptions(day=EVEN, night=EVEN, arrives=1.0)


def a_scene(**values: object) -> Scene:
    lines = {position: [Span(START, END, (position.value,))] for position in Position}
    made = Scene(
        START, "UTC", lines, LADDER, {position.value: 1 for position in Position}, assumptions=SURE
    )
    return replace(made, **values)  # type: ignore[arg-type]


def one_step(*positions: str, minutes: int = 15) -> Ladder:
    step = Step(positions, timedelta(minutes=minutes))
    return {EMERGENCY: (step,), URGENT: (step,)}


def test_luck_becomes_minutes_along_the_table() -> None:
    habit = ((5.0, 0.5), (15.0, 0.75))
    assert [time_of(habit, chance) for chance in (0, 0.25, 0.5, 0.625)] == [0, 2.5, 5, 10]
    assert time_of(habit, 0.75) == float("inf")


def test_one_nurse_answers_as_the_table_says() -> None:
    found = simulate(a_scene(ladder=one_step("nurse")), alerts_an_hour=120)
    for minutes, chance in ((5, 0.8 / 6), (15, 0.4), (30, 0.8)):
        assert found.within[URGENT][minutes] == pytest.approx(chance, abs=0.015)
    assert found.overall(URGENT) == pytest.approx(0.4, abs=0.015)  # within 15 minutes
    assert found.overall(EMERGENCY) == pytest.approx(0.8 / 6, abs=0.015)  # within 5


def test_two_at_once_miss_only_if_both_do() -> None:
    found = simulate(a_scene(ladder=one_step("nurse", "backup")), alerts_an_hour=120)
    for minutes, alone in ((5, 0.8 / 6), (15, 0.4), (30, 0.8)):
        assert found.within[URGENT][minutes] == pytest.approx(1 - (1 - alone) ** 2, abs=0.015)


def test_the_next_step_comes_when_the_first_has_waited() -> None:
    steps = (Step(("nurse",), timedelta(minutes=10)), Step(("lead",), timedelta(minutes=10)))
    found = simulate(a_scene(ladder={EMERGENCY: steps, URGENT: steps}), alerts_an_hour=120)
    expected = 1 - (1 - 0.8) * (1 - 0.8 * 20 / 30)
    assert found.within[URGENT][30] == pytest.approx(expected, abs=0.015)
    assert found.within[URGENT][5] == pytest.approx(0.8 / 6, abs=0.015)


def test_an_empty_step_costs_no_time_and_an_empty_ladder_is_never_taken() -> None:
    steps = (Step(("nurse",), timedelta(minutes=15)), Step(("lead",), timedelta(minutes=15)))
    scene = a_scene(ladder={EMERGENCY: steps, URGENT: steps}, numbers={"lead": 1})
    found = simulate(scene, alerts_an_hour=120)
    assert found.within[URGENT][5] == pytest.approx(0.8 / 6, abs=0.015)
    assert simulate(replace(scene, numbers={}), alerts_an_hour=2).within[URGENT][30] == 0
    caught = simulate(replace(scene, numbers={}, catch_all=True), alerts_an_hour=120)
    assert caught.within[URGENT][30] == pytest.approx(0.8, abs=0.015)


def test_a_text_that_does_not_arrive_lets_the_ladder_go_on_soon() -> None:
    nothing = replace(SURE, arrives=0.5)
    steps = (Step(("nurse",), timedelta(minutes=15)), Step(("lead",), timedelta(minutes=15)))
    scene = a_scene(ladder={EMERGENCY: steps, URGENT: steps}, assumptions=nothing)
    found = simulate(scene, alerts_an_hour=120)
    # Half the time the nurse has it; else the lead is texted after two minutes, and half of
    # those texts arrive. When the nurse has it, the lead comes at 15 minutes.
    expected = 0.5 * (1 - (1 - 0.8) * (1 - 0.5 * 0.4)) + 0.5 * 0.5 * (0.8 * 28 / 30)
    assert found.within[URGENT][30] == pytest.approx(expected, abs=0.015)


def test_a_second_number_saves_the_texts_that_the_first_loses() -> None:
    scene = a_scene(ladder=one_step("nurse"), assumptions=replace(SURE, arrives=0.5))
    alone = simulate(scene, alerts_an_hour=120)
    both = simulate(replace(scene, numbers={"nurse": 2}), alerts_an_hour=120)
    assert alone.within[URGENT][30] == pytest.approx(0.5 * 0.8, abs=0.015)
    expected = 0.5 * 0.8 + 0.25 * 0.8 * 29 / 30
    assert both.within[URGENT][30] == pytest.approx(expected, abs=0.015)


def test_the_worst_hour_is_the_one_nobody_covers() -> None:
    at = START + timedelta(hours=100)
    nurse = [
        Span(START, at, ("nurse",)), Span(at, at + timedelta(hours=1), ()),
        Span(at + timedelta(hours=1), END, ("nurse",)),
    ]  # fmt: skip
    lines = {**a_scene().lines, Position.NURSE: nurse}
    found = simulate(a_scene(ladder=one_step("nurse"), lines=lines), alerts_an_hour=40)
    assert found.worst_hour() == (100, 0.0)


def test_night_is_told_by_the_clinics_own_clock() -> None:
    habits = Assumptions(day=((1.0, 1.0),), night=((30.0, 0.01),), arrives=1.0)
    scene = a_scene(ladder=one_step("nurse"), zone="America/New_York", assumptions=habits)
    hours = simulate(scene, alerts_an_hour=20).in_time[URGENT]
    # Monday 0:00 UTC is Sunday 19:00 in New York: three hours of day are left.
    assert [round(each) for each in hours[:14]] == [1, 1, 1, *[0] * 9, 1, 1]


def test_the_same_seed_gives_the_same_figures_and_another_does_not() -> None:
    scene = a_scene()
    first = simulate(scene, alerts_an_hour=5, seed=7)
    assert first == simulate(scene, alerts_an_hour=5, seed=7)
    assert first != simulate(scene, alerts_an_hour=5, seed=8)


def test_an_extra_person_by_night_changes_no_day() -> None:
    scene = a_scene(ladder=one_step("nurse"))
    changed = replace(
        scene, extra=Extra(Position.NURSE, 20, 8), numbers={**scene.numbers, "one more person": 1}
    )
    before, after = (simulate(each, alerts_an_hour=30).in_time[URGENT] for each in (scene, changed))
    assert before[8:20] == after[8:20]
    assert sum(after[20:32]) > sum(before[20:32])


def test_the_best_fix_is_the_one_that_mends_what_is_broken() -> None:
    at = START + timedelta(hours=HOURS + 2)
    lines = {position: [Span(START, at, ())] for position in Position}
    lines[Position.NURSE] = [Span(START, at, ("nurse",))]
    dead = a_scene(lines=lines, ladder=one_step("nurse"), numbers={})
    best, *rest = best_fixes(dead, {"nurse": "N. Silva"}, alerts_an_hour=3)
    assert best.what == "a phone that can be texted for N. Silva"
    assert all(fix.figure < best.figure for fix in rest)
    heard: list[tuple[int, int]] = []
    sleepy = a_scene(ladder=one_step("nurse"))
    fixes = best_fixes(sleepy, {}, alerts_an_hour=3, tried=lambda *each: heard.append(each))
    assert fixes[0].what.startswith("one more nurse")
    assert heard[-1][0] == heard[-1][1] == len(fixes)


def test_a_shorter_wait_is_among_the_fixes() -> None:
    fixes = best_fixes(a_scene(), {}, alerts_an_hour=1)
    assert "urgent: step 2 after 7 minutes instead of 15" in [fix.what for fix in fixes]
