"""The team's log of a patient's medicines: written with a name, corrected by a further row."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Protocol as Shape

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.domain.windows import MedicineLog, Span
from patient_portal.models import MedicineEvent, MedicineKind, Patient, Role, StaffMember
from patient_portal.services.accounts import actor_of
from patient_portal.services.audit import Actor, record

MAY_WRITE = frozenset({Role.NURSE, Role.PHYSICIAN, Role.LEAD})
# Somebody else's entry is taken back by one of these; a person's own, by that person too.
MAY_CORRECT = frozenset({Role.PHYSICIAN, Role.LEAD})
OLDEST = timedelta(days=3660)

_FIRST = frozenset({MedicineKind.STARTED, MedicineKind.RESTARTED})
_CUTS = frozenset({MedicineKind.STEROID_REDUCED, MedicineKind.STEROID_STOPPED})
_STEROID = _CUTS | {MedicineKind.STEROID_STARTED}
_ENTRIES = select(
    MedicineEvent.id, MedicineEvent.kind, MedicineEvent.on_date, MedicineEvent.voids_id,
    MedicineEvent.entered_by, MedicineEvent.told_by, MedicineEvent.entered_at,
).order_by(MedicineEvent.entered_at, MedicineEvent.id)  # fmt: skip
_OF_PATIENT = _ENTRIES.where(MedicineEvent.patient_id == bindparam("patient"))
_OF_PATIENTS = _ENTRIES.add_columns(MedicineEvent.patient_id).where(
    MedicineEvent.patient_id.in_(bindparam("patients", expanding=True))
)


class MedicineRefused(ValueError):
    """An entry that cannot be right; ``code`` says why.

    Codes: kind, future, too_old, already_taking, not_taking, role, not_yours, gone.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Entry(Shape):
    """What is read of an entry: a row, or its columns."""

    id: str
    kind: MedicineKind
    on_date: date
    voids_id: str | None
    entered_by: str | None
    told_by: str | None  # patient or caregiver, where no member of staff entered it
    entered_at: datetime


def entries_of(session: Session, patient_id: str) -> list[Entry]:
    """Every entry, those taken back too, in the order they were made."""
    return list(session.execute(_OF_PATIENT, {"patient": patient_id}))


def entries_of_many(session: Session, patient_ids: Collection[str]) -> dict[str, list[Entry]]:
    """Every entry of these patients, by patient; one statement. Who has none is left out."""
    found: dict[str, list[Entry]] = {}
    if patient_ids:
        for row in session.execute(_OF_PATIENTS, {"patients": list(patient_ids)}):
            found.setdefault(row.patient_id, []).append(row)
    return found


