"""Who of the care team opened the patient's record, and when.

A remembered phone alone may not read this: whoever holds it would. It is shown for twenty minutes
after a code was typed on this phone, and not on a phone that is shared.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import abort, make_response, render_template
from werkzeug.wrappers import Response

from patient_portal.domain.schedule import readable_zone
from patient_portal.models import Clinic, Patient, Role
from patient_portal.services import audit_reading
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.context import reading
from patient_portal.web.language import current_language, current_words
from patient_portal.web.patient.entrance import blueprint
from patient_portal.words import format_date, format_time, mark_message

PROVEN_FOR = timedelta(minutes=20)
ROLE_WORDS = {
    Role.NURSE: mark_message("nurse"),
    Role.PHYSICIAN: mark_message("doctor"),
    Role.LEAD: mark_message("head of the care team"),
    Role.ADMINISTRATOR: mark_message("office of the clinic"),
    Role.AUDITOR: mark_message("checks how records are used"),
}


@blueprint.get("/settings/looks", endpoint="looks")
@audience(Audience.PATIENT)
def show() -> Response:
    """By person and day, newest first. For the patient alone: a helper has no business here."""
    patient = viewer().patient
    if patient is None:
        abort(403)
    with reading() as (db, now):
        looks = audit_reading.looks_at(db, patient) if _is_proven(now) else None
        line = db.get_one(Clinic, patient.clinic_id).line
    rows = None if looks is None else [_row(patient, look) for look in looks]
    return make_response(render_template("patient/looks.html", rows=rows, line=line))


def _is_proven(now: datetime) -> bool:
    device = viewer().device
    return device is not None and not device.is_shared and now - device.created_at < PROVEN_FOR


def _row(patient: Patient, look: audit_reading.Look) -> tuple[str, str, str, str, int]:
    language, zone = current_language(), ZoneInfo(readable_zone(patient.zone))
    return (
        look.name,
        current_words().message(ROLE_WORDS[look.role]),
        format_date(look.day, language, patient.country, "medium"),
        format_time(look.last_at, zone, language, patient.country),
        look.times,
    )
