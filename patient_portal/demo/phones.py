"""What lies on the demo's simulated phones."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from patient_portal.models import InboundText, Message, MessageKind, MessageState
from patient_portal.services.site import Site
from patient_portal.services.tokens import secret_for
from patient_portal.sms.segments import count

NEWEST = 12
MOST_LISTED = 500
ALERT_KINDS = frozenset({MessageKind.STAFF_ALERT, MessageKind.STAFF_WORSE})


@dataclass(frozen=True)
class Bubble:
    """A text as its phone shows it. ``is_mine``: the owner of the phone wrote it."""

    at: datetime
    body: str
    is_mine: bool = False
    is_alert: bool = False
    state: str = ""
    seconds: int | None = None
    parts: int = 1


def body_of(site: Site, message: Message) -> str:
    """The text as it was sent: the link's token or the code filled in."""
    if message.secret_of is None:
        return message.body
    return message.body.replace("{secret}", secret_for(site.pepper, message.secret_of))


def bubbles(session: Session, site: Site, number: str) -> list[Bubble]:
    """The newest texts of one phone, oldest of them first."""
    sent = session.scalars(
        select(Message)
        .where(Message.to_number == number, _has_left())
        .order_by(Message.created_at.desc())
        .limit(NEWEST)
    )
    got = session.scalars(
        select(InboundText)
        .where(InboundText.from_number == number)
        .order_by(InboundText.received_at.desc())
        .limit(NEWEST)
    )
    found = [_sent(site, message) for message in sent]
    found += [Bubble(at=text.received_at, body=text.body, is_mine=True) for text in got]
    # An answer never stands above what it answers, though both have the same moment.
    return sorted(found, key=lambda bubble: (bubble.at, not bubble.is_mine))[-NEWEST:]


def newest_texts(session: Session, site: Site) -> list[dict[str, str]]:
    """Every phone's texts, newest first, as the demo's JSON gives them."""
    rows = session.scalars(
        select(Message)
        .where(_has_left())
        .order_by(Message.created_at.desc(), Message.id)
        .limit(MOST_LISTED)
    )
    return [
        {
            "to": row.to_number,
            "body": body_of(site, row),
            "kind": row.kind.value,
            "sent_at": (row.accepted_at or row.created_at).isoformat(),
            "status": row.state.value,
        }
        for row in rows
    ]


def _has_left() -> ColumnElement[bool]:
    # A text that still waits for the worker is on no phone.
    return or_(
        Message.accepted_at.is_not(None),
        Message.state.in_([MessageState.UNDELIVERED, MessageState.FAILED]),
    )


def _sent(site: Site, message: Message) -> Bubble:
    body = body_of(site, message)
    seconds = None
    if message.delivered_at is not None:
        seconds = max(0, round((message.delivered_at - message.created_at).total_seconds()))
    return Bubble(
        at=message.created_at,
        body=body,
        is_alert=message.kind in ALERT_KINDS,
        state=message.state.value,
        seconds=seconds,
        parts=count(body).parts,
    )
