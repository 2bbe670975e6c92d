"""The weekly question about steroid tablets: when it is asked, and what an answer counts as."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from patient_portal.domain.protocol import NOT_SURE, Value

ASKED_EVERY = timedelta(days=7)


class SteroidTablets(StrEnum):
    """What the person says of the tablets, compared with the dose before."""

    NONE = "none"
    SAME = "same"  # or more
    LESS = "less"
    NOT_SURE = "not_sure"


def is_due(on: date, joined: date, asked: date | None) -> bool:
    """Whether it is asked on this day: a week after it was answered, first a week after joining.

    The first week needs no question: the team has just gone through the medicines.
    """
    return on - max(joined, asked or joined) >= ASKED_EVERY


def counts_as(told: SteroidTablets) -> Value:
    """The answer as the protocol's item `on_steroid` takes it."""
    if told is SteroidTablets.NOT_SURE:
        return NOT_SURE
    return told is not SteroidTablets.NONE
