"""The portal's pages, telling with each answer when its transaction was committed."""

import os
import time

from flask import Flask, Response, g, has_request_context
from sqlalchemy import event
from sqlalchemy.orm import Session

from patient_portal.config import Settings
from tests.bench.portal import as_in_production

COMMITTED = "X-Committed-At"  # seconds since 1970, by this machine's clock


def build() -> Flask:
    """The portal by the settings in the environment, at BENCH_URL."""
    as_in_production()
    from patient_portal.app import create_app  # only the server needs it, not the measuring

    app = create_app(Settings.from_environment({**os.environ, "BASE_URL": os.environ["BENCH_URL"]}))
    event.listen(Session, "after_commit", _note)
    app.after_request(_tell)
    return app


def _note(_session: Session) -> None:
    if has_request_context():
        g.committed_at = time.time()


def _tell(response: Response) -> Response:
    if "committed_at" in g:
        response.headers[COMMITTED] = f"{g.committed_at:.6f}"
    return response
