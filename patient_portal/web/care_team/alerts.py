"""One alert: its page, and what can be done with it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.escalation import NotAllowed
from patient_portal.domain.schedule import readable_zone
from patient_portal.domain.typed import NotReadable, with_latin_digits
from patient_portal.models import Alert, Clinic, StaffMember
from patient_portal.services import accounts, alerts, patients, signs, texts_in
from patient_portal.services.alert_file import read_file
from patient_portal.services.alerts import (
    AlreadyTaken,
    Closing,
    ClosingRefused,
    NobodyFurther,
    NoSuchAlert,
)
from patient_portal.web.access import Audience, audience
from patient_portal.web.care_team import wording
from patient_portal.web.care_team.alert_view import AlertView
from patient_portal.web.care_team.inbox import may_act, member, read_lists
from patient_portal.web.care_team.text_rows import text_rows
from patient_portal.web.care_team.trend_view import TrendView, trend_for
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words

blueprint = Blueprint("alerts", __name__)
blueprint.add_app_template_global(trend_for, "trend_for")

_REF = re.compile(r"[0-9A-Za-z]{5}")
_USEFUL = {"": None, "yes": True, "no": False}


@dataclass
class CloseForm:
    """The closing form as it was typed, and what is wrong with it."""

    outcome: str = ""
    useful: str = ""
    note: str = ""
    recheck: str = ""
    over: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/alerts/<ref>")
@audience(Audience.STAFF)
def one(ref: str) -> Response:
    """The alert's page; that it was looked at is kept on the patient's record."""
    me = member()
    with writing() as (db, now):
        alert = _alert(db, me, ref)
        patient = patients.of_clinic(db, me.clinic_id, alert.patient_id)
        patients.note_look(db, patient, accounts.actor_of(me), now, ref=alert.ref)
    return _page(ref, 200)


@blueprint.post("/alerts/<ref>/take")
@audience(Audience.STAFF)
def take(ref: str) -> Response:
    """Make the alert one's own; the first who does has it."""
    return _act(ref, lambda db, alert, me, now: alerts.take(db, alert, me, now))


@blueprint.post("/alerts/<ref>/release")
@audience(Audience.STAFF)
def release(ref: str) -> Response:
    """Give the alert back; the team is texted again."""
    site = portal().site
    return _act(ref, lambda db, alert, me, now: alerts.release(db, alert, me, site, now))


@blueprint.post("/alerts/<ref>/pass-on")
@audience(Audience.STAFF)
def pass_on(ref: str) -> Response:
    """Have the next step of the ladder texted now."""
    site = portal().site
    return _act(ref, lambda db, alert, me, now: alerts.pass_on(db, alert, me, site, now))


@blueprint.post("/alerts/<ref>/contact")
@audience(Audience.STAFF)
def contact(ref: str) -> Response:
    """Note what came of a call."""
    result = request.form.get("result", "")
    if result not in alerts.CONTACT_RESULTS:
        sentence = current_words().message("Choose what came of the call.")
        return _page(ref, 422, problem=sentence)
    return _act(ref, lambda db, alert, me, now: alerts.contact(db, alert, me, result, now))


@blueprint.post("/alerts/<ref>/close")
@audience(Audience.STAFF)
def close(ref: str) -> Response:
    """End the alert with an outcome; what is missing is asked for, with all that was typed."""
    typed = CloseForm(
        outcome=request.form.get("outcome", "")[:40],
        useful=request.form.get("useful", "")[:10],
        # PostgreSQL keeps no NUL in a text.
        note=request.form.get("note", "").replace("\0", "")[: 2 * alerts.LONGEST_NOTE],
        recheck=request.form.get("recheck_at", "")[:40],
        over=_ticked(),
    )

    def act(db: Session, alert: Alert, me: StaffMember, now: datetime) -> None:
        zone = ZoneInfo(readable_zone(db.get_one(Clinic, me.clinic_id).zone))
        if typed.useful not in _USEFUL:
            raise ClosingRefused("useful")
        closing = Closing(
            outcome=typed.outcome,
            useful=_USEFUL[typed.useful],
            note=typed.note,
            recheck_at=_moment(typed.recheck, zone),
            over=typed.over,
            seen_at=_seen_at(),
        )
        alerts.close(db, alert, me, closing, now)

    return _act(ref, act, typed)


