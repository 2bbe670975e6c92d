"""The adapter to Twilio's Messages API: the only file that knows it.

Numbers and texts are never logged. The client is imported when the first text is sent.
"""

import hmac
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from patient_portal.config import TwilioSettings
from patient_portal.domain.delivery import MessageState
from patient_portal.sms.gateway import OutcomeUnknown, Outgoing, Receipt, SendError

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
LARGEST_ANSWER = 64 * 1024

# Errors that no repetition mends: the number or the text is the reason. Whatever is not here is
# tried again (a rate limit, a wrong password that is being mended, the gateway's own trouble).
PERMANENT: Mapping[str, str] = {
    "21211": "not a phone number",
    "21217": "not a phone number",
    "21602": "the text is empty",
    "21604": "no number to send to",
    "21610": "this phone answered STOP",
    "21612": "this number cannot be reached from ours",
    "21614": "not a mobile phone",
    "21617": "the text is too long",
    "21635": "a landline",
    "30004": "blocked by the phone or its network",
    "30005": "no such phone any more",
    "30006": "a landline, or a network that cannot be reached",
}

# What the gateway calls a text's state, and what we call it.
STATES: Mapping[str, MessageState] = {
    "accepted": MessageState.ACCEPTED,
    "scheduled": MessageState.ACCEPTED,
    "queued": MessageState.ACCEPTED,
    "sending": MessageState.ACCEPTED,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
}

# Failures of delivery that the next attempt may not meet: a phone without signal, a full queue,
# a text that was too old when its turn came, and the gateway's own "unknown".
MAY_PASS = frozenset({"30001", "30003", "30008", "30036"})

# Failures in which no byte of the text left this machine, by the name of the client's exception.
_NOT_SENT = ("ConnectTimeout", "SSLError", "ProxyError", "NewConnectionError", "NameResolution")


class TwilioGateway:
    """Sends through Twilio, or through whatever speaks its API at ``api_base``."""

    def __init__(self, settings: TwilioSettings, base_url: str) -> None:
        self._settings = settings
        self._base_url = base_url
        self._own = threading.local()  # a connection of its own for each sending thread

    def send(self, text: Outgoing) -> Receipt:
        """Hand one text over. Raises SendError."""
        client = self._client()
        options = self._options(text)
        try:
            sid = client.messages.create(**options).sid
        except Exception as error:
            raise _meaning_of(error) from None
        if not isinstance(sid, str) or not sid:
            raise OutcomeUnknown("no_sid")
        return Receipt(sid)

    def _options(self, text: Outgoing) -> dict[str, Any]:
        found = self._settings
        sender, service = found.sender, found.messaging_service_sid
        if text.is_alert and (found.alert_sender or found.alert_messaging_service_sid):
            sender, service = found.alert_sender, found.alert_messaging_service_sid
        options: dict[str, Any] = {
            "to": text.to,
            "body": text.body,
            "status_callback": f"{self._base_url}/twilio/status?message={quote(text.message_id)}",
            "validity_period": max(1, int(text.valid_for.total_seconds())),
        }
        if service:
            options["messaging_service_sid"] = service
        if sender:
            options["from_"] = sender
        return options

    def _client(self) -> Any:
        client = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = _build_client(self._settings)
        return client


def _build_client(settings: TwilioSettings) -> Any:
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    quiet = logging.getLogger("twilio.http_client")
    quiet.setLevel(logging.WARNING)  # it writes whole requests, numbers and all, at INFO
    http = TwilioHttpClient(logger=quiet, request_hooks={"response": _read_in_time})
    http.timeout = (CONNECT_SECONDS, READ_SECONDS)
    assert http.session is not None  # noqa: S101 - pooled unless told otherwise
    http.session.stream = True  # the body is read by the hook, within a limit of time and size
    client = Client(
        username=settings.api_key_sid or settings.account_sid,
        password=settings.api_key_secret or settings.auth_token,
        account_sid=settings.account_sid,
        http_client=http,
        environment={"read": "nothing"},  # regions and edges come from our settings alone
    )
    if settings.api_base:
        client.api.base_url = settings.api_base.rstrip("/")
    return client


class _TooSlow(Exception):
    """The answer drips, or has no end."""


def _read_in_time(response: Any, *_args: object, **_options: object) -> Any:
    """Read the answer's body within READ_SECONDS in all; a timeout alone bounds each byte only."""
    until = time.monotonic() + READ_SECONDS
    body = bytearray()
    for piece in response.iter_content(1):
        body += piece
        if time.monotonic() > until or len(body) > LARGEST_ANSWER:
            response.close()
            raise _TooSlow
    response._content = bytes(body)
    return response


def _meaning_of(error: Exception) -> SendError:
    """What an exception of the client means for the text."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and not 200 <= status < 300:
        code = str(getattr(error, "code", None) or status)
        return SendError(code[:40], permanent=code in PERMANENT)
    names = {type(error).__name__, *_causes(error)}
    if any(name.startswith(_NOT_SENT) for name in names):
        return SendError("not_connected")
    return OutcomeUnknown(type(error).__name__[:40])


def _causes(error: BaseException) -> list[str]:
    """The names of what an exception wraps: the HTTP client hides a refused connection so."""
    wrapped = [each for each in error.args if isinstance(each, BaseException)]
    reasons = [getattr(each, "reason", None) for each in wrapped]
    return [type(each).__name__ for each in [*wrapped, *reasons] if each is not None]


def is_genuine(
    settings: TwilioSettings,
    url: str,
    form: Any,
    signature: str | None,
    algorithm: str | None = None,
) -> bool:
    """Whether a request to ``url`` with these posted values was signed by our gateway.

    ``url`` is the address as the gateway knows it, query and all; ``algorithm`` is the value of
    X-Twilio-Webhooks-Signature-Settings. Compares in constant time; also tries the previous
    token, so that one can be changed without losing a word.
    """
    if not signature:
        return False
    from twilio.request_validator import (
        RequestValidator,
        add_port,
        get_signature_algorithm,
        remove_port,
    )

    named = get_signature_algorithm(algorithm)
    parts = urlsplit(url)
    genuine = False
    for token in filter(None, (settings.auth_token, settings.auth_token_previous)):
        validator = RequestValidator(token)
        for address in (add_port(parts), remove_port(parts)):
            try:
                expected = validator.compute_signature(address, form, named)
            except (ValueError, UnicodeEncodeError):
                return False
            genuine |= hmac.compare_digest(
                expected.encode(), signature.encode("utf-8", "surrogatepass")
            )
    return genuine
