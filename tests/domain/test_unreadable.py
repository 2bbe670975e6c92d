"""A record that the rules cannot read: what can be read still counts, and nothing calms it."""

from typing import Any

import pytest

from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.triage import triage
from patient_portal.domain.unreadable import triage_the_rest, with_notice
from patient_portal.protocols import current

PROTOCOL = current()
URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
DAMAGED = {"cough": "a value of 2019"}


def salvaged(answers: dict[str, Any], drug: str = "atra") -> tuple[TriageLevel, list[str]]:
    result = triage_the_rest(PROTOCOL, answers, Course(drug, 700)).result
    return result.level, [reason.rule for reason in result.reasons]


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ({}, URGENT),
        ({"breathlessness": "none"}, URGENT),
        ({"breathlessness": "at_rest"}, EMERGENCY),
        ({"red_flags": ["a new flag", "chest_pain"]}, EMERGENCY),
        ({"red_flags": ["chest_pain", "blue_lips"]}, EMERGENCY),
        ({"red_flags": "chest_pain"}, EMERGENCY),
        ({"temperature": "104.1", "temperature_unit": "f"}, EMERGENCY),
    ],
)
def test_the_rest_counts_and_is_never_below_urgent(answers: dict[str, Any], level: int) -> None:
    with pytest.raises(ValueError, match="cough"):
        triage(PROTOCOL, {**DAMAGED, **answers}, Course("atra", 700))
    found, rules = salvaged({**DAMAGED, **answers})
    assert found == level
    assert "X1" in rules


def test_both_of_two_red_flags_are_kept() -> None:
    answers = {**DAMAGED, "red_flags": ["chest_pain", "no such flag", "blue_lips"]}
    kept = triage_the_rest(PROTOCOL, answers, Course("atra", 700))
    assert kept.answers == {"red_flags": ["chest_pain", "blue_lips"]}
    assert (kept.course.drug, kept.course.day_of_therapy) == ("unknown", None)


def test_a_medicine_that_is_gone_is_unknown_and_the_answers_stay() -> None:
    kept = triage_the_rest(PROTOCOL, {"cough": "new"}, Course("no such medicine", 700))
    assert kept.answers == {"cough": "new"}
    assert kept.course.drug == "unknown"
    assert kept.result.level is URGENT


def test_only_the_history_was_damaged() -> None:
    answers = {"red_flags": ["none"]}
    damaged = Course("atra", 700, history=(Earlier(1, DAMAGED),))
    with pytest.raises(ValueError, match="cough"):
        triage(PROTOCOL, answers, damaged)
    kept = triage_the_rest(PROTOCOL, answers, Course("atra", 700))
    assert kept.answers is answers
    assert kept.course == Course("atra", 700)
    assert [reason.rule for reason in kept.result.reasons] == ["X1"]


def test_the_notice_stands_among_the_reasons_worst_first() -> None:
    plain = triage(PROTOCOL, {"breathlessness": "at_rest", "headache": "mild"}, Course("atra", 700))
    noted = with_notice(PROTOCOL, plain)
    assert noted.level is EMERGENCY
    levels = [reason.level for reason in noted.reasons]
    assert levels == sorted(levels, reverse=True)
    assert len(noted.reasons) == len(plain.reasons) + 1
