"""The simulated phones: texts arrive here instead of at a gateway, and can be answered."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from patient_portal.database import new_id
from patient_portal.demo import cast
from patient_portal.demo.people import Kind, Somebody, everybody
from patient_portal.demo.phones import Bubble, bubbles, newest_texts
from patient_portal.domain.replies import as_reference
from patient_portal.models import Clinic, Patient
from patient_portal.services import inbound
from patient_portal.sms.segments import LARGEST_TEXT
from patient_portal.web.access import Audience, audience
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.demo import posted
from patient_portal.web.language import current_language
from patient_portal.words import format_date, format_datetime, format_time

blueprint = Blueprint("phones", __name__)

SHOWN_FIRST = ("rosa", "n-silva", "j-park")
MOST_SHOWN = 6
QUICK = {Kind.PATIENT: ("STOP", "HELP", "START"), Kind.CAREGIVER: ("STOP", "HELP", "START")}
_ADDRESS = re.compile(r"https?://[^/\s]+(?P<path>/[^\s]*)?")

# A text in pieces: each with the address it leads to, or None.
Pieces = list[tuple[str, str | None]]


@dataclass(frozen=True)
class Phone:
    """One phone on the page: whose it is, what lies on it, and answers to tap."""

    owner: Somebody
    texts: list[tuple[Bubble, Pieces]]
    quick: tuple[str, ...]


@blueprint.get("/phones")
@audience(Audience.DEMO)
def show() -> str:
    """Three phones, or those that were asked for, with the clock above them."""
    site = portal().site
    with reading() as (session, now):
        people = [one for one in everybody(session) if one.phone]
        wanted = request.args.getlist("show")[:MOST_SHOWN] or list(SHOWN_FIRST)
        chosen = [one for name in dict.fromkeys(wanted) for one in people if one.id == name]
        phones = [_phone(one, bubbles(session, site, one.phone or "")) for one in chosen]
        clock = _clock(session, now)
        coming = _coming(session, now)
    return render_template(
        "demo/phones.html",
        phones=phones,
        people=people,
        shown={one.id for one in chosen},
        here=request.full_path.rstrip("?"),
        is_paused="pause" in request.args,
        time_of=lambda at: _moment(at, now),
        clock=clock,
        coming=coming,
    )


def _phone(owner: Somebody, lying: list[Bubble]) -> Phone:
    """A phone with what lies on it, and what its owner may tap to answer."""
    quick = QUICK.get(owner.kind) or _replies_to(lying)
    return Phone(owner, [(bubble, _pieces(bubble)) for bubble in lying], quick)


def _replies_to(lying: list[Bubble]) -> tuple[str, ...]:
    """Take the newest alert of a phone, or pass it on; HELP where there is none."""
    for bubble in reversed(lying):
        words = re.findall(r"[0-9A-Z]+", bubble.body) if bubble.is_alert else []
        ref = next((word for word in words if as_reference(word) == word), None)
        if ref is not None:
            return (ref, f"{ref} E", "OK")
    return ("HELP",)


def _moment(at: datetime, now: datetime) -> str:
    """A text's time of day in the clinic, with the day if it was another."""
    zone, language = ZoneInfo(cast.ZONE), current_language()
    if at.astimezone(zone).date() == now.astimezone(zone).date():
        return format_time(at, zone, language, cast.COUNTRY)
    return format_datetime(at, zone, language, cast.COUNTRY)


def _clock(session: Session, now: datetime) -> tuple[str, str]:
    """The clinic's day and time of day."""
    clinic = session.get_one(Clinic, cast.CLINIC_ID)
    zone = ZoneInfo(clinic.zone)
    language = current_language()
    day = format_date(now.astimezone(zone).date(), language, clinic.country, "full")
    return day, format_time(now, zone, language, clinic.country)


def _coming(session: Session, now: datetime) -> list[tuple[bool, str, str]]:
    """The next two reminders: whether they are due today, the time of day, the first name."""
    zone, language = ZoneInfo(cast.ZONE), current_language()
    rows = session.execute(
        select(Patient.reminder_due_at, Patient.first_name)
        .where(Patient.reminder_due_at > now, Patient.ended_at.is_(None))
        .order_by(Patient.reminder_due_at)
        .limit(2)
    )
    today = now.astimezone(zone).date()
    return [
        (
            at.astimezone(zone).date() == today,
            format_time(at, zone, language, cast.COUNTRY),
            name,
        )
        for at, name in rows
        if at is not None
    ]


def _pieces(bubble: Bubble) -> Pieces:
    """A text cut where it has addresses; those in the portal's own texts can be followed.

    Only the path is kept: the port may have changed since the text was written.
    """
    if bubble.is_mine:
        return [(bubble.body, None)]
    pieces: Pieces = []
    end = 0
    for match in _ADDRESS.finditer(bubble.body):
        pieces += [(bubble.body[end : match.start()], None), (match[0], match["path"] or "/")]
        end = match.end()
    pieces.append((bubble.body[end:], None))
    return [piece for piece in pieces if piece[0]]


@blueprint.get("/phones.json")
@audience(Audience.DEMO)
def as_json() -> Response:
    """Every phone's texts, newest first."""
    with reading() as (session, _now):
        return jsonify(newest_texts(session, portal().site))


@blueprint.post("/phones/<number>/reply")
@audience(Audience.DEMO)
def reply(number: str) -> BaseResponse | Response:
    """Text back as the phone with this number."""
    body = posted.value("body")
    if not 0 < len(body) <= LARGEST_TEXT:
        abort(400)
    number = f"+{number.lstrip('+ ')}"
    with writing() as (session, now):
        if number not in {one.phone for one in everybody(session)}:
            abort(404)
        inbound.receive(session, portal().site, f"demo{new_id()}", number, body, now)
    if posted.wants_json():
        return jsonify(received=True)
    shown = request.form.getlist("show")[:MOST_SHOWN]
    return redirect(url_for(".show", show=shown), 303)
