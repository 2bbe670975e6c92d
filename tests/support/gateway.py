"""A gateway that speaks Twilio's Messages API on loopback, and can misbehave.

It keeps a ledger of its own of what reached "phones": the judge in every test about lost or
doubled texts. Status callbacks are signed as Twilio signs them.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import struct
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

ACCOUNT = "AC" + "0" * 32
TOKEN = "made-up-token-of-the-test-gateway"
SENDER = "+12125550100"
ALERT_SENDER = "+12125550101"
HANG_SECONDS = 60.0


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


@dataclass
class FakeGateway:
    """The gateway while it runs. ``plan`` says what to do with the next requests.

    Moods: ``ok``, ``429``, ``500``, ``401``, ``400:<code>``, ``hang``, ``accept_then_reset``,
    ``accept_then_500``, ``garbage``, ``empty``, ``no_sid``, ``redirect``, ``drip``.
    """

    port: int = 0
    ledger: list[Sent] = field(default_factory=list)
    plan: deque[str] = field(default_factory=deque)
    per_number: dict[str, str] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()  # called back for each text, in this order
    refused: list[str] = field(default_factory=list)  # what was wrong with requests we refused
    answers: list[int] = field(default_factory=list)  # what our callbacks were answered with
    released: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The base address, for TWILIO_API_BASE."""
        return f"http://127.0.0.1:{self.port}"

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
            return self.per_number.get(to) or (self.plan.popleft() if self.plan else "ok")

    def deliver(self, form: dict[str, str]) -> str:
        """Write the text into the ledger; its id."""
        sent = Sent("SM" + secrets.token_hex(16), form["To"], form["Body"], form)
        with self._lock:
            self.ledger.append(sent)
        if self.statuses and "StatusCallback" in form:
            threading.Thread(target=self._call_back, args=(sent,), daemon=True).start()
        return sent.sid

    def _call_back(self, sent: Sent) -> None:
        for status in self.statuses:
            word, _, code = status.partition(":")
            form = {"MessageSid": sent.sid, "MessageStatus": word, "AccountSid": ACCOUNT}
            if code:
                form["ErrorCode"] = code
            self.answers.append(post_signed(sent.form["StatusCallback"], form))


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
    return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: FakeGateway

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        form = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
        fault = _fault_of(self.path, self.headers.get("Authorization", ""), form)
        if fault is not None:
            status, code, words = fault
            self.gateway.refused.append(words)
            self._answer(status, {"code": code, "message": words, "status": status})
            return
        self._act(self.gateway.mood_for(form["To"]), form)

    def _act(self, mood: str, form: dict[str, str]) -> None:
        kind, _, code = mood.partition(":")
        if kind == "hang":
            self.gateway.released.wait(HANG_SECONDS)
            self.close_connection = True
        elif kind in {"400", "401", "429", "500"}:
            self._answer(int(kind), {"code": int(code or kind), "message": "no", "status": 1})
        elif kind == "redirect":
            self._answer(302, {}, {"Location": f"{self.gateway.url}/elsewhere"})
        else:
            self._take(kind, form)

    def _take(self, kind: str, form: dict[str, str]) -> None:
        """The text reaches its phone; what we say of it may still be wrong."""
        sid = self.gateway.deliver(form)
        if kind == "accept_then_reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
        elif kind == "accept_then_500":
            self._answer(500, {"code": 20500, "message": "internal", "status": 500})
        elif kind == "garbage":
            self._answer(201, b"<html>proxy says hello</html>")
        elif kind == "empty":
            self._answer(200, b"")
        elif kind == "no_sid":
            self._answer(201, {"status": "queued"})
        elif kind == "drip":
            self._drip()
        else:
            self._answer(201, {"sid": sid, "status": "queued", "to": form["To"]})

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
def running_gateway() -> Iterator[FakeGateway]:
    """Start a gateway on a free port; stop it at the end."""
    gateway = FakeGateway()
    handler = type("Handler", (_Handler,), {"gateway": gateway})
    server = _Server(("127.0.0.1", 0), handler)
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
