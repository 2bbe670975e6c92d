"""What may be entered about a new patient: one set of rules for the form and for a file.

Each function reads one value as it was typed and raises ``Slip`` with a code; the page and the
command put the code into their own words.
"""

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

from patient_portal.domain.measures import Doubt, Measure, Reask, check_weight, read_measure
from patient_portal.domain.phone_numbers import NotAPhoneNumber, read_phone
from patient_portal.domain.protocol import USUAL, Protocol
from patient_portal.domain.typed import NotReadable, read_birth_year, read_date

YOUNGEST = 18  # years; the rules are written for adults
LONGEST_NAME = 60
LONGEST_RECORD = 30
OLDEST_DOSE = timedelta(days=3660)
LATEST_DOSE = timedelta(days=90)
WEIGHT_UNITS = ("kg", "lb")


class Slip(ValueError):
    """A value that cannot be taken.

    Codes: missing, name, record_number, birth_year, too_young, phone, not_listed, date, date_far,
    unit, unit_differs, weight, and weight_doubt, which comes with ``measure`` and ``doubt``.
    """

    def __init__(
        self, code: str, measure: Measure | None = None, doubt: Doubt | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.measure = measure
        self.doubt = doubt


def usual_items(protocol: Protocol) -> list[tuple[str, str]]:
    """The symptoms that can be long-standing: key and English label (domain ``safety``)."""
    return [(item.key, item.label) for item in protocol.items if USUAL in item.values]


def new_name(text: str) -> str:
    """A name that can be shown: no control or direction marks. Raises Slip (missing, name)."""
    name = text.strip()
    if not name:
        raise Slip("missing")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Slip("name")
    return name


def new_record_number(text: str) -> str | None:
    """The hospital's own number, None when it was left out. Raises Slip (record_number)."""
    number = text.strip()
    if len(number) > LONGEST_RECORD or not number.isprintable():
        raise Slip("record_number")
    return number or None


def new_birth_year(text: str, today: date) -> int:
    """The year of birth of an adult, four digits. Raises Slip (birth_year, too_young)."""
    try:
        year = read_birth_year(text, today.year)
    except NotReadable:
        raise Slip("birth_year") from None
    if year > today.year - YOUNGEST:
        raise Slip("too_young")
    return year


def new_phone(text: str, country: str) -> str:
    """A number that can be texted, in E.164; ``country`` is the clinic's. Raises Slip (phone)."""
    try:
        return read_phone(text, country)
    except NotAPhoneNumber:
        raise Slip("phone") from None


def new_first_dose(text: str, today: date) -> date:
    """The day of the first dose, written as year-month-day. Raises Slip (date, date_far)."""
    try:
        found = read_date(text)
    except NotReadable:
        raise Slip("date") from None
    return first_dose_in_reach(found, today)


def first_dose_in_reach(day: date, today: date) -> date:
    """The same day, if it is at most ten years ago and 90 days ahead. Raises Slip (date_far)."""
    if not today - OLDEST_DOSE <= day <= today + LATEST_DOSE:
        raise Slip("date_far")
    return day


def new_weight(text: str, unit: str) -> Measure | None:
    """A weight in kg or lb that a living adult can have; None when it was not taken.

    Raises:
        Slip: unit, unit_differs, weight or weight_doubt.
    """
    typed = text.strip()
    if (typed or unit) and unit not in WEIGHT_UNITS:
        raise Slip("unit")
    if not typed:
        return None
    try:
        measure = read_measure(typed, unit)
    except Reask as error:
        raise Slip("unit_differs" if error.reason_code == "unit_differs" else "weight") from None
    doubt = check_weight(measure)
    if doubt is not None:
        raise Slip("weight_doubt", measure, doubt)
    return measure


def meant_instead(doubt: Doubt) -> str:
    """What was probably meant, like "72.4 kg"; empty when nobody can tell."""
    if doubt.suggestion is None:
        return ""
    return f"{plain(doubt.suggestion.value)} {doubt.suggestion.unit}"


def plain(value: Decimal) -> str:
    """A number without exponent and without zeros at its end."""
    return f"{value.normalize():f}"


def listed(value: str, known: Collection[str]) -> str:
    """The same value, if it is one of the known ones. Raises Slip (not_listed)."""
    if value not in known:
        raise Slip("not_listed")
    return value


def all_listed(values: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """The same values, if each is a known one. Raises Slip (not_listed)."""
    if not set(values) <= set(known):
        raise Slip("not_listed")
    return tuple(values)
