"""Pausing a patient: no reminders and no missed days for a while. Answers count as always."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol as Shape

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.pauses import Pause, pause_problem
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import MessageKind, Patient, PauseReason, Role, StaffMember
from patient_portal.services import messages
from patient_portal.services.accounts import actor_of
from patient_portal.services.audit import record

MAY_PAUSE = frozenset({Role.NURSE, Role.PHYSICIAN, Role.LEAD})
# Texts that ask for a check-in, and are not sent while a patient is paused.
ASKING: Sequence[MessageKind] = (MessageKind.REMINDER, MessageKind.REPEAT, MessageKind.ASK_HELPER)

# What a helper must be allowed to do, to be texted when there is no check-in.
MAY_REMIND = "remind"


class PauseRefused(ValueError):
    """A pause that may not be set; ``code`` says why: role, order, over, long, old, ahead."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Paused(Shape):
    """What is read of a patient: a row, or its columns."""

    zone: str
    paused_from: date | None
    paused_until: date | None
    resumed_at: datetime | None


def pause_of(patient: Paused) -> Pause | None:
    """The patient's last pause, over or not."""
    if patient.paused_from is None or patient.paused_until is None:
        return None
    ended = patient.resumed_at
    resumed_on = None if ended is None else local_date(ended, readable_zone(patient.zone))
    return Pause(patient.paused_from, patient.paused_until, resumed_on)


def is_paused(patient: Paused, day: date) -> bool:
    """Whether nothing is asked of the patient on this local day."""
    pause = pause_of(patient)
    return pause is not None and pause.covers(day)


def standing_pause(patient: Paused, now: datetime) -> Pause | None:
    """The pause that goes on or is still to come."""
    pause = pause_of(patient)
    today = local_date(now, readable_zone(patient.zone))
    return pause if pause is not None and (pause.covers(today) or pause.is_ahead(today)) else None


def pause(
    session: Session,
    patient: Patient,
    first: date,
    last: date,
    reason: PauseReason,
    by: StaffMember,
    now: datetime,
) -> None:
    """Pause from the first to the last local day; it replaces the pause before.

    Texts that wait and would ask for a check-in are called off. An open alert stays open: only a
    person closes it. Raises PauseRefused.
    """
    if by.role not in MAY_PAUSE:
        raise PauseRefused("role")
    today = local_date(now, readable_zone(patient.zone))
    problem = pause_problem(first, last, today)
    if problem:
        raise PauseRefused(problem)
    _lock(session, patient)
    before = pause_of(patient)
    if before is not None and before.first <= today:
        # The days of the pause that this one replaces are still not missed.
        patient.free_until = min(before.free_until, today)
    patient.paused_from, patient.paused_until = first, last
    patient.pause_reason, patient.resumed_at = reason, None
    if first <= today:
        messages.stop_due(session, patient.id, ASKING)
    record(
        session, actor_of(by), "patient.paused", "patient", patient.id, now=now,
        first=first.isoformat(), last=last.isoformat(), reason=reason.value,
    )  # fmt: skip


def resume(session: Session, patient: Patient, by: StaffMember, now: datetime) -> bool:
    """End the pause now. False if there was none any more.

    The day of resuming is not held against the patient; reminders come from then on. Raises
    PauseRefused (role).
    """
    if by.role not in MAY_PAUSE:
        raise PauseRefused("role")
    _lock(session, patient)
    standing = standing_pause(patient, now)
    if standing is None:
        return False
    if standing.is_ahead(local_date(now, readable_zone(patient.zone))):
        patient.paused_from = patient.paused_until = patient.pause_reason = None
    else:
        patient.resumed_at = now
    record(session, actor_of(by), "patient.resumed", "patient", patient.id, now=now)
    return True


def _lock(session: Session, patient: Patient) -> None:
    """Hold the patient's row and read it again: of two people's clicks the second sees the first.

    Held without keeping a check-in from naming its patient.
    """
    session.flush()
    session.execute(
        select(Patient)
        .where(Patient.id == patient.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
