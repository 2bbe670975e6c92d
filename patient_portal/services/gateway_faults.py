"""What is wrong with the gateway as a whole: rows, so that every process and page sees the same.

While the gateway refuses our account it is left alone for a minute; then one text of one worker
tries it. Its first other answer ends that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, case, delete, false, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from patient_portal.domain.gateway_policy import Fault, policy_of
from patient_portal.models import GatewayFault

REST = timedelta(seconds=60)
# A gateway that fails for a moment is no news; the next attempt is seconds away.
AWAY_IS_NEWS_AFTER = timedelta(seconds=60)
# How long a fault is shown after it was last met. DOWN stays until a text shows that it is over.
SHOWN_FOR: Mapping[Fault, timedelta] = {
    Fault.AWAY: timedelta(minutes=10),
    Fault.QUEUE: timedelta(hours=1),
    Fault.LATE: timedelta(hours=1),
    Fault.FILTERED: timedelta(days=1),
    Fault.UNKNOWN: timedelta(days=1),
}
_ENDED_BY_AN_ANSWER = (Fault.DOWN, Fault.AWAY)
_WORST_FIRST = (Fault.DOWN, Fault.AWAY, Fault.FILTERED, Fault.QUEUE, Fault.LATE, Fault.UNKNOWN)


@dataclass(frozen=True)
class GatewayTrouble:
    """A fault that is present: its kind, the latest error code, since when, how often met."""

    fault: Fault
    code: str
    since: datetime
    last_at: datetime
    count: int

    @property
    def is_down(self) -> bool:
        """Whether no text leaves at all: phone the people of the ladder."""
        return self.fault in _ENDED_BY_AN_ANSWER


def gateway_trouble(session: Session, now: datetime) -> GatewayTrouble | None:
    """The worst fault that is present, or None."""
    return next(iter(gateway_troubles(session, now)), None)


def gateway_troubles(session: Session, now: datetime) -> list[GatewayTrouble]:
    """Every fault that is present, the worst first. Derived from rows and clock."""
    rows = session.scalars(select(GatewayFault)).all()
    found = [
        GatewayTrouble(row.kind, row.code, row.first_at, row.last_at, row.count)
        for row in rows
        if _is_present(row, now)
    ]
    return sorted(found, key=lambda each: _WORST_FIRST.index(each.fault))


def _is_present(row: GatewayFault, now: datetime) -> bool:
    if row.kind is Fault.DOWN:
        return True
    if row.kind is Fault.AWAY and now - row.first_at < AWAY_IS_NEWS_AFTER:
        return False
    return now - row.last_at <= SHOWN_FOR[row.kind]


def note_answer(
    session: Session, code: str | None, now: datetime, *, is_live: bool = True
) -> Fault | None:
    """Note what an attempt met: an error code, or None for a text that was taken.

    Any live answer but "you may not" and "I cannot" shows that the gateway is there and knows us;
    word of an old text does not (``is_live``). Returns the fault that the code stands for.
    """
    fault = policy_of(code).fault if code else None
    if is_live and fault not in _ENDED_BY_AN_ANSWER:
        session.execute(delete(GatewayFault).where(GatewayFault.kind.in_(_ENDED_BY_AN_ANSWER)))
    if fault is not None and code:
        _note(session, fault, code, now)
    return fault


def _note(session: Session, fault: Fault, code: str, now: datetime) -> None:
    rest = now + REST if fault is Fault.DOWN else None
    row = {
        "kind": fault, "code": code[:40], "first_at": now, "last_at": now, "count": 1,
        "rest_until": rest,
    }  # fmt: skip
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # A fault that was away for long comes back as a new one.
    is_new = GatewayFault.last_at < now - SHOWN_FOR[fault] if fault in SHOWN_FOR else false()
    changes = {
        "code": code[:40],
        "last_at": now,
        "rest_until": rest,
        "first_at": case((is_new, now), else_=GatewayFault.first_at),
        "count": case((is_new, 1), else_=GatewayFault.count + 1),
    }
    session.execute(
        make(GatewayFault).values(row).on_conflict_do_update(index_elements=["kind"], set_=changes)
    )


@dataclass(frozen=True)
class Leave:
    """Whether texts may leave now, and whether only one may, to try the gateway."""

    may_send: bool
    is_trial: bool


def leave(session: Session, now: datetime) -> Leave:
    """Whether the gateway rests, is to be tried by one text, or takes all."""
    rest_until = session.execute(
        select(GatewayFault.rest_until).where(GatewayFault.kind == Fault.DOWN)
    ).scalar_one_or_none()
    if rest_until is None:
        return Leave(may_send=True, is_trial=False)
    return Leave(may_send=rest_until <= now, is_trial=True)


def begin_trial(session: Session, now: datetime) -> bool:
    """Claim the one text that tries the gateway. False when another worker was first."""
    result = session.execute(
        update(GatewayFault)
        .where(GatewayFault.kind == Fault.DOWN, GatewayFault.rest_until <= now)
        .values(rest_until=now + REST)
        .execution_options(synchronize_session=False)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1
