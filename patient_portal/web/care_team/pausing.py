"""Pausing a patient, and ending the pause."""

from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response

from patient_portal.models import StaffMember
from patient_portal.services import pauses
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.care_team.patients import patient_of, record_page
from patient_portal.web.care_team.pause_form import pause_form
from patient_portal.web.context import reading, writing

blueprint = Blueprint("pausing", __name__)


@blueprint.post("/patients/<patient_id>/pause")
@audience(Audience.STAFF)
def pause(patient_id: str) -> Response:
    """No reminders and no missed days from the first to the last day."""
    me = _me(patient_id)
    typed = pause_form()
    meant = typed.read()
    if meant is None:
        return record_page(patient_id, 422, pause=typed)
    try:
        with writing() as (db, now):
            pauses.pause(db, patient_of(db, me, patient_id), *meant, me, now)
    except pauses.PauseRefused as error:
        if not typed.refuse(error.code):
            abort(403)
        return record_page(patient_id, 422, pause=typed)
    return _back(patient_id)


@blueprint.post("/patients/<patient_id>/resume")
@audience(Audience.STAFF)
def resume(patient_id: str) -> Response:
    """End the pause now; where it is over already there is nothing to do."""
    me = _me(patient_id)
    with writing() as (db, now):
        pauses.resume(db, patient_of(db, me, patient_id), me, now)
    return _back(patient_id)


def _me(patient_id: str) -> StaffMember:
    """Who acts; another clinic's patient does not exist, whatever one may do."""
    me = viewer().staff
    if me is None:
        abort(403)
    with reading() as (db, _):
        patient_of(db, me, patient_id)
    if me.role not in pauses.MAY_PAUSE:
        abort(403)
    return me


def _back(patient_id: str) -> Response:
    return redirect(url_for("care_team.patients.one", patient_id=patient_id), 303)
