"""What was committed is on disk, and one writer never fools another."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import StatementError

from patient_portal.clock import MovableClock
from patient_portal.database import (
    POSTGRES_TIMEOUTS,
    Database,
    DatabaseUnusable,
    build_engine,
    insert_once,
    upgrade,
)
from patient_portal.models import Heartbeat

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _pragma(connection: Connection, name: str) -> object:
    return connection.execute(text(f"PRAGMA {name}")).scalar_one()


def test_every_sqlite_connection_syncs_fully(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    only_read = database.engine.execution_options(begin="BEGIN")
    with only_read.connect() as first, only_read.connect() as second:
        for connection in (first, second):
            assert _pragma(connection, "synchronous") == 2
            assert _pragma(connection, "journal_mode") == "wal"
            assert _pragma(connection, "foreign_keys") == 1
    with only_read.connect() as pooled:
        assert _pragma(pooled, "synchronous") == 2
    database.dispose()


def test_no_statement_waits_for_ever_on_postgresql(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.engine.connect() as connection:
        for name, milliseconds in POSTGRES_TIMEOUTS.items():
            shown = connection.execute(text(f"SELECT setting FROM pg_settings WHERE name='{name}'"))  # noqa: S608
            assert int(shown.scalar_one()) == milliseconds
    database.dispose()


def test_other_engines_are_refused() -> None:
    with pytest.raises(DatabaseUnusable, match="mysql"):
        build_engine("mysql://db/portal")


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        session.add(Heartbeat(worker="w", beat_at=NOON))
        session.flush()
        raise RuntimeError("crash")
    with database.reading() as session:
        assert session.scalars(select(Heartbeat)).all() == []


def test_a_time_comes_back_in_utc_and_a_bare_one_is_refused(database: Database) -> None:
    with database.transaction() as session:
        session.add(Heartbeat(worker="w", beat_at=NOON))
    with database.reading() as session:
        assert session.scalars(select(Heartbeat)).one().beat_at == NOON
    with pytest.raises(StatementError, match="without zone"), database.transaction() as session:
        session.add(Heartbeat(worker="x", beat_at=NOON.replace(tzinfo=None)))


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.transaction() as writer:
        writer.add(Heartbeat(worker="w", beat_at=NOON))
        writer.flush()
        with database.reading() as reader:
            assert reader.scalars(select(Heartbeat)).all() == []


def test_the_same_row_goes_in_once_whoever_comes_first(database: Database) -> None:
    went_in: list[bool] = []
    start = threading.Barrier(6)

    def write() -> None:
        start.wait()
        with database.transaction() as session:
            row = {"worker": "w", "beat_at": NOON}
            went_in.append(insert_once(session, Heartbeat.__table__, row, ["worker"]))  # type: ignore[arg-type]

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(went_in) == [False] * 5 + [True]


def test_the_movable_clock_moves_for_everybody(database: Database) -> None:
    clock = MovableClock()
    with database.reading() as session:
        before = clock.now(session)
    with database.transaction() as session:
        clock.move(session, timedelta(minutes=15))
    with database.transaction() as session:
        clock.move(session, timedelta(minutes=5))
    with database.reading() as session:
        assert MovableClock().now(session) - before >= timedelta(minutes=20)


def test_migrations_run_twice_without_harm(sqlite_url: str) -> None:
    upgrade(sqlite_url)
    upgrade(sqlite_url)
