"""How an alert moves: states, transitions and the ladder's timers, as plain data.

Timers are proposals that await clinical sign-off. A clinic may make them shorter; for an
emergency nobody waits longer than 15 minutes for the next person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from patient_portal.domain.levels import TriageLevel


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


# Who has to act while an alert is in a state. No state is without one.
OWNER: Mapping[AlertState, str] = {
    AlertState.OPEN: "everyone whom the ladder has texted",
    AlertState.TAKEN: "the person who took it",
    AlertState.CLOSED: "the person who closed it, for the outcome",
}


class Act(StrEnum):
    """What happens to an alert. All but WORSEN are done by a person of the care team."""

    TAKE = "take"
    RELEASE = "release"
    CONTACT = "contact"
    CLOSE = "close"
    WORSEN = "worsen"  # a red answer of the patient that starts the ladder again


# Every legal move, and no other. Only a person closes; nothing ends by itself.
TRANSITIONS: Mapping[tuple[AlertState, Act], AlertState] = {
    (AlertState.OPEN, Act.TAKE): AlertState.TAKEN,
    (AlertState.OPEN, Act.CLOSE): AlertState.CLOSED,
    (AlertState.OPEN, Act.WORSEN): AlertState.OPEN,
    (AlertState.TAKEN, Act.RELEASE): AlertState.OPEN,
    (AlertState.TAKEN, Act.CONTACT): AlertState.TAKEN,
    (AlertState.TAKEN, Act.CLOSE): AlertState.CLOSED,
    (AlertState.TAKEN, Act.WORSEN): AlertState.OPEN,
}


class NotAllowed(ValueError):
    """An act that the present state does not allow."""


def after(state: AlertState, act: Act) -> AlertState:
    """The state that follows. Raises NotAllowed for a move that is not in the table."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise NotAllowed(f"{act} is not possible when an alert is {state}") from None


@dataclass(frozen=True)
class Step:
    """Who is texted together, and how long the ladder waits for one of them to take the alert."""

    positions: tuple[str, ...]
    wait: timedelta


LADDER: Mapping[TriageLevel, tuple[Step, ...]] = {
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

# Who took an alert should have spoken with the patient by then; the timers that act on it come with
# the rota, the moment is stored from the first day.
CONTACT_WITHIN: Mapping[TriageLevel, timedelta] = {
    TriageLevel.EMERGENCY: timedelta(minutes=15),
    TriageLevel.URGENT: timedelta(minutes=45),
}

# A red answer this long after somebody took the alert starts the ladder again; before, the owner
# alone is told.
TAKEN_IS_FRESH = timedelta(minutes=30)


@dataclass(frozen=True)
class Standing:
    """What a new red answer finds: an alert that is not closed."""

    state: AlertState
    level: TriageLevel
    taken_at: datetime | None


def restarts_ladder(standing: Standing, level: TriageLevel, now: datetime) -> bool:
    """Whether a further red answer starts the ladder again.

    A higher level always does. The same level does when the alert was taken more than 30 minutes
    ago. An open alert's ladder is running already and is left alone.
    """
    if level > standing.level:
        return True
    if standing.state is AlertState.TAKEN and standing.taken_at is not None:
        return now - standing.taken_at > TAKEN_IS_FRESH
    return False
