"""How an alert moves: states, transitions and timers, as plain data and pure functions.

Timers are proposals that await clinical sign-off. The steps themselves are in ``domain.ladders``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from patient_portal.domain.ladders import EVERYONE as EVERYONE
from patient_portal.domain.ladders import LADDER as LADDER
from patient_portal.domain.ladders import Ladder as Ladder
from patient_portal.domain.ladders import LadderRefused as LadderRefused
from patient_portal.domain.ladders import Step as Step
from patient_portal.domain.ladders import ladder_of as ladder_of
from patient_portal.domain.ladders import parse_ladder as parse_ladder
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
    """What happens to an alert. People of the care team do it, unless it says otherwise."""

    TAKE = "take"
    RELEASE = "release"
    PASS_ON = "pass_on"  # noqa: S105 - no secret
    CONTACT = "contact"
    CLOSE = "close"
    WORSEN = "worsen"  # a red answer of the patient that starts the ladder again
    REOPEN = "reopen"  # the clock: it was taken, and nobody has called the patient
    END_TEST = "end_test"  # the clock, and only an alert that is a test


# Every legal move, and no other. Only a person closes a patient's alert; it never ends by itself.
TRANSITIONS: Mapping[tuple[AlertState, Act], AlertState] = {
    (AlertState.OPEN, Act.TAKE): AlertState.TAKEN,
    (AlertState.OPEN, Act.PASS_ON): AlertState.OPEN,
    (AlertState.OPEN, Act.CLOSE): AlertState.CLOSED,
    (AlertState.OPEN, Act.WORSEN): AlertState.OPEN,
    (AlertState.OPEN, Act.END_TEST): AlertState.CLOSED,
    (AlertState.TAKEN, Act.RELEASE): AlertState.OPEN,
    (AlertState.TAKEN, Act.PASS_ON): AlertState.OPEN,
    (AlertState.TAKEN, Act.CONTACT): AlertState.TAKEN,
    (AlertState.TAKEN, Act.CLOSE): AlertState.CLOSED,
    (AlertState.TAKEN, Act.WORSEN): AlertState.OPEN,
    (AlertState.TAKEN, Act.REOPEN): AlertState.OPEN,
    (AlertState.TAKEN, Act.END_TEST): AlertState.CLOSED,
}


class NotAllowed(ValueError):
    """An act that the present state does not allow."""


def after(state: AlertState, act: Act) -> AlertState:
    """The state that follows. Raises NotAllowed for a move that is not in the table."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise NotAllowed(f"{act} is not possible when an alert is {state}") from None


# Without proof that a text of the step has reached a phone, the ladder goes on after this long.
PROOF_WITHIN: Mapping[TriageLevel, timedelta] = {
    TriageLevel.EMERGENCY: timedelta(seconds=60),
    TriageLevel.URGENT: timedelta(seconds=120),
}
# Who took an alert should have spoken with the patient by then, and is texted again.
CONTACT_WITHIN: Mapping[TriageLevel, timedelta] = {
    TriageLevel.EMERGENCY: timedelta(minutes=15),
    TriageLevel.URGENT: timedelta(minutes=45),
}
# Still no call by then: the alert is open again, and its ladder starts over.
OPENS_AGAIN_AFTER: Mapping[TriageLevel, timedelta] = {
    TriageLevel.EMERGENCY: timedelta(minutes=30),
    TriageLevel.URGENT: timedelta(minutes=90),
}
# Taken this long ago and not closed: the lead is told, and once a day from then on.
LEAD_TOLD_AFTER = timedelta(hours=4)
LEAD_TOLD_EVERY = timedelta(hours=24)
# After this long without anybody taking it, the patient is told so and told to call.
TELL_PATIENT_AFTER: Mapping[TriageLevel, timedelta] = {
    TriageLevel.EMERGENCY: timedelta(minutes=5),
    TriageLevel.URGENT: timedelta(minutes=15),
}
# A test that nobody ended.
TEST_LASTS = timedelta(minutes=30)

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


class Due(StrEnum):
    """What the clock asks for."""

    GO_ON = "go_on"  # the next step, or the last one again
    SECOND_NUMBERS = "second_numbers"  # of those of the running step whom nothing reached
    TELL_PATIENT = "tell_patient"  # nobody has taken it: call now
    REPAGE = "repage"  # the owner: no call is noted
    REOPEN = "reopen"
    TELL_LEAD = "tell_lead"  # taken long ago, not closed
    END_TEST = "end_test"


