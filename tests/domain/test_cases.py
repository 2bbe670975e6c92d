"""One case of a script: its limits, overrides and earlier check-ins."""

from decimal import Decimal
from typing import Any

import pytest

from patient_portal.domain.answers import AnswerError
from patient_portal.domain.cases import Case, id_of, read_case
from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.protocols import current

PROTOCOL = current()
SERIES = "answers.weight_series"


def case(**more: Any) -> Case:
    return read_case(PROTOCOL, {"answers": {}, **more})


def course(**more: Any) -> Course:
    return case(**more).course


def refusal(**more: Any) -> str:
    with pytest.raises(AnswerError) as caught:
        case(**more)
    return str(caught.value)


# ---- ids and words


@pytest.mark.parametrize("id", ["x", "x" * 200, 7, 0, ""])
def test_an_id_that_can_be_echoed_is_echoed(id: str | int) -> None:
    assert id_of({"id": id}) == id
    case(id=id)


@pytest.mark.parametrize("raw", [{"id": "x" * 201}, {"id": True}, {"id": 1.5}, {"id": []}, {}, []])
def test_an_id_of_another_kind_is_no_id(raw: object) -> None:
    assert id_of(raw) is None


def test_a_word_may_have_a_hundred_letters() -> None:
    assert case(partners=["x" * 100]).partners == ("x" * 100,)
    assert "partners[1]: 'xxx" in refusal(partners=["x", "x" * 101])


# ---- what a clinician has set


def test_what_a_clinician_has_set_is_taken() -> None:
    told = course(overrides={"fever_line": 37.5, "on_steroid": True, "window_last_day": 99})
    assert (told.fever_line, told.on_steroid, told.window_last_day) == (Decimal("37.5"), True, 99)
    assert course(overrides={"fever_line": 38}).fever_line == Decimal(38)
    assert course(overrides={"on_steroid": False}).on_steroid is False
    assert course(overrides={"window_last_day": 1}).window_last_day == 1
    assert course(overrides={"window_last_day": 2}).window_last_day == 2


@pytest.mark.parametrize(
    "overrides", [{}, {"fever_line": None, "on_steroid": None, "window_last_day": None}]
)
def test_what_nobody_has_set_is_the_rule(overrides: dict[str, object]) -> None:
    assert course(overrides=overrides) == course()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"fever_line": 37.6}, "overrides.fever_line: 37.6 is not one of 37.5, 38.0"),
        ({"fever_line": True}, "overrides.fever_line: true is not one of"),
        ({"fever_line": "38.0"}, "overrides.fever_line: '38.0' is not one of"),
        ({"on_steroid": 1}, "overrides.on_steroid: 1 is not one of true, false"),
        ({"window_last_day": 0}, "overrides.window_last_day: 0 is not a day of therapy"),
        ({"window_last_day": True}, "overrides.window_last_day: true is not a whole number"),
        ({"colour": 1}, "overrides.colour: unknown key; known are fever_line, on_steroid"),
        ({"colour": None, "fever_line": 39}, "overrides.fever_line: 39 is not one of"),
    ],
)
def test_a_limit_that_nobody_may_set_is_refused(overrides: dict[str, object], said: str) -> None:
    assert said in refusal(overrides=overrides)


# ---- weights


def kg(value: str) -> Measure:
    return Measure(Decimal(value), "kg")


def test_a_day_that_is_in_todays_series_is_not_weighed_twice() -> None:
    def weighed(day: int, value: float) -> dict[str, Any]:
        return {"day": day, "answers": {"weight": value, "weight_unit": "kg"}}

    told = course(
        answers={"weight_series": [[4, 70], [6, 71], [8, 72]]},
        day_of_therapy=8,
        history=[weighed(3, 69.5), weighed(4, 70.4), weighed(5, 70.7), weighed(6, 71.1)],
    )
    assert told.weights == ((-5, kg("69.5")), (-3, kg("70.7")))


def test_the_weight_of_yesterday_is_an_earlier_one() -> None:
    yesterday = {"weight": 70, "weight_unit": "kg"}
    assert course(answers={"yesterday": yesterday}).weights == ((-1, kg("70")),)
    both = {"weight_series": [[1, 69], [2, 71]], "yesterday": yesterday}
    assert course(answers=both).weights == ()


@pytest.mark.parametrize("rows", [[[9, 70]], [[3, 69], [9, 70]], [[3, 69], [4, 70], [9, 70]]])
def test_a_series_may_not_reach_beyond_today(rows: list[list[int]]) -> None:
    last = len(rows) - 1
    said = refusal(answers={"weight_series": rows}, day_of_therapy=8)
    assert said == f"{SERIES}[{last}][0]: day 9 is in the future: today is 8"
    assert course(answers={"weight_series": rows}, day_of_therapy=9).day_of_therapy == 9


def test_on_the_first_day_the_second_is_in_the_future() -> None:
    said = refusal(answers={"weight_series": [[1, 70], [2, 70]]}, day_of_therapy=1)
    assert said == f"{SERIES}[1][0]: day 2 is in the future: today is 1"
    # A day before the first dose tells nothing of when today is.
    assert course(answers={"weight_series": [[1, 70]]}, day_of_therapy=0).day_of_therapy == 0
    assert course(answers={"weight_series": []}, day_of_therapy=1).weights == ()


