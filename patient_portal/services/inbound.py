"""Texts that people send us: kept first, then understood, each answered at most once an hour.

Nobody's text is lost: every row says what it was taken for. This number gives no medical help,
and says so to every patient and helper who writes to it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.places import emergency_number
from patient_portal.models import (
    Caregiver,
    CaregiverGrant,
    Clinic,
    InboundText,
    Lane,
    Message,
    MessageKind,
    Patient,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import messages, opt_out
from patient_portal.services.site import Site
from patient_portal.sms import texts
from patient_portal.words import Words

# The words at which the network itself stops and starts texts. A text counts as one of them only
# if it holds nothing else: "please do not stop" is no wish to stop.
WISHES = {
    "stop": "stop", "stopall": "stop", "unsubscribe": "stop", "end": "stop", "quit": "stop",
    "cancel": "stop", "revoke": "stop", "optout": "stop",
    "start": "start", "unstop": "start",
    "yes": "yes",  # starts texts again for a phone that stopped them, and is plain talk else
    "help": "help", "info": "help",
}  # fmt: skip

REPLY_AT_MOST_EVERY = timedelta(hours=1)
REPLY_LIVES = timedelta(hours=1)
LONGEST_BODY = 1600
_NOT_A_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class _Writers:
    """Everyone whose phone has this number. Several patients may share one."""

    patients: Sequence[Patient]
    caregivers: Sequence[Caregiver]
    staff: Sequence[StaffMember]


def receive(
    session: Session,
    site: Site,
    gateway_id: str,
    from_number: str,
    body: str,
    now: datetime,
    *,
    opt_out: str = "",
) -> str:
    """Keep a text and act on it; says what it was taken for. The same id again is ``duplicate``.

    ``opt_out`` is the gateway's own word for it (STOP, START, HELP), if it gives one.
    """
    row = {
        "id": new_id(),
        "gateway_id": gateway_id[:40],
        "from_number": from_number[:20],
        # PostgreSQL keeps no NUL in a text.
        "body": body.replace("\x00", "")[:LONGEST_BODY],
        "received_at": now,
    }
    if not insert_once(session, InboundText.__table__, row, unique=["gateway_id"]):  # type: ignore[arg-type]
        return "duplicate"
    handled_as = _act(session, site, from_number, wish_of(opt_out) or wish_of(body), now)
    session.get_one(InboundText, row["id"]).handled_as = handled_as
    return handled_as


def wish_of(body: str) -> str:
    """``stop``, ``start``, ``yes`` or ``help`` if the text is such a word and nothing else."""
    word = _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", body).casefold())
    return WISHES.get(word, "")


def _act(session: Session, site: Site, number: str, wish: str, now: datetime) -> str:
    writers = _writers(session, number)
    if not (writers.patients or writers.caregivers or writers.staff):
        return "unknown_number"
    if wish == "yes":
        wish = "start" if any(each.texts_stopped_at for each in writers.patients) else ""
    if wish in {"stop", "start"}:
        change = opt_out.stop_number if wish == "stop" else opt_out.start_number
        change(session, number, now)
        return wish  # the network answers these itself; a second answer would be one too many
    if writers.patients or writers.caregivers:
        _say_who_helps(session, writers, number, now)
        return wish or "needs_reading"
    _say_not_understood(session, site, writers.staff[0], number, now)
    return wish or "not_understood"


def _writers(session: Session, number: str) -> _Writers:
    patients = session.scalars(
        select(Patient).where(Patient.phone == number).order_by(Patient.created_at)
    ).all()
    caregivers = session.scalars(select(Caregiver).where(Caregiver.phone == number)).all()
    staff = session.scalars(
        select(StaffMember)
        .join(StaffPhone, StaffPhone.staff_id == StaffMember.id)
        .where(StaffPhone.number == number, StaffMember.disabled_at.is_(None))
        .distinct()
    ).all()
    return _Writers(patients, caregivers, staff)


def _say_who_helps(session: Session, writers: _Writers, number: str, now: datetime) -> None:
    """Tell a patient or a helper whom to call instead."""
    patient = next(iter(writers.patients), None) or _helped(session, writers.caregivers)
    if patient is None or all(each.texts_stopped_at for each in writers.patients or [patient]):
        return
    language = patient.language if writers.patients else writers.caregivers[0].language
    clinic = session.get_one(Clinic, patient.clinic_id)
    body = texts.no_medical_help(
        Words(language),
        clinic=clinic.name,
        line=clinic.line,
        number=emergency_number(patient.country),
    )
    _reply(session, number, body, clinic.id, now, patient_id=patient.id)


def _helped(session: Session, caregivers: Sequence[Caregiver]) -> Patient | None:
    """Somebody whom these people help now."""
    return session.scalars(
        select(Patient)
        .join(CaregiverGrant, CaregiverGrant.patient_id == Patient.id)
        .where(
            CaregiverGrant.caregiver_id.in_([each.id for each in caregivers]),
            CaregiverGrant.ended_at.is_(None),
        )
        .order_by(Patient.created_at)
    ).first()


def _say_not_understood(
    session: Session, site: Site, person: StaffMember, number: str, now: datetime
) -> None:
    clinic = session.get_one(Clinic, person.clinic_id)
    body = texts.not_understood(
        Words(clinic.language), clinic=clinic.name, url=f"{site.base_url}/staff/inbox"
    )
    _reply(session, number, body, clinic.id, now, staff_id=person.id)


def _reply(
    session: Session,
    number: str,
    body: str,
    clinic_id: str,
    now: datetime,
    *,
    patient_id: str | None = None,
    staff_id: str | None = None,
) -> None:
    """Queue an answer, unless this number had one within the hour: two machines could go on."""
    recent = session.scalars(
        select(Message.id)
        .where(
            Message.to_number == number,
            Message.kind == MessageKind.REPLY,
            Message.created_at > now - REPLY_AT_MOST_EVERY,
        )
        .limit(1)
    ).first()
    if recent is not None:
        return
    draft = messages.Draft(
        clinic_id=clinic_id,
        to_number=number,
        kind=MessageKind.REPLY,
        lane=Lane.PATIENT,
        body=body,
        # Two texts at the same moment: the hour's own key lets one answer through.
        once_key=f"reply:{patient_id or staff_id}:{now:%Y%m%dT%H}",
        lives_for=REPLY_LIVES,
        patient_id=patient_id,
        staff_id=staff_id,
    )
    messages.queue(session, draft, now)
