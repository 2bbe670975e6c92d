"""Every route, as everybody: only those a view names get in, and nothing ever answers 500.

The test walks the application's own table of routes, so a new page is tested the day it appears.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.demo.seed import seed
from patient_portal.models import (
    Alert,
    Caregiver,
    CaregiverGrant,
    InboundText,
    LinkKind,
    Patient,
    Shift,
    StaffPhone,
)
from patient_portal.services import checkins, enrolment, inbound
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from patient_portal.services.tokens import secret_for
from patient_portal.web import access
from patient_portal.web.access import Audience, ViewWithoutAudience, audience_of
from tests.support.doors import (
    PEPPER,
    an_app,
    portal_of,
    remembered,
    signed_in,
    token_in,
    writing,
)
from tests.support.people import Team, a_patient, a_team

FORM_KEY = "k" * 22
# Names that no other clinic's people and no stranger may ever read.
PRIVATE = ("Rosalinda", "Marinescu", "5550123", "1957")
# Values for the parts of an address that name something of the first clinic.
OF_THE_CLINIC = (
    "patient_id", "ref", "check_in_id", "staff_id", "message_id", "turn_id", "change_id",
    "phone_id",
)  # fmt: skip
# Pages that not everybody of their audience may open.
OF_LEADS = ("/staff/audit", "/staff/audit.csv")
OF_PATIENTS_ALONE = ("/settings/looks",)


@dataclass
class World:
    """Two clinics, and a browser for everybody who may come."""

    app: Flask
    values: dict[str, str]
    browsers: dict[str, FlaskClient]

    def path(self, rule: Rule) -> str:
        """The rule's address with the first clinic's own values."""
        path = rule.rule
        for name in rule.arguments:
            assert name in self.values, f"say in this test what <{name}> of {rule.rule} may be"
            path = re.sub(rf"<(?:\w+:)?{name}>", self.values[name], path)
        return path


@pytest.fixture(scope="module")
def world(module_engine_url: str) -> Iterator[World]:
    database = Database(module_engine_url)
    app = an_app(database)
    with writing(app) as (session, now):
        seed(session, portal_of(app).site, "no password opens this", now)
        ours, theirs = a_team(session), a_team(session, name="Oak Clinic")
        rosa = a_patient(
            session, ours.clinic, first_name="Rosalinda", last_name="Marinescu", birth_year=1957
        )
        a_patient(session, theirs.clinic, first_name="Samir", last_name="Haddad")
        luis = Caregiver(
            clinic_id=ours.clinic.id, first_name="Luis", phone="+12125550177", language="en",
            created_at=now,
        )  # fmt: skip
        session.add(luis)
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=luis.id, patient_id=rosa.id, scopes=["report"], granted_at=now
            )
        )
        values = _values(app, session, ours, rosa, now)
    browsers = {
        "stranger": app.test_client(),
        "patient": remembered(app, rosa),
        "caregiver": remembered(app, luis),
        "nurse": signed_in(app, ours.nurse),
        "lead": signed_in(app, ours.lead),
        "other nurse": signed_in(app, theirs.nurse),
    }
    yield World(app, values, browsers)
    database.dispose()


def _values(app: Flask, session: Any, ours: Team, rosa: Patient, now: Any) -> dict[str, str]:
    site = portal_of(app).site
    form = Form(rosa, FORM_KEY, Actor("patient", rosa.id, rosa.clinic_id), True)
    step = Step("red-flags", {"red_flags": ["chest_pain"]}, ("red_flags",))
    recorded = checkins.record_answers(session, site, form, step, now)
    link = enrolment.new_link(session, site, rosa, LinkKind.DAILY, now)
    inbound.receive(session, site, "SM1", rosa.phone, "hello", now)
    return {
        "text_id": session.scalars(select(InboundText.id)).one(),
        "token": secret_for(PEPPER, f"link:{link.id}"),
        "patient_id": rosa.id,
        "check_in_id": recorded.check_in_id,
        "ref": session.scalars(select(Alert.ref).where(Alert.patient_id == rosa.id)).one(),
        "staff_id": ours.nurse.id,
        "slug": "breathing",
        "filename": "portal.css",
        "number": "+12125550142",
        "entry_id": "no-such-entry",
        "override_id": "no-such-limit",
        "turn_id": session.scalars(select(Shift.id).where(Shift.staff_id == ours.nurse.id)).first(),
        "change_id": "no-such-change",
        "phone_id": session.scalars(
            select(StaffPhone.id).where(StaffPhone.staff_id == ours.nurse.id)
        ).one(),
        "kind": "staff",
        "who": ours.nurse.id,
    }


def rules(world: World, *wanted: Audience) -> list[Rule]:
    """The routes for these audiences; all of them when none is named."""
    return [
        rule
        for rule in world.app.url_map.iter_rules()
        if not wanted or audience_of(world.app, rule.endpoint) in wanted
    ]


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"OPTIONS"})


def ask(world: World, who: str, rule: Rule, method: str, data: Any = None) -> TestResponse:
    """One request, with a valid form token where one is needed."""
    client, fields = world.browsers[who], dict(data or {})
    if audience_of(world.app, rule.endpoint) is Audience.DEMO:
        client = world.app.test_client()  # "enter" would change who this browser is
    if method not in ("GET", "HEAD"):
        fields["csrf_token"] = token_in(client.get("/help-now"))
    return client.open(world.path(rule), method=method, buffered=True, data=fields or None)


def leads_to(response: TestResponse) -> str:
    return urlsplit(response.headers.get("Location", "")).path


def is_sign_out(rule: Rule) -> bool:
    """Signing out would end the browser's door for the rest of the walk."""
    return rule.rule.endswith("sign-out") or rule.rule.endswith("forget-phones")


