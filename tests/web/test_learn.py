"""The education pages as a reader meets them: open to all, in their language, never a 500."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from patient_portal.app import create_app
from patient_portal.config import Settings
from patient_portal.database import Database
from patient_portal.education import pages
from patient_portal.education.library import MEDICINES
from patient_portal.web import language
from patient_portal.words.sources import find_sentences
from tests.support.catalogs import write_pseudo

ROOT = Path(__file__).resolve().parents[2]
SIGNS = "/learn/what-is-differentiation-syndrome"
MEDICINE = "/learn/how-my-medicine-works"


@pytest.fixture
def client(sqlite_url: str) -> Iterator[FlaskClient]:
    settings = Settings(
        database_url=sqlite_url,
        secret_key="k" * 40,
        pepper="p" * 40,
        base_url="http://localhost",
        sms_gateway="simulator",
        demo=True,
    )
    database = Database(sqlite_url)
    yield create_app(settings, database).test_client()
    database.dispose()


def text(client: FlaskClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_the_index_names_every_page(client: FlaskClient) -> None:
    shown = text(client, "/learn")
    for page in pages().values():
        assert page.title in shown
        assert f"/learn/{page.slug}" in shown


def test_signs_and_numbers_stand_first(client: FlaskClient) -> None:
    shown = text(client, SIGNS)
    assert shown.index("it is very hard to breathe") < shown.index("What happens in your body?")
    assert re.search(r'href="tel:\d{2,5}"', shown)
    assert "Awaiting clinical review" in shown
    assert "style=" not in shown


def test_a_stranger_chooses_a_medicine(client: FlaskClient) -> None:
    shown = text(client, MEDICINE)
    assert '<details class="pick" open>' in shown
    assert 'id="medicine"' not in shown


@pytest.mark.parametrize("code", MEDICINES)
def test_each_medicine_has_its_words(client: FlaskClient, code: str) -> None:
    shown = text(client, f"{MEDICINE}?medicine={code}")
    assert shown.count('id="medicine"') == 1
    assert shown.count('aria-current="true" ') <= 1
    assert f'medicine={code}#medicine" aria-current' in shown


@pytest.mark.parametrize(
    "code", ["", "aspirin", "<script>", "atra&medicine=ato", "x" * 5000, "%00"]
)
def test_a_medicine_that_is_none_is_ignored(client: FlaskClient, code: str) -> None:
    shown = text(client, f"{MEDICINE}?medicine={code}")
    assert "<script>" not in shown


@pytest.mark.parametrize(
    "slug",
    ["nothing", "..", "../../etc/passwd", "%00", "x" * 5000, "how-my-medicine-works.md"],
)
def test_a_page_that_is_none_is_kindly_refused(client: FlaskClient, slug: str) -> None:
    assert client.get(f"/learn/{slug}").status_code == 404


def test_spanish_is_whole_and_marked_as_a_draft(client: FlaskClient) -> None:
    shown = text(client, f"{SIGNS}?lang=es")
    assert '<html lang="es" dir="ltr">' in shown
    assert "tiene mucha dificultad para respirar" in shown
    assert "draft-strip" in shown
    assert 'lang="en" dir="ltr">it is' not in shown


class _Texts(HTMLParser):
    """Collects what a person sees, with the tags that are in no language left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.foreign = 0
        self.stack: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "link", "input", "br", "img", "path", "circle", "rect"):
            return
        names = dict(attrs)
        foreign = tag in ("script", "style", "bdi") or (tag != "html" and "lang" in names)
        self.stack.append(foreign)
        self.foreign += foreign

    def handle_endtag(self, tag: str) -> None:
        if self.stack and tag not in ("path", "circle", "rect"):
            self.foreign -= self.stack.pop()

    def handle_data(self, data: str) -> None:
        if not self.foreign:
            self.texts.append(data)


@pytest.mark.parametrize("address", ["/learn", SIGNS, MEDICINE, f"{MEDICINE}?medicine=ato"])
def test_in_the_pseudo_language_nothing_stays_english(
    client: FlaskClient, address: str, tmp_path: Path
) -> None:
    write_pseudo(tmp_path, find_sentences(ROOT))
    state = language.LanguageState(tmp_path, ("en", "en_ZZ"), frozenset())
    client.application.extensions[language.STATE] = state
    parser = _Texts()
    parser.feed(text(client, f"{address}{'&' if '?' in address else '?'}lang=en-ZZ"))
    whole = "".join(parser.texts)
    outside = re.sub(r"\[[^\[\]]*\]", "", whole)
    assert whole.count("[") > 5
    assert not re.findall(r"[^\W\d_]{3,}", outside), outside
