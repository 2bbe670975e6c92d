"""Whether this process answers. Whether the alert path works is another question."""

from flask import Blueprint, Response

from patient_portal.web.access import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """Liveness only: no database, no secrets."""
    return Response("ok\n", mimetype="text/plain")
