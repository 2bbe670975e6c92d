"""The audit log cannot be changed unseen, on either engine, by one writer or by many."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from patient_portal.database import Database, build_engine
from patient_portal.domain.audit_chain import NO_CLINIC
from patient_portal.models import AuditEntry, AuditHead, Patient
from patient_portal.services import audit, audit_chains
from patient_portal.services.audit import SYSTEM, Actor, record
from tests.support.people import NOON, a_house
from tests.support.postgres import OWNER

MAPLE = "maple"
NURSE = Actor("staff", "n", MAPLE)


def add(session: Session, count: int = 1, actor: Actor = NURSE) -> None:
    for number in range(count):
        record(session, actor, "test.done", "thing", f"t{number}", now=NOON, part=number)


@pytest.fixture
def filled(database: Database) -> Database:
    for count in (3, 1, 4):
        with database.transaction() as session:
            add(session, count)
            add(session, 1, SYSTEM)
    return database


def proofs(database: Database) -> dict[str, audit_chains.Proof]:
    with database.reading() as session:
        return {c: audit_chains.verify(session, c) for c in audit_chains.chains(session)}


def bad(database: Database) -> tuple[int | None, str]:
    found = proofs(database)[MAPLE]
    return found.bad_seq, found.bad


@contextmanager
def intruder(database: Database, url: str) -> Iterator[Engine]:
    """Somebody who may do everything: the owner, with the database's own guards taken away."""
    engine = build_engine(url.replace("portal_app@", f"{OWNER}@"), pool_size=1)
    with engine.begin() as connection:
        if database.is_sqlite:
            found = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for name in connection.scalars(text(found)).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in ("audit_entry", "audit_head"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    yield engine
    engine.dispose()


def test_each_clinic_has_a_chain_without_holes(filled: Database) -> None:
    found = proofs(filled)
    assert {chain: proof.rows for chain, proof in found.items()} == {MAPLE: 8, NO_CLINIC: 3}
    assert not any(proof.bad for proof in found.values())
    with filled.reading() as session:
        heads = {head.chain: (head.seq, head.hash) for head in session.scalars(select(AuditHead))}
    assert heads == {chain: (proof.end.seq, proof.end.hash) for chain, proof in found.items()}


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        ("UPDATE audit_entry SET actor_id = 'm' WHERE chain = 'maple' AND seq = 4",
         (4, "it was changed")),
        ("UPDATE audit_entry SET detail = '{}' WHERE chain = 'maple' AND seq = 8",
         (8, "it was changed")),
        ("UPDATE audit_entry SET at = '2026-11-20 17:00:01+00' WHERE chain = 'maple' AND seq = 1",
         (1, "it was changed")),
        ("DELETE FROM audit_entry WHERE chain = 'maple' AND seq = 1", (2, "number 1 is missing")),
        ("DELETE FROM audit_entry WHERE chain = 'maple' AND seq = 5", (6, "number 5 is missing")),
        ("DELETE FROM audit_entry WHERE chain = 'maple' AND seq > 6", (7, "rows up to 8 are gone")),
        ("DELETE FROM audit_entry WHERE chain = 'maple'", (1, "rows up to 8 are gone")),
        ("INSERT INTO audit_entry (id, at, clinic_id, actor_kind, actor_id, action, subject_kind, "
         "subject_id, detail, chain, seq, prev_hash, hash) SELECT 999, at, clinic_id, actor_kind, "
         "actor_id, action, subject_kind, subject_id, detail, chain, 9, hash, hash "
         "FROM audit_entry WHERE chain = 'maple' AND seq = 8", (9, "it was changed")),
        ("UPDATE audit_entry SET seq = -seq WHERE chain = 'maple' AND seq IN (3, 4); "
         "UPDATE audit_entry SET seq = 7 + seq WHERE chain = 'maple' AND seq < 0",
         (3, "it does not follow the row before it")),
        ("UPDATE audit_entry SET id = 5000 - seq WHERE chain = 'maple'", (2, "it was moved")),
        ("DELETE FROM audit_head WHERE chain = 'maple'", (8, "the note of its end is missing")),
        ("UPDATE audit_head SET seq = 7 WHERE chain = 'maple'",
         (8, "the note of its end is another")),
        ("UPDATE audit_entry SET clinic_id = 'other' WHERE chain = 'maple' AND seq = 2",
         (2, "it stands in another clinic's chain")),
    ],
)  # fmt: skip
def test_whatever_is_done_to_it_is_found(
    filled: Database, engine_url: str, attack: str, found: tuple[int, str]
) -> None:
    with intruder(filled, engine_url) as engine, engine.begin() as connection:
        for statement in attack.split("; "):
            connection.exec_driver_sql(statement)
    assert bad(filled) == found
    assert not proofs(filled)[NO_CLINIC].bad


