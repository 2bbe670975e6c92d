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

from patient_portal.database import Base, Database, build_engine
from patient_portal.services import audit_chains
from patient_portal.services.audit import Actor, record
from tests.support.people import NOON
from tests.support.postgres import APP, OWNER, Cluster


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


def test_audit_rows_from_before_are_chained(empty_url: str) -> None:
    migrate(empty_url, "0008")
    insert = text(
        "INSERT INTO audit_entry (at, clinic_id, actor_kind, action, subject_kind, detail) "
        "VALUES (:at, :clinic, 'system', 'test.done', 'thing', '{\"n\": 2.0}')"
    )
    with connected(empty_url) as connection:
        for number in range(2003):  # more than are chained at once
            clinic = ("maple", "birch", None)[number % 3]
            at = f"2026-11-20 17:00:00.{number:06}"
            connection.execute(insert, {"at": at, "clinic": clinic})
    migrate(empty_url, "head")
    database = Database(empty_url)
    with database.transaction() as session:
        record(session, Actor("system", clinic_id="maple"), "test.done", "thing", None, now=NOON)
    with database.reading() as session:
        found = [audit_chains.verify(session, each) for each in audit_chains.chains(session)]
    database.dispose()
    assert [(each.chain, each.rows, each.bad) for each in found] == [
        ("-", 667, ""), ("birch", 668, ""), ("maple", 669, ""),
    ]  # fmt: skip
    migrate(empty_url, "0008", back=True)
    with connected(empty_url) as connection:
        connection.execute(text("DELETE FROM audit_entry WHERE clinic_id = 'birch'"))
        assert connection.scalar(text("SELECT count(*) FROM audit_entry")) == 2004 - 668
    migrate(empty_url, "head")


def test_without_an_owner_other_roles_lose_nothing_but_the_audit(
    cluster: Cluster, tmp_path: Path
) -> None:
    """A database whose role was given its rights by hand, before these migrations knew of it."""
    name = cluster.create("byhand")
    with cluster.connect(name) as connection:
        connection.execute(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT ALL ON TABLES TO {APP}"
        )
    migrate(cluster.url(name, OWNER), "head")
    with connected(cluster.url(name)) as working:
        may = working.execute(
            text(
                "SELECT has_table_privilege('audit_entry', 'UPDATE, DELETE, TRUNCATE'), "
                "has_table_privilege('audit_head', 'UPDATE, DELETE, TRUNCATE'), "
                "has_table_privilege('patient', 'UPDATE')"
            )
        ).one()
    assert tuple(may) == (False, False, True)
    cluster.drop(name)
