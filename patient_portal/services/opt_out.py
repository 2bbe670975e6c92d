"""STOP and START, by the person's own text or by the network's word (error 21610)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.models import Caregiver, CaregiverGrant, Patient, StaffPhone
from patient_portal.services import messages, pauses, phones, reminders
from patient_portal.services.audit import SYSTEM, Actor, record


def stop_number(session: Session, number: str, now: datetime, *, code: str | None = None) -> None:
    """Nobody with this number (E.164) is texted any more, until it texts START.

    ``code`` is the gateway's error where it was the network that told us. For a member of staff
    the lead is told at once: alerts do not reach that phone.
    """
    for patient in _patients(session, number):
        if patient.texts_stopped_at is None or code is None:
            _stop_patient(session, patient, now, code)
    for grant, clinic_id in _reminding(session, number):
        _stop_helper(session, grant, clinic_id, now)
    for phone in _phones(session, number):
        phones.mark_stopped(session, phone, now, code=code)


def start_number(session: Session, number: str, now: datetime) -> None:
    """Texts to this number begin again."""
    for patient in _patients(session, number):
        patient.texts_stopped_at = None
        reminders.plan(session, patient, now)
        record(
            session, Actor("patient", patient.id, patient.clinic_id), "patient.texts_started",
            "patient", patient.id, now=now,
        )  # fmt: skip
    for phone in _phones(session, number):
        phones.mark_started(session, phone, now)


def _stop_patient(session: Session, patient: Patient, now: datetime, code: str | None) -> None:
    patient.texts_stopped_at = patient.texts_stopped_at or now
    messages.stop_due(session, patient.id, pauses.ASKING)
    reminders.plan(session, patient, now)
    actor = SYSTEM if code else Actor("patient", patient.id, patient.clinic_id)
    record(
        session, actor, "patient.texts_stopped", "patient", patient.id, now=now,
        clinic_id=patient.clinic_id, **({"code": code} if code else {}),
    )  # fmt: skip


def _stop_helper(session: Session, grant: CaregiverGrant, clinic_id: str, now: datetime) -> None:
    """A helper is not asked to remind any more; everything else they may do stays."""
    grant.scopes = [scope for scope in grant.scopes if scope != pauses.MAY_REMIND]
    record(
        session, Actor("caregiver", grant.caregiver_id, clinic_id), "caregiver.texts_stopped",
        "patient", grant.patient_id, now=now,
    )  # fmt: skip


def _reminding(session: Session, number: str) -> list[tuple[CaregiverGrant, str]]:
    """Whom the helpers with this number may remind, with the helper's clinic."""
    found = session.execute(
        select(CaregiverGrant, Caregiver.clinic_id)
        .join(Caregiver, Caregiver.id == CaregiverGrant.caregiver_id)
        .where(Caregiver.phone == number, CaregiverGrant.ended_at.is_(None))
        .order_by(CaregiverGrant.patient_id)
    )
    return [(grant, clinic) for grant, clinic in found if pauses.MAY_REMIND in grant.scopes]


def _patients(session: Session, number: str) -> list[Patient]:
    found = select(Patient).where(Patient.phone == number).order_by(Patient.created_at)
    return list(session.scalars(found))


def _phones(session: Session, number: str) -> list[StaffPhone]:
    return list(session.scalars(select(StaffPhone).where(StaffPhone.number == number)))
