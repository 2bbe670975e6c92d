"""Whose check-in form this is, and what this phone may do with it.

A remembered phone may write and see a little. A link, or the form's own key, may write and read
nothing of the person: no name, no birth year, no earlier answer.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from flask import g, request
from flask import session as page_session
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.measures import Measure
from patient_portal.domain.pages import Page, Progress, missing, pages
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import CheckIn, CheckInState, Clinic, LinkKind, Patient
from patient_portal.services import checkins, steroids
from patient_portal.services.audit import Actor
from patient_portal.services.devices import actor_of
from patient_portal.services.enrolment import look_at_link
from patient_portal.services.judging import last_weight
from patient_portal.web.access import viewer
from patient_portal.web.context import portal
from patient_portal.web.language import current_words
from patient_portal.web.page import COUNTRY_COOKIE
from patient_portal.web.patient.number_words import Asker

_KEY = re.compile(r"[A-Za-z0-9_-]{16,32}")
_TEAM_LINE = "team"  # in the signed page cookie: the number to call when the database is away
_YEAR = 365 * 24 * 3600


@dataclass
class FormInHand:
    """A form that this request may write to."""

    patient: Patient
    key: str
    reporter: Actor
    is_recognised: bool
    is_helper: bool = False
    is_shared: bool = False
    link: str = ""
    check_in: CheckIn | None = None
    last_weight: Measure | None = None
    line: str = ""
    asks_steroid: bool = False  # the question of the week

    @property
    def may_see(self) -> bool:
        """Whether earlier numbers may be shown: on a phone that is remembered and not shared."""
        return self.is_recognised and not self.is_shared

    @property
    def form(self) -> checkins.Form:
        """The form as the service takes it."""
        is_new = self.check_in is None
        return checkins.Form(self.patient, self.key, self.reporter, self.is_recognised, is_new)

    @property
    def is_sent(self) -> bool:
        """Whether Send was pressed."""
        return self.check_in is not None and self.check_in.state is CheckInState.SENT

    @property
    def progress(self) -> Progress:
        """What was answered so far."""
        return Progress.of(self.check_in.progress if self.check_in else {})

    @property
    def pages(self) -> list[Page]:
        """The pages of this form as far as they are known."""
        answers = self.check_in.answers if self.check_in else {}
        return pages(
            portal().site.protocol, answers, self.progress,
            helper=self.is_helper, steroid=self.asks_steroid,
        )  # fmt: skip

    @property
    def asker(self) -> Asker:
        """What is needed to read this form's answers."""
        return Asker(
            portal().site.protocol,
            current_words(),
            self.patient.country,
            tuple(self.patient.usual),
            self.last_weight,
        )


def new_key() -> str:
    """A form's own key: 128 random bits, made when the form is shown and stored when answered."""
    return secrets.token_urlsafe(16)


def posted_key() -> str:
    """The form's key that this request carries, or an empty text."""
    key = request.values.get("form", "")
    return key if _KEY.fullmatch(key) else ""


def find(session: Session, now: datetime, *, whole: bool = True) -> FormInHand | None:
    """The form of this request, or None when it may not write to any.

    ``whole`` also looks up what pages show. A red answer is stored without that.
    """
    key = posted_key()
    check_in = checkins.find_by_key(session, key) if key else None
    found: FormInHand | None
    if check_in is not None:
        found = by_key(session, check_in)
    else:
        found = by_door(session, now, key or new_key())
    if found is None or not whole:
        return found
    return complete(session, found, now)


def by_key(session: Session, check_in: CheckIn) -> FormInHand:
    """The form that this check-in came from. Whoever asks must hold its key or be known."""
    patient = session.get_one(Patient, check_in.patient_id)
    found = _if_known(patient, check_in.form_key)
    if found is None:
        nobody = Actor("patient", None, patient.clinic_id)
        found = FormInHand(patient, check_in.form_key, nobody, is_recognised=False)
    found.check_in = check_in
    found.is_helper = found.is_helper or check_in.reporter == "caregiver"
    return found


def by_door(session: Session, now: datetime, key: str) -> FormInHand | None:
    """A new form: by the link in the text, by whom a helper answers for, or by the phone."""
    token = request.values.get("link", "")
    if token:
        opened = look_at_link(session, token, now)
        if opened.valid_patient is None or opened.kind is not LinkKind.DAILY:
            # Never another person's form: a phone may be remembered for somebody else.
            return _if_known(opened.patient, key) if opened.patient else None
        return by_link(opened.valid_patient, key, token)
    who = viewer()
    if who.patient is not None:
        return _if_known(who.patient, key)
    chosen = request.values.get("for", "")
    return next((_if_known(one, key) for one in who.helps if one.id == chosen), None)


def by_link(patient: Patient, key: str, token: str) -> FormInHand:
    """A form opened by a daily link: on the patient's own phone, a helper's, or an unknown one."""
    found = _if_known(patient, key)
    if found is None:
        nobody = Actor("patient", None, patient.clinic_id)
        found = FormInHand(patient, key, nobody, is_recognised=False)
    found.link = token
    return found


def _if_known(patient: Patient, key: str) -> FormInHand | None:
    who = viewer()
    shared = who.device is not None and who.device.is_shared
    if who.patient is not None and who.patient.id == patient.id:
        return FormInHand(patient, key, actor_of(patient), is_recognised=True, is_shared=shared)
    if who.caregiver is not None and any(one.id == patient.id for one in who.helps):
        return FormInHand(
            patient, key, actor_of(who.caregiver), is_recognised=True, is_helper=True,
            is_shared=shared,
        )  # fmt: skip
    return None


def complete(session: Session, found: FormInHand, now: datetime) -> FormInHand:
    """Add the team's number and the last weight; speak the person's language and country."""
    patient = found.patient
    g.country, g.form_clinic = patient.country, patient.clinic_id
    if not viewer().is_known_phone:
        g.viewer_language = patient.language
    clinic = session.get(Clinic, patient.clinic_id)
    found.line = clinic.line if clinic else ""
    if page_session.get(_TEAM_LINE) != found.line:
        page_session[_TEAM_LINE] = found.line
    day = (
        found.check_in.local_date
        if found.check_in
        else local_date(now, readable_zone(patient.zone))
    )
    found.last_weight = last_weight(session, patient, day)
    look_for_steroid(session, found)
    return found


def look_for_steroid(session: Session, found: FormInHand) -> None:
    """Look whether the question of the week comes, once every other page has its answer."""
    is_last = found.check_in is not None and not missing(found.pages, found.progress)
    if found.check_in is not None and is_last:
        found.asks_steroid = steroids.is_asked(session, found.patient, found.check_in)


def team_line() -> str:
    """The care team's number as this browser's signed cookie holds it; empty when it does not."""
    line = page_session.get(_TEAM_LINE, "")
    return line if isinstance(line, str) else ""


def keep_country(response: Response, country: str) -> Response:
    """Keep the country, and nothing else, on this phone: the emergency number needs no database."""
    if request.cookies.get(COUNTRY_COOKIE) != country:
        secure = portal().settings.is_https
        response.set_cookie(
            COUNTRY_COOKIE, country, max_age=_YEAR, secure=secure, httponly=True, samesite="Lax"
        )
    return response
