"""States, moves and the ladder, as tables."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from patient_portal.domain.escalation import (
    CONTACT_WITHIN,
    LADDER,
    OWNER,
    TRANSITIONS,
    Act,
    AlertState,
    NotAllowed,
    Standing,
    after,
    restarts_ladder,
)
from patient_portal.domain.levels import TriageLevel

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OPEN, TAKEN, CLOSED = AlertState
URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY


def test_every_state_has_an_owner() -> None:
    assert set(OWNER) == set(AlertState)
    assert all(OWNER.values())


def test_every_move_is_either_in_the_table_or_refused() -> None:
    for state, act in product(AlertState, Act):
        if (state, act) in TRANSITIONS:
            assert after(state, act) is TRANSITIONS[state, act]
        else:
            with pytest.raises(NotAllowed):
                after(state, act)


def test_every_state_is_reached_and_only_a_closed_alert_is_left_alone() -> None:
    assert set(TRANSITIONS.values()) == set(AlertState)
    assert {state for state, _ in TRANSITIONS} == {OPEN, TAKEN}


def test_only_closing_ends_an_alert_that_is_no_test() -> None:
    ends = {act for (_, act), new in TRANSITIONS.items() if new is CLOSED}
    assert ends == {Act.CLOSE, Act.END_TEST}


def test_every_red_level_has_a_ladder_and_a_limit_for_contact() -> None:
    red = {level for level in TriageLevel if level.is_red}
    assert set(LADDER) == set(CONTACT_WITHIN) == red
    for steps in LADDER.values():
        assert all(step.positions and step.wait > timedelta(0) for step in steps)


def test_nobody_waits_longer_than_a_quarter_of_an_hour_in_an_emergency() -> None:
    assert max(step.wait for step in LADDER[EMERGENCY]) <= timedelta(minutes=15)
    for mild, grave in zip(LADDER[URGENT], LADDER[EMERGENCY], strict=True):
        assert grave.wait <= mild.wait


def test_the_timers_are_those_that_were_ruled() -> None:
    waits = {
        level.code: [(step.positions, step.wait // timedelta(minutes=1)) for step in steps]
        for level, steps in LADDER.items()
    }
    assert waits == {
        "emergency": [(("nurse", "backup"), 5), (("physician",), 5), (("lead", "everyone"), 10)],
        "urgent": [(("nurse",), 15), (("backup",), 15), (("physician", "lead"), 15)],
    }
    assert {EMERGENCY: timedelta(minutes=15), URGENT: timedelta(minutes=45)} == CONTACT_WITHIN


@pytest.mark.parametrize(
    ("state", "level", "minutes_since_taken", "new", "restarts"),
    [
        (OPEN, URGENT, None, URGENT, False),
        (OPEN, URGENT, None, EMERGENCY, True),
        (OPEN, EMERGENCY, None, URGENT, False),
        (OPEN, URGENT, 31, URGENT, False),  # given back: its ladder runs already
        (TAKEN, URGENT, 1, URGENT, False),
        (TAKEN, URGENT, 30, URGENT, False),
        (TAKEN, URGENT, 30.1, URGENT, True),
        (TAKEN, URGENT, 1, EMERGENCY, True),
        (TAKEN, EMERGENCY, 31, URGENT, True),
        (TAKEN, EMERGENCY, 29, URGENT, False),
    ],
)
def test_what_starts_the_ladder_again(
    state: AlertState,
    level: TriageLevel,
    minutes_since_taken: float | None,
    new: TriageLevel,
    restarts: bool,
) -> None:
    taken_at = None if minutes_since_taken is None else NOW - timedelta(minutes=minutes_since_taken)
    assert restarts_ladder(Standing(state, level, taken_at), new, NOW) is restarts


def test_the_printed_page_is_fresh() -> None:
    printed = subprocess.run(
        [sys.executable, "scripts/alert_states.py"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ROOT / "docs" / "alert-states.md").read_text() == printed.stdout
