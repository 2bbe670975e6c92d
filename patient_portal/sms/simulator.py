"""A gateway that reaches no phone: for the demo, whose phones are a page, and for tests."""

import secrets
from collections import deque

from patient_portal.sms.gateway import Outgoing, Receipt, SendError

KEPT = 1000


class Simulator:
    """Takes every text and says it is delivered.

    ``failing`` makes it refuse numbers: E.164 number to the error that sending to it raises.
    ``delivers=False`` leaves every text as taken, with no word of its arrival.
    """

    def __init__(
        self, failing: dict[str, SendError] | None = None, *, delivers: bool = True
    ) -> None:
        self.failing = failing or {}
        self.delivers = delivers
        self.sent: deque[Outgoing] = deque(maxlen=KEPT)

    def send(self, text: Outgoing) -> Receipt:
        """Take the text."""
        if text.to in self.failing:
            raise self.failing[text.to]
        self.sent.append(text)
        return Receipt(f"SIM{secrets.token_hex(16)}", is_delivered=self.delivers)
