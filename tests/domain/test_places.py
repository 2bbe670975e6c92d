"""Emergency numbers, units and staffed hours."""

from datetime import UTC, datetime, time

import pytest

from patient_portal.domain.places import (
    FALLBACK,
    PLACES,
    default_units,
    emergency_number,
    main_language,
    place_of,
)
from patient_portal.domain.staffing import is_staffed, next_turn


@pytest.mark.parametrize(
    ("country", "number"),
    [("US", "911"), ("gb", "999"), ("DE", "112"), ("CN", "120"), ("BR", "192"), ("PK", "1122")],
)
def test_the_number_goes_by_country(country: str, number: str) -> None:
    assert emergency_number(country) == number


@pytest.mark.parametrize("country", ["ET", "PE", "", None, "XX", "United States"])
def test_what_nobody_checked_falls_back_and_says_so(country: str | None) -> None:
    assert place_of(country) is FALLBACK
    assert not place_of(country).is_checked


def test_only_where_ambulances_are_slow_is_another_way_to_hospital_named() -> None:
    assert place_of("PK").uneven and place_of("ID").uneven and place_of("KE").uneven
    assert not any(place_of(code).uneven for code in ("US", "GB", "DE", "JP", "ZA"))
    assert not FALLBACK.uneven


def test_every_row_is_a_code_and_digits() -> None:
    for code, place in PLACES.items():
        assert code == place.country and len(code) == 2 and code.isupper()
        assert place.source
        for number in (place.number, *place.others):
            assert number.isascii() and number.isdigit() and 2 <= len(number) <= 5
        assert place.number not in place.others


def test_nobody_is_shown_911_and_999_together() -> None:
    for place in PLACES.values():
        assert not {"911", "999"} <= {place.number, *place.others}


def test_units_and_the_operators_language_go_by_country() -> None:
    assert default_units("us") == ("f", "lb")
    assert default_units("GB") == default_units(None) == ("c", "kg")
    assert (main_language("MX"), main_language("US"), main_language("DE")) == ("es", "en", None)


NOON_IN_NEW_YORK = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opens", "closes", "staffed", "turn"),
    [
        (time(8), time(17), True, datetime(2026, 11, 20, 22, tzinfo=UTC)),
        (time(13), time(17), False, datetime(2026, 11, 20, 18, tzinfo=UTC)),
        (time(8), time(12), False, datetime(2026, 11, 21, 13, tzinfo=UTC)),
        (time(20), time(8), False, datetime(2026, 11, 21, 1, tzinfo=UTC)),
        (time(10), time(2), True, datetime(2026, 11, 21, 7, tzinfo=UTC)),
        (time(12), time(17), True, datetime(2026, 11, 20, 22, tzinfo=UTC)),  # at that moment
        (time(12), time(2), True, datetime(2026, 11, 21, 7, tzinfo=UTC)),
        (time(20), time(12), False, datetime(2026, 11, 21, 1, tzinfo=UTC)),
    ],
)
def test_who_reads_answers_now_and_when_that_changes(
    opens: time, closes: time, staffed: bool, turn: datetime
) -> None:
    zone = "America/New_York"
    assert is_staffed(NOON_IN_NEW_YORK, zone, opens, closes) is staffed
    assert next_turn(NOON_IN_NEW_YORK, zone, opens, closes) == turn


def test_equal_hours_mean_day_and_night() -> None:
    assert is_staffed(NOON_IN_NEW_YORK, "UTC", time(0), time(0))
