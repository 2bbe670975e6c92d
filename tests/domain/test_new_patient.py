"""What may be entered about a new patient, value by value, at each limit."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from patient_portal.domain.measures import Doubt, Measure
from patient_portal.domain.new_patient import (
    Slip,
    all_listed,
    first_dose_in_reach,
    listed,
    meant_instead,
    new_birth_year,
    new_first_dose,
    new_name,
    new_phone,
    new_record_number,
    new_weight,
    plain,
    usual_items,
)
from patient_portal.protocols import current

TODAY = date(2026, 11, 20)


def test_a_name_is_kept_as_it_is_shown() -> None:
    assert new_name("  Rosa Marín ") == "Rosa Marín"
    assert new_name("x" * 60) == "x" * 60


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "missing"), ("   ", "missing"), ("x" * 61, "name"), ("Ro\u202esa", "name"),
     ("Ro\x00sa", "name")],
)  # fmt: skip
def test_a_name_that_cannot_be_shown_is_a_slip(text: str, code: str) -> None:
    with pytest.raises(Slip, match=f"^{code}$") as slip:
        new_name(text)
    assert slip.value.code == code


def test_a_record_number_may_be_left_out() -> None:
    assert new_record_number("  ") is None
    assert new_record_number(" A-17 ") == "A-17"
    assert new_record_number("9" * 30) == "9" * 30
    for text in ("9" * 31, "9\x009"):
        with pytest.raises(Slip, match="record_number"):
            new_record_number(text)


def test_a_patient_is_an_adult() -> None:
    assert new_birth_year("2008", TODAY) == 2008  # eighteen this year
    assert new_birth_year("1959", TODAY) == 1959
    with pytest.raises(Slip, match="too_young"):
        new_birth_year("2009", TODAY)
    for text in ("59", "2027", "1899", ""):
        with pytest.raises(Slip, match="birth_year"):
            new_birth_year(text, TODAY)


def test_a_phone_is_kept_in_one_form() -> None:
    assert new_phone("(212) 555-0123", "US") == "+12125550123"
    with pytest.raises(Slip, match="phone"):
        new_phone("12", "US")


@pytest.mark.parametrize(
    ("offset", "in_reach"), [(-3661, False), (-3660, True), (0, True), (90, True), (91, False)]
)
def test_the_first_dose_is_within_ten_years_back_and_ninety_days_ahead(
    offset: int, in_reach: bool
) -> None:
    day = TODAY + timedelta(days=offset)
    if in_reach:
        assert first_dose_in_reach(day, TODAY) == new_first_dose(day.isoformat(), TODAY) == day
        return
    with pytest.raises(Slip, match="date_far"):
        first_dose_in_reach(day, TODAY)
    with pytest.raises(Slip, match="date_far"):
        new_first_dose(day.isoformat(), TODAY)


def test_a_first_dose_that_could_be_two_days_is_asked_again() -> None:
    with pytest.raises(Slip, match=r"^date$"):
        new_first_dose("4/11/2026", TODAY)


@pytest.mark.parametrize(
    ("text", "unit", "weight"),
    [
        ("", "", None), ("", "kg", None), (" 72,4 ", "kg", Measure(Decimal("72.4"), "kg")),
        ("160", "lb", Measure(Decimal(160), "lb")), ("72 kg", "kg", Measure(Decimal(72), "kg")),
    ],
)  # fmt: skip
def test_a_weight_is_read_with_its_unit(text: str, unit: str, weight: Measure | None) -> None:
    assert new_weight(text, unit) == weight


@pytest.mark.parametrize(
    ("text", "unit", "code"),
    [
        ("72", "", "unit"), ("72", "st", "unit"), ("", "st", "unit"), ("72", "c", "unit"),
        ("72 lb", "kg", "unit_differs"), ("heavy", "kg", "weight"),
    ],
)  # fmt: skip
def test_a_weight_that_is_not_sure_is_a_slip(text: str, unit: str, code: str) -> None:
    with pytest.raises(Slip, match=f"^{code}$") as slip:
        new_weight(text, unit)
    assert (slip.value.measure, slip.value.doubt) == (None, None)


def test_a_doubtful_weight_comes_with_what_was_probably_meant() -> None:
    with pytest.raises(Slip, match=r"^weight_doubt$") as slip:
        new_weight("724", "kg")
    assert slip.value.measure == Measure(Decimal(724), "kg")
    assert slip.value.doubt is not None
    assert meant_instead(slip.value.doubt) == "72.4 kg"
    assert meant_instead(Doubt("out_of_range")) == ""
    assert (plain(Decimal("7E+1")), plain(Decimal("72.40"))) == ("70", "72.4")


def test_only_what_is_listed_is_taken() -> None:
    assert listed("a", ["a", "b"]) == "a"
    assert all_listed(["b", "a"], ["a", "b", "c"]) == ("b", "a")
    assert all_listed(["a", "b"], ["a", "b"]) == ("a", "b")
    assert all_listed([], ["a"]) == ()
    with pytest.raises(Slip, match="not_listed"):
        listed("c", ["a", "b"])
    with pytest.raises(Slip, match="not_listed"):
        all_listed(["a", "c"], ["a", "b"])


def test_long_standing_symptoms_are_those_that_may_be_answered_as_usual() -> None:
    items = dict(usual_items(current()))
    assert "cough" in items and "temperature" not in items
    assert all("usual" in current().item(key).values for key in items)
    assert items["cough"] == current().item("cough").label
