"""What a patient is told of an alert: a table over states, so that no more is said than is true."""

from datetime import datetime, timedelta

import pytest

from patient_portal.domain.delivery import MessageState
from patient_portal.domain.escalation import AlertState
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import MessageKind
from patient_portal.services.tracking import AlertNow, StaffText, Tracker, track
from tests.support.people import NOON

URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
OPEN, TAKEN, CLOSED = AlertState
DUE, ACCEPTED, DELIVERED = MessageState.DUE, MessageState.ACCEPTED, MessageState.DELIVERED
FAILED = MessageState.FAILED


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def alert(
    state: AlertState = OPEN,
    level: TriageLevel = URGENT,
    *,
    ladder: float = 0,
    taken: float | None = None,
) -> AlertNow:
    return AlertNow(
        level=level, state=state, opened_at=NOON, ladder_started_at=at(ladder),
        taken_at=None if taken is None else at(taken),
        taken_by=None if taken is None else "N. Silva",
    )  # fmt: skip


def text(
    state: MessageState,
    sent: float = 0,
    arrived: float | None = None,
    kind: MessageKind = MessageKind.STAFF_ALERT,
) -> StaffText:
    accepted = None if state in (DUE, FAILED) else at(sent)
    delivered = at(arrived) if arrived is not None else None
    return StaffText(kind, state, at(sent), accepted, delivered)


def said(found: Tracker) -> dict[str, object]:
    """Only what is said."""
    return {
        "reached": found.reached_at,
        "taken": found.taken_by,
        "failing": found.is_failing,
        "nobody": found.nobody_took_it,
    }


NOTHING = {"reached": None, "taken": None, "failing": False, "nobody": False}


@pytest.mark.parametrize(
    ("standing", "texts", "minutes", "expected"),
    [
        (alert(), [text(DUE)], 0, {}),
        (alert(), [text(DUE)], 1.9, {}),
        (alert(), [text(DUE)], 2.1, {"failing": True}),
        (alert(), [text(ACCEPTED)], 3, {}),  # taken by the gateway is not yet on a phone
        (alert(), [text(DELIVERED, arrived=1)], 3, {"reached": at(1)}),
        (alert(), [text(FAILED), text(DELIVERED, arrived=1)], 3, {"reached": at(1)}),
        (alert(), [text(FAILED)], 0.1, {"failing": True}),
        (alert(), [], 0, {"failing": True}),
        (alert(), [text(DELIVERED, arrived=1)], 14.9, {"reached": at(1)}),
        (alert(), [text(DELIVERED, arrived=1)], 15, {"reached": at(1), "nobody": True}),
        (alert(level=EMERGENCY), [text(DELIVERED, arrived=1)], 4.9, {"reached": at(1)}),
        (
            alert(level=EMERGENCY), [text(DELIVERED, arrived=1)], 5,
            {"reached": at(1), "nobody": True},
        ),
        (
            alert(TAKEN, taken=3), [text(DELIVERED, arrived=1)], 60,
            {"reached": at(1), "taken": "N. Silva"},
        ),
        (alert(TAKEN, taken=3), [text(FAILED)], 60, {"taken": "N. Silva"}),
        (alert(CLOSED, taken=3), [text(FAILED)], 60, {"taken": "N. Silva"}),
        # Opened again: whoever had it has it no more, and earlier texts say nothing now.
        (alert(ladder=30), [text(DELIVERED, arrived=1), text(DUE, 30)], 31, {}),
        (
            alert(ladder=30), [text(DELIVERED, arrived=1), text(DELIVERED, 30, 31)], 46,
            {"reached": at(31), "nobody": True},
        ),
        (alert(ladder=30), [text(DELIVERED, arrived=1), text(DUE, 30)], 33, {"failing": True}),
    ],
)  # fmt: skip
def test_no_more_is_said_than_is_true(
    standing: AlertNow, texts: list[StaffText], minutes: float, expected: dict[str, object]
) -> None:
    assert said(track(standing, texts, at(minutes))) == NOTHING | expected


@pytest.mark.parametrize(
    ("texts", "answered", "reached"),
    [
        # Times of earlier and later answers of one alert are not mixed.
        ([text(DELIVERED, arrived=1)], 0, 1),
        ([text(DELIVERED, arrived=1)], 20, 1),  # the page says that it was about earlier ones
        ([text(DELIVERED, arrived=1), text(DELIVERED, 15, 16)], 0, 1),
        ([text(DELIVERED, arrived=1), text(DELIVERED, 15, 16)], 10, 16),
        ([text(DELIVERED, arrived=1), text(DELIVERED, 20, 21, MessageKind.STAFF_WORSE)], 20, 21),
        ([text(DELIVERED, arrived=1), text(DUE, 20, kind=MessageKind.STAFF_WORSE)], 20, 1),
    ],
)
def test_each_answer_has_its_own_times(
    texts: list[StaffText], answered: float, reached: float
) -> None:
    found = track(alert(TAKEN, taken=3), texts, at(30), answered_at=at(answered))
    assert found.reached_at == at(reached)


def test_a_text_to_the_owner_is_no_page() -> None:
    """Only pages count for whether the ladder reaches anybody."""
    owner = text(DELIVERED, 1, 2, MessageKind.STAFF_WORSE)
    assert track(alert(), [owner, text(FAILED)], at(3)).is_failing
