"""Texts from people on the care team's pages: read, called back, and behind their alert."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from patient_portal.database import Database, new_id
from patient_portal.models import AuditEntry, InboundText, Role
from patient_portal.services import inbound
from tests.support.doors import portal_of, post, signed_in, writing
from tests.support.house import House
from tests.support.people import a_clinic, a_member

ROSA = "+12125550123"


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
def nurse(house: House) -> FlaskClient:
    return signed_in(house.app, house.team.nurse)


def _text(house: House, number: str, body: str) -> str:
    with writing(house.app) as (session, now):
        site = portal_of(house.app).site
        inbound.receive(session, site, f"SM{new_id()}", number, body, now)
        return session.scalars(select(InboundText.id).where(InboundText.body == body[:1600])).one()


def _page(browser: FlaskClient) -> str:
    return browser.get("/staff/inbox").text


def test_a_text_waits_until_somebody_has_read_it(house: House, nurse: FlaskClient) -> None:
    text_id = _text(house, ROSA, "When is my visit? <b>R.</b>")
    page = _page(nurse)
    assert "Texts to read" in page
    assert "When is my visit? &lt;b&gt;R.&lt;/b&gt;" in page
    assert "Rosa Marin" in page and f"tel:{ROSA}" in page
    address = f"/staff/texts/{text_id}/read"
    assert post(nurse, address, {}, page="/staff/inbox").status_code == 303
    assert post(nurse, address, {}, page="/staff/inbox").status_code == 303  # twice is no error
    assert "Texts to read" not in _page(nurse)
    with writing(house.app) as (session, _):
        row = session.get_one(InboundText, text_id)
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "text.read")).all()
    assert row.read_by == house.team.nurse.id and row.read_at is not None
    assert [entry.actor_id for entry in entries] == [house.team.nurse.id]


def test_a_strangers_danger_comes_first_and_says_so(house: House, nurse: FlaskClient) -> None:
    _text(house, ROSA, "hello")
    _text(house, "+12125550888", "I cannot breathe")
    page = _page(nurse)
    assert page.index("I cannot breathe") < page.index("hello")
    assert "Words of danger. Call now." in page
    assert "a phone we do not know" in page


def test_words_of_danger_stand_on_the_alert_and_not_among_texts(
    house: House, nurse: FlaskClient
) -> None:
    _text(house, ROSA, "I cannot breathe")
    page = _page(nurse)
    assert "Texts to read" not in page
    assert "I cannot breathe" not in page
    assert "Wrote by text: words of an emergency" in page
    ref = page.split("/staff/alerts/")[1][:5]
    alert = nurse.get(f"/staff/alerts/{ref}").text
    assert "I cannot breathe" in alert
    assert "Words of danger came by text." in alert


def test_another_clinics_texts_do_not_exist(house: House, nurse: FlaskClient) -> None:
    text_id = _text(house, ROSA, "hello")
    with writing(house.app) as (session, _):
        far = a_clinic(session, name="Far Clinic")
        other = a_member(session, far, "X. Else", phone="+12125550190")
    browser = signed_in(house.app, other)
    assert "hello" not in _page(browser)
    for address in (f"/staff/texts/{text_id}/read", "/staff/texts/nothing/read"):
        assert post(browser, address, {}, page="/staff/inbox").status_code == 404


def test_an_auditor_reads_and_changes_nothing(house: House) -> None:
    text_id = _text(house, ROSA, "hello")
    with writing(house.app) as (session, _):
        auditor = a_member(session, house.team.clinic, "A. Udit", phone=None, role=Role.AUDITOR)
    browser = signed_in(house.app, auditor)
    assert "hello" in _page(browser)
    assert "Mark as read" not in _page(browser)
    assert post(browser, f"/staff/texts/{text_id}/read", {}, page="/staff/inbox").status_code == 403


def test_the_inbox_says_whom_nobody_can_text(house: House, nurse: FlaskClient) -> None:
    assert "answered STOP" not in _page(nurse)
    _text(house, "+12125550143", "STOP")
    assert "Nobody can text J. Park: the phone answered STOP." in _page(nurse)
    _text(house, "+12125550143", "START")
    assert "answered STOP" not in _page(nurse)


def test_a_long_list_is_read_by_the_same_few_statements(house: House, nurse: FlaskClient) -> None:
    for n in range(130):
        with writing(house.app) as (session, now):
            session.add(
                InboundText(
                    gateway_id=f"SM{n}", from_number=ROSA, body=f"text {n}", handled_as="help",
                    received_at=now + timedelta(seconds=n), clinic_id=house.team.clinic.id,
                )
            )  # fmt: skip
    assert _page(nurse).count("<blockquote") == 100
