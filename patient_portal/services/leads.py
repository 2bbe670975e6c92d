"""Texts to those who answer for the alarm path: the lead on call, or whoever stands in."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.escalation import EVERYONE
from patient_portal.models import Clinic, Lane, MessageKind, Role, StaffMember
from patient_portal.services import messages, paging
from patient_portal.words import Words

ALARM_LIVES = timedelta(hours=4)


def text_leads(
    session: Session,
    clinic_id: str,
    once: str,
    write: Callable[[Words, Clinic], str],
    now: datetime,
    *,
    but_not: str | None = None,
) -> int:
    """Queue one text to each lead who can be reached; how many were queued.

    ``once`` names the occasion: the same again queues nothing. ``but_not`` is the member of staff
    whom it is about. Where no lead can be texted the clinic's own catch-all number is, and without
    one everyone who can be.
    """
    clinic = session.get_one(Clinic, clinic_id)
    body = write(Words(clinic.language), clinic)
    drafts = [
        _draft(clinic, number, body, f"{once}:{key}", staff_id, phone_id)
        for number, key, staff_id, phone_id in _recipients(session, clinic, but_not, now)
    ]
    return sum(messages.queue(session, draft, now) for draft in drafts)


def _recipients(
    session: Session, clinic: Clinic, but_not: str | None, now: datetime
) -> list[tuple[str, str, str | None, str | None]]:
    """Number, key, and whose it is: the lead on call, else every lead, the catch-all, everyone."""
    on_call = paging.reachable(session, clinic.id, ("lead",), now)
    people = [each for each in on_call if each.id != but_not]
    if not people:
        by_role = session.scalars(
            select(StaffMember.id).where(
                StaffMember.clinic_id == clinic.id, StaffMember.role == Role.LEAD
            )
        ).all()
        found = paging.pagers(session, clinic.id, [each for each in by_role if each != but_not])
        people = list(found)
    if not people and clinic.catch_all:
        return [(clinic.catch_all, "catch_all", None, None)]
    if not people:
        everyone = paging.reachable(session, clinic.id, (EVERYONE,), now)
        people = [each for each in everyone if each.id != but_not]
    return [(each.phone, each.key, each.id, each.phone_id) for each in people]


def _draft(
    clinic: Clinic, number: str, body: str, once_key: str, staff_id: str | None,
    phone_id: str | None,
) -> messages.Draft:  # fmt: skip
    return messages.Draft(
        clinic_id=clinic.id,
        to_number=number,
        kind=MessageKind.STAFF_ALARM,
        lane=Lane.ALERT,
        body=body,
        once_key=f"alarm:{once_key}"[:120],
        lives_for=ALARM_LIVES,
        staff_id=staff_id,
        phone_id=phone_id,
    )
