"""Every cell of the protocol comes to the level that it was written for."""

from typing import Any

import pytest

from patient_portal.domain.course import Earlier
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.triage import Course, in_window, triage
from patient_portal.protocols import current
from tests.domain.cells import CELLS, IN, OUT, QUIET, Cell, c

PROTOCOL = current()
FIRST_AND_LAST = {
    "atra": (1, 60),
    "ato": (1, 60),
    "atra_ato": (1, 60),
    "ivosidenib": (1, 92),
    "enasidenib": (1, 180),
    "olutasidenib": (1, 548),
    "gilteritinib": (1, 92),
    "midostaurin": (1, 60),
    "quizartinib": (1, 60),
    "revumenib": (1, 60),
    "ziftomenib": (1, 60),
}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.rule}-{cell.drug}-{cell.day}")
def test_the_cell_fires_and_gives_its_level(cell: Cell) -> None:
    result = triage(PROTOCOL, cell.answers, cell.course)
    fired = {reason.rule: reason for reason in result.reasons}
    assert cell.rule in fired
    assert fired[cell.rule].level is cell.level
    assert fired[cell.rule].text == PROTOCOL.rule(cell.rule).patient
    assert result.level is cell.level
    assert result.protocol == "ds-1.0"


def test_every_rule_that_can_fire_has_a_case() -> None:
    spoken = {rule.id for rule in PROTOCOL.cells if rule.level > TriageLevel.NONE}
    assert spoken == {cell.rule for cell in CELLS}


def test_every_quiet_rule_has_a_case() -> None:
    """An answer on its own list of quiet ones is classified as none, and says nothing."""
    for answers in QUIET:
        for drug, day in (("atra", IN), ("atra", OUT), ("unknown", None)):
            result = triage(PROTOCOL, answers, Course(drug, day))
            assert (result.level, result.reasons) == (TriageLevel.NONE, ())


def test_the_severe_headache_of_an_early_bleed_is_urgent_from_day_31() -> None:
    later = triage(PROTOCOL, {"headache": "severe"}, Course("atra", 31))
    assert later.level is TriageLevel.URGENT


@pytest.mark.parametrize(("drug", "days"), FIRST_AND_LAST.items())
def test_windows_hold_their_first_and_last_day(drug: str, days: tuple[int, int]) -> None:
    first, last = days
    cough = {"cough": "new"}

    def level(day: int | None, *, extended: bool = False) -> TriageLevel:
        return triage(PROTOCOL, cough, Course(drug, day, window_extended=extended)).level

    assert level(first) is level(last) is TriageLevel.URGENT
    assert level(last + 1) is TriageLevel.WATCH
    assert level(last + 1, extended=True) is TriageLevel.URGENT
    assert level(0) is level(-5) is level(None) is TriageLevel.URGENT  # unknown is inside


def test_an_unknown_medicine_is_always_inside_its_window() -> None:
    assert in_window(PROTOCOL.drug("unknown"), Course("unknown", 5000))


def test_a_fahrenheit_reading_is_compared_in_fahrenheit() -> None:
    for text, level in (
        ("94.9", TriageLevel.URGENT),
        ("95.0", TriageLevel.WATCH),
        ("96.7", TriageLevel.WATCH),
        ("96.8", TriageLevel.NONE),
        ("99.4", TriageLevel.NONE),
        ("99.5", TriageLevel.WATCH),
        ("100.3", TriageLevel.WATCH),
        ("100.4", TriageLevel.URGENT),
        ("103.9", TriageLevel.URGENT),
        ("104.0", TriageLevel.EMERGENCY),
    ):
        answers = {"temperature": text, "temperature_unit": "f"}  # as stored: its text
        assert triage(PROTOCOL, answers, Course("atra", OUT)).level is level, text


def test_a_celsius_reading_is_compared_exactly() -> None:
    for text, level in (
        ("34.99", TriageLevel.URGENT),
        ("35.0", TriageLevel.WATCH),
        ("35.99", TriageLevel.WATCH),
        ("36.0", TriageLevel.NONE),
        ("37.49", TriageLevel.NONE),
        ("37.5", TriageLevel.WATCH),
        ("37.99", TriageLevel.WATCH),
        ("38.0", TriageLevel.URGENT),
        ("39.99", TriageLevel.URGENT),
        ("40.0", TriageLevel.EMERGENCY),
    ):
        assert triage(PROTOCOL, c(text), Course("atra", OUT)).level is level, text


