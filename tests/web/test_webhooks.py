"""Where the gateway calls us: signature first, nothing lost, nothing told twice."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from patient_portal.app import create_app
from patient_portal.clock import DatabaseClock
from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    InboundText,
    Lane,
    Message,
    MessageKind,
)
from patient_portal.services import messages, outcomes
from tests.support.alerts import an_alert, an_alert_text
from tests.support.gateway import ACCOUNT, TOKEN, FakeGateway, sign
from tests.support.people import a_clinic, a_house
from tests.support.postgres import Cluster
from tests.support.processes import settings_for

BASE = "https://portal.example.org"


def _client(database: Database, url: str, **more: str) -> FlaskClient:
    environment = {**FakeGateway().environment(), "BASE_URL": BASE, "DRILL_AT": "", **more}
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


def _row(database: Database) -> Message:
    with database.reading() as session:
        return session.scalars(select(Message)).one()


def test_the_same_status_a_hundred_times_is_one_change(
    client: FlaskClient, database: Database
) -> None:
    message_id = _an_alerts_text(database)
    path = f"/twilio/status?message={message_id}"
    for _ in range(100):
        assert _post(client, path, _status("SM1", "undelivered", "30005")) == 204
    with database.reading() as session:
        marked = select(func.count(AuditEntry.id)).where(AuditEntry.action == "staff.phone_bad")
        assert session.scalars(marked).one() == 1
        by_kind = session.execute(select(Message.kind, func.count()).group_by(Message.kind))
        assert {kind: count for kind, count in by_kind} == {
            MessageKind.STAFF_ALERT: 1, MessageKind.STAFF_ALARM: 1,
        }  # fmt: skip


@pytest.mark.parametrize(
    "order", list(permutations(["queued", "sent", "delivered", "undelivered"]))[::5]
)
def test_any_order_ends_delivered(
    client: FlaskClient, database: Database, message_id: str, order: tuple[str, ...]
) -> None:
    for word in order:
        code = "30003" if word == "undelivered" else ""
        assert _post(client, f"/twilio/status?message={message_id}", _status("SM1", word, code))
    assert _row(database).state is MessageState.DELIVERED
    assert _row(database).error_code is None


def test_a_status_that_is_faster_than_our_own_note(
    client: FlaskClient, database: Database, message_id: str
) -> None:
    with database.transaction() as session:
        row = session.scalars(select(Message)).one()
        row.state, row.gateway_id, row.accepted_at = MessageState.SENDING, None, None
        row.lease_until = row.created_at + timedelta(seconds=30)
    assert _post(client, f"/twilio/status?message={message_id}", _status("SM7", "delivered")) == 204
    row = _row(database)
    assert (row.state, row.gateway_id) == (MessageState.DELIVERED, "SM7")
    assert row.accepted_at is not None


def test_word_that_comes_three_days_late_opens_nothing_again(
    client: FlaskClient, database: Database
) -> None:
    message_id = _an_alerts_text(database)
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alert.state, alert.next_action_at = AlertState.CLOSED, None
        row = session.get_one(Message, message_id)
        for name in ("created_at", "due_at", "accepted_at", "expires_at"):
            setattr(row, name, getattr(row, name) - timedelta(days=3))
    path = f"/twilio/status?message={message_id}"
    assert _post(client, path, _status("SM1", "undelivered", "30003")) == 204
    with database.reading() as session:
        assert session.get_one(Message, message_id).state is MessageState.UNDELIVERED
        alert = session.scalars(select(Alert)).one()
        assert (alert.state, alert.next_action_at) == (AlertState.CLOSED, None)
        assert session.scalars(select(func.count(Message.id))).one() == 1


def test_word_about_another_account_is_refused(
    client: FlaskClient, database: Database, message_id: str
) -> None:
    path = f"/twilio/status?message={message_id}"
    ours, other = (
        {**_status("SM1", "delivered"), "AccountSid": sid} for sid in (ACCOUNT, "AC" + "1" * 32)
    )
    assert _post(client, path, other) == 403
    inbound = {"MessageSid": "SM2", "From": "+12125550123", "Body": "stop", **other}
    assert _post(client, "/twilio/inbound", inbound) == 403
    assert _state(database) is MessageState.ACCEPTED
    assert _post(client, path, ours) == 204
    assert _state(database) is MessageState.DELIVERED


def test_the_new_and_the_old_token_both_count(
    database: Database, engine_url: str, message_id: str
) -> None:
    client = _client(
        database, engine_url, TWILIO_AUTH_TOKEN="the new token", TWILIO_AUTH_TOKEN_PREVIOUS=TOKEN
    )
    path = f"/twilio/status?message={message_id}"
    for word, token in (("sent", TOKEN), ("delivered", "the new token")):
        form = _status("SM1", word)
        assert _post(client, path, form, sign(f"{BASE}{path}", form, token)) == 204
        assert _state(database).value == word
    form = _status("SM1", "failed")
    assert _post(client, path, form, sign(f"{BASE}{path}", form, "a third one")) == 403


@pytest.mark.parametrize("path", ["/twilio/status", "/twilio/inbound"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"MessageSid": "SM1", "MessageStatus": "delivered"}'),
        ("text/plain", b"MessageSid=SM1"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=\x00&&&%zz"),
        ("", b"\x00" * 100),
        ("application/x-www-form-urlencoded", b""),
    ],
)
def test_bodies_that_are_no_form(
    client: FlaskClient, database: Database, message_id: str, path: str, kind: str, body: bytes
) -> None:
    unsigned = client.post(path, data=body, content_type=kind, base_url=BASE)
    assert unsigned.status_code == 403
    # Signed over an empty form, as some other service of the same account might.
    headers = {"X-Twilio-Signature": sign(f"{BASE}{path}", {})}
    signed = client.post(path, data=body, content_type=kind, headers=headers, base_url=BASE)
    assert signed.status_code in {400, 403}
    assert _state(database) is MessageState.ACCEPTED


def test_a_megabyte_is_not_read(client: FlaskClient, database: Database, message_id: str) -> None:
    form = {**_status("SM1", "delivered"), "Body": "x" * 2**20}
    assert _post(client, f"/twilio/status?message={message_id}", form) == 413
    assert _state(database) is MessageState.ACCEPTED


def test_nul_in_every_value(client: FlaskClient, database: Database, message_id: str) -> None:
    form = {
        "MessageSid": "SM1", "MessageStatus": "sent\x00", "ErrorCode": "\x00", "To": "\x00",
    }  # fmt: skip
    assert _post(client, f"/twilio/status?message={message_id}", form) == 204
    inbound = {
        "MessageSid": "SM2", "From": "+1\x00212", "Body": "a\x00b", "OptOutType": "\x00",
    }  # fmt: skip
    assert _post(client, "/twilio/inbound", inbound) == 200
    with database.reading() as session:
        kept = session.scalars(select(InboundText)).one()
    assert (kept.from_number, kept.body) == ("+1212", "ab")
    assert _post(client, "/twilio/inbound", {**inbound, "From": "\x00"}) == 400


def test_a_flood_of_false_signatures_never_reaches_the_database(
    client: FlaskClient, database: Database, message_id: str
) -> None:
    asked: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, _p, _x, _m: asked.append(statement),
    )
    for number in range(50):
        form = {"MessageSid": f"SM{number}", "From": "+12125550123", "Body": "stop"}
        for path in ("/twilio/status", "/twilio/inbound"):
            assert _post(client, path, form, "A" * 27 + "=") == 403
    assert not asked


def test_a_database_that_is_away_is_told_so(
    database: Database, message_id: str, cluster: Cluster
) -> None:
    """The gateway tells us again, or we ask it: nothing that we did not keep is called kept."""
    url = cluster.url("no such database")
    away = Database(url)
    client = _client(away, url)
    assert _post(client, f"/twilio/status?message={message_id}", _status("SM1", "sent")) >= 500
    inbound = {"MessageSid": "SM2", "From": "+12125550123", "Body": "help"}
    assert _post(client, "/twilio/inbound", inbound) >= 500
    away.dispose()


def _an_alerts_text(database: Database) -> str:
    """The text of an open alert to the nurse, taken by the gateway as SM1."""
    team, patient = a_house(database)
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        an_alert_text(session, an_alert(session, patient, now), team.nurse, now)
        claimed = messages.claim_next(session, Lane.ALERT, "w1", now, timedelta(seconds=30))
        assert claimed is not None
        outcomes.record_accepted(session, claimed, "SM1", now)
        return claimed.id


def _inbound(sid: str, sender: str, body: str, **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "From": sender, "To": "+12125550100", "Body": body, **more}


def test_an_alert_is_taken_through_the_door(client: FlaskClient, database: Database) -> None:
    """Signature, door, answer: and the webhook's own answer stays empty."""
    _, patient = a_house(database)
    form = _inbound("SM1", patient.phone, "I cannot breathe")
    assert _post(client, "/twilio/inbound", form) == 200
    with database.reading() as session:
        ref = session.scalars(select(Alert.ref)).one()
    take = _inbound("SM2", "+12125550142", f"take {ref.lower()}")
    signed = {"X-Twilio-Signature": sign(f"{BASE}/twilio/inbound", take)}
    answer = client.post("/twilio/inbound", data=take, headers=signed, base_url=BASE)
    assert answer.text.endswith("<Response></Response>")
    with database.reading() as session:
        assert session.scalars(select(Alert.state)).one() is AlertState.TAKEN
    # The same words from the same number, signed by nobody, take nothing.
    forged = _inbound("SM3", "+12125550142", ref)
    assert _post(client, "/twilio/inbound", forged, "A" * 27 + "=") == 403


def test_our_own_numbers_are_never_answered(client: FlaskClient, database: Database) -> None:
    _, patient = a_house(database)
    form = _inbound("SM1", patient.phone, "I cannot breathe")
    assert _post(client, "/twilio/inbound", {**form, "To": patient.phone}) == 200
    with database.reading() as session:
        assert session.scalars(select(InboundText.handled_as)).one() == "own_number"
        assert session.scalars(select(func.count(Message.id))).one() == 0
