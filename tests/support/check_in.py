"""A person who fills a check-in in, page by page, as a browser without scripts does."""

import re
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.models import Alert, CheckIn, Message

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
WELL: tuple[dict[str, Any], ...] = (
    {"red_flags": "none"},
    {"breathlessness": "none"},
    {"swelling": "none"},
    {"other": "none"},
    {"temperature_whole": "36", "temperature_tenth": "7", "fever_medicine_6h": "false"},
    {"weight": "70.2"},
    {"send": "yes"},
)


def hidden_of(page: TestResponse) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(_HIDDEN.findall(page.text))


@dataclass
class Filler:
    """One form in one browser. ``last`` is the answer to the last request."""

    client: FlaskClient
    address: str = "/check-in"
    fields: dict[str, str] = field(default_factory=dict)
    last: TestResponse | None = None

    def open(self, address: str = "") -> TestResponse:
        """Look at the page this form is on, or at another."""
        self.last = self.client.get(address or self.address, follow_redirects=True)
        self.address = self.last.request.full_path.rstrip("?")
        self.fields = hidden_of(self.last) or self.fields
        return self.last

    @property
    def slug(self) -> str:
        """The page that is asked now."""
        path = self.address.partition("?")[0]
        return "red-flags" if path in ("/check-in", "") or path.startswith("/c/") else path[10:]

    def answer(self, slug: str = "", /, **given: Any) -> TestResponse:
        """Post an answer to this page (or to ``slug``), and stand on the page it leads to."""
        if not self.fields:
            self.open()
        target = slug or self.slug
        self.last = self.client.post(f"/check-in/{target}", data={**self.fields, **given})
        if self.last.status_code == 303:
            self.address = self.last.headers["Location"]
            self.open()
        return self.last

    def answer_all(self, *answers: dict[str, Any]) -> TestResponse:
        """Answer one page after the other."""
        for given in answers:
            page = self.answer(**given)
        return page


def check_ins(database: Database) -> list[CheckIn]:
    """Every check-in, oldest first."""
    with database.reading() as session:
        found = list(session.scalars(select(CheckIn).order_by(CheckIn.started_at)))
        session.expunge_all()
    return found


def alerts(database: Database) -> list[Alert]:
    """Every alert."""
    with database.reading() as session:
        found = list(session.scalars(select(Alert)))
        session.expunge_all()
    return found


def queued(database: Database) -> list[Message]:
    """Every text."""
    with database.reading() as session:
        found = list(session.scalars(select(Message)))
        session.expunge_all()
    return found
