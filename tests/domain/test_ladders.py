"""A clinic's own ladder: what is read, and what is refused because it could leave nobody."""

from typing import Any

import pytest

from patient_portal.domain.escalation import LADDER, LadderRefused, ladder_of, parse_ladder
from patient_portal.domain.ladders import as_stored
from patient_portal.domain.levels import TriageLevel

LAST = {"who": ["lead", "everyone"], "minutes": 10}
URGENT = [{"who": ["nurse"], "minutes": 15}, {"who": ["lead"], "minutes": 15}]


def stored(*steps: Any, urgent: Any = URGENT) -> dict[str, Any]:
    return {"emergency": list(steps), "urgent": urgent}


def test_the_default_can_be_stored_and_read() -> None:
    assert parse_ladder(as_stored(LADDER)) == LADDER


def test_a_clinics_form_begins_with_the_waits_that_were_proposed() -> None:
    waits = {name: [step["minutes"] for step in steps] for name, steps in as_stored(LADDER).items()}
    assert waits == {"emergency": [5, 5, 10], "urgent": [15, 15, 15]}


def test_a_clinics_own_is_read_in_its_order() -> None:
    found = parse_ladder(stored({"who": ["physician", "physician"], "minutes": 3}, LAST))
    assert [step.positions for step in found[TriageLevel.EMERGENCY]] == [
        ("physician",), ("lead", "everyone"),
    ]  # fmt: skip
    assert len(found[TriageLevel.URGENT]) == 2


@pytest.mark.parametrize(
    ("given", "code", "at"),
    [
        (None, "empty", "ladder"),
        ([], "empty", "ladder"),
        ({}, "empty", "ladder"),
        ({"emergency": [LAST]}, "missing_level", "urgent"),
        ({"urgent": URGENT}, "missing_level", "emergency"),
        ({**stored(LAST), "watch": URGENT}, "unknown_level", "watch"),
        (stored(), "empty", "emergency"),
        ({"emergency": "soon", "urgent": URGENT}, "empty", "emergency"),
        (stored({"who": [], "minutes": 5}, LAST), "empty", "emergency.1"),
        (stored({"who": "nurse", "minutes": 5}, LAST), "empty", "emergency.1"),
        (stored({"minutes": 5}, LAST), "empty", "emergency.1"),
        (stored("nurse", LAST), "empty", "emergency.1"),
        (stored({"who": ["porter"], "minutes": 5}, LAST), "unknown_position", "emergency.1"),
        (stored({"who": ["nurse"], "minutes": 16}, LAST), "too_long", "emergency.1"),
        (stored(LAST, urgent=[{"who": ["lead"], "minutes": 61}]), "too_long", "urgent.1"),
        (stored({"who": ["nurse"], "minutes": 0}, LAST), "too_short", "emergency.1"),
        (stored({"who": ["nurse"], "minutes": -5}, LAST), "too_short", "emergency.1"),
        (stored({"who": ["nurse"], "minutes": "5"}, LAST), "no_minutes", "emergency.1"),
        (stored({"who": ["nurse"], "minutes": True}, LAST), "no_minutes", "emergency.1"),
        (stored({"who": ["nurse"]}, LAST), "no_minutes", "emergency.1"),
        (
            stored(
                {"who": ["nurse", "backup"], "minutes": 5},
                {"who": ["backup", "nurse"], "minutes": 5}, LAST,
            ),
            "loop", "emergency.2",
        ),
        (stored({"who": ["nurse"], "minutes": 5}), "last_step", "emergency.1"),
        (stored({"who": ["lead"], "minutes": 5}), "last_step", "emergency.1"),
        (stored({"who": ["everyone"], "minutes": 5}), "last_step", "emergency.1"),
        (stored(LAST, urgent=[{"who": ["nurse"], "minutes": 5}]), "last_step", "urgent.1"),
        (stored(*([{"who": ["nurse"], "minutes": 1}] * 8), LAST), "too_many", "emergency"),
    ],
)  # fmt: skip
def test_what_could_leave_nobody_is_refused(given: Any, code: str, at: str) -> None:
    with pytest.raises(LadderRefused) as refused:
        parse_ladder(given)
    assert (refused.value.code, refused.value.at) == (code, at)
    assert ladder_of(given) == LADDER  # and never stops an alert that meets it


def test_a_ladder_at_every_limit_is_read() -> None:
    sets = (["nurse"], ["backup"], ["physician"], ["lead"], ["everyone"], ["nurse", "backup"],
            ["nurse", "physician"])  # fmt: skip
    eight = [*({"who": who, "minutes": 1} for who in sets), {**LAST, "minutes": 15}]
    found = parse_ladder(stored(*eight, urgent=[{"who": ["lead"], "minutes": 60}]))
    assert as_stored(found) == stored(*eight, urgent=[{"who": ["lead"], "minutes": 60}])
    with pytest.raises(LadderRefused, match="too_many"):
        parse_ladder(stored({"who": ["backup", "physician"], "minutes": 1}, *eight))


def test_a_clinic_without_a_ladder_of_its_own_has_the_default() -> None:
    assert ladder_of(None) == LADDER
    own = stored({"who": ["physician"], "minutes": 3}, LAST)
    assert ladder_of(own) == parse_ladder(own) != LADDER


@pytest.mark.parametrize("who", [["lead"], ["everyone"]])
def test_the_last_step_of_an_emergency_needs_the_lead_and_everyone(who: list[str]) -> None:
    with pytest.raises(LadderRefused, match=r"emergency\.2: last_step"):
        parse_ladder(stored({"who": ["nurse"], "minutes": 5}, {"who": who, "minutes": 5}))


def test_steps_may_share_people_but_not_be_the_same() -> None:
    steps = ({"who": ["nurse"], "minutes": 5}, {"who": ["nurse", "backup"], "minutes": 5}, LAST)
    assert len(parse_ladder(stored(*steps))[TriageLevel.EMERGENCY]) == 3
