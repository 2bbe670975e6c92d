"""The page Alarm: whether alerts reach phones, its test, the night's cover, and going live."""

from datetime import date, timedelta

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import Clinic, StaffMember
from patient_portal.services import accounts, cover, drills
from patient_portal.services.cover import CoverRefused, Missing, NotReady
from patient_portal.services.drills import Result
from patient_portal.web.access import Audience, audience
from patient_portal.web.care_team import frame as frames
from patient_portal.web.care_team.frame import Frame
from patient_portal.web.care_team.inbox import may_act, member
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words
from patient_portal.words import format_date, mark_message

blueprint = Blueprint("alarm", __name__)

_NO_BREAK = "\u00a0"  # a number and its unit stay on one line
_REFUSED = {
    "role": mark_message("Only a lead or the administrator can confirm this."),
    "number": mark_message("The clinic line has changed. Ring the new number."),
    "ahead": mark_message("This day has not come yet."),
    "too_old": mark_message("That was more than 30 days ago. Please ring again."),
    "day": mark_message("Which day did you ring it?"),
    "sure": mark_message("Please tick that somebody answered."),
}
_MISSING = {
    Missing.COVER: mark_message("Somebody has to ring the clinic line at night and confirm it."),
    Missing.FALLBACK: mark_message("The clinic needs a phone of its own to fall back on."),
    Missing.PHONES: mark_message("Each position on the rota needs a phone that answered a test."),
    Missing.DRILL: mark_message("A test of the alarm has to be answered."),
}  # fmt: skip


@blueprint.get("/alarm")
@audience(Audience.STAFF)
def show() -> Response:
    """What is proven, what is not, and the buttons that prove it."""
    return _page(200)


@blueprint.post("/alarm/test")
@audience(Audience.STAFF)
def start_test() -> Response:
    """Start a drill: the nurse on call gets a TEST text."""
    me = member()
    if not may_act(me):
        abort(403)
    try:
        with writing() as (db, now):
            clinic = db.get_one(Clinic, me.clinic_id)
            drills.start(db, portal().site, clinic, accounts.actor_of(me), now)
    except drills.DrillRuns:
        pass  # the page shows the one that runs
    return redirect(url_for("care_team.alarm.show"), 303)


@blueprint.post("/alarm/cover")
@audience(Audience.STAFF)
def confirm_cover() -> Response:
    """Keep who rang the clinic line at night, and when."""
    me = _lead()
    rung_on = _day(request.form.get("rung_on", ""))
    errors = {}
    if rung_on is None:
        errors["rung_on"] = _REFUSED["day"]
    if request.form.get("sure") != "y":
        errors["sure"] = _REFUSED["sure"]
    if rung_on is None or errors:
        return _page(422, errors)
    try:
        with writing() as (db, now):
            clinic = db.get_one(Clinic, me.clinic_id, with_for_update=True)
            cover.confirm(db, clinic, me, rung_on, request.form.get("line", ""), now)
    except CoverRefused as error:
        return _page(422, {"rung_on": _REFUSED[error.code]})
    return redirect(url_for("care_team.alarm.show"), 303)


@blueprint.post("/alarm/live")
@audience(Audience.STAFF)
def go_live() -> Response:
    """Let the clinic invite patients, if nothing is missing."""
    me = _lead()
    try:
        with writing() as (db, now):
            clinic = db.get_one(Clinic, me.clinic_id, with_for_update=True)
            cover.go_live(db, clinic, accounts.actor_of(me), now)
    except NotReady:
        return _page(409)
    return redirect(url_for("care_team.alarm.show"), 303)


def _lead() -> StaffMember:
    """Who looks, if they may answer for the clinic."""
    me = member()
    if me.role not in cover.MAY_CONFIRM:
        abort(403)
    return me


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _page(status: int, errors: dict[str, str] | None = None) -> Response:
    me, words = member(), current_words()
    with reading() as (db, now):
        frame = frames.load(db, now, me.clinic_id)
        clinic = frame.clinic
        last = drills.last(db, clinic.id)
        confirmed = cover.confirmed(db, clinic)
        lacking = cover.missing(db, clinic, now) if clinic.live_at is None else []
    page = render_template(
        "care_team/alarm.html",
        frame=frame,
        last=None if last is None else drill_words(last, frame),
        is_running=last is not None and last.is_running,
        is_proven=last is not None and last.is_proven,
        may_test=may_act(me),
        may_confirm=me.role in cover.MAY_CONFIRM,
        confirmed=confirmed,
        rung_on=_rung(frame, confirmed.rung_on if confirmed else None),
        is_live=clinic.live_at is not None,
        missing=[words.message(_MISSING[one]) for one in lacking],
        errors={name: words.message(one) for name, one in (errors or {}).items()},
        typed=request.form,
        today=local_date(now, readable_zone(clinic.zone)).isoformat(),
    )
    return make_response(page, status)


def _rung(frame: Frame, day: date | None) -> str:
    return "" if day is None else format_date(day, frame.language, frame.clinic.country)


# ---- a drill in words


def drill_words(found: Result, frame: Frame) -> str:
    """How far a drill came, in one sentence, on the clinic's clock."""
    words, at = current_words(), frame.time(found.started_at)
    if found.is_running:
        return words.message("A test of the alarm began at %(time)s. It waits for its answer.",
                             time=at)  # fmt: skip
    if not found.is_proven:
        return words.message("Test of %(time)s: nobody answered in 15 minutes.", time=at)
    if found.delivered_after is None:
        return words.message(
            "Last proven %(time)s: answered after %(answered)s.",
            time=at, answered=_span(found.answered_after),
        )  # fmt: skip
    return words.message(
        "Last proven %(time)s: delivered after %(delivered)s, answered after %(answered)s.",
        time=at, delivered=_span(found.delivered_after), answered=_span(found.answered_after),
    )  # fmt: skip


def _span(after: timedelta | None) -> str:
    seconds = max(0, round(after.total_seconds())) if after is not None else 0
    words = current_words()
    if seconds < 120:
        return words.message("%(n)s s", n=seconds).replace(" ", _NO_BREAK)
    return words.message("%(n)s min", n=seconds // 60).replace(" ", _NO_BREAK)


@blueprint.app_template_global("last_proven")
def last_proven(frame: Frame) -> str:
    """The clinic's last answered drill in words; empty before there is one."""
    with reading() as (db, _):
        found = drills.last_proven(db, frame.clinic.id)
    return "" if found is None else drill_words(found, frame)
