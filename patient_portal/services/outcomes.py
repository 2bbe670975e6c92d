"""What came of a text: the worker's own notes, and the gateway's word in any order."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, and_, func, or_, select, update
from sqlalchemy.orm import Session

from patient_portal.domain.delivery import LOST, MessageState, is_news, wait_after
from patient_portal.domain.gateway_policy import Act, is_unsure, policy_of, still_unsure
from patient_portal.models import Lane, Message, MessageKind
from patient_portal.services import bundles, gateway_faults, losses
from patient_portal.services.messages import Claimed

# How long to let the gateway rest that refuses our account, and how long its list of texts may
# take to show one that it took, before a reminder is looked for.
REMINDER_IS_LOOKED_FOR_AFTER = timedelta(seconds=60)


def record_accepted(
    session: Session,
    claimed: Claimed,
    gateway_id: str,
    now: datetime,
    *,
    is_delivered: bool = False,
) -> bool:
    """Note that the gateway took the text. False when it is no longer this worker's.

    The gateway's first status may be here before us; then only what it left open is filled in.
    """
    taken = (
        _change(
            session,
            _is_still(claimed),
            state=MessageState.DELIVERED if is_delivered else MessageState.ACCEPTED,
            gateway_id=gateway_id,
            accepted_at=now,
            delivered_at=now if is_delivered else None,
            error_code=None,
            lease_until=None,
        )
        > 0
    )
    gateway_faults.note_answer(session, None, now)
    if taken and claimed.kind is MessageKind.STAFF_BUNDLE:
        bundles.follow(session, claimed.id)
    if not taken:
        _change(
            session,
            and_(
                Message.id == claimed.id,
                Message.gateway_id.is_(None),
                Message.state.in_((MessageState.SENT, MessageState.DELIVERED, *LOST)),
            ),
            gateway_id=gateway_id,
            accepted_at=func.coalesce(Message.accepted_at, now),
        )
    return taken


def record_failure(
    session: Session,
    claimed: Claimed,
    code: str,
    now: datetime,
    *,
    permanent: bool,
    chance: float | None = None,
) -> bool:
    """Note a failed attempt: to be tried again after a wait, or never. False when not ours.

    ``chance`` (0 to 1, random if None) spreads the wait.
    """
    kept = still_unsure(claimed.last_error, code)
    if permanent:
        outcome: dict[str, Any] = {"state": MessageState.FAILED, "failed_at": now}
    else:
        outcome = {
            "state": MessageState.DUE,
            "due_at": now + _wait(claimed, kept, chance),
            "lease_by": None,
        }
    noted = _change(session, _is_still(claimed), error_code=kept, lease_until=None, **outcome) > 0
    message = session.get(Message, claimed.id, populate_existing=True)
    if message is not None:
        losses.note_fault(session, message, code, now, is_live=True)
        if noted and permanent:
            _on_lost(session, message, now)
    return noted


def _on_lost(session: Session, message: Message, now: datetime) -> None:
    """Mend what can be mended, for each alert that went out in this text."""
    is_bundle = message.kind is MessageKind.STAFF_BUNDLE
    if is_bundle:
        losses.hold_alerts(session, message.id)
    carried = bundles.follow(session, message.id) if is_bundle else []
    for lost in (message, *carried):
        losses.on_lost(session, lost, now)


def is_final(claimed: Claimed, code: str) -> bool:
    """Whether an attempt that was refused with this code is the text's last."""
    refused = policy_of(code).refused
    return refused is Act.GIVE_UP or (
        refused is Act.ONCE_MORE and policy_of(claimed.last_error).code == code
    )


def _wait(claimed: Claimed, code: str, chance: float | None) -> timedelta:
    if policy_of(code).is_down:
        return gateway_faults.REST
    if claimed.lane is Lane.REMINDER and is_unsure(code):
        return REMINDER_IS_LOOKED_FOR_AFTER
    if chance is None:
        chance = secrets.randbelow(1001) / 1000
    return wait_after(claimed.attempt, chance)


