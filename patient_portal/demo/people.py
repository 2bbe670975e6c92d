"""Everybody of the demo clinic, whoever was in the cast or has joined since."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from patient_portal.demo import cast
from patient_portal.models import (
    Caregiver,
    CaregiverGrant,
    Patient,
    Position,
    Shift,
    StaffMember,
    StaffPhone,
)


class Kind(StrEnum):
    """How a person comes in: by a remembered phone, or by a staff session."""

    PATIENT = "patient"
    CAREGIVER = "caregiver"
    STAFF = "staff"


@dataclass(frozen=True)
class Somebody:
    """One person of the demo. ``role`` is a staff role, or patient or caregiver."""

    id: str
    kind: Kind
    role: str
    name: str
    first_name: str
    language: str
    phone: str | None = None
    medicine: str | None = None
    day: int | None = None
    position: Position | None = None
    helps: str | None = None
    email: str | None = None
    is_enrolled: bool = True


def everybody(session: Session) -> list[Somebody]:
    """Patients by the order of the cast, then helpers, then staff by position."""
    return [*_patients(session), *_caregivers(session), *_staff(session)]


def _patients(session: Session) -> list[Somebody]:
    rank = {person.id: number for number, person in enumerate(cast.PEOPLE)}
    rows = session.scalars(
        select(Patient).where(Patient.clinic_id == cast.CLINIC_ID, Patient.is_test.is_(False))
    )
    ordered = sorted(rows, key=lambda row: (rank.get(row.id, len(rank)), row.created_at))
    return [
        Somebody(
            id=row.id, kind=Kind.PATIENT, role="patient", name=f"{row.first_name} {row.last_name}",
            first_name=row.first_name, language=row.language, phone=row.phone, medicine=row.drug,
            is_enrolled=row.enrolled_at is not None,
        )
        for row in ordered
    ]  # fmt: skip


def _caregivers(session: Session) -> list[Somebody]:
    rows = session.execute(
        select(Caregiver, Patient.first_name)
        .join(CaregiverGrant, CaregiverGrant.caregiver_id == Caregiver.id)
        .join(Patient, Patient.id == CaregiverGrant.patient_id)
        .where(Caregiver.clinic_id == cast.CLINIC_ID, CaregiverGrant.ended_at.is_(None))
        .order_by(Caregiver.first_name, Patient.first_name)
    )
    return [
        Somebody(
            id=row.id, kind=Kind.CAREGIVER, role="caregiver", name=row.first_name,
            first_name=row.first_name, language=row.language, phone=row.phone, helps=helped,
        )
        for row, helped in rows
    ]  # fmt: skip


def _staff(session: Session) -> list[Somebody]:
    order = list(Position)
    rows_of = session.scalars(select(Shift).where(Shift.clinic_id == cast.CLINIC_ID)).all()
    by_day = [row for row in rows_of if row.starts < row.ends or row.starts == row.ends]
    positions = {
        row.staff_id: row.position
        for row in sorted(by_day, key=lambda one: order.index(one.position), reverse=True)
    }
    rows = session.execute(
        select(StaffMember, StaffPhone.number)
        .outerjoin(StaffPhone, and_(StaffPhone.staff_id == StaffMember.id, StaffPhone.rank == 1))
        .where(StaffMember.clinic_id == cast.CLINIC_ID, StaffMember.disabled_at.is_(None))
    )
    found = [
        Somebody(
            id=row.id, kind=Kind.STAFF, role=row.role.value, name=row.name, first_name=row.name,
            language="en", phone=phone, position=positions.get(row.id), email=row.email,
        )
        for row, phone in rows
    ]  # fmt: skip
    return sorted(
        found,
        key=lambda one: (order.index(one.position) if one.position else len(order), one.name),
    )
