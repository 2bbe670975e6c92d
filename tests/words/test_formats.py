"""Numbers and times are read at a glance: digits 0 to 9, the reader's separator and clock."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from patient_portal.words import format_date, format_datetime, format_number, format_time

NEW_YORK = ZoneInfo("America/New_York")
MOMENT = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
LANGUAGES = ("en", "es", "pt_BR", "fr", "de", "zh_Hans", "ar", "hi", "fa", "ur", "bn", "mr", "my")


@pytest.mark.parametrize(
    ("language", "country", "shown"),
    [
        ("en", "US", "37.8"),
        ("es", "US", "37.8"),
        ("es", "ES", "37,8"),
        ("es", None, "37,8"),
        ("pt_BR", "BR", "37,8"),
        ("de", "DE", "37,8"),
        ("ar", "EG", "37.8"),
        ("zh_Hans", "CN", "37.8"),
        ("fa", "IR", "37.8"),
    ],
)
def test_a_temperature(language: str, country: str | None, shown: str) -> None:
    assert format_number(Decimal("37.8"), language, country) == shown


def test_places_and_no_grouping() -> None:
    assert format_number(70, "de", places=1) == "70,0"
    assert format_number(Decimal("70.00"), "en") == "70.00"
    assert format_number(12345, "de", "DE") == "12345"
    assert format_number(Decimal("1E+2"), "en") == "100"


@pytest.mark.parametrize(
    ("language", "country", "shown"),
    [
        ("en", "US", "1:05 PM"),
        ("en", "GB", "13:05"),
        ("es", "US", "1:05 p.m."),
        ("es", "ES", "13:05"),
        ("de", "DE", "13:05"),
        ("ar", "EG", "1:05 م"),
        ("zh_Hans", "CN", "13:05"),
    ],
)
def test_the_clock_is_the_countrys(language: str, country: str, shown: str) -> None:
    assert format_time(MOMENT, NEW_YORK, language, country) == shown


def test_days_have_their_month_in_words() -> None:
    day = date(2026, 4, 11)
    assert format_date(day, "en", "US") == "April 11, 2026"
    assert format_date(day, "es", "US") == "11 de abril de 2026"
    assert format_date(day, "en", "US", "day") == "April 11"
    assert format_datetime(MOMENT, NEW_YORK, "en", "US") == "Nov 20, 2026, 1:05 PM"


def test_the_day_is_the_day_of_the_zone() -> None:
    late = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    assert format_datetime(late, NEW_YORK, "en", "US").startswith("Nov 20, 2026")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("country", ["US", "EG", "IR", "IN", "DE", None])
def test_digits_are_ascii_and_spaces_plain(language: str, country: str | None) -> None:
    shown = (
        format_datetime(MOMENT, NEW_YORK, language, country)
        + format_date(date(2026, 11, 20), language, country, "full")
        + format_number(Decimal("37.8"), language, country)
    )
    assert not [sign for sign in shown if sign.isdigit() and not sign.isascii()]
    assert not [sign for sign in shown if sign.isspace() and sign != " "]