@dataclass(frozen=True)
class Facts:
    """All that the timers depend on: an alert's row, and what became of its running step's texts.

    ``step`` counts from 1; 0 is a ladder that has texted nobody yet. ``has_proof``: a text of the
    step reached a phone. ``is_lost``: the step has no text that arrived or still may.
    ``seconds_wait``: somebody of the step whom nothing reached has a second number that was not
    texted yet; ``seconds_lost``: the first number's text is lost, so there is nothing to wait for.
    ``owner_is_gone``: whoever took it has no account any more, and can neither call nor close it.
    """

    level: TriageLevel
    state: AlertState
    steps: tuple[Step, ...]
    opened_at: datetime
    ladder_started_at: datetime
    step: int = 0
    step_started_at: datetime | None = None
    has_proof: bool = False
    is_lost: bool = False
    seconds_wait: bool = False
    seconds_lost: bool = False
    patient_told_at: datetime | None = None
    taken_at: datetime | None = None
    contacted_at: datetime | None = None
    repaged_at: datetime | None = None
    lead_told_at: datetime | None = None
    owner_is_gone: bool = False
    is_test: bool = False


def next_due(facts: Facts) -> datetime | None:
    """When the clock next asks for something: the earliest of all timers. None when closed."""
    return min((at for at, _ in _timers(facts)), default=None)


def what_is_due(facts: Facts, now: datetime) -> frozenset[Due]:
    """What the clock asks for at this moment.

    A worker that slept finds several; opening again says all that texting the owner would.
    """
    found = {due for at, due in _timers(facts) if at <= now}
    if Due.REOPEN in found:
        found -= {Due.REPAGE, Due.TELL_LEAD}
    return frozenset(found)


def _timers(facts: Facts) -> Iterator[tuple[datetime, Due]]:
    if facts.state is AlertState.CLOSED:
        return
    if facts.is_test:
        yield facts.opened_at + TEST_LASTS, Due.END_TEST
    elif facts.state is AlertState.OPEN:
        yield from _while_open(facts)
    else:
        yield from _while_taken(facts)


def _while_open(facts: Facts) -> Iterator[tuple[datetime, Due]]:
    if facts.patient_told_at is None:
        yield facts.ladder_started_at + TELL_PATIENT_AFTER[facts.level], Due.TELL_PATIENT
    started = facts.step_started_at
    if started is None or facts.step < 1:
        yield facts.ladder_started_at, Due.GO_ON
        return
    proof_by = started + PROOF_WITHIN[facts.level]
    if facts.seconds_wait:
        yield started if facts.seconds_lost else proof_by, Due.SECOND_NUMBERS
    yield started + running_step(facts).wait, Due.GO_ON
    # After the last step there is nobody else to go on to: it comes again at its own pace.
    if facts.step < len(facts.steps) and not facts.has_proof:
        yield started if facts.is_lost else proof_by, Due.GO_ON


def _while_taken(facts: Facts) -> Iterator[tuple[datetime, Due]]:
    taken = facts.taken_at or facts.ladder_started_at
    if facts.contacted_at is None:
        if facts.repaged_at is None:
            yield taken + CONTACT_WITHIN[facts.level], Due.REPAGE
        yield taken if facts.owner_is_gone else taken + OPENS_AGAIN_AFTER[facts.level], Due.REOPEN
    if facts.lead_told_at is None:
        yield taken if facts.owner_is_gone else taken + LEAD_TOLD_AFTER, Due.TELL_LEAD
    else:
        yield facts.lead_told_at + LEAD_TOLD_EVERY, Due.TELL_LEAD


def running_step(facts: Facts) -> Step:
    """The step that was texted last; the last one of a ladder that has become shorter."""
    return facts.steps[min(max(facts.step, 1), len(facts.steps)) - 1]


def steps_due(facts: Facts, now: datetime) -> tuple[int, int]:
    """The first and the last step, from 1, whose turn has come; mostly they are one.

    Called when GO_ON is due. A worker that slept texts each person of these steps once, as one
    step: late, but not in a burst.
    """
    last = len(facts.steps)
    if facts.step < 1 or facts.step_started_at is None:
        first, at = 1, facts.ladder_started_at
    else:
        first = min(facts.step + 1, last)
        at = min(now, facts.step_started_at + running_step(facts).wait)
    reached = first
    while reached < last and at + facts.steps[reached - 1].wait <= now:
        at += facts.steps[reached - 1].wait
        reached += 1
    return first, reached
