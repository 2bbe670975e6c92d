"""The weekly question about steroid tablets: when it comes, and that no answer to it calms."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.steroid import SteroidTablets, counts_as, is_due
from patient_portal.domain.triage import Course
from tests.domain.test_properties import Said, answers, courses, level

TODAY = date(2026, 11, 20)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("joined", "asked", "due"),
    [
        (0, None, False),
        (6, None, False),
        (7, None, True),
        (90, None, True),
        (90, 0, False),
        (90, 6, False),
        (90, 7, True),
        (3, 8, False),  # joined again since
    ],
)
def test_it_comes_a_week_after_joining_and_after_each_answer(
    joined: int, asked: int | None, due: bool
) -> None:
    assert is_due(TODAY, ago(joined), None if asked is None else ago(asked)) is due


def test_what_an_answer_counts_as() -> None:
    assert {told.value: counts_as(told) for told in SteroidTablets} == {
        "none": False,
        "same": True,
        "less": True,
        "not_sure": "not_sure",
    }


@given(answers, courses, st.booleans(), st.sampled_from(SteroidTablets))
def test_no_answer_to_it_lowers_the_level(
    said: Said, course: Course, is_logged: bool, told: SteroidTablets
) -> None:
    unasked = {key: value for key, value in said.items() if key != "on_steroid"}
    before = replace(course, on_steroid=is_logged)
    takes = is_logged or told is not SteroidTablets.NONE  # what the log says from then on
    cut = course.window_extended or told is SteroidTablets.LESS
    after = replace(course, on_steroid=takes, window_extended=cut)
    asked = {**unasked, "on_steroid": counts_as(told)}
    assert level(asked, after) >= level(unasked, before)
