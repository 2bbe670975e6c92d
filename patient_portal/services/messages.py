"""The outbox: texts are rows, queued where the thing they tell happens and claimed by a worker."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from patient_portal.database import insert_missing, insert_once, new_id
from patient_portal.domain.delivery import MessageState
from patient_portal.domain.gateway_policy import UNSURE, policy_of
from patient_portal.models import Lane, Message, MessageKind
from patient_portal.services.tokens import secret_for
from patient_portal.sms.gateway import ALERT_IS_VALID, OTHER_IS_VALID, Outgoing

# What PostgreSQL calls out when a text is queued, so that a worker need not wait for its next look.
CHANNEL = "portal_message"
# How the key of a lost text's one repetition begins; a repetition is not repeated.
AGAIN = "again:"


@dataclass(frozen=True)
class Draft:
    """A text to be queued. ``once_key`` makes two drafts of one text one row."""

    clinic_id: str
    to_number: str
    kind: MessageKind
    lane: Lane
    body: str
    once_key: str
    lives_for: timedelta
    patient_id: str | None = None
    staff_id: str | None = None
    alert_id: str | None = None
    phone_id: str | None = None
    step: int | None = None
    round: int | None = None
    secret_of: str | None = None


def queue(session: Session, draft: Draft, now: datetime) -> bool:
    """Put a text into the outbox, in the caller's transaction. False if it was there already."""
    went_in = insert_once(
        session,
        Message.__table__,  # type: ignore[arg-type]
        row_of(draft, now),
        unique=["once_key"],
    )
    if went_in:
        wake_workers(session)
    return went_in


def queue_all(session: Session, drafts: Sequence[Draft], now: datetime) -> None:
    """Put several texts into the outbox by one statement; those that are there stay as they are."""
    if drafts:
        rows = [row_of(draft, now) for draft in drafts]
        insert_missing(session, Message.__table__, rows, unique=["once_key"])  # type: ignore[arg-type]
        wake_workers(session)


def row_of(draft: Draft, now: datetime) -> dict[str, Any]:
    """The draft as a row that is due now."""
    return {
        "id": new_id(),
        "clinic_id": draft.clinic_id,
        "kind": draft.kind,
        "lane": draft.lane,
        "to_number": draft.to_number,
        "patient_id": draft.patient_id,
        "staff_id": draft.staff_id,
        "alert_id": draft.alert_id,
        "phone_id": draft.phone_id,
        "step": draft.step,
        "round": draft.round,
        "body": draft.body,
        "secret_of": draft.secret_of,
        "once_key": draft.once_key,
        "state": MessageState.DUE,
        "due_at": now,
        "expires_at": now + draft.lives_for,
        "attempts": 0,
        "created_at": now,
    }


def wake_workers(session: Session) -> None:
    """Call out to waiting workers at commit. On SQLite the worker looks by itself."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"NOTIFY {CHANNEL}"))


@dataclass(frozen=True)
class Claimed:
    """A text that one worker may send until its lease ends. ``attempt`` counts from 1."""

    id: str
    clinic_id: str
    lane: Lane
    kind: MessageKind
    attempt: int
    worker: str
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    secret_of: str | None
    expires_at: datetime
    created_at: datetime
    last_error: str | None
    is_again: bool


def _is_due(lane: Any) -> ColumnElement[bool]:
    return and_(
        Message.lane == lane,
        Message.state == MessageState.DUE,
        Message.due_at <= bindparam("now"),
        Message.expires_at > bindparam("now"),
        Message.carried_by.is_(None),  # goes out inside that text
    )


def _is_abandoned(lane: Any) -> ColumnElement[bool]:
    """A worker that died, or hangs: its lease is over and the text is anybody's again."""
    return and_(
        Message.lane == lane,
        Message.state == MessageState.SENDING,
        Message.lease_until <= bindparam("now"),
        Message.expires_at > bindparam("now"),
    )


# Both kinds are looked for apart, so that the index on lane, state and due time serves each: one
# condition with an "or" in it would read every text that was ever sent.
_KINDS = (_is_abandoned, _is_due)


