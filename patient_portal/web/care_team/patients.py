"""The clinic's patients: the list, one person's page, and how a new one is invited."""

import re
from typing import Any
from zoneinfo import available_timezones

from babel.core import get_global
from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from patient_portal.database import new_id
from patient_portal.domain.new_patient import usual_items
from patient_portal.domain.places import PLACES
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import Clinic, Role, StaffMember
from patient_portal.services import accounts, devices, enrolment, patients, reach
from patient_portal.sms import texts
from patient_portal.sms.segments import count
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.care_team import showing
from patient_portal.web.care_team.course_form import LimitsForm, MedicineForm
from patient_portal.web.care_team.course_sheet import sheet_for
from patient_portal.web.care_team.invite_form import InviteForm
from patient_portal.web.care_team.pause_form import PauseForm, pause_sheet
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words, language_choices
from patient_portal.web.page import country_name
from patient_portal.words import Words, tag

blueprint = Blueprint("patients", __name__)

_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")
MAY_INVITE = frozenset({Role.NURSE, Role.PHYSICIAN, Role.LEAD, Role.ADMINISTRATOR})
_ZONES = frozenset(zone for zone in available_timezones() if "/" in zone)
_SECRET_STANDS_FOR = "x" * 22  # as long as a link's token, so that the parts are counted right


def _me(*, may_invite: bool = False) -> StaffMember:
    staff = viewer().staff
    if staff is None or (may_invite and staff.role not in MAY_INVITE):
        abort(403)
    return staff


@blueprint.get("/patients")
@audience(Audience.STAFF)
def show() -> Response:
    """The list; that it was opened is kept on the record."""
    me = _me()
    with writing() as (db, now):
        rows = patients.list_of_clinic(db, me.clinic_id, now)
        patients.note_list(db, accounts.actor_of(me), len(rows), now)
        clinic = db.get_one(Clinic, me.clinic_id)
        db.flush()
        db.expunge_all()
    return _page("care_team/patients.html", 200, rows=rows, clinic=clinic, me=me)


@blueprint.get("/patients/<patient_id>")
@audience(Audience.STAFF)
def one(patient_id: str) -> Response:
    """One patient's page; that it was looked at is kept on the record."""
    return record_page(patient_id, 200)


def record_page(
    patient_id: str,
    status: int,
    problem: str = "",
    medicine: MedicineForm | None = None,
    limits: LimitsForm | None = None,
    pause: PauseForm | None = None,
) -> Response:
    """One patient's page, with a problem or with forms as they were typed."""
    me = _me()
    with writing() as (db, now):
        patient = patient_of(db, me, patient_id)
        patients.note_look(db, patient, accounts.actor_of(me), now)
    with reading() as (db, now):
        patient = patient_of(db, me, patient_id)
        values: dict[str, Any] = {
            "patient": patient,
            "clinic": patients.clinic_of(db, patient),
            "check_ins": patients.check_ins_of(db, patient),
            "texts": patients.texts_of(db, patient),
            "is_unreachable": reach.is_unreachable(db, patient.phone),
            "devices": devices.devices_of(db, patient, now),
            "sheet": sheet_for(db, patient, me, now, medicine, limits),
            "pause": pause_sheet(patient, me, now, pause),
        }
        db.expunge_all()
    values["errors"] = {**values["sheet"].errors, **values["pause"].form.errors}
    values["drug"] = showing.drug_name(patient.drug)
    values["language"] = showing.language_name(patient.language)
    values["texts_from"] = portal().site.texts_from
    values["may_invite"] = me.role in MAY_INVITE
    return _page("care_team/patient.html", status, problem=problem, **values)


def patient_of(db: Any, me: StaffMember, patient_id: str) -> Any:
    """The patient, if the clinic has them; else the page does not exist."""
    if not _ID.fullmatch(patient_id):
        abort(404)
    try:
        return patients.of_clinic(db, me.clinic_id, patient_id)
    except patients.NoSuchPatient:
        abort(404)


@blueprint.post("/patients/<patient_id>/invite")
@audience(Audience.STAFF)
def invite_again(patient_id: str) -> Response:
    """Text a fresh invitation."""
    me = _me(may_invite=True)
    try:
        with writing() as (db, now):
            patient = patient_of(db, me, patient_id)
            enrolment.invite_again(db, portal().site, patient, accounts.actor_of(me), now)
    except enrolment.TooManyTexts:
        sentence = current_words().message(
            "An invitation was sent a moment ago. Please wait before you send another."
        )
        return record_page(patient_id, 429, sentence)
    return redirect(url_for("care_team.patients.one", patient_id=patient_id), 303)


