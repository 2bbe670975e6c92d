"""From the log of a medicine to the day of therapy and to whether the window is kept open.

Dates are the patient's local ones; the day of the first dose is day 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from patient_portal.domain.combined import WindowLimits
from patient_portal.domain.protocol import Drug, Protocol
from patient_portal.domain.schedule import therapy_day


@dataclass(frozen=True, slots=True)
class Span:
    """Days on the medicine, first and last included; no last day means it still goes on."""

    first: date
    last: date | None = None

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise ValueError("a span ends before it begins")


@dataclass(frozen=True, slots=True)
class MedicineLog:
    """What the team has noted, in any order.

    Attributes:
        spans: when the medicine was taken; they may touch, and must not overlap.
        syndromes: dates on which differentiation syndrome was recognised.
        steroid_cuts: dates on which a steroid dose was made smaller, the last one to nothing too.
    """

    spans: tuple[Span, ...] = ()
    syndromes: tuple[date, ...] = ()
    steroid_cuts: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        ordered = sorted(self.spans, key=lambda span: span.first)
        for before, after in pairwise(ordered):
            if before.last is None or before.last >= after.first:
                raise ValueError("two spans overlap")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands on a date.

    `why` says what keeps the window open: last_dose, steroid_cut; empty if nothing does.
    """

    day_of_therapy: int | None
    is_extended: bool
    why: tuple[str, ...] = ()


def standing(
    protocol: Protocol,
    drug: Drug,
    log: MedicineLog,
    on: date,
    *,
    window_last_day: int | None = None,
) -> Standing:
    """The day of therapy on a date, and whether the window is kept open on it.

    `window_last_day` is the end set for this person, if there is one.
    """
    limits = protocol.beyond.windows
    why = []
    if _after_last_dose(drug, log, on, limits, window_last_day):
        why.append("last_dose")
    if _within(log.steroid_cuts, on, limits.after_steroid_cut):
        why.append("steroid_cut")
    return Standing(day_of_therapy(log, on, limits), bool(why), tuple(why))


def day_of_therapy(log: MedicineLog, on: date, limits: WindowLimits) -> int | None:
    """The day counted from the last first dose; None before any dose."""
    return therapy_day(_day_one(log, on, limits), on)


def _day_one(log: MedicineLog, on: date, limits: WindowLimits) -> date | None:
    """The date of day 1: the first dose, or the last restart up to `on`.

    A restart is the first dose after so many days without one; the first dose after the syndrome;
    and the syndrome itself where the medicine goes on through it.
    """
    start: date | None = None
    last_dose: date | None = None
    for span in sorted(log.spans, key=lambda one: one.first):
        if span.first > on:
            break
        gap = (span.first - last_dose).days - 1 if last_dose is not None else None
        is_after = last_dose is not None and any(
            last_dose <= one < span.first for one in log.syndromes
        )
        if start is None or is_after or (gap is not None and gap >= limits.restart_gap):
            start = span.first
        end = min(span.last or on, on)
        within = [one for one in log.syndromes if span.first <= one < end]
        if within:
            start = max(within)
        last_dose = end
    return start


def _after_last_dose(
    drug: Drug, log: MedicineLog, on: date, limits: WindowLimits, window_last_day: int | None
) -> bool:
    """Whether the medicine was stopped lately, and inside its window: it is kept, not reopened."""
    taken = [span for span in log.spans if span.first <= on]
    if not taken:
        return False
    last = max(taken, key=lambda span: span.first).last
    if last is None or last >= on or (on - last).days > limits.after_last_dose:
        return False
    return _was_open(drug, log, last, limits, window_last_day)


def _was_open(
    drug: Drug, log: MedicineLog, on: date, limits: WindowLimits, window_last_day: int | None
) -> bool:
    if drug.window is None or _within(log.steroid_cuts, on, limits.after_steroid_cut):
        return True
    day = day_of_therapy(log, on, limits)
    return day is None or drug.window[0] <= day <= (window_last_day or drug.window[1])


def _within(dates: Iterable[date], on: date, days: int) -> bool:
    return any(one <= on <= one + timedelta(days=days) for one in dates)
