"""The port to an SMS gateway: what we hand over and what may come of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

# How long the gateway may try to deliver what it took. An alert that arrives an hour late
# misleads; the ladder has gone on by then.
ALERT_IS_VALID = timedelta(seconds=300)
OTHER_IS_VALID = timedelta(hours=4)


@dataclass(frozen=True)
class Outgoing:
    """A text to one phone. ``message_id`` comes back with every status of it."""

    message_id: str
    to: str = field(repr=False)  # E.164
    body: str = field(repr=False)
    is_alert: bool
    valid_for: timedelta


@dataclass(frozen=True)
class Receipt:
    """The gateway has taken the text, under its own id."""

    gateway_id: str
    is_delivered: bool = False


class SendError(Exception):
    """The gateway did not take the text. ``permanent``: it never will, for this number."""

    def __init__(self, code: str, *, permanent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class OutcomeUnknown(SendError):
    """The request left us, and no answer that can be trusted came back.

    An alert is sent again, at the price of a text that comes twice; a reminder is not.
    """


class Gateway(Protocol):
    """Sends one text. Called outside any transaction; may take as long as its timeouts."""

    def send(self, text: Outgoing) -> Receipt:
        """Hand the text over. Raises SendError, OutcomeUnknown among them."""
