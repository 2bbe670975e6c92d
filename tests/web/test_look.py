"""The patient's screens in a real browser, without scripts: reflow, targets, contrast, order."""

import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from patient_portal.database import Database
from patient_portal.services import devices
from tests.support import doors
from tests.support.browser import Phones
from tests.support.people import a_house
from tests.support.running import free_port

pytestmark = pytest.mark.browser

SMALLEST_TARGET = 48
# Links inside a sentence are as high as their line, as WCAG 2.2 allows.
TARGETS = """least => [...document.querySelectorAll('a, button, summary, label:has(input)')]
  .filter(e => e.offsetParent !== null && !e.matches('.vh, .hero p > a, .errors a, .demo-strip a'))
  .map(e => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < least - .5 || box.width < least - .5))
  .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
OUTSIDE = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.outerHTML.slice(0, 100))"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Served:
    """The app on a port of its own, and a phone that is remembered."""

    def __init__(self, app: Flask, port: int, token: str) -> None:
        self.app, self.url, self.token = app, f"http://127.0.0.1:{port}", token


@pytest.fixture
def served(sqlite_url: str) -> Iterator[Served]:
    database = Database(sqlite_url)
    _, patient = a_house(database)
    port = free_port()
    app = doors.an_app(database, base_url=f"http://127.0.0.1:{port}")
    with doors.writing(app) as (session, now):
        token = devices.remember(session, session.merge(patient), now, is_shared=False)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(app, port, token)
    server.shutdown()
    thread.join()
    server.server_close()
    database.dispose()


def _open(
    phones: Phones,
    served: Served,
    size: tuple[int, int],
    scheme: Literal["light", "dark"],
    javascript: bool = False,
) -> Page:
    page = phones.open(served.url, javascript=javascript, size=size, scheme=scheme)
    page.context.add_cookies([{"name": "dev", "value": served.token, "url": served.url}])
    return page


def _tap(page: Page, name: str, value: str) -> None:
    with page.expect_navigation():
        page.locator(f'button[name="{name}"][value="{value}"]').click()


def _screens(page: Page) -> Iterator[str]:
    """Walk every kind of screen; stop at each."""
    for path in ("/", "/help-now", "/nope", "/check-in"):
        page.goto(path)
        yield path
    _tap(page, "red_flags", "none")
    yield "breathing"
    _tap(page, "breathlessness", "mild_exertion")
    yield "orthopnea"
    _tap(page, "orthopnea", "false")
    yield "swelling"
    _tap(page, "swelling", "none")
    page.locator('input[name="other"][value="cough"]').check()
    yield "other"
    _tap(page, "other", "none")
    yield "cough"
    _tap(page, "cough", "new")
    yield "temperature"
    page.get_by_text("Other number").click()
    page.locator("#temperature").fill("378")
    _tap(page, "fever_medicine_6h", "false")
    yield "temperature, asked again"
    _tap(page, "suggested", "37.8 c")
    _tap(page, "fever_medicine_6h", "false")
    page.get_by_text("Other number").click()
    yield "weight"
    page.locator("#weight").fill("60")
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").click()
    yield "is it right"
    _tap(page, "confirmed", "60 kg")
    yield "check and send"
    _tap(page, "send", "yes")
    yield "result"
    page.goto("/check-in")
    _tap(page, "red_flags", "chest_pain")
    yield "emergency"
    with page.expect_navigation():
        page.get_by_text("I tapped this by mistake").click()
    yield "by mistake"


@pytest.mark.parametrize("size", [(320, 568), (390, 844)])
def test_nothing_is_cut_off_and_every_target_can_be_hit(
    phones: Phones, served: Served, size: tuple[int, int]
) -> None:
    page = _open(phones, served, size, "light")
    for screen in _screens(page):
        assert page.evaluate(WIDER) <= 0, f"{screen}: {page.evaluate(OUTSIDE)}"
        small = page.evaluate(TARGETS, SMALLEST_TARGET)
        assert not small, f"{screen}: {small}"
        assert page.locator("h1").count() == 1, screen


def test_text_of_twice_the_size_fits(phones: Phones, served: Served) -> None:
    page = _open(phones, served, (390, 844), "light", javascript=True)
    for screen in _screens(page):
        page.evaluate("document.documentElement.classList.add('t'); "
                      "const s = new CSSStyleSheet(); s.replaceSync('html.t{font-size:200%}'); "
                      "document.adoptedStyleSheets = [s]")  # fmt: skip
        assert page.evaluate(WIDER) <= 0, f"{screen}: {page.evaluate(OUTSIDE)}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    phones: Phones, served: Served, scheme: Literal["light", "dark"]
) -> None:
    # The tool is a script put into the page from outside, past the policy.
    page = _open(phones, served, (390, 844), scheme, javascript=True)
    axe = Axe()
    for screen in _screens(page):
        found = axe.run(page).response["violations"]
        told = [(one["id"], one["nodes"][0]["html"][:160]) for one in found]
        assert not told, f"{screen}: {told}"


@pytest.mark.parametrize("path", ["/check-in", "/help-now"])
def test_the_call_button_and_the_emergency_pill_are_in_sight(
    phones: Phones, served: Served, path: str
) -> None:
    page = _open(phones, served, (320, 568), "light")
    page.goto(path)
    if path == "/check-in":
        pill = page.locator("a.sos").bounding_box()
        assert pill and pill["y"] + pill["height"] <= 568
        _tap(page, "red_flags", "chest_pain")
    call = page.locator("a.call").first.bounding_box()
    assert call and call["height"] >= 88 and call["y"] + call["height"] <= 568


def test_the_button_under_the_ticks_says_what_it_does(phones: Phones, served: Served) -> None:
    page = _open(phones, served, (390, 844), "light")
    page.goto("/check-in")
    _tap(page, "red_flags", "none")
    _tap(page, "breathlessness", "none")
    _tap(page, "swelling", "none")
    button = page.locator('button[name="other"]')
    assert button.inner_text() == "No, nothing new"
    page.locator('input[value="rash"]').check()
    assert button.inner_text() == "Continue"


def test_enter_in_the_temperature_field_answers_no_pill_question(
    phones: Phones, served: Served
) -> None:
    page = _open(phones, served, (390, 844), "light")
    page.goto("/check-in")
    _tap(page, "red_flags", "none")
    page.goto(page.url.replace("breathing", "temperature"))
    page.get_by_text("Other number").click()
    page.locator("#temperature").fill("38.5")
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.url == before
