"""A pause: days on which nobody is reminded and no day counts as missed. Answering stays possible.

All days are the patient's local ones. A pause ends by itself after its last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

LONGEST_PAUSE = timedelta(days=30)
# What was forgotten may be entered later, but not so late that it hides a whole silence.
BEGAN_AT_MOST = timedelta(days=30)
BEGINS_AT_MOST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pause:
    """From a first to a last day, both included; ``resumed_on`` is when a person ended it."""

    first: date
    last: date
    resumed_on: date | None = None

    def covers(self, day: date) -> bool:
        """Whether nothing is asked for on this day; the day of resuming is a day like any other."""
        is_over = self.resumed_on is not None and day >= self.resumed_on
        return self.first <= day <= self.last and not is_over

    @property
    def free_until(self) -> date:
        """The last day that is not held against the patient; the day of resuming is one too."""
        return self.last if self.resumed_on is None else min(self.last, self.resumed_on)

    def is_ahead(self, day: date) -> bool:
        """Whether it begins after this day."""
        return self.resumed_on is None and self.first > day


def pause_problem(first: date, last: date, today: date) -> str:
    """Why a pause may not be set, as a code; empty if it may.

    Codes: order, over, long, old, ahead.
    """
    if last < first:
        return "order"
    if last < today:
        return "over"
    if last - first >= LONGEST_PAUSE:
        return "long"
    if first < today - BEGAN_AT_MOST:
        return "old"
    return "ahead" if first > today + BEGINS_AT_MOST else ""
