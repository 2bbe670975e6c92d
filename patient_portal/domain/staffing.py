"""When a care team reads answers: the clinic's staffed hours, in the clinic's zone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def is_staffed(now: datetime, zone: str, opens: time, closes: time) -> bool:
    """Whether somebody reads answers at this moment; equal hours mean day and night.

    Raises ZoneInfoNotFoundError.
    """
    if opens == closes:
        return True
    at = now.astimezone(ZoneInfo(zone)).time()
    if opens < closes:
        return opens <= at < closes
    return at >= opens or at < closes  # over midnight


def next_turn(now: datetime, zone: str, opens: time, closes: time) -> datetime:
    """The next moment, in UTC, when the team starts or stops reading answers."""
    place = ZoneInfo(zone)
    turn = closes if is_staffed(now, zone, opens, closes) else opens
    today = now.astimezone(place).date()
    for days in (0, 1):
        moment = datetime.combine(today + timedelta(days=days), turn, tzinfo=place)
        if moment > now:
            break
    return moment.astimezone(UTC)
