"""The inbox: alerts that wait, watch-level answers nobody has read, what was closed today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.levels import TriageLevel
from patient_portal.models import AlertState, Role, StaffMember
from patient_portal.services import inbox, rota, silence, texts_in
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.care_team import frame as frames
from patient_portal.web.care_team.frame import Frame
from patient_portal.web.care_team.rows import Row, RowMaker, alert_row
from patient_portal.web.care_team.text_rows import TextRow, text_rows
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words

blueprint = Blueprint("inbox", __name__)
blueprint.add_app_template_global(frames.staff_frame, "staff_frame")
blueprint.add_app_template_global(alert_row, "alert_row")
# Texts from the server work everywhere: the list renews itself without a script.
REFRESH_SECONDS = 30


@dataclass(frozen=True)
class Lists:
    """What the list of a page shows."""

    frame: Frame
    alerts: list[Row]
    texts: list[TextRow]
    silenced: Sequence[str]
    watch: list[Row]
    silent: list[Row]
    closed: list[Row]
    untaken: int


def member() -> StaffMember:
    """The member of staff who looks."""
    staff = viewer().staff
    if staff is None:
        abort(403)
    return staff


def may_act(staff: StaffMember) -> bool:
    """Whether somebody may act on alerts; auditors look at records only."""
    return staff.role is not Role.AUDITOR


def read_lists(db: Session, clinic_id: str, now: datetime) -> Lists:
    """Read the lists in a view's own transaction: a few statements, however many alerts."""
    alerts = inbox.open_alerts(db, clinic_id, now)
    frame = frames.load(db, now, clinic_id, open_count=len(alerts))
    make = RowMaker(portal().site.protocol, current_words(), frame)
    return Lists(
        frame=frame,
        alerts=[make.alert(line) for line in alerts],
        texts=text_rows(texts_in.to_read(db, clinic_id), frame, make.words),
        silenced=texts_in.silenced(db, clinic_id),
        watch=[make.watch(line) for line in inbox.watch(db, frame.clinic, now)],
        silent=[make.silent(one) for one in silence.listed(db, make.protocol, clinic_id, now)],
        closed=[make.closed(line) for line in inbox.closed_alerts(db, clinic_id, now)],
        untaken=sum(line.state is AlertState.OPEN for line in alerts),
    )


@blueprint.get("/inbox")
@audience(Audience.STAFF)
def show() -> Response:
    """The list, and beside it who is on call."""
    me = member()
    with reading() as (db, now):
        lists = read_lists(db, me.clinic_id, now)
        ends = rota.ends_of_turns(db, me.clinic_id, now)
    page = render_template(
        "care_team/inbox.html",
        lists=lists,
        until={key: lists.frame.time(moment) for key, moment in ends.items()},
        frame=lists.frame,
        me=me,
        may_act=may_act(me),
        refresh=None if "hold" in request.args else REFRESH_SECONDS,
        current=None,
    )
    return make_response(page)


@blueprint.post("/patients/<patient_id>/silence/read")
@audience(Audience.STAFF)
def mark_silence_read(patient_id: str) -> Response:
    """Note that somebody has seen who is silent; ``level`` is that of the row they saw."""
    me = member()
    if not may_act(me):
        abort(403)
    seen = request.form.get("level", TriageLevel.WATCH.code)
    try:
        level = TriageLevel.from_code(seen)
    except (KeyError, ValueError):
        abort(400)
    try:
        with writing() as (db, now):
            silence.mark_read(db, portal().site.protocol, me, patient_id, level, now)
    except silence.NotSilent:
        abort(404)
    return redirect(url_for("care_team.inbox.show"), 303)


@blueprint.post("/texts/<text_id>/read")
@audience(Audience.STAFF)
def mark_text_read(text_id: str) -> Response:
    """Note that somebody has read a text that a person sent."""
    me = member()
    if not may_act(me):
        abort(403)
    try:
        with writing() as (db, now):
            texts_in.mark_read(db, me, text_id, now)
    except texts_in.NoSuchText:
        abort(404)
    return redirect(url_for("care_team.inbox.show"), 303)


@blueprint.post("/check-ins/<check_in_id>/read")
@audience(Audience.STAFF)
def mark_read(check_in_id: str) -> Response:
    """Note that somebody has seen a watch-level check-in."""
    me = member()
    if not may_act(me):
        abort(403)
    try:
        with writing() as (db, now):
            inbox.mark_read(db, me, check_in_id, now)
    except inbox.NoSuchCheckIn:
        abort(404)
    return redirect(url_for("care_team.inbox.show"), 303)
