"""What time it is. Every timer asks the database, so that all processes agree.

In the demo and in tests the clock can be moved: the shift is a row, so a move is seen by the web
process and by the worker at once.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Column, Integer, Table, func, select, update
from sqlalchemy.orm import Session

from patient_portal.database import Base, UtcDateTime

clock_shift = Table(
    "clock_shift",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("seconds", Integer, nullable=False),
)


class Clock(Protocol):
    """Tells the time, in UTC."""

    def now(self, session: Session) -> datetime:
        """The present moment, aware, UTC."""


class DatabaseClock:
    """The database's own time: one clock for all machines that share it.

    SQLite has no server; its time is this machine's, which is the only one there is.
    """

    def now(self, session: Session) -> datetime:
        """The present moment, aware, UTC."""
        if session.get_bind().dialect.name == "sqlite":
            return datetime.now(UTC)
        return session.execute(select(func.clock_timestamp(type_=UtcDateTime()))).scalar_one()


class MovableClock:
    """The database's time plus a shift that the demo and the tests can change."""

    def __init__(self) -> None:
        self._base = DatabaseClock()

    def now(self, session: Session) -> datetime:
        """The present moment, shifted."""
        seconds = session.execute(select(clock_shift.c.seconds)).scalar_one_or_none() or 0
        return self._base.now(session) + timedelta(seconds=seconds)

    def move(self, session: Session, by: timedelta) -> None:
        """Move the clock for every process that shares this database."""
        seconds = int(by.total_seconds())
        moved = session.execute(
            update(clock_shift)
            .values(seconds=clock_shift.c.seconds + seconds)
            .returning(clock_shift.c.id)
        ).first()
        if moved is None:
            session.execute(clock_shift.insert().values(id=1, seconds=seconds))


def clock_of(*, demo: bool) -> Clock:
    """The database's clock; in the demo one that can be moved."""
    return MovableClock() if demo else DatabaseClock()
