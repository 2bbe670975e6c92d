"""The whole worker, running: fast, fair, and out in good order."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from patient_portal.clock import DatabaseClock, MovableClock
from patient_portal.database import Database, new_id
from patient_portal.domain.delivery import MessageState
from patient_portal.models import Heartbeat, Lane, Message, MessageKind, Patient
from patient_portal.services import messages
from patient_portal.services.messages import Draft
from patient_portal.sms.gateway import Gateway, Outgoing, Receipt, SendError
from patient_portal.sms.simulator import Simulator
from patient_portal.worker import Worker, loop
from patient_portal.worker.loop import Meter
from tests.support.people import a_clinic, a_patient, a_site
from tests.support.processes import until


@pytest.fixture
def clinic_id(database: Database) -> str:
    with database.transaction() as session:
        return a_clinic(session).id


@contextmanager
def _running(database: Database, gateway: Gateway, **more: float) -> Iterator[Worker]:
    worker = Worker(database, MovableClock(), a_site(), gateway, **more)  # type: ignore[arg-type]
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()


def _queue(
    database: Database, clinic_id: str, count: int = 1, lane: Lane = Lane.ALERT, to: str = "+1212"
) -> None:
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        for _ in range(count):
            draft = Draft(
                clinic_id, to, MessageKind.REMINDER if lane is Lane.REMINDER
                else MessageKind.STAFF_ALERT, lane, "x", new_id(), timedelta(hours=1),
            )  # fmt: skip
            messages.queue(session, draft, now)


def _count(database: Database, state: MessageState, lane: Lane = Lane.ALERT) -> int:
    with database.reading() as session:
        return session.scalars(
            select(func.count(Message.id)).where(Message.state == state, Message.lane == lane)
        ).one()


def test_a_text_leaves_within_a_moment_of_its_commit(database: Database, clinic_id: str) -> None:
    simulator = Simulator()
    with _running(database, simulator):
        time.sleep(1.5)  # the worker is at rest
        took = []
        for _ in range(5):
            before = len(simulator.sent)
            began = time.monotonic()
            _queue(database, clinic_id)
            assert until(lambda before=before: len(simulator.sent) > before, 5)  # type: ignore[misc]
            took.append(time.monotonic() - began)
        assert sorted(took)[2] < 1.0, took
        assert until(lambda: _count(database, MessageState.DELIVERED) == 5)


def test_postgresql_calls_the_worker(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOOK_EVERY_ON_POSTGRESQL", 60.0)
    database, simulator = Database(postgres_url), Simulator()
    with database.transaction() as session:
        clinic_id = a_clinic(session).id
    with _running(database, simulator):
        time.sleep(1.5)  # the worker has looked, listens, and would look again in a minute
        _queue(database, clinic_id)
        assert until(lambda: bool(simulator.sent), 10)
    database.dispose()


def test_two_workers_send_each_text_once(database: Database, clinic_id: str) -> None:
    first, second = Simulator(), Simulator()
    _queue(database, clinic_id, 60)
    other = Database(database.engine.url.render_as_string(hide_password=False))
    with _running(database, first), _running(other, second):
        assert until(lambda: _count(database, MessageState.DELIVERED) == 60)
    sent = [text.message_id for text in (*first.sent, *second.sent)]
    assert len(sent) == len(set(sent)) == 60
    other.dispose()


class _Hanging(Simulator):
    """Hangs for one number until released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.asked = 0

    def send(self, text: Outgoing) -> Receipt:
        self.asked += 1
        if text.to == "+1hang":
            self.released.wait(20)
            raise SendError("hung")
        return super().send(text)


def test_an_alert_passes_reminders_hangers_and_poison(database: Database, clinic_id: str) -> None:
    gateway = _Hanging()
    _queue(database, clinic_id, 300, Lane.REMINDER)
    _queue(database, clinic_id, 2, to="+1hang")
    _queue(database, clinic_id, 2, Lane.REMINDER, to="+1hang")
    with _running(database, gateway, reminders_a_second=5.0):
        time.sleep(0.5)
        began = time.monotonic()
        _queue(database, clinic_id, to="+1nurse")
        assert until(lambda: any(text.to == "+1nurse" for text in gateway.sent), 5)
        assert time.monotonic() - began < 2
        gateway.released.set()
    assert 0 < len(gateway.sent) < 60  # reminders are metered


