"""Every sentence that is sent by text: short, calm, and silent about what it is for."""

from datetime import UTC, datetime

import pytest

from patient_portal.domain.levels import TriageLevel
from patient_portal.sms import staff_texts, texts
from patient_portal.sms.segments import count
from patient_portal.words import Words

CLINIC = "Maple Street Clinic"
BASE = "https://portal.example.org"
TOKEN = "A" * 22
FORBIDDEN = (
    "leuk", "cancer", "onco", "chemo", "breath", "fever", "enasidenib", "tumor", "blood",
)  # fmt: skip


def _staff(words: Words) -> list[str]:
    url = f"{BASE}/staff/alerts/K7Q3M"
    levels = (TriageLevel.URGENT, TriageLevel.EMERGENCY)
    following = staff_texts.Next("A. Osei", datetime(2026, 11, 20, 9, 19, tzinfo=UTC))
    found = [
        staff_texts.page(words, clinic=CLINIC, ref="K7Q3M", level=level, url=url, following=after)
        for level in levels
        for after in (None, following)
    ]
    found += [
        staff_texts.worse(
            words, clinic=CLINIC, ref="K7Q3M", level=level, url=url, is_silence=is_silence
        )
        for level in levels
        for is_silence in (False, True)
    ]
    return [*found, texts.not_understood(words, clinic=CLINIC, url=f"{BASE}/staff/inbox")]


def _patient(words: Words) -> list[str]:
    bodies = [
        texts.invite(words, clinic=CLINIC, base_url=BASE),
        texts.reminder(words, clinic=CLINIC, base_url=BASE, number="112"),
        texts.repeat(words, clinic=CLINIC, base_url=BASE, number="112"),
        texts.ask_helper(words, clinic=CLINIC, number="112"),
        texts.no_medical_help(words, clinic=CLINIC, line="+1 212 555 0100", number="112"),
        texts.code(words, clinic=CLINIC, host="portal.example.org"),
    ]
    return [body.replace("{secret}", TOKEN) for body in bodies]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_page_to_staff_is_one_part(language: str) -> None:
    for body in _staff(Words(language)):
        assert count(body).parts == 1, (count(body), body)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_text_to_a_patient_is_two_parts_at_most(language: str) -> None:
    for body in _patient(Words(language)):
        assert count(body).parts <= 2, (count(body), body)


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_text_says_what_it_is_about(language: str) -> None:
    words = Words(language)
    for body in [*_staff(words), *_patient(words)]:
        assert not [word for word in FORBIDDEN if word in body.lower()], body
        assert "%(" not in body


def test_the_code_ends_with_the_line_that_phones_look_for() -> None:
    body = texts.code(Words("en"), clinic=CLINIC, host="portal.example.org")
    assert body.splitlines()[-1] == "@portal.example.org #{secret}"
