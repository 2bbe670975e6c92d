"""Which news of a text counts, and how long to wait before the next attempt."""

from datetime import timedelta
from itertools import product

import pytest

from patient_portal.domain.delivery import LOST, MessageState, is_news, wait_after

# From early to late; news counts only from left to right.
ORDER: tuple[frozenset[MessageState], ...] = (
    frozenset({MessageState.DUE}),
    frozenset({MessageState.SENDING}),
    frozenset({MessageState.ACCEPTED}),
    frozenset({MessageState.SENT}),
    LOST,
    frozenset({MessageState.DELIVERED}),
)


def test_every_state_has_one_place() -> None:
    assert sorted(state for states in ORDER for state in states) == sorted(MessageState)


@pytest.mark.parametrize(("known", "heard"), list(product(MessageState, repeat=2)))
def test_only_later_news_counts(known: MessageState, heard: MessageState) -> None:
    place = {state: number for number, states in enumerate(ORDER) for state in states}
    assert is_news(known, heard) is (place[heard] > place[known])


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 5), (1, 5), (2, 15), (3, 30), (4, 60), (5, 60), (500, 60)]
)
def test_each_wait_is_longer_until_it_stays(attempts: int, seconds: int) -> None:
    plain = timedelta(seconds=seconds)
    assert wait_after(attempts, 0.5) == plain
    assert wait_after(attempts, 0.0) == plain * 0.8
    assert wait_after(attempts, 1.0) == plain * 1.2
