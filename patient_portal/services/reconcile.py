"""Asking the gateway what became of a text. Its callbacks are hints: they may never come.

Alerts are asked about each 30 seconds, everything else after five minutes and then once a day, for
three days. The asking itself is the worker's, without any connection held.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from patient_portal.domain.gateway_policy import TABLE, UNSURE, is_unsure
from patient_portal.models import Lane, Message, MessageState
from patient_portal.services import outcomes
from patient_portal.sms.gateway import Report

ALERT_EVERY = timedelta(seconds=30)
OTHER_AFTER = timedelta(minutes=5)
OTHER_EVERY = timedelta(days=1)
GIVE_UP_AFTER = timedelta(days=3)
BATCH = 20
_DOUBTFUL = [row.code for row in TABLE if is_unsure(row.code)]
_UNDECIDED = (MessageState.ACCEPTED, MessageState.SENT)


@dataclass(frozen=True)
class Question:
    """A text of ours whose end is not known, under the gateway's id."""

    message_id: str
    gateway_id: str


def questions(session: Session, lane: Lane, now: datetime, limit: int = BATCH) -> list[Question]:
    """Texts of a lane to ask about now, the longest unasked first; a batch at most."""
    is_alert = lane is Lane.ALERT
    first, every = (ALERT_EVERY, ALERT_EVERY) if is_alert else (OTHER_AFTER, OTHER_EVERY)
    asked = func.coalesce(Message.checked_at, Message.accepted_at)
    rows = session.execute(
        select(Message.id, Message.gateway_id)
        .where(
            Message.lane == lane,
            Message.state.in_(_UNDECIDED),
            Message.due_at > now - GIVE_UP_AFTER,
            Message.gateway_id.is_not(None),
            Message.carried_by.is_(None),
            or_(
                and_(Message.checked_at.is_(None), Message.accepted_at <= now - first),
                Message.checked_at <= now - every,
            ),
        )
        .order_by(asked)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Question(row.id, row.gateway_id) for row in rows]


def begin(session: Session, asked: list[Question], now: datetime) -> None:
    """Note that these are being asked about, so that no other worker asks too."""
    session.execute(
        update(Message)
        .where(Message.id.in_([each.message_id for each in asked]))
        .values(checked_at=now)
        .execution_options(synchronize_session=False)
    )


def settle(session: Session, question: Question, report: Report, now: datetime) -> bool:
    """Note the gateway's answer as if it had called us back. True if it changed something."""
    if report.state is None:
        return False  # a word that we do not know says nothing new when asked for again
    status = outcomes.Status(report.gateway_id, report.state, report.error_code)
    return outcomes.record_status(session, question.message_id, status, now)


def count_unsure(session: Session) -> int:
    """Texts of which nobody knows yet whether they left."""
    return session.scalars(
        select(func.count())
        .select_from(Message)
        .where(
            Message.state.in_((MessageState.DUE, MessageState.SENDING)),
            or_(
                Message.error_code.startswith(UNSURE, autoescape=True),
                Message.error_code.in_(_DOUBTFUL),
            ),
        )
    ).one()
