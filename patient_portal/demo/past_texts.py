"""Texts that lie on the demo's phones when it starts, delivered as they would have been.

Nothing of this is ever sent: the rows are written as delivered, or marked so at once.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.demo import cast
from patient_portal.demo.days import local_moment
from patient_portal.domain.places import emergency_number
from patient_portal.models import (
    Alert,
    CheckIn,
    Lane,
    LinkKind,
    Message,
    MessageKind,
    MessageState,
    Patient,
)
from patient_portal.services import reminders
from patient_portal.services.enrolment import new_link
from patient_portal.services.site import Site
from patient_portal.sms import texts
from patient_portal.words import Words

REMINDER_DAYS = 3
WORTH_SENDING = timedelta(hours=4)
ACCEPTED_IN = timedelta(seconds=1)
DELIVERED_IN = timedelta(seconds=3)


def deliver(session: Session, alert: Alert) -> None:
    """Mark the texts that this alert has queued as delivered seconds after they were due."""
    queued = session.scalars(
        select(Message).where(Message.alert_id == alert.id, Message.state == MessageState.DUE)
    ).all()
    for message in queued:
        session.execute(
            update(Message)
            .where(Message.id == message.id)
            .values(**_delivered(message.due_at), attempts=1)
        )


def of_patient(
    session: Session, site: Site, person: cast.Person, patient: Patient, now: datetime
) -> None:
    """The invitation of somebody new, or the reminders of the last days; plans the next one."""
    if person.invited_only:
        _invite(session, site, patient, now)
        return
    zone = ZoneInfo(patient.zone)
    today = now.astimezone(zone).date()
    for ago in range(REMINDER_DAYS, -1, -1):
        on = today - timedelta(days=ago)
        at = local_moment(on, patient.reminder_at, patient.zone)
        if at <= now and not _answered_before(session, patient, on, at):
            _reminder(session, site, patient, on, at)
    reminders.plan(session, patient, now)


def _answered_before(session: Session, patient: Patient, on: date, at: datetime) -> bool:
    return (
        session.scalars(
            select(CheckIn.id).where(
                CheckIn.patient_id == patient.id,
                CheckIn.local_date == on,
                CheckIn.sent_at < at,
            )
        ).first()
        is not None
    )


def _invite(session: Session, site: Site, patient: Patient, now: datetime) -> None:
    words = Words(patient.language)
    at = now - timedelta(minutes=20)
    link = new_link(session, site, patient, LinkKind.INVITE, at).id
    body = texts.invite(words, clinic=cast.CLINIC_NAME, base_url=site.base_url)
    _text(session, patient, MessageKind.INVITE, Lane.PATIENT, body, link, f"invite:{link}", at)


def _reminder(session: Session, site: Site, patient: Patient, on: date, at: datetime) -> None:
    link = new_link(session, site, patient, LinkKind.DAILY, at, on).id
    body = texts.reminder(
        Words(patient.language),
        clinic=cast.CLINIC_NAME,
        base_url=site.base_url,
        number=emergency_number(patient.country),
    )
    once = reminders.once_key(patient.id, on)
    _text(session, patient, MessageKind.REMINDER, Lane.REMINDER, body, link, once, at)


def _text(
    session: Session,
    patient: Patient,
    kind: MessageKind,
    lane: Lane,
    body: str,
    link: str,
    once_key: str,
    at: datetime,
) -> None:
    session.execute(
        insert(Message),
        [
            {
                "id": new_id(),
                "clinic_id": patient.clinic_id,
                "kind": kind,
                "lane": lane,
                "to_number": patient.phone,
                "patient_id": patient.id,
                "body": body,
                "secret_of": f"link:{link}",
                "once_key": once_key,
                "due_at": at,
                "expires_at": at + WORTH_SENDING,
                "attempts": 1,
                "created_at": at,
                **_delivered(at),
            }
        ],
    )


def _delivered(at: datetime) -> dict[str, object]:
    return {
        "state": MessageState.DELIVERED,
        "accepted_at": at + ACCEPTED_IN,
        "delivered_at": at + DELIVERED_IN,
        "gateway_id": f"demo{new_id()}",
    }