def test_of_two_temperatures_the_worse_holds() -> None:
    answers = {"temperature_c": "37.9", "temperature_f": "100.4"}
    assert triage(PROTOCOL, answers, Course("atra", IN)).level is TriageLevel.URGENT


def test_a_steroid_or_a_pill_does_not_mask_what_was_not_felt() -> None:
    calm = {**c("36.8"), "fever_medicine_6h": True, "on_steroid": True, "felt_feverish": False}
    assert triage(PROTOCOL, calm, Course("atra", IN)).level is TriageLevel.NONE


def test_usual_is_accepted_only_from_the_baseline() -> None:
    answers = {"cough": "usual"}
    assert triage(PROTOCOL, answers, Course("atra", IN)).level is TriageLevel.NONE
    assert triage(PROTOCOL, answers, Course("atra", IN, usual=["cough"])).level is TriageLevel.NONE
    new = triage(PROTOCOL, answers, Course("atra", IN, usual=["headache"]))
    assert [reason.rule for reason in new.reasons] == ["CO1"]


def test_reasons_come_worst_first_then_in_the_order_of_the_file() -> None:
    answers = {"headache": "mild", "cough": "new", "swelling": "worse", "orthopnea": True}
    result = triage(PROTOCOL, answers, Course("atra", IN))
    assert [reason.rule for reason in result.reasons] == ["OR1", "SW3", "CO1", "C4", "HA1"]


@pytest.mark.parametrize(
    ("answers", "course"),
    [
        ({"cough": "sometimes"}, Course("atra", IN)),
        ({"couch": "new"}, Course("atra", IN)),
        ({"cough": ["new"]}, Course("atra", IN)),
        ({"red_flags": 5}, Course("atra", IN)),
        ({"red_flags": ["hiccups"]}, Course("atra", IN)),
        ({"cough": "none"}, Course("aspirin", IN)),
        ({"temperature": "38", "temperature_unit": "kg"}, Course("atra", IN)),
        ({"temperature": "38"}, Course("atra", IN)),
        ({"temperature_c": "NaN"}, Course("atra", IN)),
        ({"temperature_c": float("inf")}, Course("atra", IN)),
        ({"temperature_c": "hot"}, Course("atra", IN)),
        ({"temperature_c": True}, Course("atra", IN)),
        ({"weight": "70", "weight_unit": "st"}, Course("atra", IN)),
        ({"weight": "70"}, Course("atra", IN)),
        ({"yesterday": "fine"}, Course("atra", IN)),
    ],
)
def test_what_the_protocol_does_not_know_is_never_calm(
    answers: dict[str, object], course: Course
) -> None:
    with pytest.raises(ValueError, match=r"\w+: "):
        triage(PROTOCOL, answers, course)


def test_each_red_reason_has_words_for_patient_staff_and_operator() -> None:
    for rule in PROTOCOL.rules:
        if rule.level > TriageLevel.NONE:
            assert rule.patient.endswith(".")
            assert rule.staff
            assert "\u2014" not in rule.patient + rule.staff + rule.say
        if rule.level is TriageLevel.EMERGENCY:
            assert rule.say.endswith(".")


