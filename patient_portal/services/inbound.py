"""Texts that people send us: one door, kept first, then understood, in a fixed order.

Nobody's text is lost: every row says what it was taken for and, where no machine can act on it,
whose care team has to read it. This number gives no medical help, and says so to every patient
and helper who writes to it.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.keywords import Wish, is_networks, wish_of
from patient_portal.domain.phone_numbers import country_of
from patient_portal.domain.places import emergency_number
from patient_portal.logs import get_logger
from patient_portal.models import Caregiver, CaregiverGrant, Clinic, InboundText, Patient
from patient_portal.services import answering, danger_texts, opt_out, replies
from patient_portal.services.audit import undoable
from patient_portal.services.site import Site
from patient_portal.sms import reply_texts, texts
from patient_portal.words import SOURCE_LANGUAGE, Words

LONGEST_BODY = 1600
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
# What damaged data can raise while a text is acted on. A database that is away is none of these:
# then nothing is kept, and the gateway is told so.
_SLIPS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
_log = get_logger()


@dataclass(frozen=True)
class _Writers:
    """Everyone whose phone has this number. Several patients may share one.

    ``helped`` are those whom the caregivers help and whose own phone is another; ``patients`` and
    ``helped`` put people who have not ended first.
    """

    patients: Sequence[Patient]
    caregivers: Sequence[Caregiver]
    helped: Sequence[Patient]
    staff: Sequence[replies.Owner]

    @property
    def concerned(self) -> Sequence[Patient]:
        """Whom a text may be about: all who are enrolled, else the one who ended last.

        The writers come before those whom they help: who is both may write of either.
        """
        known = [*self.patients, *self.helped]
        return [each for each in known if each.ended_at is None] or known[:1]

    @property
    def language(self) -> str:
        """The writer's own language."""
        own = [each for each in self.concerned if each in self.patients]
        people = own or self.caregivers or self.patients
        return people[0].language if people else SOURCE_LANGUAGE


def receive(
    session: Session,
    site: Site,
    gateway_id: str,
    from_number: str,
    body: str,
    now: datetime,
    *,
    opt_out: str = "",
    own_numbers: Collection[str] = (),
) -> str:
    """Keep a text and act on it; says what it was taken for. The same id again is ``duplicate``.

    ``opt_out`` is the gateway's own word for it (STOP, START, HELP), if it gives one.
    ``own_numbers`` are ours: what comes from them is kept and answered by nobody.
    """
    found = {
        "id": new_id(),
        "gateway_id": gateway_id[:40],
        "from_number": from_number[:20],
        # PostgreSQL keeps no NUL in a text.
        "body": body.replace("\x00", "")[:LONGEST_BODY],
        "received_at": now,
    }
    if not insert_once(session, InboundText.__table__, found, unique=["gateway_id"]):  # type: ignore[arg-type]
        return "duplicate"
    row = session.get_one(InboundText, found["id"])
    if from_number in own_numbers:
        row.handled_as = "own_number"
        return row.handled_as
    try:
        with undoable(session):
            row.handled_as = _act(session, site, row, opt_out, now)
    except _SLIPS as error:
        # The text stays, and somebody reads it.
        _log.error("inbound.failed", error=type(error).__name__, where=_place_of(error))
        row.handled_as, row.clinic_id = "not_handled", _any_clinic(session)
    return row.handled_as


def _act(session: Session, site: Site, row: InboundText, opt_out_word: str, now: datetime) -> str:
    writers = _writers(session, row.from_number)
    _belongs_to(row, writers)
    wish = _wish(writers, opt_out_word or row.body)
    if wish is Wish.STOP or wish is Wish.START:
        by_network = bool(opt_out_word) or is_networks(row.body)
        return _stop_or_start(session, row, writers, wish, now, by_network=by_network)
    level = danger_texts.level_of(row.body)
    if level.is_red and writers.concerned:
        danger_texts.act(session, site, row, writers.concerned, writers.language, level, now)
        return "danger"
    is_patients = bool(writers.concerned)
    if writers.staff and (not is_patients or replies.names_reference(row.body)):
        return replies.act(session, site, row, writers.staff, now)
    if is_patients:
        return _free_text(session, row, writers, wish, now)
    return _stranger(session, row, now)