def test_staff_pages_let_nobody_else_in(world: World) -> None:
    found = rules(world, Audience.STAFF)
    assert len(found) >= 8
    for rule in found:
        for method in methods(rule):
            for who in ("stranger", "patient", "caregiver"):
                response = ask(world, who, rule, method)
                where = f"{who} {method} {rule.rule}"
                if method == "GET":
                    assert leads_to(response) == "/staff/sign-in", where
                else:
                    assert response.status_code == 403, where
                assert not any(name in response.text for name in PRIVATE), where


def test_another_clinics_things_do_not_exist(world: World) -> None:
    walked = 0
    for rule in rules(world, Audience.STAFF):
        for method in methods(rule):
            if is_sign_out(rule) and "patient_id" not in rule.arguments:
                continue
            response = ask(world, "other nurse", rule, method)
            where = f"{method} {rule.rule}"
            assert not any(name in response.text for name in PRIVATE), where
            if set(rule.arguments) & set(OF_THE_CLINIC):
                walked += 1
                assert response.status_code == 404, where
    assert walked >= 8


def test_staff_of_the_clinic_get_in(world: World) -> None:
    for rule in rules(world, Audience.STAFF):
        if "GET" in methods(rule):
            is_leads = rule.rule in OF_LEADS
            for who, status in (("nurse", 403 if is_leads else 200), ("lead", 200)):
                response = ask(world, who, rule, "GET")
                assert response.status_code == status, f"{who} {rule.rule}: {response.status_code}"


def test_patients_pages_let_only_remembered_phones_in(world: World) -> None:
    found = rules(world, Audience.PATIENT)
    assert found
    for rule in found:
        for method in methods(rule):
            for who in ("stranger", "nurse", "other nurse"):
                response = ask(world, who, rule, method)
                where = f"{who} {method} {rule.rule}"
                if method == "GET":
                    assert leads_to(response) == "/sign-in", where
                else:
                    assert response.status_code == 403, where
            if method == "GET":
                for who in ("patient", "caregiver"):
                    is_kept = who == "caregiver" and rule.rule in OF_PATIENTS_ALONE
                    status = 403 if is_kept else 200
                    assert ask(world, who, rule, "GET").status_code == status, f"{who} {rule.rule}"


