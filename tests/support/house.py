"""A running application with a clinic, its team and one patient, and how to read its answers."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.models import (
    Caregiver,
    CaregiverGrant,
    LinkKind,
    MessageKind,
    Patient,
    Role,
    StaffMember,
)
from patient_portal.services import enrolment
from patient_portal.services.accounts import hash_password
from patient_portal.services.tokens import secret_for
from tests.support.doors import (
    PASSWORD,
    PEPPER,
    an_app,
    portal_of,
    post,
    secret_in,
    texts_to,
    writing,
)
from tests.support.people import Team, a_member, a_patient, a_team

ROSA = "+12125550123"
WEI = "+12125550190"
HASH = hash_password(PASSWORD)


class House:
    """A running application with a clinic, its team and one patient."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.app: Flask = an_app(database)
        with writing(self.app) as (session, _now):
            self.team: Team = a_team(session)
            self.rosa: Patient = a_patient(session, self.team.clinic)

    def link(self, kind: LinkKind, patient: Patient | None = None) -> str:
        """The path of a fresh link."""
        with writing(self.app) as (session, now):
            site = portal_of(self.app).site
            link = enrolment.new_link(session, site, patient or self.rosa, kind, now)
            return "/c/" + secret_for(PEPPER, f"link:{link.id}")

    def newcomer(self, **values: Any) -> Patient:
        """A patient who was entered and has not started."""
        with writing(self.app) as (session, _now):
            return a_patient(
                session,
                self.team.clinic,
                **{"first_name": "Wei", "phone": WEI, "enrolled_at": None, **values},
            )

    def helper(self) -> Caregiver:
        """Luis, who reports for Rosa."""
        with writing(self.app) as (session, now):
            luis = Caregiver(
                clinic_id=self.team.clinic.id, first_name="Luis", phone="+12125550177",
                language="en", created_at=now,
            )  # fmt: skip
            session.add(luis)
            session.flush()
            session.add(
                CaregiverGrant(
                    caregiver_id=luis.id, patient_id=self.rosa.id, scopes=["report"],
                    granted_at=now,
                )
            )  # fmt: skip
            return luis

    def code(self, number: str) -> str:
        """The code in the newest text to a number."""
        return secret_in([t for t in texts_to(self.app, number) if t.kind is MessageKind.CODE][-1])

    def stored(self, patient: Patient) -> Patient:
        """The patient's row as it is now."""
        with self.database.reading() as session:
            found = session.get_one(Patient, patient.id)
            session.expunge_all()
            return found


def cookies(response: TestResponse) -> dict[str, str]:
    """Each cookie that an answer sets, with its attributes."""
    return {line.split("=", 1)[0]: line for line in response.headers.getlist("Set-Cookie")}


def place(response: TestResponse) -> str:
    """Where an answer sends the browser."""
    return urlsplit(response.headers["Location"]).path


def a_signing_nurse(house: House, role: Role = Role.NURSE) -> StaffMember:
    with writing(house.app) as (session, _now):
        return a_member(
            session, house.team.clinic, "K. Berg", email="berg@maple.example",
            password_hash=HASH, role=role,
        )  # fmt: skip


def staff_signs_in(client: FlaskClient, password: str = PASSWORD, **fields: str) -> TestResponse:
    data = {"email": "berg@maple.example", "password": password, **fields}
    return post(client, "/staff/sign-in", data)
