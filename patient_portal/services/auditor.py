"""The look that decides whether the world outside hears that all is well.

It asks the rows, and trusts no process: not even the one that it runs in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.models import Alert, Clinic, Lane, Message, MessageState
from patient_portal.services import alarm_path, invariants

TEXTS_ARE_FINAL_AFTER = timedelta(minutes=5)
_UNSENT = (MessageState.DUE, MessageState.SENDING)


@dataclass(frozen=True)
class Audit:
    """What keeps the outside heartbeat silent, as codes with counts; empty when all is well."""

    faults: tuple[tuple[str, int], ...]

    @property
    def is_well(self) -> bool:
        """Whether the world may be told that all is well."""
        return not self.faults


def audit(session: Session, now: datetime) -> Audit:
    """Every open alert goes on in time, every alert text went out or ended, the rota has people,
    and no invariant is broken."""
    found = [
        ("alerts_overdue", _overdue(session, now)),
        ("texts_unsent", _unsent(session, now)),
        ("rota_empty", _gaps(session, now)),
        ("invariants", _broken(session)),
    ]
    return Audit(tuple((code, count) for code, count in found if count))


def _overdue(session: Session, now: datetime) -> int:
    query = select(func.count(Alert.id)).where(alarm_path.IS_OVERDUE)
    return session.execute(query, alarm_path.moments(now)).scalar_one()


def _unsent(session: Session, now: datetime) -> int:
    return session.execute(
        select(func.count(Message.id)).where(
            Message.lane == Lane.ALERT,
            Message.state.in_(_UNSENT),
            Message.created_at <= now - TEXTS_ARE_FINAL_AFTER,
        )
    ).scalar_one()


def _gaps(session: Session, now: datetime) -> int:
    """Clinics of which a position that the ladder needs is held by nobody at this moment."""
    live = session.scalars(select(Clinic).where(Clinic.live_at.is_not(None)))
    return sum(alarm_path.has_gap_now(session, now, clinic) for clinic in live)


def _broken(session: Session) -> int:
    return sum(bool(invariants.count(session, each)) for each in invariants.ALL)
