"""The audit log as lead and auditor read it, refusals that are kept, and who looked."""

import csv
import io
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from patient_portal.models import AuditEntry, Clinic, Patient, Role, StaffMember
from patient_portal.services import audit_reading
from patient_portal.services.audit import SYSTEM, Actor, record
from tests.support.doors import move_clock, post, remembered, signed_in, writing
from tests.support.house import ROSA, House, a_signing_nurse, staff_signs_in
from tests.support.people import a_member, a_patient, a_team


def the(house: House, role: Role, name: str = "R. Eader") -> StaffMember:
    with writing(house.app) as (session, _now):
        return a_member(session, house.team.clinic, name, phone=None, role=role)


def entries(house: House, action: str) -> list[AuditEntry]:
    with house.database.reading() as session:
        found = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        rows = list(session.scalars(found))
        session.expunge_all()
        return rows


def lines(page: str) -> list[str]:
    """The texts of the table's rows."""
    body = page.split("<tbody>", 1)[1].split("</tbody>", 1)[0] if "<tbody>" in page else ""
    return [row for row in body.split("<tr>") if row.strip()]


@pytest.mark.parametrize("role", list(Role))
def test_only_lead_and_auditor_read_it(house: House, role: Role) -> None:
    browser = signed_in(house.app, the(house, role))
    may = role in (Role.LEAD, Role.AUDITOR)
    for path in ("/staff/audit", "/staff/audit.csv"):
        assert browser.get(path).status_code == (200 if may else 403)
    assert ("Audit log" in browser.get("/staff/inbox").text) == may
    refused = entries(house, "act.refused")
    assert [row.detail["page"] for row in refused] == (
        [] if may else ["care_team.audit.show", "care_team.audit.take"]
    )


def test_a_look_at_a_patient_and_at_the_log_are_in_it(house: House) -> None:
    nurse = signed_in(house.app, house.team.nurse)
    nurse.get(f"/staff/patients/{house.rosa.id}")
    nurse.get("/staff/patients")
    page = signed_in(house.app, the(house, Role.AUDITOR)).get("/staff/audit").text
    rows = lines(page)
    assert "Read this log" in rows[0] and "R. Eader" in rows[0]
    assert any(
        "N. Silva" in row and "Opened a patient&#39;s record" in row and "Marin, Rosa" in row
        for row in rows
    )
    assert any("N. Silva" in row and "Opened the list of patients" in row for row in rows)


def test_filters_narrow_it_and_go_on_to_the_older_ones(house: House) -> None:
    with writing(house.app) as (session, now):
        wei = a_patient(session, house.team.clinic, first_name="Wei", phone="+12125550190")
        for number in range(120):
            who, whom = (house.team.nurse, house.rosa) if number % 2 else (house.team.lead, wei)
            at = now - timedelta(days=3 if number < 60 else 0)
            actor = Actor("staff", who.id, who.clinic_id)
            record(session, actor, "patient.viewed", "patient", whom.id, now=at)
    browser = signed_in(house.app, house.team.lead)

    def found(query: str) -> list[str]:
        return lines(browser.get(f"/staff/audit?{query}").text)

    assert len(found("")) == 50
    only = found(f"person={house.team.nurse.id}")
    assert len(only) == 50 and all("N. Silva" in row for row in only)
    wei_only = found(f"patient={wei.id}")
    assert len(wei_only) == 50 and all("Marin, Wei" in row for row in wei_only)
    then = (now_of(house) - timedelta(days=3)).date()
    assert len(found(f"patient={wei.id}&day={then}")) == 30
    assert found(f"patient={wei.id}&day=2001-01-01") == []
    assert all("Read this log" in row for row in found("action=audit.read"))
    page, seen = browser.get("/staff/audit?action=patient.viewed").text, 50
    while "Older entries" in page:
        link = page.split("before=", 1)[1].split('"', 1)[0].replace("&amp;", "&")
        page = browser.get(f"/staff/audit?before={link}").text
        seen += len(lines(page))
    assert seen == 120
    assert "Newest entries" in page


