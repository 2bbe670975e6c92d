"""Whether this process answers, whether the alert path works, and figures of both."""

import hmac

from flask import Blueprint, Response, abort, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from patient_portal.database import DatabaseUnusable, is_current
from patient_portal.services import alarm_path, figures, machine
from patient_portal.web.access import public
from patient_portal.web.alarm import recent
from patient_portal.web.context import portal, reading

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """Liveness only: no database, no secrets."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/healthz/deep")
@public
def deep() -> tuple[Response, int]:
    """The alert path: 200, or 503 with the codes of what is wrong. No names, no counts."""
    try:
        codes = _codes()
    except (SQLAlchemyError, DatabaseUnusable):
        codes = ["database"]
    answer = jsonify(status="trouble" if codes else "ok", troubles=codes)
    answer.headers["Cache-Control"] = "no-store"
    return answer, 503 if codes else 200


def _codes() -> list[str]:
    with reading() as (session, now):
        if not is_current(session):
            return ["database_version"]
        found = recent().get(
            "everywhere",
            now,
            lambda: alarm_path.look_everywhere(session, now, machine.measure(session)),
        )
    codes = (each.trouble.value for each in found if each.trouble not in alarm_path.NO_FAULT)
    return list(dict.fromkeys(codes))


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Figures in the text format of Prometheus, for who has METRICS_TOKEN; hidden without it."""
    token = portal().settings.metrics_token
    if token is None:
        abort(404)
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return Response("", 401, {"WWW-Authenticate": "Bearer"})
    with reading() as (session, now):
        found = figures.read(session, now, machine.measure(session))
    return Response(figures.as_text(found), mimetype="text/plain; version=0.0.4")
