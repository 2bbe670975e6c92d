"""Texts about duty: one part each, however long the names are, and no patient in them."""

import pytest

from patient_portal.models import Position
from patient_portal.sms import duty_texts
from patient_portal.sms.segments import count
from patient_portal.words import Words

CLINIC = "Maple Street Clinic"
URL = "https://portal.example.org/staff/rota"
STARTS, ENDS = "Wed, Nov 25 10:00 PM", "Thu, Nov 26 10:00 AM"


def every_text(words: Words) -> list[str]:
    gaps = [
        duty_texts.gap(
            words, clinic=CLINIC, position=position.value,
            starts=STARTS, ends=ENDS, more=more, url=URL,
        )
        for position in Position
        for more in (0, 1, 13)
    ]  # fmt: skip
    return [
        duty_texts.test(words, clinic=CLINIC, ref="K7Q2M"),
        duty_texts.hand_over(words, clinic=CLINIC, ref="K7Q2M", until=ENDS),
        duty_texts.hand_over(words, clinic=CLINIC, ref="K7Q2M", until=""),
        duty_texts.weekly(words, clinic=CLINIC, ref="K7Q2M"),
        duty_texts.not_answered(words, clinic=CLINIC, name="Dr. A. Osei-Bonsu", on_call=True),
        duty_texts.not_answered(words, clinic=CLINIC, name="Dr. A. Osei-Bonsu", on_call=False),
        duty_texts.not_reachable(words, clinic=CLINIC, name="Dr. A. Osei-Bonsu", url=URL),
        *gaps,
    ]


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_text_is_one_part(language: str) -> None:
    for body in every_text(Words(language)):
        assert count(body).parts == 1, (count(body), body)
        assert body.startswith(CLINIC) and "%(" not in body


def test_what_wants_an_answer_names_its_reference() -> None:
    assert sum("Reply K7Q2M" in body for body in every_text(Words("en"))) == 4
    assert "no backup Wed, Nov 25 10:00 PM to Thu, Nov 26 10:00 AM, and 13 more gaps." in " ".join(
        every_text(Words("en"))
    )
