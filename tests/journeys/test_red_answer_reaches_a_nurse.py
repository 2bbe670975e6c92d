"""The main road: a text, a red answer, a nurse's phone, an owner whom the patient sees."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from patient_portal.database import Database
from patient_portal.models import Patient
from patient_portal.services.accounts import hash_password
from tests.support.browser import DESKTOP, Phones
from tests.support.gateway import FakeGateway, Sent, running_gateway
from tests.support.pages import AlertPage, CheckInPage, ResultPage, SignInPage, link_in
from tests.support.people import a_patient, a_team
from tests.support.running import RunningPortal, free_port, running_portal

PASSWORD = "a long walk in november"
EMAIL = "n.silva@maple.example"
ROSA, SILVA, PARK = "+12125550123", "+12125550142", "+12125550143"
# A red answer is one commit and one request away from the gateway.
ALERT_SECONDS = 5.0
REMINDER_SECONDS = 15.0

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Road:
    """The portal while it runs, and what reached the phones."""

    portal: RunningPortal
    gateway: FakeGateway
    database: Database


@pytest.fixture(params=[False, True], ids=["no script", "script"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Without JavaScript, and with it."""
    return bool(request.param)


@pytest.fixture
def road(engine_url: str, tmp_path: Path) -> Iterator[Road]:
    """A clinic with a team and one patient, whose reminder is due now."""
    database = Database(engine_url)
    _fill(database)
    with running_gateway() as gateway:
        gateway.statuses = ("sent", "delivered")
        with running_portal(engine_url, gateway.environment(), tmp_path, free_port()) as portal:
            yield Road(portal, gateway, database)
    database.dispose()


def _fill(database: Database) -> None:
    now = datetime.now(UTC)
    with database.transaction() as session:
        team = a_team(session, created_at=now - timedelta(days=30))
        team.nurse.email = EMAIL
        team.nurse.password_hash = hash_password(PASSWORD)
        patient = a_patient(
            session,
            team.clinic,
            drug="atra_ato",
            zone=_where_it_is_noon(now),
            first_dose_on=now.date() - timedelta(days=8),
            reminder_at=clock_time(12),
        )
        patient.reminder_due_at = now


def _where_it_is_noon(now: datetime) -> str:
    """A zone in which it is between 12 and 13: reminders are not sent at night."""
    ahead = 12 - now.hour
    return "Etc/GMT" if ahead == 0 else f"Etc/GMT{-ahead:+d}"


def _text(gateway: FakeGateway, number: str, seconds: float) -> Sent:
    """The newest text on this phone, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while not _texts(gateway, number):
        assert time.monotonic() < deadline, f"no text reached {number} in {seconds} s"
        time.sleep(0.05)
    return _texts(gateway, number)[-1]


def _texts(gateway: FakeGateway, number: str) -> list[Sent]:
    """The texts on this phone but those of the daily test of the alarm path."""
    return [sent for sent in gateway.sent_to(number) if ": TEST " not in sent.body]


def test_a_red_answer_reaches_a_nurse(road: Road, phones: Phones, javascript: bool) -> None:
    base_url = road.portal.base_url
    reminder = _text(road.gateway, ROSA, REMINDER_SECONDS)
    assert "Rosa" not in reminder.body

    rosa = phones.open(base_url, javascript=javascript)
    step = CheckInPage(rosa).open(link_in(reminder.body, base_url))
    expect(step.question).to_have_text("Do you have any of these right now?")
    step.tap("red_flags", "very_hard_to_breathe")
    result = ResultPage(rosa)
    expect(result.heading).to_have_text("Call 911 now")
    expect(result.call_button).to_have_attribute("href", "tel:911")

    alert = _text(road.gateway, SILVA, ALERT_SECONDS)
    assert "EMERGENCY" in alert.body
    assert not re.search("Rosa|Marin|breath|tretinoin", alert.body)
    assert _text(road.gateway, PARK, ALERT_SECONDS).body == alert.body
    result.wait_for("A text reached", seconds=30)
    expect(rosa.locator("main")).not_to_contain_text("N. Silva")

    nurse = phones.open(base_url, javascript=javascript, size=DESKTOP)
    nurse.goto(link_in(alert.body, base_url))
    SignInPage(nurse).sign_in(EMAIL, PASSWORD)
    expect(nurse.locator("main")).to_contain_text("Rosa Marin")
    AlertPage(nurse).take()
    expect(nurse.locator("main")).to_contain_text("Taken")
    result.wait_for("N. Silva took it", seconds=40)
    expect(result.heading).to_have_text("Call 911 now")

    with road.database.reading() as session:
        assert session.query(Patient).where(Patient.is_test.is_(False)).count() == 1
    assert len(_texts(road.gateway, SILVA)) == 1
