"""What must hold with any past: more of it, worse of it, and the order of it."""

import os
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import NOT_SURE, Item
from patient_portal.domain.triage import triage
from patient_portal.protocols import current
from tests.domain.test_properties import (
    CHAINS,
    WORDS,
    Said,
    answers,
    chain,
    courses,
    inside,
    level,
)

PROTOCOL = current()
SIGNS = [sign.id for sign in PROTOCOL.beyond.signs]
DAYS = st.integers(0, 9)

pasts = st.builds(
    Earlier,
    days_ago=DAYS,
    answers=answers,
    level=st.sampled_from(TriageLevel),
    is_closed=st.booleans(),
    resolved=st.lists(st.sampled_from(SIGNS), max_size=2).map(tuple),
    recheck=st.just(False),
    reporter=st.sampled_from(["patient", "caregiver"]),
)
held = pasts.map(lambda earlier: replace(earlier, is_closed=True, recheck=True))


def in_order(history: list[Earlier]) -> tuple[Earlier, ...]:
    return tuple(sorted(history, key=lambda earlier: -earlier.days_ago))


histories = st.lists(pasts | held, min_size=1, max_size=5).map(in_order)
lived = st.builds(lambda course, past: replace(course, history=past), courses, histories)

checked = settings(
    max_examples=int(os.environ.get("HISTORY_EXAMPLES", "250")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@checked
@given(answers, lived, st.lists(pasts, max_size=3))
def test_a_longer_history_never_lowers_the_level(
    said: Said, course: Course, more: list[Earlier]
) -> None:
    """Older check-ins can only add. (Weights apart: amendment B5 averages neighbours.)"""
    oldest = max(earlier.days_ago for earlier in course.history)
    older = [replace(one, days_ago=oldest + 1 + one.days_ago, resolved=()) for one in more]
    # The same "check-in before" must be the last date in both.
    if not any(earlier.days_ago > 0 for earlier in course.history):
        older = []
    longer = replace(course, history=in_order([*older, *course.history]))
    assert level(said, longer) >= level(said, course)


@checked
@given(answers, lived, st.sampled_from(CHAINS), st.data())
def test_a_worse_answer_never_lowers_the_level_with_any_past(
    said: Said, course: Course, item: Item, data: st.DataObject
) -> None:
    values = chain(item)
    first = data.draw(st.integers(0, len(values) - 1))
    second = data.draw(st.integers(first, len(values) - 1))
    if "usual" in values[first : second + 1] and course.usual is not None:
        return  # a "usual" that is not in the baseline counts as new
    milder = level({**said, item.key: values[first]}, course)
    assert level({**said, item.key: values[second]}, course) >= milder


@checked
@given(answers, lived, st.sampled_from(WORDS))
def test_not_sure_never_lowers_the_level_of_no_with_any_past(
    said: Said, course: Course, item: Item
) -> None:
    calm = level({**said, item.key: item.values[0]}, course)
    assert level({**said, item.key: NOT_SURE}, course) >= calm


@checked
@given(answers, lived, st.sampled_from(WORDS))
def test_a_missing_answer_is_never_below_no(said: Said, course: Course, item: Item) -> None:
    missing = {key: value for key, value in said.items() if key != item.key}
    assert level(missing, course) >= level({**said, item.key: item.values[0]}, course)


@checked
@given(answers, lived, st.sampled_from(WORDS), st.data())
def test_one_more_sign_never_lowers_the_level(
    said: Said, course: Course, item: Item, data: st.DataObject
) -> None:
    """A positive answer where there was none. (A calm one can resolve a sign of before.)"""
    positive = data.draw(st.sampled_from([v for v in item.values if v != item.values[0]]))
    if positive == "usual":
        return
    without = {key: value for key, value in said.items() if key != item.key}
    assert level({**without, item.key: positive}, course) >= level(without, course)


@checked
@given(answers, lived)
def test_being_in_the_window_never_lowers_the_level_with_any_past(
    said: Said, course: Course
) -> None:
    past = tuple(replace(earlier, recheck=False) for earlier in course.history)
    course = replace(course, history=past)
    assert level(said, inside(course)) >= level(said, course)


@checked
@given(answers, lived)
def test_only_a_person_lowers(said: Said, course: Course) -> None:
    """A recheck, a closing and a named sign are human acts; each can only lower."""
    acts = tuple(
        replace(earlier, recheck=False, is_closed=False, resolved=()) for earlier in course.history
    )
    assert level(said, replace(course, history=acts)) >= level(said, course)
    no_recheck = tuple(replace(earlier, recheck=False) for earlier in course.history)
    without = level(said, replace(course, history=no_recheck))
    held_level = level(said, course)
    assert without >= held_level
    # Never below watch, and never an emergency.
    if without is TriageLevel.EMERGENCY:
        assert held_level is TriageLevel.EMERGENCY
    if without is TriageLevel.URGENT:
        assert held_level >= TriageLevel.WATCH


@checked
@given(answers, lived, st.randoms())
def test_the_order_of_answers_does_not_matter_with_any_past(
    said: Said, course: Course, dice: object
) -> None:
    shuffled = dict(reversed(list(said.items())))
    past = tuple(
        replace(earlier, answers=dict(reversed(list(earlier.answers.items()))))
        for earlier in course.history
    )
    again = triage(PROTOCOL, shuffled, replace(course, history=past))
    assert again == triage(PROTOCOL, said, course)
    assert triage(PROTOCOL, said, course) == triage(PROTOCOL, said, course)


@checked
@given(answers, lived, st.sampled_from(TriageLevel))
def test_an_earlier_level_of_today_is_never_lowered(
    said: Said, course: Course, was: TriageLevel
) -> None:
    today = (*course.history, Earlier(0, {}, was))
    assert level(said, replace(course, history=today)) >= was


@checked
@given(answers, lived)
def test_a_device_that_is_owned_never_lowers_the_level(said: Said, course: Course) -> None:
    assert level(said, replace(course, owns=None)) >= level(said, replace(course, owns=()))
