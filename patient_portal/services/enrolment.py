"""How a patient comes in: the invitation, and the links that texts carry.

A link is a pointer to a page. It lets somebody write, never read, and looking at it changes
nothing: phones and messengers open links to draw previews.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.models import Clinic, Lane, Link, LinkKind, MessageKind, Patient
from patient_portal.services import messages, rates
from patient_portal.services.audit import Actor, record
from patient_portal.services.site import Site
from patient_portal.services.tokens import digest, link_token
from patient_portal.sms import texts
from patient_portal.words import Words

LINK_LIVES = {LinkKind.INVITE: timedelta(days=7), LinkKind.DAILY: timedelta(hours=36)}
# An invitation that could not be sent for a day is sent again by hand, with a fresh link.
INVITE_TEXT_LIVES = timedelta(days=1)
INVITES = (rates.Limit(1, timedelta(seconds=60)), rates.Limit(5, timedelta(days=1)))
CONSENT_VERSION = "texts-1"
FIRST_REMINDER_AT = time(9, 0)  # local; the patient may change it
_LONGEST_TOKEN = 64


class AlreadyInvited(ValueError):
    """This clinic has a patient with the same phone, birth year and last name: ``patient_id``."""

    def __init__(self, patient_id: str) -> None:
        super().__init__("already invited")
        self.patient_id = patient_id


class ClinicNotLive(ValueError):
    """The clinic has not proven yet that an alert finds somebody; see ``services.cover``."""


class TooManyTexts(ValueError):
    """The number was texted often enough for now; ``limit`` says how often is allowed."""

    def __init__(self, limit: rates.Limit) -> None:
        super().__init__("too many texts")
        self.limit = limit


@dataclass(frozen=True)
class Invitation:
    """What the care team enters. ``phone`` is E.164, ``zone`` IANA, ``country`` ISO 3166.

    ``key`` is the form's own: the same form sent twice invites once.
    """

    key: str
    first_name: str
    last_name: str
    birth_year: int
    phone: str
    language: str
    country: str
    zone: str
    drug: str
    first_dose_on: date | None = None
    baseline_weight: Decimal | None = None
    baseline_weight_unit: str | None = None
    usual: Sequence[str] = ()
    record_number: str | None = None
    temperature_unit: str = "c"
    weight_unit: str = "kg"
    partners: Sequence[str] = field(default_factory=tuple)


def invite(
    session: Session,
    site: Site,
    clinic_id: str,
    invitation: Invitation,
    actor: Actor,
    now: datetime,
) -> Patient:
    """Enter a patient and queue the text with the link. The same form again gives the same patient.

    Raises:
        AlreadyInvited: another patient of the clinic has this phone, birth year and last name.
        ClinicNotLive: the clinic's cover, rota, phones or drill are not proven yet.
    """
    if session.get_one(Clinic, clinic_id).live_at is None:
        raise ClinicNotLive(clinic_id)
    twin = _twin(session, clinic_id, invitation)
    if twin is not None and twin.id != invitation.key:
        raise AlreadyInvited(twin.id)
    is_new = insert_once(
        session,
        Patient.__table__,  # type: ignore[arg-type]
        row_of(clinic_id, invitation, now),
        unique=["id"],
    )
    patient = session.get_one(Patient, invitation.key)
    if patient.clinic_id != clinic_id:  # a made-up form key that names another clinic's patient
        raise AlreadyInvited("")
    if is_new:
        record(
            session, actor, "patient.added", "patient", patient.id, now=now, clinic_id=clinic_id,
            drug=patient.drug, consent=CONSENT_VERSION,
        )  # fmt: skip
        _text_invitation(session, site, patient, actor, now)
    return patient


def row_of(clinic_id: str, invitation: Invitation, now: datetime) -> dict[str, Any]:
    """The new patient as a row, not invited yet."""
    return {
        "id": invitation.key,
        "clinic_id": clinic_id,
        "first_name": invitation.first_name,
        "last_name": invitation.last_name,
        "birth_year": invitation.birth_year,
        "record_number": invitation.record_number,
        "phone": invitation.phone,
        "language": invitation.language,
        "country": invitation.country,
        "zone": invitation.zone,
        "drug": invitation.drug,
        "partners": list(invitation.partners),
        "first_dose_on": invitation.first_dose_on,
        "baseline_weight": invitation.baseline_weight,
        "baseline_weight_unit": invitation.baseline_weight_unit,
        "usual": list(invitation.usual),
        "temperature_unit": invitation.temperature_unit,
        "weight_unit": invitation.weight_unit,
        "has_scale": True,
        "has_thermometer": True,
        "reminder_at": FIRST_REMINDER_AT,
        "consent_version": CONSENT_VERSION,
        "created_at": now,
    }


def person_of(one: Invitation | Patient) -> tuple[str, int, str]:
    """What makes two entries of a clinic the same person: phone, birth year and last name."""
    return (one.phone, one.birth_year, one.last_name.casefold())


def _twin(session: Session, clinic_id: str, invitation: Invitation) -> Patient | None:
    query = select(Patient).where(
        Patient.clinic_id == clinic_id,
        Patient.phone == invitation.phone,
        Patient.birth_year == invitation.birth_year,
        Patient.ended_at.is_(None),
    )
    same = person_of(invitation)
    return next((one for one in session.scalars(query) if person_of(one) == same), None)


def invite_again(
    session: Session, site: Site, patient: Patient, actor: Actor, now: datetime
) -> None:
    """Queue a fresh invitation; links of earlier ones end at once. Raises TooManyTexts."""
    passed = rates.hit(session, f"invite:{patient.id}", INVITES, now)
    if passed is not None:
        raise TooManyTexts(passed)
    session.execute(
        update(Link)
        .where(Link.patient_id == patient.id, Link.kind == LinkKind.INVITE, Link.expires_at > now)
        .values(expires_at=now)
    )
    _text_invitation(session, site, patient, actor, now)


def _text_invitation(
    session: Session, site: Site, patient: Patient, actor: Actor, now: datetime
) -> None:
    link = new_link(session, site, patient, LinkKind.INVITE, now)
    clinic = session.get_one(Clinic, patient.clinic_id)
    patient.invited_at = now
    messages.queue(session, invitation_text(site, clinic, patient, link), now)
    record(
        session, actor, "patient.invited", "patient", patient.id,
        now=now, clinic_id=patient.clinic_id, language=patient.language,
    )  # fmt: skip


def invitation_text(site: Site, clinic: Clinic, patient: Patient, link: Link) -> messages.Draft:
    """The text that carries an invitation's link."""
    return messages.Draft(
        clinic_id=patient.clinic_id,
        to_number=patient.phone,
        kind=MessageKind.INVITE,
        lane=Lane.PATIENT,
        body=texts.invite(Words(patient.language), clinic=clinic.name, base_url=site.base_url),
        once_key=f"invite:{link.id}",
        lives_for=INVITE_TEXT_LIVES,
        patient_id=patient.id,
        secret_of=f"link:{link.id}",
    )


