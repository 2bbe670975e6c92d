"""Settings from the environment, read once. A missing or unusable value stops the start.

Names are those of the README's table. Every secret may come from a file: ``SECRET_KEY_FILE``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

SHORTEST_SECRET = 32
# How long a worker may hold a text before another takes it over. Longer than the gateway's
# slowest answer (connect 3 s, headers 10 s, body 10 s).
USUAL_LEASE = 30
USUAL_REMINDERS_A_DAY = 2000  # texts of a clinic
USUAL_DRILL = time(7)  # on each clinic's clocks
SHORTEST_TOKEN = 16
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(RuntimeError):
    """Names every unusable value, a line each, with the cure."""


@dataclass(frozen=True)
class TwilioSettings:
    """How to reach the SMS gateway. ``api_base`` is another base address of the same API."""

    account_sid: str
    auth_token: str = field(repr=False)
    auth_token_previous: str | None = field(default=None, repr=False)
    api_key_sid: str | None = None
    api_key_secret: str | None = field(default=None, repr=False)
    sender: str | None = None
    messaging_service_sid: str | None = None
    alert_sender: str | None = None
    alert_messaging_service_sid: str | None = None
    api_base: str | None = None


@dataclass(frozen=True)
class Settings:
    """Everything the processes need to know, typed and checked."""

    database_url: str
    secret_key: str = field(repr=False)
    pepper: str = field(repr=False)
    base_url: str
    sms_gateway: str
    twilio: TwilioSettings | None = None
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    trusted_hosts: tuple[str, ...] = ()
    database_owner_url: str | None = None
    proxy_hops: int = 0
    log_level: str = "INFO"
    lease_seconds: int = USUAL_LEASE
    reminders_a_day: int = USUAL_REMINDERS_A_DAY
    heartbeat_url: str | None = field(default=None, repr=False)
    metrics_token: str | None = field(default=None, repr=False)
    drill_at: time | None = USUAL_DRILL  # None: no drill by itself, on a test machine
    demo: bool = False

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us over TLS; cookies are then marked Secure."""
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """The host name people see, without port."""
        return urlsplit(self.base_url).hostname or ""

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, *, demo: bool = False
    ) -> "Settings":
        """Read and check all values.

        Raises:
            SettingsError: one line for each value that is missing or unusable, with the cure.
        """
        return _Reader(os.environ if environ is None else environ, demo=demo).read()


