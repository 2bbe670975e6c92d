"""Days and hours as people live them: local dates, days of therapy, the hour of a reminder."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def local_date(now: datetime, zone: str) -> date:
    """The calendar date of this moment in an IANA zone. Raises ZoneInfoNotFoundError."""
    return now.astimezone(ZoneInfo(zone)).date()


def therapy_day(first_dose_on: date | None, on: date) -> int | None:
    """The day of therapy: the day of the first dose is day 1. None when it is not known."""
    return None if first_dose_on is None else (on - first_dose_on).days + 1
