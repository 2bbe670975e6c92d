"""The care team's inbox and alert pages, as a browser without scripts meets them; both engines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, event, select, update
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    Caregiver,
    CaregiverGrant,
    CheckIn,
    Heartbeat,
    Message,
    MessageState,
    Patient,
    Role,
    Shift,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import alerts, checkins
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from tests.support.doors import an_app, move_clock, post, signed_in, token_in, writing
from tests.support.people import NOON, Team, a_clinic, a_member, a_patient, a_site, a_team


@dataclass
class Ward:
    """A clinic with a patient, the app over it, and the nurse's browser."""

    app: Flask
    team: Team
    patient: Patient
    nurse: FlaskClient

    def answer(self, patient: Patient | None = None, key: str = "k1", **given: Any) -> None:
        """One answer of a check-in form, by the patient."""
        who = patient or self.patient
        self.answer_as(Actor("patient", who.id), who, key, **given)

    def answer_as(
        self, actor: Actor, who: Patient, key: str = "k1", known: bool = True, **given: Any
    ) -> None:
        """One answer by somebody."""
        with writing(self.app) as (session, now):
            form = Form(who, key, actor, known)
            step = Step(next(iter(given)), given, tuple(given))
            checkins.record_answers(session, a_site(), form, step, now)

    def send(self, patient: Patient | None = None, key: str = "k1") -> None:
        """Press Send."""
        who = patient or self.patient
        with writing(self.app) as (session, now):
            checkins.send(session, a_site(), Form(who, key, Actor("patient", who.id)), now)

    def alert(self) -> Alert:
        """The alert that was opened last."""
        with writing(self.app) as (session, _):
            return session.scalars(select(Alert).order_by(Alert.opened_at.desc())).first()  # type: ignore[return-value]

    def browser_of(self, member: StaffMember) -> FlaskClient:
        """Another person's browser."""
        return signed_in(self.app, member)

    def later(self, by: timedelta) -> None:
        """Let time pass; the nurse signs in again, for sessions end when nobody uses them."""
        move_clock(self.app, by)
        self.nurse = signed_in(self.app, self.team.nurse)

    def do(self, act: str, **fields: str) -> TestResponse:
        """Post a form of the alert's page as the nurse."""
        path = f"/staff/alerts/{self.alert().ref}"
        return post(self.nurse, f"{path}/{act}", fields, page=path)


@pytest.fixture
def ward(database: Database) -> Iterator[Ward]:
    app = an_app(database)
    with writing(app) as (session, now):
        team = a_team(session)
        patient = a_patient(
            session, team.clinic, first_dose_on=(now - timedelta(days=11)).date(), language="es"
        )
        session.add(Heartbeat(worker="w", beat_at=now))
    yield Ward(app, team, patient, signed_in(app, team.nurse))


