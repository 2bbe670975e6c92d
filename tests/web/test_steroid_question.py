"""The weekly question on the phone, and what the care team reads of it; both engines."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patient_portal.database import Database
from patient_portal.domain.steroid import SteroidTablets
from patient_portal.models import CheckInState, Patient
from tests.support import doors
from tests.support.check_in import WELL, Filler, check_ins
from tests.support.people import Team, a_house

QUESTION = "Do you take steroid tablets?"


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


@pytest.fixture
def app(database: Database, house: tuple[Team, Patient]) -> Flask:
    return doors.an_app(database)


@pytest.fixture
def rosa(app: Flask, house: tuple[Team, Patient]) -> FlaskClient:
    """The phone of somebody who joined four weeks ago."""
    with doors.writing(app) as (session, now):
        session.get_one(Patient, house[1].id).enrolled_at = now - timedelta(days=28)
    return doors.remembered(app, house[1])


def answered(form: Filler, *answers: dict[str, Any]) -> list[str]:
    """The pages that come, one for each answer."""
    seen = []
    for given in answers:
        form.answer(**given)
        seen.append(form.slug)
    return seen


def test_it_comes_once_a_week_at_the_end(rosa: FlaskClient, app: Flask, database: Database) -> None:
    form = Filler(rosa)
    assert answered(form, *WELL[:-1])[-1] == "steroid"
    assert form.last is not None and QUESTION in form.last.text
    assert form.answer(steroid="none").status_code == 200
    assert form.slug == "send"
    assert "No steroid tablets" in form.last.text
    assert "There are no warning signs" in form.answer(send="yes").text
    for _ in range(6):
        doors.move_clock(app, timedelta(days=1))
        rosa = doors.remembered(app, _patient(app))
        ordinary = Filler(rosa)
        assert "steroid" not in answered(ordinary, *WELL)
    doors.move_clock(app, timedelta(days=1))
    again = Filler(doors.remembered(app, _patient(app)))
    assert answered(again, *WELL[:-1])[-1] == "steroid"
    assert [one.steroid for one in check_ins(database)] == [SteroidTablets.NONE, *[None] * 7]


def _patient(app: Flask) -> Patient:
    with doors.writing(app) as (session, _):
        patient = session.query(Patient).one()
        session.expunge(patient)
    return patient


def test_a_well_day_has_twelve_taps(rosa: FlaskClient, app: Flask, house: Any) -> None:
    """Seven pages; two numbers are tapped as whole and tenth, and the pill question continues."""
    with doors.writing(app) as (session, now):
        session.get_one(Patient, house[1].id).enrolled_at = now - timedelta(days=3)
    form = Filler(rosa)
    pages = ["red-flags", *answered(form, *WELL)][:-1]
    assert pages == ["red-flags", "breathing", "swelling", "other", "temperature", "weight", "send"]


def test_it_must_be_answered_and_can_be_changed(rosa: FlaskClient, database: Database) -> None:
    form = Filler(rosa)
    answered(form, *WELL[:-1])
    for given in ({}, {"steroid": "lots"}, {"steroid": ["none", "same"]}):
        page = form.answer(**given)
        assert page.status_code == 422 and "Choose one answer." in page.text
    refused = form.answer("send", send="yes")
    assert refused.status_code == 422 and "Not answered yet" in refused.text
    form.open(form.address)
    form.answer("steroid", steroid="same")
    assert form.slug == "send"
    changed = form.answer("steroid", steroid="less")
    assert "Yes, but less than before" in changed.text
    form.answer("send", send="yes")
    (kept,) = check_ins(database)
    assert (kept.state, kept.steroid) == (CheckInState.SENT, SteroidTablets.LESS)


def test_the_result_says_what_to_watch_after_a_smaller_dose(rosa: FlaskClient) -> None:
    form = Filler(rosa)
    answered(form, *WELL[:-1])
    form.answer(steroid="less")
    assert "Your steroid dose went down." in form.answer(send="yes").text


def test_the_team_reads_who_told_it(
    rosa: FlaskClient, app: Flask, house: tuple[Team, Patient]
) -> None:
    form = Filler(rosa)
    answered(form, *WELL[:-1])
    form.answer(steroid="less")
    form.answer("steroid", steroid="none")
    team, patient = house
    page = doors.signed_in(app, team.nurse).get(f"/staff/patients/{patient.id}").text
    assert "Steroid: smaller dose" in page
    assert "Says: no steroid tablets. Please ask." in page
    assert page.count("Told by the patient in a check-in") == 2
    assert "a fever may be hidden" in page
