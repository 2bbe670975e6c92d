"""A patient's log of medicines and personal limits: what the care team may enter and agree to."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, abort, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.overrides import OverrideRefused
from patient_portal.models import Patient, StaffMember
from patient_portal.services import medicines, overrides
from patient_portal.services.medicines import MedicineRefused
from patient_portal.services.overrides import LimitRefused
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.care_team.course_form import (
    LimitsForm,
    MedicineForm,
    limits_form,
    medicine_form,
)
from patient_portal.web.care_team.patients import patient_of, record_page
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words
from patient_portal.words import mark_message

blueprint = Blueprint("course", __name__)

# Refused entries of the log: the field it is said at, and the sentence.
_ENTRY_REFUSED = {
    "future": ("medicine_on", mark_message("This day has not come yet. Enter it when it has.")),
    "too_old": ("medicine_on", mark_message("This date is too far away. Please check it.")),
    "already_taking": (
        "medicine_on",
        mark_message("The log says the medicine was being taken. Enter the last dose first."),
    ),
    "not_taking": (
        "medicine_on",
        mark_message("The log has no first dose before this day. Enter that one first."),
    ),
}
_TAKE_BACK_REFUSED = {
    "gone": mark_message("This entry was already taken back."),
    "not_yours": mark_message("Ask the person who entered it, or a physician."),
    "already_taking": mark_message("A later entry rests on this one. Take that one back first."),
    "not_taking": mark_message("A later entry rests on this one. Take that one back first."),
}
_LIMIT_REFUSED = {
    "stale": mark_message(
        "Somebody changed these limits while you typed. Look at what holds now, then save again."
    ),
    "gone": mark_message("This limit does not wait any more. Look at what holds now."),
    "same_person": mark_message("Another clinician must agree, not the one who set it."),
}
_NOT_POSSIBLE = mark_message("This value is not possible here. Please check it.")


@blueprint.post("/patients/<patient_id>/medicines")
@audience(Audience.STAFF)
def note(patient_id: str) -> Response:
    """Enter what happened with a medicine."""
    me = _me(patient_id)
    typed = medicine_form()
    meant = typed.read()
    if meant is None:
        return record_page(patient_id, 422, medicine=typed)
    try:
        with writing() as (db, now):
            medicines.note(db, patient_of(db, me, patient_id), *meant, me, now)
    except MedicineRefused as error:
        return _entry_refused(patient_id, typed, error.code)
    return _back(patient_id)


def _entry_refused(patient_id: str, typed: MedicineForm, code: str) -> Response:
    if code not in _ENTRY_REFUSED:
        abort(403)
    name, sentence = _ENTRY_REFUSED[code]
    typed.errors[name] = current_words().message(sentence)
    return record_page(patient_id, 422, medicine=typed)


@blueprint.post("/patients/<patient_id>/medicines/<entry_id>/take-back")
@audience(Audience.STAFF)
def take_back(patient_id: str, entry_id: str) -> Response:
    """Void an entry that was a mistake; it stays in the log."""
    me = _me(patient_id)
    try:
        with writing() as (db, now):
            medicines.take_back(db, patient_of(db, me, patient_id), entry_id, me, now)
    except MedicineRefused as error:
        if error.code not in _TAKE_BACK_REFUSED:
            abort(403)
        sentence = current_words().message(_TAKE_BACK_REFUSED[error.code])
        return record_page(patient_id, 409, sentence)
    return _back(patient_id)


@blueprint.post("/patients/<patient_id>/limits")
@audience(Audience.STAFF)
def change(patient_id: str) -> Response:
    """Set personal limits; those away from caution wait for a second clinician."""
    me = _me(patient_id)
    typed = limits_form()
    wanted = typed.read()
    if wanted is None:
        return record_page(patient_id, 422, limits=typed)
    protocol = portal().site.protocol
    try:
        with writing() as (db, now):
            patient = patient_of(db, me, patient_id)
            overrides.change(db, protocol, patient, wanted, typed.seen, me, now)
    except OverrideRefused as error:
        return _value_refused(patient_id, typed, error.field)
    except LimitRefused as error:
        return _limit_refused(patient_id, error.code, typed)
    return _back(patient_id)


def _value_refused(patient_id: str, typed: LimitsForm, name: str) -> Response:
    fields = {"fever_line": "fever", "window_last_day": "window", "baseline": "weight"}
    typed.errors[f"limit_{fields.get(name, name)}"] = current_words().message(_NOT_POSSIBLE)
    return record_page(patient_id, 422, limits=typed)


@blueprint.post("/patients/<patient_id>/limits/<override_id>/approve")
@audience(Audience.STAFF)
def approve(patient_id: str, override_id: str) -> Response:
    """The second clinician's yes."""
    return _answer(
        patient_id,
        lambda db, patient, me, now: overrides.approve(db, patient, override_id, me, now),
    )


@blueprint.post("/patients/<patient_id>/limits/<override_id>/decline")
@audience(Audience.STAFF)
def decline(patient_id: str, override_id: str) -> Response:
    """A no, or the setter's own second thought."""
    return _answer(
        patient_id,
        lambda db, patient, me, now: overrides.decline(db, patient, override_id, me, now),
    )


def _answer(
    patient_id: str, do: Callable[[Session, Patient, StaffMember, datetime], None]
) -> Response:
    me = _me(patient_id)
    try:
        with writing() as (db, now):
            do(db, patient_of(db, me, patient_id), me, now)
    except LimitRefused as error:
        return _limit_refused(patient_id, error.code)
    return _back(patient_id)


def _limit_refused(patient_id: str, code: str, typed: LimitsForm | None = None) -> Response:
    if code not in _LIMIT_REFUSED:
        abort(403)
    sentence = current_words().message(_LIMIT_REFUSED[code])
    return record_page(patient_id, 409, sentence, limits=typed)


def _me(patient_id: str) -> StaffMember:
    """Who acts; another clinic's patient does not exist, whatever one may do."""
    me = viewer().staff
    if me is None:
        abort(403)
    with reading() as (db, _):
        patient_of(db, me, patient_id)
    if me.role not in overrides.MAY_SET:
        abort(403)
    return me


def _back(patient_id: str) -> Response:
    return redirect(url_for("care_team.patients.one", patient_id=patient_id), 303)