def new_link(
    session: Session,
    site: Site,
    patient: Patient,
    kind: LinkKind,
    now: datetime,
    for_date: date | None = None,
) -> Link:
    """A link for a text: 7 days for an invitation, 36 hours for a day's check-in.

    The text names it as ``secret_of="link:<id>"``; only a hash of the token is stored.
    """
    link = link_for(site, patient, kind, now, for_date)
    session.add(link)
    session.flush()
    return link


def link_for(
    site: Site, patient: Patient, kind: LinkKind, now: datetime, for_date: date | None = None
) -> Link:
    """The link of ``new_link``, not stored yet."""
    link_id = new_id()
    return Link(
        id=link_id,
        patient_id=patient.id,
        kind=kind,
        token_hash=digest(link_token(site.pepper, link_id)),
        for_date=for_date,
        created_at=now,
        expires_at=now + LINK_LIVES[kind],
    )


class LinkState(StrEnum):
    """What became of a link."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class OpenedLink:
    """A link that somebody opened. ``patient`` is empty when the link is unknown."""

    state: LinkState
    kind: LinkKind | None = None
    patient: Patient | None = None

    @property
    def valid_patient(self) -> Patient | None:
        """Whom the link may write for; nobody once it is over."""
        return self.patient if self.state is LinkState.VALID else None


def look_at_link(session: Session, token: str, now: datetime) -> OpenedLink:
    """Whose link this is and whether it still works. Writes nothing."""
    if len(token) > _LONGEST_TOKEN:
        return OpenedLink(LinkState.UNKNOWN)
    row = session.execute(
        select(Link, Patient)
        .join(Patient, Patient.id == Link.patient_id)
        .where(Link.token_hash == digest(token))
    ).first()
    if row is None:
        return OpenedLink(LinkState.UNKNOWN)
    link, patient = row
    is_over = link.expires_at <= now or patient.ended_at is not None
    return OpenedLink(LinkState.EXPIRED if is_over else LinkState.VALID, link.kind, patient)
