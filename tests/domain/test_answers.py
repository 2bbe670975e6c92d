"""What is accepted as an answer, and the path and words of each refusal."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.answers import AnswerError, validate_answers, value_from_text
from patient_portal.domain.cases import Case, read_case
from patient_portal.domain.levels import TriageLevel
from patient_portal.protocols import current

PROTOCOL = current()

REFUSED: list[tuple[Any, str]] = [
    ([], "answers: a list is not an object"),
    ("none", "answers: 'none' is not an object"),
    ({1: "x"}, "answers: key 1 is not a text"),
    ({"couch": "new"}, "answers.couch: unknown key; known are baseline_kg, bleeding"),
    ({"cough": "sometimes"}, "answers.cough: 'sometimes' is not one of none, usual, new"),
    ({"cough": "New"}, "answers.cough: 'New' is not one of"),
    ({"cough": True}, "answers.cough: true is not one of"),
    ({"cough": ["new"]}, "answers.cough: a list is not one of"),
    ({"chills": 1}, "answers.chills: 1 is not one of false, true, not_sure"),
    ({"chills": "yes"}, "answers.chills: 'yes' is not one of false, true, not_sure"),
    ({"red_flags": "chest_pain"}, "answers.red_flags: 'chest_pain' is not a list"),
    ({"red_flags": ["x"]}, "answers.red_flags[0]: 'x' is not one of very_hard_to_breathe"),
    ({"red_flags": ["not_sure"]}, "answers.red_flags[0]: 'not_sure' is not one of"),
    ({"red_flags": ["none"] * 1001}, "answers.red_flags: 1001 entries are too many"),
    ({"temperature_c": "38"}, "answers.temperature_c: '38' is not a number"),
    ({"temperature_c": True}, "answers.temperature_c: true is not a number"),
    ({"temperature_c": 50}, "answers.temperature_c: 50 is not between 34.0 and 43.0"),
    ({"temperature_c": 101}, "it would fit f"),
    ({"temperature_c": float("nan")}, "answers.temperature_c: nan is not a finite number"),
    ({"temperature_c": float("inf")}, "answers.temperature_c: inf is not a finite number"),
    ({"temperature_c": Decimal("1e99999")}, "answers.temperature_c: 1E+99999 is not between"),
    ({"temperature_c": Decimal("37." + "9" * 20)}, "has more than 15 digits"),
    ({"temperature": 38}, "answers.temperature_unit: is missing beside temperature"),
    ({"temperature": 38, "temperature_unit": "k"}, "temperature_unit: 'k' is not one of c, f"),
    ({"temperature": 38, "temperature_unit": "f"}, "answers.temperature: 38 is not between 93.0"),
    ({"temperature_c": 37.5, "temperature_f": 100.4}, "answers.temperature_f: differs from"),
    ({"spo2": 101}, "answers.spo2: 101 is not between 50 and 100"),
    ({"bp_systolic": 20}, "answers.bp_systolic: 20 is not between 40 and 300"),
    ({"weight": 70}, "answers.weight_unit: is missing beside weight"),
    ({"weight": 70, "weight_unit": "st"}, "answers.weight_unit: 'st' is not one of kg, lb"),
    ({"weight": 5, "weight_unit": "kg"}, "answers.weight: 5 is not between 25 and 300"),
    ({"baseline_kg": 5}, "answers.baseline_kg: 5 is not between 25 and 300"),
    ({"baseline_kg": "not_measured"}, "answers.baseline_kg: 'not_measured' is not a number"),
    ({"weight_series": {}}, "answers.weight_series: an object is not a list"),
    ({"weight_series": [[1]]}, "answers.weight_series[0]: is not [day, kg]"),
    ({"weight_series": [[1, 70, "kg", 2]]}, "answers.weight_series[0]: is not [day, kg]"),
    ({"weight_series": [["1", 70]]}, "answers.weight_series[0][0]: '1' is not a whole number"),
    ({"weight_series": [[1.5, 70]]}, "answers.weight_series[0][0]: 1.5 is not a whole number"),
    ({"weight_series": [[10**9, 70]]}, "answers.weight_series[0][0]: 1000000000 is not between"),
    ({"weight_series": [[1, 70], [1, 71]]}, "answers.weight_series[1][0]: day 1 is not after"),
    ({"weight_series": [[2, 70], [1, 71]]}, "answers.weight_series[1][0]: day 1 is not after"),
    ({"weight_series": [[1, 7]]}, "answers.weight_series[0][1]: 7 is not between 25 and 300"),
    ({"weight_series": [[1, 70, "st"]]}, "answers.weight_series[0][2]: 'st' is not one of kg"),
    ({"weight_series": [[1, 70], [2, 154]]}, "answers.weight_series[1]: 154 kg after 70 kg looks"),
    ({"weight_series": [[1, 70]], "baseline_kg": 154}, "answers.baseline_kg: 154 kg after 70"),
    (
        {"weight_series": [[1, 70]], "weight": 70, "weight_unit": "kg"},
        "answers.weight: give weight or weight_series, not both",
    ),
    ({"yesterday": 5}, "answers.yesterday: 5 is not an object"),
    ({"yesterday": {"cough": "x"}}, "answers.yesterday.cough: 'x' is not one of"),
    ({"yesterday": {"yesterday": {}}}, "answers.yesterday.yesterday: unknown key"),
]


@pytest.mark.parametrize(("raw", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_bad_answer_is_refused_with_its_path(raw: Any, said: str) -> None:
    with pytest.raises(AnswerError) as caught:
        validate_answers(PROTOCOL, raw)
    assert said in str(caught.value)
    assert str(caught.value) == f"{caught.value.path}: {caught.value.message}"
    assert len(caught.value.message) < 800


def test_what_passes_is_kept_as_given() -> None:
    raw = {
        "cough": "not_sure",
        "breathlessness": "usual",
        "chills": "not_sure",
        "orthopnea": False,
        "temperature": 37.8,
        "temperature_unit": "c",
        "weight": "not_measured",
        "tighter_fit": None,
        "red_flags": ["none"],
        "spo2": "not_measured",
        "weight_series": [[1, 70.5], [3, 155, "lb"]],
        "yesterday": {"cough": "new"},
    }
    checked = validate_answers(PROTOCOL, raw)
    assert "tighter_fit" not in checked
    assert checked["temperature"] == Decimal("37.8")
    assert checked["red_flags"] == ()
    assert checked["weight_series"] == ((1, Decimal("70.5"), "kg"), (3, Decimal(155), "lb"))
    assert checked["cough"] == "not_sure"
    assert checked["weight"] == "not_measured"


def test_none_of_these_beside_a_flag_never_calms_it() -> None:
    checked = validate_answers(PROTOCOL, {"red_flags": ["none", "blue_lips", "blue_lips"]})
    assert checked == {"red_flags": ("blue_lips",)}
    assert validate_answers(PROTOCOL, {"red_flags": "none"}) == {"red_flags": ()}


def test_two_temperatures_may_differ_by_three_tenths() -> None:
    validate_answers(PROTOCOL, {"temperature_c": Decimal("38.0"), "temperature_f": 100.94})
    with pytest.raises(AnswerError):
        validate_answers(PROTOCOL, {"temperature_c": Decimal("38.0"), "temperature_f": 100.95})


def test_every_item_takes_each_of_its_values_and_its_text() -> None:
    for item in PROTOCOL.items:
        if item.kind not in ("choice", "flag"):
            continue
        for value in (*item.values, "not_sure"):
            assert validate_answers(PROTOCOL, {item.key: value}) == {item.key: value}
            text = str(value).lower() if isinstance(value, bool) else value
            assert value_from_text(item, text) is value
    with pytest.raises(AnswerError, match="cough: 'maybe' is not one of"):
        value_from_text(PROTOCOL.item("cough"), "maybe")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = [item.key for item in PROTOCOL.items] + ["weight_series", "temperature_c", "yesterday"]


@given(st.dictionaries(st.sampled_from(KEYS), anything, max_size=4))
def test_any_input_is_accepted_or_refused_with_a_path(raw: dict[str, Any]) -> None:
    try:
        validate_answers(PROTOCOL, raw)
    except AnswerError as error:
        assert error.path.startswith("answers")


def case(**more: Any) -> Case:
    return read_case(PROTOCOL, {"answers": {}, **more})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"answers": None}, "answers: is missing"),
        ({"drug": "aspirin"}, "drug: 'aspirin' is not one of atra"),
        ({"drug": 5}, "drug: 5 is not one of"),
        ({"day_of_therapy": "12"}, "day_of_therapy: '12' is not a whole number"),
        ({"day_of_therapy": True}, "day_of_therapy: true is not a whole number"),
        ({"day_of_therapy": 10**6}, "day_of_therapy: 1000000 is not between"),
        ({"window_extended": "no"}, "window_extended: 'no' is not one of true, false"),
        ({"extra": 1}, "extra: unknown key; known are id, drug"),
        ({"id": []}, "id: a list is not a text"),
        ({"id": "x" * 201}, "id: 'xxx"),
        ({"usual": "cough"}, "usual: 'cough' is not a list"),
        ({"usual": ["sneeze"]}, "usual[0]: 'sneeze' is not one of"),
        ({"owns": ["car"]}, "owns[0]: 'car' is not one of scale, thermometer"),
        ({"partners": [5]}, "partners[0]: 5 is not a text"),
        ({"history": {}}, "history: an object is not a list"),
        ({"history": [5]}, "history[0]: 5 is not an object"),
        ({"history": [{}]}, "history[0].day: is missing"),
        ({"history": [{"day": 1, "x": 1}]}, "history[0].x: unknown key"),
        ({"history": [{"day": 2}, {"day": 1}]}, "history[1].day: day 1 is before day 2"),
        ({"history": [{"day": 9}], "day_of_therapy": 5}, "history[0].day: day 9 is in the future"),
        ({"history": [{"day": 1, "level": "bad"}]}, "history[0].level: 'bad' is not one of"),
        ({"history": [{"day": 1, "closed": 1}]}, "history[0].closed: 1 is not one of"),
        (
            {"history": [{"day": 1, "answers": {"cough": "x"}}]},
            "history[0].answers.cough: 'x' is not one of",
        ),
        (
            {"answers": {"weight_series": [[3, 70], [9, 71]]}, "day_of_therapy": 8},
            "answers.weight_series[1][0]: day 9 is in the future: today is 8",
        ),
    ],
)
def test_a_bad_case_is_refused_with_its_path(more: dict[str, Any], said: str) -> None:
    with pytest.raises(AnswerError) as caught:
        case(**more)
    assert said in str(caught.value)


def test_what_a_case_leaves_out_is_the_most_cautious() -> None:
    course = case().course
    assert (course.drug, course.day_of_therapy, course.usual) == ("unknown", None, None)


def test_a_weight_of_today_is_not_in_the_future() -> None:
    series = {"weight_series": [[3, 70], [8, 71]]}
    assert case(answers=series, day_of_therapy=8).course.day_of_therapy == 8
    assert case(answers=series, day_of_therapy=0).course.day_of_therapy == 0  # unknown day
    assert case(history=[{"day": 8}], day_of_therapy=8).course.history[0].days_ago == 0


def test_a_whole_case_is_kept() -> None:
    read = case(
        id=7,
        drug="enasidenib",
        day_of_therapy=12,
        window_extended=True,
        usual=["cough"],
        owns=["scale"],
        partners=["azacitidine"],
        history=[{"day": 9, "answers": {"cough": "new"}, "level": "urgent", "closed": True}],
    )
    assert read.course.usual == ("cough",)
    assert read.course.owns == ("scale",)
    assert read.course.window_extended
    assert read.partners == ("azacitidine",)
    earlier = read.course.history[0]
    assert (earlier.days_ago, earlier.level, earlier.is_closed) == (3, TriageLevel.URGENT, True)


def test_levels_have_codes_and_an_order() -> None:
    assert [int(level) for level in TriageLevel] == [0, 1, 2, 3]  # what rows hold
    assert [level.code for level in TriageLevel] == ["none", "watch", "urgent", "emergency"]
    assert [level.is_red for level in TriageLevel] == [False, False, True, True]
    assert TriageLevel.from_code("watch") is TriageLevel.WATCH
    with pytest.raises(ValueError, match="'red' is not one of none, watch, urgent, emergency"):
        TriageLevel.from_code("red")
