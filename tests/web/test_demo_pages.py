"""The demo's own pages, and that nothing of them is there outside the demo."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from patient_portal.app import create_app
from patient_portal.config import Settings
from patient_portal.database import Database
from patient_portal.demo.seed import seed
from patient_portal.models import (
    Alert,
    InboundText,
    Lane,
    Message,
    MessageKind,
    MessageState,
    Patient,
)
from patient_portal.services import messages, site
from tests.support.running import SECRETS

ROSA = "+12125550123"


def _settings(url: str, *, demo: bool) -> Settings:
    return Settings.from_environment(
        {
            **SECRETS,
            "DATABASE_URL": url,
            "BASE_URL": "http://127.0.0.1:8000",
            "TRUSTED_HOSTS": "localhost",
            "SMS_GATEWAY": "simulator",
        },
        demo=demo,
    )


@pytest.fixture
def app(database: Database, engine_url: str) -> Flask:
    settings = _settings(engine_url, demo=True)
    with database.transaction() as session:
        seed(session, site.site_of(settings), "hash", datetime.now(UTC))
    return create_app(settings, database)


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


def _people(client: FlaskClient) -> list[dict[str, Any]]:
    found = client.get("/demo/people.json").get_json()
    assert isinstance(found, list)
    return found


def _clock(client: FlaskClient) -> datetime:
    moved = client.post("/demo/clock", json={"minutes": 0}).get_json()
    return datetime.fromisoformat(moved["now"])


def test_nothing_of_the_demo_is_there_outside_it(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    client = create_app(_settings(sqlite_url, demo=False), database).test_client()
    for path in ("/demo", "/demo/people.json", "/demo/phones", "/demo/phones.json"):
        assert client.get(path).status_code == 404
    for path in ("/demo/clock", f"/demo/phones/{ROSA}/reply", "/demo/people/staff/n-silva/enter"):
        assert client.post(path).status_code in {400, 404}
    database.dispose()


def test_the_first_page_leads_a_newcomer(client: FlaskClient) -> None:
    page = client.get("/demo")
    assert page.status_code == 200
    for words in ("Enter as N. Silva", "/demo/phones", "Rosa Marin", "DEMO"):
        assert words in page.text


def test_everybody_can_be_entered(client: FlaskClient) -> None:
    people = _people(client)
    assert {"role", "name", "language", "medicine", "phone", "enter"} == set(people[0])
    for one in people:
        fresh = client.application.test_client()
        answer = fresh.post(one["enter"])
        assert answer.status_code == 303
        home = fresh.get(answer.headers["Location"])
        assert home.status_code == 200, one


def test_somebody_unknown_cannot_be_entered(client: FlaskClient) -> None:
    for path in ("patient/nobody", "staff/rosa", "caregiver/n-silva", "ghost/rosa"):
        assert client.post(f"/demo/people/{path}/enter").status_code == 404


def test_phones_show_texts_with_links_that_can_be_followed(client: FlaskClient) -> None:
    page = client.get("/demo/phones").text
    assert "{secret}" not in page
    assert 'href="/c/' in page
    assert page.count('class="demo-phone"') == 3
    assert 'http-equiv="refresh"' in page
    other = client.get("/demo/phones?show=luis&show=samir&pause=1").text
    assert other.count('class="demo-phone"') == 2
    assert 'http-equiv="refresh"' not in other


def test_phones_json_is_newest_first_and_has_links(client: FlaskClient) -> None:
    texts = client.get("/demo/phones.json").get_json()
    assert set(texts[0]) == {"to", "body", "kind", "sent_at", "status"}
    assert [t["sent_at"] for t in texts] == sorted((t["sent_at"] for t in texts), reverse=True)
    assert not [t for t in texts if "{secret}" in t["body"]]
    assert {t["status"] for t in texts} == {"delivered"}


def test_a_text_that_has_not_left_is_on_no_phone(client: FlaskClient, database: Database) -> None:
    now = datetime.now(UTC)
    with database.transaction() as session:
        draft = messages.Draft(
            clinic_id="maple", to_number=ROSA, kind=MessageKind.REPLY,
            lane=Lane.PATIENT, body="still waiting", once_key="test",
            lives_for=timedelta(hours=1),
        )  # fmt: skip
        messages.queue(session, draft, now)
    assert "still waiting" not in client.get("/demo/phones.json").text
    assert "still waiting" not in client.get("/demo/phones").text


def test_a_reply_is_kept_and_answered(client: FlaskClient, database: Database) -> None:
    answer = client.post(f"/demo/phones/{ROSA}/reply", data={"body": "what time is my visit"})
    assert answer.status_code == 303
    assert "what time is my visit" in client.get("/demo/phones").text
    with database.reading() as session:
        kept = session.scalars(select(InboundText)).one()
        assert (kept.from_number, kept.body) == (ROSA, "what time is my visit")
        waits = Message.to_number == ROSA, Message.state == MessageState.DUE
        assert session.scalars(select(Message.kind).where(*waits)).one() is MessageKind.REPLY


def test_a_nurses_phone_offers_what_its_newest_alert_can_be_answered_with(
    client: FlaskClient, database: Database
) -> None:
    client.post(f"/demo/phones/{ROSA}/reply", data={"body": "I cannot breathe"})
    with database.transaction() as session:
        ref = session.scalars(
            select(Alert.ref).where(Alert.patient_id == "rosa").order_by(Alert.opened_at.desc())
        ).first()
        session.execute(
            update(Message)
            .where(Message.state == MessageState.DUE)
            .values(state=MessageState.SENT, accepted_at=Message.created_at)
        )
    page = client.get("/demo/phones?show=n-silva").text
    assert f'value="{ref}"' in page and f'value="{ref} E"' in page
    client.post("/demo/phones/+12125550142/reply", data={"body": ref or ""})
    with database.reading() as session:
        found = session.scalars(select(Alert).where(Alert.ref == ref)).one()
    assert found.taken_by is not None
    # What was asked stands above what was answered.
    page = client.get("/demo/phones?show=rosa").text
    assert page.index("I cannot breathe") < page.index("call 911 NOW")


def test_stop_stops(client: FlaskClient, database: Database) -> None:
    client.post(f"/demo/phones/{ROSA}/reply", data={"body": "STOP"})
    with database.reading() as session:
        assert session.get_one(Patient, "rosa").texts_stopped_at is not None


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        (ROSA, "", 400),
        (ROSA, "  ", 400),
        (ROSA, "x" * 1601, 400),
        ("+12125559999", "hello", 404),
        ("nobody", "hello", 404),
        (ROSA.lstrip("+"), "HELP", 303),
    ],
)
def test_odd_replies(client: FlaskClient, number: str, body: str, status: int) -> None:
    answer = client.post(f"/demo/phones/{number}/reply", data={"body": body})
    assert answer.status_code == status


def test_the_clock_moves_on(client: FlaskClient) -> None:
    before = _clock(client)
    assert client.post("/demo/clock", data={"minutes": "15"}).status_code == 303
    assert timedelta(minutes=15) <= _clock(client) - before < timedelta(minutes=16)


def test_the_clock_moves_to_the_next_morning(client: FlaskClient) -> None:
    client.post("/demo/clock", data={"minutes": "next-morning"})
    assert "9:00 AM" in client.get("/demo/phones").text


@pytest.mark.parametrize("minutes", ["", "-5", "1.5", "soon", "9" * 30, "44641", "٣"])
def test_the_clock_refuses_odd_minutes(client: FlaskClient, minutes: str) -> None:
    before = _clock(client)
    assert client.post("/demo/clock", data={"minutes": minutes}).status_code == 400
    assert _clock(client) - before < timedelta(seconds=30)


def test_the_way_back_stays_on_this_site(client: FlaskClient) -> None:
    answer = client.post("/demo/clock", data={"minutes": "1", "next": "//evil.example/x"})
    assert answer.headers["Location"] == "/"
    there = client.post("/demo/clock", data={"minutes": "1", "next": "/demo/phones?show=luis"})
    assert there.headers["Location"] == "/demo/phones?show=luis"
