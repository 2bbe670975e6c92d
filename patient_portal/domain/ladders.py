"""The escalation ladder as data: who is texted together at each step, and how long it waits.

Waits are proposals that await clinical sign-off. A clinic may have a ladder of its own; what would
leave an alert without anybody is refused when it is saved, and read as the default if it is met.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.rota import Position

EVERYONE = "everyone"
LEAD = Position.LEAD.value
POSITIONS = (*(position.value for position in Position), EVERYONE)
# Nobody waits longer than this for the next person.
LONGEST_WAIT: Mapping[TriageLevel, timedelta] = {
    TriageLevel.EMERGENCY: timedelta(minutes=15),
    TriageLevel.URGENT: timedelta(minutes=60),
}
SHORTEST_WAIT = timedelta(minutes=1)
# Whom the last step must text: after it there is only the same step again.
LAST_STEP: Mapping[TriageLevel, frozenset[str]] = {
    TriageLevel.EMERGENCY: frozenset({LEAD, EVERYONE}),
    TriageLevel.URGENT: frozenset({LEAD}),
}
MOST_STEPS = 8


@dataclass(frozen=True)
class Step:
    """Who is texted together, and how long the ladder waits for one of them to take the alert."""

    positions: tuple[str, ...]
    wait: timedelta


Ladder = Mapping[TriageLevel, tuple[Step, ...]]

LADDER: Ladder = {
    TriageLevel.EMERGENCY: (
        Step(("nurse", "backup"), timedelta(minutes=5)),
        Step(("physician",), timedelta(minutes=5)),
        Step(("lead", "everyone"), timedelta(minutes=10)),
    ),
    TriageLevel.URGENT: (
        Step(("nurse",), timedelta(minutes=15)),
        Step(("backup",), timedelta(minutes=15)),
        Step(("physician", "lead"), timedelta(minutes=15)),
    ),
}


class LadderRefused(ValueError):
    """A clinic's ladder that could leave an alert with nobody; ``code`` says why, ``at`` where.

    ``empty`` (no step, or a step with nobody), ``unknown_level``, ``missing_level`` (a red level
    without steps), ``unknown_position``, ``no_minutes`` (the wait is no whole number),
    ``too_short``, ``too_long`` (more than 15 minutes in an emergency), ``loop`` (a step that was
    there before), ``last_step`` (not the lead and, in an emergency, everyone), ``too_many``.
    """

    def __init__(self, code: str, at: str) -> None:
        super().__init__(f"{at}: {code}")
        self.code = code
        self.at = at


def parse_ladder(stored: object) -> Ladder:
    """Read ``{"emergency": [{"who": ["nurse"], "minutes": 5}, …], "urgent": […]}``.

    Raises LadderRefused.
    """
    if not isinstance(stored, Mapping) or not stored:
        raise LadderRefused("empty", "ladder")
    known = {level.code: level for level in LADDER}
    for name in stored:
        if name not in known:
            raise LadderRefused("unknown_level", str(name))
    found: dict[TriageLevel, tuple[Step, ...]] = {}
    for name, level in known.items():
        if name not in stored:
            raise LadderRefused("missing_level", name)
        found[level] = _steps(level, stored[name])
    return found


def ladder_of(stored: object) -> Ladder:
    """A clinic's ladder; the default for one that has none of its own or cannot be read."""
    if stored is None:
        return LADDER
    try:
        return parse_ladder(stored)
    except LadderRefused:
        return LADDER


def as_stored(ladder: Ladder) -> dict[str, list[dict[str, object]]]:
    """The ladder as a clinic's row keeps it, and as ``parse_ladder`` reads it."""
    return {
        level.code: [
            {"who": list(step.positions), "minutes": step.wait // timedelta(minutes=1)}
            for step in steps
        ]
        for level, steps in ladder.items()
    }


def _steps(level: TriageLevel, stored: object) -> tuple[Step, ...]:
    if not isinstance(stored, Sequence) or isinstance(stored, str) or not stored:
        raise LadderRefused("empty", level.code)
    if len(stored) > MOST_STEPS:
        raise LadderRefused("too_many", level.code)
    steps: list[Step] = []
    for number, one in enumerate(stored, start=1):
        at = f"{level.code}.{number}"
        step = _step(level, one, at)
        if any(set(step.positions) == set(before.positions) for before in steps):
            raise LadderRefused("loop", at)
        steps.append(step)
    if not LAST_STEP[level] <= set(steps[-1].positions):
        raise LadderRefused("last_step", f"{level.code}.{len(steps)}")
    return tuple(steps)


def _step(level: TriageLevel, stored: object, at: str) -> Step:
    who = stored.get("who") if isinstance(stored, Mapping) else None
    if not isinstance(who, Sequence) or isinstance(who, str) or not who:
        raise LadderRefused("empty", at)
    for position in who:
        if position not in POSITIONS:
            raise LadderRefused("unknown_position", at)
    minutes = stored.get("minutes") if isinstance(stored, Mapping) else None
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        raise LadderRefused("no_minutes", at)
    if minutes > LONGEST_WAIT[level] // timedelta(minutes=1):
        raise LadderRefused("too_long", at)
    if minutes < SHORTEST_WAIT // timedelta(minutes=1):
        raise LadderRefused("too_short", at)
    return Step(tuple(dict.fromkeys(map(str, who))), timedelta(minutes=minutes))
