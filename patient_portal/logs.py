"""Logs as JSON lines that hold no personal data.

Fields are on a list; anything else is dropped and counted, so a careless keyword cannot carry a
name or a symptom into a file that many people read.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import structlog

ALLOWED_FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger",
        "request_id", "endpoint", "method", "status", "duration_ms",
        "clinic_id", "patient_id", "staff_id", "check_in_id", "alert_id", "alert_ref",
        "message_id", "kind", "lane", "attempt", "state", "code", "worker", "count",
        "protocol", "language", "domain", "error", "where", "address", "revision",
    }
)  # fmt: skip


def _only_allowed(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    dropped = [name for name in fields if name not in ALLOWED_FIELDS]
    for name in dropped:
        del fields[name]
    if dropped:
        fields["count"] = len(dropped)
        fields["where"] = "dropped_fields"
    return fields


def _name_of_error(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    # The text of an exception may quote what a person typed; its type and place never do.
    caught = fields.pop("exc_info", None)
    error = caught if isinstance(caught, BaseException) else sys.exc_info()[1] if caught else None
    if error is not None:
        fields["error"] = type(error).__name__
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            fields["where"] = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    return fields


class _Stderr:
    """Writes to whatever standard error is when the line is written."""

    def __init__(self, *_names: object) -> None:
        pass

    def msg(self, message: str) -> None:
        # A full disk, or a reader that went away, costs the line and never a text.
        with suppress(OSError, ValueError):
            print(message, file=sys.stderr, flush=True)

    debug = info = warning = error = critical = exception = msg


def set_up(level: str = "INFO") -> None:
    """Send the portal's own events to standard error; quieten libraries that log addresses."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_of_error,
            _only_allowed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=_Stderr,
        cache_logger_on_first_use=False,
    )
    # The gateway's client writes request addresses, with phone numbers in them, at INFO.
    for noisy in ("twilio", "twilio.http_client", "urllib3", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger() -> Any:
    """The portal's logger: ``log.info("message.sent", message_id=…)``."""
    return structlog.get_logger()
