"""Whether texts reach a phone, from what became of the last ones. Nothing is stored for it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.delivery import LOST, MessageState
from patient_portal.domain.gateway_policy import Number, policy_of
from patient_portal.models import Message

_SETTLED = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.FAILED)


def is_unreachable(session: Session, number: str) -> bool:
    """Whether the network said of the last settled text that this number (E.164) takes none.

    A phone that is off or has no signal is not meant: that passes.
    """
    last = session.execute(
        select(Message.state, Message.error_code)
        .where(Message.to_number == number, Message.state.in_(_SETTLED))
        .order_by(Message.created_at.desc())
        .limit(1)
    ).first()
    if last is None or last.state not in LOST:
        return False
    return policy_of(last.error_code).number is Number.BAD
