"""Nobody answers for 40 minutes, in the demo, with its clock moved on."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest

from tests.support.running import free_port, is_alive, running_command

SECONDS = 40.0
NURSE, BACKUP, PHYSICIAN, LEAD = (f"+1212555014{last}" for last in (2, 3, 4, 5))
CLINIC = "+12125550150"
FIRST_STEP, EVERYONE = {NURSE, BACKUP}, {NURSE, BACKUP, PHYSICIAN, LEAD}


class Demo:
    """The demo as somebody uses it who has a browser and looks at the phones' page."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.browser: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        self.pages = 0

    def get(self, path: str) -> str:
        with self.browser.open(self.base_url + path, timeout=20) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        with self.browser.open(
            self.base_url + path, urlencode(fields).encode(), timeout=20
        ) as answer:
            self.address = answer.geturl().removeprefix(self.base_url)
            return str(answer.read().decode())

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def move(self, minutes: int) -> datetime:
        """Let time pass for every process of the demo."""
        request = Request(
            f"{self.base_url}/demo/clock", json.dumps({"minutes": minutes}).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with self.browser.open(request, timeout=20) as answer:
            return datetime.fromisoformat(json.load(answer)["now"])

    def texts(self, holds: str, kind: str) -> list[tuple[datetime, str]]:
        """When and to whom texts of a kind went that hold these words, the oldest first."""
        return sorted(
            (datetime.fromisoformat(text["sent_at"]), text["to"])
            for text in self.json("/demo/phones.json")
            if holds in text["body"] and text["kind"] == kind
        )


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    port = free_port()
    arguments = ["demo", "--fresh", "--state", str(tmp_path / "demo"), "--port", str(port)]
    log = tmp_path / "demo.log"
    with running_command(arguments, {"PYTHONUNBUFFERED": "1"}, log):
        until(lambda: is_alive(port) and "Ctrl-C" in log.read_text(), log.read_text)
        yield Demo(f"http://127.0.0.1:{port}")


def until(is_so: Callable[[], bool], said: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, said()
        time.sleep(0.2)


def hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'<input[^>]*type="hidden"[^>]*>', page)
    pairs = [
        (re.search(r'name="([^"]+)"', field), re.search(r'value="([^"]*)"', field))
        for field in fields
    ]
    return {name[1]: value[1] for name, value in pairs if name and value}


def person_called(demo: Demo, name: str) -> dict[str, str]:
    """A patient of the demo, by the start of the name."""
    people: list[dict[str, str]] = demo.json("/demo/people.json")
    return next(
        person
        for person in people
        if person["role"] == "patient" and person["name"].startswith(name)
    )


def test_nobody_answers_for_forty_minutes(demo: Demo) -> None:
    before = {text["body"] for text in demo.json("/demo/phones.json")}
    person = person_called(demo, "Wei")  # who has no alert yet
    demo.post(person["enter"].removeprefix(demo.base_url))
    page = demo.get("/check-in")
    result = demo.post("/check-in/red-flags", **hidden(page), red_flags="chest_pain")
    assert "Call 911 now" in result
    address = demo.address

    def of_this(text: dict[str, str]) -> bool:
        return text["kind"] == "staff_alert" and text["body"] not in before

    until(lambda: any(map(of_this, demo.json("/demo/phones.json"))), lambda: "no text")
    body = next(text["body"] for text in demo.json("/demo/phones.json") if of_this(text))
    found = re.search(r"ALERT ([0-9A-Z]{5}), EMERGENCY", body)
    assert found is not None, body
    ref = found[1]

    def pages() -> list[tuple[datetime, str]]:
        return demo.texts(ref, "staff_alert")

    until(lambda: {to for _, to in pages()} == FIRST_STEP, pages)
    until(lambda: "A text reached the nurse" in demo.get(address), pages)
    started = min(at for at, _ in pages())
    seen: dict[int, set[str]] = {0: FIRST_STEP}
    for minute in range(1, 41):
        now = demo.move(1)
        known = sum(len(who) for who in seen.values())
        expected = {5: 1, 10: 5, 20: 5, 30: 5, 40: 5}.get(minute, 0)
        until(lambda known=known, expected=expected: len(pages()) >= known + expected, pages)  # type: ignore[misc]
        fresh = {to for at, to in pages() if at >= now - timedelta(seconds=1)}
        if expected:
            seen[minute] = fresh
    last_step = EVERYONE | {CLINIC}
    assert seen == {
        0: FIRST_STEP, 5: {PHYSICIAN}, **{minute: last_step for minute in (10, 20, 30, 40)},
    }  # fmt: skip
    # None came twice, and the patient was told once, in time.
    assert len(pages()) == 2 + 1 + 4 * 5
    (told,) = [
        at for at, to in demo.texts("nobody on our team has answered", "call_now")
        if to == person["phone"] and at >= started
    ]  # fmt: skip
    assert timedelta(minutes=5) <= told - started < timedelta(minutes=6)
    assert "Nobody has taken it yet. Call 911 now." in demo.get(address)
