"""What is accepted as an answer, and the path and words of each refusal."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.answers import (
    AnswerError,
    shown,
    validate_answers,
    value_from_text,
    with_unticked,
)
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


def refusal(raw: Any) -> str:
    with pytest.raises(AnswerError) as caught:
        validate_answers(PROTOCOL, raw)
    return str(caught.value)


def test_a_value_is_shown_as_it_was_sent_and_cut_if_it_is_long() -> None:
    assert shown("x" * 58) == repr("x" * 58)  # sixty signs with its quotes
    assert shown("x" * 59) == "'" + "x" * 58 + "…"
    assert [shown(one) for one in (None, True, False, 1, 1.5)] == [
        "null",
        "true",
        "false",
        "1",
        "1.5",
    ]
    assert (shown({"a": 1}), shown([1]), shown(())) == ("an object", "a list", "a list")


def test_a_long_unknown_key_is_cut_in_its_path() -> None:
    assert refusal({"x" * 60: 1}).startswith(f"answers.{'x' * 60}: unknown key")
    assert refusal({"x" * 61: 1}).startswith(f"answers.{'x' * 60}…: unknown key")
    assert "unknown key" in refusal({"couch": None})


def test_a_number_may_have_fifteen_digits() -> None:
    exact = Decimal("37.0000000000001")
    assert validate_answers(PROTOCOL, {"temperature_c": exact}) == {"temperature_c": exact}
    assert "has more than 15 digits" in refusal({"temperature_c": Decimal("37.00000000000001")})


def test_a_list_may_have_a_thousand_rows_and_a_day_a_hundred_years() -> None:
    validate_answers(PROTOCOL, {"red_flags": ["none"] * 1000})
    ends = ((-36_500, Decimal(70), "kg"), (36_500, Decimal(71), "kg"))
    checked = validate_answers(PROTOCOL, {"weight_series": [[-36_500, 70], [36_500, 71]]})
    assert checked["weight_series"] == ends
    for day in (-36_501, 36_501):
        said = f"weight_series[0][0]: {day} is not between -36500 and 36500"
        assert said in refusal({"weight_series": [[day, 70]]})


@pytest.mark.parametrize(
    ("key", "low", "high", "step"),
    [
        ("temperature_c", 34, 43, 0.1),
        ("spo2", 50, 100, 1),
        ("bp_systolic", 40, 300, 1),
        ("baseline_kg", 25, 300, 0.1),
    ],
)
def test_numbers_that_a_person_can_have_are_taken(
    key: str, low: int, high: int, step: float
) -> None:
    for value in (low, high):
        assert validate_answers(PROTOCOL, {key: value}) == {key: Decimal(value)}
    for beyond in (low - step, high + step):
        assert "is not between" in refusal({key: beyond})


def test_a_number_of_the_other_unit_is_said_to_be_one() -> None:
    assert refusal({"temperature_c": 101}).endswith("(c); it would fit f")
    assert refusal({"temperature_f": 38}).endswith("(f); it would fit c")
    assert refusal({"temperature_c": 20}).endswith("(c)")
    assert refusal({"spo2": 20}).endswith("(percent)")


def test_flags_are_named_by_their_place() -> None:
    assert "answers.red_flags[1]: 'x' is not" in refusal({"red_flags": ["none", "x"]})
    assert "answers.red_flags[0]: 1 is not" in refusal({"red_flags": [1]})


def test_rows_of_a_series_are_named_by_their_place() -> None:
    rows = [[1, 70], [2, 71], [3, 72, "kg"]]
    assert len(validate_answers(PROTOCOL, {"weight_series": rows})) == 1
    said = refusal({"weight_series": [*rows, [4, 160]]})
    assert said.startswith("answers.weight_series[3]: 160 kg after 72 kg looks like another unit")
    assert "weight_series[3][0]: day 3 is not after day 3" in refusal(
        {"weight_series": [*rows, [3, 72]]}
    )
    assert "weight_series[1][1]: '71' is not a number" in refusal(
        {"weight_series": [[1, 70], [2, "71"]]}
    )


def test_every_two_temperatures_of_a_check_in_must_agree() -> None:
    near = {
        "temperature": 38,
        "temperature_unit": "c",
        "temperature_c": 38.1,
        "temperature_f": 100.5,
    }
    assert len(validate_answers(PROTOCOL, near)) == 4
    far = "answers.temperature_f: differs from temperature by more than 0.3 °C"
    assert refusal(near | {"temperature_f": 101.1}) == far
    in_f = {"temperature": 100.4, "temperature_unit": "f"}
    assert validate_answers(PROTOCOL, in_f | {"temperature_c": 38})
    said = refusal(in_f | {"temperature_c": 38.4})
    assert said == "answers.temperature_c: differs from temperature by more than 0.3 °C"


def test_a_series_may_stand_beside_a_weight_that_was_not_measured() -> None:
    raw = {"weight_series": [[1, 70]], "weight": "not_measured", "baseline_kg": 69}
    assert len(validate_answers(PROTOCOL, raw)) == 3
    empty = {"weight_series": [], "weight": 70, "weight_unit": "kg", "baseline_kg": 154}
    assert len(validate_answers(PROTOCOL, empty)) == 4
    # The baseline is compared with the last reading of the series.
    last = {"weight_series": [[1, 110], [2, 90], [3, 75]], "baseline_kg": 165}
    assert "baseline_kg: 165 kg after 75 kg looks" in refusal(last)


def test_a_row_that_nobody_ticked_is_no() -> None:
    said = {"cough": "new", "temperature_c": Decimal("36.8")}
    assert with_unticked(PROTOCOL, said, None) == said
    full = with_unticked(PROTOCOL, said, ["rash"])
    assert full["cough"] == "new"  # what was answered stands
    assert full["chills"] is False
    assert full["headache"] == "none"
    assert "rash" not in full
    every = {key for tick in PROTOCOL.ticks for key in tick.items}
    assert every - set(with_unticked(PROTOCOL, {}, [])) == set()
    assert with_unticked(PROTOCOL, {}, [tick.value for tick in PROTOCOL.ticks]) == {}


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
