"""A gateway that speaks Twilio's Messages API on loopback, and can misbehave.

It keeps a ledger of its own of what reached "phones": the judge in every test about lost or
doubled texts. Status callbacks are signed as Twilio signs them and follow a script
(``callbacks.py``).
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import ssl
import struct
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support import messages_api
from tests.support.callbacks import Script, Word, script

ACCOUNT = "AC" + "0" * 32
TOKEN = "made-up-token-of-the-test-gateway"
SENDER = "+12125550100"
ALERT_SENDER = "+12125550101"
HANG_SECONDS = 60.0
UNTRUSTED = Path(__file__).with_name("untrusted.pem")


def sign(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    """Twilio's signature of a request: address and sorted values, HMAC-SHA1, base64."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True)
class Sent:
    """A text that reached a phone."""

    sid: str
    to: str
    body: str
    form: dict[str, str]
    at: float = field(default_factory=time.time)


@dataclass
class FakeGateway:
    """The gateway while it runs. ``plan`` says what to do with the next requests.

    Moods that take nothing: a status (``429``, ``503``, ``400:<code>`` …), ``hang``,
    ``reset_before_read`` (the connection breaks before the text is taken), ``redirect``.
    Moods that take the text: ``ok``, ``accept_then_reset``, ``accept_then_500``, ``slow_body``
    (``drip``), ``garbage_json``, ``garbage`` and ``html_200``, ``empty_200`` (``empty``),
    ``no_sid``, ``wait:<seconds>`` (the answer is late). A gateway whose certificate nobody signed
    is ``running_gateway(tls_bad=True)``. ``script`` names what is called back for each text
    (``callbacks.py``), ``script_for`` what for one number; ``statuses`` is a script written out.
    ``look_plan`` does the same for questions about texts; ``now_says`` holds what such a question
    is answered with, by the text's id: a status, or ``status:code``.
    """

    port: int = 0
    is_tls: bool = False
    told: Counter[str] = field(default_factory=Counter)  # callbacks of each text
    attempts: int = 0  # requests to send, whatever became of them
    script: str = "none"
    script_for: dict[str, str] = field(default_factory=dict)
    ledger: list[Sent] = field(default_factory=list)
    plan: deque[str] = field(default_factory=deque)
    per_number: dict[str, str] = field(default_factory=dict)
    everybody: str = ""  # the mood for all, as long as it stands
    plan_for: dict[str, deque[str]] = field(default_factory=dict)  # the next texts to a number
    statuses: tuple[str, ...] = ()  # called back for each text, in this order
    look_plan: deque[str] = field(default_factory=deque)
    now_says: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # paths of the questions about texts
    refused: list[str] = field(default_factory=list)  # what was wrong with requests we refused
    answers: list[int] = field(default_factory=list)  # what our callbacks were answered with
    released: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The base address, for TWILIO_API_BASE."""
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The settings that make the portal send here."""
        return {
            "SMS_GATEWAY": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": SENDER,
            "TWILIO_ALERT_FROM": ALERT_SENDER,
            "TWILIO_API_BASE": self.url,
        }

    def sent_to(self, number: str) -> list[Sent]:
        """What reached one phone."""
        return [sent for sent in self.ledger if sent.to == number]

    def mood_for(self, to: str) -> str:
        """What to do with this request."""
        with self._lock:
            self.attempts += 1
            if self.plan_for.get(to):
                return self.plan_for[to].popleft()
            if self.everybody:
                return self.everybody
            return self.per_number.get(to) or (self.plan.popleft() if self.plan else "ok")

    @contextmanager
    def in_mood(self, mood: str) -> Iterator[None]:
        """Treat everybody so while the block runs."""
        self.everybody = mood
        try:
            yield
        finally:
            self.everybody = ""

    def deliver(self, form: dict[str, str]) -> str:
        """Write the text into the ledger; its id."""
        sent = Sent("SM" + secrets.token_hex(16), form["To"], form["Body"], form)
        with self._lock:
            self.ledger.append(sent)
        calls = self._script_of(form)
        if calls.is_before_answer:
            self._call_back(sent, calls.words)
        elif calls.words:
            told = (sent, calls.words)
            threading.Thread(target=self._call_back, args=told, daemon=True).start()
        return sent.sid

    def _script_of(self, form: dict[str, str]) -> Script:
        if "StatusCallback" not in form:
            return Script(())
        if form["To"] in self.script_for:
            return script(self.script_for[form["To"]])
        if self.statuses:
            parts = [status.partition(":") for status in self.statuses]
            return Script(tuple(Word(word, code) for word, _, code in parts))
        return script(self.script)

    def answer_about(self, sent: Sent) -> dict[str, Any]:
        """A text as the API shows it."""
        word, _, code = self.now_says.get(sent.sid, "queued").partition(":")
        return {
            "sid": sent.sid, "account_sid": ACCOUNT, "to": sent.to, "body": sent.body,
            "from": sent.form.get("From"), "direction": "outbound-api", "status": word,
            "error_code": int(code) if code else None,
            "date_created": formatdate(sent.at, usegmt=True),
        }  # fmt: skip

    def _call_back(self, sent: Sent, words: tuple[Word, ...]) -> None:
        for word in words:
            if word.after and self.released.wait(word.after):
                return
            self.call_back(sent, word)

    def call_back(self, sent: Sent, word: Word) -> int:
        """Tell the portal a status of this text; what it answered, 0 if it was not there."""
        form = {"MessageSid": sent.sid, "MessageStatus": word.status, "AccountSid": ACCOUNT}
        if word.code:
            form["ErrorCode"] = word.code
        try:
            answer = post_signed(sent.form["StatusCallback"], form)
        except OSError:
            answer = 0
        self.answers.append(answer)
        self.told[sent.sid] += 1
        return answer


