"""The daily text: planned for each patient's own hour and zone, at most one a local day."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.places import emergency_number
from patient_portal.domain.schedule import (
    REMINDER_MAY_BE_LATE,
    REMINDER_SPREAD_SECONDS,
    is_waking_hour,
    local_date,
    next_reminder,
    readable_zone,
    reminder_lives_for,
)
from patient_portal.logs import get_logger
from patient_portal.models import (
    CheckIn,
    CheckInState,
    Clinic,
    Lane,
    Link,
    LinkKind,
    Message,
    MessageKind,
    Patient,
)
from patient_portal.services import messages
from patient_portal.services.enrolment import LINK_LIVES
from patient_portal.services.pauses import is_paused
from patient_portal.services.site import Site
from patient_portal.services.tokens import digest, link_token
from patient_portal.sms import texts
from patient_portal.words import Words

BATCH = 1000
# A patient whose row cannot be planned is looked at again after this long.
SET_ASIDE_FOR = timedelta(days=1)
_log = get_logger()


def plan(session: Session, patient: Patient, now: datetime) -> None:
    """Set when this patient's next reminder is due; never, if they are not to have one.

    To be called whenever hour, zone, consent or enrolment changes.
    """
    last = session.scalars(
        select(func.max(Message.created_at)).where(
            Message.patient_id == patient.id, Message.kind == MessageKind.REMINDER
        )
    ).one()
    patient.reminder_due_at = _next(patient, now, last) if _may_be_texted(patient) else None


def plan_missing(session: Session, now: datetime, limit: int = BATCH) -> int:
    """Plan for enrolled patients for whom nothing is planned. Returns how many."""
    found = session.scalars(
        select(Patient)
        .where(
            Patient.reminder_due_at.is_(None),
            Patient.enrolled_at.is_not(None),
            Patient.ended_at.is_(None),
            Patient.texts_stopped_at.is_(None),
        )
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    for patient in found:
        try:
            plan(session, patient, now)
        except ValueError as error:
            _set_aside(patient, now, error)
    return len(found)


def _may_be_texted(patient: Patient) -> bool:
    return (
        patient.enrolled_at is not None
        and patient.ended_at is None
        and patient.texts_stopped_at is None
    )


def _next(patient: Patient, now: datetime, last: datetime | None) -> datetime:
    zone = readable_zone(patient.zone)
    return next_reminder(now, zone, patient.reminder_at, last=last, spread=spread_of(patient.id))


def spread_of(patient_id: str) -> int:
    """Seconds after the chosen minute at which this patient is texted: always the same."""
    number = int.from_bytes(hashlib.sha256(patient_id.encode()).digest()[:4], "big")
    return number % REMINDER_SPREAD_SECONDS


def any_due(session: Session, now: datetime) -> bool:
    """Whether a reminder is due. Only a look."""
    due = select(Patient.id).where(Patient.reminder_due_at <= now)
    return bool(session.execute(select(due.exists())).scalar())


@dataclass
class _Batch:
    """Patients whose reminder is due, with what decides about it, read in a few statements."""

    patients: Sequence[Patient]
    today: dict[str, date] = field(default_factory=dict)
    answered: set[tuple[str, date]] = field(default_factory=set)
    reminded: set[str] = field(default_factory=set)
    clinics: dict[str, Clinic] = field(default_factory=dict)


def queue_due(session: Session, site: Site, now: datetime, limit: int = BATCH) -> int:
    """Queue the reminders that are due and plan each patient's next one.

    Returns how many patients were decided on, texted or not.

    Rows that another worker holds are stepped over, and rows are held so that a check-in may still
    name its patient: a red answer must not wait for a whole batch. A patient whose row makes
    trouble is set aside for a day and logged; the others do not wait for it.
    """
    patients = session.scalars(
        select(Patient)
        .where(Patient.reminder_due_at <= now)
        .order_by(Patient.reminder_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    if not patients:
        return 0
    batch = _read_batch(session, patients, now)
    links: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for patient in patients:
        try:
            wanted = _is_wanted(batch, patient, now)
            patient.reminder_due_at = (
                _next(patient, now, now if wanted else None) if _may_be_texted(patient) else None
            )
            if wanted:
                link = _link_row(site, patient, batch.today[patient.id], now)
                rows.append(messages.row_of(_draft(site, batch, patient, link["id"], now), now))
                links.append(link)
        except (ValueError, LookupError) as error:
            _set_aside(patient, now, error)
    if rows:
        session.execute(insert(Link.__table__), links)  # type: ignore[arg-type]
        _insert_texts(session, rows)
        messages.wake_workers(session)
    return len(patients)


def _set_aside(patient: Patient, now: datetime, error: Exception) -> None:
    patient.reminder_due_at = now + SET_ASIDE_FOR
    _log.error("reminder.set_aside", patient_id=patient.id, exc_info=error)


def _read_batch(session: Session, patients: Sequence[Patient], now: datetime) -> _Batch:
    batch = _Batch(patients)
    batch.today = {one.id: local_date(now, readable_zone(one.zone)) for one in patients}
    ids = list(batch.today)
    batch.answered = {
        (row.patient_id, row.local_date)
        for row in session.execute(
            select(CheckIn.patient_id, CheckIn.local_date).where(
                CheckIn.patient_id.in_(ids),
                CheckIn.local_date.in_(set(batch.today.values())),
                or_(
                    CheckIn.state == CheckInState.SENT,
                    CheckIn.level >= int(TriageLevel.URGENT),
                ),
            )
        )
    }
    keys = [once_key(patient_id, day) for patient_id, day in batch.today.items()]
    batch.reminded = set(
        session.scalars(select(Message.once_key).where(Message.once_key.in_(keys)))
    )
    clinics = select(Clinic).where(Clinic.id.in_({patient.clinic_id for patient in patients}))
    batch.clinics = {clinic.id: clinic for clinic in session.scalars(clinics)}
    return batch


def once_key(patient_id: str, day: date) -> str:
    """What makes a reminder the one of its day."""
    return f"reminder:{patient_id}:{day.isoformat()}"


def _is_wanted(batch: _Batch, patient: Patient, now: datetime) -> bool:
    """Whether this patient is to be texted now: not yet, not late, not at night, not in vain."""
    due = patient.reminder_due_at
    if due is None or not _may_be_texted(patient):
        return False
    zone = readable_zone(patient.zone)
    day = local_date(now, zone)
    return (
        now - due <= REMINDER_MAY_BE_LATE
        and local_date(due, zone) == day
        and is_waking_hour(now, zone)
        and not is_paused(patient, day)
        and (patient.id, day) not in batch.answered
        and once_key(patient.id, day) not in batch.reminded
    )


def _link_row(site: Site, patient: Patient, day: date, now: datetime) -> dict[str, Any]:
    link_id = new_id()
    return {
        "id": link_id,
        "patient_id": patient.id,
        "kind": LinkKind.DAILY,
        "token_hash": digest(link_token(site.pepper, link_id)),
        "for_date": day,
        "created_at": now,
        "expires_at": now + LINK_LIVES[LinkKind.DAILY],
    }


def _draft(
    site: Site, batch: _Batch, patient: Patient, link_id: str, now: datetime
) -> messages.Draft:
    body = texts.reminder(
        Words(patient.language),
        clinic=batch.clinics[patient.clinic_id].name,
        base_url=site.base_url,
        number=emergency_number(patient.country),
    )
    return messages.Draft(
        clinic_id=patient.clinic_id,
        to_number=patient.phone,
        kind=MessageKind.REMINDER,
        lane=Lane.REMINDER,
        body=body,
        once_key=once_key(patient.id, batch.today[patient.id]),
        lives_for=reminder_lives_for(now, readable_zone(patient.zone)),
        patient_id=patient.id,
        secret_of=f"link:{link_id}",
    )


def _insert_texts(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Insert texts; one that another process queued meanwhile stays the only one."""
    table: Any = Message.__table__
    make: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = make.insert(table).on_conflict_do_nothing(index_elements=["once_key"])
    session.execute(statement, list(rows))
