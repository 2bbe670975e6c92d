"""The order of a check-in's pages, from the answers alone."""

from typing import Any

import pytest

from patient_portal import protocols
from patient_portal.domain.pages import (
    STEPS,
    Page,
    Progress,
    missing,
    next_page,
    no_longer_asked,
    page_before,
    pages,
    slug_of,
    ticked,
    unticked,
)

PROTOCOL = protocols.current()


def slugs(answers: dict[str, Any], *ticks: str, helper: bool = False) -> list[str]:
    progress = Progress(ticks=ticks)
    return [page.slug for page in pages(PROTOCOL, answers, progress, helper=helper)]


def test_a_well_day_has_seven_pages() -> None:
    assert slugs({}) == list(STEPS)


def test_the_question_of_the_week_belongs_to_the_step_before_sending() -> None:
    *_, last, asked, send = pages(PROTOCOL, {}, Progress(), steroid=True)
    assert (asked.step, send.step) == (last.step, last.step + 1)


@pytest.mark.parametrize(
    ("answers", "follow", "after"),
    [
        ({"breathlessness": "mild_exertion"}, ["orthopnea"], "breathing"),
        ({"breathlessness": "moderate_exertion"}, ["orthopnea"], "breathing"),
        ({"breathlessness": "not_sure"}, ["orthopnea"], "breathing"),
        ({"breathlessness": "none"}, [], "breathing"),
        ({"swelling": "face"}, ["swelling-breathing"], "swelling"),
        ({"swelling": "worse"}, [], "swelling"),
        ({"temperature": "not_measured"}, ["felt-feverish", "chills"], "temperature"),
        ({"temperature": "37.0", "temperature_unit": "c"}, ["fever-medicine-6h"], "temperature"),
        ({"weight": "not_measured"}, ["tighter-fit"], "weight"),
        ({"weight": "70", "weight_unit": "kg"}, [], "weight"),
    ],
)
def test_an_answer_opens_its_further_questions(
    answers: dict[str, Any], follow: list[str], after: str
) -> None:
    listed = slugs(answers)
    place = listed.index(after) + 1
    assert listed[place : place + len(follow)] == follow
    assert len(listed) == len(STEPS) + len(follow)


def test_every_tick_opens_the_questions_the_protocol_names() -> None:
    for tick in PROTOCOL.ticks:
        asked = [slug for slug in slugs({}, tick.value) if slug not in STEPS]
        if tick.value == "feels_much_worse":
            assert asked == []
        else:
            assert asked == [slug_of(key) for key in tick.items]


def test_a_reading_sent_with_its_medicine_needs_no_page_of_its_own() -> None:
    both = {"temperature": "37.0", "temperature_unit": "c", "fever_medicine_6h": False}
    assert slugs(both) == list(STEPS)
    # Whoever was asked on a page of its own finds it again on the way back.
    asked = Progress(done=("temperature", "fever-medicine-6h"))
    listed = [page.slug for page in pages(PROTOCOL, both, asked)]
    assert listed[listed.index("temperature") + 1] == "fever-medicine-6h"


def test_feeling_hot_is_not_asked_twice() -> None:
    asked = slugs({"temperature": "not_measured"}, "felt_feverish")
    assert asked.count("felt-feverish") == asked.count("chills") == 1


def test_a_helper_is_asked_two_more() -> None:
    assert slugs({}, helper=True)[:2] == ["red-flags", "confusion"]
    assert "caregiver-very-worried" in slugs({}, helper=True)


def test_a_tick_says_the_mildest_until_it_is_graded() -> None:
    assert ticked(PROTOCOL, ["felt_feverish", "feels_much_worse"]) == {
        "felt_feverish": "not_sure",
        "feels_much_worse": True,
    }
    assert {"cough", "vision", "chills"} <= set(unticked(PROTOCOL, ["rash"]))
    assert "rash" not in unticked(PROTOCOL, ["rash"])


def test_an_answer_makes_its_pointless_followers_go() -> None:
    assert no_longer_asked(PROTOCOL, "breathlessness", "none") == ["orthopnea"]
    assert no_longer_asked(PROTOCOL, "breathlessness", "not_sure") == []


def test_next_back_and_missing() -> None:
    listed = pages(PROTOCOL, {}, Progress())
    half = Progress(done=("red-flags", "swelling"))
    assert next_page(listed, half).slug == "breathing"
    assert [page.slug for page in missing(listed, half)][:2] == ["breathing", "other"]
    assert next_page(listed, Progress(done=STEPS[:-1])).slug == "send"
    assert next_page(listed, Progress(done=STEPS)).slug == "send"  # sent, and opened again
    assert page_before(listed, "red-flags") is None
    assert page_before(listed, "swelling") == Page("breathing", 2, "breathlessness")


def test_progress_reads_what_is_stored_and_nothing_else() -> None:
    assert Progress.of({"done": ["a"], "ticks": ["b"]}) == Progress(("a",), ("b",))
    assert Progress.of({"done": "a", "ticks": None}) == Progress()
