"""Fills an empty database with the demo clinic: people, three weeks of check-ins, a few alerts.

Levels are the rules' own, and nothing is left to be sent: the texts of the past lie there as
delivered. What the newcomer's own red answer starts is then the only thing that happens.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.demo import cast, duty_rota, past_texts
from patient_portal.demo.days import Day, days_of
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date, therapy_day
from patient_portal.domain.triage import TriageResult, triage
from patient_portal.models import (
    Alert,
    Answer,
    Caregiver,
    CaregiverGrant,
    CheckIn,
    CheckInState,
    Clinic,
    Patient,
    StaffMember,
)
from patient_portal.services import alerts, checkins, courses
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.enrolment import CONSENT_VERSION
from patient_portal.services.site import Site

# How long the demo's nurse took for each step of an alert of the past.
TAKEN_AFTER = timedelta(minutes=4)
REACHED_AFTER = timedelta(minutes=7)
CLOSED_AFTER = timedelta(minutes=50)
PER_STEP = timedelta(seconds=6)


def seed(session: Session, site: Site, password_hash: str, now: datetime) -> bool:
    """Make the demo clinic. False, and nothing done, if it is there already."""
    if session.get(Clinic, cast.CLINIC_ID) is not None:
        return False
    _clinic(session, now)
    _staff(session, password_hash, now)
    patients = [_patient(session, person, now) for person in cast.PEOPLE]
    _helpers(session, now)
    session.flush()
    for person, patient in zip(cast.PEOPLE, patients, strict=True):
        for day in days_of(person, now):
            _check_in(session, site, patient, day, now)
    for person, patient in zip(cast.PEOPLE, patients, strict=True):
        past_texts.of_patient(session, site, person, patient, now)
    record(session, SYSTEM, "demo.seeded", "clinic", cast.CLINIC_ID, now=now)
    return True


def _clinic(session: Session, now: datetime) -> None:
    session.add(
        Clinic(
            id=cast.CLINIC_ID, name=cast.CLINIC_NAME, country=cast.COUNTRY, zone=cast.ZONE,
            language="en", line=cast.CLINIC_LINE, staffed_from=cast.STAFFED[0],
            staffed_until=cast.STAFFED[1], catch_all=cast.CATCH_ALL,
            created_at=now - timedelta(days=90),
            live_at=now - timedelta(days=90), cover_confirmed_at=now - timedelta(days=20),
            cover_confirmed_by=cast.LEAD,
            cover_rung_on=local_date(now - timedelta(days=20), cast.ZONE),
        )
    )  # fmt: skip
    session.flush()


def _staff(session: Session, password_hash: str, now: datetime) -> None:
    since = now - timedelta(days=90)
    for person in cast.STAFF:
        session.add(
            StaffMember(
                id=person.id, clinic_id=cast.CLINIC_ID, name=person.name, role=person.role,
                email=person.email, password_hash=password_hash,
                created_at=since,
            )
        )  # fmt: skip
    session.flush()
    duty_rota.seed(session, since, now)


def _patient(session: Session, person: cast.Person, now: datetime) -> Patient:
    first_day = None
    if person.day is not None:
        first_day = local_date(now, person.zone) - timedelta(days=person.day - 1)
    joined = now - timedelta(days=min(person.day or 60, 60))
    patient = Patient(
        id=person.id, clinic_id=cast.CLINIC_ID, first_name=person.first_name,
        last_name=person.last_name, birth_year=person.birth_year, phone=person.phone,
        language=person.language, country=cast.COUNTRY, zone=person.zone, drug=person.drug,
        partners=list(person.partners), first_dose_on=first_day,
        baseline_weight=Decimal(person.weight), baseline_weight_unit=person.weight_unit,
        usual=list(person.usual), temperature_unit=person.temperature_unit,
        weight_unit=person.weight_unit, reminder_at=person.at,
        record_number=f"004-{person.birth_year}", created_at=joined, invited_at=joined,
        consent_version=CONSENT_VERSION,
    )  # fmt: skip
    if not person.invited_only:
        patient.enrolled_at = joined
    session.add(patient)
    return patient


def _helpers(session: Session, now: datetime) -> None:
    for helper in cast.HELPERS:
        session.add(
            Caregiver(
                id=helper.id, clinic_id=cast.CLINIC_ID, first_name=helper.first_name,
                phone=helper.phone, language=helper.language, created_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=helper.id, patient_id=helper.helps, scopes=list(helper.scopes),
                granted_at=now,
            )
        )  # fmt: skip


def _check_in(session: Session, site: Site, patient: Patient, day: Day, now: datetime) -> None:
    """One day of the past. A red day goes the way of a real form, with its alert and its texts."""
    course = courses.course_for(session, patient, day.on)
    result = triage(site.protocol, day.answers, course)
    if result.level.is_red:
        _red_check_in(session, site, patient, day, now)
    else:
        _calm_check_in(session, site, patient, day, result)


def _calm_check_in(
    session: Session, site: Site, patient: Patient, day: Day, result: TriageResult
) -> None:
    """The rows that the form would have left, in three statements instead of forty."""
    by = Actor("patient", patient.id, patient.clinic_id)
    began = day.sent_at - PER_STEP * len(day.steps)
    check_in_id = new_id()
    row: dict[str, Any] = {
        "id": check_in_id,
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "form_key": new_id(),
        "local_date": day.on,
        "state": CheckInState.SENT,
        "reporter": by.kind,
        "reporter_id": by.id,
        "phone_recognised": True,
        "drug": patient.drug,
        "day_of_therapy": therapy_day(patient.first_dose_on, day.on),
        "answers": day.answers,
        "steroid": day.steroid,
        "level": int(result.level),
        "reasons": [
            {"rule": reason.rule, "level": reason.level.code}
            for reason in result.reasons
            if reason.level is not TriageLevel.NONE
        ],
        "protocol": site.protocol.id,
        "started_at": began,
        "sent_at": day.sent_at,
        # Watch-level answers of earlier days were read; today's wait in the inbox.
        "read_at": day.sent_at + CLOSED_AFTER if day.ago and result.level else None,
        "read_by": cast.NURSE if day.ago and result.level else None,
    }
    session.execute(insert(CheckIn), [row])
    session.execute(
        insert(Answer),
        [
            {
                "id": new_id(),
                "check_in_id": check_in_id,
                "number": number,
                "step": step,
                "given": given,
                "given_at": began + PER_STEP * number,
            }
            for number, (step, given) in enumerate(day.steps, start=1)
        ],
    )
    record(
        session, by, "check_in.sent", "check_in", check_in_id, now=day.sent_at,
        clinic_id=patient.clinic_id,
    )  # fmt: skip


def _red_check_in(session: Session, site: Site, patient: Patient, day: Day, now: datetime) -> None:
    by = Actor("patient", patient.id, patient.clinic_id)
    form = checkins.Form(patient, new_id(), by)
    at = day.sent_at - PER_STEP * len(day.steps)
    for step, given in day.steps:
        at += PER_STEP
        checkins.record_answers(session, site, form, checkins.Step(step, given, tuple(given)), at)
    checkins.send(session, site, form, day.sent_at)
    session.flush()
    check_in = checkins.find(session, patient.id, form.key)
    alert = checkins.alert_of(session, check_in) if check_in is not None else None
    if alert is not None:
        _settle(session, alert, day, now)


def _settle(session: Session, alert: Alert, day: Day, now: datetime) -> None:
    """What the nurse of the past did: took it, called, and, on earlier days, closed it."""
    past_texts.deliver(session, alert)
    nurse = session.get_one(StaffMember, cast.NURSE)
    alerts.take(session, alert, nurse, min(day.sent_at + TAKEN_AFTER, now))
    alerts.contact(session, alert, nurse, "reached", min(day.sent_at + REACHED_AFTER, now))
    past_texts.deliver(session, alert)  # those that stand the others down
    if day.ago == 0:
        return
    is_emergency = alert.level == TriageLevel.EMERGENCY
    closing = alerts.Closing(
        outcome="admitted" if is_emergency else "same_day_visit",
        useful=True,
        note="Short of breath. Went in by ambulance." if is_emergency else "Seen the same day.",
    )
    alerts.close(session, alert, nurse, closing, day.sent_at + CLOSED_AFTER)
    past_texts.deliver(session, alert)
