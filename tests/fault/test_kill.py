"""SIGKILL where it hurts: no red answer is lost, and nobody on the ladder is left untold.

Real processes, both engines, a gateway with a ledger of its own. What must hold in the end: one
check-in, one alert, at least one text on each rung person's phone, and a clean ``db check``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from sqlalchemy import func, select

from patient_portal.clock import DatabaseClock
from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.domain.levels import TriageLevel
from patient_portal.failpoints import PLACES
from patient_portal.models import Alert, CheckIn, LinkKind, Message, MessageKind, Patient
from patient_portal.services import checkins, invariants
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from patient_portal.services.enrolment import new_link
from patient_portal.services.site import site_of
from patient_portal.services.tokens import link_token
from tests.support.gateway import FakeGateway, running_gateway
from tests.support.people import a_house
from tests.support.processes import (
    Processes,
    environment_for,
    running_processes,
    settings_for,
    until,
)
from tests.support.running import free_port

RUNG = ("+12125550142", "+12125550143")  # nurse and backup: the first step of an emergency
LEASE_SECONDS = 2
# How often the gateway may have taken each person's text when the worker dies at a place.
AT_WORKER = {
    "claim.before_commit": 1,
    "claim.after_commit": 1,
    "send.after_gateway": 2,  # the one place where a text may come twice
}
AT_WEB = ("checkin.before_commit", "checkin.after_commit")


@dataclass
class House:
    """A clinic with a team and a patient, its gateway, and its processes."""

    database: Database
    patient: Patient
    gateway: FakeGateway
    processes: Processes
    port: int

    def count(self, table: type[CheckIn] | type[Alert] | type[Message], *where: object) -> int:
        """How many rows there are."""
        with self.database.reading() as session:
            query = select(func.count()).select_from(table).where(*where)  # type: ignore[arg-type]
            return session.scalars(query).one()

    def all_accepted(self) -> bool:
        """Whether the gateway's taking of every staff text is written down."""
        pages = Message.kind == MessageKind.STAFF_ALERT
        return self.count(Message, pages, Message.accepted_at.is_not(None)) == len(RUNG)

    def report_red(self) -> None:
        """A red answer, stored the way the check-in's view does it."""
        site = site_of(settings_for("sqlite:///unused", self.processes.environment))
        with self.database.transaction() as session:
            now = DatabaseClock().now(session)
            form = Form(self.patient, "k" * 22, Actor("patient", self.patient.id))
            step = Step("red_flags", {"red_flags": ["chest_pain"]}, ("red_flags",))
            recorded = checkins.record_answers(session, site, form, step, now)
            assert recorded.level is TriageLevel.EMERGENCY

    def link(self) -> str:
        """The path of today's link, as the reminder would carry it."""
        settings = settings_for("sqlite:///unused", self.processes.environment)
        with self.database.transaction() as session:
            now = DatabaseClock().now(session)
            link = new_link(session, site_of(settings), self.patient, LinkKind.DAILY, now)
            return f"/c/{link_token(settings.pepper, link.id)}"


@pytest.fixture
def house(engine_url: str, tmp_path: Path) -> Iterator[House]:
    database = Database(engine_url)
    _, patient = a_house(database)
    port = free_port()
    with running_gateway() as gateway:
        environment = environment_for(engine_url, gateway.environment())
        environment["BASE_URL"] = f"http://127.0.0.1:{port}"
        environment["PORTAL_LEASE_SECONDS"] = str(LEASE_SECONDS)
        with running_processes(environment, tmp_path) as processes:
            yield House(database, patient, gateway, processes, port)
    database.dispose()


def _nothing_is_lost(house: House, *, at_most: int) -> None:
    assert house.count(CheckIn) == 1
    assert house.count(Alert) == 1
    for number in RUNG:
        texts = house.gateway.sent_to(number)
        assert 1 <= len(texts) <= at_most, (number, len(texts))
        assert len({text.body for text in texts}) == 1  # a repeat can be told by its reference
    assert {sent.to for sent in house.gateway.ledger} == set(RUNG)
    assert not house.gateway.refused
    with house.database.reading() as session:  # what ``db check`` prints
        assert not [one.name for one in invariants.ALL if invariants.count(session, one)]