def post_signed(url: str, form: dict[str, str], token: str = TOKEN) -> int:
    """Post a form as the gateway does; the status it was answered with."""
    request = urllib.request.Request(
        url,
        urlencode(form).encode(),
        {"X-Twilio-Signature": sign(url, form, token)},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _fault_of(path: str, authorization: str, form: dict[str, str]) -> tuple[int, int, str] | None:
    """What is wrong with a request, by the API's own rules: status, code, words."""
    expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    if authorization != f"Basic {expected}":
        return 401, 20003, "Authenticate"
    if path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
        return 404, 20404, "The requested resource was not found"
    if not form.get("To", "").startswith("+"):
        return 400, 21604, "A 'To' phone number is required"
    if not (form.get("From") or form.get("MessagingServiceSid")):
        return 400, 21603, "A 'From' phone number is required"
    if not form.get("Body"):
        return 400, 21602, "Message body is required"
    if len(form["Body"]) > 1600:
        return 400, 21617, "The message body is too long"
    period = form.get("ValidityPeriod", "36000")
    if not period.isdigit() or not 1 <= int(period) <= 36000:
        return 400, 21650, "ValidityPeriod is out of range"
    if not urlsplit(form.get("StatusCallback", "http://x")).hostname:
        return 400, 21609, "StatusCallback is not a valid address"
    against = messages_api.faults("create", form)
    return (400, 20001, "; ".join(against)) if against else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: FakeGateway

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:  # whoever asked was killed in the middle of it
            self.close_connection = True
            return
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        fault = _fault_of(self.path, self.headers.get("Authorization", ""), form)
        if fault is not None:
            status, code, words = fault
            self.gateway.refused.append(words)
            self._answer(status, {"code": code, "message": words, "status": status})
            return
        self._act(self.gateway.mood_for(form["To"]), form)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        found = messages_api.operation_of("get", parts.path)
        self.gateway.asked.append(self.path)
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization", "") != f"Basic {expected}":
            self._answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
        elif found is None or found[1]["AccountSid"] != ACCOUNT:
            self._answer(404, {"code": 20404, "message": "not found", "status": 404})
        elif wrong := messages_api.faults(found[0], query):
            self.gateway.refused += wrong
            self._answer(400, {"code": 20001, "message": "; ".join(wrong), "status": 400})
        elif self.gateway.look_plan:
            self._act(self.gateway.look_plan.popleft(), {})
        else:
            self._tell(found[1].get("Sid"), query)

    def _tell(self, sid: str | None, query: dict[str, str]) -> None:
        """One text, or a page of them, the newest first."""
        ledger = [*reversed(self.gateway.ledger)]
        if sid is not None:
            one = next((sent for sent in ledger if sent.sid == sid), None)
            if one is None:
                self._answer(404, {"code": 20404, "message": "not found", "status": 404})
            else:
                self._answer(200, self.gateway.answer_about(one))
            return
        page = [sent for sent in ledger if query.get("To") in (None, sent.to)]
        page = page[: int(query.get("PageSize", "50"))]
        told = [self.gateway.answer_about(sent) for sent in page]
        self._answer(200, {"messages": told, "page": 0, "next_page_uri": None})

    def _act(self, mood: str, form: dict[str, str]) -> None:
        kind, _, code = mood.partition(":")
        if kind == "hang":
            self.gateway.released.wait(HANG_SECONDS)
            self.close_connection = True
        elif kind.isdigit():
            self._answer(int(kind), {"code": int(code or kind), "message": "no", "status": 1})
        elif kind == "redirect":
            self._answer(302, {}, {"Location": f"{self.gateway.url}/elsewhere"})
        elif kind == "reset_before_read":
            self._reset()
        else:
            self._take(kind, form, code)

    def _take(self, kind: str, form: dict[str, str], seconds: str = "") -> None:
        """The text reaches its phone; what we say of it may still be wrong."""
        sid = self.gateway.deliver(form)
        wrong: dict[str, tuple[int, dict[str, Any] | bytes]] = {
            "accept_then_500": (500, {"code": 20500, "message": "internal", "status": 500}),
            "garbage": (201, b"<html>proxy says hello</html>"),
            "html_200": (200, b"<html>sign in to the hotel's network</html>"),
            "garbage_json": (201, f'{{"sid": "{sid}", "stat'.encode()),
            "empty": (200, b""),
            "empty_200": (200, b""),
            "no_sid": (201, {"status": "queued"}),
        }
        if kind == "accept_then_reset":
            self._reset()
        elif kind == "wait":
            self.gateway.released.wait(float(seconds or 5))
            self._answer(201, {"sid": sid, "status": "queued", "to": form["To"]})
        elif kind in {"drip", "slow_body"}:
            self._drip()
        elif kind in wrong:
            self._answer(*wrong[kind])
        elif kind == "ok":
            self._answer(201, {"sid": sid, "status": "queued", "to": form["To"]})
        else:
            raise ValueError(f"no mood is called {kind!r}")

    def _reset(self) -> None:
        """Break the connection off, as a dying machine or a firewall does."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _drip(self) -> None:
        self.send_response(201)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while not self.gateway.released.wait(0.2):
            try:
                self.wfile.write(b" ")
            except OSError:
                break
        self.close_connection = True

    def _answer(
        self, status: int, content: dict[str, Any] | bytes, headers: dict[str, str] | None = None
    ) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients of ours are killed in the middle of a request; that is what tests are for."""


@contextmanager
def running_gateway(*, tls_bad: bool = False) -> Iterator[FakeGateway]:
    """Start a gateway on a free port; stop it at the end. ``tls_bad``: nobody should trust it."""
    gateway = FakeGateway(is_tls=tls_bad)
    handler = type("Handler", (_Handler,), {"gateway": gateway})
    server = _Server(("127.0.0.1", 0), handler)
    if tls_bad:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(UNTRUSTED)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    gateway.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
