"""How often something may be tried: fixed windows of time, counted by the database.

A key never holds a phone number or an address in clear; callers pass a keyed digest of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from patient_portal.models import RateWindow

# Longer than the longest window; older rows say nothing any more.
ROWS_LIVE = timedelta(days=2)


@dataclass(frozen=True)
class Limit:
    """At most ``times`` in ``span``."""

    times: int
    span: timedelta


CODE_TEXTS = (
    Limit(1, timedelta(seconds=60)),
    Limit(3, timedelta(minutes=15)),
    Limit(5, timedelta(hours=1)),
    Limit(10, timedelta(days=1)),
)
CODE_ASKS_FROM_ADDRESS = (Limit(60, timedelta(hours=1)),)
CODE_FAILS = (Limit(10, timedelta(hours=1)),)
STAFF_SIGN_INS = (Limit(5, timedelta(minutes=15)),)


def hit(session: Session, key: str, limits: Sequence[Limit], now: datetime) -> Limit | None:
    """Count one try. None if it may go on, else the limit that it passed.

    Windows are counted from the shortest to the longest and the first that is full ends it, so
    an impatient person who presses a button ten times in a minute uses up one try of the day.
    """
    for limit in sorted(limits, key=lambda each: each.span):
        if _count(session, _name(key, limit), limit.span, now) > limit.times:
            return limit
    return None


def is_full(session: Session, key: str, limits: Sequence[Limit], now: datetime) -> bool:
    """Whether one of the windows has no try left; counts nothing."""
    names = {_name(key, limit): limit for limit in limits}
    rows = session.execute(
        select(RateWindow.key, RateWindow.count, RateWindow.starts_at).where(
            RateWindow.key.in_(names)
        )
    )
    return any(
        count >= names[name].times and starts_at > now - names[name].span
        for name, count, starts_at in rows
    )


def forget(session: Session, key: str, limits: Sequence[Limit]) -> None:
    """Start over, after a success."""
    names = [_name(key, limit) for limit in limits]
    session.execute(delete(RateWindow).where(RateWindow.key.in_(names)))


def sweep(session: Session, now: datetime) -> None:
    """Delete windows that are long over."""
    session.execute(delete(RateWindow).where(RateWindow.starts_at < now - ROWS_LIVE))


def _name(key: str, limit: Limit) -> str:
    return f"{key}:{int(limit.span.total_seconds())}"


def _count(session: Session, name: str, span: timedelta, now: datetime) -> int:
    is_over = RateWindow.starts_at <= now - span
    changes = {
        "count": case((is_over, 1), else_=RateWindow.count + 1),
        "starts_at": case((is_over, now), else_=RateWindow.starts_at),
    }
    row = {"key": name, "starts_at": now, "count": 1}
    # One statement: two requests at the same moment cannot both be the last that is allowed.
    if session.get_bind().dialect.name == "sqlite":
        on_sqlite = sqlite.insert(RateWindow).values(row)
        return session.scalars(
            on_sqlite.on_conflict_do_update(index_elements=["key"], set_=changes).returning(
                RateWindow.count
            )
        ).one()
    on_postgres = postgresql.insert(RateWindow).values(row)
    return session.scalars(
        on_postgres.on_conflict_do_update(index_elements=["key"], set_=changes).returning(
            RateWindow.count
        )
    ).one()
