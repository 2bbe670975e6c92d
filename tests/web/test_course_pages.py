"""The patient's page: log of medicines and limits, as a browser meets them; both engines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.models import MedicineEvent, Override, Patient, Role, StaffMember
from tests.support.doors import an_app, post, signed_in, writing
from tests.support.people import Team, a_member, a_patient, a_team

# The form of the limits as a browser sends it when nothing was touched.
UNTOUCHED = {
    "limit_weight": "70", "limit_unit": "kg", "limit_fever": "", "limit_window": "",
    "limit_steroid": "no",
}  # fmt: skip


@dataclass
class Ward:
    """A clinic with a patient on day 12 of enasidenib, and the app over it."""

    app: Flask
    team: Team
    patient: Patient
    now: datetime

    @property
    def path(self) -> str:
        return f"/staff/patients/{self.patient.id}"

    def page(self, who: StaffMember) -> str:
        return text_of(signed_in(self.app, who).get(self.path))

    def note(self, who: StaffMember, kind: str, ago: int) -> TestResponse:
        on = (self.now - timedelta(days=ago)).date().isoformat()
        fields = {"medicine_kind": kind, "medicine_on": on}
        return post(signed_in(self.app, who), f"{self.path}/medicines", fields, page=self.path)

    def limits(self, who: StaffMember, **changed: Any) -> TestResponse:
        browser = signed_in(self.app, who)
        fields = {"seen": seen_in(browser.get(self.path)), **UNTOUCHED, **changed}
        return post(browser, f"{self.path}/limits", fields, page=self.path)

    def answer(self, who: StaffMember, act: str) -> TestResponse:
        with writing(self.app) as (session, _):
            row = session.scalars(select(Override).order_by(Override.set_at.desc())).first()
            assert row is not None
            path = f"{self.path}/limits/{row.id}/{act}"
        return post(signed_in(self.app, who), path, page="/help-now")

    def member(self, role: Role) -> StaffMember:
        with writing(self.app) as (session, _):
            return a_member(session, self.team.clinic, f"B. {role}", role=role)


@pytest.fixture
def ward(database: Database) -> Iterator[Ward]:
    app = an_app(database)
    with writing(app) as (session, now):
        team = a_team(session)
        first = (now - timedelta(days=11)).date()
        patient = a_patient(session, team.clinic, first_dose_on=first, zone="UTC")
    yield Ward(app, team, patient, now)


def text_of(page: TestResponse) -> str:
    main = page.text[page.text.index("<main") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def seen_in(page: TestResponse) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]*)"', page.text)
    assert found is not None
    return found[1]


def value_in(page: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, name
    return found[1]


def test_the_page_says_where_the_patient_stands(ward: Ward) -> None:
    page = ward.page(ward.team.nurse)
    assert "Inside the risk window, which ends on day 180." in page
    assert "Nothing entered yet." in page
    assert "Baseline weight 70.0 kg" in page


def test_a_steroid_cut_is_entered_shown_and_taken_back(ward: Ward) -> None:
    assert ward.note(ward.team.nurse, "steroid_reduced", 2).status_code == 303
    page = ward.page(ward.team.nurse)
    assert "Steroid: smaller dose" in page
    assert "a fever may be hidden" in page
    with writing(ward.app) as (session, _):
        entry = session.scalars(select(MedicineEvent.id)).one()
    path = f"{ward.path}/medicines/{entry}/take-back"
    assert "Take back" not in ward.page(ward.team.backup)
    other = post(signed_in(ward.app, ward.team.backup), path, page=ward.path)
    assert other.status_code == 409
    assert "Ask the person who entered it" in other.text
    assert post(signed_in(ward.app, ward.team.nurse), path, page=ward.path).status_code == 303
    page = ward.page(ward.team.nurse)
    assert "Taken back" in page
    assert "a fever may be hidden" not in page


def test_the_page_says_what_keeps_the_window_open(ward: Ward) -> None:
    with writing(ward.app) as (session, now):
        patient = session.get_one(Patient, ward.patient.id)
        patient.first_dose_on = (now - timedelta(days=181)).date()
    assert "After the risk window, which ended on day 180." in ward.page(ward.team.nurse)
    ward.note(ward.team.nurse, "stopped", 3)
    assert "it stays open after the last dose" in ward.page(ward.team.nurse)
    ward.note(ward.team.nurse, "steroid_stopped", 1)
    assert "it is open because a steroid dose went down" in ward.page(ward.team.nurse)


@pytest.mark.parametrize(
    ("kind", "ago", "sentence"),
    [
        ("", 1, "Choose what happened."),
        ("taken_back", 1, "Choose what happened."),
        ("syndrome", -2, "This day has not come yet."),
        ("restarted", 1, "Enter the last dose first."),
        ("stopped", 40, "Enter that one first."),
    ],
)
def test_an_entry_that_cannot_be_is_asked_again_with_what_was_typed(
    ward: Ward, kind: str, ago: int, sentence: str
) -> None:
    page = ward.note(ward.team.nurse, kind, ago)
    assert page.status_code == 422
    assert sentence in page.text
    assert value_in(page, "medicine_on") == (ward.now - timedelta(days=ago)).date().isoformat()
    assert "<title>Error:" in page.text


def test_a_day_that_is_no_day_is_asked_again(ward: Ward) -> None:
    browser = signed_in(ward.app, ward.team.nurse)
    fields = {"medicine_kind": "syndrome", "medicine_on": "4/11"}
    page = post(browser, f"{ward.path}/medicines", fields, page=ward.path)
    assert page.status_code == 422
    assert "Type the day like 2026-04-11." in page.text


def test_a_limit_towards_caution_holds_at_once(ward: Ward) -> None:
    assert ward.limits(ward.team.nurse, limit_fever="37.5").status_code == 303
    page = ward.page(ward.team.nurse)
    assert "Fever counts from 37.5 °C Set by N. Silva" in page
    assert "until a second clinician agrees" not in page


def test_a_limit_away_from_caution_waits_for_a_second_clinician(ward: Ward) -> None:
    assert ward.limits(ward.team.nurse, limit_window="10").status_code == 303
    page = ward.page(ward.team.nurse)
    assert "It has no effect until a second clinician agrees." in page
    assert "which ends on day 180" in page
    assert "I agree" not in page
    assert ward.answer(ward.team.nurse, "approve").status_code == 403
    assert "I agree" in ward.page(ward.team.physician)
    assert ward.answer(ward.team.physician, "approve").status_code == 303
    page = ward.page(ward.team.nurse)
    assert "After the risk window, which ended on day 10." in page
    assert "Set by N. Silva, agreed by A. Osei" in page
    assert ward.answer(ward.team.lead, "approve").status_code == 409


def test_nobody_agrees_to_a_limit_of_their_own(ward: Ward) -> None:
    ward.limits(ward.team.physician, limit_window="10")
    assert "I agree" not in ward.page(ward.team.physician)
    page = ward.answer(ward.team.physician, "approve")
    assert page.status_code == 409
    assert "Another clinician must agree" in page.text
    assert ward.answer(ward.team.physician, "decline").status_code == 303
    assert "until a second clinician agrees" not in ward.page(ward.team.nurse)


def test_values_that_cannot_be_right_are_asked_again_with_all_that_was_typed(ward: Ward) -> None:
    page = ward.limits(
        ward.team.nurse, limit_weight="720", limit_window="soon", limit_usual=["cough"]
    )
    assert page.status_code == 422
    assert "A weight is between 25 and 300 kg. You typed 720." in page.text
    assert "Type a day of treatment from 1 to 3660, like 60." in page.text
    assert (value_in(page, "limit_weight"), value_in(page, "limit_window")) == ("720", "soon")
    assert re.search(r'value="cough" checked', page.text)
    with writing(ward.app) as (session, _):
        assert session.scalars(select(Override)).all() == []


def test_a_form_from_before_a_colleagues_change_is_not_believed(ward: Ward) -> None:
    old = seen_in(signed_in(ward.app, ward.team.nurse).get(ward.path))
    ward.limits(ward.team.backup, limit_fever="37.5")
    page = ward.limits(ward.team.nurse, seen=old, limit_window="200")
    assert page.status_code == 409
    assert "Somebody changed these limits while you typed." in page.text
    assert value_in(page, "limit_window") == "200"
    assert "Fever counts from 37.5 °C" in text_of(page)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_read_and_do_not_write(ward: Ward, role: Role) -> None:
    ward.note(ward.team.nurse, "syndrome", 2)
    ward.limits(ward.team.nurse, limit_window="10")
    who = ward.member(role)
    page = ward.page(who)
    assert "Differentiation syndrome" in page
    for button in ("Add to the log", "Save the limits", "Take back", "I agree", "Do not use it"):
        assert button not in page
    assert ward.answer(who, "approve").status_code == 403
    assert ward.answer(who, "decline").status_code == 403
    browser = signed_in(ward.app, who)
    for act in ("medicines", "limits"):
        assert post(browser, f"{ward.path}/{act}", page="/help-now").status_code == 403


def test_another_clinics_patient_does_not_exist(ward: Ward) -> None:
    with writing(ward.app) as (session, _):
        theirs = a_team(session, name="Oak Clinic")
    browser: FlaskClient = signed_in(ward.app, theirs.physician)
    assert browser.get(ward.path).status_code == 404
    ward.limits(ward.team.nurse, limit_window="10")
    for act in ("medicines", "limits", "medicines/x/take-back"):
        assert post(browser, f"{ward.path}/{act}", page="/help-now").status_code == 404
    assert ward.answer(theirs.physician, "approve").status_code == 404
