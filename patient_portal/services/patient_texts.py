"""Texts of an alert to its patient and helpers: "call now", at any hour, in their own language."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.places import emergency_number
from patient_portal.models import (
    Alert,
    Caregiver,
    CaregiverGrant,
    Clinic,
    Lane,
    MessageKind,
    Patient,
)
from patient_portal.services import messages
from patient_portal.services.messages import Draft
from patient_portal.sms import texts
from patient_portal.words import Words

# Later than this the alert has moved on, and its page says what to do.
CALL_NOW_LIVES = timedelta(hours=4)
# What a helper must be allowed to know before we tell that somebody needs help.
STATUS_SCOPE = "status"


def tell_untaken(session: Session, alert: Alert, now: datetime) -> None:
    """Say that nobody has taken the alert: call now. Once a start of the ladder.

    In an emergency the helpers who may know of it are told as well.
    """
    patient = session.get_one(Patient, alert.patient_id)
    clinic = session.get_one(Clinic, alert.clinic_id)
    start = f"{alert.ladder_started_at:%Y%m%dT%H%M%S%f}"
    body = texts.call_now(
        Words(patient.language), clinic=clinic.name, level=TriageLevel(alert.level),
        line=clinic.line, number=emergency_number(patient.country),
    )  # fmt: skip
    drafts = [_to_patient(alert, patient, body, f"untaken:{alert.id}:{start}")]
    if alert.level == TriageLevel.EMERGENCY:
        drafts += [
            _to_helper(alert, clinic, patient, helper, f"untaken:{alert.id}:{start}")
            for helper in _helpers(session, patient.id)
        ]
    messages.queue_all(session, [draft for draft in drafts if draft is not None], now)


def tell_risen(session: Session, alert: Alert, now: datetime) -> None:
    """Say that the level is higher than what the patient's own page said when it was shown."""
    patient = session.get_one(Patient, alert.patient_id)
    clinic = session.get_one(Clinic, alert.clinic_id)
    body = texts.risen(
        Words(patient.language), clinic=clinic.name, level=TriageLevel(alert.level),
        line=clinic.line, number=emergency_number(patient.country),
    )  # fmt: skip
    draft = _to_patient(alert, patient, body, f"risen:{alert.id}:{alert.level}")
    messages.queue_all(session, [draft] if draft else [], now)


def _to_patient(alert: Alert, patient: Patient, body: str, once: str) -> Draft | None:
    """None for a phone that has stopped texts: the gateway would refuse it; and for a drill."""
    if patient.texts_stopped_at is not None or patient.is_test:
        return None
    return Draft(
        clinic_id=alert.clinic_id,
        to_number=patient.phone,
        kind=MessageKind.CALL_NOW,
        lane=Lane.ALERT,
        body=body,
        once_key=f"{once}:patient",
        lives_for=CALL_NOW_LIVES,
        patient_id=patient.id,
        alert_id=alert.id,
    )


def _to_helper(
    alert: Alert, clinic: Clinic, patient: Patient, helper: Caregiver, once: str
) -> Draft:
    return Draft(
        clinic_id=alert.clinic_id,
        to_number=helper.phone,
        kind=MessageKind.HELPER_CALL_NOW,
        lane=Lane.ALERT,
        body=texts.helper_call_now(
            Words(helper.language), clinic=clinic.name, number=emergency_number(patient.country)
        ),
        once_key=f"{once}:{helper.id}",
        lives_for=CALL_NOW_LIVES,
        patient_id=patient.id,
        alert_id=alert.id,
    )


def _helpers(session: Session, patient_id: str) -> list[Caregiver]:
    """The helpers whom the patient lets know how things stand."""
    rows = session.execute(
        select(Caregiver, CaregiverGrant.scopes)
        .join(CaregiverGrant, CaregiverGrant.caregiver_id == Caregiver.id)
        .where(CaregiverGrant.patient_id == patient_id, CaregiverGrant.ended_at.is_(None))
        .order_by(Caregiver.id)
    )
    return [row[0] for row in rows if STATUS_SCOPE in row.scopes]
