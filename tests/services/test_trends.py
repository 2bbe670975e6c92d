"""A patient's days on one axis: values, gaps, grades, lines and the change of weight."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from patient_portal import protocols
from patient_portal.database import Database
from patient_portal.models import Patient
from patient_portal.services import checkins
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from patient_portal.services.trends import Trend, draw, grade_of, trend_of
from tests.support.people import NOON, a_house, a_site

TODAY = date(2026, 11, 20)
PROTOCOL = protocols.current()


def rosa(**values: Any) -> Patient:
    return Patient(
        **{
            "drug": "enasidenib",
            "first_dose_on": TODAY - timedelta(days=11),
            "weight_unit": "kg",
            "temperature_unit": "c",
            **values,
        }
    )


def kg(value: str) -> dict[str, str]:
    return {"weight": value, "weight_unit": "kg"}


def drawn(*rows: tuple[int, dict[str, Any]], patient: Patient | None = None, **kind: str) -> Trend:
    """A trend of check-ins given as (days ago, answers)."""
    given = [
        (TODAY - timedelta(days=ago), answers, kind.get("by", "patient")) for ago, answers in rows
    ]
    return draw(PROTOCOL, patient or rosa(), given, TODAY - timedelta(days=13), TODAY)


def test_days_are_consecutive_and_a_missing_one_is_a_gap() -> None:
    trend = drawn((3, kg("70.0")), (0, kg("70.4")))
    assert len(trend.days) == 7
    assert [day.weight.value if day.weight else None for day in trend.days[-4:]] == [
        Decimal("70.0"), None, None, Decimal("70.4"),
    ]  # fmt: skip
    assert trend.days[-1].number == 12
    assert trend.rise == (Decimal("0.4"), 3)


def test_at_most_fourteen_days() -> None:
    assert len(drawn((13, kg("70")), (0, kg("70"))).days) == 14


def test_other_units_are_converted_for_drawing_and_own_ones_never() -> None:
    trend = drawn(
        (1, {"weight": "154.3", "weight_unit": "lb", "temperature_f": "100.4"}),
        (0, {**kg("70.05"), "temperature_c": "37.15"}),
    )  # fmt: skip
    before, today = trend.days[-2], trend.days[-1]
    assert before.weight and before.weight.value == Decimal("70.0")
    assert before.temperature and before.temperature.value == Decimal("38.0")
    assert today.weight and today.weight.value == Decimal("70.05")
    assert today.temperature and today.temperature.value == Decimal("37.15")


@pytest.mark.parametrize("value", ["not_measured", None, "NaN", "Infinity", True, "abc", ""])
def test_what_is_no_number_is_a_gap(value: object) -> None:
    trend = drawn((0, {"weight": value, "weight_unit": "kg", "temperature_c": value}))
    assert trend.days[-1].weight is None
    assert trend.days[-1].temperature is None


def test_several_check_ins_a_day_show_the_last_weight_and_the_worst_of_the_rest() -> None:
    trend = drawn(
        (0, {**kg("70.0"), "temperature_c": "38.1", "cough": "new"}),
        (0, {**kg("70.2"), "temperature_c": "36.9", "cough": "none"}),
    )
    today = trend.days[-1]
    assert today.weight and today.weight.value == Decimal("70.2")
    assert today.temperature and today.temperature.value == Decimal("38.1")
    assert today.signs["cough"] == 1


def test_a_helpers_number_is_marked() -> None:
    today = drawn((0, kg("70")), by="caregiver").days[-1]
    assert today.weight and today.weight.by_helper


@pytest.mark.parametrize(
    ("item", "value", "grade"),
    [
        ("breathlessness", "none", 0),
        ("breathlessness", "usual", 0),
        ("breathlessness", "mild_exertion", 1),
        ("breathlessness", "not_sure", 1),
        ("breathlessness", "moderate_exertion", 2),
        ("breathlessness", "at_rest", 3),
        ("breathlessness", "cannot_speak", 3),
        ("breathlessness", None, None),
        ("swelling", "new_mild", 1),
        ("swelling", "one_leg", 2),
        ("urine", "normal", 0),
        ("urine", "less", 1),
        ("chills", True, 1),
        ("chills", False, 0),
        ("chills", "not_sure", 1),
        ("red_flags", ["none"], 0),
        ("red_flags", ["chest_pain"], 3),
        ("weight", "70", None),
    ],
)
def test_grades_of_answers(item: str, value: object, grade: int | None) -> None:
    assert grade_of(PROTOCOL.item(item), value) == grade


def test_every_option_of_the_protocol_has_a_grade() -> None:
    for item in PROTOCOL.items:
        if item.kind not in ("choice", "flag", "flags"):
            continue
        for option in item.options:
            value = [option.value] if item.kind == "flags" else option.value
            assert grade_of(item, value) in (0, 1, 2, 3)


def test_only_signs_that_were_there_are_drawn_beside_the_two_that_always_are() -> None:
    trend = drawn((1, {"cough": "none", "rash": "mild"}), (0, {"cough": "none"}))
    assert trend.signs == ("breathlessness", "swelling", "rash")


def test_lines_are_the_protocols() -> None:
    trend = drawn((2, kg("70.0")), (1, kg("70.3")), (0, kg("70.2")))
    assert trend.fever_line and trend.fever_line.at == Decimal("38.0")
    line = trend.weight_line
    assert line is not None
    assert (line.at, line.over, line.span) == (Decimal("72.0"), Decimal("2.0"), 3)
    outside = drawn((1, kg("70.0")), (0, kg("70.2")),
                    patient=rosa(first_dose_on=TODAY - timedelta(days=400)))  # fmt: skip
    assert outside.weight_line and outside.weight_line.over == Decimal("4.5")
    pounds = drawn(
        (1, {"weight": "154.0", "weight_unit": "lb"}), (0, {"weight": "154", "weight_unit": "lb"}),
        patient=rosa(weight_unit="lb", temperature_unit="f"),
    )  # fmt: skip
    assert pounds.weight_line and pounds.weight_line.at == Decimal("158.4")
    assert pounds.fever_line and pounds.fever_line.at == Decimal("100.4")


def test_a_single_weight_has_neither_line_nor_change() -> None:
    trend = drawn((0, kg("70.0")))
    assert trend.weight_line is None
    assert trend.rise is None


def test_a_patient_without_check_ins_is_empty() -> None:
    assert drawn().is_empty


def test_an_unknown_first_day_is_drawn_without_numbers() -> None:
    trend = drawn((0, kg("70.0")), patient=rosa(first_dose_on=None))
    assert trend.days[-1].number is None


def test_from_the_database(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        for ago, weight in ((2, "70.0"), (0, "72.1")):
            form = Form(patient, f"k{ago}", Actor("patient", patient.id))
            step = Step("weight", kg(weight), ("weight", "weight_unit"))
            checkins.record_answers(session, a_site(), form, step, NOON - timedelta(days=ago))
    with database.reading() as session:
        trend = trend_of(session, PROTOCOL, patient, TODAY)
    assert trend.rise == (Decimal("2.1"), 2)
    assert len(trend.days) == 7
