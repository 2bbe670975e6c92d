"""Texts from people that a person of the care team has to read, and the ones behind an alert."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased

from patient_portal.domain.levels import TriageLevel
from patient_portal.models import Caregiver, InboundText, Patient, StaffMember, StaffPhone
from patient_portal.services.audit import Actor, record
from patient_portal.services.danger_texts import level_of

# What no machine could act on. A text with words of danger stands on its alert instead.
TO_READ = ("needs_reading", "help", "looping", "unknown_number", "not_handled")
MOST_SHOWN = 100


class NoSuchText(LookupError):
    """There is no such text in this clinic."""


class TextLine(NamedTuple):
    """One text as it was written, and whose it is as far as we know.

    ``helper`` and ``staff`` are names. ``level`` is that of its words: a stranger's text opens no
    alert, and one that the code tripped over may have opened none.
    """

    id: str
    body: str
    received_at: datetime
    phone: str
    handled_as: str
    patient_id: str | None
    patient: str | None
    helper: str | None
    staff: str | None
    level: TriageLevel
    is_read: bool


_LINES = (
    select(
        InboundText.id,
        InboundText.body,
        InboundText.received_at,
        InboundText.from_number,
        InboundText.handled_as,
        InboundText.patient_id,
        InboundText.read_at,
        Patient.first_name,
        Patient.last_name,
        Caregiver.first_name.label("helper"),
        StaffMember.name.label("staff"),
    )
    .outerjoin(Patient, Patient.id == InboundText.patient_id)
    .outerjoin(Caregiver, Caregiver.id == InboundText.caregiver_id)
    .outerjoin(StaffMember, StaffMember.id == InboundText.staff_id)
)
_TO_READ = (
    _LINES.where(
        InboundText.clinic_id == bindparam("clinic"),
        InboundText.handled_as.in_(TO_READ),
        InboundText.read_at.is_(None),
    )
    .order_by(InboundText.received_at)
    .limit(MOST_SHOWN)
)
_OF_ALERT = (
    _LINES.where(InboundText.alert_id == bindparam("alert"), InboundText.staff_id.is_(None))
    .order_by(InboundText.received_at)
    .limit(MOST_SHOWN)
)
_other = aliased(StaffPhone)
_usable = exists().where(
    _other.staff_id == StaffMember.id, _other.stopped_at.is_(None), _other.bad_at.is_(None)
)
_SILENCED = (
    select(StaffMember.name)
    .join(StaffPhone, StaffPhone.staff_id == StaffMember.id)
    .where(
        StaffMember.clinic_id == bindparam("clinic"),
        StaffMember.disabled_at.is_(None),
        StaffPhone.stopped_at.is_not(None),
        ~_usable,
    )
    .distinct()
    .order_by(StaffMember.name)
)


def to_read(session: Session, clinic_id: str) -> list[TextLine]:
    """Texts that nobody has read: those with words of danger first, else the oldest."""
    lines = [_line(row) for row in session.execute(_TO_READ, {"clinic": clinic_id})]
    lines.sort(key=lambda line: (-line.level, line.received_at))
    return lines


def of_alert(session: Session, alert_id: str) -> list[TextLine]:
    """What was written to us that raised or joined an alert, the oldest first."""
    return [_line(row) for row in session.execute(_OF_ALERT, {"alert": alert_id})]


def silenced(session: Session, clinic_id: str) -> Sequence[str]:
    """Names of staff whom no text reaches because their phone answered STOP."""
    return session.scalars(_SILENCED, {"clinic": clinic_id}).all()


def mark_read(session: Session, by: StaffMember, text_id: str, now: datetime) -> None:
    """Note that ``by`` has read a text; the first who does is kept.

    Raises NoSuchText, also for another clinic's.
    """
    found = session.scalars(
        update(InboundText)
        .where(
            InboundText.id == text_id,
            InboundText.clinic_id == by.clinic_id,
            InboundText.read_at.is_(None),
        )
        .values(read_at=now, read_by=by.id)
        .returning(InboundText.id)
        .execution_options(synchronize_session=False)
    ).first()
    if found is not None:
        record(
            session, Actor("staff", by.id, by.clinic_id), "text.read", "inbound_text", text_id,
            now=now,
        )  # fmt: skip
        return
    known = select(InboundText.id).where(
        InboundText.id == text_id, InboundText.clinic_id == by.clinic_id
    )
    if session.scalars(known).first() is None:
        raise NoSuchText(text_id)


def _line(row: Any) -> TextLine:
    return TextLine(
        id=row.id,
        body=row.body,
        received_at=row.received_at,
        phone=row.from_number,
        handled_as=row.handled_as or "",
        patient_id=row.patient_id,
        patient=f"{row.first_name} {row.last_name}" if row.patient_id else None,
        helper=row.helper,
        staff=row.staff,
        level=level_of(row.body),
        is_read=row.read_at is not None,
    )
