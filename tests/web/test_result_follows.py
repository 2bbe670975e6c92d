"""The patient's page follows the alert: a level that others raise, a ladder that starts over."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from patient_portal.database import Database
from patient_portal.models import (
    Alert,
    Caregiver,
    CaregiverGrant,
    Message,
    MessageKind,
    MessageState,
    Patient,
    StaffMember,
)
from patient_portal.services import alerts, ladder
from tests.support import doors
from tests.support.check_in import WELL, Filler, check_ins
from tests.support.people import NOON, Team, a_house, a_site


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


@pytest.fixture
def app(database: Database, house: tuple[Team, Patient]) -> Flask:
    return doors.an_app(database)


@pytest.fixture
def rosa(app: Flask, house: tuple[Team, Patient]) -> FlaskClient:
    return doors.remembered(app, house[1])


@pytest.fixture
def luis(app: Flask, house: tuple[Team, Patient]) -> FlaskClient:
    """Somebody who helps Rosa."""
    team, patient = house
    with doors.writing(app) as (session, _):
        luis = Caregiver(
            clinic_id=team.clinic.id, first_name="Luis", phone="+12125550177", language="en",
            created_at=NOON,
        )  # fmt: skip
        session.add(luis)
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=luis.id, patient_id=patient.id, scopes=["report"], granted_at=NOON
            )
        )
    return doors.remembered(app, luis)


def result(client: FlaskClient, database: Database, number: int = 0) -> str:
    page = client.get(f"/check-in/result/{check_ins(database)[number].id}")
    assert page.status_code == 200
    return page.text


def told(database: Database, kind: MessageKind = MessageKind.CALL_NOW) -> list[Message]:
    with database.reading() as session:
        return list(session.scalars(select(Message).where(Message.kind == kind)))


def in_clinic(app: Flask, do: str, by: StaffMember) -> None:
    with doors.writing(app) as (session, now):
        alert = session.scalars(select(Alert)).one()
        if do == "take":
            alerts.take(session, alert, by, now)
        else:
            alerts.release(session, alert, by, a_site(), now)


def minutes_pass(app: Flask, minutes: int) -> None:
    """Texts reach their phones, time passes, and the clock does its part."""
    with doors.writing(app) as (session, now):
        session.execute(
            update(Message).values(
                state=MessageState.DELIVERED, accepted_at=now, delivered_at=now, gateway_id="SM1"
            )
        )
    doors.move_clock(app, timedelta(minutes=minutes))
    with doors.writing(app) as (session, now):
        ladder.advance(session, a_site(), now)


def helper_taps_emergency(luis: FlaskClient, patient: Patient) -> None:
    page = Filler(luis, f"/check-in?for={patient.id}").answer(red_flags="chest_pain")
    assert "Call 911 now" in page.text


def test_an_open_page_follows_a_level_that_somebody_else_raised(
    rosa: FlaskClient, luis: FlaskClient, house: tuple[Team, Patient], database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer(red_flags="none")
    filler.answer(breathlessness="moderate_exertion")
    before = result(rosa, database)
    assert "Call your care team now" in before
    assert 'data-level="urgent"' in before
    assert not told(database)
    helper_taps_emergency(luis, house[1])
    after = result(rosa, database)
    assert "Call 911 now" in after
    assert 'data-level="emergency"' in after
    (text,) = told(database)
    assert text.to_number == house[1].phone
    assert "Call 911 now" in text.body


def test_a_calm_page_follows_it_too(
    rosa: FlaskClient, luis: FlaskClient, house: tuple[Team, Patient], database: Database
) -> None:
    Filler(rosa).answer_all(*WELL)
    assert "There are no warning signs" in result(rosa, database)
    helper_taps_emergency(luis, house[1])
    assert "Call 911 now" in result(rosa, database)
    assert len(told(database)) == 1


def test_who_raised_it_is_not_texted_what_the_page_says(
    rosa: FlaskClient, database: Database
) -> None:
    Filler(rosa).answer(red_flags="chest_pain")
    assert not told(database)


def test_nobody_took_it_then_somebody_then_nobody_again(
    app: Flask, rosa: FlaskClient, house: tuple[Team, Patient], database: Database
) -> None:
    Filler(rosa).answer(red_flags="chest_pain")
    minutes_pass(app, 5)
    assert "Nobody has taken it yet. Call 911 now." in result(rosa, database)
    (text,) = told(database)
    assert "nobody on our team has answered yet" in text.body
    in_clinic(app, "take", house[0].nurse)
    page = result(rosa, database)
    assert "N. Silva" in page
    assert "Nobody has taken it yet" not in page
    assert "data-watched" in page  # it may be given back
    in_clinic(app, "release", house[0].nurse)
    page = result(rosa, database)
    assert "N. Silva" not in page
    minutes_pass(app, 5)
    assert "Nobody has taken it yet. Call 911 now." in result(rosa, database)
    assert len(told(database)) == 2
