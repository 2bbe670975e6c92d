"""Signs that a closing outcome named as over, as an alert keeps them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from patient_portal.logs import get_logger

_log = get_logger()


class Resolved(NamedTuple):
    """Signs that a closing outcome named, as far as they were told up to a moment."""

    signs: tuple[str, ...]
    until: datetime


def as_stored(signs: Iterable[str], until: datetime) -> dict[str, Any]:
    """What an alert keeps."""
    return {"signs": list(signs), "until": until.astimezone(UTC).isoformat()}


def read_resolved(stored: Iterable[Mapping[str, Any]]) -> list[Resolved]:
    """What closings have resolved; what cannot be read resolves nothing."""
    found = []
    for one in stored:
        try:
            until = datetime.fromisoformat(one["until"])
            found.append(Resolved(tuple(one["signs"]), until.astimezone(UTC)))
        except (KeyError, TypeError, ValueError) as error:
            _log.error("closing.unreadable", exc_info=error)
    return found
