"""Which language a page is in, and that a translation can break nothing."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask, g, render_template_string, request
from flask.testing import FlaskClient
from flask_babel import get_locale

from patient_portal.config import Settings
from patient_portal.web.access import public
from patient_portal.web.language import init_language, local_path
from patient_portal.words import translations
from tests.support.catalogs import write_catalog

CALL = "Call %(number)s now"
PAGE = (
    '{{ lang }} {{ dir }} {% if is_draft %}draft {% endif %}{{ safety("Call %(number)s now",'
    " number=number) }}"
)
ENGLISH, SPANISH = "en ltr Call 911 now", "es ltr draft Llame al 911 ahora"


def settings(*, demo: bool) -> Settings:
    return Settings(
        database_url="sqlite://",
        secret_key="k" * 40,
        pepper="p" * 40,
        base_url="http://127.0.0.1",
        sms_gateway="simulator",
        demo=demo,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    translations.cache_clear()
    write_catalog(tmp_path, "es", "safety", {CALL: "Llame al %(number)s ahora"})
    write_catalog(tmp_path, "zh_Hans", "safety", {CALL: "现在拨打 %(number)s"})
    write_catalog(tmp_path, "ar", "safety", {CALL: "اتصل بالرقم %(number)s الآن"})
    return tmp_path


def make_app(folder: Path, *, demo: bool = True) -> Flask:
    app = Flask("patient_portal")
    app.config.update(SECRET_KEY="k" * 40)
    init_language(app, settings(demo=demo), folder)

    @app.get("/")
    @public
    def page() -> str:
        if preference := request.args.get("as"):
            g.viewer_language = preference
        source = request.args.get("source", PAGE)
        return render_template_string(source, number=request.args.get("number", "911"))

    return app


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    return make_app(folder).test_client()


def body(client: FlaskClient, address: str = "/", accept: str = "") -> str:
    response = client.get(address, headers={"Accept-Language": accept} if accept else {})
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_english_is_the_default(client: FlaskClient) -> None:
    assert body(client) == ENGLISH


def test_the_browser_is_asked(client: FlaskClient) -> None:
    assert body(client, accept="es-MX,es;q=0.9,en;q=0.8") == SPANISH
    assert body(client, accept="fr,es;q=0.5") == SPANISH
    assert body(client, accept="en;q=0.5,es;q=0.9") == SPANISH
    assert body(client, accept="zh-CN") == "zh-Hans ltr draft 现在拨打 911"
    assert body(client, accept="zh-TW,en") == ENGLISH
    assert body(client, accept="ar").startswith("ar rtl draft")


@pytest.mark.parametrize("accept", ["*", ";;;", "x" * 3000, "es;q=x", ",", "en-", "-"])
def test_nonsense_from_a_browser_is_english(client: FlaskClient, accept: str) -> None:
    assert body(client, accept=accept) in (ENGLISH, SPANISH)


def test_a_persons_preference_beats_the_browser(client: FlaskClient) -> None:
    assert body(client, "/?as=es", accept="ar") == SPANISH


def test_the_address_beats_everything_and_is_kept(client: FlaskClient) -> None:
    assert body(client, "/?lang=es&as=ar", accept="zh-CN") == SPANISH
    assert body(client, accept="zh-CN") == SPANISH
    assert body(client, "/?lang=en") == ENGLISH
    assert body(client, "/?lang=nonsense") == ENGLISH
    assert body(client, "/?lang=" + "x" * 9000) == ENGLISH


def test_the_switch_keeps_the_choice(client: FlaskClient) -> None:
    response = client.post("/language", data={"language": "es", "next": "/learn?a=1&lang=en"})
    assert (response.status_code, response.location) == (303, "/learn?a=1")
    assert body(client, "/?as=ar", accept="ar") == SPANISH


@pytest.mark.parametrize("chosen", ["", "xx", "../es", "ES", "es\x00"])
def test_a_language_that_is_not_offered_is_refused(client: FlaskClient, chosen: str) -> None:
    assert client.post("/language", data={"language": chosen}).status_code == 400
    assert body(client) == ENGLISH


@pytest.mark.parametrize(
    "target",
    [
        "",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\r\nSet-Cookie: x=y",
        " /a",
        "/\t/evil.example",
        "http:///evil.example",
        "/a\\b",
        "/[",
        "//[",
    ],
)
def test_back_is_never_another_site(target: str) -> None:
    assert local_path(target) in ("/", "/[")


def test_back_keeps_path_and_query() -> None:
    assert local_path("/check-in/weight?form=abc&lang=es") == "/check-in/weight?form=abc"


def test_outside_the_demo_a_draft_is_not_offered(folder: Path) -> None:
    client = make_app(folder, demo=False).test_client()
    assert body(client, "/?lang=es", accept="es") == ENGLISH
    assert client.post("/language", data={"language": "es"}).status_code == 400


def test_an_approved_language_is_offered_without_a_banner(tmp_path: Path) -> None:
    write_catalog(tmp_path, "es", "safety", {CALL: "Llame al %(number)s ahora"})
    review = '[es.safety]\nstate = "clinically_approved"\n'
    (tmp_path / "review.toml").write_text(review, encoding="utf-8")
    client = make_app(tmp_path, demo=False).test_client()
    assert body(client, accept="es") == "es ltr Llame al 911 ahora"


def test_every_answer_names_its_language(client: FlaskClient) -> None:
    response = client.get("/", headers={"Accept-Language": "zh-CN"})
    assert response.headers["Content-Language"] == "zh-Hans"
    assert "Accept-Language" in response.headers["Vary"]


def test_flask_babel_agrees_with_us(folder: Path) -> None:
    app = make_app(folder)
    with app.test_request_context("/", headers={"Accept-Language": "zh-CN"}):
        assert str(get_locale()) == "zh_Hans"


def test_missing_catalogs_stop_the_start(folder: Path) -> None:
    (folder / "es/LC_MESSAGES/learn.mo").unlink()
    with pytest.raises(RuntimeError, match=r"translations/es has no compiled learn"):
        make_app(folder)


@pytest.mark.parametrize(
    ("number", "shown"),
    [("8 p.m.", "At 8 p.m. Call."), ("20", "At 20. Call."), ("a & b.", "At a &amp; b. Call.")],
)
def test_a_sentence_on_a_page_has_one_full_stop(folder: Path, number: str, shown: str) -> None:
    client = make_app(folder).test_client()
    source = '{{ safety("At %(number)s. Call.", number=number) }}'
    assert client.get("/", query_string={"source": source, "number": number}).text == shown


@pytest.mark.parametrize(
    "broken", ["Llame al %(numero)s", "100 % %(number)s", "%(number)d", "%(number) ahora"]
)
def test_a_broken_translation_shows_english_not_an_error(tmp_path: Path, broken: str) -> None:
    write_catalog(tmp_path, "es", "safety", {CALL: broken})
    client = make_app(tmp_path).test_client()
    assert body(client, accept="es") == "es ltr draft Call 911 now"


def test_values_and_translations_are_escaped(tmp_path: Path) -> None:
    write_catalog(tmp_path, "es", "safety", {CALL: "<i>x</i> <b>%(number)s</b>"})
    client = make_app(tmp_path).test_client()
    shown = body(client, "/?number=<script>", accept="es")
    assert shown == "es ltr draft &lt;i&gt;x&lt;/i&gt; <b>&lt;script&gt;</b>"


def test_templates_count_and_use_blocks(client: FlaskClient) -> None:
    source = (
        "{{ ngettext('%(n)s day', '%(n)s days', 2) }}|{% trans a='<' %}Hi {{ a }}{% endtrans %}|"
        "{% trans n=1 %}{{ n }} cell{% pluralize n %}{{ n }} cells{% endtrans %}|"
        "{{ _('100 %') }}|{% trans %}100 %{% endtrans %}|{{ safety('%(x)s') }}"
    )
    response = client.get("/", query_string={"source": source})
    assert response.get_data(as_text=True) == "2 days|Hi &lt;|1 cell|100 %|100 %|…"


def test_the_viewer_may_become_known_later(folder: Path) -> None:
    from patient_portal.web.language import current_language

    app = make_app(folder)
    with app.test_request_context("/"):
        assert current_language() == "en"
        g.viewer_language = "es"
        assert current_language() == "es"
    assert current_language() == "en"


def test_a_patient_and_a_caregiver_have_a_language() -> None:
    from patient_portal.web.access import Viewer
    from patient_portal.web.language import language_of

    patient, caregiver = SimpleNamespace(language="es"), SimpleNamespace(language="ar")
    assert language_of(Viewer()) is None
    assert language_of(Viewer(patient=patient)) == "es"  # type: ignore[arg-type]
    assert language_of(Viewer(caregiver=caregiver, patient=patient)) == "ar"  # type: ignore[arg-type]
