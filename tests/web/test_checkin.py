"""The check-in, page by page, on both engines: what is asked, kept, alerted and shown."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from patient_portal import protocols
from patient_portal.database import Database
from patient_portal.models import (
    Alert,
    AuditEntry,
    Caregiver,
    CaregiverGrant,
    CheckInState,
    LinkKind,
    Message,
    MessageState,
    Patient,
)
from patient_portal.services.alerts import Closing, close, contact, take
from patient_portal.services.enrolment import new_link
from patient_portal.services.tokens import link_token
from tests.support import doors
from tests.support.check_in import WELL, Filler, alerts, check_ins, hidden_of, queued
from tests.support.people import NOON, Team, a_house


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


@pytest.fixture
def app(database: Database, house: tuple[Team, Patient]) -> Flask:
    return doors.an_app(database)


@pytest.fixture
def rosa(app: Flask, house: tuple[Team, Patient]) -> FlaskClient:
    return doors.remembered(app, house[1])


def daily_link(app: Flask, patient: Patient) -> str:
    with doors.writing(app) as (session, now):
        link = new_link(session, doors.portal_of(app).site, patient, LinkKind.DAILY, now)
        return f"/c/{link_token(doors.PEPPER, link.id)}"


def test_a_well_day_is_seven_pages_and_says_it_rules_nothing_out(
    rosa: FlaskClient, database: Database
) -> None:
    page = Filler(rosa).answer_all(*WELL)
    assert page.status_code == 200
    assert "There are no warning signs in today’s answers." in page.text
    assert "This does not rule out differentiation syndrome." in page.text
    assert "Thank you, Rosa" in page.text
    assert "http-equiv" not in page.text.replace('name="referrer"', "")
    (kept,) = check_ins(database)
    assert kept.state is CheckInState.SENT
    assert kept.answers == {
        "red_flags": ["none"],
        "breathlessness": "none",
        "swelling": "none",
        "temperature": "36.7",
        "temperature_unit": "c",
        "fever_medicine_6h": False,
        "weight": "70.2",
        "weight_unit": "kg",
    }
    assert not alerts(database)


def test_looking_at_the_first_page_stores_nothing(
    rosa: FlaskClient, app: Flask, database: Database
) -> None:
    rosa.get("/")
    before = doors.counts(database)
    keys = {hidden_of(rosa.get("/check-in"))["form"] for _ in range(3)}
    rosa.get("/check-in/breathing?form=" + keys.copy().pop())
    assert doors.counts(database) == before
    assert len(keys) == 3


def test_a_red_flag_shows_the_emergency_at_once_and_alerts_though_nothing_is_sent(
    rosa: FlaskClient, database: Database
) -> None:
    page = Filler(rosa).answer(red_flags="very_hard_to_breathe")
    assert "Call 911 now" in page.text
    assert 'href="tel:911"' in page.text
    assert "You told us it is very hard to breathe." in page.text
    assert "I take enasidenib." in page.text
    assert "We are texting your nurse now" in page.text
    assert 'http-equiv="refresh" content="15"' in page.text
    (alert,) = alerts(database)
    assert alert.level == 3
    assert {text.alert_id for text in queued(database)} == {alert.id}
    (kept,) = check_ins(database)
    assert kept.state is CheckInState.OPEN


def test_tapping_twice_shows_the_emergency_twice_and_alerts_once(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    first = filler.open()
    data = {**hidden_of(first), "red_flags": "chest_pain"}
    one = rosa.post("/check-in/red-flags", data=data)
    texts = len(queued(database))
    two = rosa.post("/check-in/red-flags", data=data)
    assert one.headers["Location"] == two.headers["Location"]
    assert "/check-in/result/" in two.headers["Location"]
    assert len(check_ins(database)) == len(alerts(database)) == 1
    assert len(queued(database)) == texts


def test_the_same_answer_from_two_tabs_at_once_is_one_check_in_and_one_alert(
    app: Flask, house: tuple[Team, Patient], database: Database
) -> None:
    browsers = [doors.remembered(app, house[1]) for _ in range(4)]
    key = hidden_of(browsers[0].get("/check-in"))["form"]
    sent = [
        {**hidden_of(browser.get("/check-in")), "form": key, "red_flags": "blue_lips"}
        for browser in browsers
    ]
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda one: one[0].post("/check-in/red-flags", data=one[1]),
                        zip(browsers, sent, strict=True))
        )  # fmt: skip
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(check_ins(database)) == len(alerts(database)) == 1
    assert len({text.to_number for text in queued(database)}) == len(queued(database)) == 2


def test_tell_us_more_goes_on_with_the_same_form(rosa: FlaskClient, database: Database) -> None:
    filler = Filler(rosa)
    page = filler.answer(red_flags="chest_pain")
    assert "Tell us more" in page.text
    filler.open(f"/check-in/breathing?form={filler.fields.get('form') or _key(page.text)}")
    filler.answer(breathlessness="none")
    assert filler.slug == "swelling"
    assert len(check_ins(database)) == 1


def _key(text: str) -> str:
    return text.split("form=", 1)[1].split('"', 1)[0]


def test_none_beside_a_flag_never_calms_it(rosa: FlaskClient, database: Database) -> None:
    page = Filler(rosa).answer(red_flags=["none", "blue_lips"])
    assert "Call 911 now" in page.text
    assert check_ins(database)[0].answers == {"red_flags": ["blue_lips"]}


def test_an_urgent_answer_alerts_at_once_and_shows_at_the_end(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer_all(WELL[0], {"breathlessness": "mild_exertion"})
    assert filler.slug == "orthopnea"
    assert [alert.level for alert in alerts(database)] == [2]
    page = filler.answer_all({"orthopnea": "false"}, *WELL[2:])
    assert "Call your care team now" in page.text
    assert "You told us you are a little short of breath." in page.text
    assert 'href="tel:+12125550100"' in page.text
    assert "(212) 555-0100" in page.text
    assert "Ask your team before you take your next dose." in page.text
    assert "No answer in 15 minutes?" in page.text


def test_sitting_up_to_breathe_is_an_emergency_in_the_middle_of_the_form(
    rosa: FlaskClient,
) -> None:
    filler = Filler(rosa)
    page = filler.answer_all(
        WELL[0], {"breathlessness": "moderate_exertion"}, {"orthopnea": "true"}
    )
    assert "Call 911 now" in page.text


def test_a_swollen_face_asks_for_breath_before_anything_else(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    filler.answer_all(WELL[0], WELL[1], {"swelling": "face"})
    assert filler.slug == "swelling-breathing"
    assert "Call 911 now" in filler.answer(swelling_breathing="true").text


def test_a_tick_counts_before_it_is_graded_and_opens_its_question(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:3], {"other": ["cough", "headache", "none"]})
    assert filler.slug == "cough"
    assert check_ins(database)[0].answers["cough"] == "not_sure"
    assert [alert.level for alert in alerts(database)] == [2]  # a new cough in the window
    filler.answer_all({"cough": "new"}, {"headache": "mild"}, {"vision": "normal"})
    assert filler.slug == "vomiting"
    filler.answer(vomiting="false")
    assert filler.slug == "temperature"
    assert "other" not in check_ins(database)[0].answers


def test_taking_a_tick_away_asks_its_question_no_more_and_lowers_nothing(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:3], {"other": ["rash", "cough", "none"]}, {"cough": "new"})
    page = filler.answer_all({"rash": "mild"})
    assert page.status_code == 200
    filler.answer("other", other="none")
    kept = check_ins(database)[0]
    assert not {"rash", "cough"} & set(kept.answers)
    assert kept.level == 2
    assert filler.slug == "temperature"


def test_much_worse_than_yesterday_needs_no_second_question(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:3], {"other": ["feels_much_worse", "none"]})
    assert filler.slug == "temperature"
    assert check_ins(database)[0].answers["feels_much_worse"] is True


def test_no_thermometer_asks_whether_one_felt_hot(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:4], {"temperature": "not_measured"})
    assert filler.slug == "felt-feverish"
    filler.answer(felt_feverish="false")
    assert filler.slug == "chills"
    filler.answer(chills="false")
    assert filler.slug == "weight"


def test_a_reading_without_the_pill_question_is_kept_and_asked_for_the_rest(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:4], {"temperature": "101.5", "temperature_unit": "f"})
    assert filler.slug == "fever-medicine-6h"
    assert [alert.level for alert in alerts(database)] == [2]
    filler.answer(fever_medicine_6h="true")
    assert filler.slug == "weight"


def test_not_weighed_asks_for_tight_shoes(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:5], {"weight": "not_measured"})
    assert filler.slug == "tighter-fit"
    filler.answer(tighter_fit="false")
    assert filler.slug == "send"


@pytest.mark.parametrize(
    ("typed", "kept"), [("70,4", "70.4"), ("70.4 kg", "70.4"), ("٧٠٫٤", "70.4"), (" 70 ", "70")]
)
def test_a_number_may_be_typed_as_people_write_it(
    rosa: FlaskClient, database: Database, typed: str, kept: str
) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:5], {"weight": typed})
    assert check_ins(database)[0].answers["weight"] == kept


def test_pounds_are_kept_as_pounds(rosa: FlaskClient, database: Database) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:5])
    page = filler.open(filler.address + "&unit=lb")
    assert "Pounds" in page.text
    filler.answer(weight="154.8", weight_unit="lb")
    answers = check_ins(database)[0].answers
    assert (answers["weight"], answers["weight_unit"]) == ("154.8", "lb")


def test_a_big_change_is_asked_about_and_kept_once_confirmed(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    page = filler.answer_all(*WELL[:5], {"weight": "78.4"})
    assert page.status_code == 200
    assert "Is 78.4 kg right?" in page.text
    assert "8.4 kg more than last time" in page.text
    assert "weight" not in check_ins(database)[0].answers
    filler.fields = hidden_of(page)
    filler.answer(confirmed="78.4 kg")
    assert check_ins(database)[0].answers["weight"] == "78.4"
    assert filler.slug == "send"


def test_pounds_typed_as_kilograms_are_offered_as_pounds(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    page = filler.answer_all(*WELL[:5], {"weight": "154"})
    assert "No, it is 154 lb" in page.text
    filler.fields = {**hidden_of(page), "suggested": "154 lb"}
    filler.answer("weight")
    answers = check_ins(database)[0].answers
    assert (answers["weight"], answers["weight_unit"]) == ("154", "lb")


def test_check_and_send_shows_every_answer_and_changes_come_back_to_it(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    page = filler.answer_all(*WELL[:6])
    for words in (
        "No, none of these",
        "Normal for me",
        "36.7 °C",
        "70.2 kg",
        "For Rosa, born 1959",
    ):
        assert words in page.text
    assert "0.2 kg more than last time" in page.text
    filler.open(f"/check-in/swelling?form={filler.fields['form']}")
    filler.answer(swelling="one_leg")
    assert filler.slug == "send"
    assert "Just one leg" in filler.open().text
    assert check_ins(database)[0].level == 2


def test_a_form_with_open_questions_is_not_sent(rosa: FlaskClient, database: Database) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:3])
    page = filler.answer("send", send="yes")
    assert page.status_code == 422
    assert "Some questions have no answer yet." in page.text
    assert check_ins(database)[0].state is CheckInState.OPEN


def test_sending_twice_is_one_check_in_and_going_back_says_it_was_sent(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:6])
    data = dict(filler.fields)
    first = rosa.post("/check-in/send", data=data)
    again = rosa.post("/check-in/send", data=data)
    assert first.headers["Location"] == again.headers["Location"]
    back = rosa.get(f"/check-in/weight?form={data['form']}")
    assert back.headers["Location"] == first.headers["Location"]
    assert len(check_ins(database)) == 1


def test_a_red_answer_to_a_sent_form_still_alerts(rosa: FlaskClient, database: Database) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:6])
    data = dict(filler.fields)
    rosa.post("/check-in/send", data=data)
    late = rosa.post("/check-in/red-flags", data={**data, "red_flags": "chest_pain"})
    assert "Call 911 now" in rosa.get(late.headers["Location"]).text
    assert len(alerts(database)) == 1


def test_by_mistake_asks_again_and_the_alert_stands(
    rosa: FlaskClient, app: Flask, database: Database
) -> None:
    filler = Filler(rosa)
    page = filler.answer(red_flags="chest_pain")
    asked = rosa.get(f"/check-in/by-mistake?form={_key(page.text)}")
    assert "Did you tap this by mistake?" in asked.text
    taken_back = rosa.post("/check-in/by-mistake", data=hidden_of(asked))
    assert taken_back.headers["Location"].startswith("/check-in/breathing?")
    (alert,) = alerts(database)
    assert (alert.state, alert.level) == ("open", 3)
    with database.reading() as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert {"check_in.taken_back", "alert.taken_back"} <= actions
    filler.open(taken_back.headers["Location"])
    page = filler.answer_all(*WELL[1:])
    assert "Call 911 now" in page.text  # no later answer calms the first


def test_an_unknown_phone_with_a_link_may_write_and_reads_nothing_of_the_person(
    app: Flask, house: tuple[Team, Patient], database: Database
) -> None:
    Filler(doors.remembered(app, house[1])).answer_all(*WELL)  # there is something to read
    stranger = app.test_client()
    filler = Filler(stranger, daily_link(app, house[1]))
    pages = [filler.open().text]
    for given in (*WELL[:4], {"temperature": "36.7", "fever_medicine_6h": "false"}):
        pages.append(filler.answer(**given).text)
    assert filler.slug == "weight"
    pages.append(filler.answer(weight="90").text)  # far from the last one, which is not told
    assert "Is 90 kg right?" in pages[-1]
    filler.fields = hidden_of(filler.last) if filler.last else {}
    pages.append(filler.answer(confirmed="90 kg").text)
    assert check_ins(database)[1].phone_recognised is False
    assert [alert.phone_recognised for alert in alerts(database)] == [False]
    pages.append(filler.answer(send="yes").text)
    assert "Call your care team now" in pages[-1]
    for text in pages:
        for secret in ("Rosa", "Marin", "1959", "enasidenib", "leukemia", "70.2", "syndrome"):
            assert secret not in text, secret
        assert "more than last time" not in text


def test_the_emergency_screen_of_an_unknown_phone_names_no_medicine(
    app: Flask, house: tuple[Team, Patient]
) -> None:
    page = Filler(app.test_client(), daily_link(app, house[1])).answer(red_flags="chest_pain")
    assert "Call 911 now" in page.text
    assert "I have chest pain." in page.text
    assert "leukemia" not in page.text


def test_a_stranger_has_no_form_and_is_told_that_nothing_was_saved(
    app: Flask, database: Database
) -> None:
    stranger = app.test_client()
    assert stranger.get("/check-in").status_code == 302
    token = doors.token_in(stranger.get("/help-now"))
    page = stranger.post(
        "/check-in/red-flags",
        data={"csrf_token": token, "form": "a" * 22, "red_flags": "chest_pain"},
    )
    assert page.status_code == 403
    assert "Call 911 now" in page.text
    assert "This answer is NOT saved." in page.text
    assert not check_ins(database)


def test_an_expired_link_fills_nobody_elses_form(
    app: Flask, house: tuple[Team, Patient], rosa: FlaskClient, database: Database
) -> None:
    with doors.writing(app) as (session, now):
        other = Patient(**{**_columns(house[1]), "first_name": "Wei", "phone": "+12125550177"})
        session.add(other)
        session.flush()
        link = new_link(session, doors.portal_of(app).site, other, LinkKind.DAILY, now)
        token = link_token(doors.PEPPER, link.id)
    doors.move_clock(app, timedelta(hours=37))
    fields = hidden_of(rosa.get("/check-in"))
    page = rosa.post(
        "/check-in/red-flags", data={**fields, "link": token, "red_flags": "chest_pain"}
    )
    assert page.status_code == 403
    assert not check_ins(database)


def _columns(patient: Patient) -> dict[str, Any]:
    return {
        column.name: getattr(patient, column.name)
        for column in Patient.__table__.columns
        if column.name != "id"
    }


def test_a_form_older_than_36_hours_is_asked_anew_with_guidance_first(
    rosa: FlaskClient, app: Flask, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer(red_flags="none")
    doors.move_clock(app, timedelta(hours=37))
    page = filler.answer(breathlessness="at_rest")
    assert page.status_code == 409
    assert "Call 911 now" in page.text
    assert not alerts(database)
    fresh = hidden_of(page)
    assert fresh["form"] != filler.fields["form"]
    again = rosa.post("/check-in/breathing", data={**fresh, "breathlessness": "at_rest"})
    assert again.status_code == 303
    assert [alert.level for alert in alerts(database)] == [3]


@pytest.fixture
def luis(app: Flask, house: tuple[Team, Patient]) -> FlaskClient:
    team, patient = house
    with doors.writing(app) as (session, _):
        luis = Caregiver(
            clinic_id=team.clinic.id, first_name="Luis", phone="+12125550199", language="en",
            created_at=NOON,
        )  # fmt: skip
        session.add(luis)
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=luis.id, patient_id=patient.id, scopes=["report"], granted_at=NOON
            )
        )
    return doors.remembered(app, luis)


def test_a_helper_says_whom_the_check_in_is_for_each_time(
    luis: FlaskClient, house: tuple[Team, Patient], database: Database
) -> None:
    assert "Who is this check-in for?" in luis.get("/check-in").text
    filler = Filler(luis, f"/check-in?for={house[1].id}")
    filler.answer(red_flags="none")
    assert filler.slug == "confusion"
    page = filler.answer(confusion="new")
    assert "Call 911 now" in page.text
    assert "Stay with the person." in page.text
    (kept,) = check_ins(database)
    assert kept.reporter == "caregiver"


def test_what_a_helper_says_on_the_phone_is_about_the_person(
    luis: FlaskClient, house: tuple[Team, Patient]
) -> None:
    page = Filler(luis, f"/check-in?for={house[1].id}").answer(red_flags="chest_pain").text
    assert "I help a person with leukemia." in page
    assert "For the person I help: “I have chest pain.”" in page
    assert "<p>I have chest pain.</p>" not in page
    assert "Bring their medicines." in page
    assert "Bring your medicines." not in page


def test_a_helper_who_is_very_worried_reaches_the_team(
    luis: FlaskClient, house: tuple[Team, Patient], database: Database
) -> None:
    filler = Filler(luis, f"/check-in?for={house[1].id}")
    filler.answer_all(WELL[0], {"confusion": "none"}, *WELL[1:4])
    assert filler.slug == "caregiver-very-worried"
    filler.answer(caregiver_very_worried="true")
    assert [alert.level for alert in alerts(database)] == [2]


def test_a_helper_cannot_answer_for_somebody_else(luis: FlaskClient, database: Database) -> None:
    fields = hidden_of(luis.get("/help-now"))
    page = luis.post(
        "/check-in/red-flags",
        data={**fields, "for": "x" * 16, "form": "b" * 22, "red_flags": "chest_pain"},
    )
    assert page.status_code == 403
    assert not check_ins(database)


def test_what_the_tracker_says_becomes_true_first(
    rosa: FlaskClient, app: Flask, house: tuple[Team, Patient], database: Database
) -> None:
    page = Filler(rosa).answer(red_flags="chest_pain")
    address = page.request.full_path
    assert "reached the nurse" not in page.text
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alert.state, alert.taken_by = "taken", house[0].nurse.id  # type: ignore[assignment]
        alert.taken_at = alert.opened_at + timedelta(minutes=4)
    taken = rosa.get(address).text
    assert "<b>N. Silva</b> took it" in taken
    assert 'http-equiv="refresh"' in taken  # it may be given back, or get worse


def test_the_operator_is_told_what_is_not_sure_as_not_sure(rosa: FlaskClient) -> None:
    form = Filler(rosa)
    form.answer(red_flags="none")
    form.answer(breathlessness="mild_exertion")
    page = form.answer("orthopnea", orthopnea="not_sure").text
    assert "I am not sure if I can breathe when I lie down." in page
    assert "<p>I cannot breathe when I lie down.</p>" not in page
    assert "You told us you need to sit up" not in page
    label = protocols.current().item("orthopnea").label
    assert f"You were not sure about: {label}." in page
    page = form.answer("orthopnea", orthopnea="true").text
    assert "<p>I cannot breathe when I lie down.</p>" in page
    assert "You told us you need to sit up" in page
    assert "You were not sure about" not in page
    assert "I am not sure if I can breathe" not in page


def test_not_sure_is_said_as_not_sure(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    filler.answer_all(WELL[0], {"breathlessness": "not_sure"})
    page = filler.answer(orthopnea="not_sure").text
    assert "Call 911 now" in page
    assert "Where you were not sure, we take the safe side." in page
    assert "Say what you are not sure of." in page
    sure = Filler(rosa).answer(red_flags="chest_pain").text
    assert "Where you were not sure" not in sure
    assert "Say what you are not sure of." not in sure


def test_home_leads_back_to_what_to_do_until_somebody_has_called(
    rosa: FlaskClient,
    luis: FlaskClient,
    app: Flask,
    house: tuple[Team, Patient],
    database: Database,
) -> None:
    Filler(rosa).answer_all(*WELL)
    assert "need a call" not in rosa.get("/").text
    page = Filler(rosa).answer(red_flags="chest_pain")
    for client in (rosa, luis):
        home = client.get("/").text
        assert "answers need a call." in home
        assert f'href="{page.request.path}"' in home
        assert "Emergency sign" not in home and "chest" not in home.lower()
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        take(session, alert, house[0].nurse, alert.opened_at + timedelta(minutes=1))
        contact(session, alert, house[0].nurse, "reached", alert.opened_at + timedelta(minutes=2))
    assert "need a call" not in rosa.get("/").text
    doors.move_clock(app, timedelta(minutes=9))
    Filler(rosa).answer(red_flags="blue_lips")
    assert "need a call" in rosa.get("/").text  # that call was about earlier answers


def test_a_text_about_earlier_answers_is_not_told_as_one_about_these(
    rosa: FlaskClient, app: Flask, house: tuple[Team, Patient], database: Database
) -> None:
    Filler(rosa).answer(red_flags="chest_pain")
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        for text in session.scalars(select(Message).where(Message.alert_id == alert.id)):
            text.state, text.delivered_at = MessageState.DELIVERED, alert.opened_at
    doors.move_clock(app, timedelta(minutes=3))
    again = Filler(rosa).answer(red_flags="chest_pain").text
    assert "A text about earlier answers reached the nurse’s phone" in again
    assert again.index("about earlier answers") < again.index(">Saved<")
    assert "A text reached the nurse’s phone" not in again
    assert "Waiting for a nurse to take it" in again
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        take(session, alert, house[0].nurse, alert.opened_at + timedelta(minutes=2))
    taken = rosa.get("/").text
    taken = rosa.get(re.findall(r'href="(/check-in/result/[^"]+)"', taken)[0]).text
    assert taken.index("N. Silva") < taken.index(">Saved<")


def test_a_page_with_an_error_can_be_loaded_again(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:4])
    page = filler.answer(temperature="banana", fever_medicine_6h="false")
    assert page.status_code == 422
    (action,) = re.findall(r'<form method="post" action="([^"]+)" class="question"', page.text)
    assert "What is your temperature?" in rosa.get(action).text


def test_a_closed_alert_texts_nobody(
    rosa: FlaskClient, house: tuple[Team, Patient], database: Database
) -> None:
    page = Filler(rosa).answer(red_flags="chest_pain")
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        closing = Closing("false_alarm", None, "She stands beside me")
        close(session, alert, house[0].nurse, closing, alert.opened_at + timedelta(seconds=9))
    closed = rosa.get(page.request.full_path).text
    assert "Your care team has closed this alert" in closed
    assert "texting your nurse" not in closed
    assert "Call 911 now" in closed


def test_when_nobody_takes_it_the_patient_is_told_to_call(rosa: FlaskClient, app: Flask) -> None:
    page = Filler(rosa).answer(red_flags="chest_pain")
    doors.move_clock(app, timedelta(minutes=6))
    later = rosa.get(page.request.full_path).text
    assert "Call 911" in later
    assert "We could not reach your care team." in later or "Nobody has taken it yet" in later


def test_a_result_is_not_shown_to_who_has_neither_key_nor_phone(
    rosa: FlaskClient, app: Flask
) -> None:
    page = Filler(rosa).answer(red_flags="chest_pain")
    path = page.request.path
    assert app.test_client().get(path).status_code == 302
    assert rosa.get(path).status_code == 200
    doors.move_clock(app, timedelta(days=2))
    assert rosa.get(path).status_code == 200  # its alert is still open
