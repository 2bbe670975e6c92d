"""The parts a view works with, wired once by ``create_app``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from flask import current_app, request
from sqlalchemy.orm import Session

from patient_portal.clock import Clock
from patient_portal.config import Settings
from patient_portal.database import Database
from patient_portal.failpoints import passing
from patient_portal.services.site import Site


@dataclass(frozen=True)
class Portal:
    """Settings, database, clock and site of this process."""

    settings: Settings
    database: Database
    clock: Clock
    site: Site


def portal() -> Portal:
    """The parts of the running app."""
    found = current_app.extensions["portal"]
    assert isinstance(found, Portal)  # noqa: S101 - create_app put it there
    return found


@contextmanager
def writing() -> Iterator[tuple[Session, datetime]]:
    """A transaction and the present moment; committed when the block ends."""
    parts = portal()
    _pass("before_begin")
    with parts.database.transaction() as session:
        yield session, parts.clock.now(session)
        session.flush()
        _pass("before_commit")
    _pass("after_commit")


# The transactions around which tests may end the process, by the address that asks for them.
_WATCHED = {
    "/check-in": "checkin",
    "/staff/alerts": "alert",
    "/twilio/status": "status",
    "/twilio/inbound": "inbound",
}


def _pass(moment: str) -> None:
    """Tests may end the process here, around the commits that the alert path hangs on."""
    if request.method == "POST":
        for address, name in _WATCHED.items():
            if request.path.startswith(address):
                passing(f"{name}.{moment}")


@contextmanager
def reading() -> Iterator[tuple[Session, datetime]]:
    """A consistent view and the present moment; writes nothing."""
    parts = portal()
    with parts.database.reading() as session:
        yield session, parts.clock.now(session)
