"""One text's way out: what the worker holds while it waits, and what it notes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from patient_portal.clock import DatabaseClock
from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.models import Lane, Message, MessageKind
from patient_portal.services import messages
from patient_portal.services.messages import Draft
from patient_portal.sms.choice import gateway_of
from patient_portal.sms.gateway import Gateway, OutcomeUnknown, Outgoing, Receipt, SendError
from patient_portal.sms.simulator import Simulator
from patient_portal.worker import Worker
from tests.support.gateway import FakeGateway, running_gateway
from tests.support.people import a_clinic, a_site
from tests.support.processes import settings_for

NUMBER = "+12125550142"


@pytest.fixture
def clinic_id(database: Database) -> str:
    with database.transaction() as session:
        return a_clinic(session).id


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with running_gateway() as gateway:
        yield gateway


def _worker(database: Database, gateway: Gateway) -> Worker:
    return Worker(database, DatabaseClock(), a_site(), gateway, name="w1")


def _queue(
    database: Database,
    clinic_id: str,
    lane: Lane = Lane.ALERT,
    key: str = "one",
    secret_of: str | None = None,
) -> None:
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        draft = Draft(
            clinic_id, NUMBER, MessageKind.STAFF_ALERT, lane, "Maple: ALERT {secret}", key,
            timedelta(hours=1), secret_of=secret_of,
        )  # fmt: skip
        messages.queue(session, draft, now)


def _send_one(worker: Worker, lane: Lane = Lane.ALERT) -> None:
    (claimed,) = worker.sender.claim(lane)
    worker.sender.send(claimed)


def _row(database: Database) -> Message:
    with database.reading() as session:
        return session.scalars(select(Message)).one()


def test_an_accepted_text_is_noted_with_the_gateways_id(database: Database, clinic_id: str) -> None:
    _queue(database, clinic_id)
    simulator = Simulator(delivers=False)
    _send_one(_worker(database, simulator))
    row = _row(database)
    assert (row.state, row.attempts) == (MessageState.ACCEPTED, 1)
    assert row.gateway_id is not None and row.accepted_at is not None
    assert [text.to for text in simulator.sent] == [NUMBER]


def test_the_simulator_delivers_at_once(database: Database, clinic_id: str) -> None:
    _queue(database, clinic_id)
    _send_one(_worker(database, Simulator()))
    assert _row(database).state is MessageState.DELIVERED
    assert _row(database).delivered_at is not None


def test_no_connection_is_held_while_the_gateway_is_asked(
    database: Database, clinic_id: str
) -> None:
    held = []

    class Watching(Simulator):
        def send(self, text: Outgoing) -> Receipt:
            held.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
            return super().send(text)

    _queue(database, clinic_id)
    _send_one(_worker(database, Watching()))
    assert held == [0]


@pytest.mark.parametrize(
    ("error", "lane", "state"),
    [
        (SendError("20429"), Lane.ALERT, MessageState.DUE),
        (SendError("20429"), Lane.REMINDER, MessageState.DUE),
        (SendError("21610"), Lane.ALERT, MessageState.FAILED),
        (OutcomeUnknown("ReadTimeout"), Lane.ALERT, MessageState.DUE),
        (OutcomeUnknown("ReadTimeout"), Lane.PATIENT, MessageState.DUE),
        # A reminder that may have arrived is looked for before it is sent again.
        (OutcomeUnknown("ReadTimeout"), Lane.REMINDER, MessageState.DUE),
    ],
)
def test_what_a_failure_means_depends_on_the_lane(
    database: Database, clinic_id: str, error: SendError, lane: Lane, state: MessageState
) -> None:
    _queue(database, clinic_id, lane)
    _send_one(_worker(database, Simulator({NUMBER: error})), lane)
    row = _row(database)
    assert (row.state, row.error_code) == (state, error.code)


def test_a_row_that_cannot_be_rendered_ends_in_its_own_row(
    database: Database, clinic_id: str
) -> None:
    _queue(database, clinic_id, secret_of="moon:1")
    worker = _worker(database, Simulator())
    _send_one(worker)
    row = _row(database)
    assert (row.state, row.error_code) == (MessageState.DUE, "ValueError")
    assert not worker.sender.claim(Lane.ALERT)  # it waits its turn and blocks nobody


def test_through_the_real_client_to_a_real_server(
    database: Database, clinic_id: str, fake: FakeGateway
) -> None:
    _queue(database, clinic_id)
    settings = settings_for("sqlite:///unused", fake.environment())
    _send_one(_worker(database, gateway_of(settings)))
    row = _row(database)
    assert (row.state, row.gateway_id) == (MessageState.ACCEPTED, fake.ledger[0].sid)
    assert fake.ledger[0].form["StatusCallback"].endswith(f"?message={row.id}")
