"""Clients that write down what they asked and what they were told: the history's first half."""

import re
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPException
from http.cookiejar import Cookie, CookieJar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener


class Said(StrEnum):
    """What a client knows of a request of its own."""

    INVOKE = "invoke"  # it has left
    OK = "ok"  # a page of success came back
    FAIL = "fail"  # we said clearly that it was not taken
    INFO = "info"  # nobody knows: no answer, or an answer of "we do not know"


@dataclass(frozen=True)
class Event:
    """One line of a client's log. ``key`` names the form (or the alert), ``act`` what was done."""

    said: Said
    act: str
    key: str
    by: str  # the patient's or the staff member's id
    at: float


@dataclass
class ClientLog:
    """What all clients of a test asked and were told, in order. Safe to use from threads."""

    events: list[Event] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, said: Said, act: str, key: str, by: str) -> None:
        """Add a line, with the time of this machine."""
        with self._lock:
            self.events.append(Event(said, act, key, by, time.time()))

    def keys(self, act: str, *said: Said) -> set[str]:
        """The keys of an act about which one of these was said."""
        return {each.key for each in self.events if each.act == act and each.said in said}


@dataclass(frozen=True)
class Answer:
    """What came back: a status (0 when the connection broke), the page, the address in the end."""

    status: int
    page: str = ""
    url: str = ""


_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')


def hidden_in(page: str) -> dict[str, str]:
    """The hidden fields of a page's first form, the later of two with one name."""
    found = {}
    for one in _HIDDEN.findall(page):
        name, value = re.search(r'name="([^"]+)"', one), re.search(r'value="([^"]*)"', one)
        if name and value:
            found[name[1]] = value[1]
    return found


@dataclass
class Client:
    """A browser without scripts: cookies, forms and redirects over real HTTP."""

    base_url: str
    log: ClientLog
    who: str
    timeout: float = 30.0
    jar: CookieJar = field(default_factory=CookieJar)
    browser: OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        self.browser = build_opener(HTTPCookieProcessor(self.jar))

    def hold(self, name: str, value: str) -> None:
        """Carry a cookie from now on."""
        host = "127.0.0.1"
        self.jar.set_cookie(
            Cookie(0, name, value, None, False, host, True, False, "/", True, False, None, True,
                   None, None, {})
        )  # fmt: skip

    def get(self, path: str, **headers: str) -> Answer:
        """Look at a page."""
        return self._ask(Request(self.base_url + path, headers=headers))

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Post a form as it stands; no line is written."""
        return self._ask(Request(self.base_url + path, urlencode(form).encode(), headers))

    def _ask(self, request: Request) -> Answer:
        try:
            with self.browser.open(request, timeout=self.timeout) as answer:
                return Answer(answer.status, answer.read().decode(), answer.url)
        except HTTPError as error:
            return Answer(error.code, error.read().decode("utf-8", "replace"), request.full_url)
        except (URLError, OSError, HTTPException):
            return Answer(0)

    def act(self, act: str, key: str, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Post a form and write down what was asked and what came of it."""
        self.log.note(Said.INVOKE, act, key, self.who)
        answer = self.post(path, form, **headers)
        self.log.note(_meaning_of(answer), act, key, self.who)
        return answer

    def take(self, ref: str) -> Answer:
        """Take an alert, from its page, as a member of the care team."""
        return self.on_alert(ref, "take")

    def on_alert(self, ref: str, what: str, **fields: str) -> Answer:
        """Post one of the forms of an alert's page."""
        page = self.get(f"/staff/alerts/{ref}")
        if page.status != 200:
            return page
        form = {"csrf_token": hidden_in(page.page)["csrf_token"], **fields}
        return self.act(what, ref, f"/staff/alerts/{ref}/{what}", form)


def _meaning_of(answer: Answer) -> Said:
    if 200 <= answer.status < 300:
        return Said.OK
    # A server that says 5xx may have stored it; one that says 4xx has looked and refused.
    return Said.FAIL if 400 <= answer.status < 500 else Said.INFO


@dataclass
class Form:
    """A check-in that a patient has open in a browser; it may be posted again and again."""

    client: Client
    fields: dict[str, str]

    @property
    def key(self) -> str:
        """The form's own key."""
        return self.fields["form"]

    def report(self, flag: str = "chest_pain") -> Answer:
        """Answer the first question; ``none`` is a calm answer, everything else an emergency."""
        act = "calm" if flag == "none" else "red"
        fields = {**self.fields, "red_flags": flag}
        return self.client.act(act, self.key, "/check-in/red-flags", fields)


def open_form(client: Client, link: str) -> Form:
    """Open the link of a text, as the patient's browser does."""
    page = client.get(link)
    assert page.status == 200, page.status
    fields = hidden_in(page.page)
    assert {"form", "csrf_token"} <= set(fields)
    return Form(client, fields)