def test_a_cut_together_with_its_note_is_found_only_by_what_was_kept_outside(
    filled: Database, engine_url: str
) -> None:
    noted = proofs(filled)[MAPLE].end
    with intruder(filled, engine_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit_entry WHERE chain = 'maple' AND seq > 6")
        connection.exec_driver_sql(
            "UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit_entry "
            "WHERE chain = 'maple' AND seq = 6) WHERE chain = 'maple'"
        )
    assert bad(filled) == (None, "")
    with filled.reading() as session:
        found = audit_chains.verify(session, MAPLE, kept={noted.seq: noted.hash})
        other = audit_chains.verify(session, MAPLE, kept={3: "0" * 64})
    assert (found.bad_seq, found.bad) == (7, "rows up to 8 are gone")
    assert (other.bad_seq, other.bad) == (3, "it is not the row that was noted")


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit_entry SET actor_id = 'm' WHERE seq = 2",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_head",
        "INSERT INTO audit_entry (id, at, actor_kind, action, subject_kind, detail, chain, seq, "
        "prev_hash, hash) VALUES (999, '2026-11-20 17:00:00', 'system', 'x', 'y', '{}', '-', 9, "
        "'x', 'y')",
    ],
)
@pytest.mark.parametrize("is_owner", [False, True])
def test_the_database_itself_refuses(
    filled: Database, engine_url: str, attack: str, is_owner: bool
) -> None:
    url = engine_url.replace("portal_app@", f"{OWNER}@") if is_owner else engine_url
    engine = build_engine(url, pool_size=1)
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.exec_driver_sql(attack)
    engine.dispose()
    assert bad(filled) == (None, "")


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit_entry SET actor_id = 'm'", "DELETE FROM audit_entry", "TRUNCATE audit_entry",
        "TRUNCATE audit_head", "UPDATE audit_head SET seq = 3",
        "UPDATE audit_head SET dropped_seq = 3", "DELETE FROM audit_head",
        "ALTER TABLE audit_entry DISABLE TRIGGER USER", "DROP TABLE audit_entry",
        "CREATE OR REPLACE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN OLD; END $$",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)  # fmt: skip
def test_the_working_role_has_no_right_to(postgres_url: str, attack: str) -> None:
    engine = build_engine(postgres_url, pool_size=1)
    with pytest.raises(DBAPIError) as refused, engine.begin() as connection:
        connection.exec_driver_sql(attack)
    engine.dispose()
    assert type(refused.value.orig).__name__ == "InsufficientPrivilege"


def test_a_table_of_the_callers_own_does_not_stand_in_for_the_end(postgres_url: str) -> None:
    """The guard runs with the owner's rights; it must not be led to a temporary table."""
    engine = build_engine(postgres_url, pool_size=1)
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TEMP TABLE audit_head AS SELECT '-'::text chain, 8::bigint seq, 'x'::text hash"
        )
        connection.exec_driver_sql(
            "INSERT INTO audit_entry (at, actor_kind, action, subject_kind, detail, chain, seq, "
            "prev_hash, hash) VALUES (now(), 'system', 'x', 'y', '{}', '-', 9, 'x', 'y')"
        )
    engine.dispose()


def test_many_writers_make_one_chain(database: Database) -> None:
    def write(number: int) -> None:
        with database.transaction() as session:
            add(session, 1 + number % 3)
            if number % 5 == 0:  # chains of two clinics in one transaction, in any order
                add(session, 1, Actor("staff", "x", "birch"))
                add(session, 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(120)))
    found = proofs(database)
    assert {chain: proof.rows for chain, proof in found.items()} == {"birch": 24, MAPLE: 264}
    assert not any(proof.bad for proof in found.values())


def test_many_first_writers_make_one_chain(database: Database) -> None:
    def write(_number: int) -> None:
        with database.transaction() as session:
            add(session)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert (proofs(database)[MAPLE].rows, bad(database)) == (8, (None, ""))


def test_what_is_undone_leaves_no_entry(database: Database) -> None:
    with database.transaction() as session:
        add(session)
        with pytest.raises(ValueError, match="slip"), audit.undoable(session):
            add(session, 3)
            raise ValueError("slip")
        add(session)
    with pytest.raises(ValueError, match="slip"), database.transaction() as session:
        add(session, 3)
        raise ValueError("slip")
    assert proofs(database)[MAPLE].rows == 2


def test_an_entry_that_cannot_be_written_undoes_everything(database: Database) -> None:
    _, patient = a_house(database)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.get_one(Patient, patient.id).first_name = "Changed"
        record(session, NURSE, None, "thing", None, now=NOON)  # type: ignore[arg-type]
    with database.reading() as session:
        assert session.get_one(Patient, patient.id).first_name == "Rosa"
        assert session.scalars(select(AuditEntry).where(AuditEntry.chain == MAPLE)).all() == []


def test_retention_lets_the_oldest_go_and_the_rest_stays_provable(
    filled: Database, engine_url: str
) -> None:
    owner = Database(engine_url.replace("portal_app@", f"{OWNER}@"))
    with owner.transaction() as session:
        assert audit_chains.let_go(session, MAPLE, 5, SYSTEM, NOON) == 5
    with pytest.raises(audit_chains.CannotLetGo), owner.transaction() as session:
        audit_chains.let_go(session, MAPLE, 9, SYSTEM, NOON)
    owner.dispose()
    proof = proofs(filled)[MAPLE]
    assert (proof.rows, proof.end.seq, proof.bad) == (4, 9, "")


def test_what_json_engines_write_otherwise_is_hashed_alike(database: Database) -> None:
    with database.transaction() as session:
        record(
            session, NURSE, "test.done", "thing", None, now=NOON,
            whole=2.0, large=1e22, small=1e-7, part=0.1, words="é \u202e\U0001f600", empty=None,
            nested={"b": [1, {"z": True}], "a": ()},
        )  # fmt: skip
    assert bad(database) == (None, "")
