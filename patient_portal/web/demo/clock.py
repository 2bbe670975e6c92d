"""The demo's clock: it can be moved on, so that timers need not be waited for."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from patient_portal.clock import MovableClock
from patient_portal.demo import cast
from patient_portal.web.access import Audience, audience
from patient_portal.web.context import portal, writing
from patient_portal.web.demo import posted
from patient_portal.web.language import local_path

blueprint = Blueprint("clock", __name__)

MOST_MINUTES = 60 * 24 * 31
NEXT_MORNING = "next-morning"


@blueprint.post("/clock")
@audience(Audience.DEMO)
def move() -> BaseResponse | Response:
    """Move the clock on by ``minutes``, or to nine o'clock tomorrow. It never goes back.

    Timers, links and staff sessions follow it, as they would follow real time.
    """
    clock = portal().clock
    if not isinstance(clock, MovableClock):
        abort(404)
    asked = posted.value("minutes")
    with writing() as (session, now):
        by = _until_morning(now) if asked == NEXT_MORNING else _minutes(asked)
        if by is None:
            abort(400)
        clock.move(session, by)
        moved = clock.now(session)
    if posted.wants_json():
        return jsonify(now=moved.isoformat())
    return redirect(local_path(request.form.get("next", url_for("demo.phones.show"))), 303)


def _minutes(text: str) -> timedelta | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    return timedelta(minutes=int(text)) if int(text) <= MOST_MINUTES else None


def _until_morning(now: datetime) -> timedelta:
    local = now.astimezone(ZoneInfo(cast.ZONE))
    morning = datetime.combine(local.date() + timedelta(days=1), time(9), local.tzinfo)
    return morning.astimezone(now.tzinfo) - now