def main_of(page: TestResponse) -> str:
    """The text of the page's main part, without markup."""
    found = re.search(r"<main.*?</main>", page.text, re.S)
    assert found is not None
    text = re.sub(r"<svg.*?</svg>", "", found[0], flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip()


def title_of(page: TestResponse) -> str:
    found = re.search(r"<title>(.*?)</title>", page.text)
    assert found is not None
    return found[1]


# ---- the list


def test_an_empty_inbox_says_who_is_on_call(ward: Ward) -> None:
    page = ward.nurse.get("/staff/inbox")
    assert page.status_code == 200
    assert title_of(page).startswith("Inbox")
    assert "No open alerts. On call now: N. Silva." in main_of(page)
    assert 'http-equiv="refresh" content="30"' in page.text
    assert "refresh" not in ward.nurse.get("/staff/inbox?hold=1").text.split("</head>")[0]


def test_a_red_answer_stands_in_the_inbox_with_its_reason(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    page = ward.nurse.get("/staff/inbox")
    text = main_of(page)
    assert title_of(page).startswith("(1) Inbox")
    assert "Emergency" in text
    assert "Rosa Marin" in text
    assert "Breathless at rest" in text
    assert "born 1959 · enasidenib · day 12 · Spanish" in text
    assert "New" in text


def test_who_is_silent_is_listed_with_a_number_to_call(ward: Ward) -> None:
    ward.answer(breathlessness="none")
    ward.send()
    assert "No check-in" not in ward.nurse.get("/staff/inbox").text
    move_clock(ward.app, timedelta(days=4))
    page = signed_in(ward.app, ward.team.nurse).get("/staff/inbox")
    assert "No check-in on 2 days running, in window: phone the patient" in main_of(page)
    assert "last check-in" in main_of(page)
    assert 'href="tel:+12125550123"' in page.text


def other(ward: Ward, first: str, **values: Any) -> Patient:
    with writing(ward.app) as (session, _):
        return a_patient(session, ward.team.clinic, first_name=first, **values)


def test_worst_first_then_nobodys_then_oldest(ward: Ward) -> None:
    old, new = other(ward, "Olduntaken"), other(ward, "Newuntaken")
    taken, worst = other(ward, "Taken"), other(ward, "Worst")
    ward.answer(taken, breathlessness="mild_exertion")
    taken_alert = ward.alert()
    for patient in (old, new):
        ward.later(timedelta(seconds=60))
        ward.answer(patient, breathlessness="mild_exertion")
    ward.later(timedelta(seconds=60))
    ward.answer(worst, breathlessness="at_rest")
    with writing(ward.app) as (session, now):
        alerts.take(session, session.get_one(Alert, taken_alert.id), ward.team.backup, now)
    text = main_of(ward.nurse.get("/staff/inbox"))
    listed = text[: text.index("Next in line")]
    order = [
        listed.index(name) for name in ("Worst", "Olduntaken", "Newuntaken", "Taken by J. Park")
    ]
    assert order == sorted(order)


def test_an_alert_that_nobody_takes_is_late_in_words(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    ward.later(timedelta(minutes=17))
    assert "Late by 2 min" in main_of(ward.nurse.get("/staff/inbox"))


def test_late_begins_with_one_minute(ward: Ward) -> None:
    ward.answer(red_flags=["chest_pain"])
    ward.later(timedelta(minutes=5))
    assert "Late by 1 min" in main_of(ward.nurse.get("/staff/inbox"))


def test_not_sure_stands_beside_the_sign(ward: Ward) -> None:
    ward.answer(orthopnea="not_sure")
    assert "New orthopnea (not sure)" in main_of(ward.nurse.get("/staff/inbox"))


def test_a_tap_by_mistake_is_said_where_the_alert_is_read(ward: Ward) -> None:
    ward.answer(red_flags=["chest_pain"])
    with writing(ward.app) as (session, now):
        form = Form(ward.patient, "k1", Actor("patient", ward.patient.id))
        checkins.take_back(session, form, "red-flags", now)
    page = main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))
    assert "The patient says: tapped by mistake. Ask them." in page
    assert "The patient says: tapped by mistake. The alert stays open." in page


def test_nothing_of_another_clinic_is_shown_or_can_be_touched(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    ref = ward.alert().ref
    with writing(ward.app) as (session, _):
        stranger = a_member(session, a_clinic(session, name="Other"), "X. Else")
    browser = ward.browser_of(stranger)
    page = browser.get("/staff/inbox")
    assert "Rosa" not in page.text
    assert title_of(page).startswith("Inbox")
    assert browser.get(f"/staff/alerts/{ref}").status_code == 404
    for act in ("take", "release", "contact", "close"):
        answer = post(browser, f"/staff/alerts/{ref}/{act}", {"result": "reached"},
                      page="/staff/inbox")  # fmt: skip
        assert answer.status_code == 404
    assert ward.alert().state is AlertState.OPEN


@pytest.mark.parametrize("ref", ["ZZZZZ", "x", "%00%00%00%00%00", "AAAAAAAAAA", "..%2f..", "é2345"])
def test_a_reference_that_is_none_is_not_found(ward: Ward, ref: str) -> None:
    assert ward.nurse.get(f"/staff/alerts/{ref}").status_code == 404
    answer = post(ward.nurse, f"/staff/alerts/{ref}/contact", page="/staff/inbox")
    assert answer.status_code == 404


def test_a_reference_may_be_typed_in_small_letters(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    assert ward.nurse.get(f"/staff/alerts/{ward.alert().ref.lower()}").status_code == 200


def test_a_watch_answer_is_listed_until_somebody_has_read_it(ward: Ward) -> None:
    ward.answer(temperature="37.6", temperature_unit="c")
    assert "Watch" not in main_of(ward.nurse.get("/staff/inbox"))  # still being filled in
    ward.send()
    assert "37.6 °C" in main_of(ward.nurse.get("/staff/inbox"))
    with writing(ward.app) as (session, _):
        found = session.scalars(select(CheckIn.id)).one()
    path = f"/staff/check-ins/{found}/read"
    answer = post(ward.nurse, path, page="/staff/inbox")
    assert (answer.status_code, answer.location) == (303, "/staff/inbox")
    assert post(ward.nurse, path, page="/staff/inbox").status_code == 303  # twice is once
    assert "37.6 °C" not in main_of(ward.nurse.get("/staff/inbox"))
    with writing(ward.app) as (session, _):
        check_in = session.get_one(CheckIn, found)
        assert check_in.read_by == ward.team.nurse.id
        reads = select(AuditEntry).where(AuditEntry.action == "check_in.read")
        assert len(session.scalars(reads).all()) == 1
    assert post(ward.nurse, "/staff/check-ins/nothing/read", page="/staff/inbox").status_code == 404


def test_a_form_that_was_left_is_listed_as_not_finished(ward: Ward) -> None:
    ward.answer(temperature="37.6", temperature_unit="c")
    ward.later(timedelta(minutes=31))
    assert "Not finished" in main_of(ward.nurse.get("/staff/inbox"))


# ---- when texts do not get through


def put(ward: Ward, *states: MessageState) -> None:
    with writing(ward.app) as (session, now):
        rows = session.scalars(select(Message).order_by(Message.to_number)).all()
        for message, state in zip(rows, states, strict=True):
            message.state = state
            was_taken = state in (MessageState.ACCEPTED, MessageState.UNDELIVERED)
            message.accepted_at = now if was_taken else None


NOT_SENT = "The text about this alert has not left for 2 minutes."


def test_an_alert_whose_text_does_not_leave_is_shown_in_words(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    assert NOT_SENT not in main_of(ward.nurse.get("/staff/inbox"))
    ward.later(timedelta(seconds=121))
    page = f"/staff/alerts/{ward.alert().ref}"
    assert NOT_SENT in main_of(ward.nurse.get("/staff/inbox"))
    assert NOT_SENT in main_of(ward.nurse.get(page))
    put(ward, MessageState.ACCEPTED)
    assert NOT_SENT not in main_of(ward.nurse.get(page))


def test_a_text_of_before_says_nothing_of_the_new_ladder(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    put(ward, MessageState.ACCEPTED)
    ward.later(timedelta(seconds=60))
    ward.answer(key="k2", breathlessness="at_rest")
    ward.later(timedelta(seconds=121))
    assert NOT_SENT in main_of(ward.nurse.get("/staff/inbox"))
    assert NOT_SENT in main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))


def test_texts_that_failed_are_shown_at_once(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    put(ward, MessageState.ACCEPTED, MessageState.FAILED)
    assert "One text about this alert did not get through." in main_of(
        ward.nurse.get("/staff/inbox")
    )
    put(ward, MessageState.UNDELIVERED, MessageState.FAILED)
    assert "No text about this alert got through." in main_of(ward.nurse.get("/staff/inbox"))
    assert ward.do("take").status_code == 303
    assert "got through" not in main_of(ward.nurse.get("/staff/inbox"))  # a person has it


def test_a_lost_text_does_not_hide_that_the_other_has_not_left(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    put(ward, MessageState.UNDELIVERED, MessageState.DUE)
    ward.later(timedelta(seconds=121))
    assert NOT_SENT in main_of(ward.nurse.get("/staff/inbox"))
    assert NOT_SENT in main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))


def test_nobody_to_text_is_shown_at_once(ward: Ward) -> None:
    with writing(ward.app) as (session, _):
        session.execute(delete(Shift))
        session.execute(update(StaffPhone).values(stopped_at=NOON))
    ward.answer(breathlessness="at_rest")
    page = ward.nurse.get(f"/staff/alerts/{ward.alert().ref}")
    assert "Nobody was texted: no one on call has a phone number here." in main_of(page)


def test_a_stopped_worker_is_shown_on_every_page(ward: Ward) -> None:
    sentence = "Texts are not going out"
    assert sentence not in ward.nurse.get("/staff/inbox").text
    ward.later(timedelta(seconds=61))
    assert sentence in ward.nurse.get("/staff/inbox").text
    assert sentence in ward.nurse.get("/staff/patients").text


# ---- one alert


def test_an_alert_shows_what_was_answered_and_what_it_was_before(ward: Ward) -> None:
    ward.answer(key="y", breathlessness="mild_exertion")
    ward.answer(key="y", weight="70.0", weight_unit="kg")
    ward.send(key="y")
    ward.later(timedelta(days=1))
    ward.answer(key="t", breathlessness="at_rest")
    ward.answer(key="t", weight="72.4", weight_unit="kg")
    text = main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))
    assert "Hard to breathe (When I sit still, lie flat or talk)" in text
    assert "Was “A little short of breath (When I walk fast or climb stairs)” yesterday." in text
    assert "72.4 kg . Was “70.0 kg” yesterday." in text.replace("kg.", "kg .")
    assert "Breathless at rest BR3" in text
    assert "Rules: ds-1.0" in text
    assert "The page told them to call 911. We cannot see if they did." in text
    assert "interpreter needed" in text
    assert "Get an interpreter for Spanish." in text
    assert "weight up 2.4 kg in 1 day" in text


def test_who_entered_it_and_whether_the_phone_was_known(ward: Ward) -> None:
    with writing(ward.app) as (session, now):
        helper = Caregiver(
            clinic_id=ward.team.clinic.id, first_name="Luis", phone="+12125550128",
            language="es", created_at=now,
        )  # fmt: skip
        session.add(helper)
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=helper.id,
                patient_id=ward.patient.id,
                scopes=["report"],
                granted_at=now,
            )
        )
    ward.answer_as(
        Actor("caregiver", helper.id), ward.patient, known=False, breathlessness="at_rest"
    )
    text = main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))
    assert "by Luis for Rosa" in text
    assert "Helper: Luis" in text
    assert "Phone not recognised" in text
    assert "phone not recognised" in main_of(ward.nurse.get("/staff/inbox"))


