"""``python -m tests.bench.audit_log``: what the chained audit log costs a red answer.

For each engine: statements and milliseconds that the audit log takes of a red answer's
transaction, beside the same entries inserted one by one into a plain table; and how many acts of
one clinic a second eight writers get through, who all wait for the same chain.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from sqlalchemy import column, event, insert, table, text
from sqlalchemy.orm import Session

from patient_portal.database import Database, UtcDateTime, upgrade
from patient_portal.migrations.rights import grant_to
from patient_portal.models import Patient
from patient_portal.services import audit, audit_chains, checkins
from patient_portal.services.audit import Actor, record
from patient_portal.services.checkins import Form, Step
from tests.support.people import NOON, a_house, a_patient, a_site
from tests.support.postgres import APP, OWNER, running_cluster

ANSWERS = 200
WRITERS = 8
ACTS = 400
_PLAIN = insert(table("bench_entry", column("at", UtcDateTime()), column("detail"))).inline()
_MAKE = "CREATE TABLE bench_entry (at TIMESTAMP WITH TIME ZONE NOT NULL, detail TEXT NOT NULL)"


@contextmanager
def _counting(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def _red_answer(database: Database, patient: Patient, number: int) -> tuple[float, float, float]:
    """Milliseconds of the whole transaction, of its audit entries, and of plain ones."""
    begun = time.perf_counter()
    with database.transaction() as session:
        actor = Actor("patient", patient.id, patient.clinic_id)
        step = Step("red_flags", {"red_flags": ["chest_pain"]}, ("red_flags",))
        checkins.record_answers(
            session, a_site(), Form(patient, f"{number:022}", actor), step, NOON
        )
        entries = len(session.info["audit entries"])
        session.flush()
        chained = _milliseconds(lambda: audit.write(session))
        plain = _milliseconds(lambda: _insert_plain(session, entries))
    return (time.perf_counter() - begun) * 1000 - plain, chained, plain


def _insert_plain(session: Session, entries: int) -> None:
    for _ in range(entries):
        session.execute(_PLAIN, {"at": NOON, "detail": "{}"})


def _milliseconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _patients(database: Database, count: int) -> list[Patient]:
    team, _ = a_house(database)
    with database.transaction() as session:
        return [
            a_patient(session, team.clinic, phone=f"+1212556{number:04}") for number in range(count)
        ]


def measure(name: str, database: Database) -> None:
    """Print one engine's figures."""
    people = _patients(database, ANSWERS + 1)
    with _counting(database) as seen:
        _red_answer(database, people[0], 0)
    ours = [each for each in seen if "audit_" in each]
    plain = sum("bench_entry" in each for each in seen)
    print(f"{name}: {len(seen) - plain} statements, {len(ours)} of them the audit log's; "
          f"one by one its entries would be {plain}")  # fmt: skip
    found = [_red_answer(database, one, number) for number, one in enumerate(people[1:], 1)]
    whole, chained, inserted = (median(each) for each in zip(*found, strict=True))
    print(f"{name}: red answer {whole:.2f} ms, chained entries {chained:.2f} ms, "
          f"plain inserts {inserted:.2f} ms (medians of {ANSWERS})")  # fmt: skip
    clinic = people[0].clinic_id

    def act(number: int) -> None:
        with database.transaction() as session:
            record(session, Actor("staff", "n", clinic), "test.done", "x", str(number), now=NOON)

    begun = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(act, range(ACTS)))
    seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    with database.reading() as session:
        proof = audit_chains.verify(session, clinic)
    checked = time.perf_counter() - begun
    print(f"{name}: {ACTS / seconds:.0f} acts of one clinic a second by {WRITERS} writers")
    rate, fault = proof.rows / checked, proof.bad or "none"
    print(f"{name}: verify reads {rate:.0f} rows a second; fault: {fault}")
    database.dispose()


def main() -> None:
    """Both engines."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        upgrade(url)
        database = Database(url)
        with database.transaction() as session:
            session.execute(text(_MAKE))
        measure("SQLite", database)
    with running_cluster() as cluster:
        name = cluster.create("bench")
        upgrade(cluster.url(name, OWNER))
        grant_to(cluster.url(name, OWNER), APP)
        owner = Database(cluster.url(name, OWNER))
        with owner.transaction() as session:
            session.execute(text(_MAKE))
        owner.dispose()
        measure("PostgreSQL", Database(cluster.url(name)))


if __name__ == "__main__":
    main()
