"""Times, dates and numbers on the care team's pages: clinic's zone, reader's language."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from patient_portal.domain.levels import TriageLevel
from patient_portal.models import Clinic
from patient_portal.services.checkins import weight_of
from patient_portal.web.context import portal
from patient_portal.web.language import current_language, current_words
from patient_portal.words import format_date, format_datetime, format_number, own_name

_SIGNS = {"c": "°C", "f": "°F", "kg": "kg", "lb": "lb"}


def clinic_time(clinic: Clinic, moment: datetime) -> str:
    """A moment as the clinic's clocks show it, with the day."""
    return format_datetime(moment, ZoneInfo(clinic.zone), current_language(), clinic.country)


def long_date(day: date) -> str:
    """A day with the month in words."""
    return format_date(day, current_language())


def plain(value: Decimal) -> str:
    """A number as it was entered, without the zeros that the database adds."""
    text = f"{value:f}"
    return format_number(
        Decimal(text.rstrip("0").rstrip(".") if "." in text else text), current_language()
    )


def measured(answers: Mapping[str, Any], key: str) -> str:
    """A stored weight or temperature with its unit; empty when it was not measured."""
    if key == "weight":
        weight = weight_of(answers)
        return f"{plain(weight.value)} {weight.unit}" if weight else ""
    value, unit = answers.get(key), str(answers.get(f"{key}_unit", "c"))
    if value in (None, "not_measured"):
        return ""
    return f"{plain(Decimal(str(value)))} {_SIGNS.get(unit, '')}"


def level_code(level: int) -> str:
    """The code of a stored level."""
    return TriageLevel(level).code


def drug_name(code: str) -> str:
    """A medicine's name in the reader's language; the code if the protocol dropped it."""
    try:
        return current_words().safety(portal().site.protocol.drug(code).name)
    except KeyError:
        return code


def language_name(code: str) -> str:
    """A language's name in that language."""
    return own_name(code)


FOR_TEMPLATES = {
    "clinic_time": clinic_time,
    "long_date": long_date,
    "plain": plain,
    "measured": measured,
    "level_code": level_code,
    "drug_name": drug_name,
}
