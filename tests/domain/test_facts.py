"""Answers as facts: what is stored is read exactly, and nothing unknown is calm."""

from decimal import Decimal
from typing import Any

import pytest

from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.facts import (
    NOT_WEIGHED,
    WEIGHED,
    facts_of_answers,
    facts_of_earlier,
    facts_of_today,
    is_declined,
    measure,
    number,
    readings_of,
    was_measured,
    weighed_of,
    weighed_then,
    weight_in,
    weights_in,
)
from patient_portal.domain.measures import Measure
from patient_portal.domain.plan import plan_for
from patient_portal.domain.weights import Weighed
from patient_portal.protocols import current

PLAN = plan_for(current())


def kg(value: str) -> Measure:
    return Measure(Decimal(value), "kg")


def lb(value: str) -> Measure:
    return Measure(Decimal(value), "lb")


def said(answers: dict[str, Any], usual: tuple[str, ...] | None = None) -> set[str]:
    return set(facts_of_answers(PLAN, answers, usual))


# ---- numbers as stored


@pytest.mark.parametrize("value", [Decimal("37.80"), "37.80", 37.8])
def test_a_stored_number_is_read_exactly(value: object) -> None:
    assert number("x", value) == Decimal("37.8")
    assert number("x", 0) == Decimal(0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "x: must be a number"),
        (None, "x: must be a number"),
        ([37], "x: must be a number"),
        ("warm", "x: must be a number"),
        ("NaN", "x: must be a finite number"),
        (float("inf"), "x: must be a finite number"),
        (Decimal("-Infinity"), "x: must be a finite number"),
    ],
)
def test_what_is_no_finite_number_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        number("x", value)


def test_a_number_of_another_unit_is_refused() -> None:
    assert measure("weight", "70", "kg") == kg("70")
    with pytest.raises(ValueError, match="weight: 'st' is not one of kg, lb"):
        measure("weight", "11", "st")
    with pytest.raises(ValueError, match="temperature: 'None' is not one of"):
        said({"temperature": "37.0"})


# ---- readings


def test_each_name_of_a_reading_has_its_unit() -> None:
    given = {"temperature": "99.0", "temperature_unit": "f", "temperature_c": Decimal("37.1")}
    found = [(one.value, one.unit) for one in readings_of(PLAN, given, "temperature")]
    assert found == [(Decimal("99.0"), "f"), (Decimal("37.1"), "c")]
    assert readings_of(PLAN, {"temperature": "not_measured"}, "temperature") == []
    assert readings_of(PLAN, {"temperature": None, "spo2": 96}, "temperature") == []
    assert readings_of(PLAN, {"spo2": 96}, "spo2") == [Measure(Decimal(96), "percent")]


@pytest.mark.parametrize("key", ["temperature", "temperature_c", "temperature_f"])
def test_a_temperature_that_was_not_taken_is_missing(key: str) -> None:
    assert PLAN.no_temperature in said({key: "not_measured"})
    assert is_declined({key: "not_measured"}, "temperature")
    assert not is_declined({key: "not_measured"}, "weight")
    assert not is_declined({}, "temperature")
    assert not was_measured(PLAN, {key: "not_measured"}, "temperature")


def test_a_temperature_that_was_taken_is_not_missing_whatever_else_was_measured() -> None:
    for answers in ({"temperature_c": "36.8", "spo2": 96}, {"spo2": 96, "temperature_c": "36.8"}):
        assert PLAN.no_temperature not in said(answers)
        assert was_measured(PLAN, answers, "temperature")
    assert PLAN.no_temperature in said({"spo2": 96, "bp_systolic": 120})


def test_a_weight_that_was_not_taken_is_declined() -> None:
    assert is_declined({"weight": "not_measured"}, "weight")
    assert not is_declined({"weight": "70", "weight_unit": "kg"}, "weight")
    assert was_measured(PLAN, {"weight": "70", "weight_unit": "kg"}, "weight")
    assert not was_measured(PLAN, {"weight": "not_measured"}, "weight")


# ---- answers


