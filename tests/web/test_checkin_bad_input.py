"""Wrong, missing, repeated, huge and hostile input: asked again, nothing lost, never calmer."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from patient_portal.database import Database
from patient_portal.models import Patient
from tests.support import doors
from tests.support.check_in import WELL, Filler, alerts, check_ins, hidden_of
from tests.support.people import Team, a_house


@pytest.fixture
def database(sqlite_url: str) -> Database:
    return Database(sqlite_url)


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


@pytest.fixture
def app(database: Database, house: tuple[Team, Patient]) -> Flask:
    return doors.an_app(database)


@pytest.fixture
def rosa(app: Flask, house: tuple[Team, Patient]) -> FlaskClient:
    return doors.remembered(app, house[1])


@pytest.mark.parametrize(
    ("slug", "given"),
    [
        ("red-flags", {}),
        ("red-flags", {"red_flags": "nonsense"}),
        ("red-flags", {"red_flags": ["none", "nonsense"]}),
        ("breathing", {}),
        ("breathing", {"breathlessness": "sometimes"}),
        ("breathing", {"breathlessness": ["none", "mild_exertion"]}),
        ("breathing", {"breathlessness": "usual"}),  # nobody wrote it down as long-standing
        ("breathing", {"breathlessness": "x" * 5000}),
        ("breathing", {"breathlessness": "<script>alert(1)</script>"}),
        ("breathing", {"breathlessness": "none\x00"}),
        ("swelling", {"swelling": "NONE"}),
        ("other", {}),
        ("other", {"other": ["cough", "nonsense"]}),
        ("orthopnea", {"orthopnea": "1"}),
        ("temperature", {"fever_medicine_6h": "false"}),
        ("temperature", {"temperature": "378", "fever_medicine_6h": "false"}),
        ("temperature", {"temperature": "abc"}),
        ("temperature", {"temperature": "37,8,1"}),
        ("temperature", {"temperature": "3 7"}),
        ("temperature", {"temperature": "-37"}),
        ("temperature", {"temperature": "NaN"}),
        ("temperature", {"temperature": "1e2"}),
        ("temperature", {"temperature": "37" * 40}),
        ("temperature", {"temperature": "37.8", "temperature_unit": "k"}),
        ("temperature", {"temperature": "100.4"}),  # in Celsius
        ("temperature", {"temperature": ["36.5", "39.5"]}),
        ("temperature", {"temperature": ["not_measured", "36.5"]}),
        ("temperature", {"temperature_whole": "36"}),
        ("temperature", {"temperature_tenth": "5"}),
        ("temperature", {"temperature_whole": "36", "temperature_tenth": "55"}),
        (
            "temperature",
            {"temperature_whole": "36", "temperature_tenth": "5", "temperature": "38.5"},
        ),
        ("temperature", {"temperature": "36.7", "fever_medicine_6h": "perhaps"}),
        ("temperature", {"temperature": "36.7", "fever_medicine_6h": ["true", "false"]}),
        ("weight", {}),
        ("weight", {"weight": "7"}),
        ("weight", {"weight": "7000"}),
        ("weight", {"weight": "159 lb"}),  # typed another unit than the page's
        ("weight", {"weight": "72²"}),
        ("weight", {"weight": "72", "weight_whole": "71", "weight_tenth": "0"}),
        ("weight", {"suggested": "abc kg"}),
    ],
)
def test_what_cannot_be_read_is_asked_again(
    rosa: FlaskClient, database: Database, slug: str, given: dict[str, Any]
) -> None:
    units = {"temperature": {"temperature_unit": "c"}, "weight": {"weight_unit": "kg"}}
    fields = {**hidden_of(rosa.get("/check-in")), **units.get(slug, {})}
    page = rosa.post(f"/check-in/{slug}", data={**fields, **given})
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert "There is a problem" in page.text
    assert hidden_of(page)["form"] == fields["form"]
    assert "<script>" not in page.text
    assert not check_ins(database)


def test_what_was_typed_and_tapped_is_kept(rosa: FlaskClient) -> None:
    fields = {**hidden_of(rosa.get("/check-in")), "weight_unit": "kg"}
    page = rosa.post(
        "/check-in/weight",
        data={**fields, "weight": '7"9', "weight_whole": "71", "weight_tenth": "5"},
    )
    assert 'value="7&#34;9"' in page.text
    assert 'value="71" checked' in page.text
    assert 'value="5" checked' in page.text


def test_a_fever_typed_without_its_point_is_offered_and_called_urgent_meanwhile(
    rosa: FlaskClient, database: Database
) -> None:
    fields = {**hidden_of(rosa.get("/check-in")), "temperature_unit": "c"}
    page = rosa.post("/check-in/temperature", data={**fields, "temperature": "391"})
    assert page.status_code == 422
    assert "Did you mean 39.1 °C?" in page.text
    assert "Call your care team now" in page.text
    assert "This answer is NOT saved." in page.text
    rosa.post("/check-in/temperature", data={**hidden_of(page), "suggested": "39.1 c"})
    assert check_ins(database)[0].answers == {"temperature": "39.1", "temperature_unit": "c"}


def test_fahrenheit_in_a_celsius_field_is_taken_for_the_fever_it_is(rosa: FlaskClient) -> None:
    fields = {**hidden_of(rosa.get("/check-in")), "temperature_unit": "c"}
    page = rosa.post("/check-in/temperature", data={**fields, "temperature": "104.5"})
    assert "Did you mean 104.5 °F?" in page.text
    assert "Call 911 now" in page.text


def test_two_answers_where_one_is_red_show_the_red_one_first(rosa: FlaskClient) -> None:
    fields = hidden_of(rosa.get("/check-in"))
    page = rosa.post("/check-in/breathing", data={**fields, "breathlessness": ["none", "at_rest"]})
    assert page.status_code == 422
    assert "Call 911 now" in page.text


def test_a_red_answer_is_not_lost_behind_many_calm_ones(
    rosa: FlaskClient, database: Database
) -> None:
    fields = hidden_of(rosa.get("/check-in"))
    flags = ["none"] * 50 + ["chest_pain"]
    page = rosa.post("/check-in/red-flags", data={**fields, "red_flags": flags})
    assert page.status_code == 303
    assert check_ins(database)[0].answers == {"red_flags": ["chest_pain"]}
    assert len(alerts(database)) == 1


def test_a_page_that_is_not_there_is_404_and_a_form_too_large_413(rosa: FlaskClient) -> None:
    fields = hidden_of(rosa.get("/check-in"))
    assert rosa.post("/check-in/shoe-size", data=fields).status_code == 404
    huge = rosa.post("/check-in/red-flags", data={**fields, "red_flags": "x" * 100_000})
    assert huge.status_code == 413
    assert "911" in huge.text
    many = {**fields, **{f"f{n}": "1" for n in range(300)}}
    assert rosa.post("/check-in/red-flags", data=many).status_code in (422, 413)


@pytest.mark.parametrize("key", ["", "short", "x" * 500, "ä" * 22, "../../etc/passwd"])
def test_a_made_up_form_key_never_fails_a_red_answer(
    rosa: FlaskClient, database: Database, key: str
) -> None:
    fields = {**hidden_of(rosa.get("/check-in")), "form": key}
    page = rosa.post("/check-in/red-flags", data={**fields, "red_flags": "blue_lips"})
    assert page.status_code == 303
    assert [alert.level for alert in alerts(database)] == [3]


def test_an_expired_token_keeps_the_answer_and_says_what_to_do(
    rosa: FlaskClient, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer(red_flags="none")
    fields = {**filler.fields, "csrf_token": "gone"}
    page = rosa.post("/check-in/breathing", data={**fields, "breathlessness": "at_rest"})
    assert page.status_code == 400
    assert "Call 911 now" in page.text
    assert "This answer is NOT saved. Nobody was told of it." in page.text
    assert "How is your breathing today?" in page.text
    assert not alerts(database)
    again = rosa.post("/check-in/breathing", data={**hidden_of(page), "breathlessness": "at_rest"})
    assert again.status_code == 303
    assert len(alerts(database)) == 1


@pytest.mark.parametrize("given", ["none", "chest_pain"])
def test_a_phone_that_was_forgotten_is_told_how_to_go_on(rosa: FlaskClient, given: str) -> None:
    fields = hidden_of(rosa.get("/check-in"))
    rosa.delete_cookie("dev")
    page = rosa.post("/check-in/red-flags", data={**fields, "red_flags": given})
    assert page.status_code == 403
    assert "This answer is NOT saved." in page.text
    assert "We do not know this phone any more." in page.text
    assert 'href="/sign-in"' in page.text
    assert ("Call 911 now" in page.text) is (given == "chest_pain")


def test_an_expired_token_on_a_calm_answer_says_it_is_not_saved(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:5])
    fields = {**filler.fields, "csrf_token": "gone"}
    page = rosa.post("/check-in/weight", data={**fields, "weight": "70,25"})
    assert page.status_code == 400
    assert "This answer is NOT saved. Please answer again." in page.text
    assert 'value="70,25"' in page.text


def test_a_database_that_is_away_loses_no_answer_and_never_calms(
    rosa: FlaskClient, app: Flask, database: Database
) -> None:
    filler = Filler(rosa)
    filler.answer(red_flags="none")
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE check_in RENAME TO elsewhere"))
    page = rosa.post("/check-in/breathing", data={**filler.fields, "breathlessness": "at_rest"})
    assert page.status_code in (500, 503)
    assert "Call 911 now" in page.text
    assert "This answer is NOT saved." in page.text
    assert "elsewhere" not in page.text and "check_in" not in page.text
    urgent = rosa.post(
        "/check-in/swelling", data={**filler.fields, "swelling": "neck_groin_armpit"}
    )
    assert "Call your care team now" in urgent.text
    assert "(212) 555-0100" in urgent.text  # the signed page cookie holds the team's number
    calm = rosa.post("/check-in/swelling", data={**filler.fields, "swelling": "none"})
    assert "This answer is NOT saved." in calm.text


def test_a_lock_that_is_not_given_answers_503_and_says_what_to_do(
    rosa: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    filler = Filler(rosa)
    filler.answer(red_flags="none")

    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("select", {}, Exception("lock timeout"))

    monkeypatch.setattr("patient_portal.services.checkins.record_answers", refuse)
    page = rosa.post("/check-in/breathing", data={**filler.fields, "breathlessness": "at_rest"})
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert "Call 911 now" in page.text


def test_without_any_table_help_and_guidance_still_come(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    team, patient = a_house(database)
    app = doors.an_app(database)
    rosa = doors.remembered(app, patient)
    fields = hidden_of(rosa.get("/check-in"))
    with database.engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        for table in ("device", "patient", "clinic", "check_in"):
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    help_page = rosa.get("/help-now")
    assert help_page.status_code == 200
    assert "Call 911 now" in help_page.text  # the country is kept on the phone
    page = rosa.post("/check-in/red-flags", data={**fields, "red_flags": "chest_pain"})
    assert page.status_code >= 500
    assert "Call 911 now" in page.text
    assert team.clinic.name not in page.text


def test_a_page_that_fails_does_not_say_that_an_answer_was_lost(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    _, patient = a_house(database)
    app = doors.an_app(database)
    rosa = doors.remembered(app, patient)
    filler = Filler(rosa)
    saved = filler.answer(red_flags="chest_pain")
    with database.engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(text("ALTER TABLE message RENAME TO message_away"))
    page = rosa.get(saved.request.full_path)
    assert page.status_code == 503
    assert "What you sent before is not lost" in page.text
    assert "Nothing was saved" not in page.text
    assert "911" in page.text
