"""Engine, sessions and transactions: the only file that commits.

One code base runs on two engines. SQLite serves one web process and one worker process on one
machine; PostgreSQL serves many of each. Both give the same promise: what ``transaction()`` left
without an exception is on disk.
"""

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Select,
    Table,
    TypeDecorator,
    column,
    create_engine,
    event,
    select,
    table,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached, sessionmaker

# Timeouts of the PostgreSQL session, milliseconds. The server's own default is "for ever", and a
# statement that waits for ever is a red answer that nobody hears of.
POSTGRES_TIMEOUTS = {
    "statement_timeout": 15_000,
    "lock_timeout": 5_000,
    "idle_in_transaction_session_timeout": 15_000,
}
SQLITE_BUSY_MS = 10_000
# The log is written back into the file at this size (16 MB) by the commit that reaches it. Seldom
# is better: a page that changes often is then written back once.
SQLITE_CHECKPOINT_PAGES = 4_000


class Base(DeclarativeBase):
    """Every table of the portal; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. Stored without zone on SQLite, which has none, and read back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without zone: it would mean another moment on each machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time back in UTC, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> str:
    """A new row's identity: 96 random bits in 16 characters, safe in an address."""
    return secrets.token_urlsafe(12)


class DatabaseUnusable(RuntimeError):
    """The database answers, but not in a way that keeps what it is given."""


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # `synchronous` belongs to the connection, not to the file: without this line the last
    # commit before a power cut may be gone, and it may be a red answer.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA wal_autocheckpoint={SQLITE_CHECKPOINT_PAGES}")
    synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    cursor.close()
    if mode != "wal" or synchronous != 2:
        raise DatabaseUnusable(
            f"SQLite runs with journal_mode={mode}, synchronous={synchronous}; "
            "it must be wal and 2 (FULL). Put the file on a local disk."
        )


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock before the first read, so what a writer read is still true
    # when it writes. Reads alone ask for a plain BEGIN and never wait for a writer.
    statement = connection.get_execution_options().get("begin", "BEGIN IMMEDIATE")
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows the type
    try:  # past SQLAlchemy's own execution, which would double the price of a short transaction
        driver.execute(statement)
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error


def build_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for ``sqlite:///file`` or ``postgresql://…``; other engines are refused.

    Raises:
        DatabaseUnusable: the address names another engine.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, pool_size=pool_size, max_overflow=pool_size)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if address.get_backend_name() == "postgresql":
        options = " ".join(f"-c {name}={value}" for name, value in POSTGRES_TIMEOUTS.items())
        return create_engine(
            address.set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            connect_args={"options": f"{options} -c timezone=UTC", "connect_timeout": 5},
        )
    raise DatabaseUnusable(
        f"DATABASE_URL names {address.get_backend_name()}; use sqlite or postgresql"
    )


class Database:
    """The engine and its sessions. Entry points hold one; services only ever see a session."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.engine = build_engine(url, pool_size=pool_size)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        # SQLite lets one writer in at a time and makes the others sleep and retry, unfairly.
        # Queueing the threads of one process here cuts the slowest answers tenfold.
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the one-machine engine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that may write: committed when the block ends, rolled back when it raises."""
        with self._turn, self._sessions() as session, session.begin():
            yield session
            for work in session.info.pop(_LAST_WORK, ()):
                work(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads one consistent state; never waits for a writer on SQLite."""
        with self._sessions() as session:
            if self.is_sqlite:
                session.connection(execution_options={"begin": "BEGIN"})
            yield session
            # Closing ends the transaction and leaves the rows readable; a rollback here would
            # empty every row that the page still wants to show.

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


_LAST_WORK = "work before the commit"


def before_commit(session: Session, work: Callable[[Session], None]) -> None:
    """Have ``work`` done once, as the last thing before the transaction commits.

    For what every writer has to wait its turn for: taken last, it is held for a moment only, and
    nothing is waited for while it is held.
    """
    session.info.setdefault(_LAST_WORK, {})[work] = None


def insert_once(
    session: Session, table: Table, row: Mapping[str, Any], unique: Sequence[str], where: Any = None
) -> bool:
    """Insert a row unless one with the same unique columns is there. True if it went in.

    Without ``unique``, a row that breaks any unique rule of the table is not inserted either.
    Two requests may carry the same form at the same moment; the database, not a look beforehand,
    decides which of them is the first.
    """
    dialect = session.get_bind().dialect.name
    statement = _insert(dialect, table, tuple(unique), where, says=True)
    return session.execute(statement, dict(row)).first() is not None


def insert_missing(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], unique: Sequence[str]
) -> None:
    """Insert the rows, except those whose unique columns are there already."""
    statement = _insert(session.get_bind().dialect.name, table, tuple(unique), None)
    session.execute(statement, [dict(row) for row in rows])


@lru_cache(maxsize=64)
def _insert(
    dialect: str, table: Table, unique: tuple[str, ...], where: Any, *, says: bool = False
) -> Any:
    # Built once: building a statement of twenty columns costs more than running it.
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = (
        make(table)
        .inline()
        .on_conflict_do_nothing(index_elements=unique or None, index_where=where)
    )
    return statement.returning(*table.primary_key) if says else statement


Row = TypeVar("Row", bound=Base)


def adopt(session: Session, written: Row) -> Row:
    """Take an object as the row that this transaction has just inserted, without reading it back.

    Columns that were not given are read when they are asked for.
    """
    make_transient_to_detached(written)
    session.add(written)
    return written


def upgrade(url: str) -> None:
    """Bring the database at ``url`` to the newest migration. Safe to run again."""
    # Imported here: only the commands about migrations need their tool.
    from alembic import command

    command.upgrade(_migrations(url), "head")


def revisions(url: str) -> tuple[str | None, str | None]:
    """The migration that the database at ``url`` is at (None = empty), and the newest there is."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    engine = build_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return found, ScriptDirectory.from_config(_migrations(url)).get_current_head()


def is_current(session: Session) -> bool:
    """Whether the tables are at the newest migration that this version knows."""
    return list(session.execute(_REVISION).scalars()) == [_newest()]


_REVISION: Select[Any] = select(column("version_num")).select_from(table("alembic_version"))


@lru_cache(maxsize=1)
def _newest() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_migrations("")).get_current_head()


def _migrations(url: str) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "patient_portal:migrations")
    config.attributes["url"] = url
    return config
