"""Days and hours as people live them: local dates, days of therapy, the hour of a reminder."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def local_date(now: datetime, zone: str) -> date:
    """The calendar date of this moment in an IANA zone. Raises ZoneInfoNotFoundError."""
    return now.astimezone(ZoneInfo(zone)).date()


def readable_zone(zone: str) -> str:
    """The zone itself, or UTC where this machine does not know it: an answer must not be lost."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return zone


def therapy_day(first_dose_on: date | None, on: date) -> int | None:
    """The day of therapy: the day of the first dose is day 1. None when it is not known."""
    return None if first_dose_on is None else (on - first_dose_on).days + 1


# Nobody is texted a reminder at night, in the patient's own zone.
REMINDERS_FROM = time(8, 0)
REMINDERS_UNTIL = time(20, 59)
# One that waits for its turn, or for a gateway that is away, is not sent after this hour either.
REMINDERS_GIVEN_UP_AT = time(21, 30)
# However zones, clocks and wishes change, two reminders stay this far apart.
REMINDERS_APART = timedelta(hours=20)
# A reminder that is later than this is left out: the day is too far gone.
REMINDER_MAY_BE_LATE = timedelta(hours=2)
# Reminders for the same minute are spread over this many seconds.
REMINDER_SPREAD_SECONDS = 15 * 60
_DAYS_TO_TRY = 4


def at_wall_time(day: date, at: time, zone: str) -> datetime:
    """The moment when clocks in this zone show ``at`` on this day, in UTC.

    An hour that the clocks skip becomes the next minute there is; one that comes twice is taken
    the first time.
    """
    place = ZoneInfo(zone)
    naive = datetime.combine(day, at)
    while True:
        moment = naive.replace(tzinfo=place, fold=0).astimezone(UTC)
        if moment.astimezone(place).replace(tzinfo=None) == naive:
            return moment
        naive += timedelta(minutes=1)


def reminder_lives_for(now: datetime, zone: str) -> timedelta:
    """How long a reminder that is queued now may wait to be sent: two hours, never into the night.

    Raises ZoneInfoNotFoundError.
    """
    night = at_wall_time(local_date(now, zone), REMINDERS_GIVEN_UP_AT, zone)
    return min(REMINDER_MAY_BE_LATE, night - now)


def is_waking_hour(now: datetime, zone: str) -> bool:
    """Whether a reminder may come at this moment in this zone."""
    at = now.astimezone(ZoneInfo(zone)).time()
    return REMINDERS_FROM <= at < time(REMINDERS_UNTIL.hour + 1)


def within_waking_hours(at: time) -> time:
    """The nearest wall time at which a reminder may come."""
    return min(max(at, REMINDERS_FROM), REMINDERS_UNTIL)


def next_reminder(
    after: datetime, zone: str, at: time, *, last: datetime | None = None, spread: int = 0
) -> datetime:
    """When the next daily reminder is due, in UTC: later than ``after``, never at night.

    ``last`` is when the previous one was due; the next is at least 20 hours later, on the same
    day if that is still by daylight. ``spread`` seconds are added so that not all come at once.
    Raises ZoneInfoNotFoundError.
    """
    # A clock that was moved back makes the last one lie ahead; it counts as just sent.
    apart = after if last is None else min(last, after) + REMINDERS_APART
    wanted = within_waking_hours(at)
    day = local_date(after, zone)
    for _ in range(_DAYS_TO_TRY):
        latest = at_wall_time(day, REMINDERS_UNTIL, zone)
        moment = min(at_wall_time(day, wanted, zone) + timedelta(seconds=spread), latest)
        if last is not None and moment < apart <= latest:
            moment = apart
        if moment > after and moment >= apart:
            return moment
        day += timedelta(days=1)
    raise ValueError("a reminder that is due further ahead than four days")
