"""A gateway that reaches no phone: for the demo, whose phones are a page, and for tests."""

import secrets
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from patient_portal.domain.delivery import MessageState
from patient_portal.sms.gateway import Outgoing, Receipt, Report, SendError

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
        self._receipts: deque[tuple[Receipt, Outgoing]] = deque(maxlen=KEPT)

    def send(self, text: Outgoing) -> Receipt:
        """Take the text."""
        if text.to in self.failing:
            raise self.failing[text.to]
        self.sent.append(text)
        receipt = Receipt(f"SIM{secrets.token_hex(16)}", is_delivered=self.delivers)
        self._receipts.appendleft((receipt, text))
        return receipt

    def fetch(self, gateway_id: str) -> Report:
        """What became of a text that this very simulator took."""
        for receipt, _ in tuple(self._receipts):
            if receipt.gateway_id == gateway_id:
                return _report(receipt)
        raise SendError("20404")

    def find(self, text: Outgoing, within: timedelta) -> Sequence[Report]:
        """Texts with this body to this number; a simulator is young, so all are lately."""
        del within
        return [
            _report(receipt)
            for receipt, taken in tuple(self._receipts)
            if (taken.to, taken.body) == (text.to, text.body)
        ]


def _report(receipt: Receipt) -> Report:
    state = MessageState.DELIVERED if receipt.is_delivered else MessageState.ACCEPTED
    return Report(receipt.gateway_id, state)