def test_every_look_at_an_alert_is_on_the_patients_record(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    ward.nurse.get(f"/staff/alerts/{ward.alert().ref}")
    with writing(ward.app) as (session, _):
        looked = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "patient.viewed")
        ).one()
        assert (looked.actor_id, looked.subject_id) == (ward.team.nurse.id, ward.patient.id)


def test_texts_and_log_tell_what_happened(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    put(ward, MessageState.ACCEPTED, MessageState.FAILED)
    ward.do("take")
    ward.do("contact", result="no_answer")
    text = main_of(ward.nurse.get(f"/staff/alerts/{ward.alert().ref}"))
    assert "sent, not yet on the phone" in text
    assert "could not be sent" in text
    assert "Red answer saved. Alert opened." in text
    assert "N. Silva took it." in text
    assert "N. Silva called: No answer." in text


def test_the_alert_before_is_one_tap_away(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    first = ward.alert()
    ward.do("close", outcome="not_ds", useful="no")
    ward.later(timedelta(hours=1))
    ward.answer(key="k2", breathlessness="mild_exertion")
    page = ward.nurse.get(f"/staff/alerts/{ward.alert().ref}")
    assert f'href="/staff/alerts/{first.ref}"' in page.text
    assert "Closed by N. Silva" in main_of(page)


# ---- acts


def test_take_then_the_second_person_reads_who_has_it(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    ref = ward.alert().ref
    answer = ward.do("take")
    assert (answer.status_code, answer.location) == (303, f"/staff/alerts/{ref}")
    mine = main_of(ward.nurse.get(f"/staff/alerts/{ref}"))
    assert "You took it at" in mine
    assert "Call by" in mine
    late = ward.browser_of(ward.team.backup)
    refused = post(late, f"/staff/alerts/{ref}/take", page=f"/staff/alerts/{ref}")
    assert refused.status_code == 409
    assert re.search(r"Taken by N\. Silva at \d+:\d\d", main_of(refused))
    assert "Why now" in main_of(refused)


def test_give_back_and_note_a_call(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    assert ward.do("contact", result="reached").status_code == 409  # nobody has taken it
    assert ward.do("release").status_code == 409
    ward.do("take")
    assert ward.do("contact", result="reached").status_code == 303
    assert "Spoken with the patient at" in main_of(
        ward.nurse.get(f"/staff/alerts/{ward.alert().ref}")
    )
    assert ward.do("release").status_code == 303
    assert ward.alert().state is AlertState.OPEN


@pytest.mark.parametrize("result", ["", "maybe", "reached\x00", "x" * 5000])
def test_a_result_that_is_none_is_asked_again(ward: Ward, result: str) -> None:
    ward.answer(breathlessness="at_rest")
    ward.do("take")
    answer = ward.do("contact", result=result)
    assert answer.status_code == 422
    assert "Choose what came of the call." in main_of(answer)


def test_closing_without_contact_asks_why_and_keeps_what_was_typed(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    answer = ward.do("close", outcome="sent_to_emergency", useful="yes", recheck_at="")
    assert answer.status_code == 422
    assert title_of(answer).startswith("Error:")
    assert "Nobody has spoken with this patient. Write why you close the alert." in main_of(answer)
    assert '<option value="sent_to_emergency" selected>' in answer.text
    assert 'value="yes" checked' in answer.text
    done = ward.do("close", outcome="sent_to_emergency", useful="yes", note="Ambulance was there")
    assert done.status_code == 303
    alert = ward.alert()
    assert (alert.state, alert.outcome, alert.useful) == (
        AlertState.CLOSED, "sent_to_emergency", True,
    )  # fmt: skip
    again = ward.do("close", outcome="test", note="x")
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose how it ended."),
        ({"outcome": "made_up"}, "Choose how it ended."),
        ({"outcome": "advised"}, "Choose a day and time to look again"),
        ({"outcome": "advised", "recheck_at": "4/11"}, "Choose a day and time to look again"),
        ({"outcome": "advised", "recheck_at": "2020-01-01T10:00"}, "Choose a day and time"),
        ({"outcome": "advised", "recheck_at": "9999-12-31T23:59"}, "Choose a day and time"),
        ({"outcome": "advised", "recheck_at": "0001-01-01T00:00"}, "Choose a day and time"),
        ({"outcome": "advised", "recheck_at": "2026-11-21T10:00Z"}, "Choose a day and time"),
        ({"outcome": "unreachable"}, "Note 3 calls first."),
        ({"outcome": "not_ds", "useful": "perhaps"}, "Choose yes or no"),
        ({"outcome": "not_ds", "note": "x" * 2001}, "The note is too long."),
        ({"outcome": "not_ds\x00"}, "Choose how it ended."),
    ],
)
def test_what_is_missing_to_close_is_said(
    ward: Ward, fields: dict[str, str], sentence: str
) -> None:
    ward.answer(breathlessness="mild_exertion")
    answer = ward.do("close", **fields)
    assert answer.status_code == 422
    assert sentence in main_of(answer)
    assert ward.alert().state is AlertState.OPEN


def test_a_note_with_signs_that_no_text_holds_is_kept_without_them(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    assert ward.do("close", outcome="not_ds", note="She is\x00 well").status_code == 303
    assert ward.alert().note == "She is well"


OURS = {"Sec-Fetch-Site": "same-origin"}


def test_a_note_typed_during_a_long_call_outlives_the_session(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    path = f"/staff/alerts/{ward.alert().ref}/close"
    page = ward.nurse.get(path.removesuffix("/close"))
    fields = {"csrf_token": token_in(page), "outcome": "not_ds", "note": "Spoke <20> min"}
    move_clock(ward.app, timedelta(minutes=20))
    over = ward.nurse.post(path, data=fields, headers=OURS)
    assert over.status_code == 403
    assert "Sign in on a new page first." in main_of(over)
    assert 'name="note" value="Spoke &lt;20&gt; min"' in over.text
    assert ward.alert().state is AlertState.OPEN
    ward.nurse = signed_in(ward.app, ward.team.nurse)  # a new session, so another form token
    expired = ward.nurse.post(path, data=fields, headers=OURS)
    assert expired.status_code == 400
    assert 'name="note" value="Spoke &lt;20&gt; min"' in expired.text
    again = {**fields, "csrf_token": token_in(expired)}
    assert ward.nurse.post(path, data=again, headers=OURS).status_code == 303
    assert ward.alert().note == "Spoke <20> min"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}])
def test_nothing_that_another_site_posts_is_offered_to_be_sent(
    ward: Ward, headers: dict[str, str]
) -> None:
    ward.answer(breathlessness="mild_exertion")
    path = f"/staff/alerts/{ward.alert().ref}/close"
    page = ward.nurse.post(path, data={"outcome": "not_ds", "note": "theirs"}, headers=headers)
    assert page.status_code == 400
    assert "theirs" not in page.text


def test_advice_is_kept_with_the_moment_to_look_again(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    with writing(ward.app) as (_, now):
        tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%dT09:30")
    ward.do("close", outcome="advised", recheck_at=tomorrow, note="<b>rest</b>")
    alert = ward.alert()
    assert alert.recheck_at is not None
    local = datetime.fromisoformat(tomorrow)
    # The clinic is in New York: what was typed is its wall time, not UTC.
    assert alert.recheck_at.replace(tzinfo=None) - local in (
        timedelta(hours=4), timedelta(hours=5),
    )  # fmt: skip
    page = ward.nurse.get(f"/staff/alerts/{alert.ref}")
    assert "&lt;b&gt;rest" in page.text
    assert "Look again:" in main_of(page)


def test_repeated_and_missing_fields_are_no_error_of_the_server(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    path = f"/staff/alerts/{ward.alert().ref}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', ward.nurse.get(path).text)
    assert token is not None
    for body in (
        {"csrf_token": token[1], "outcome": ["test", "not_ds"], "note": ["a", "b"]},
        {"csrf_token": token[1], "outcome": "test"},
    ):
        assert ward.nurse.post(f"{path}/close", data=body).status_code in (303, 409)
    assert ward.nurse.post(f"{path}/take").status_code == 400  # no token
    assert ward.nurse.get(f"{path}/take").status_code == 405


def test_an_auditor_reads_and_does_not_act(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest")
    with writing(ward.app) as (session, _):
        auditor = a_member(session, ward.team.clinic, "A. Uditor", role=Role.AUDITOR)
    browser = ward.browser_of(auditor)
    path = f"/staff/alerts/{ward.alert().ref}"
    assert "Take this alert" not in browser.get(path).text
    assert "Take this alert" not in browser.get("/staff/inbox").text
    assert post(browser, f"{path}/take", page=path).status_code == 403


def test_a_stranger_signs_in_first(ward: Ward) -> None:
    stranger = ward.app.test_client()
    answer = stranger.get("/staff/inbox")
    assert answer.status_code == 302
    assert "/staff/sign-in" in answer.location


# ---- how it is made


def test_no_page_holds_inline_style_or_script(ward: Ward) -> None:
    ward.answer(breathlessness="at_rest", weight="72.5", weight_unit="kg")
    for path in ("/staff/inbox", f"/staff/alerts/{ward.alert().ref}"):
        page = ward.nurse.get(path).text
        assert not re.search(r"<[^>]+\sstyle=|<[^>]+\son\w+=|<style|<script", page)
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        for name in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', page):
            assert set(name.split()) <= set(ids)


def test_the_inbox_asks_the_database_as_often_for_many_as_for_one(
    ward: Ward, database: Database
) -> None:
    asked: list[str] = []

    def note(*args: Any) -> None:
        asked.append(args[2])

    ward.answer(breathlessness="at_rest")
    ward.nurse.get("/staff/inbox")  # a first connection asks more
    event.listen(database.engine, "before_cursor_execute", note)
    ward.nurse.get("/staff/inbox")
    one = len(asked)
    for number in range(12):
        ward.answer(other(ward, f"P{number}"), breathlessness="at_rest")
    asked.clear()
    page = ward.nurse.get("/staff/inbox")
    event.remove(database.engine, "before_cursor_execute", note)
    assert page.text.count("<article") == 13
    assert len(asked) == one


# ---- closing with signs that are over


def test_the_closer_ticks_which_signs_are_over(ward: Ward) -> None:
    ward.answer(breathlessness="mild_exertion")
    ward.answer(key="k2", temperature="38.4", temperature_unit="c")
    path = f"/staff/alerts/{ward.alert().ref}"
    page = ward.nurse.get(path)
    assert re.findall(r'name="over" value="(\w+)"', page.text) == ["D", "F"]
    seen = re.search(r'name="seen_at" value="([^"]+)"', page.text)
    assert seen is not None
    fields = {"outcome": "not_ds", "over": "D", "seen_at": seen[1]}
    assert ward.do("close", **fields).status_code == 303
    assert ward.alert().resolved == {"signs": ["D"], "until": seen[1]}
    assert "Over: Shortness of breath." in main_of(ward.nurse.get(path))


@pytest.mark.parametrize(
    "seen_at", ["", "soon", "2026-11-20T12:00:00", "2099-01-01T00:00:00+00:00"]
)
def test_signs_are_not_over_by_a_page_that_nobody_saw(ward: Ward, seen_at: str) -> None:
    ward.answer(breathlessness="mild_exertion")
    refused = ward.do("close", outcome="not_ds", over="D", seen_at=seen_at)
    assert refused.status_code == 422
    assert "tick the signs that are over" in main_of(refused)
    assert re.search(r'value="D" checked', refused.text)
    made_up = ward.do("close", outcome="not_ds", over="nonsense", seen_at=seen_at)
    assert made_up.status_code == 303
    assert ward.alert().resolved is None