# ---- earlier check-ins


def days_ago(**more: Any) -> list[int]:
    return [earlier.days_ago for earlier in course(**more).history]


def test_earlier_days_are_counted_from_today() -> None:
    days = [{"day": 3}, {"day": 5}, {"day": 5}]
    assert days_ago(history=days, day_of_therapy=8) == [5, 3, 3]
    assert days_ago(history=days, day_of_therapy=5) == [2, 0, 0]
    # Without a day of therapy they are as recent as they can have been.
    assert days_ago(history=days) == [3, 1, 1]
    assert days_ago(history=days, day_of_therapy=0) == [3, 1, 1]
    assert days_ago(history=[{"day": -2}, {"day": 1}], day_of_therapy=1) == [3, 0]
    assert days_ago(history=[{"day": -5}]) == [1]
    assert days_ago() == []


def test_the_last_day_of_the_weights_is_today_if_nothing_says_otherwise() -> None:
    days = [{"day": 3}, {"day": 5}]

    def series(*last: int) -> dict[str, Any]:
        return {"weight_series": [[day, 70] for day in (1, 2, *last)]}

    assert days_ago(history=days, answers=series(7)) == [4, 2]
    assert days_ago(history=days, answers=series(5)) == [2, 0]
    assert days_ago(history=days, answers=series(4)) == [3, 1]  # told after the weights
    assert days_ago(history=days, answers=series(7), day_of_therapy=9) == [6, 4]
    assert days_ago(history=days, answers={"weight_series": []}) == [3, 1]
    assert days_ago(history=[{"day": 0}], answers={"weight_series": [[0, 70]]}) == [0]


def test_a_day_in_the_future_and_one_out_of_order_are_named() -> None:
    said = refusal(history=[{"day": 1}, {"day": 2}, {"day": 9}], day_of_therapy=8)
    assert said == "history[2].day: day 9 is in the future: today is 8"
    said = refusal(history=[{"day": 1}, {"day": 3}, {"day": 2}])
    assert said == "history[2].day: day 2 is before day 3"


def test_an_earlier_check_in_is_kept_with_what_the_team_made_of_it() -> None:
    row = {
        "day": 5,
        "answers": {"cough": "new"},
        "level": "urgent",
        "closed": True,
        "resolved": ["D", "W"],
        "recheck": 8,
        "reporter": "caregiver",
    }
    (read,) = course(history=[row], day_of_therapy=8).history
    assert read == Earlier(
        3, {"cough": "new"}, TriageLevel.URGENT, True, ("D", "W"), True, "caregiver"
    )
    nothing = {key: None for key in row} | {"day": 5}
    (plain,) = course(history=[nothing], day_of_therapy=8).history
    assert plain == Earlier(3, {})


@pytest.mark.parametrize(("recheck", "is_to_come"), [(7, False), (8, True), (9, True)])
def test_a_recheck_counts_until_its_day_is_over(recheck: int, is_to_come: bool) -> None:
    row = {"day": 5, "closed": True, "recheck": recheck}
    assert course(history=[row], day_of_therapy=8).history[0].recheck is is_to_come
    closed = {"day": 5, "closed": True}
    assert course(history=[closed], day_of_therapy=8).history[0].recheck is False


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"day": None}, "history[0].day: is missing"),
        ({"day": "1"}, "history[0].day: '1' is not a whole number"),
        ({"day": 1, "recheck": 3}, "history[0].recheck: is for a check-in that is closed"),
        ({"day": 1, "recheck": 3, "closed": False}, "history[0].recheck: is for"),
        ({"day": 1, "recheck": "soon", "closed": True}, "history[0].recheck: 'soon' is not a wh"),
        ({"day": 1, "resolved": ["Z"]}, "history[0].resolved[0]: 'Z' is not one of"),
        ({"day": 1, "reporter": "dog"}, "history[0].reporter: 'dog' is not one of patient"),
        ({"day": 1, "answers": {"yesterday": {}}}, "history[0].answers.yesterday: is a check-in"),
    ],
)
def test_an_earlier_check_in_that_cannot_be_is_refused(row: dict[str, Any], said: str) -> None:
    assert said in refusal(history=[row])


def test_a_reporter_is_one_of_three() -> None:
    assert course(reporter="caregiver").reporter == "caregiver"
    assert course(reporter=None).reporter == "patient"
    assert "reporter: 'dog' is not one of patient, caregiver, staff" in refusal(reporter="dog")


def test_flags_and_what_is_owned_are_taken_as_given() -> None:
    told = course(uk_lines=True, window_extended=False, owns=[], usual=[])
    assert (told.uk_lines, told.window_extended, told.owns, told.usual) == (True, False, (), ())
    assert (course().uk_lines, course().owns, course().usual) == (False, None, None)
    assert "uk_lines: 1 is not one of true, false" in refusal(uk_lines=1)