def in_force(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that nobody took back, by date."""
    kept = list(entries)
    void = {one.voids_id for one in kept}
    standing = [one for one in kept if one.id not in void and one.kind != MedicineKind.TAKEN_BACK]
    return sorted(standing, key=lambda one: (one.on_date, one.entered_at))


def log_of(first_dose_on: date | None, entries: Iterable[Entry]) -> MedicineLog:
    """The log as the rules read it; the first dose of the profile opens it, if it is known.

    Raises MedicineRefused (already_taking, not_taking) for entries that contradict each other.
    """
    standing = in_force(entries)
    firsts = [one.on_date for one in standing if one.kind in _FIRST]
    lasts = [one.on_date for one in standing if one.kind is MedicineKind.STOPPED]
    if first_dose_on is not None:
        firsts.append(first_dose_on)
    return MedicineLog(
        spans=_spans(firsts, lasts),
        syndromes=tuple(one.on_date for one in standing if one.kind is MedicineKind.SYNDROME),
        steroid_cuts=tuple(one.on_date for one in standing if one.kind in _CUTS),
    )


def _spans(firsts: Iterable[date], lasts: Iterable[date]) -> tuple[Span, ...]:
    """A first and a last dose may fall on one day; a last and the next first may not."""
    marks = sorted([(day, False) for day in firsts] + [(day, True) for day in lasts])
    spans: list[Span] = []
    first: date | None = None
    for day, is_last in marks:
        if is_last:
            if first is None:
                raise MedicineRefused("not_taking")
            spans.append(Span(first, day))
            first = None
        elif first is not None or (spans and spans[-1].last == day):
            raise MedicineRefused("already_taking")
        else:
            first = day
    return (*spans, Span(first)) if first is not None else tuple(spans)


def is_on_steroid(entries: Iterable[Entry], on: date) -> bool:
    """Whether steroid tablets are taken on a date; the day of the last one still counts."""
    last = last_of_steroid(entries, on)
    if last is None:
        return False
    return last.kind is not MedicineKind.STEROID_STOPPED or last.on_date == on


def last_of_steroid(entries: Iterable[Entry], on: date) -> Entry | None:
    """The last entry about steroid tablets up to a date; a note that there are none is no entry."""
    found = [one for one in in_force(entries) if one.kind in _STEROID and one.on_date <= on]
    return found[-1] if found else None


def note(
    session: Session,
    patient: Patient,
    kind: MedicineKind,
    on_date: date,
    by: StaffMember,
    now: datetime,
) -> None:
    """Enter what happened on a local date; the same entry again changes nothing.

    Raises MedicineRefused.
    """
    if by.role not in MAY_WRITE:
        raise MedicineRefused("role")
    if kind in (MedicineKind.TAKEN_BACK, MedicineKind.STEROID_NONE):
        raise MedicineRefused("kind")
    today = local_date(now, readable_zone(patient.zone))
    if on_date > today:
        raise MedicineRefused("future")
    if on_date < today - OLDEST:
        raise MedicineRefused("too_old")
    entries = _locked(session, patient)
    if any((one.kind, one.on_date) == (kind, on_date) for one in in_force(entries)):
        return
    row = MedicineEvent(
        id=new_id(), patient_id=patient.id, kind=kind, on_date=on_date, voids_id=None,
        entered_by=by.id, told_by=None, entered_at=now,
    )  # fmt: skip
    log_of(patient.first_dose_on, [*entries, row])
    _add(session, patient, row, actor_of(by), now)


def note_told(
    session: Session, patient: Patient, kind: MedicineKind, on_date: date, by: Actor, now: datetime
) -> None:
    """Enter what the patient or a helper told; the same of one day again changes nothing."""
    entries = entries_of(session, patient.id)
    if any((one.kind, one.on_date) == (kind, on_date) for one in in_force(entries)):
        return
    row = MedicineEvent(
        id=new_id(), patient_id=patient.id, kind=kind, on_date=on_date, voids_id=None,
        entered_by=None, told_by=by.kind, entered_at=now,
    )  # fmt: skip
    _add(session, patient, row, by, now)


def take_back(
    session: Session, patient: Patient, entry_id: str, by: StaffMember, now: datetime
) -> None:
    """Void an entry that was a mistake; it stays in the log.

    One's own entry, or anybody's by a physician or lead. Raises MedicineRefused; a first dose
    with a last one after it is taken back after that one.
    """
    if by.role not in MAY_WRITE:
        raise MedicineRefused("role")
    entries = _locked(session, patient)
    found = next((one for one in in_force(entries) if one.id == entry_id), None)
    if found is None:
        raise MedicineRefused("gone")
    if found.entered_by != by.id and by.role not in MAY_CORRECT:
        raise MedicineRefused("not_yours")
    row = MedicineEvent(
        id=new_id(), patient_id=patient.id, kind=MedicineKind.TAKEN_BACK, on_date=found.on_date,
        voids_id=found.id, entered_by=by.id, entered_at=now,
    )  # fmt: skip
    log_of(patient.first_dose_on, [*entries, row])
    _add(session, patient, row, actor_of(by), now)


def _locked(session: Session, patient: Patient) -> list[Entry]:
    """The entries, with the patient held: two people's entries come one after the other."""
    session.execute(select(Patient.id).where(Patient.id == patient.id).with_for_update())
    return entries_of(session, patient.id)


def _add(session: Session, patient: Patient, row: MedicineEvent, by: Actor, now: datetime) -> None:
    session.add(row)
    session.flush()
    record(
        session, by, "medicine.noted", "patient", patient.id, now=now,
        clinic_id=patient.clinic_id, kind=row.kind.value, on=row.on_date.isoformat(),
        entry=row.id, voids=row.voids_id,
    )  # fmt: skip
