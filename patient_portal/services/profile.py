"""What patients and caregivers may change about themselves."""

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy.orm import Session

from patient_portal.domain.schedule import within_waking_hours
from patient_portal.models import Caregiver, Patient
from patient_portal.services import reminders
from patient_portal.services.audit import Actor, record


@dataclass(frozen=True)
class Preferences:
    """How the portal speaks with a patient: local time of the text, language, place, units."""

    reminder_at: time
    language: str
    country: str
    temperature_unit: str
    weight_unit: str


def change(
    session: Session, patient: Patient, wanted: Preferences, actor: Actor, now: datetime
) -> None:
    """Keep a patient's preferences; a new hour holds from the next text on.

    Raises ValueError for an hour at night.
    """
    if within_waking_hours(wanted.reminder_at) != wanted.reminder_at:
        raise ValueError("reminders go out from 08:00 to 20:59")
    changed = [
        name
        for name in Preferences.__dataclass_fields__
        if getattr(patient, name) != getattr(wanted, name)
    ]
    for name in changed:
        setattr(patient, name, getattr(wanted, name))
    if "reminder_at" in changed:
        reminders.plan(session, patient, now)
    if changed:
        record(
            session, actor, "patient.preferences", "patient", patient.id,
            now=now, clinic_id=patient.clinic_id, changed=changed,
        )  # fmt: skip


def change_language(
    session: Session, caregiver: Caregiver, language: str, actor: Actor, now: datetime
) -> None:
    """Keep a caregiver's language, for pages and texts."""
    if caregiver.language != language:
        caregiver.language = language
        record(
            session, actor, "caregiver.preferences", "caregiver", caregiver.id,
            now=now, clinic_id=caregiver.clinic_id, changed=["language"],
        )  # fmt: skip