def _belongs_to(row: InboundText, writers: _Writers) -> None:
    """Whose text it is, before anything is made of it."""
    if writers.concerned:
        row.patient_id = writers.concerned[0].id
        row.clinic_id = writers.concerned[0].clinic_id
        if writers.concerned[0] not in writers.patients:
            row.caregiver_id = writers.caregivers[0].id
    elif writers.staff:
        row.staff_id = writers.staff[0].person.id
        row.clinic_id = writers.staff[0].person.clinic_id
    elif writers.caregivers:
        row.caregiver_id = writers.caregivers[0].id
        row.clinic_id = writers.caregivers[0].clinic_id


def _wish(writers: _Writers, text: str) -> Wish | None:
    """YES starts texts again for a phone that stopped them; from others it is plain talk."""
    wish = wish_of(text)
    if wish is not Wish.YES:
        return wish
    stopped = any(each.texts_stopped_at for each in writers.patients)
    stopped = stopped or any(each.phone.stopped_at for each in writers.staff)
    return Wish.START if stopped else None


def _place_of(error: Exception) -> str:
    """Where it was raised. Its text and variables may hold what a person wrote."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else ""


# ---- who writes


def _writers(session: Session, number: str) -> _Writers:
    order = (Patient.ended_at.is_not(None), Patient.ended_at.desc(), Patient.created_at)
    patients = session.scalars(
        select(Patient).where(Patient.phone == number).order_by(*order)
    ).all()
    caregivers = session.scalars(
        select(Caregiver).where(Caregiver.phone == number).order_by(Caregiver.created_at)
    ).all()
    granted = select(CaregiverGrant.patient_id).where(
        CaregiverGrant.caregiver_id.in_([each.id for each in caregivers]),
        CaregiverGrant.ended_at.is_(None),
    )
    helped = session.scalars(
        select(Patient).where(Patient.id.in_(granted), Patient.phone != number).order_by(*order)
    ).all()
    return _Writers(patients, caregivers, helped, replies.owners_of(session, number))


def _any_clinic(session: Session) -> str | None:
    """Where texts of strangers are read: the site's first clinic."""
    return session.scalars(select(Clinic.id).order_by(Clinic.created_at, Clinic.id)).first()


# ---- what is done


def _stop_or_start(
    session: Session, row: InboundText, writers: _Writers, wish: Wish, now: datetime,
    *, by_network: bool,
) -> str:  # fmt: skip
    change = opt_out.stop_number if wish is Wish.STOP else opt_out.start_number
    change(session, row.from_number, now)
    # The network answers its own words; a second answer would be one too many.
    if wish is Wish.STOP and not by_network and writers.concerned:
        patient = writers.concerned[0]
        clinic = session.get_one(Clinic, patient.clinic_id)
        body = reply_texts.texts_stopped(
            Words(writers.language), clinic=clinic.name, line=clinic.line,
            number=emergency_number(patient.country),
        )  # fmt: skip
        answering.passive(session, row, body, now)
    return wish.value


def _free_text(
    session: Session, row: InboundText, writers: _Writers, wish: Wish | None, now: datetime
) -> str:
    """Somebody of the care team reads it; the writer hears whom to call instead."""
    handled_as = "help" if wish is Wish.HELP else "needs_reading"
    if writers.patients and all(each.texts_stopped_at for each in writers.patients):
        return handled_as  # the network would not let an answer through
    patient = writers.concerned[0]
    clinic = session.get_one(Clinic, patient.clinic_id)
    body = texts.no_medical_help(
        Words(writers.language),
        clinic=clinic.name,
        line=clinic.line,
        number=emergency_number(patient.country),
    )
    return handled_as if answering.passive(session, row, body, now) else "looping"


def _stranger(session: Session, row: InboundText, now: datetime) -> str:
    """A phone we do not know: the emergency line, once a day. A person reads the text."""
    row.clinic_id = row.clinic_id or _any_clinic(session)
    clinic = session.get(Clinic, row.clinic_id) if row.clinic_id else None
    if clinic is not None and _PHONE.fullmatch(row.from_number):
        number = emergency_number(country_of(row.from_number) or clinic.country)
        body = reply_texts.nobody_reads(Words(clinic.language), number=number)
        answering.stranger(session, row, body, now)
    return "unknown_number"
