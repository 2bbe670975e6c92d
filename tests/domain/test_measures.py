"""Numbers as people type them: read when there is one reading, asked again when there is not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.measures import (
    Measure,
    Reask,
    check_temperature,
    check_weight,
    parse_measure,
    read_measure,
)

READ = {
    "37.8": "37.8",
    "37,8": "37.8",
    "37·8": "37.8",
    " 37.8 ": "37.8",
    "\u200f37.8\u200e": "37.8",
    "\u00a0100.4\u00a0": "100.4",
    "٣٧٫٨": "37.8",
    "۳۷٫۸": "37.8",
    "३७.८": "37.8",
    "３７．８": "37.8",
    "３７，８": "37.8",
    "72": "72",
    "72.40": "72.40",
    "72.4kg": "72.4",
    "72,4 KG": "72.4",
    "72.4 ㎏": "72.4",
    "72.4\u200e kg": "72.4",
    "159 lb": "159",
    "159 lbs": "159",
    "37.8°C": "37.8",
    "37.8 ℃": "37.8",
    "37.8 °": "37.8",
    "100.4 F": "100.4",
    "72.4 كغ": "72.4",
    "72.4 किग्रा": "72.4",
    "72.4公斤": "72.4",
    "37.8" + " " * 36: "37.8",  # as long as is read
}
ASKED_AGAIN = {
    "": "empty",
    "   ": "empty",
    "kg": "empty",
    "37 8": "space_inside",
    "37\u00a08": "space_inside",
    "37\n8": "space_inside",
    "1.234,5": "two_separators",
    "37.8.": "two_separators",
    "37,,8": "two_separators",
    "1,234": "too_many_digits",
    "37.888": "too_many_digits",
    "1004": "too_many_digits",
    "60斤": "unit_unclear",
    "60市斤": "unit_unclear",
    "37\u200f8": "not_a_number",
    "37²": "not_a_number",
    "37½": "not_a_number",
    "③⑦": "not_a_number",
    "ⅩⅡ": "not_a_number",
    "-37": "not_a_number",
    "−37": "not_a_number",
    "+37": "not_a_number",
    "37.": "not_a_number",
    ".5": "not_a_number",
    "3e1": "not_a_number",
    "0x25": "not_a_number",
    "nan": "not_a_number",
    "inf": "not_a_number",
    "1_0": "not_a_number",
    "37'8": "not_a_number",
    "٣٧٬٨": "not_a_number",
    "37;8": "not_a_number",
    "normal": "not_a_number",
    "37\x008": "not_a_number",
    "37.8 kg kg": "space_inside",
    "9" * 41: "too_long",
}


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_one_number_is_read(text: str, value: str) -> None:
    assert str(parse_measure(text)) == value


@pytest.mark.parametrize(("text", "reason"), ASKED_AGAIN.items())
def test_anything_else_is_asked_again(text: str, reason: str) -> None:
    with pytest.raises(Reask) as caught:
        parse_measure(text)
    assert caught.value.reason_code == reason


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_a_question(text: str) -> None:
    try:
        value = parse_measure(text)
    except Reask:
        return
    assert 0 <= value < 1000


def test_a_typed_unit_that_differs_from_the_chosen_one_is_asked_again() -> None:
    assert read_measure("159 lb", "lb") == Measure(Decimal(159), "lb")
    assert read_measure("159", "lb") == Measure(Decimal(159), "lb")
    for text, unit in (("159 lb", "kg"), ("72 kg", "lb"), ("100.4 °F", "c"), ("38 C", "f")):
        with pytest.raises(Reask, match="unit_differs"):
            read_measure(text, unit)


def m(value: str, unit: str) -> Measure:
    return Measure(Decimal(value), unit)


@pytest.mark.parametrize(
    ("measure", "code", "suggestion"),
    [
        (m("34.0", "c"), None, None),
        (m("43.0", "c"), None, None),
        (m("93.0", "f"), None, None),
        (m("109.4", "f"), None, None),
        (m("33.9", "c"), "out_of_range", None),
        (m("43.1", "c"), "out_of_range", None),
        (m("50", "c"), "out_of_range", None),
        (m("3.8", "c"), "out_of_range", None),
        (m("378", "c"), "out_of_range", m("37.8", "c")),
        (m("380", "f"), "out_of_range", None),
        (m("101", "c"), "looks_like_other_unit", m("101", "f")),
        (m("38.3", "f"), "looks_like_other_unit", m("38.3", "c")),
    ],
)
def test_a_temperature_that_cannot_be_is_asked_again(
    measure: Measure, code: str | None, suggestion: Measure | None
) -> None:
    doubt = check_temperature(measure)
    assert (doubt and doubt.code, doubt and doubt.suggestion) == (code, suggestion)
    assert doubt is None or not doubt.can_be_confirmed


@pytest.mark.parametrize(
    ("measure", "last", "code", "suggestion"),
    [
        (m("72.4", "kg"), None, None, None),
        (m("72.4", "kg"), m("72.0", "kg"), None, None),
        (m("25", "kg"), None, None, None),
        (m("300", "kg"), None, None, None),
        (m("24.9", "kg"), None, "out_of_range", None),
        (m("301", "kg"), None, "looks_like_other_unit", m("301", "lb")),
        (m("724", "kg"), None, "out_of_range", m("72.4", "kg")),
        (m("40", "lb"), None, "looks_like_other_unit", m("40", "kg")),
        (m("159", "kg"), m("72", "kg"), "unit_swap", m("159", "lb")),
        (m("72", "lb"), m("159", "lb"), "unit_swap", m("72", "kg")),
        (m("140", "kg"), m("70", "kg"), "unit_swap", m("140", "lb")),
        (m("168", "kg"), m("70", "kg"), "unit_swap", m("168", "lb")),
        (m("29.4", "kg"), m("70", "kg"), "unit_swap", None),
        (m("34.3", "kg"), m("70", "kg"), "unit_swap", None),
        (m("139.9", "kg"), m("70", "kg"), "big_change", None),
        (m("168.1", "kg"), m("70", "kg"), "big_change", None),
        (m("87.0", "kg"), m("80", "kg"), None, None),
        (m("87.1", "kg"), m("80", "kg"), "big_change", None),
        (m("72.9", "kg"), m("80", "kg"), "big_change", None),
        (m("55", "kg"), m("50", "kg"), None, None),
        (m("55.1", "kg"), m("50", "kg"), "big_change", None),
        (m("159", "lb"), m("72", "kg"), None, None),
        (m("180", "lb"), m("72", "kg"), "big_change", None),
    ],
)
def test_a_weight_that_is_odd_is_asked_again(
    measure: Measure, last: Measure | None, code: str | None, suggestion: Measure | None
) -> None:
    doubt = check_weight(measure, last)
    assert (doubt and doubt.code, doubt and doubt.suggestion) == (code, suggestion)
    if doubt:
        assert doubt.can_be_confirmed is (code in ("unit_swap", "big_change"))


def test_a_measure_is_finite_and_has_a_unit() -> None:
    for value, unit in (("NaN", "kg"), ("Infinity", "kg"), ("70", "st")):
        with pytest.raises(ValueError, match=r"finite|unit"):
            m(value, unit)
    assert m("100", "lb").kilograms == Decimal("45.359237")
    with pytest.raises(ValueError, match="not a unit of weight"):
        _ = m("38", "c").kilograms
