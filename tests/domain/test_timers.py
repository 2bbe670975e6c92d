"""The clock's part of an alert, as a table and over any order of events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from patient_portal.domain.escalation import (
    LADDER,
    PROOF_WITHIN,
    TRANSITIONS,
    Act,
    AlertState,
    Due,
    Facts,
    Step,
    after,
    next_due,
    steps_due,
    what_is_due,
)
from patient_portal.domain.levels import TriageLevel

URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
OPEN, TAKEN, CLOSED = AlertState
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def facts(level: TriageLevel = EMERGENCY, state: AlertState = OPEN, **values: Any) -> Facts:
    """An alert whose first step was texted at the start, and arrived."""
    return Facts(
        **{
            "level": level, "state": state, "steps": LADDER[level], "opened_at": START,
            "ladder_started_at": START, "step": 1, "step_started_at": START, "has_proof": True,
            **values,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("standing", "due"),
    [
        (facts(), 5),
        (facts(has_proof=False), 1),
        (facts(URGENT, has_proof=False), 2),
        (facts(has_proof=False, is_lost=True), 0),
        (facts(URGENT), 15),
        (facts(URGENT, patient_told_at=at(15)), 15),
        (facts(step=2, step_started_at=at(5), patient_told_at=at(5)), 10),
        (facts(step=3, step_started_at=at(10), patient_told_at=at(5)), 20),
        # The last step has nobody to go on to, so neither proof nor loss hurries it.
        (facts(step=3, step_started_at=at(10), has_proof=False, patient_told_at=at(5)), 20),
        (
            facts(step=3, step_started_at=at(10), has_proof=False, is_lost=True,
                  patient_told_at=at(5)),
            20,
        ),
        (facts(seconds_wait=True), 1),
        (facts(seconds_wait=True, seconds_lost=True), 0),
        (facts(step=0, step_started_at=None), 0),
        (facts(step=9, step_started_at=at(1), patient_told_at=at(5)), 11),
        (facts(state=TAKEN, taken_at=at(2)), 17),
        (facts(state=TAKEN, taken_at=at(2), repaged_at=at(17)), 32),
        (facts(state=TAKEN, taken_at=at(2), contacted_at=at(3)), 242),
        (facts(state=TAKEN, taken_at=at(2), contacted_at=at(3), lead_told_at=at(242)), 242 + 1440),
        (facts(URGENT, TAKEN, taken_at=at(0)), 45),
        (facts(URGENT, TAKEN, taken_at=at(0), repaged_at=at(45)), 90),
        (facts(is_test=True), 30),
        (facts(state=TAKEN, taken_at=at(1), is_test=True), 30),
        (facts(state=CLOSED), None),
    ],
)  # fmt: skip
def test_the_next_moment(standing: Facts, due: float | None) -> None:
    assert next_due(standing) == (None if due is None else at(due))


@pytest.mark.parametrize(
    ("standing", "minutes", "asked"),
    [
        (facts(), 4.9, set()),
        (facts(), 5, {Due.GO_ON, Due.TELL_PATIENT}),
        (facts(has_proof=False), 1, {Due.GO_ON}),
        (facts(has_proof=False, seconds_wait=True), 1, {Due.GO_ON, Due.SECOND_NUMBERS}),
        (facts(seconds_wait=True, seconds_lost=True), 0, {Due.SECOND_NUMBERS}),
        (facts(state=TAKEN, taken_at=at(0)), 14.9, set()),
        (facts(state=TAKEN, taken_at=at(0)), 15, {Due.REPAGE}),
        (facts(state=TAKEN, taken_at=at(0), repaged_at=at(15)), 30, {Due.REOPEN}),
        (facts(state=TAKEN, taken_at=at(0)), 30, {Due.REOPEN}),  # slept over the owner's reminder
        (facts(state=TAKEN, taken_at=at(0)), 500, {Due.REOPEN}),
        (facts(state=TAKEN, taken_at=at(0), contacted_at=at(1)), 240, {Due.TELL_LEAD}),
        (facts(is_test=True, has_proof=False), 29, set()),
        (facts(is_test=True), 30, {Due.END_TEST}),
        (facts(state=CLOSED), 10_000, set()),
    ],
)
def test_what_the_clock_asks_for(standing: Facts, minutes: float, asked: set[Due]) -> None:
    assert what_is_due(standing, at(minutes)) == asked


def test_an_urgent_alert_tells_the_patient_to_call_after_a_quarter_of_an_hour() -> None:
    waiting = facts(URGENT, step=3, step_started_at=at(5))
    assert what_is_due(waiting, at(14.9)) == set()
    assert what_is_due(waiting, at(15)) == {Due.TELL_PATIENT}


def test_a_patient_who_was_told_to_call_is_not_told_again() -> None:
    told = facts(step=3, step_started_at=at(10), patient_told_at=at(5))
    assert what_is_due(told, at(19)) == set()
    assert what_is_due(told, at(20)) == {Due.GO_ON}


def test_the_lead_is_told_once_a_day_of_an_alert_that_stays_taken() -> None:
    told = facts(state=TAKEN, taken_at=at(0), contacted_at=at(1), lead_told_at=at(240))
    assert what_is_due(told, at(240 + 1439)) == set()
    assert what_is_due(told, at(240 + 1440)) == {Due.TELL_LEAD}


def test_an_alert_whose_owner_has_left_opens_again_at_once() -> None:
    left = facts(state=TAKEN, taken_at=at(2), owner_is_gone=True)
    assert what_is_due(left, at(1.9)) == set()
    assert what_is_due(left, at(2)) == {Due.REOPEN}
    spoken = replace(left, contacted_at=at(1))  # the call was made; somebody has to close it
    assert what_is_due(spoken, at(2)) == {Due.TELL_LEAD}
    assert what_is_due(replace(spoken, lead_told_at=at(2)), at(100)) == set()


def test_nothing_is_known_of_an_alert_that_has_just_opened() -> None:
    """What a row does not say must neither hurry the ladder nor hold it back."""
    new = Facts(EMERGENCY, OPEN, LADDER[EMERGENCY], START, START)
    assert what_is_due(new, START) == {Due.GO_ON}
    assert steps_due(new, START) == (1, 1)
    assert new.step == 0  # it has texted nobody yet
    texted = replace(new, step=1, step_started_at=START)
    assert what_is_due(texted, at(0.9)) == set()
    assert what_is_due(texted, at(1)) == {Due.GO_ON}
    taken = replace(texted, state=TAKEN, taken_at=START)
    assert what_is_due(taken, at(14.9)) == set()


def test_a_step_without_a_start_begins_at_the_first() -> None:
    lost = facts(step=2, step_started_at=None, ladder_started_at=at(3))
    assert next_due(lost) == at(3)
    assert steps_due(lost, at(3)) == (1, 1)


@pytest.mark.parametrize(
    ("standing", "minutes", "steps"),
    [
        (facts(), 5, (2, 2)),
        (facts(has_proof=False), 1, (2, 2)),
        (facts(), 9.9, (2, 2)),
        (facts(), 10, (2, 3)),
        (facts(), 47, (2, 3)),
        (facts(step=2, step_started_at=at(5)), 10, (3, 3)),
        (facts(step=3, step_started_at=at(10)), 20, (3, 3)),
        (facts(step=3, step_started_at=at(10)), 500, (3, 3)),
        (facts(step=0, step_started_at=None), 0, (1, 1)),
        (facts(step=0, step_started_at=None), 6, (1, 2)),
        (facts(URGENT), 15, (2, 2)),
        (facts(URGENT), 30, (2, 3)),
    ],
)
def test_the_steps_whose_turn_it_is(
    standing: Facts, minutes: float, steps: tuple[int, int]
) -> None:
    assert steps_due(standing, at(minutes)) == steps


@pytest.mark.parametrize(
    ("step", "minutes", "steps"),
    [
        (0, 1.9, (1, 1)), (0, 2, (1, 2)), (0, 8.9, (1, 2)), (0, 9, (1, 3)), (0, 12.9, (1, 3)),
        (0, 13, (1, 4)), (1, 2, (2, 2)), (1, 9, (2, 3)), (1, 13, (2, 4)), (2, 7, (3, 3)),
        (2, 11, (3, 4)),
    ],
)  # fmt: skip
def test_each_step_of_a_clinics_own_ladder_has_its_own_wait(
    step: int, minutes: float, steps: tuple[int, int]
) -> None:
    waits = (2, 7, 4, 9)
    own = tuple(Step((f"{number}",), timedelta(minutes=wait)) for number, wait in enumerate(waits))
    begun = facts(steps=own, step=step, step_started_at=at(0) if step else None)
    assert steps_due(begun, at(minutes)) == steps
    told = replace(begun, patient_told_at=at(1))
    assert next_due(told) == (at(waits[step - 1]) if step else at(0))


_TIMES = st.none() | st.integers(0, 600).map(at)


@given(
    level=st.sampled_from([URGENT, EMERGENCY]),
    state=st.sampled_from(list(AlertState)),
    step=st.integers(0, 5),
    times=st.tuples(*[_TIMES] * 6),
    flags=st.tuples(*[st.booleans()] * 5),
)
def test_whatever_is_not_closed_waits_for_something(
    level: TriageLevel,
    state: AlertState,
    step: int,
    times: tuple[datetime | None, ...],
    flags: tuple[bool, ...],
) -> None:
    names = ("step_started_at", "patient_told_at", "taken_at", "contacted_at", "repaged_at",
             "lead_told_at")  # fmt: skip
    told = ("has_proof", "is_lost", "seconds_wait", "seconds_lost", "is_test")
    standing = facts(
        level, state, step=step, **dict(zip(names, times, strict=True)),
        **dict(zip(told, flags, strict=True)),
    )  # fmt: skip
    due = next_due(standing)
    assert (due is None) == (state is CLOSED)
    if due is not None:
        assert not what_is_due(standing, due - timedelta(seconds=1))
        assert what_is_due(standing, due)


class Escalation(RuleBasedStateMachine):
    """Any order of people, clock and texts: what must hold of every alert, always."""

    @initialize(level=st.sampled_from([URGENT, EMERGENCY]))
    def opens(self, level: TriageLevel) -> None:
        self.now = START
        self.owner: str | None = None
        self.waited_since = START  # since when the step that was texted last has waited
        self.heard: set[int] = {1}
        self.facts = facts(level, has_proof=False)
        self.pages = [START]

    @rule(seconds=st.integers(1, 3000))
    def time_passes(self, seconds: int) -> None:
        """The clock does its part each second, or late; of a closed alert it asks nothing."""
        self.now += timedelta(seconds=seconds)
        asked = what_is_due(self.facts, self.now)
        assert not asked or self.facts.state is not CLOSED
        if Due.REOPEN in asked:
            self._restart(Act.REOPEN)
            return
        if Due.REPAGE in asked:
            self.facts = replace(self.facts, repaged_at=self.now)
        if Due.TELL_LEAD in asked:
            self.facts = replace(self.facts, lead_told_at=self.now)
        if Due.TELL_PATIENT in asked:
            self.facts = replace(self.facts, patient_told_at=self.now)
        if Due.GO_ON in asked:
            first, last = steps_due(self.facts, self.now)
            assert first in (self.facts.step, self.facts.step + 1)
            self.heard |= set(range(first, last + 1))
            self._texted(last)

    @precondition(lambda self: self.facts.state is OPEN)
    @rule()
    def a_text_arrives(self) -> None:
        self.facts = replace(self.facts, has_proof=True)

    @precondition(lambda self: self.facts.state is OPEN)
    @rule()
    def every_text_is_lost(self) -> None:
        self.facts = replace(self.facts, has_proof=False, is_lost=True)

    @precondition(lambda self: self.facts.state is OPEN)
    @rule(who=st.sampled_from(["nurse", "physician"]))
    def somebody_takes_it(self, who: str) -> None:
        self.owner = who
        self.facts = replace(
            self.facts, state=after(self.facts.state, Act.TAKE), taken_at=self.now,
            repaged_at=None, lead_told_at=None,
        )  # fmt: skip

    @precondition(lambda self: self.facts.state is TAKEN)
    @rule()
    def a_call_is_noted(self) -> None:
        self.facts = replace(
            self.facts, state=after(self.facts.state, Act.CONTACT), contacted_at=self.now
        )

    @precondition(lambda self: self.facts.state is TAKEN)
    @rule(act=st.sampled_from([Act.RELEASE, Act.WORSEN]))
    def it_is_open_again(self, act: Act) -> None:
        self._restart(act)

    @precondition(lambda self: self.facts.state is not CLOSED)
    @rule()
    def it_is_closed(self) -> None:
        self.facts = replace(self.facts, state=after(self.facts.state, Act.CLOSE))
        self.owner = None

    def _restart(self, act: Act) -> None:
        self.owner = None
        self.facts = replace(
            self.facts, state=after(self.facts.state, act), taken_at=None, contacted_at=None,
            repaged_at=None, lead_told_at=None, patient_told_at=None, ladder_started_at=self.now,
        )  # fmt: skip
        self.heard = {1}
        self._texted(1)

    def _texted(self, step: int) -> None:
        assert self.facts.state is OPEN
        self.facts = replace(
            self.facts, step=step, step_started_at=self.now, has_proof=False, is_lost=False
        )
        self.pages.append(self.now)

    @invariant()
    def nobody_is_forgotten(self) -> None:
        if not hasattr(self, "facts"):
            return
        due = next_due(self.facts)
        assert (due is None) == (self.facts.state is CLOSED)
        # Taken and paging never go together; whoever has it is one person.
        assert (self.owner is not None) == (self.facts.state is TAKEN)
        asked = what_is_due(self.facts, self.now + timedelta(days=3))
        if self.facts.state is TAKEN:
            assert Due.GO_ON not in asked
        if self.facts.state is OPEN:
            assert Due.GO_ON in asked
            assert due is not None and due <= self.facts.step_started_at + timedelta(minutes=15)  # type: ignore[operator]
            assert self.heard == set(range(1, self.facts.step + 1))  # no step was left out

    @invariant()
    def there_is_no_storm(self) -> None:
        if not hasattr(self, "facts"):
            return
        restarts = [page for page in self.pages if page == self.facts.ladder_started_at]
        since = [page for page in self.pages if page >= self.facts.ladder_started_at]
        spent = (self.now - self.facts.ladder_started_at) / PROOF_WITHIN[EMERGENCY]
        assert len(since) <= len(restarts) + len(self.facts.steps) + spent


TestEscalation = Escalation.TestCase


def test_every_move_keeps_to_the_table() -> None:
    assert {act for _, act in TRANSITIONS} == set(Act)
