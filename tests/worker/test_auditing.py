"""The outside hears from us only while all is well; another version's worker does nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select, text, update

from patient_portal.clock import MovableClock
from patient_portal.database import Database, build_engine
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import Alert, Heartbeat, Lane, Message, MessageState, Patient
from patient_portal.services import alarm_path
from patient_portal.services.alerts import RedAnswer, raise_alert
from patient_portal.sms.simulator import Simulator
from patient_portal.worker import Worker
from patient_portal.worker.auditing import Auditing, ping
from tests.support.people import Team, a_house, a_site
from tests.support.postgres import OWNER
from tests.support.processes import until


@dataclass
class Outside:
    """The address that waits for our sign of life."""

    url: str
    heard: list[str] = field(default_factory=list)
    status: int = 200


@contextmanager
def listening() -> Iterator[Outside]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.heard.append(self.path)
            self.send_response(found.status)
            if found.status == 302:
                self.send_header("Location", f"{found.url}/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Outside(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    with listening() as found:
        yield found


@pytest.fixture
def team(database: Database) -> Team:
    """A clinic around the present moment."""
    return a_house(database)[0]


def _red(database: Database, team: Team, *, ago: timedelta = timedelta(0)) -> Alert:
    red = RedAnswer(
        check_in_id="c1", level=TriageLevel.URGENT, reasons=[{"rule": "F1", "level": "urgent"}],
        inputs={"answers": {}}, phone_recognised=True,
    )  # fmt: skip
    with database.transaction() as session:
        patient = session.scalars(select(Patient)).one()
        now = MovableClock().now(session) - ago
        return raise_alert(session, a_site(), patient, red, now)


def _worker(database: Database, url: str | None = None) -> Worker:
    return Worker(database, MovableClock(), a_site(), Simulator(), heartbeat_url=url)


def _move(database: Database, by: timedelta) -> None:
    with database.transaction() as session:
        MovableClock().move(session, by)


def test_while_all_is_well_the_address_is_asked(
    database: Database, team: Team, outside: Outside
) -> None:
    auditing = Auditing(database, MovableClock(), f"{outside.url}/beat?key=1")
    assert auditing.audit()
    assert until(lambda: outside.heard == ["/beat?key=1"], 10)


def test_it_hears_nothing_while_a_text_does_not_leave_and_again_when_it_has(
    database: Database, team: Team, outside: Outside
) -> None:
    worker = _worker(database, outside.url)
    auditing = Auditing(database, MovableClock(), outside.url)
    _red(database, team)
    assert auditing.audit()
    assert until(lambda: len(outside.heard) == 1, 10)
    _move(database, timedelta(minutes=5, seconds=1))  # the worker is dead meanwhile
    assert not auditing.audit()
    assert not until(lambda: len(outside.heard) > 1, 1)
    worker.timers.advance()
    while claimed := worker.sender.claim(Lane.ALERT):
        for one in claimed:
            worker.sender.send(one)
    assert auditing.audit()
    assert until(lambda: len(outside.heard) == 2, 10)


def test_a_broken_invariant_withholds_it(database: Database, team: Team, outside: Outside) -> None:
    auditing = Auditing(database, MovableClock(), outside.url)
    _red(database, team)
    with database.transaction() as session:
        session.execute(update(Message).values(state=MessageState.ACCEPTED))
    assert not auditing.audit()
    assert not until(lambda: bool(outside.heard), 1)


def test_no_redirect_is_followed(outside: Outside) -> None:
    outside.status = 302
    assert ping(f"{outside.url}/beat") == 302
    assert outside.heard == ["/beat"]


def test_an_address_that_is_away_harms_nothing(database: Database, team: Team) -> None:
    auditing = Auditing(database, MovableClock(), "http://127.0.0.1:9")
    assert auditing.audit()


def test_a_running_worker_pings_and_a_dead_one_does_not(
    database: Database, team: Team, outside: Outside
) -> None:
    worker = _worker(database, outside.url)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert until(lambda: bool(outside.heard), 20)
    finally:
        worker.stop()
        thread.join(20)
    heard = len(outside.heard)
    _move(database, timedelta(seconds=61))
    with database.reading() as session:
        now = MovableClock().now(session)
        found = {each.trouble for each in alarm_path.of_worker(session, now)}
    assert found == {alarm_path.Trouble.WORKER_SILENT}
    assert len(outside.heard) == heard


# ---- another version


def _set_version(database: Database, version: str) -> None:
    """Migrate, as far as anybody can tell; only the tables' owner may."""
    url = database.engine.url
    address = url if database.is_sqlite else url.set(username=OWNER)
    engine = build_engine(address.render_as_string(hide_password=False), pool_size=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": version})
    engine.dispose()


def test_a_worker_of_another_version_claims_nothing_and_says_so(
    database: Database, team: Team
) -> None:
    _red(database, team)
    _set_version(database, "0001")
    worker = _worker(database)
    assert worker.sender.waiting_lanes() == set()
    assert worker.sender.claim(Lane.ALERT) == []
    _move(database, timedelta(minutes=20))
    assert worker.timers.advance() == 0
    assert worker.asker.ask() == 0
    assert not worker.chores.fits()
    worker.chores.beat()
    with database.reading() as session:
        (beat,) = session.scalars(select(Heartbeat)).all()
        assert beat.note == "version"
        now = MovableClock().now(session)
        found = {each.trouble for each in alarm_path.of_worker(session, now)}
    assert found == {alarm_path.Trouble.WORKER_VERSION}


def test_it_begins_to_work_when_the_versions_meet(database: Database, team: Team) -> None:
    with database.reading() as session:
        newest = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    _red(database, team)
    _set_version(database, "0001")
    worker = _worker(database)
    assert worker.sender.claim(Lane.ALERT) == []
    _set_version(database, newest)
    assert len(worker.sender.claim(Lane.ALERT)) == 1
    worker.chores.beat()
    with database.reading() as session:
        assert session.scalars(select(Heartbeat.note)).one() is None