def now_of(house: House) -> datetime:
    with writing(house.app) as (_session, now):
        return now


@pytest.mark.parametrize(
    "query",
    [
        "person=%00", "patient=../../x", "action=%F0%9F%98%80", "day=", "before=-1",
        "before=9999999999999999999999", "before=%D9%A1", "person=a&person=b", "x=" + "y" * 5000,
    ],
)  # fmt: skip
def test_odd_filters_filter_nothing(house: House, query: str) -> None:
    browser = signed_in(house.app, house.team.lead)
    browser.get("/staff/patients")
    assert browser.get(f"/staff/audit?{query}").status_code == 200
    assert browser.get(f"/staff/audit.csv?{query}").status_code == 200


@pytest.mark.parametrize("day", ["4/11", "2026-02-30", "0001-01-01", "9999-12-31", "20261120", "x"])
def test_an_odd_day_is_asked_again(house: House, day: str) -> None:
    browser = signed_in(house.app, house.team.lead)
    page = browser.get("/staff/audit", query_string={"day": day})
    assert page.status_code == 422 and "Choose a day, or leave it empty." in page.text
    assert browser.get("/staff/audit.csv", query_string={"day": day}).status_code == 400


def test_another_clinics_rows_and_names_are_not_there(house: House) -> None:
    with writing(house.app) as (session, now):
        other = a_team(session, name="Birch Clinic")
        theirs = a_patient(session, other.clinic, first_name="Olga", last_name="Petrova")
        actor = Actor("staff", other.nurse.id, other.clinic.id)
        record(session, actor, "patient.viewed", "patient", theirs.id, now=now)
        # An act of ours that names a row of theirs shows no name of theirs.
        mine = Actor("staff", house.team.nurse.id, house.team.clinic.id)
        record(session, mine, "act.refused", "patient", theirs.id, now=now, patient_id=theirs.id)
        record(session, SYSTEM, "demo.seeded", "clinic", None, now=now)
    page = signed_in(house.app, house.team.lead).get("/staff/audit").text
    assert "Tried something that was refused" in page
    for private in ("Petrova", "Olga", theirs.id, "The demo was filled"):
        assert private not in page


def test_a_copy_holds_no_formula_and_is_noted(house: House) -> None:
    with writing(house.app) as (session, now):
        session.get_one(Patient, house.rosa.id).last_name = "=HYPERLINK(1)"
        actor = Actor("patient", house.rosa.id, house.team.clinic.id)
        record(session, actor, "check_in.sent", "patient", house.rosa.id, now=now)
    browser = signed_in(house.app, house.team.lead)
    answer = browser.get(f"/staff/audit.csv?patient={house.rosa.id}")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["Number", "Time", "Who"]
    assert rows[1][2] == "'=HYPERLINK(1), Rosa"
    (taken,) = entries(house, "audit.exported")
    assert taken.actor_id == house.team.lead.id
    assert taken.detail == {"rows": 1, "patient": house.rosa.id}


# ---- refusals


def test_a_foreign_patient_is_refused_and_that_is_kept(house: House) -> None:
    with writing(house.app) as (session, _now):
        theirs = a_patient(session, a_team(session, name="Birch Clinic").clinic)
    browser = signed_in(house.app, house.team.nurse)
    assert browser.get(f"/staff/patients/{theirs.id}").status_code == 404
    (row,) = entries(house, "act.refused")
    assert (row.actor_id, row.clinic_id) == (house.team.nurse.id, house.team.clinic.id)
    assert row.detail == {
        "code": 404, "page": "care_team.patients.one", "patient_id": theirs.id,
    }  # fmt: skip


def test_an_act_that_a_role_may_not_do_is_kept(house: House) -> None:
    browser = signed_in(house.app, the(house, Role.AUDITOR))
    answer = post(browser, "/staff/alerts/K7Q3M/take", {}, page="/staff/inbox")
    assert answer.status_code == 403
    (row,) = entries(house, "act.refused")
    assert row.detail == {"code": 403, "page": "care_team.alerts.take", "ref": "K7Q3M"}