def _is_still(claimed: Claimed) -> Any:
    """The fence: a worker whose lease ended, and whose text another took over, changes nothing."""
    return and_(
        Message.id == claimed.id,
        Message.state == MessageState.SENDING,
        Message.lease_by == claimed.worker,
        Message.attempts == claimed.attempt,
    )


def _change(session: Session, where: Any, **values: Any) -> int:
    result = session.execute(
        update(Message).where(where).values(**values).execution_options(synchronize_session=False)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


def unbound(session: Session, gateway_ids: Sequence[str]) -> str | None:
    """The first of these texts of the gateway that is no other row's."""
    bound = set(
        session.scalars(select(Message.gateway_id).where(Message.gateway_id.in_(gateway_ids)))
    )
    return next((each for each in gateway_ids if each not in bound), None)


@dataclass(frozen=True)
class Status:
    """What the gateway says of a text. ``state`` is None for a word that we do not know."""

    gateway_id: str
    state: MessageState | None
    error_code: str | None = None


def record_status(session: Session, message_id: str | None, status: Status, now: datetime) -> bool:
    """Note a status, which may come late, twice, in any order, or before our own note.

    True if it changed something. A word that we do not know is kept as the text's error code.
    """
    message = _find(session, message_id, status.gateway_id)
    if message is None:
        return False
    if status.state is None:
        message.error_code = "unknown_status"
        losses.note_fault(session, message, "unknown_status", now, is_live=False)
        return True
    if _is_of_a_replaced_attempt(message, status) or not is_news(message.state, status.state):
        return False
    message.state = status.state
    message.gateway_id = status.gateway_id
    message.accepted_at = message.accepted_at or now
    message.lease_until = None
    if status.state is MessageState.DELIVERED:
        message.delivered_at, message.error_code = now, None
    if status.state in LOST:
        message.failed_at, message.error_code = now, status.error_code or status.state.value
        if status.error_code:
            losses.note_fault(session, message, status.error_code, now, is_live=False)
        _on_lost(session, message, now)
    elif message.kind is MessageKind.STAFF_BUNDLE:
        bundles.follow(session, message.id)
    return True


def _is_of_a_replaced_attempt(message: Message, status: Status) -> bool:
    """Bad news of an attempt that a later one has replaced, or is about to."""
    if status.state not in LOST:
        return message.gateway_id not in (None, status.gateway_id) and (
            status.state is not MessageState.DELIVERED
        )
    if message.state is MessageState.DUE:
        return True
    if message.state is MessageState.SENDING and message.attempts > 1:
        return True
    return message.gateway_id not in (None, status.gateway_id)


def is_ours(session: Session, message_id: str | None, gateway_id: str) -> bool:
    """Whether a status is about a text of ours."""
    return _find(session, message_id, gateway_id) is not None


def _find(session: Session, message_id: str | None, gateway_id: str) -> Message | None:
    for where in (Message.id == message_id, Message.gateway_id == gateway_id):
        # A text that goes out inside another one has that one's id at the gateway.
        query = select(Message).where(where, Message.carried_by.is_(None)).with_for_update()
        found = session.scalars(query).first()
        if found is not None:
            return found
    return None


def expire_overdue(session: Session, now: datetime) -> int:
    """Give up texts whose time is over and that no worker holds. Returns how many."""
    return _change(
        session,
        and_(
            Message.lane.in_(list(Lane)),  # all of them: it lets the index serve
            Message.state.in_((MessageState.DUE, MessageState.SENDING)),
            Message.expires_at <= now,
            or_(Message.lease_until.is_(None), Message.lease_until <= now),
        ),
        state=MessageState.EXPIRED,
        failed_at=now,
        lease_until=None,
        error_code=func.coalesce(Message.error_code, "expired"),
    )