class _Reader:
    """Collects every fault before it raises, so that a start is not mended one line at a time."""

    def __init__(self, environ: Mapping[str, str], *, demo: bool) -> None:
        self.environ = environ
        self.demo = demo
        self.faults: list[str] = []

    def text(self, name: str, cure: str = "", *, required: bool = True) -> str:
        """The value of ``name`` or of the file that ``name_FILE`` points to."""
        value = self.environ.get(name, "").strip()
        if not value and self.environ.get(f"{name}_FILE"):
            value = self._from_file(name)
        if not value and required:
            self.faults.append(f"{name} is not set. {cure}")
        return value

    def _from_file(self, name: str) -> str:
        try:
            with open(self.environ[f"{name}_FILE"], encoding="utf-8") as file:
                return file.read().strip()
        except (OSError, UnicodeDecodeError):
            self.faults.append(f"{name}_FILE names a file that cannot be read.")
            return ""

    def read(self) -> Settings:
        """All settings, or SettingsError with every fault."""
        secret = self._secret("SECRET_KEY")
        settings = Settings(
            database_url=self._database("DATABASE_URL", required=True),
            database_owner_url=self._database("DATABASE_OWNER_URL", required=False) or None,
            secret_key=secret,
            secret_key_fallbacks=self._list("SECRET_KEY_FALLBACKS"),
            pepper=self._secret("PEPPER"),
            base_url=self._base_url(),
            trusted_hosts=self._list("TRUSTED_HOSTS"),
            sms_gateway=self._gateway(),
            twilio=self._twilio(),
            proxy_hops=self._whole("PROXY_HOPS", 0, 5),
            log_level=self._log_level(),
            lease_seconds=self._lease(),
            reminders_a_day=self._reminders_a_day(),
            heartbeat_url=self._heartbeat_url(),
            metrics_token=self._metrics_token(),
            drill_at=self._drill_at(),
            demo=self.demo,
        )
        for name in ("PORTAL_FAILPOINTS", "PORTAL_LEASE_SECONDS"):
            if self.environ.get(name) and settings.is_https:
                self.faults.append(f"{name} is for tests on this machine. Unset it.")
        if self.faults:
            raise SettingsError("The portal cannot start:\n- " + "\n- ".join(self.faults))
        return settings

    def _secret(self, name: str) -> str:
        cure = 'Make one: python -c "import secrets; print(secrets.token_urlsafe(48))"'
        value = self.text(name, cure)
        if value and (len(value) < SHORTEST_SECRET or len(set(value)) < 8):
            self.faults.append(
                f"{name} is too weak: it needs {SHORTEST_SECRET} random characters or more. {cure}"
            )
        return value

    def _database(self, name: str, *, required: bool) -> str:
        value = self.text(
            name, "Use sqlite:////path/portal.sqlite or postgresql://…", required=required
        )
        if not value:
            return ""
        try:
            backend = make_url(value).get_backend_name()
        except ArgumentError:
            backend = "nothing that can be read"
        if backend not in {"sqlite", "postgresql"}:
            self.faults.append(f"{name} names {backend}. Use sqlite:///… or postgresql://…")
        return value

    def _base_url(self) -> str:
        value = self.text("BASE_URL", "It is the address patients open: https://…").rstrip("/")
        parts = urlsplit(value)
        local = parts.hostname in LOOPBACK
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path):
            self.faults.append(
                "BASE_URL must be an address without a path, like https://portal.example.org"
            )
        elif value and parts.scheme == "http" and not local and not self.demo:
            self.faults.append("BASE_URL must begin with https://. Answers about health need TLS.")
        return value

    def _gateway(self) -> str:
        value = self.text("SMS_GATEWAY", "Say twilio. (The simulator is for the demo.)")
        if value and value not in {"twilio", "simulator"}:
            self.faults.append(f"SMS_GATEWAY is {value!r}. It must be twilio or simulator.")
        if (
            value == "simulator"
            and not self.demo
            and self.text("BASE_URL", required=False).startswith("https")
        ):
            self.faults.append("SMS_GATEWAY=simulator sends nothing. A public portal needs twilio.")
        return value

    def _twilio(self) -> TwilioSettings | None:
        if self.text("SMS_GATEWAY", required=False) != "twilio":
            return None

        def optional(name: str) -> str | None:
            return self.text(name, required=False) or None

        found = TwilioSettings(
            account_sid=self.text("TWILIO_ACCOUNT_SID", "Copy it from the Twilio console."),
            auth_token=self.text("TWILIO_AUTH_TOKEN", "It proves that a callback is Twilio's."),
            auth_token_previous=optional("TWILIO_AUTH_TOKEN_PREVIOUS"),
            api_key_sid=optional("TWILIO_API_KEY_SID"),
            api_key_secret=optional("TWILIO_API_KEY_SECRET"),
            sender=optional("TWILIO_FROM"),
            messaging_service_sid=optional("TWILIO_MESSAGING_SERVICE_SID"),
            alert_sender=optional("TWILIO_ALERT_FROM"),
            alert_messaging_service_sid=optional("TWILIO_ALERT_MESSAGING_SERVICE_SID"),
            api_base=optional("TWILIO_API_BASE"),
        )
        if not (found.sender or found.messaging_service_sid):
            self.faults.append(
                "Set TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID: who texts are from."
            )
        if bool(found.api_key_sid) != bool(found.api_key_secret):
            self.faults.append(
                "TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET go together. Set both."
            )
        return found

    def _list(self, name: str) -> tuple[str, ...]:
        return tuple(
            part.strip() for part in self.text(name, required=False).split(",") if part.strip()
        )

    def _whole(self, name: str, least: int, most: int) -> int:
        value = self.text(name, required=False) or str(least)
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            self.faults.append(
                f"{name} is {value!r}. It must be a whole number from {least} to {most}."
            )
            return least
        return int(value)

    def _lease(self) -> int:
        if not self.text("PORTAL_LEASE_SECONDS", required=False):
            return USUAL_LEASE
        return self._whole("PORTAL_LEASE_SECONDS", 1, USUAL_LEASE)

    def _reminders_a_day(self) -> int:
        if not self.text("REMINDERS_A_DAY", required=False):
            return USUAL_REMINDERS_A_DAY
        return self._whole("REMINDERS_A_DAY", 1, 1_000_000)

    def _heartbeat_url(self) -> str | None:
        value = self.text("HEARTBEAT_URL", required=False)
        parts = urlsplit(value)
        usable = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if value and not (usable and parts.hostname):
            self.faults.append("HEARTBEAT_URL must begin with https://.")
        return value or None

    def _metrics_token(self) -> str | None:
        value = self.text("METRICS_TOKEN", required=False)
        if value and len(value) < SHORTEST_TOKEN:
            self.faults.append(f"METRICS_TOKEN needs {SHORTEST_TOKEN} characters or more.")
        return value or None

    def _drill_at(self) -> time | None:
        value = self.text("DRILL_AT", required=False)
        if value == "off" and not self.text("BASE_URL", required=False).startswith("https"):
            return None
        try:
            found = time.fromisoformat(value) if value else USUAL_DRILL
            if found.tzinfo is None:
                return found
        except ValueError:
            pass
        self.faults.append(f"DRILL_AT is {value!r}. It must be a time of day like 07:00.")
        return USUAL_DRILL

    def _log_level(self) -> str:
        value = (self.text("LOG_LEVEL", required=False) or "INFO").upper()
        if value not in LOG_LEVELS:
            self.faults.append(f"LOG_LEVEL is {value!r}. Use one of {', '.join(LOG_LEVELS)}.")
            return "INFO"
        return value
