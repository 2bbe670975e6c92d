"""The clinic's patients as its care team reads them: the list, and one person's record."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import CheckIn, CheckInState, Clinic, Message, Patient
from patient_portal.services.audit import Actor, record
from patient_portal.services.courses import Taking, days_of
from patient_portal.services.missed import counted_from
from patient_portal.services.pauses import is_paused


class NoSuchPatient(LookupError):
    """There is no such patient in this clinic."""


@dataclass(frozen=True)
class PatientRow:
    """One line of the list. ``missed`` counts whole local days without a check-in."""

    patient: Patient
    day: int | None
    last_at: datetime | None
    last_level: TriageLevel | None
    missed: int
    paused_until: date | None = None  # the last day, while the patient is paused


def of_clinic(session: Session, clinic_id: str, patient_id: str) -> Patient:
    """The clinic's patient. Raises NoSuchPatient, also for another clinic's."""
    patient = session.scalars(
        select(Patient).where(Patient.id == patient_id, Patient.clinic_id == clinic_id)
    ).first()
    if patient is None:
        raise NoSuchPatient(patient_id)
    return patient


def list_of_clinic(session: Session, clinic_id: str, now: datetime) -> list[PatientRow]:
    """Every patient of the clinic who has not left, by name; two statements."""
    counts = or_(CheckIn.state == CheckInState.SENT, CheckIn.level >= TriageLevel.URGENT)
    ranked = (
        select(
            CheckIn.id,
            CheckIn.patient_id,
            func.row_number()
            .over(partition_by=CheckIn.patient_id, order_by=CheckIn.started_at.desc())
            .label("place"),
            func.max(CheckIn.local_date)
            .filter(counts)
            .over(partition_by=CheckIn.patient_id)
            .label("last_day"),
        )
        .where(CheckIn.clinic_id == clinic_id)
        .subquery()
    )
    last = aliased(CheckIn)
    rows = session.execute(
        select(Patient, last.started_at, last.level, ranked.c.last_day)
        .outerjoin(ranked, (ranked.c.patient_id == Patient.id) & (ranked.c.place == 1))
        .outerjoin(last, last.id == ranked.c.id)
        .where(Patient.clinic_id == clinic_id, Patient.ended_at.is_(None))
        .order_by(func.lower(Patient.last_name), func.lower(Patient.first_name))
    )
    found = rows.all()
    days = days_of(
        session,
        [Taking(one.id, one.first_dose_on, one.zone, one.drug) for one, *_ in found],
        now,
    )
    return [
        _row(patient, days[patient.id], at, level, day, now) for patient, at, level, day in found
    ]


def _row(
    patient: Patient,
    day: int | None,
    at: datetime | None,
    level: int | None,
    last_day: date | None,
    now: datetime,
) -> PatientRow:
    today = local_date(now, readable_zone(patient.zone))
    return PatientRow(
        patient=patient,
        day=day,
        last_at=at,
        last_level=None if level is None else TriageLevel(level),
        missed=0 if patient.enrolled_at is None else _missed(patient, last_day, now),
        paused_until=patient.paused_until if is_paused(patient, today) else None,
    )


def _missed(patient: Patient, last_day: date | None, now: datetime) -> int:
    today = local_date(now, readable_zone(patient.zone))
    # Today is not over.
    return max(0, (today - counted_from(patient, last_day, now)).days - 1)


def check_ins_of(session: Session, patient: Patient, limit: int = 30) -> list[CheckIn]:
    """The patient's latest check-ins, newest first."""
    return list(
        session.scalars(
            select(CheckIn)
            .where(CheckIn.patient_id == patient.id)
            .order_by(CheckIn.started_at.desc())
            .limit(limit)
        )
    )


def texts_of(session: Session, patient: Patient, limit: int = 30) -> list[Message]:
    """The latest texts to the patient with their delivery state, newest first."""
    return list(
        session.scalars(
            select(Message)
            .where(Message.patient_id == patient.id)
            .order_by(Message.created_at.desc())
            .limit(limit)
        )
    )


def clinic_of(session: Session, patient: Patient) -> Clinic:
    """The patient's clinic."""
    return session.get_one(Clinic, patient.clinic_id)


def note_look(
    session: Session, patient: Patient, actor: Actor, now: datetime, **where: str
) -> None:
    """Keep on the record who looked at a patient's page; ``where`` names an alert's, by ref."""
    record(
        session, actor, "patient.viewed", "patient", patient.id,
        now=now, clinic_id=patient.clinic_id, **where,
    )  # fmt: skip


def note_list(session: Session, actor: Actor, count: int, now: datetime) -> None:
    """Keep on the record who opened the list of patients."""
    record(session, actor, "patient.listed", "clinic", actor.clinic_id, now=now, count=count)
