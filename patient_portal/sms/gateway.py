"""The port to an SMS gateway: what we hand over and what may come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from patient_portal.domain.delivery import MessageState
from patient_portal.domain.gateway_policy import UNSURE, Act, policy_of

# How long the gateway may try to deliver what it took. An alert that arrives an hour late
# misleads; the ladder has gone on by then.
ALERT_IS_VALID = timedelta(seconds=300)
OTHER_IS_VALID = timedelta(hours=4)


@dataclass(frozen=True)
class Outgoing:
    """A text to one phone. ``message_id`` comes back with every status of it.

    ``other_sender``: the usual one failed; send from our other number, if there is one.
    """

    message_id: str
    to: str = field(repr=False)  # E.164
    body: str = field(repr=False)
    is_alert: bool
    valid_for: timedelta
    other_sender: bool = False


@dataclass(frozen=True)
class Receipt:
    """The gateway has taken the text, under its own id."""

    gateway_id: str
    is_delivered: bool = False


@dataclass(frozen=True)
class Report:
    """What the gateway says of a text that it took. ``state`` is None for an unknown word."""

    gateway_id: str
    state: MessageState | None
    error_code: str | None = None


class SendError(Exception):
    """The gateway did not take the text; ``code`` is a row of ``domain.gateway_policy``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def permanent(self) -> bool:
        """Whether no repetition of this text to this number will mend it."""
        return policy_of(self.code).refused is Act.GIVE_UP


class OutcomeUnknown(SendError):
    """The request left us, and no answer that can be trusted came back.

    Before the text is sent again we look for it (``Gateway.find``), so that it does not come
    twice where that can be helped.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"{UNSURE}{why}"[:40])


class Gateway(Protocol):
    """Sends texts and knows what became of them.

    Called outside any transaction; may take as long as its timeouts. All raise SendError.
    """

    def send(self, text: Outgoing) -> Receipt:
        """Hand the text over. Raises SendError, OutcomeUnknown among them."""

    def fetch(self, gateway_id: str) -> Report:
        """What became of a text. Raises SendError; code 20404 = the gateway knows no such text."""

    def find(self, text: Outgoing, within: timedelta) -> Sequence[Report]:
        """Texts with this body that went to this number lately, the newest first."""
