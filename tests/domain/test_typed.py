"""Phone numbers, codes, years and dates as people type them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.phone_numbers import NotAPhoneNumber, read_phone
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


def test_a_date_of_three_fields() -> None:
    assert date_of_parts("4", "11", "2026") == date(2026, 11, 4)
    for parts in (("31", "2", "2026"), ("", "11", "2026"), ("4", "nov", "2026")):
        with pytest.raises(NotReadable):
            date_of_parts(*parts)