def test_a_flag_is_taken_alone_or_in_a_list() -> None:
    assert said({"red_flags": "chest_pain"}) == {"red_flags=chest_pain", PLAN.no_temperature}
    assert said({"red_flags": ["chest_pain", "blue_lips"]}) >= {"red_flags=blue_lips"}
    for value in (5, {"chest_pain": True}):
        with pytest.raises(ValueError, match="red_flags: must be a list"):
            said({"red_flags": value})
    with pytest.raises(ValueError, match="'itch' is not an answer the protocol knows"):
        said({"red_flags": ["itch"]})


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"cough": "bad"}, "cough: 'bad'"),
        ({"couch": "new"}, "couch: 'new'"),
        ({"cough": ["new"]}, "cough:"),
        ({"chills": "true"}, "chills: 'true'"),
    ],
)
def test_an_unknown_answer_is_never_calm(answers: dict[str, Any], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        said(answers)


def test_usual_counts_only_if_the_baseline_has_it() -> None:
    assert "cough=usual" in said({"cough": "usual"})
    assert "cough=usual" in said({"cough": "usual"}, ("cough",))
    assert said({"cough": "usual"}, ("rash",)) == said({"cough": "not_sure"})
    assert said({"cough": "usual"}, ()) == said({"cough": "not_sure"})


def test_what_is_beside_the_answers_and_what_is_absent_says_nothing() -> None:
    beside = {"weight": "70", "weight_unit": "kg", "temperature_unit": "c", "cough": None}
    assert said(beside) == {PLAN.no_temperature}


# ---- weights of a check-in


def test_the_last_row_of_a_series_is_the_weight_of_the_day() -> None:
    assert weight_in({"weight_series": [[1, "70"]]}) == kg("70")
    assert weight_in({"weight_series": [[1, "70"], [2, "156", "lb"]]}) == lb("156")
    assert weight_in({"weight_series": [[1, "70"], [2, "71"], [3, "72"]]}) == kg("72")
    assert weight_in({"weight": "70", "weight_unit": "lb", "weight_series": []}) == lb("70")
    assert weight_in({"weight": "not_measured"}) is None
    assert weight_in({"weight": None}) is weight_in({}) is None
    with pytest.raises(ValueError, match="weight_series: must be a list"):
        weight_in({"weight_series": "70"})


def test_weights_of_earlier_dates_are_told_oldest_first() -> None:
    def then(days_ago: int, value: str) -> Earlier:
        return Earlier(days_ago, {"weight": value, "weight_unit": "kg"})

    found = weights_in((then(1, "71"), then(3, "70"), Earlier(2, {}), then(0, "72")))
    assert found == ((-3, kg("70")), (-1, kg("71")))


@pytest.mark.parametrize(
    ("rows", "before"),
    [
        ([[8, "72"]], []),
        ([[6, "71"], [8, "72"]], [(-2, "71")]),
        ([["2", "70"], ["6", "71"], ["8", "72"]], [(-6, "70"), (-2, "71")]),
    ],
)
def test_a_series_is_compared_with_all_that_came_before(
    rows: list[list[Any]], before: list[tuple[int, str]]
) -> None:
    known = Course("atra", 8, weights=((-4, kg("69")),), baseline=kg("68"))
    found = weighed_of({"weight_series": rows}, known)
    earlier = sorted([(-4, kg("69")), *((day, kg(value)) for day, value in before)])
    assert found == Weighed(kg("72"), tuple(earlier), kg("68"))


def test_a_baseline_among_the_answers_stands_before_the_records() -> None:
    known = Course("atra", 8, weights=((-4, kg("69")),), baseline=kg("68"))
    today = {"weight": "72", "weight_unit": "kg"}
    assert weighed_of(today, known) == Weighed(kg("72"), ((-4, kg("69")),), kg("68"))
    told = weighed_of({**today, "baseline_kg": "67"}, known)
    assert told == Weighed(kg("72"), ((-4, kg("69")),), kg("67"))
    assert weighed_of({}, known) is None


def test_an_earlier_weight_is_compared_with_those_before_it_alone() -> None:
    known = Course(
        "atra", 8, weights=((-5, kg("69")), (-3, kg("70")), (-1, kg("71"))), baseline=kg("68")
    )
    then = Earlier(3, {"weight": "70", "weight_unit": "kg"})
    assert weighed_then(then, known) == Weighed(kg("70"), ((-2, kg("69")),), kg("68"))
    assert weighed_then(Earlier(3, {}), known) is None


# ---- settings beside the answers


def test_the_steroid_of_the_medicine_log_is_a_fact_of_every_day() -> None:
    on, off = Course("atra", 8, on_steroid=True), Course("atra", 8)
    for window in ("in", "out"):
        assert "on_steroid=true" in facts_of_today(PLAN, {}, on, window)
        assert "on_steroid=true" not in facts_of_today(PLAN, {}, off, window)
    for side in ("in", None):
        assert "on_steroid=true" in facts_of_earlier(PLAN, Earlier(1, {}), on, side)
        assert "on_steroid=true" not in facts_of_earlier(PLAN, Earlier(1, {}), off, side)
    assert "on_steroid=false" not in facts_of_today(PLAN, {"on_steroid": True}, off, "in")


@pytest.mark.parametrize(
    ("uk_lines", "line", "warm_is_urgent"),
    [
        (False, None, False),
        (True, None, True),
        (False, "37.5", True),
        (True, "37.5", True),
        (True, "38.0", False),
        (False, "38.0", False),
    ],
)
def test_the_persons_own_fever_line_stands_before_the_sites(
    uk_lines: bool, line: str | None, warm_is_urgent: bool
) -> None:
    own = None if line is None else Decimal(line)
    facts = facts_of_today(PLAN, {}, Course("atra", uk_lines=uk_lines, fever_line=own), "in")
    assert ("setting=warm_line" in facts) is warm_is_urgent
    assert ("setting=uk_lines" in facts) is uk_lines


def test_a_check_in_says_whether_there_was_a_weight() -> None:
    course, weight = Course("atra", 8), {"weight": "70", "weight_unit": "kg"}
    for facts in (
        facts_of_today(PLAN, weight, course, "in"),
        facts_of_earlier(PLAN, Earlier(1, weight), course, "in"),
    ):
        assert WEIGHED in facts and NOT_WEIGHED not in facts
    for facts in (
        facts_of_today(PLAN, {}, course, "in"),
        facts_of_earlier(PLAN, Earlier(1, {}), course, "in"),
    ):
        assert NOT_WEIGHED in facts and WEIGHED not in facts
    left_out = facts_of_earlier(PLAN, Earlier(1, weight), course, None)
    assert not {WEIGHED, NOT_WEIGHED} & left_out
