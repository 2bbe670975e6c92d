"""Silence and pauses on the care team's pages, and on the alert that silence raised."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.models import AuditEntry, Patient, Role
from patient_portal.services import silence
from patient_portal.words import format_date
from tests.support.doors import an_app, move_clock, post, remembered, signed_in, writing
from tests.support.people import Team, a_member, a_patient, a_site, a_team


@dataclass
class Ward:
    """A clinic with a patient who joined days ago and never checked in."""

    app: Flask
    team: Team
    patient: Patient
    now: datetime

    @property
    def path(self) -> str:
        return f"/staff/patients/{self.patient.id}"

    def get(self, path: str) -> str:
        return signed_in(self.app, self.team.nurse).get(path).text

    def post(self, path: str, page: str, **fields: str) -> TestResponse:
        return post(signed_in(self.app, self.team.nurse), path, fields, page=page)

    def pause(self, first: int, last: int, reason: str = "hospital") -> TestResponse:
        today = self.now.date()
        days = (str(today + timedelta(days=ahead)) for ahead in (first, last))
        fields = dict(zip(("pause_first", "pause_last"), days, strict=True))
        return self.post(f"{self.path}/pause", self.path, pause_reason=reason, **fields)


@pytest.fixture
def ward(database: Database) -> Iterator[Ward]:
    app = an_app(database)
    with writing(app) as (session, now):
        team = a_team(session)
        patient = a_patient(
            session, team.clinic, enrolled_at=now - timedelta(days=5), zone="Etc/GMT",
            first_dose_on=(now - timedelta(days=9)).date(),
        )  # fmt: skip
    yield Ward(app, team, patient, now)
    database.dispose()


SAYS = "running, in window: phone the patient"


def test_a_row_is_read_with_the_level_it_showed(ward: Ward) -> None:
    page = ward.get("/staff/inbox")
    assert SAYS in page and f"{ward.path}/silence/read" in page
    read = f"{ward.path}/silence/read"
    assert ward.post(read, "/staff/inbox", level="watch").status_code == 303
    assert SAYS in ward.get("/staff/inbox")  # it had become worse
    assert ward.post(read, "/staff/inbox", level="urgent").status_code == 303
    assert SAYS not in ward.get("/staff/inbox")
    with writing(ward.app) as (session, _):
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "silence.read")).one()
    assert entry.actor_id == ward.team.nurse.id
    assert ward.post(read, "/staff/inbox", level="loud").status_code == 400


def test_the_alert_says_that_nobody_answered(ward: Ward) -> None:
    with writing(ward.app) as (session, now):
        noon = (now - timedelta(days=1)).replace(hour=12)  # silence pages by day
        alert = silence.page(session, a_site(), ward.patient.clinic_id, ward.patient.id, noon)
        assert alert is not None
        ref = alert.ref
    page = ward.get(f"/staff/alerts/{ref}")
    assert SAYS in page
    assert "No check-in for too long. Alert opened." in page
    assert "Red answer saved" not in page
    assert ref in ward.get("/staff/inbox")


def test_a_pause_is_set_shown_and_ended(ward: Ward) -> None:
    assert ward.pause(0, 6).status_code == 303
    page = ward.get(ward.path)
    assert "Paused from" in page and "In hospital" in page
    assert "Paused until" in ward.get("/staff/patients")
    assert SAYS not in ward.get("/staff/inbox")
    assert ward.post(f"{ward.path}/resume", ward.path).status_code == 303
    assert "Paused from" not in ward.get(ward.path)
    assert "Paused until" not in ward.get("/staff/patients")
    with writing(ward.app) as (session, _):
        query = select(AuditEntry.action).where(AuditEntry.action.like("patient.%ed"))
        assert {"patient.paused", "patient.resumed"} <= set(session.scalars(query))


@pytest.mark.parametrize(
    ("first", "last", "reason", "says"),
    [
        (0, 30, "hospital", "A pause is 30 days at most."),
        (3, 2, "hospital", "The last day is before the first."),
        (-5, -1, "hospital", "This day is over."),
        (0, 2, "bored", "Choose a reason."),
    ],
)
def test_a_pause_that_cannot_be_is_asked_again(
    ward: Ward, first: int, last: int, reason: str, says: str
) -> None:
    page = ward.pause(first, last, reason)
    assert page.status_code == 422
    assert says in page.text
    assert str(ward.now.date() + timedelta(days=first)) in page.text  # as it was typed


def test_who_may_not_pause(ward: Ward) -> None:
    with writing(ward.app) as (session, _):
        auditor = a_member(session, ward.team.clinic, "U. Audit", role=Role.AUDITOR)
    browser = signed_in(ward.app, auditor)
    today = str(ward.now.date())
    fields = {"pause_first": today, "pause_last": today, "pause_reason": "away"}
    assert post(browser, f"{ward.path}/pause", fields, page="/help-now").status_code == 403
    assert "Pause this patient" not in browser.get(ward.path).text
    read = post(browser, f"{ward.path}/silence/read", {"level": "urgent"}, page="/help-now")
    assert read.status_code == 403


def test_the_patients_own_page_says_that_check_ins_are_paused(ward: Ward) -> None:
    says = "Your check-ins are paused until"
    rosa = remembered(ward.app, ward.patient)
    assert says not in rosa.get("/").text
    ward.pause(1, 3)
    assert says not in rosa.get("/").text  # it has not begun
    ward.pause(0, 3)
    page = rosa.get("/").text
    last = format_date(ward.now.date() + timedelta(days=3), "en", "US", "day")
    assert f"{says} {last}. You can still tell us how you are." in page
    assert "You have not checked in yet." not in page and "Start today’s check-in" in page
    assert "hospital" not in page.lower()
    move_clock(ward.app, timedelta(days=4))
    with writing(ward.app) as (session, _):
        after = session.get_one(Patient, ward.patient.id)
        session.expunge(after)
    assert says not in remembered(ward.app, after).get("/").text
