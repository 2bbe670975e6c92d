"""The weekly question about steroid tablets: whom it is asked, and what an answer does to the log.

An answer only ever adds: a dose that went down opens the window, tablets that the log does not
know count from that day. "None" ends nothing; the team reads it in the log.
"""

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.domain.steroid import SteroidTablets, is_due
from patient_portal.models import CheckIn, MedicineKind, Patient
from patient_portal.services import medicines
from patient_portal.services.audit import Actor


def is_asked(session: Session, patient: Patient, check_in: CheckIn) -> bool:
    """Whether this check-in asks; one that has its answer keeps the question.

    Once a week, unless the log says that the last tablet was taken.
    """
    if check_in.steroid is not None:
        return True
    zone = readable_zone(patient.zone)
    joined = local_date(patient.enrolled_at or check_in.started_at, zone)
    on = check_in.local_date
    if not is_due(on, joined, _last_asked(session, patient.id, on)):
        return False
    last = medicines.last_of_steroid(medicines.entries_of(session, patient.id), on)
    return last is None or last.kind is not MedicineKind.STEROID_STOPPED


def _last_asked(session: Session, patient_id: str, until: date) -> date | None:
    return session.scalars(
        select(func.max(CheckIn.local_date)).where(
            CheckIn.patient_id == patient_id,
            CheckIn.steroid.is_not(None),
            CheckIn.local_date <= until,
        )
    ).one()


def tell(
    session: Session, patient: Patient, told: SteroidTablets, on: date, by: Actor, now: datetime
) -> None:
    """Put an answer into the log of medicines, where it says more than the log does."""
    kind = _entry(told, medicines.last_of_steroid(medicines.entries_of(session, patient.id), on))
    if kind is not None:
        medicines.note_told(session, patient, kind, on, by, now)


def _entry(told: SteroidTablets, last: medicines.Entry | None) -> MedicineKind | None:
    takes = last is not None and last.kind is not MedicineKind.STEROID_STOPPED
    match told:
        case SteroidTablets.LESS:
            return MedicineKind.STEROID_REDUCED
        case SteroidTablets.NONE:
            return MedicineKind.STEROID_NONE if takes else None
        case _:
            return None if takes else MedicineKind.STEROID_STARTED
