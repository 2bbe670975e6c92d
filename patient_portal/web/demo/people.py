"""The people of the demo, and a button to come in as each of them."""

from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from patient_portal.demo import cast
from patient_portal.demo.people import Kind, Somebody, everybody
from patient_portal.domain.protocol import UNKNOWN_DRUG
from patient_portal.models import Caregiver, Patient, StaffMember
from patient_portal.services import accounts, courses, sign_in
from patient_portal.web import doors
from patient_portal.web.access import Audience, audience
from patient_portal.web.context import portal, reading, writing
from patient_portal.words import own_name, tag

blueprint = Blueprint("people", __name__)


@blueprint.get("")
@audience(Audience.DEMO)
def show() -> str:
    """What to do in the first minute, and everybody."""
    with reading() as (session, now):
        people = everybody(session)
        patients = session.query(Patient).filter_by(clinic_id=cast.CLINIC_ID)
        days = courses.days_of(
            session,
            [courses.Taking(one.id, one.first_dose_on, one.zone, one.drug) for one in patients],
            now,
        )
    return render_template(
        "demo/people.html",
        people=people,
        days=days,
        drug_name=_drug_name,
        own_name=own_name,
        language_tag=tag,
        password=cast.PASSWORD,
        staff=[one for one in people if one.kind is Kind.STAFF],
        others=[one for one in people if one.kind is not Kind.STAFF],
    )


@blueprint.get("/people.json")
@audience(Audience.DEMO)
def as_json() -> Response:
    """Everybody, for a program: post to ``enter`` to come in as that person."""
    with reading() as (session, _now):
        return jsonify([_entry(one) for one in everybody(session)])


def _entry(one: Somebody) -> dict[str, Any]:
    return {
        "role": one.role,
        "name": one.name,
        "language": one.language,
        "medicine": one.medicine,
        "phone": one.phone,
        "enter": url_for(".enter", kind=one.kind.value, who=one.id),
    }


def _person(session: Session, kind: str, who: str) -> Patient | Caregiver | StaffMember | None:
    match kind:
        case Kind.PATIENT:
            return session.get(Patient, who)
        case Kind.CAREGIVER:
            return session.get(Caregiver, who)
        case Kind.STAFF:
            return session.get(StaffMember, who)
    return None


@blueprint.post("/people/<kind>/<who>/enter")
@audience(Audience.DEMO)
def enter(kind: str, who: str) -> BaseResponse:
    """Come in as this person in this browser, as if their phone or password had been proven."""
    with writing() as (session, now):
        person = _person(session, kind, who)
        if person is None or person.clinic_id != cast.CLINIC_ID:
            abort(404)
        if isinstance(person, StaffMember):
            if person.disabled_at is not None:
                abort(404)
            token = accounts.open_session(session, person.id, now)
        else:
            token = sign_in.remember(session, person, now)
    if kind == Kind.STAFF:
        response = redirect(url_for("care_team.inbox.show"), 303)
        doors.let_staff_in(response, token)
    else:
        response = redirect(url_for("patient.home.show"), 303)
        doors.remember_phone(response, token, is_shared=False)
    return response


def _drug_name(code: str) -> str:
    """A medicine's English name; empty when nobody knows which one it is."""
    return "" if code == UNKNOWN_DRUG else portal().site.protocol.drug(code).name
