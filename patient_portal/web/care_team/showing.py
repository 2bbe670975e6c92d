"""Times, dates and numbers on the care team's pages: clinic's zone, reader's language."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import readable_zone
from patient_portal.models import Clinic, Message
from patient_portal.services.alert_file import Sent
from patient_portal.web.care_team import wording
from patient_portal.web.context import portal
from patient_portal.web.language import current_language, current_words
from patient_portal.words import format_date, format_datetime


def clinic_time(clinic: Clinic, moment: datetime) -> str:
    """A moment as the clinic's clocks show it, with the day."""
    return format_datetime(
        moment, ZoneInfo(readable_zone(clinic.zone)), current_language(), clinic.country
    )


def long_date(day: date) -> str:
    """A day with the month in words."""
    return format_date(day, current_language())


def quantity(value: Decimal, unit: str) -> str:
    """A weight or temperature with its unit, without the zeros that the database adds."""
    return wording.quantity(current_words(), value.normalize(), unit)


def measured(answers: Mapping[str, Any], key: str) -> str:
    """A stored weight or temperature with its unit; empty when it was not measured."""
    return wording.reading_words(current_words(), answers, key)


def level_code(level: int) -> str:
    """The code of a stored level."""
    return TriageLevel(level).code


def drug_name(code: str) -> str:
    """A medicine's name in the reader's language; the code if the protocol dropped it."""
    return wording.drug_name(portal().site.protocol, current_words(), code)


def language_name(code: str) -> str:
    """A language's name in the reader's language."""
    return wording.language_name(code, current_language())


def text_state(text: Message) -> str:
    """Where a text is, in words."""
    sent = Sent(
        to="",
        kind=text.kind,
        state=text.state,
        created_at=text.created_at,
        accepted_at=text.accepted_at,
        delivered_at=text.delivered_at,
        failed_at=text.failed_at,
    )
    return wording.text_words(current_words(), sent)


FOR_TEMPLATES = {
    "clinic_time": clinic_time,
    "long_date": long_date,
    "quantity": quantity,
    "measured": measured,
    "level_code": level_code,
    "drug_name": drug_name,
    "text_state": text_state,
}