def test_every_failpoint_is_tried_here() -> None:
    assert {*AT_WORKER, *AT_WEB} == set(PLACES)


@pytest.mark.parametrize("place", AT_WORKER)
def test_the_worker_is_killed(house: House, place: str) -> None:
    house.report_red()
    house.processes.start("worker", PORTAL_FAILPOINTS=f"{place}:kill@1").wait_killed()
    assert not house.all_accepted()
    healthy = house.processes.start("worker")
    assert until(house.all_accepted), healthy.said()
    assert healthy.stop() == 0, healthy.said()
    _nothing_is_lost(house, at_most=AT_WORKER[place])


def test_a_worker_that_lives_takes_over_from_one_that_died(house: House) -> None:
    healthy = house.processes.start("worker")
    dying = house.processes.start("worker", PORTAL_FAILPOINTS="claim.after_commit:kill@1")
    assert until(lambda: "worker.started" in dying.said() and "worker.started" in healthy.said())
    house.report_red()
    assert until(house.all_accepted), healthy.said()
    _nothing_is_lost(house, at_most=1)


def test_a_worker_that_slept_cannot_overwrite_what_another_did(house: House) -> None:
    house.report_red()
    sleeper = house.processes.start("worker", PORTAL_FAILPOINTS="send.after_gateway:sleep@1")
    assert until(lambda: bool(house.gateway.ledger))
    other = house.processes.start("worker")
    assert until(house.all_accepted), other.said()
    assert sleeper.stop() == 0
    _nothing_is_lost(house, at_most=2)


def _browser() -> OpenerDirector:
    return build_opener(HTTPCookieProcessor(CookieJar()))


def _hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'<input[^>]*type="hidden"[^>]*>', page)
    found = {}
    for field in fields:
        name, value = re.search(r'name="([^"]+)"', field), re.search(r'value="([^"]*)"', field)
        if name and value:
            found[name[1]] = value[1]
    return found


def _post(browser: OpenerDirector, url: str, form: dict[str, str]) -> tuple[int, str]:
    """Status and body; 0 when the connection broke."""
    try:
        with browser.open(url, urlencode(form).encode(), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except (URLError, OSError):
        return 0, ""


@pytest.mark.parametrize("place", AT_WEB)
def test_the_web_process_is_killed(house: House, place: str) -> None:
    base = f"http://127.0.0.1:{house.port}"
    web = house.processes.web(house.port, PORTAL_FAILPOINTS=f"{place}:kill@1")
    browser = _browser()
    with browser.open(base + house.link(), timeout=20) as page:
        form = {**_hidden(page.read().decode()), "red_flags": "chest_pain"}
    assert {"form", "csrf_token"} <= set(form)
    url = f"{base}/check-in/red-flags"
    assert _post(browser, url, form)[0] == 0
    stored = 1 if place == "checkin.after_commit" else 0
    assert (house.count(CheckIn), house.count(Alert)) == (stored, stored)
    web.kill()
    worker = house.processes.start("worker")
    web = house.processes.web(house.port)
    for _ in range(2):  # the person tries again, and presses twice
        status, body = _post(browser, url, form)
        assert status == 200
        assert "911" in body
    assert until(house.all_accepted), worker.said()
    assert worker.stop() == 0
    _nothing_is_lost(house, at_most=1)
    assert house.count(Message, Message.state == MessageState.DUE) == 0
    code, said = house.processes.run("db", "check")
    assert code == 0, said


def test_the_lease_is_short_for_these_tests_alone() -> None:
    plain = environment_for("sqlite:///unused")
    assert settings_for("sqlite:///unused").lease_seconds == timedelta(seconds=30).seconds
    public = {**plain, "BASE_URL": "https://portal.example.org", "PORTAL_LEASE_SECONDS": "2"}
    with pytest.raises(Exception, match="PORTAL_LEASE_SECONDS is for tests"):
        settings_for("sqlite:///unused", public)
