"""Passing an alert on, and who is next, as the care team's pages say it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from patient_portal.database import Database
from patient_portal.models import Clinic, Heartbeat, MessageState
from patient_portal.services import ladder
from tests.support.doors import an_app, signed_in, writing
from tests.support.people import a_patient, a_site, a_team
from tests.web.test_inbox import Ward, main_of, put


@pytest.fixture
def ward(database: Database) -> Iterator[Ward]:
    app = an_app(database)
    with writing(app) as (session, now):
        team = a_team(session)
        patient = a_patient(session, team.clinic, first_dose_on=(now - timedelta(days=11)).date())
        session.add(Heartbeat(worker="w", beat_at=now))
    yield Ward(app, team, patient, signed_in(app, team.nurse))


def climb(ward: Ward) -> None:
    with writing(ward.app) as (session, now):
        ladder.advance(session, a_site(), now)


def test_list_and_page_say_who_was_texted_and_who_is_next(ward: Ward) -> None:
    ward.answer(breathlessness="moderate_exertion", orthopnea=False)
    listed = main_of(ward.nurse.get("/staff/inbox"))
    page = main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))
    for text in (listed, page):
        assert "Not sent yet: N. Silva" in text
        assert "Texted at" not in text
        assert re.search(r"Next: [^·]+ at \d", text)


def test_who_was_texted_is_said_when_the_text_has_left(ward: Ward) -> None:
    ward.answer(breathlessness="moderate_exertion", orthopnea=False)
    put(ward, MessageState.ACCEPTED)
    for path in ("/staff/inbox", f"/staff/alerts/{ward.alert().ref}"):
        text = main_of(ward.nurse.get(path))
        assert re.search(r"Texted at [^·]+: N\. Silva · Next: ", text)
        assert "Not sent yet" not in text


def test_a_text_that_failed_reached_nobody(ward: Ward) -> None:
    ward.answer(breathlessness="moderate_exertion", orthopnea=False)
    put(ward, MessageState.FAILED)
    text = main_of(ward.nurse.get("/staff/inbox"))
    assert "Texted at" not in text
    assert "Not sent yet" not in text


def test_a_next_step_that_is_late_is_no_promise(ward: Ward) -> None:
    ward.answer(breathlessness="moderate_exertion", orthopnea=False)
    ward.later(timedelta(minutes=16))  # and no worker goes on
    text = main_of(ward.nurse.get("/staff/inbox"))
    assert re.search(r"Next: [^·]+, due at \d", text)


def test_passing_on_texts_the_next_person_and_is_logged(ward: Ward) -> None:
    ward.answer(swelling="worse")
    before = ward.alert()
    assert ward.do("pass-on").status_code == 303
    after = ward.alert()
    assert after.step == before.step + 1
    page = main_of(ward.nurse.get(f"/staff/alerts/{after.ref}"))
    assert "N. Silva passed it on. The next person is texted." in page


def test_after_the_last_step_the_page_says_that_there_is_nobody_further(ward: Ward) -> None:
    ward.answer(swelling="worse")
    assert ward.do("pass-on").status_code == 303
    assert ward.do("pass-on").status_code == 303
    page = ward.do("pass-on")
    assert page.status_code == 409
    assert "There is nobody further to pass it on to." in page.text
    assert "/pass-on" not in page.text


def test_a_closed_alert_is_not_passed_on(ward: Ward) -> None:
    ward.answer(swelling="worse")
    assert ward.do("close", outcome="false_alarm").status_code == 303
    assert ward.do("pass-on").status_code == 409


def test_the_log_says_what_the_clock_did(ward: Ward) -> None:
    ward.answer(swelling="worse")
    ward.later(timedelta(minutes=16))
    climb(ward)
    page = main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))
    assert "No text arrived. Step 2 is texted." in page
    assert "Nobody took it in time. The patient is texted to call." in page


def test_a_text_to_the_clinics_own_phone_says_whose_it_is(ward: Ward) -> None:
    with writing(ward.app) as (session, _):
        session.get_one(Clinic, ward.team.clinic.id).catch_all = "+12125550150"
    ward.answer(breathlessness="mild_exertion")
    for _ in range(2):
        ward.later(timedelta(minutes=31))
        climb(ward)
    page = main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))
    assert "The clinic's own phone (212) 555-0150" in page.replace("&#39;", "'")
    assert "+1212" not in page