BREATHLESS = [
    {"breathlessness": "mild_exertion"},
    {"breathlessness": "moderate_exertion"},
    {"breathlessness": "at_rest"},
    {"breathlessness": "cannot_speak"},
    {"breathlessness": "not_sure"},
]
DIZZY = [{"dizziness": "mild"}, {"dizziness": "severe"}, {"dizziness": "fainted"}]
FEVER = [c("38.0"), c("40.0"), {"temperature_f": "100.4"}]
NEW_SWELLING = [
    {"swelling": "new_mild"},
    {"swelling": "worse"},
    {"swelling": "face"},
    {"swelling": "neck_groin_armpit"},
    {"swelling": "one_leg"},
    {"tighter_fit": True},
]
# rule: its own answer, what makes it fire beside that, and what does not
NEEDS: dict[str, tuple[dict[str, object], list[Any], list[Any]]] = {
    "BR5": (
        {"breathlessness": "mild_exertion"},
        [{"chest_pain": "present"}],
        [{}, {"chest_pain": "gone_now"}],
    ),
    "F3": (c("39.9"), [{"chills": True}, {"chills": "not_sure"}], [{}, {"felt_feverish": True}]),
    "F4": (c("38.0"), [{"confusion": "new"}], [{}, {"confusion": "none"}]),
    "F5": (c("38.0"), DIZZY[1:], [{}, DIZZY[0]]),
    "F6": (c("38.0"), BREATHLESS[1:4], [{}, BREATHLESS[0], BREATHLESS[4]]),
    "F8": (c("37.5"), [{"fever_medicine_6h": True}, {"on_steroid": True}], [{}, {"chills": True}]),
    "F9": (
        c("37.5"),
        [{"yesterday": c(t)} for t in ("37.5", "38.0", "40.0")],
        [{}, {"yesterday": {}}, {"yesterday": c("37.4")}, {"yesterday": {"chills": True}}],
    ),
    "F12": (c("35.0"), [{"feels_much_worse": True}], [{}, {"caregiver_very_worried": True}]),
    "FF2": (
        {"felt_feverish": True},
        [{}, {"temperature_c": "not_measured"}, {**c("36.8"), "on_steroid": True}],
        [c("36.8"), c("37.9"), {**c("36.8"), "fever_medicine_6h": False}],
    ),
    "SW7": ({"swelling": "face"}, BREATHLESS, [{}, {"breathlessness": "usual"}]),
    "SW8": ({"swelling": "face"}, [{"swelling_breathing": True}], [{}]),
    "UR4": ({"urine": "very_little"}, BREATHLESS, [{}, {"cough": "new"}]),
    "UR5": ({"urine": "very_little"}, NEW_SWELLING, [{}, {"swelling": "usual"}]),
    "UR6": ({"urine": "very_little"}, [{"confusion": "new"}], [{}, {"neuro": "seizure"}]),
    "RS5": ({"rash": "mild"}, FEVER, [{}, c("37.9")]),
    "HP4": ({"palpitations": "brief"}, DIZZY, [{}, {"dizziness": "none"}]),
    "HP5": (
        {"palpitations": "sustained"},
        [{"chest_pain": "present"}, {"chest_pain": "gone_now"}],
        [{}, {"chest_pain": "none"}],
    ),
    "HP6": ({"palpitations": "brief"}, BREATHLESS, [{}, {"breathlessness": "usual"}]),
    "HA4": (
        {"headache": "severe"},
        [{"vision": "blurred_or_double"}, {"vision": "loss"}],
        [{}, {"vision": "normal"}],
    ),
    "HA5": ({"headache": "severe"}, [{"vomiting": True}], [{}, {"vomiting": False}]),
    "HA6": ({"headache": "severe"}, [{"confusion": "new"}], [{}, {"confusion": "none"}]),
}


@pytest.mark.parametrize("rule", NEEDS)
def test_a_rule_that_needs_more_fires_with_each_of_it_and_with_nothing_else(rule: str) -> None:
    own, enough, not_enough = NEEDS[rule]
    for more, fires in [(m, True) for m in enough] + [(m, False) for m in not_enough]:
        result = triage(PROTOCOL, {**own, **more}, Course("atra", OUT))
        assert (rule in {reason.rule for reason in result.reasons}) is fires, more


def test_numbers_between_whole_ones_fall_to_the_cautious_side() -> None:
    for answers, level in (
        ({"spo2": "91.9"}, TriageLevel.EMERGENCY),
        ({"spo2": "94.9"}, TriageLevel.URGENT),
        ({"bp_systolic": "89.9"}, TriageLevel.EMERGENCY),
        ({"bp_systolic": "99.9"}, TriageLevel.URGENT),
    ):
        assert triage(PROTOCOL, answers, Course("atra", OUT)).level is level


def test_a_milder_reason_beside_an_urgent_one_hides_no_unresolved_alert() -> None:
    answers = {"breathlessness": "mild_exertion", "headache": "mild"}
    before = Earlier(1, {"breathlessness": "mild_exertion"}, TriageLevel.URGENT)
    result = triage(PROTOCOL, answers, Course("atra", IN, history=(before,)))
    assert {TriageLevel.WATCH, TriageLevel.URGENT} <= {one.level for one in result.reasons}
    assert "T4" in {one.rule for one in result.reasons}
