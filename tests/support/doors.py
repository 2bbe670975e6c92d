"""The web application over a test database, and browsers that come to its doors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from patient_portal.app import create_app
from patient_portal.clock import MovableClock
from patient_portal.config import Settings
from patient_portal.database import Database
from patient_portal.models import Caregiver, Message, Patient, StaffMember
from patient_portal.services import accounts, devices
from patient_portal.services.tokens import secret_for
from patient_portal.web.context import Portal

PEPPER = "a pepper for tests, 32 characters"
PASSWORD = "correct horse battery staple"


def an_app(database: Database, **values: Any) -> Flask:
    """The application as in the demo (its clock can be moved), or as ``values`` say."""
    settings = Settings(
        **{
            "database_url": database.engine.url.render_as_string(hide_password=False),
            "secret_key": "a secret key for tests, 32 characters",
            "pepper": PEPPER,
            "base_url": "http://localhost",
            "sms_gateway": "simulator",
            "demo": True,
            **values,
        }
    )
    return create_app(settings, database)


def portal_of(app: Flask) -> Portal:
    """The parts that the application was wired from."""
    found = app.extensions["portal"]
    assert isinstance(found, Portal)
    return found


@contextmanager
def writing(app: Flask) -> Iterator[tuple[Session, datetime]]:
    """A transaction with the application's own present moment."""
    parts = portal_of(app)
    with parts.database.transaction() as session:
        yield session, parts.clock.now(session)


def move_clock(app: Flask, by: timedelta) -> None:
    """Let time pass."""
    clock = portal_of(app).clock
    assert isinstance(clock, MovableClock)
    with portal_of(app).database.transaction() as session:
        clock.move(session, by)


def token_in(page: TestResponse) -> str:
    """The hidden form token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None, page.text[:400]
    return found[1]


def post(client: FlaskClient, path: str, data: Any = None, *, page: str = "") -> TestResponse:
    """Post a form as a browser does: with the token of the page it stands on."""
    fields = {"csrf_token": token_in(client.get(page or path)), **(data or {})}
    return client.post(path, data=fields)


def remembered(app: Flask, person: Patient | Caregiver, *, shared: bool = False) -> FlaskClient:
    """The browser of a phone that is remembered."""
    with writing(app) as (session, now):
        token = devices.remember(session, person, now, is_shared=shared)
    client = app.test_client()
    client.set_cookie("dev", token)
    return client


def signed_in(app: Flask, staff: StaffMember) -> FlaskClient:
    """The browser of a member of staff who is signed in."""
    with writing(app) as (session, now):
        token = accounts.open_session(session, staff.id, now)
    client = app.test_client()
    client.set_cookie("staff", token)
    return client


def texts_to(app: Flask, number: str) -> list[Message]:
    """The texts to a number, oldest first."""
    with portal_of(app).database.reading() as session:
        found = list(
            session.scalars(
                select(Message).where(Message.to_number == number).order_by(Message.created_at)
            )
        )
        session.expunge_all()
    return found


def secret_in(message: Message) -> str:
    """The link token or code that the worker would put into this text."""
    assert message.secret_of is not None
    return secret_for(PEPPER, message.secret_of)


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.reading() as session:
        return {
            table: [tuple(row) for row in session.execute(text(f'SELECT * FROM "{table}"'))]  # noqa: S608
            for table in sorted(inspect(database.engine).get_table_names())
        }


def counts(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    return {table: len(rows) for table, rows in dump(database).items()}
