"""The audit log as people read it: one clinic's rows, newest first, with names put to the ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from patient_portal.domain.audit_chain import chain_of
from patient_portal.domain.schedule import readable_zone
from patient_portal.models import (
    Alert,
    AuditEntry,
    Caregiver,
    CheckIn,
    Clinic,
    Device,
    InboundText,
    Patient,
    Role,
    SignInCode,
    StaffMember,
)
from patient_portal.services.audit import Actor, record

PAGE = 50
MOST_EXPORTED = 10_000
MAY_READ = frozenset({Role.LEAD, Role.AUDITOR})
# Rows of a patient's that an entry may be about.
_OF_PATIENT: dict[str, Any] = {
    "alert": Alert,
    "check_in": CheckIn,
    "device": Device,
    "sign_in_code": SignInCode,
    "inbound_text": InboundText,
}


@dataclass(frozen=True)
class Filters:
    """What to look for; empty = everything. ``person`` is the id of who acted."""

    person: str = ""
    patient: str = ""
    action: str = ""
    day: date | None = None


@dataclass(frozen=True)
class Line:
    """One entry with names. ``who`` and ``about`` are empty where nobody is named."""

    seq: int
    at: datetime
    action: str
    actor_kind: str
    who: str
    subject_kind: str
    about: str
    patient_id: str | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Some lines, and the number to go on before; None if these are the oldest."""

    lines: Sequence[Line]
    before: int | None


def read(session: Session, clinic_id: str, asked: Filters, before: int | None = None) -> Page:
    """Fifty of the clinic's entries, the newest first; those older than number ``before``."""
    query = _query(session, clinic_id, asked)
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    rows = session.scalars(query.limit(PAGE + 1)).all()
    more = len(rows) > PAGE
    return Page(_lines(session, clinic_id, rows[:PAGE]), rows[PAGE - 1].seq if more else None)


def export(session: Session, clinic_id: str, asked: Filters, by: Actor, now: datetime) -> Page:
    """The newest ten thousand entries that were asked for; that they were taken is kept."""
    rows = session.scalars(_query(session, clinic_id, asked).limit(MOST_EXPORTED)).all()
    record(session, by, "audit.exported", "audit", None, now=now, clinic_id=clinic_id,
           rows=len(rows), **_said(asked))  # fmt: skip
    return Page(_lines(session, clinic_id, rows), None)


def note_look(session: Session, asked: Filters, by: Actor, now: datetime) -> None:
    """Keep on the record that somebody read the audit log, and what they looked for."""
    record(session, by, "audit.read", "audit", None, now=now, **_said(asked))


def _said(asked: Filters) -> dict[str, str]:
    given = {
        "person": asked.person, "patient": asked.patient, "only": asked.action,
        "day": asked.day.isoformat() if asked.day else "",
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}


def _query(session: Session, clinic_id: str, asked: Filters) -> Select[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.chain == chain_of(clinic_id))
    if asked.person:
        query = query.where(AuditEntry.actor_id == asked.person)
    if asked.action:
        query = query.where(AuditEntry.action == asked.action)
    if asked.patient:
        query = query.where(_about_patient(asked.patient))
    if asked.day:
        zone = ZoneInfo(readable_zone(session.get_one(Clinic, clinic_id).zone))
        begins, ends = (
            datetime.combine(day, time(), tzinfo=zone)
            for day in (asked.day, asked.day + timedelta(days=1))
        )
        query = query.where(AuditEntry.at >= begins, AuditEntry.at < ends)
    return query.order_by(AuditEntry.seq.desc())


def _about_patient(patient_id: str) -> ColumnElement[bool]:
    """By the patient, about the patient, or about a row of theirs."""
    return or_(
        and_(AuditEntry.actor_kind == "patient", AuditEntry.actor_id == patient_id),
        and_(AuditEntry.subject_kind == "patient", AuditEntry.subject_id == patient_id),
        *(
            and_(
                AuditEntry.subject_kind == kind,
                AuditEntry.subject_id.in_(select(model.id).where(model.patient_id == patient_id)),
            )
            for kind, model in _OF_PATIENT.items()
        ),
    )


@dataclass(frozen=True)
class Choices:
    """What the clinic's entries can be looked for by: ids with names, and actions."""

    people: Sequence[tuple[str, str]]
    patients: Sequence[tuple[str, str]]
    actions: Sequence[str]


