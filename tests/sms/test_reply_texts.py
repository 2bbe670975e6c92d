"""Answers to texts: one part to the care team, two at most to patients, silent about the why."""

from collections.abc import Callable

import pytest

from patient_portal.sms import reply_texts
from patient_portal.sms.segments import count
from patient_portal.words import Words

URL = "https://portal.staging.example-hospital.org/staff/alerts/K7Q3M"
INBOX = "https://portal.staging.example-hospital.org/staff/inbox"
LONGEST = {"name": "M" * 60, "clinic": "W" * 40, "at": "Nov 20, 2026, 12:46 PM"}
REFS = [f"K7Q{n}M" for n in range(10)] * 3
FORBIDDEN = (
    "leuk", "cancer", "onco", "chemo", "breath", "fever", "enasidenib", "tumor", "blood",
)  # fmt: skip

STAFF: dict[str, Callable[[Words], str]] = {
    "you_have_it": lambda w: reply_texts.you_have_it(w, ref="K7Q3M", until=LONGEST["at"], url=URL),
    "already": lambda w: reply_texts.you_have_it_already(
        w, ref="K7Q3M", since=LONGEST["at"], url=URL
    ),
    "was_taken": lambda w: reply_texts.was_taken(
        w, ref="K7Q3M", by=LONGEST["name"], at=LONGEST["at"]
    ),
    "umlaut": lambda w: reply_texts.was_taken(w, ref="K7Q3M", by="Ł. Šimůnková", at="12:46"),
    "was_closed": lambda w: reply_texts.was_closed(w, ref="K7Q3M", at=LONGEST["at"]),
    "passed_on": lambda w: reply_texts.passed_on(w, ref="K7Q3M"),
    "cannot_pass_on": lambda w: reply_texts.cannot_pass_on(w, ref="K7Q3M", url=URL),
    "not_yours": lambda w: reply_texts.not_yours(w, ref="K7Q3M", url=INBOX),
    "close": lambda w: reply_texts.close_on_page(w, ref="K7Q3M", url=URL),
    "one_at_a_time": lambda w: reply_texts.one_at_a_time(w, refs=REFS),
    "which_one": lambda w: reply_texts.which_one(w, refs=REFS),
    "plainly": lambda w: reply_texts.say_it_plainly(w, ref="K7Q3M"),
    "none_waits": lambda w: reply_texts.none_waits(w, url=INBOX),
    "not_tested": lambda w: reply_texts.phone_not_tested(w, url=URL),
    "shared": lambda w: reply_texts.phone_shared(w, url=URL),
    "works": reply_texts.phone_works,
    "wrong": lambda w: reply_texts.wrong_codes(w, clinic=LONGEST["clinic"], name=LONGEST["name"]),
}
PATIENTS: dict[str, Callable[[Words], str]] = {
    "emergency": lambda w: reply_texts.call_emergency(
        w, clinic=LONGEST["clinic"], number="10177", line="+12125550100"
    ),
    "team": lambda w: reply_texts.call_team(
        w, clinic=LONGEST["clinic"], number="10177", line="+12125550100"
    ),
    "stopped": lambda w: reply_texts.texts_stopped(
        w, clinic=LONGEST["clinic"], line="+12125550100", number="10177"
    ),
    "stranger": lambda w: reply_texts.nobody_reads(w, number="10177"),
}
languages = pytest.mark.parametrize("language", ["en", "es"])


@languages
@pytest.mark.parametrize("name", STAFF)
def test_an_answer_to_staff_is_one_part(language: str, name: str) -> None:
    body = STAFF[name](Words(language))
    assert count(body).parts == 1, (count(body), body)


@languages
@pytest.mark.parametrize("name", PATIENTS)
def test_an_answer_to_a_patient_is_two_parts_at_most(language: str, name: str) -> None:
    body = PATIENTS[name](Words(language))
    assert count(body).parts <= 2, (count(body), body)


@languages
def test_no_answer_says_what_it_is_about(language: str) -> None:
    for write in (*STAFF.values(), *PATIENTS.values()):
        body = write(Words(language))
        assert not [word for word in FORBIDDEN if word in body.lower()], body
        assert "%(" not in body


def test_more_references_than_fit_are_counted() -> None:
    body = reply_texts.which_one(Words("en"), refs=REFS)
    assert "K7Q0M, K7Q1M" in body
    assert body.endswith("+24")


def test_the_number_to_call_is_never_cut_off() -> None:
    for name in ("emergency", "team", "stopped", "stranger"):
        assert "10177" in PATIENTS[name](Words("en"))