def test_public_pages_and_forms_show_a_stranger_nobody(world: World) -> None:
    for rule in rules(world, Audience.PUBLIC, Audience.FORM):
        for who in ("stranger", "nurse", "other nurse"):
            for method in methods(rule):
                if who != "stranger" and is_sign_out(rule):
                    continue
                response = ask(world, who, rule, method, {"form": FORM_KEY})
                where = f"{who} {method} {rule.rule}"
                assert not any(name in response.text for name in PRIVATE), where


def test_the_gateways_address_wants_a_signature_before_anything_else(world: World) -> None:
    found = rules(world, Audience.GATEWAY)
    assert found
    for rule in found:
        for who in world.browsers:
            status = ask(world, who, rule, "POST").status_code
            assert status in (403, 404), f"{who} {rule.rule}"


HOSTILE: tuple[dict[str, Any], ...] = (
    {},
    {"form": "x" * 5000, "red_flags": ["x"] * 50, "next": "//evil.example"},
    {"form": FORM_KEY, "breathlessness": "\x00", "outcome": "\x00", "language": "\x00"},
    {"form": "\x00", "phone": "\x00", "code": "\x00", "email": "\x00", "body": "\x00"},
    {"weight": "NaN", "temperature": "1e999", "recheck_at": "9999-99-99", "minutes": "9" * 40},
)


@pytest.mark.parametrize("who", ["stranger", "patient", "caregiver", "nurse", "other nurse"])
def test_no_route_answers_500_to_anybody(world: World, who: str) -> None:
    for rule in rules(world):
        for method in methods(rule):
            if is_sign_out(rule) or rule.endpoint == "care_team.account.check":
                continue
            for data in HOSTILE if method == "POST" else ({},):
                response = ask(world, who, rule, method, data)
                where = f"{who} {method} {rule.rule} {data}"[:200]
                is_health = rule.endpoint == "health.deep"  # there 503 is the answer
                assert response.status_code < 500 + 4 * is_health, where
                assert response.status_code != 401, where


@pytest.mark.parametrize("who", ["stranger", "nurse"])
def test_made_up_addresses_never_answer_500(world: World, who: str) -> None:
    client = world.browsers[who]
    for rule in rules(world):
        if "GET" not in methods(rule) or not rule.arguments:
            continue
        for value in ("%00", "a" * 2000, "%F0%9F%98%80", "%ff", "..", "' OR 1=1", "<b>"):
            path = re.sub(r"<[^>]+>", value, rule.rule)
            query = {"form": value, "for": value, "lang": value, "link": value}
            response = client.get(path, query_string=query, buffered=True)
            assert response.status_code < 500, path[:120]


def test_no_post_goes_without_its_token(world: World) -> None:
    exempt = (Audience.GATEWAY, Audience.DEMO)
    for rule in rules(world):
        if "POST" not in methods(rule) or audience_of(world.app, rule.endpoint) in exempt:
            continue
        if rule.endpoint == "patient.help_now.choose":  # answers with the help page, whatever comes
            continue
        for who in world.browsers:
            response = world.browsers[who].post(world.path(rule), data={"form": FORM_KEY})
            assert 400 <= response.status_code < 500, f"{who} {rule.rule}"


def test_the_demos_pages_are_not_there_outside_the_demo(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    app = an_app(database, demo=False)
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/demo")]
    assert app.test_client().get("/demo").status_code == 404
    database.dispose()


def test_a_view_that_names_nobody_stops_the_start() -> None:
    app = Flask("bare", static_folder=None)
    app.add_url_rule("/open", "open", lambda: "by oversight")
    with pytest.raises(ViewWithoutAudience):
        access.install(app, access.Viewer)
