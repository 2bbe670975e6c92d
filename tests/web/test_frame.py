"""What holds on every page: headers, errors, help, home."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from patient_portal.database import Database
from patient_portal.models import Patient
from patient_portal.paths import shipped
from patient_portal.web.access import public
from tests.support import doors
from tests.support.check_in import WELL, Filler
from tests.support.people import Team, a_clinic, a_house

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.dispose()


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


@pytest.fixture
def app(database: Database, house: tuple[Team, Patient]) -> Flask:
    return doors.an_app(database)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def rosa(app: Flask, house: tuple[Team, Patient]) -> FlaskClient:
    return doors.remembered(app, house[1])


# ---- headers


@pytest.mark.parametrize("path", ["/", "/help-now", "/learn", "/nope", "/check-in", "/sign-in"])
def test_every_answer_carries_the_headers(rosa: FlaskClient, path: str) -> None:
    headers = rosa.get(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_over_https_browsers_are_told_to_stay_there(database: Database) -> None:
    app = doors.an_app(database, base_url="https://portal.example", demo=False)
    answer = app.test_client().get("/help-now", base_url="https://portal.example")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_a_static_file_may_be_kept(stranger: FlaskClient) -> None:
    page = stranger.get("/help-now").text
    found = re.search(r'href="(/static/portal\.css\?v=[0-9a-f]{10})"', page)
    assert found
    answer = stranger.get(found[1])
    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("Cache-Control", "")
    answer.close()


@pytest.mark.parametrize("path", sorted(shipped("templates").rglob("*.html")), ids=str)
def test_no_template_holds_a_style_a_script_or_a_handler(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", text)


def test_the_stylesheet_knows_no_left_and_right() -> None:
    css = (Path(__file__).parents[2] / "patient_portal/web/static/portal.css").read_text("utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    physical = re.findall(
        r"(?:margin|padding|border|inset)-(?:left|right)\b|[^-\w](?:left|right)\s*:|"
        r"text-align:\s*(?:left|right)|float\s*:|@import|url\(",
        css,
    )
    assert not physical


# ---- errors


def _broken(app: Flask) -> None:
    @app.get("/broken")
    @public
    def broken() -> str:
        raise RuntimeError("Rosa typed 39.9")

    @app.get("/refused/<int:code>")
    @public
    def refused(code: int) -> str:
        abort(code)


@pytest.mark.parametrize("code", [400, 403, 404, 405, 410, 413, 418, 429, 500, 503])
def test_every_error_is_a_kind_page_with_the_emergency_number(app: Flask, code: int) -> None:
    _broken(app)
    answer = app.test_client().get(f"/refused/{code}")
    assert answer.status_code == code
    assert 'href="tel:911"' in answer.text
    assert "Werkzeug" not in answer.text and "Traceback" not in answer.text
    assert "<title>Error: " in answer.text


def test_an_unexpected_error_tells_its_name_and_place_only(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    _broken(app)
    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    said = "".join(capsys.readouterr())
    assert "RuntimeError" in said and "broken:" in said
    assert "Rosa" not in said + answer.text


def test_a_wrong_method_names_the_right_one(stranger: FlaskClient) -> None:
    answer = stranger.post("/", data={"csrf_token": doors.token_in(stranger.get("/help-now"))})
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_page_without_its_token_is_asked_to_be_opened_again(stranger: FlaskClient) -> None:
    answer = stranger.post("/sign-in", data={"phone": "1"})
    assert answer.status_code == 400
    assert "This page was open too long" in answer.text


# ---- help


def test_help_is_for_everyone_and_speaks_of_the_clinics_country(stranger: FlaskClient) -> None:
    page = stranger.get("/help-now")
    assert page.status_code == 200
    assert "Call 911 now" in page.text
    assert "United States" in page.text
    assert "Very hard to breathe" in page.text


def test_a_chosen_country_is_kept_and_is_all_that_is_kept(stranger: FlaskClient) -> None:
    page = stranger.get("/help-now")
    chosen = stranger.post("/help-now", data={"csrf_token": doors.token_in(page), "country": "GB"})
    assert chosen.status_code == 303
    cookie = stranger.get_cookie("country")
    assert cookie is not None and cookie.value == "GB"
    page = stranger.get("/help-now")
    assert "Call 999 now" in page.text
    assert "Call 911" not in page.text


@pytest.mark.parametrize("country", ["XX", "", "ET", "<b>", "G" * 900])
def test_a_made_up_country_changes_nothing(stranger: FlaskClient, country: str) -> None:
    token = doors.token_in(stranger.get("/help-now"))
    page = stranger.post("/help-now", data={"csrf_token": token, "country": country})
    assert page.status_code == 200
    assert "Call 911 now" in page.text


def test_help_answers_a_form_without_its_token(stranger: FlaskClient) -> None:
    page = stranger.post("/help-now", data={"country": "GB"})
    assert page.status_code == 200
    assert stranger.get_cookie("country") is None


def test_with_clinics_in_two_countries_no_number_is_guessed(
    database: Database, stranger: FlaskClient
) -> None:
    with database.transaction() as session:
        a_clinic(session, name="Elm Clinic", country="GB", line="+442079460000")
    page = stranger.get("/help-now")
    assert "Find your country below." in page.text


def test_a_patient_sees_the_number_of_the_country_of_stay(
    app: Flask, house: tuple[Team, Patient], database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(Patient, house[1].id).country = "ES"
    rosa = doors.remembered(app, house[1])
    assert "Call 112 now" in rosa.get("/help-now").text


# ---- home


def test_a_stranger_is_told_what_this_is(stranger: FlaskClient) -> None:
    page = stranger.get("/")
    assert "Tell your care team how you feel, each day" in page.text
    assert "If you feel very ill, call 911 now." in page.text
    assert "/sign-in" in page.text and "/learn" in page.text


def test_a_remembered_phone_shows_first_name_year_and_medicine_only(rosa: FlaskClient) -> None:
    page = rosa.get("/").text
    for shown in ("Hello, Rosa", "1959", "enasidenib", "Start today’s check-in", "(212) 555-0100"):
        assert shown in page
    for hidden in ("Marin", "+12125550123", "555-0123"):
        assert hidden not in page
    assert "no-store" in rosa.get("/").headers["Cache-Control"]


def test_after_the_check_in_home_tells_the_hour_and_no_level(rosa: FlaskClient) -> None:
    Filler(rosa).answer_all(WELL[0], {"breathlessness": "mild_exertion"})
    assert "You have not sent your check-in yet." in rosa.get("/").text
    filler = Filler(rosa)
    filler.answer_all(WELL[0], {"breathlessness": "mild_exertion"}, {"orthopnea": "false"})
    filler.answer_all(*WELL[2:])
    page = rosa.get("/").text
    assert "You checked in today at" in page
    for level in ("Urgent", "short of breath", "warning signs"):
        assert level not in page


def test_a_shared_phone_shows_an_initial_and_no_change(
    app: Flask, house: tuple[Team, Patient]
) -> None:
    shared = doors.remembered(app, house[1], shared=True)
    Filler(shared).answer_all(*WELL)
    page = shared.get("/").text
    assert "Hello, R." in page and "Rosa" not in page
    assert "Your weight" not in page


def test_the_same_page_in_another_language_keeps_the_form(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    page = filler.answer(red_flags="none")
    found = re.search(r'href="([^"]*lang=es[^"]*)"', page.text)
    assert found
    spanish = rosa.get(found[1].replace("&amp;", "&"))
    assert '<html lang="es" dir="ltr">' in spanish.text
    assert filler.fields["form"] in spanish.text


def test_an_error_page_in_another_language_asks_the_same_question(rosa: FlaskClient) -> None:
    filler = Filler(rosa)
    filler.answer_all(*WELL[:4])
    wrong = filler.answer(temperature="banana", fever_medicine_6h="false")
    (link,) = re.findall(r'href="([^"]*lang=es[^"]*)"', wrong.text)
    spanish = rosa.get(link.replace("&amp;", "&"))
    assert spanish.status_code == 200 and "/check-in/temperature" in spanish.request.path
    assert filler.fields["form"] in spanish.text