def _claiming() -> Any:
    """The statement of ``claim``."""
    found = [
        select(Message.id)
        .where(kind(bindparam("of_lane", type_=Message.__table__.c.lane.type)))
        .order_by(Message.due_at)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte(kind.__name__)
        for kind in _KINDS
    ]
    ids = union_all(*(select(each.c.id) for each in found)).limit(bindparam("most", type_=Integer))
    return (
        update(Message)
        .where(Message.id.in_(ids))
        .values(
            state=MessageState.SENDING,
            lease_until=bindparam("until"),
            lease_by=bindparam("worker"),
            attempts=Message.attempts + 1,
            # Whoever held it may have sent it and died before noting so.
            error_code=case(
                (Message.state == MessageState.SENDING, f"{UNSURE}crash"), else_=Message.error_code
            ),
        )
        .returning(
            Message.id,
            Message.clinic_id,
            Message.lane,
            Message.kind,
            Message.attempts,
            Message.lease_by,
            Message.to_number,
            Message.body,
            Message.secret_of,
            Message.expires_at,
            Message.due_at,
            Message.created_at,
            Message.error_code,
            Message.once_key,
        )
        .execution_options(synchronize_session=False)
    )


# Built once: building them costs as much as running them, and every text waits for both.
_WAITING = select(
    *(or_(*(select(Message.id).where(kind(lane)).exists() for kind in _KINDS)) for lane in Lane)
)
_CLAIM = _claiming()


def waiting_lanes(session: Session, now: datetime) -> set[Lane]:
    """The lanes that hold a text to be sent now. Only a look: it locks nothing."""
    row = session.execute(_WAITING, {"now": now}).one()
    return {lane for lane, waits in zip(Lane, row, strict=True) if waits}


def claim(
    session: Session, lane: Lane, worker: str, now: datetime, lease: timedelta, limit: int
) -> list[Claimed]:
    """Make up to ``limit`` texts this worker's until the lease ends, the longest due first.

    One statement; on PostgreSQL it steps over rows that another worker is just claiming, on
    SQLite the transaction holds the only write lock. Commit before anything is sent.
    """
    asked = {"of_lane": lane, "worker": worker, "now": now, "until": now + lease, "most": limit}
    rows = session.execute(_CLAIM, asked).all()
    return [_claimed(row) for row in sorted(rows, key=lambda row: row.due_at)]


def _claimed(row: Any) -> Claimed:
    return Claimed(
        id=row.id,
        clinic_id=row.clinic_id,
        lane=row.lane,
        kind=row.kind,
        attempt=row.attempts,
        worker=row.lease_by,
        to_number=row.to_number,
        body=row.body,
        secret_of=row.secret_of,
        expires_at=row.expires_at,
        created_at=row.created_at,
        last_error=row.error_code,
        is_again=row.once_key.startswith(AGAIN),
    )


def claim_next(
    session: Session, lane: Lane, worker: str, now: datetime, lease: timedelta
) -> Claimed | None:
    """Make the longest due text of a lane this worker's; None if there is none."""
    return next(iter(claim(session, lane, worker, now, lease, limit=1)), None)


def outgoing(claimed: Claimed, pepper: str, now: datetime) -> Outgoing:
    """The text as it leaves, link or code filled in. Raises ValueError for an unknown secret."""
    body = claimed.body
    if claimed.secret_of is not None:
        body = body.replace("{secret}", secret_for(pepper, claimed.secret_of))
    is_alert = claimed.lane is Lane.ALERT
    rest = max(claimed.expires_at - now, timedelta(seconds=1))
    return Outgoing(
        message_id=claimed.id,
        to=claimed.to_number,
        body=body,
        is_alert=is_alert,
        valid_for=min(ALERT_IS_VALID if is_alert else OTHER_IS_VALID, rest),
        other_sender=_asks_for_other_sender(claimed),
    )


def _asks_for_other_sender(claimed: Claimed) -> bool:
    """Whether the last error lay with our sender; then the two take turns."""
    attempts_before = claimed.attempt - 1 + claimed.is_again
    return policy_of(claimed.last_error).other_sender and attempts_before % 2 == 1


def stop_due(session: Session, patient_id: str, kinds: Sequence[MessageKind]) -> None:
    """Texts of these kinds that wait for this patient are not sent any more."""
    session.execute(
        update(Message)
        .where(
            Message.patient_id == patient_id,
            Message.kind.in_(kinds),
            Message.state == MessageState.DUE,
        )
        .values(state=MessageState.EXPIRED)
    )