def _ticked() -> tuple[str, ...]:
    """The signs that are ticked as over, as far as the protocol knows them."""
    known = {sign.id for sign in portal().site.protocol.beyond.signs}
    ticked = dict.fromkeys(request.form.getlist("over")[: 2 * len(known)])
    return tuple(sign for sign in ticked if sign in known)


def _seen_at() -> datetime | None:
    """When the page with the form was made: later answers were not before the closer's eyes."""
    try:
        found = datetime.fromisoformat(request.form.get("seen_at", "")[:40])
    except ValueError:
        return None
    return None if found.tzinfo is None else found


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A local day and time as browsers send it. Raises ClosingRefused; 4/11 could be two days."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(with_latin_digits(text))
    except (NotReadable, ValueError):
        raise ClosingRefused("recheck") from None
    if found.tzinfo is not None:
        raise ClosingRefused("recheck")
    return found.replace(tzinfo=zone)


# ---- one way for every act


def _act(
    ref: str,
    do: Callable[[Session, Alert, StaffMember, datetime], None],
    typed: CloseForm | None = None,
) -> Response:
    """Do it in one transaction; what cannot be done is said on the alert's own page."""
    me = member()
    if not may_act(me):
        abort(403)
    words = current_words()
    try:
        with writing() as (db, now):
            alert = _alert(db, me, ref)
            do(db, alert, me, now)
    except AlreadyTaken as taken:
        return _page(ref, 409, taken=taken)
    except ClosingRefused as refused:
        shown = typed or CloseForm()
        place = {"reason": "note", "tries": "outcome", "recheck": "recheck_at"}
        name = place.get(refused.code, refused.code)
        shown.errors = {name: words.message(wording.REFUSED_WORDS[refused.code])}
        return _page(ref, 422, form=shown)
    except NobodyFurther:
        sentence = words.message(
            "There is nobody further to pass it on to. Everyone is texted again and again."
        )
        return _page(ref, 409, problem=sentence)
    except NotAllowed:
        sentence = words.message("That is not possible any more. This is how the alert stands now.")
        return _page(ref, 409, problem=sentence)
    return redirect(url_for("care_team.alerts.one", ref=ref.upper()), 303)


def _alert(db: Session, me: StaffMember, ref: str) -> Alert:
    if not _REF.fullmatch(ref):
        abort(404)
    try:
        return alerts.of_clinic(db, me.clinic_id, ref)
    except NoSuchAlert:
        abort(404)


def _page(
    ref: str,
    status: int,
    *,
    problem: str = "",
    taken: AlreadyTaken | None = None,
    form: CloseForm | None = None,
) -> Response:
    me = member()
    if not _REF.fullmatch(ref):
        abort(404)
    protocol, words = portal().site.protocol, current_words()
    with reading() as (db, now):
        lists = read_lists(db, me.clinic_id, now)
        try:
            file = read_file(db, protocol, me.clinic_id, ref, now)
            counting = signs.that_count(db, protocol, file.patient, now)
            wrote = texts_in.of_alert(db, file.alert.id)
        except NoSuchAlert:
            abort(404)
    if taken is not None:
        problem = words.message(
            "Taken by %(who)s at %(time)s.", who=taken.by, time=lists.frame.time(taken.at)
        )
    page = render_template(
        "care_team/alert.html",
        lists=lists,
        frame=lists.frame,
        me=me,
        may_act=may_act(me),
        current=file.alert.ref,
        view=AlertView(file, lists.frame, words),
        wrote=text_rows(wrote, lists.frame, words),
        trend_view=TrendView(file.trend, protocol, words, lists.frame.clinic.country),
        form=form or CloseForm(),
        problem=problem,
        seen_at=now.isoformat(),
        signs=[(sign.id, words.safety(sign.label)) for sign in counting],
        outcomes=[(code, words.message(said)) for code, said in wording.OUTCOME_WORDS.items()],
        results=[(code, words.message(said)) for code, said in wording.CONTACT_WORDS.items()],
    )
    return make_response(page, status)
