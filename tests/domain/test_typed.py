"""Phone numbers, codes, years and dates as people type them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.phone_numbers import NotAPhoneNumber, country_of, read_phone
from patient_portal.domain.typed import (
    NotReadable,
    date_of_parts,
    read_birth_year,
    read_code,
    read_date,
    read_whole,
)


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("(212) 555-0142", "US", "+12125550142"),
        ("212.555.0142", "US", "+12125550142"),
        ("+44 7700 900123", "US", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("00442071838750", "FR", "+442071838750"),
        ("٢١٢٥٥٥٠١٤٢", "US", "+12125550142"),
        ("२१२५५५०१४२", "US", "+12125550142"),
        ("＋１２１２５５５０１４２", "DE", "+12125550142"),
        ("\u202a+1 212 555 0142\u202c", "DE", "+12125550142"),
        ("  2125550142\n", "US", "+12125550142"),
    ],
)
def test_a_number_has_one_form(typed: str, country: str, number: str) -> None:
    assert read_phone(typed, country) == number


@pytest.mark.parametrize(
    "typed",
    ["", " ", "12", "5550142", "1-800-FLOWERS", "212 555 0142 ext 5", "212555014²", "9" * 39,
     "9" * 41, "\x00", "+", "++++", "call me", "+999 1234567"],
)  # fmt: skip
def test_what_nobody_could_call_is_refused(typed: str) -> None:
    with pytest.raises(NotAPhoneNumber):
        read_phone(typed, "US")


@pytest.mark.parametrize(
    ("number", "country"),
    [("+12125550142", "US"), ("+447700900123", "GB"), ("+80012345678", None), ("x", None)],
)
def test_a_number_of_no_country_names_none(number: str, country: str | None) -> None:
    assert country_of(number) == country


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (
        lambda: read_phone(text, "US"),
        lambda: read_whole(text, 0, 10**9),
        lambda: read_birth_year(text, 2026),
        lambda: read_code(text, 6),
        lambda: read_date(text),
    ):
        try:
            read()
        except (NotAPhoneNumber, NotReadable):
            continue


@pytest.mark.parametrize(
    ("typed", "year"), [("1959", 1959), ("١٩٥٩", 1959), (" 1959 ", 1959), ("１９５９", 1959)]
)
def test_a_year_is_four_digits_of_any_script(typed: str, year: int) -> None:
    assert read_birth_year(typed, 2026) == year


@pytest.mark.parametrize("typed", ["", "59", "1899", "2027", "19.59", "-1959", "1959x", "19²9"])
def test_a_year_is_not_guessed(typed: str) -> None:
    with pytest.raises(NotReadable):
        read_birth_year(typed, 2026)


@pytest.mark.parametrize("year", [1900, 2026])
def test_the_first_and_the_last_year_of_birth_are_taken(year: int) -> None:
    assert read_birth_year(str(year), 2026) == year


MARKS = ["\u061c", "\u200b", "\u200e", "\u200f", "\ufeff", *"\u202a\u202b\u202c\u202d\u202e",
         *"\u2066\u2067\u2068\u2069"]  # fmt: skip


@pytest.mark.parametrize("mark", MARKS, ids=ascii)
def test_marks_of_direction_inside_a_number_are_passed_over(mark: str) -> None:
    assert read_birth_year(f"{mark}19{mark}59{mark}", 2026) == 1959


@pytest.mark.parametrize("mark", ["\u200d", "\u2065", "\u206a", "\u00ad"], ids=ascii)
def test_other_signs_that_nobody_sees_make_a_number_unreadable(mark: str) -> None:
    with pytest.raises(NotReadable):
        read_birth_year(f"19{mark}59", 2026)


def test_a_text_of_forty_characters_is_read_and_a_longer_one_is_not() -> None:
    def padded(text: str, length: int) -> str:
        return text.ljust(length)

    assert read_birth_year(padded("1959", 40), 2026) == 1959
    assert read_code(padded("012345", 40), 6) == "012345"
    assert read_date(padded("2026-11-04", 40)) == date(2026, 11, 4)
    assert read_phone(padded("2125550142", 40), "US") == "+12125550142"
    with pytest.raises(NotReadable):
        read_birth_year(padded("1959", 41), 2026)
    with pytest.raises(NotReadable):
        read_code(padded("012345", 41), 6)
    with pytest.raises(NotReadable):
        read_date(padded("2026-11-04", 41))
    with pytest.raises(NotAPhoneNumber):
        read_phone(padded("2125550142", 41), "US")


@pytest.mark.parametrize("typed", ["", "01234", "0123456", "abcdef", "12345²", "12345x"])
def test_a_code_of_another_length_or_with_letters_is_refused(typed: str) -> None:
    with pytest.raises(NotReadable):
        read_code(typed, 6)


@pytest.mark.parametrize("typed", ["012345", "012 345", "012-345", " ٠١٢٣٤٥ ", "012\u2011345"])
def test_a_code_keeps_its_zeros(typed: str) -> None:
    assert read_code(typed, 6) == "012345"


@pytest.mark.parametrize("typed", ["2026-11-04", "2026/11/4", "2026.11.04", "٢٠٢٦-١١-٠٤"])
def test_a_date_begins_with_its_year(typed: str) -> None:
    assert read_date(typed) == date(2026, 11, 4)


@pytest.mark.parametrize("typed", ["4/11/2026", "26-11-04", "2026-13-01", "2026-02-30", "2026-11"])
def test_a_date_is_not_guessed(typed: str) -> None:
    with pytest.raises(NotReadable):
        read_date(typed)


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(2200, 12, 31), date(2026, 1, 1)])
def test_the_first_and_last_days_are_dates(day: date) -> None:
    assert date_of_parts(str(day.day), str(day.month), str(day.year)) == day


@pytest.mark.parametrize("year", ["1899", "2201"])
def test_a_year_that_no_visit_can_have_is_refused(year: str) -> None:
    with pytest.raises(NotReadable):
        date_of_parts("1", "1", year)


def test_a_date_of_three_fields() -> None:
    assert date_of_parts("4", "11", "2026") == date(2026, 11, 4)
    for parts in (("31", "2", "2026"), ("", "11", "2026"), ("4", "nov", "2026")):
        with pytest.raises(NotReadable):
            date_of_parts(*parts)


@pytest.mark.parametrize(
    ("number", "country"),
    [("+12125550123", "US"), ("+447700900123", "GB"), ("+34600000000", "ES"), ("+999123", None),
     ("AMAZON", None), ("", None), ("12345", None)],
)  # fmt: skip
def test_a_number_says_its_country(number: str, country: str | None) -> None:
    assert country_of(number) == country
