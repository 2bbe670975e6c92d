"""How a phone becomes a remembered phone: a code by text, then the year of birth.

The code proves the number. The year guards against the wrong person of a household; it is no
secret and never keeps anybody from reporting. A number that we do not know is treated in every
way like one that we know, except that no text is queued.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import ScalarResult, delete, select, update
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.models import (
    Caregiver,
    CaregiverGrant,
    Clinic,
    Lane,
    MessageKind,
    Patient,
    SignInCode,
)
from patient_portal.services import messages, rates, reminders
from patient_portal.services.audit import SYSTEM, record
from patient_portal.services.devices import actor_of, remember
from patient_portal.services.site import Site
from patient_portal.services.tokens import (
    digest,
    fresh_token,
    keyed_digest,
    same,
    sign_in_code,
)
from patient_portal.sms import texts
from patient_portal.words import Words

__all__ = [
    "Asked", "Refusal", "Remembered", "actor_of", "ask_code_for_number", "ask_code_for_patient",
    "helped_by", "remember", "verify",
]  # fmt: skip

CODE_LIVES = timedelta(minutes=10)
MOST_TRIES = 5
_CODES_KEPT = timedelta(days=1)
_LONGEST_TOKEN = 100


@dataclass(frozen=True)
class Asked:
    """What came of asking for a code: the browser's challenge, or the limit that was passed."""

    challenge: str = ""
    limit: rates.Limit | None = None


def ask_code_for_number(
    session: Session, site: Site, numbers: Sequence[str], address: str, now: datetime
) -> Asked:
    """Text a code to the person with one of these numbers (readings of what was typed)."""
    for number in numbers:
        patient = _patients_with(session, number).first()
        caregiver = None if patient else _caregivers_with(session, number).first()
        if patient or caregiver:
            return _ask(session, site, number, patient or caregiver, address, now)
    return _ask(session, site, numbers[0], None, address, now)


def ask_code_for_patient(
    session: Session, site: Site, patient: Patient, address: str, now: datetime
) -> Asked:
    """Text a code to the patient whose link was opened."""
    return _ask(session, site, patient.phone, patient, address, now)


def _ask(
    session: Session,
    site: Site,
    number: str,
    person: Patient | Caregiver | None,
    address: str,
    now: datetime,
) -> Asked:
    number_key = _number_key(site, number)
    asking = keyed_digest(site.pepper, f"address:{address}")
    limit = rates.hit(session, f"ask:{asking}", rates.CODE_ASKS_FROM_ADDRESS, now) or rates.hit(
        session, f"code:{number_key}", rates.CODE_TEXTS, now
    )
    if limit is not None:
        return Asked(limit=limit)
    _sweep(session, now)
    session.execute(  # a new code ends the one before
        update(SignInCode)
        .where(SignInCode.number_key == number_key, SignInCode.expires_at > now)
        .values(expires_at=now)
    )
    code_id, challenge = new_id(), fresh_token()
    code = SignInCode(
        id=code_id,
        patient_id=person.id if isinstance(person, Patient) else None,
        caregiver_id=person.id if isinstance(person, Caregiver) else None,
        number_key=number_key,
        challenge_hash=digest(challenge),
        code_hash=_code_hash(site, code_id, sign_in_code(site.pepper, code_id)),
        tries=0,
        created_at=now,
        expires_at=now + CODE_LIVES,
    )
    session.add(code)
    session.flush()
    if person is not None:
        _text_code(session, site, person, code, now)
    return Asked(challenge)


def _text_code(
    session: Session, site: Site, person: Patient | Caregiver, code: SignInCode, now: datetime
) -> None:
    clinic = session.get_one(Clinic, person.clinic_id)
    messages.queue(
        session,
        messages.Draft(
            clinic_id=person.clinic_id,
            to_number=person.phone,
            kind=MessageKind.CODE,
            lane=Lane.PATIENT,
            body=texts.code(
                Words(person.language), clinic=clinic.name, host=urlsplit(site.base_url).netloc
            ),
            once_key=f"code:{code.id}",
            lives_for=CODE_LIVES,
            patient_id=code.patient_id,
            secret_of=f"code:{code.id}",
        ),
        now,
    )
    record(session, actor_of(person), "code.asked", "sign_in_code", code.id, now=now)


class Refusal(StrEnum):
    """Why a code did not sign anybody in."""

    CODE = "code"  # wrong, late, used, superseded, another browser's, or tried too often
    YEAR = "year"
    PAUSED = "paused"


@dataclass(frozen=True)
class Remembered:
    """A phone that is remembered from now on. ``token`` goes into its cookie."""

    token: str
    person: Patient | Caregiver
    is_first_time: bool