def choices(session: Session, clinic_id: str) -> Choices:
    """Everybody of the clinic, also who has left, and every action that its log knows."""
    staff = select(StaffMember.id, StaffMember.name).where(StaffMember.clinic_id == clinic_id)
    patients = select(Patient).where(Patient.clinic_id == clinic_id)
    actions = select(AuditEntry.action).where(AuditEntry.chain == chain_of(clinic_id)).distinct()
    by_name = Patient.last_name, Patient.first_name
    return Choices(
        people=[(row.id, row.name) for row in session.execute(staff.order_by(StaffMember.name))],
        patients=[(row.id, _name(row)) for row in session.scalars(patients.order_by(*by_name))],
        actions=sorted(session.scalars(actions)),
    )


# ---- names


def _name(person: Patient) -> str:
    return f"{person.last_name}, {person.first_name}"


def _lines(session: Session, clinic_id: str, rows: Sequence[AuditEntry]) -> list[Line]:
    """The entries with the names of the clinic's own people; six statements at most."""
    of_row = _patients_of(session, rows)
    wanted = {"staff": set[str](), "patient": set(of_row.values()), "caregiver": set[str]()}
    for row in rows:
        for kind, its_id in ((row.actor_kind, row.actor_id), _subject(row)):
            if kind in wanted and its_id:
                wanted[kind].add(its_id)
    names = {
        "staff": _named(session, StaffMember, clinic_id, wanted["staff"]),
        "patient": _named(session, Patient, clinic_id, wanted["patient"]),
        "caregiver": _named(session, Caregiver, clinic_id, wanted["caregiver"]),
    }
    return [_line(row, names, of_row) for row in rows]


def _subject(row: AuditEntry) -> tuple[str, str | None]:
    kind = "staff" if row.subject_kind == "staff_member" else row.subject_kind
    return kind, row.subject_id


def _named(session: Session, model: Any, clinic_id: str, ids: Iterable[str]) -> dict[str, str]:
    wanted = sorted(ids)
    if not wanted:
        return {}
    found = session.scalars(select(model).where(model.clinic_id == clinic_id, model.id.in_(wanted)))
    if model is StaffMember:
        return {one.id: one.name for one in found}
    if model is Caregiver:
        return {one.id: one.first_name for one in found}
    return {one.id: _name(one) for one in found}


def _patients_of(session: Session, rows: Sequence[AuditEntry]) -> dict[tuple[str, str], str]:
    """For entries about a row of a patient's: whose it is."""
    found: dict[tuple[str, str], str] = {}
    for kind, model in _OF_PATIENT.items():
        ids = sorted(
            {row.subject_id for row in rows if row.subject_kind == kind and row.subject_id}
        )
        if ids:
            whose = select(model.id, model.patient_id).where(model.id.in_(ids))
            found.update({(kind, one.id): one.patient_id for one in session.execute(whose)
                          if one.patient_id})  # fmt: skip
    return found


def _line(
    row: AuditEntry, names: dict[str, dict[str, str]], of_row: dict[tuple[str, str], str]
) -> Line:
    kind, subject_id = _subject(row)
    patient_id = of_row.get((kind, subject_id or ""))
    if kind == "patient":
        patient_id = subject_id
    about = names.get(kind, {}).get(subject_id or "", "")
    if patient_id is not None:
        about = names["patient"].get(patient_id, "")
    return Line(
        seq=row.seq, at=row.at, action=row.action, actor_kind=row.actor_kind,
        who=names.get(row.actor_kind, {}).get(row.actor_id or "", ""),
        subject_kind=row.subject_kind, about=about,
        patient_id=patient_id if about else None, detail=row.detail,
    )  # fmt: skip


# ---- what a patient may see


@dataclass(frozen=True)
class Look:
    """Somebody of the care team opened the record: when last on that day, and how often."""

    name: str
    role: Role
    day: date
    last_at: datetime
    times: int


LOOKS = frozenset({"patient.viewed", "check_in.read", "silence.read"})


def looks_at(session: Session, patient: Patient, most: int = 500) -> list[Look]:
    """Who of the care team looked at the patient's record, by person and day, newest first."""
    zone = ZoneInfo(readable_zone(patient.zone))
    rows = session.execute(
        select(AuditEntry.at, StaffMember.id, StaffMember.name, StaffMember.role)
        .join(StaffMember, StaffMember.id == AuditEntry.actor_id)
        .where(
            AuditEntry.actor_kind == "staff",
            AuditEntry.action.in_(LOOKS),
            _about_patient(patient.id),
        )
        .order_by(AuditEntry.id.desc())
        .limit(most)
    )
    found: dict[tuple[str, date], Look] = {}
    for at, staff_id, name, role in rows:
        day = at.astimezone(zone).date()
        known = found.get((staff_id, day))
        last = known.last_at if known else at
        found[staff_id, day] = Look(name, role, day, last, (known.times if known else 0) + 1)
    return list(found.values())
