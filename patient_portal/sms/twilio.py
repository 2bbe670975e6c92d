"""The adapter to Twilio's Messages API: the only file that knows it.

Numbers and texts are never logged. The client is imported when the first text is sent.
"""

import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from patient_portal.config import TwilioSettings
from patient_portal.domain.delivery import MessageState
from patient_portal.sms.gateway import OutcomeUnknown, Outgoing, Receipt, Report, SendError

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
# Looking for a text before it is sent again has to fit into the same lease as the sending.
LOOK_CONNECT_SECONDS = 1.0
LOOK_READ_SECONDS = 2.0
LARGEST_ANSWER = 64 * 1024
# How many of a number's newest texts we look through, and what our clocks may differ by.
LOOKED_THROUGH = 20
CLOCKS_DIFFER = timedelta(seconds=60)

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
        client = self._client("sending", CONNECT_SECONDS, READ_SECONDS)
        options = self._options(text)
        try:
            sid = client.messages.create(**options).sid
        except Exception as error:
            raise _meaning_of(error) from None
        if not isinstance(sid, str) or not sid:
            raise OutcomeUnknown("no_sid")
        return Receipt(sid)

    def fetch(self, gateway_id: str) -> Report:
        """What became of a text. Raises SendError."""
        client = self._client("looking", LOOK_CONNECT_SECONDS, LOOK_READ_SECONDS)
        try:
            found = client.messages(gateway_id).fetch()
            return _report_of(found)
        except Exception as error:
            raise _meaning_of(error) from None

    def find(self, text: Outgoing, within: timedelta) -> Sequence[Report]:
        """Texts with this body that went to this number lately, the newest first.

        Asked for by number alone: the filter by date compares the day of sending, which a text
        that still waits in the gateway's queue does not have.
        """
        client = self._client("looking", LOOK_CONNECT_SECONDS, LOOK_READ_SECONDS)
        since = datetime.now(UTC) - within - CLOCKS_DIFFER
        try:
            page = client.messages.page(to=text.to, page_size=LOOKED_THROUGH)
            newest = list(page)
        except Exception as error:
            raise _meaning_of(error) from None
        return [
            _report_of(found)
            for found in newest
            if found.body == text.body
            and str(found.direction).startswith("outbound")
            and found.date_created is not None
            and found.date_created >= since
        ]

    def _options(self, text: Outgoing) -> dict[str, Any]:
        sender, service = self._sender_for(text)
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

    def _sender_for(self, text: Outgoing) -> tuple[str | None, str | None]:
        """The number and the messaging service it leaves from.

        An alert whose own sender failed leaves from the everyday one; nothing else may ever use
        up the alerts' sender.
        """
        found = self._settings
        everyday = found.sender, found.messaging_service_sid
        alerts = found.alert_sender, found.alert_messaging_service_sid
        return alerts if text.is_alert and any(alerts) and not text.other_sender else everyday

    def _client(self, use: str, connect: float, read: float) -> Any:
        client = getattr(self._own, use, None)
        if client is None:
            client = _build_client(self._settings, connect, read)
            setattr(self._own, use, client)
        return client


def _build_client(settings: TwilioSettings, connect: float, read: float) -> Any:
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    quiet = logging.getLogger("twilio.http_client")
    quiet.setLevel(logging.WARNING)  # it writes whole requests, numbers and all, at INFO
    http = TwilioHttpClient(logger=quiet, request_hooks={"response": _reading_within(read)})
    http.timeout = (connect, read)
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


def _report_of(found: Any) -> Report:
    """A message of the client as ours; a failure without a code has none."""
    code = getattr(found, "error_code", None)
    if not isinstance(found.sid, str) or not found.sid:
        raise OutcomeUnknown("no_sid")
    return Report(found.sid, STATES.get(str(found.status)), str(code) if code else None)


class _TooSlow(Exception):
    """The answer drips, or has no end."""


def _reading_within(seconds: float) -> Callable[..., Any]:
    """Reads the answer's body within ``seconds`` in all; a timeout alone bounds each byte only."""

    def read(response: Any, *_args: object, **_options: object) -> Any:
        until = time.monotonic() + seconds
        body = bytearray()
        for piece in response.iter_content(1):
            body += piece
            if time.monotonic() > until or len(body) > LARGEST_ANSWER:
                response.close()
                raise _TooSlow
        response._content = bytes(body)
        return response

    return read


def _meaning_of(error: Exception) -> SendError:
    """What an exception of the client means for the text."""
    status = getattr(error, "status", None)
    if status is None:  # a page that was refused is raised with its answer, and without a status
        status = next((getattr(each, "status_code", None) for each in error.args[1:]), None)
    if isinstance(status, int) and not 200 <= status < 300:
        code = str(getattr(error, "code", None) or status)
        return SendError(code[:40])
    names = {type(error).__name__, *_causes(error)}
    if any(name.startswith(_NOT_SENT) for name in names):
        return SendError("not_connected")
    return OutcomeUnknown(type(error).__name__)


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
