"""Migrations: what they leave is what the models say, and they lose nothing on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from patient_portal.database import Base, build_engine
from tests.support.postgres import OWNER, Cluster


@pytest.fixture
def empty_url(engine_name: str, cluster: Cluster, tmp_path: Path) -> str:
    """A database without tables, on each engine in turn."""
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    name = cluster.create("empty" + tmp_path.name[-8:].lower().replace("-", "_"))
    return cluster.url(name, OWNER)


def migrate(url: str, revision: str, *, back: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", "patient_portal:migrations")
    config.attributes["url"] = url
    (command.downgrade if back else command.upgrade)(config, revision)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = build_engine(url, pool_size=1)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _old_rows(connection: Connection, engine: str) -> None:
    """A clinic with a nurse on call, as the first version kept them."""
    moment = "2026-11-20 17:00:00" + ("" if engine == "sqlite" else "+00")
    rows: list[tuple[str, dict[str, Any]]] = [
        (
            "INSERT INTO clinic (id, name, country, zone, language, line, staffed_from, "
            "staffed_until, uk_lines, created_at) VALUES ('c', 'Maple', 'US', 'America/New_York', "
            "'en', '+12125550100', '08:00', '17:00', false, :at)",
            {"at": moment},
        ),
        (
            "INSERT INTO staff_member (id, clinic_id, name, role, email, phone, password_hash, "
            "created_at) VALUES ('n', 'c', 'N. Silva', 'nurse', 'n@m.example', '+12125550142', "
            "'x', :at)",
            {"at": moment},
        ),
        (
            "INSERT INTO on_call (clinic_id, position, staff_id, since) "
            "VALUES ('c', 'nurse', 'n', :at)",
            {"at": moment},
        ),
    ]
    for statement, values in rows:
        connection.execute(text(statement), values)


def test_the_tables_are_those_of_the_models(empty_url: str) -> None:
    migrate(empty_url, "head")
    with connected(empty_url) as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert found == []


def test_a_nurse_on_call_stays_reachable_on_the_way_up_and_down(
    empty_url: str, engine_name: str
) -> None:
    migrate(empty_url, "0001")
    with connected(empty_url) as connection:
        _old_rows(connection, engine_name)
    migrate(empty_url, "head")
    with connected(empty_url) as connection:
        phone = connection.execute(text("SELECT staff_id, rank, number FROM staff_phone")).one()
        days = connection.execute(
            text("SELECT weekday FROM shift WHERE position = 'nurse' AND staff_id = 'n'")
        ).scalars()
        assert tuple(phone) == ("n", 1, "+12125550142")
        assert sorted(days) == list(range(7))
    migrate(empty_url, "0001", back=True)
    with connected(empty_url) as connection:
        assert connection.execute(text("SELECT phone FROM staff_member")).scalar_one() == (
            "+12125550142"
        )
        assert connection.execute(text("SELECT position FROM on_call")).scalar_one() == "nurse"
