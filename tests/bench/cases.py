"""What is compared: the requests of each case for both apps."""

import http.client
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from tests.bench.load import Call
from tests.bench.portal import FLOOD, NURSE_TOKEN

FORM = "application/x-www-form-urlencoded"
_FIELD = r'name="{name}"[^>]*value="([^"]+)"'

Calls = Callable[[int], list[Call]]


@dataclass(frozen=True)
class Case:
    """One comparison; ``goals`` are the largest allowed ratios, portal to plain app."""

    name: str
    plain: Calls
    portal: Calls
    requests: int
    cpu_goal: float | None
    p99_goal: float | None = None


@dataclass(frozen=True)
class Page:
    """A form as a browser got it: the session cookie and the token in it."""

    cookie: str
    token: str


def get_page(base_url: str, path: str, headers: dict[str, str]) -> Page:
    """Get a page with a form in it. Raises RuntimeError where there is none."""
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    cookies = [value.split(";")[0] for value in response.headers.get_all("Set-Cookie") or []]
    connection.close()
    found = re.search(_FIELD.format(name="csrf_token"), text)
    if response.status != http.client.OK or found is None:
        raise RuntimeError(f"{path} answered {response.status} without a form:\n{text[:400]}")
    return Page("; ".join(cookies), found[1])


def _repeat(call: Call) -> Calls:
    return lambda count: [call] * count


def _plain_posts(base_url: str, path: str, fields: dict[str, str]) -> Calls:
    page = get_page(base_url, path, {})
    body = urlencode({**fields, "csrf_token": page.token}).encode()
    headers = {"Cookie": page.cookie, "Content-Type": FORM}
    return _repeat(Call("POST", path, headers, body, expect=303))


def _portal_posts(base_url: str, tokens: Iterator[str]) -> Calls:
    """Each request is another patient's first answer of another form: all of them are stored."""
    page = get_page(base_url, "/check-in", {"Cookie": f"dev={next(tokens)}"})

    def calls(count: int) -> list[Call]:
        return [
            Call(
                "POST",
                "/check-in/red-flags",
                {"Cookie": f"{page.cookie}; dev={next(tokens)}", "Content-Type": FORM},
                urlencode(
                    {
                        "form": secrets.token_hex(16),
                        "red_flags": "chest_pain",
                        "csrf_token": page.token,
                    }
                ).encode(),
                expect=303,
            )
            for _ in range(count)
        ]

    return calls


WHOLE_FORM = {
    "red_flags": "chest_pain", "breathlessness": "none", "swelling": "none", "cough": "none",
    "dizziness": "none", "urine": "none", "bone_pain": "none", "rash": "none", "bleeding": "none",
    "temperature": "36.8", "temperature_unit": "c", "weight": "70.4",
}  # fmt: skip
FIRST_STEP = {"red_flags": "chest_pain"}


def cases(plain: str, portal: str, tokens: list[str]) -> list[Case]:
    """All comparisons between the app at ``plain`` and the one at ``portal``."""
    red = _portal_posts(portal, (token for token in tokens if not token.startswith(FLOOD)))
    flood = _portal_posts(portal, (token for token in tokens if token.startswith(FLOOD)))
    known = {"Cookie": f"dev={tokens[-1]}"}
    nurse = {"Cookie": f"staff={NURSE_TOKEN}"}
    form = _repeat(Call("GET", "/check-in", known))
    return [
        Case(
            "red answer, against a form of 12 fields",
            _plain_posts(plain, "/check-in/bench", WHOLE_FORM), red, 160, 0.8, 0.1,
        ),
        Case(
            "red answer, against a form of 1 field",
            _plain_posts(plain, "/step/bench", FIRST_STEP), red, 160, None,
        ),
        Case(
            "red answers of one clinic, bundled, 12 fields",
            _plain_posts(plain, "/check-in/bench", WHOLE_FORM), flood, 160, None,
        ),
        Case(
            "form page, against one of 12 fields",
            _repeat(Call("GET", "/check-in/bench", {})), form, 160, 1.0,
        ),
        Case(
            "form page, against one of 1 field",
            _repeat(Call("GET", "/step/bench", {})), form, 160, None,
        ),
        Case(
            "inbox of 50",
            _repeat(Call("GET", "/inbox/2", {})), _repeat(Call("GET", "/staff/inbox", nurse)),
            60, 1.5,
        ),
    ]  # fmt: skip


def tokens_for(pairs: int, warmup: int) -> list[str]:
    """Tokens of remembered phones, as many patients as the red answers use up."""
    each = pairs * 160 + warmup + 5
    spread = [f"bench-{number}" for number in range(2 * each)]
    return [f"{FLOOD}-{number}" for number in range(each)] + spread
