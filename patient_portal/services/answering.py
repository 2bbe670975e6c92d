"""Answers to texts: queued at once, and never to a machine that answers back for ever."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.models import InboundText, Lane, Message, MessageKind
from patient_portal.services import messages

LIVES = timedelta(hours=1)
# What a patient, helper or stranger hears is the same each time: once an hour, once a day.
PASSIVE_EVERY = timedelta(hours=1)
STRANGER_EVERY = timedelta(days=1)
# Answers that only say "not understood", in a row, until a text was understood.
MOST_PASSIVE = 5
PASSIVE_WITHIN = timedelta(days=1)
STAFF_WITHIN = timedelta(hours=1)
# Answers of any kind to one phone of staff in an hour; a nurse with a storm of alerts needs fewer.
MOST_TO_STAFF = 40
MOST_TO_DANGER = 5
# How a text was handled that shows a person is there.
UNDERSTOOD = ("took", "passed_on", "duty_check", "already_taken", "own_already", "was_closed")
_PASSIVE, _DANGER, _STAFF = "reply:", "danger:", "answer:"


def passive(session: Session, row: InboundText, body: str, now: datetime) -> bool:
    """The fixed answer to a patient or helper, once an hour. False: five are enough (a loop)."""
    since = now - PASSIVE_WITHIN
    if _sent(session, row.from_number, _PASSIVE, since) >= MOST_PASSIVE:
        return False
    if not _had_reply(session, row.from_number, now - PASSIVE_EVERY):
        # Two texts at the same moment: the hour's own key lets one answer through.
        key = f"{_PASSIVE}{row.from_number}:{now:%Y%m%dT%H}"
        _queue(session, row, MessageKind.REPLY, Lane.PATIENT, body, key, now)
    return True


def stranger(session: Session, row: InboundText, body: str, now: datetime) -> None:
    """The fixed answer to a phone that nobody knows, once a day."""
    if not _had_reply(session, row.from_number, now - STRANGER_EVERY):
        key = f"{_PASSIVE}{row.from_number}:{now:%Y%m%d}"
        _queue(session, row, MessageKind.REPLY, Lane.PATIENT, body, key, now)


def danger(session: Session, row: InboundText, body: str, now: datetime) -> None:
    """The answer to words of danger: to each text, at any hour, five times an hour."""
    if _sent(session, row.from_number, _DANGER, now - STAFF_WITHIN) < MOST_TO_DANGER:
        key = f"{_DANGER}{row.id}"
        _queue(session, row, MessageKind.REPLY, Lane.PATIENT, body, key, now)


def staff(session: Session, row: InboundText, body: str, now: datetime) -> None:
    """The answer to a member of staff, from the number that alerts come from."""
    if _sent(session, row.from_number, _STAFF, now - STAFF_WITHIN) < MOST_TO_STAFF:
        key = f"{_STAFF}{row.id}"
        _queue(session, row, MessageKind.STAFF_REPLY, Lane.ALERT, body, key, now)


def is_loop(session: Session, row: InboundText, now: datetime) -> bool:
    """Whether this phone of staff has sent five texts in a row that nobody can act on."""
    last = session.scalars(
        select(InboundText.received_at)
        .where(InboundText.from_number == row.from_number, InboundText.handled_as.in_(UNDERSTOOD))
        .order_by(InboundText.received_at.desc())
        .limit(1)
    ).first()
    since = now - STAFF_WITHIN
    if last is not None:
        since = max(last, since)
    return _sent(session, row.from_number, _STAFF, since) >= MOST_PASSIVE


def _sent(session: Session, number: str, prefix: str, since: datetime) -> int:
    return session.execute(
        select(func.count()).where(
            Message.to_number == number,
            Message.created_at > since,
            Message.once_key.startswith(prefix, autoescape=True),
        )
    ).scalar_one()


def _had_reply(session: Session, number: str, since: datetime) -> bool:
    found = select(Message.id).where(
        Message.to_number == number,
        Message.kind == MessageKind.REPLY,
        Message.created_at > since,
    )
    return session.scalars(found.limit(1)).first() is not None


def _queue(
    session: Session, row: InboundText, kind: MessageKind, lane: Lane, body: str, key: str,
    now: datetime,
) -> None:  # fmt: skip
    if row.clinic_id is None:
        return
    draft = messages.Draft(
        clinic_id=row.clinic_id,
        to_number=row.from_number,
        kind=kind,
        lane=lane,
        body=body,
        once_key=key,
        lives_for=LIVES,
        patient_id=row.patient_id,
        staff_id=row.staff_id,
        alert_id=row.alert_id,
    )
    messages.queue(session, draft, now)