def verify(
    session: Session,
    site: Site,
    challenge: str,
    code: str,
    birth_year: int,
    now: datetime,
    *,
    is_shared: bool = False,
) -> Remembered | Refusal:
    """Remember the phone if code and year are right.

    Refusals are returned, not raised: the count of tries must be committed with them.
    """
    row = _standing_code(session, challenge, now)
    if row is None:
        return Refusal.CODE
    fails = f"fail:{row.number_key}"
    if rates.is_full(session, fails, rates.CODE_FAILS, now):
        return Refusal.PAUSED
    row.tries += 1
    number = _number_of(session, row)
    is_right = same(row.code_hash, _code_hash(site, row.id, code))
    if not is_right or number is None or _number_key(site, number) != row.number_key:
        rates.hit(session, fails, rates.CODE_FAILS, now)
        return _refused(session, row, Refusal.CODE, now)
    person = _person(session, row, number, birth_year)
    if person is None:
        rates.hit(session, fails, rates.CODE_FAILS, now)
        return _refused(session, row, Refusal.YEAR, now)
    row.used_at = now
    rates.forget(session, fails, rates.CODE_FAILS)
    is_first_time = isinstance(person, Patient) and person.enrolled_at is None
    token = remember(session, person, now, is_shared=is_shared)
    if isinstance(person, Patient) and is_first_time:
        _enrol(session, person, now)
    return Remembered(token, person, is_first_time)


def _refused(session: Session, row: SignInCode, why: Refusal, now: datetime) -> Refusal:
    """Keep a refused code on the record, of a number that we know and of one that we do not.

    Tries are limited for each code, and codes for each number, so these entries are too; what is
    refused unread while signing in pauses is not kept.
    """
    clinic_id = None
    if row.patient_id:
        clinic_id = session.get_one(Patient, row.patient_id).clinic_id
    elif row.caregiver_id:
        clinic_id = session.get_one(Caregiver, row.caregiver_id).clinic_id
    record(
        session, SYSTEM, "code.refused", "sign_in_code", row.id,
        now=now, clinic_id=clinic_id, why=why.value,
    )  # fmt: skip
    return why


def _standing_code(session: Session, challenge: str, now: datetime) -> SignInCode | None:
    if not 0 < len(challenge) <= _LONGEST_TOKEN:
        return None
    return session.scalars(
        select(SignInCode)
        .where(
            SignInCode.challenge_hash == digest(challenge),
            SignInCode.expires_at > now,
            SignInCode.used_at.is_(None),
            SignInCode.tries < MOST_TRIES,
        )
        .with_for_update()  # twenty tries at the same moment are counted one after the other
    ).first()


def _number_of(session: Session, row: SignInCode) -> str | None:
    if row.patient_id:
        return session.get_one(Patient, row.patient_id).phone
    return session.get_one(Caregiver, row.caregiver_id).phone if row.caregiver_id else None


def _person(
    session: Session, row: SignInCode, number: str, birth_year: int
) -> Patient | Caregiver | None:
    """The patient of this phone born in that year; else the caregiver who helps one."""
    patients = [p for p in _patients_with(session, number) if p.birth_year == birth_year]
    if patients:
        return next((p for p in patients if p.id == row.patient_id), patients[0])
    for caregiver in _caregivers_with(session, number):
        if any(p.birth_year == birth_year for p in helped_by(session, caregiver)):
            return caregiver
    return None


def _patients_with(session: Session, number: str) -> ScalarResult[Patient]:
    return session.scalars(
        select(Patient)
        .where(Patient.phone == number, Patient.ended_at.is_(None))
        .order_by(Patient.created_at.desc())
    )


def _caregivers_with(session: Session, number: str) -> ScalarResult[Caregiver]:
    return session.scalars(select(Caregiver).where(Caregiver.phone == number))


def helped_by(session: Session, caregiver: Caregiver) -> list[Patient]:
    """The patients whom this caregiver may report for today."""
    rows = session.execute(
        select(Patient, CaregiverGrant.scopes)
        .join(CaregiverGrant, CaregiverGrant.patient_id == Patient.id)
        .where(
            CaregiverGrant.caregiver_id == caregiver.id,
            CaregiverGrant.ended_at.is_(None),
            Patient.ended_at.is_(None),
        )
        .order_by(Patient.first_name)
    )
    return [patient for patient, scopes in rows if "report" in scopes]


def _enrol(session: Session, patient: Patient, now: datetime) -> None:
    patient.enrolled_at = now
    reminders.plan(session, patient, now)
    record(session, actor_of(patient), "patient.enrolled", "patient", patient.id, now=now)


def _number_key(site: Site, number: str) -> str:
    return keyed_digest(site.pepper, f"number:{number}")


def _code_hash(site: Site, code_id: str, code: str) -> str:
    return keyed_digest(site.pepper, f"{code_id}:{code}")


def _sweep(session: Session, now: datetime) -> None:
    session.execute(delete(SignInCode).where(SignInCode.expires_at < now - _CODES_KEPT))
    rates.sweep(session, now)
