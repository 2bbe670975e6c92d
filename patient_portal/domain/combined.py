"""What a protocol says beyond single answers: signs counted together, trends, silence, limits.

Plain data, like `domain.protocol`. Each entry names the rule that carries its words, level and
sources, so that a reason is looked up the same way wherever it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time

from patient_portal.domain.levels import TriageLevel

CORE = "core"
MINOR = "minor"


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a sign shows: `when` one of these conditions holds.

    `calm` are those of an answer that could have shown it and did not.
    """

    when: tuple[str, ...]
    calm: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of the syndrome that is counted; it is there when one of its ways is.

    A check-in is calm about a way when the sign is not there, one of the way's `calm` holds and
    none of `unless` does: an answer that is not given is never calm, nor is one to another
    question of the same sign.
    """

    id: str
    kind: str  # core or minor
    label: str
    ways: tuple[Way, ...]
    unless: tuple[str, ...] = ()

    @property
    def conditions(self) -> set[str]:
        """Every condition it names."""
        return {id for way in self.ways for id in (*way.when, *way.calm)} | set(self.unless)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of watch finding that belongs to the syndrome; `when` names conditions."""

    id: str
    label: str
    when: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """At least so many signs of each kind, or so many kinds of watch findings."""

    core: int = 0
    minor: int = 0
    watch: int = 0


@dataclass(frozen=True, slots=True)
class Combination:
    """Signs that mean more together. One of `counts` is enough.

    `today` names conditions of which one must hold today, if there are any; the signs of
    `besides` are not counted then. Signs of earlier days count while they are not resolved.
    """

    rule: str
    counts: tuple[Count, ...]
    today: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trend:
    """Today against the check-in before, which is at most `within_days` days old.

    `kind` is worse (one of `items` is at least a grade worse), again (a kind of watch finding on
    both), step (an answer of `items` out of `before` became one of `after`) or unresolved (both
    at least urgent, and nobody closed the first).
    """

    rule: str
    kind: str  # worse, again, step, unresolved
    within_days: int
    window: str = "any"
    items: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A number that was not measured today nor at the check-in before; muted without `owns`."""

    rule: str
    item: str
    owns: str
    within_days: int
    window: str = "any"


@dataclass(frozen=True, slots=True)
class Missed:
    """Days without a check-in, running; `after` asks for at least this level before them."""

    rule: str
    window: str  # in, out, any
    days: int
    after: TriageLevel = TriageLevel.NONE


@dataclass(frozen=True, slots=True)
class Notice:
    """A reason that no answer of today gives by itself.

    `kind` is same_day (an earlier check-in of today was worse), recheck (a person of the team
    has asked to look again, so an urgent finding is watch until then), divergence (two reporters
    of one day are `levels_apart` levels apart) or unreadable (stored data is of no known form).
    """

    rule: str
    kind: str
    levels_apart: int = 0


@dataclass(frozen=True, slots=True)
class LookBack:
    """A sign counts for `days` days from its own, unless `calm_days` check-in days in a row
    are calm about it. The check-in before is at most `before_days` days back."""

    days: int
    calm_days: int
    before_days: int


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """In days: how long the window stays open after the last dose and after each cut of a
    steroid, and the gap without the medicine after which day 1 comes again."""

    after_last_dose: int
    after_steroid_cut: int
    restart_gap: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Hours from a day's text to its repetition, to the caregiver's, and to the moment the day
    counts as missed; the hours of the day between which silence alone may page; days until a row
    that was read is listed again, and how many times the days of the rule that paged until a
    silence that goes on pages once more."""

    repeat_hours: int
    caregiver_hours: int
    cut_off_hours: int
    pages_from: time
    pages_until: time
    row_again_days: int
    page_again_times: int


@dataclass(frozen=True, slots=True)
class SignOff:
    """One of two clinicians who approve the file; empty until they have."""

    role: str
    name: str
    on: str  # the date, year-month-day


@dataclass(frozen=True)
class Beyond:
    """Everything above of one protocol."""

    signs: tuple[Sign, ...]
    kinds: tuple[Kind, ...]
    combinations: tuple[Combination, ...]
    trends: tuple[Trend, ...]
    missing: tuple[Missing, ...]
    missed: tuple[Missed, ...]
    notices: Mapping[str, tuple[Notice, ...]] = field(default_factory=dict)
    look_back: LookBack = LookBack(7, 2, 3)
    windows: WindowLimits = WindowLimits(14, 14, 7)
    silence: Silence = Silence(3, 5, 7, time(8, 0), time(20, 59), 3, 2)
