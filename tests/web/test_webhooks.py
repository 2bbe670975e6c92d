"""Where the gateway calls us: signature first, nothing lost, nothing told twice."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from patient_portal.app import create_app
from patient_portal.clock import DatabaseClock
from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.models import InboundText, Lane, Message, MessageKind
from patient_portal.services import messages, outcomes
from tests.support.gateway import FakeGateway, sign
from tests.support.people import a_clinic, a_house
from tests.support.processes import settings_for

BASE = "https://portal.example.org"


def _client(database: Database, url: str, **more: str) -> FlaskClient:
    environment = {**FakeGateway().environment(), "BASE_URL": BASE, **more}
    del environment["TWILIO_API_BASE"]
    app = create_app(settings_for(url, environment), database)
    return app.test_client()


@pytest.fixture
def client(database: Database, engine_url: str) -> Iterator[FlaskClient]:
    yield _client(database, engine_url)


@pytest.fixture
def message_id(database: Database) -> str:
    """A text that the gateway took as SM1."""
    with database.transaction() as session:
        clinic = a_clinic(session)
        now = DatabaseClock().now(session)
        draft = messages.Draft(
            clinic.id, "+12125550142", MessageKind.STAFF_ALERT, Lane.ALERT, "x", "one",
            timedelta(hours=1),
        )  # fmt: skip
        messages.queue(session, draft, now)
        claimed = messages.claim_next(session, Lane.ALERT, "w1", now, timedelta(seconds=30))
        assert claimed is not None
        outcomes.record_accepted(session, claimed, "SM1", now)
        return claimed.id


def _post(
    client: FlaskClient, path: str, form: dict[str, str], signature: str | None = "good"
) -> int:
    if signature == "good":
        signature = sign(f"{BASE}{path}", form)
    headers = {} if signature is None else {"X-Twilio-Signature": signature}
    return client.post(path, data=form, headers=headers, base_url=BASE).status_code


def _state(database: Database) -> MessageState:
    with database.reading() as session:
        return session.scalars(select(Message.state)).one()


def _status(sid: str, status: str, code: str = "") -> dict[str, str]:
    form = {"MessageSid": sid, "MessageStatus": status, "To": "+12125550142"}
    return {**form, "ErrorCode": code} if code else form


def test_a_status_is_stored(client: FlaskClient, database: Database, message_id: str) -> None:
    path = f"/twilio/status?message={message_id}"
    assert _post(client, path, _status("SM1", "delivered")) == 204
    assert _state(database) is MessageState.DELIVERED
    assert _post(client, path, _status("SM1", "sent")) == 204
    assert _state(database) is MessageState.DELIVERED


def test_a_lost_text_is_stored_with_its_code(
    client: FlaskClient, database: Database, message_id: str
) -> None:
    path = f"/twilio/status?message={message_id}"
    assert _post(client, path, _status("SM1", "undelivered", "30005")) == 204
    with database.reading() as session:
        row = session.scalars(select(Message)).one()
    assert (row.state, row.error_code) == (MessageState.UNDELIVERED, "30005")


@pytest.mark.parametrize("signature", [None, "", "x", "é" * 28, "A" * 27 + "="])
@pytest.mark.parametrize("path", ["/twilio/status", "/twilio/inbound"])
def test_without_the_gateways_signature_nothing_happens(
    client: FlaskClient, database: Database, message_id: str, path: str, signature: str | None
) -> None:
    form = {**_status("SM1", "delivered"), "From": "+12125550123", "Body": "stop"}
    coded = signature.encode().decode("latin-1") if signature else signature
    assert _post(client, f"{path}?message={message_id}", form, coded) == 403
    assert _state(database) is MessageState.ACCEPTED
    with database.reading() as session:
        assert session.scalars(select(func.count(InboundText.id))).one() == 0


def test_a_changed_query_breaks_the_signature(
    client: FlaskClient, database: Database, message_id: str
) -> None:
    form = _status("SM1", "delivered")
    good = sign(f"{BASE}/twilio/status?message=other", form)
    assert _post(client, f"/twilio/status?message={message_id}", form, good) == 403


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("?message=%00%00", _status("SM1", "sent")),
        ("?message=" + "x" * 500, _status("SM404", "sent")),
        ("", _status("SM404", "delivered")),
        ("?message=a&message=b", _status("SM1", "sent")),
    ],
)
def test_a_text_that_is_not_ours_changes_nothing_and_is_no_error(
    client: FlaskClient, message_id: str, query: str, form: dict[str, str]
) -> None:
    assert _post(client, f"/twilio/status{query}", form) == 204


def test_a_word_we_do_not_know_is_kept(
    client: FlaskClient, database: Database, message_id: str
) -> None:
    assert (
        _post(client, f"/twilio/status?message={message_id}", _status("SM1", "teleported")) == 204
    )
    with database.reading() as session:
        assert session.scalars(select(Message.error_code)).one() == "unknown_status"


@pytest.mark.parametrize("sid", ["", "SM'; DROP", "x" * 41, "SM\x00"])
def test_a_status_without_a_usable_id_is_refused(client: FlaskClient, sid: str) -> None:
    assert _post(client, "/twilio/status", _status(sid, "sent")) == 400


def test_a_status_we_could_not_store_is_told_again(
    client: FlaskClient, database: Database, message_id: str, tmp_path: Path
) -> None:
    path = f"/twilio/status?message={message_id}"
    url = f"sqlite:///{tmp_path / 'without tables.db'}"
    away = Database(url)
    assert _post(_client(away, url), path, _status("SM1", "delivered")) >= 500
    away.dispose()
    assert _post(client, path, _status("SM1", "delivered")) == 204
    assert _state(database) is MessageState.DELIVERED


def test_stop_by_text_reaches_the_record(client: FlaskClient, database: Database) -> None:
    _, patient = a_house(database)
    form = {"MessageSid": "SM9", "From": patient.phone, "To": "+12125550100", "Body": "STOP"}
    for _ in range(2):
        assert _post(client, "/twilio/inbound", form) == 200
    with database.reading() as session:
        assert session.scalars(select(InboundText.handled_as)).all() == ["stop"]
        assert session.get_one(type(patient), patient.id).texts_stopped_at is not None


def test_the_portal_without_the_gateway_has_no_such_pages(
    database: Database, engine_url: str
) -> None:
    app = create_app(settings_for(engine_url), database)
    answer = app.test_client().post("/twilio/status", base_url="http://127.0.0.1:8000")
    assert answer.status_code == 404
