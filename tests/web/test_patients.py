"""The clinic's list of patients, and one patient's page."""

from dataclasses import replace
from datetime import timedelta

import pytest

from patient_portal.models import Clinic, Lane, Message, MessageKind, MessageState, Patient
from patient_portal.services import opt_out
from tests.support.doors import (
    dump,
    post,
    remembered,
    signed_in,
    texts_to,
    writing,
)
from tests.support.house import ROSA, House, place
from tests.support.people import a_patient, a_team


def test_the_list_shows_the_clinics_patients_and_no_others(house: House) -> None:
    with writing(house.app) as (session, _now):
        other = a_team(session, name="Oak Clinic")
        theirs = a_patient(session, other.clinic, first_name="Samir", last_name="Haddad")
    page = signed_in(house.app, house.team.nurse).get("/staff/patients")
    assert "Marin, Rosa" in page.text
    assert "Haddad" not in page.text
    client = signed_in(house.app, house.team.nurse)
    assert client.get(f"/staff/patients/{house.rosa.id}").status_code == 200
    assert client.get(f"/staff/patients/{theirs.id}").status_code == 404
    for act in ("invite", "forget-phones"):
        path = f"/staff/patients/{theirs.id}/{act}"
        assert post(client, path, page="/staff/patients/new").status_code == 404


def test_a_made_up_patient_is_404(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    for made_up in ("x", "%00", "a" * 16, "a" * 3000, "..", "' OR 1=1"):
        assert client.get(f"/staff/patients/{made_up}").status_code == 404, made_up


def test_a_look_at_a_patient_is_on_the_record(house: House) -> None:
    signed_in(house.app, house.team.nurse).get(f"/staff/patients/{house.rosa.id}")
    rows = [row for row in dump(house.database)["audit_entry"] if "patient.viewed" in row]
    assert len(rows) == 1
    assert house.team.nurse.id in rows[0]


def test_a_lost_phone_is_forgotten_by_the_team(house: House) -> None:
    phone = remembered(house.app, house.rosa)
    assert phone.get("/settings").status_code == 200
    path = f"/staff/patients/{house.rosa.id}"
    client = signed_in(house.app, house.team.nurse)
    assert post(client, f"{path}/forget-phones", page=path).status_code == 303
    assert place(phone.get("/settings")) == "/sign-in"


def test_an_invitation_can_be_sent_again_but_not_in_a_hurry(house: House) -> None:
    path = f"/staff/patients/{house.rosa.id}"
    client = signed_in(house.app, house.team.nurse)
    assert post(client, f"{path}/invite", page=path).status_code == 303
    again = post(client, f"{path}/invite", page=path)
    assert again.status_code == 429
    assert "Please wait" in again.text
    assert len(texts_to(house.app, ROSA)) == 1


def test_a_zone_that_this_machine_does_not_know_breaks_no_page(house: House) -> None:
    with writing(house.app) as (session, _now):
        session.get_one(Patient, house.rosa.id).zone = "Mars/Base"
        session.get_one(Clinic, house.team.clinic.id).zone = "../../etc"
    client = signed_in(house.app, house.team.nurse)
    path = f"/staff/patients/{house.rosa.id}"
    assert client.get(path).status_code == 200
    assert client.get("/staff/patients").status_code == 200
    assert client.get("/staff/patients/new").status_code == 200
    fields = {"kind": "stopped", "on_date": "2026-11-01"}
    assert post(client, f"{path}/medicines", fields, page=path).status_code < 500


def test_a_phone_that_stopped_texts_is_shown_with_the_way_back(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    assert "Texts stopped" not in client.get("/staff/patients").text
    with writing(house.app) as (session, now):
        opt_out.stop_number(session, house.rosa.phone, now, code="21610")
    assert "Texts stopped" in client.get("/staff/patients").text
    page = client.get(f"/staff/patients/{house.rosa.id}").text
    assert "answered STOP" in page
    assert "they text START to the number our texts come from" in page
    portal = house.app.extensions["portal"]
    house.app.extensions["portal"] = replace(
        portal, site=replace(portal.site, texts_from="+12125550100")
    )
    page = client.get(f"/staff/patients/{house.rosa.id}").text
    assert 'they text START to <bdi class="num" dir="ltr">(212) 555-0100</bdi>.' in page


@pytest.mark.parametrize(("code", "shown"), [("30005", True), ("30003", False), ("21610", False)])
def test_a_number_that_no_text_reaches_is_shown(house: House, code: str, shown: bool) -> None:
    with writing(house.app) as (session, now):
        for number, state in enumerate((MessageState.DELIVERED, MessageState.UNDELIVERED)):
            at = now + timedelta(seconds=number)
            text = Message(
                clinic_id=house.team.clinic.id, kind=MessageKind.REMINDER, lane=Lane.REMINDER,
                to_number=house.rosa.phone, patient_id=house.rosa.id, body="x",
                once_key=f"x{number}", state=state, due_at=at, expires_at=at, created_at=at,
                error_code=code if number else None,
            )  # fmt: skip
            session.add(text)
    client = signed_in(house.app, house.team.nurse)
    page = client.get(f"/staff/patients/{house.rosa.id}").text
    assert ("texts cannot reach this number" in page) is shown
