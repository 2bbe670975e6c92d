"""How a text moves, as plain data: its states, which may follow which, and when to try again."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class MessageState(StrEnum):
    """Where a text is."""

    DUE = "due"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"


# News of a text comes in any order, more than once, or never. It counts only when it ranks above
# what is known; so "sent" after "delivered" is old news. Delivered ranks highest: a text that
# arrived after all has arrived.
RANK: Mapping[MessageState, int] = {
    MessageState.DUE: 0,
    MessageState.SENDING: 1,
    MessageState.ACCEPTED: 2,
    MessageState.SENT: 3,
    MessageState.UNDELIVERED: 4,
    MessageState.FAILED: 4,
    MessageState.EXPIRED: 4,
    MessageState.DELIVERED: 5,
}

# States of a text that did not reach the phone and that nobody will try again.
LOST = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.EXPIRED})


def is_news(known: MessageState, heard: MessageState) -> bool:
    """Whether ``heard`` moves a text on from ``known``; repeated and late news does not."""
    return RANK[heard] > RANK[known]


# Waits before the second, third … attempt. The first is at once, and after the last of these it
# is the same again: a red flag is never given up before it expires.
WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(seconds=30),
    timedelta(seconds=60),
)
JITTER = 0.2


def wait_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after this many failed attempts.

    ``chance`` (0 to 1) spreads the wait by up to a fifth either way, so that texts which failed
    together do not all come back together.
    """
    wait = WAITS[min(max(attempts, 1), len(WAITS)) - 1]
    return wait * (1 + JITTER * (2 * chance - 1))