@blueprint.post("/patients/<patient_id>/forget-phones")
@audience(Audience.STAFF)
def forget_phones(patient_id: str) -> Response:
    """Forget every remembered phone of a patient, for instance after a loss."""
    me = _me(may_invite=True)
    with writing() as (db, now):
        patient = patient_of(db, me, patient_id)
        devices.forget_all(db, patient, accounts.actor_of(me), now)
    return redirect(url_for("care_team.patients.one", patient_id=patient_id), 303)


# ---- a new patient


@blueprint.get("/patients/new")
@audience(Audience.STAFF)
def new() -> Response:
    """The empty form, with what most patients of this clinic have in common.

    No unit of weight is chosen beforehand: 72.4 typed into a field of pounds would be believed.
    """
    form, clinic = _form(formdata=None)
    form.key.data = new_id()
    form.language.data, form.country.data, form.zone.data = (
        clinic.language,
        clinic.country,
        clinic.zone,
    )
    return _form_page(form, clinic, 200)


@blueprint.post("/patients/new")
@audience(Audience.STAFF)
def invite() -> Response:
    """Show the text before it goes out (``action=check``), or invite."""
    form, clinic = _form()
    if not form.validate():
        return _form_page(form, clinic, 422, errors=form.first_errors())
    invitation = form.invitation()
    action = request.form.get("action", "send")
    if action == "change":
        return _form_page(form, clinic, 200)
    if action == "check":
        return _check_page(form, clinic, invitation)
    me = _me(may_invite=True)
    try:
        with writing() as (db, now):
            patient = enrolment.invite(
                db, portal().site, me.clinic_id, invitation, accounts.actor_of(me), now
            )
    except enrolment.AlreadyInvited as error:
        sentence = current_words().message(
            "This clinic has a patient with this phone, birth year and last name."
        )
        return _form_page(form, clinic, 409, errors={"phone": sentence}, twin=error.patient_id)
    except enrolment.ClinicNotLive:
        return _form_page(form, clinic, 409)  # the page says so, and where to read what is missing
    return redirect(url_for("care_team.patients.one", patient_id=patient.id), 303)


def _form(**options: Any) -> tuple[InviteForm, Clinic]:
    me = _me(may_invite=True)
    with reading() as (db, now):
        clinic = db.get_one(Clinic, me.clinic_id)
        db.expunge_all()
    form = InviteForm(**options)  # type: ignore[no-untyped-call]
    form.today, form.home_country = local_date(now, readable_zone(clinic.zone)), clinic.country
    return form, clinic


def _form_page(
    form: InviteForm,
    clinic: Clinic,
    status: int,
    errors: dict[str, str] | None = None,
    twin: str = "",
) -> Response:
    protocol = portal().site.protocol
    near = get_global("zone_territories")
    zones = sorted(zone for zone in _ZONES if near.get(zone) == clinic.country)
    return _page(
        "care_team/invite.html",
        status,
        form=form,
        errors=errors or {},
        twin=twin,
        clinic=clinic,
        drugs=[(drug.code, showing.drug_name(drug.code)) for drug in protocol.drugs],
        languages=[(choice.code, choice.name) for choice in language_choices()],
        countries=sorted(((code, country_name(code)) for code in PLACES), key=lambda c: c[1]),
        zones=[*zones, *sorted(_ZONES.difference(zones))],
        usual=[(key, current_words().safety(label)) for key, label in usual_items(protocol)],
    )


def _check_page(form: InviteForm, clinic: Clinic, invitation: enrolment.Invitation) -> Response:
    """Everything once more in words, and the text as it will arrive."""
    body = texts.invite(
        Words(invitation.language), clinic=clinic.name, base_url=portal().settings.base_url
    )
    return _page(
        "care_team/invite_check.html",
        200,
        form=form,
        invitation=invitation,
        clinic=clinic,
        drug=showing.drug_name(invitation.drug),
        language=showing.language_name(invitation.language),
        text_tag=tag(invitation.language),
        body=body.replace("{secret}", "…"),
        parts=count(body.replace("{secret}", _SECRET_STANDS_FOR)),
    )


def _page(template: str, status: int, **values: Any) -> Response:
    return make_response(render_template(template, **showing.FOR_TEMPLATES, **values), status)
