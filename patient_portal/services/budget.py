"""How many texts leave. Reminders have a daily limit for each clinic; alerts are only counted.

A fault that makes reminders without end costs money and the trust of networks in our sender. It
must stop by itself, and must never stop an alert.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from patient_portal.config import USUAL_REMINDERS_A_DAY as REMINDERS_A_DAY
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.logs import get_logger
from patient_portal.models import Clinic, Lane, Message, MessageState
from patient_portal.services import leads, rates
from patient_portal.services.messages import Claimed
from patient_portal.sms import alarm_texts

__all__ = ["REMINDERS_A_DAY", "USED_UP", "counted", "within"]

USED_UP = "daily_limit"  # the error code of a reminder that was held back
_log = get_logger()


def within(
    session: Session, claimed: Sequence[Claimed], a_day: int, now: datetime
) -> list[Claimed]:
    """The reminders that the day's limit of their clinic lets through.

    The others are given up, and the lead is told once a day. A further attempt of the same
    reminder is not counted again.
    """
    return [each for each in claimed if each.attempt > 1 or _is_within(session, each, a_day, now)]


def _is_within(session: Session, claimed: Claimed, a_day: int, now: datetime) -> bool:
    clinic = session.get_one(Clinic, claimed.clinic_id)
    today = local_date(now, readable_zone(clinic.zone))
    limit = rates.Limit(a_day, timedelta(days=1))
    if rates.hit(session, f"reminders:{clinic.id}:{today}", [limit], now) is None:
        return True
    session.execute(
        update(Message)
        .where(Message.id == claimed.id)
        .values(state=MessageState.FAILED, failed_at=now, error_code=USED_UP, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    told = leads.text_leads(
        session, clinic.id, f"reminders:{clinic.id}:{today}",
        lambda words, of: alarm_texts.reminders_stopped(words, clinic=of.name), now,
    )  # fmt: skip
    if told:
        _log.error("reminders.daily_limit", clinic_id=clinic.id, count=a_day)
    return False


def counted(session: Session, since: datetime) -> Mapping[Lane, int]:
    """How many texts the gateway took in each lane since then; alerts have no limit."""
    rows = session.execute(
        select(Message.lane, func.count())
        .where(Message.accepted_at >= since)
        .group_by(Message.lane)
    )
    found = {lane: count for lane, count in rows}
    return {lane: found.get(lane, 0) for lane in Lane}
