"""What was refused to somebody we know goes into the audit log: 403, 409, and rows of others (404).

Strangers only leave a line in the ordinary log: anybody could fill the audit log otherwise.
"""

import re

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from patient_portal.logs import get_logger
from patient_portal.services.accounts import actor_of
from patient_portal.services.audit import Actor, record
from patient_portal.services.devices import actor_of as actor_of_phone
from patient_portal.web.access import viewer
from patient_portal.web.context import writing
from patient_portal.web.doors import person_of

REFUSED = frozenset({403, 409})
# Parts of an address that name a row. A link's token is none: it would open a form.
_NAMES = re.compile(r"ref|[a-z_]+_id")
_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


def install(app: Flask) -> None:
    """Note each refusal once its answer is made."""

    @app.after_request
    def note(response: Response) -> Response:
        if response.status_code in REFUSED or response.status_code == 404:
            _note(response.status_code)
        return response


def _note(code: int) -> None:
    who, asked = _known(), _asked()
    if code == 404 and not asked:
        return
    if who is None:
        get_logger().warning("page.refused", status=code, endpoint=request.endpoint)
        return
    try:
        with writing() as (session, now):
            record(
                session, who, "act.refused", "page", None,
                now=now, code=code, page=request.endpoint, **asked,
            )  # fmt: skip
    except SQLAlchemyError:
        # It is refused all the same; nothing was changed that would go unrecorded.
        get_logger().error("refusal.not_kept", status=code, endpoint=request.endpoint)


def _known() -> Actor | None:
    """Who asked: staff by their own pages, else the person of the phone; None for a stranger."""
    if "viewer" not in g:
        return None
    found = viewer()
    if found.staff is not None:
        return actor_of(found.staff)
    person = person_of(found)
    return actor_of_phone(person) if person is not None else None


def _asked() -> dict[str, str]:
    """The rows that the address names, as far as they look like ids."""
    given = {name: str(value) for name, value in (request.view_args or {}).items()}
    return {
        name: value
        for name, value in given.items()
        if _NAMES.fullmatch(name) and _ID.fullmatch(value)
    }