def test_the_end_waits_for_what_is_on_its_way(database: Database, clinic_id: str) -> None:
    gateway = _Hanging()
    _queue(database, clinic_id, to="+1hang")
    with _running(database, gateway) as worker:
        assert until(lambda: _count(database, MessageState.SENDING) == 1)
        worker.stop()
        gateway.released.set()
    assert _count(database, MessageState.SENDING) == 0
    assert _count(database, MessageState.DUE) == 1


def test_as_many_as_there_are_places_are_claimed_together(
    database: Database, clinic_id: str
) -> None:
    gateway = _Hanging()
    places = loop.PLACES[Lane.ALERT]
    _queue(database, clinic_id, places + 2, to="+1hang")
    with _running(database, gateway):
        assert until(lambda: _count(database, MessageState.SENDING) == places)
        time.sleep(0.3)
        assert _count(database, MessageState.DUE) == 2  # wait for a place
        with database.reading() as session:
            of_lease = select(Message.lease_until).where(Message.state == MessageState.SENDING)
            assert len(set(session.scalars(of_lease))) == 1  # one transaction for all of them
        gateway.released.set()
        assert until(lambda: gateway.asked == places + 2)


def test_texts_behind_a_hanging_one_are_left_to_come_back(
    database: Database, clinic_id: str
) -> None:
    gateway = _Hanging()
    _queue(database, clinic_id, 1, Lane.REMINDER, to="+1hang")
    _queue(database, clinic_id, 4, Lane.REMINDER)
    with _running(database, gateway, lease_seconds=3, reminders_a_second=50.0) as worker:
        worker._meter._seen -= 60
        assert until(lambda: _count(database, MessageState.SENDING, Lane.REMINDER) == 5)
        time.sleep(0.7)
        gateway.released.set()
        assert until(lambda: len(gateway.sent) == 4)
    assert len({text.message_id for text in gateway.sent}) == 4


def test_signs_of_life_and_chores(database: Database, clinic_id: str) -> None:
    with database.transaction() as session:
        from patient_portal.models import Clinic

        patient = a_patient(session, session.get_one(Clinic, clinic_id))
    with _running(database, Simulator()) as worker:

        def is_planned() -> bool:
            with database.reading() as session:
                return session.get_one(Patient, patient.id).reminder_due_at is not None

        assert until(is_planned)
        with database.reading() as session:
            beat = session.scalars(select(Heartbeat)).one()
            now = DatabaseClock().now(session)
        assert beat.worker == worker.name
        assert now - beat.beat_at < timedelta(seconds=15)


def test_a_moved_clock_brings_the_reminder(database: Database, clinic_id: str) -> None:
    clock = MovableClock()
    with database.transaction() as session:
        from patient_portal.models import Clinic

        patient = a_patient(session, session.get_one(Clinic, clinic_id))
    simulator = Simulator()
    worker = Worker(database, clock, a_site(), simulator, name="w1")
    worker.chores.plan()
    with database.transaction() as session:
        due = session.get_one(Patient, patient.id).reminder_due_at
        assert due is not None
        clock.move(session, due - clock.now(session) + timedelta(minutes=1))
    with _running(database, simulator):
        assert until(lambda: bool(simulator.sent))
    (text,) = simulator.sent
    assert text.to == "+12125550123"
    assert "/c/" in text.body and "{secret}" not in text.body


def test_a_failing_chore_stops_no_other(
    database: Database, clinic_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise ZeroDivisionError

    worker = Worker(database, MovableClock(), a_site(), Simulator(), name="w1")
    ran = threading.Event()
    monkeypatch.setattr(worker.chores, "remind", fail)
    monkeypatch.setattr(worker.chores, "sweep", ran.set)
    fail.__name__ = "remind"
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert ran.wait(10)
    _queue(database, clinic_id)
    assert until(lambda: _count(database, MessageState.DELIVERED) == 1)
    worker.stop()
    thread.join(20)


def test_a_meter_lets_through_what_it_says() -> None:
    meter = Meter(2.0)
    assert meter.room() == 1
    meter.take(1)
    assert meter.room() == 0
    time.sleep(0.6)
    assert meter.room() == 1
    meter._seen -= 60
    assert meter.room() == 10