def test_strangers_and_pages_that_do_not_exist_fill_nothing(house: House) -> None:
    stranger: FlaskClient = house.app.test_client()
    stranger.get("/staff/patients/x")
    stranger.post("/staff/patients/x/invite")
    signed_in(house.app, house.team.nurse).get("/no-such-page")
    assert entries(house, "act.refused") == []


@pytest.mark.parametrize("is_known", [True, False])
def test_a_wrong_code_is_kept_whether_the_number_is_known_or_not(
    house: House, is_known: bool
) -> None:
    phone = house.app.test_client()
    number = ROSA if is_known else "+12125550111"
    post(phone, "/sign-in", {"phone": number})
    for tries in range(1, 4):
        answer = post(phone, "/sign-in/code", {"code": "000000", "birth_year": "1959"})
        assert answer.status_code == 422
        kept = entries(house, "code.refused")
        assert len(kept) == tries
        assert kept[-1].clinic_id == (house.team.clinic.id if is_known else None)
        assert kept[-1].detail == {"why": "code"}
    assert number not in str([row.subject_id for row in kept])


def test_a_failed_sign_in_of_staff_is_kept(house: House) -> None:
    berg = a_signing_nurse(house)
    browser = house.app.test_client()
    for password in ("wrong horse battery staple", "x"):
        assert staff_signs_in(browser, password).status_code == 422
    assert [row.subject_id for row in entries(house, "staff.sign_in_failed")] == [berg.id] * 2


# ---- who looked


def test_a_patient_sees_who_looked_by_name_and_day(house: House) -> None:
    nurse = signed_in(house.app, house.team.nurse)
    for _ in range(3):
        nurse.get(f"/staff/patients/{house.rosa.id}")
    signed_in(house.app, house.team.lead).get(f"/staff/patients/{house.rosa.id}")
    with writing(house.app) as (session, now):
        other = a_patient(session, house.team.clinic, first_name="Wei", phone="+12125550190")
        backup = house.team.backup
        actor = Actor("staff", backup.id, backup.clinic_id)
        record(session, actor, "patient.viewed", "patient", other.id, now=now)
    phone = remembered(house.app, house.rosa)
    assert "/settings/looks" in phone.get("/settings").text
    page = phone.get("/settings/looks").text
    assert "N. Silva" in page and "Opened 3 times that day." in page
    assert page.index("L. Brandt") < page.index("N. Silva")
    assert "J. Park" not in page


def test_a_remembered_phone_alone_may_not_see_it(house: House) -> None:
    signed_in(house.app, house.team.nurse).get(f"/staff/patients/{house.rosa.id}")
    shared = remembered(house.app, house.rosa, shared=True)
    assert "N. Silva" not in shared.get("/settings/looks").text
    phone = remembered(house.app, house.rosa)
    assert "N. Silva" in phone.get("/settings/looks").text
    move_clock(house.app, timedelta(minutes=21))
    page = phone.get("/settings/looks")
    assert "N. Silva" not in page.text and "Sign in with a code" in page.text


def test_a_helper_may_not_see_it(house: House) -> None:
    helper = remembered(house.app, house.helper())
    assert helper.get("/settings/looks").status_code == 403
    assert "/settings/looks" not in helper.get("/settings").text


def test_looks_are_those_of_the_days_in_the_patients_zone(house: House) -> None:
    with writing(house.app) as (session, now):
        clinic = session.get_one(Clinic, house.team.clinic.id)
        actor = Actor("staff", house.team.nurse.id, clinic.id)
        rosa = session.get_one(Patient, house.rosa.id)
        for hours in (0, 24, 48):
            at = now - timedelta(hours=hours)
            record(session, actor, "patient.viewed", "patient", rosa.id, now=at)
    with house.database.reading() as session:
        looks = audit_reading.looks_at(session, session.get_one(Patient, house.rosa.id))
    assert [look.times for look in looks] == [1, 1, 1]
