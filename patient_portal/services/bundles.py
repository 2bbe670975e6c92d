"""Many alerts on one phone: after five texts in a minute the later ones go out inside another.

Each alert keeps a text of its own for each person, in the outbox like any other; ``carried_by``
names the text that it goes out in, and its state follows that one's. So an alert is never without
a text, and it is still taken by its own reference alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from patient_portal.database import insert_missing, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import Alert, Lane, Message, MessageKind, MessageState
from patient_portal.services import messages
from patient_portal.services.messages import Draft
from patient_portal.services.rungs import Roster
from patient_portal.services.site import Site
from patient_portal.sms import staff_texts
from patient_portal.words import Words

MOST_A_MINUTE = 5
MINUTE = timedelta(seconds=60)
# How long a text that carries others waits for more of them, after the one before it.
GATHERS_FOR: Mapping[TriageLevel, timedelta] = {
    TriageLevel.URGENT: timedelta(seconds=10),
    TriageLevel.EMERGENCY: timedelta(seconds=0),
}


def queue_pages(
    session: Session,
    site: Site,
    roster: Roster,
    drafts: Sequence[Draft],
    level: TriageLevel,
    now: datetime,
) -> None:
    """Queue an alert's texts; those to a phone that has had many go out inside another."""
    had = _texts_lately(session, [draft.to_number for draft in drafts], now)
    alone = [draft for draft in drafts if had.get(draft.to_number, 0) < MOST_A_MINUTE]
    messages.queue_all(session, alone, now)
    # In a fixed order, so that two alerts never wait for each other's rows.
    for draft in sorted(drafts, key=lambda draft: draft.to_number):
        if draft not in alone:
            _fold(session, site, roster, draft, level, now)


# Built once: every red answer asks this.
_TEXTS_LATELY = (
    select(Message.to_number, func.count())
    .where(
        Message.to_number.in_(bindparam("numbers", expanding=True)),
        Message.created_at > bindparam("since"),
        Message.kind == MessageKind.STAFF_ALERT,
    )
    .group_by(Message.to_number)
)


def _texts_lately(session: Session, numbers: Sequence[str], now: datetime) -> dict[str, int]:
    rows = session.execute(_TEXTS_LATELY, {"numbers": numbers, "since": now - MINUTE})
    return {number: count for number, count in rows}


def _fold(
    session: Session, site: Site, roster: Roster, draft: Draft, level: TriageLevel, now: datetime
) -> None:
    """Put the text into the one that waits for this phone, or into a new one."""
    due_at = now + GATHERS_FOR[level]
    carrier = session.scalars(
        select(Message)
        .where(
            Message.to_number == draft.to_number,
            Message.clinic_id == draft.clinic_id,
            Message.kind == MessageKind.STAFF_BUNDLE,
            Message.state == MessageState.DUE,
            Message.attempts == 0,
            Message.created_at > now - MINUTE,
        )
        .order_by(Message.created_at.desc())
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()
    if carrier is None:
        carrier = _new_carrier(session, draft, due_at, now)
    else:
        carrier.due_at = min(carrier.due_at, due_at)
        carrier.expires_at = max(carrier.expires_at, now + draft.lives_for)
    row = {**messages.row_of(draft, now), "carried_by": carrier.id}
    insert_missing(session, Message.__table__, [row], unique=["once_key"])  # type: ignore[arg-type]
    _write(session, roster, carrier, f"{site.base_url}/staff/inbox")
    messages.wake_workers(session)


def _new_carrier(session: Session, draft: Draft, due_at: datetime, now: datetime) -> Message:
    carrier = Message(
        id=new_id(), clinic_id=draft.clinic_id, kind=MessageKind.STAFF_BUNDLE, lane=Lane.ALERT,
        to_number=draft.to_number, staff_id=draft.staff_id, phone_id=draft.phone_id, body="",
        once_key=f"bundle:{new_id()}", state=MessageState.DUE, due_at=due_at,
        expires_at=now + draft.lives_for, attempts=0, created_at=now,
    )  # fmt: skip
    session.add(carrier)
    session.flush()
    return carrier


def _write(session: Session, roster: Roster, carrier: Message, inbox: str) -> None:
    """Name the alerts that go out in this text, the worst first."""
    rows: Sequence[Any] = session.execute(
        select(Alert.ref, Alert.level)
        .join(Message, Message.alert_id == Alert.id)
        .where(Message.carried_by == carrier.id, Message.state == MessageState.DUE)
        .order_by(Alert.level.desc(), Message.created_at, Message.id)
    ).all()
    carrier.body = staff_texts.bundle(
        Words(roster.language), clinic=roster.clinic,
        refs=list(dict.fromkeys(row.ref for row in rows)),
        worst=TriageLevel(rows[0].level), url=inbox,
    )  # fmt: skip
    session.flush()


def give_up_empty(session: Session, carrier_id: str) -> None:
    """Do not send a text of which no alert needs anybody any more."""
    carried = aliased(Message)
    still_needed = (
        select(carried.id)
        .where(carried.carried_by == Message.id, carried.state == MessageState.DUE)
        .exists()
    )
    session.execute(
        update(Message)
        .where(Message.id == carrier_id, Message.state == MessageState.DUE, ~still_needed)
        .values(state=MessageState.EXPIRED)
        .execution_options(synchronize_session=False)
    )


def follow(session: Session, carrier_id: str) -> list[Message]:
    """Give the texts that went out in this one its state; returns those that changed."""
    session.flush()
    carrier = session.get(Message, carrier_id, populate_existing=True)
    if carrier is None or carrier.kind is not MessageKind.STAFF_BUNDLE:
        return []
    session.execute(
        update(Message)
        .where(Message.carried_by == carrier_id, Message.state != MessageState.EXPIRED)
        .values(
            state=carrier.state,
            gateway_id=carrier.gateway_id,
            accepted_at=carrier.accepted_at,
            delivered_at=carrier.delivered_at,
            failed_at=carrier.failed_at,
            error_code=carrier.error_code,
        )
        .execution_options(synchronize_session=False)
    )
    return list(
        session.scalars(
            select(Message)
            .where(Message.carried_by == carrier_id, Message.state == carrier.state)
            .execution_options(populate_existing=True)
        )
    )
