"""`/`: for a stranger what this is; for a remembered phone today's check-in; nobody's history."""

from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, g, make_response, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import CheckInState, Clinic, Patient
from patient_portal.services import checkins, courses
from patient_portal.services.pauses import pause_of
from patient_portal.services.tracking import waiting_answers
from patient_portal.web.access import public, viewer
from patient_portal.web.context import portal, reading
from patient_portal.web.language import current_words
from patient_portal.web.patient.form_in_hand import keep_country
from patient_portal.web.patient.results import clock
from patient_portal.web.patient.summary import change_in_words
from patient_portal.words import format_date

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class Day:
    """What a remembered phone may show of a person: no history and no level."""

    id: str
    name: str
    year: int
    medicine: str
    today: str
    day_of_therapy: int | None
    done_at: str
    is_begun: bool
    weight_change: str
    line: str
    paused_until: str  # the last day of a pause that goes on; empty without one
    what_to_do: str  # where an open alert says what to do; empty without one


@blueprint.get("/")
@public
def show() -> Response:
    """The first page for whoever looks."""
    who = viewer()
    if not who.is_known_phone:
        return make_response(render_template("patient/public_home.html"))
    shared = who.device is not None and who.device.is_shared
    people = [who.patient] if who.patient is not None else who.helps
    with reading() as (session, now):
        days = [_day(session, patient, now, is_shared=shared) for patient in people]
    if who.patient is None:
        name = who.caregiver.first_name if who.caregiver else ""
        return make_response(render_template("patient/helper_home.html", people=days, name=name))
    page = render_template("patient/home.html", day=days[0])
    return keep_country(make_response(page), who.patient.country)


def _day(session: Session, patient: Patient, now: datetime, *, is_shared: bool) -> Day:
    words = current_words()
    today = local_date(now, readable_zone(patient.zone))
    of_today = checkins.of_day(session, patient.id, today)
    waiting = waiting_answers(session, patient.id)
    sent = [one.sent_at for one in of_today if one.state is CheckInState.SENT and one.sent_at]
    clinic = session.get(Clinic, patient.clinic_id)
    g.clinic_name = clinic.name if clinic else ""
    return Day(
        id=patient.id,
        name=f"{patient.first_name[:1]}." if is_shared else patient.first_name,
        year=patient.birth_year,
        medicine=words.safety(portal().site.protocol.drug(patient.drug).name),
        today=format_date(today, words.language, patient.country, "full"),
        day_of_therapy=_day_of_therapy(session, patient, now),
        done_at=clock(sent[-1], patient) if sent else "",
        is_begun=bool(of_today) and not sent,
        weight_change="" if is_shared else _weight_change(session, patient, now),
        line=clinic.line if clinic else "",
        paused_until=_paused_until(patient, today),
        what_to_do=url_for("patient.checkin.result", check_in_id=waiting.id) if waiting else "",
    )


def _paused_until(patient: Patient, today: date) -> str:
    pause = pause_of(patient)
    if pause is None or not pause.covers(today):
        return ""
    return format_date(pause.last, current_words().language, patient.country, "day")


def _day_of_therapy(session: Session, patient: Patient, now: datetime) -> int | None:
    taking = courses.Taking(patient.id, patient.first_dose_on, patient.zone, patient.drug)
    return courses.days_of(session, [taking], now)[patient.id]


def _weight_change(session: Session, patient: Patient, now: datetime) -> str:
    """The change between the last two weights; the weight itself is not shown here."""
    today = local_date(now, readable_zone(patient.zone))
    readings = [measure for _, measure in courses.course_for(session, patient, today).weights]
    for one in checkins.of_day(session, patient.id, today):
        measure = courses.weight_of(one.answers)
        readings += [measure] if measure is not None else []
    if len(readings) < 2:
        return ""
    return change_in_words(readings[-1], readings[-2], patient.country)
