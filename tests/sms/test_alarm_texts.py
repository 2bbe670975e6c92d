"""Texts about the alarm path: one part each, and nothing about a patient in them."""

import pytest

from patient_portal.sms import alarm_texts
from patient_portal.sms.segments import count
from patient_portal.words import Words

CLINIC = "Maple Valley Centre for Adult Medicine X"  # as long as a clinic's name may be
NAME = "Dr. A. Osei-Bonsu"
WORDS = Words("en")
BODIES = (
    alarm_texts.phone_stopped(WORDS, clinic=CLINIC, name=NAME),
    alarm_texts.phone_bad(WORDS, clinic=CLINIC, name=NAME),
    alarm_texts.gateway_trouble(WORDS, clinic=CLINIC, code="not_connected"),
    alarm_texts.reminders_stopped(WORDS, clinic=CLINIC),
)


@pytest.mark.parametrize("body", BODIES)
def test_one_part(body: str) -> None:
    assert (count(body).parts, count(body).is_gsm7) == (1, True), len(body)
    assert body.startswith(CLINIC)
