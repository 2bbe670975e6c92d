"""Texts to the care team: one part in every language, with the longest of everything."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from patient_portal.domain.levels import TriageLevel
from patient_portal.sms import staff_texts
from patient_portal.sms.segments import as_gsm7, count
from patient_portal.words import Words

URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [
    "en",
    *sorted(each.name for each in (ROOT / "translations").iterdir() if each.is_dir()),
]
NINE = datetime(2026, 11, 20, 9, 19, tzinfo=UTC)
# The longest that the columns hold, and letters that GSM-7 lacks.
CLINICS = (
    "Maple",
    "Clínica Universitária São João Baptista 1",
    "Поликлиника на улице Кленовой, 12 А",
)
NAMES = ("N. Silva", "Dr. Ágnes Wolfeschlegelsteinhausenbergerdorff-Mälzer", "Д. Иванова")
ADDRESSES = (
    "https://a.example",
    "https://patients.differentiation.maple-valley-hospital.example.org",
)
FORBIDDEN = ("leuk", "cancer", "onco", "chemo", "breath", "fever", "Rosa", "Marin")

Write = Callable[[Words, str, str, str], str]


def _page(level: TriageLevel, *, says_next: bool) -> Write:
    def write(words: Words, clinic: str, who: str, url: str) -> str:
        following = staff_texts.Next(who, NINE) if says_next else None
        return staff_texts.page(
            words, clinic=clinic, ref="K7Q2M", level=level, url=url, following=following
        )

    return write


TEXTS: dict[str, Write] = {
    "urgent page": _page(URGENT, says_next=False),
    "urgent page that says who is next": _page(URGENT, says_next=True),
    "emergency page": _page(EMERGENCY, says_next=False),
    "emergency page that says who is next": _page(EMERGENCY, says_next=True),
    "test": lambda words, clinic, who, url: staff_texts.page(
        words, clinic=clinic, ref="K7Q2M", level=URGENT, url=url, is_test=True
    ),
    "unmanned": lambda words, clinic, who, url: staff_texts.unmanned(
        words, clinic=clinic, ref="K7Q2M", level=EMERGENCY, url=url
    ),
    "worse": lambda words, clinic, who, url: staff_texts.worse(
        words, clinic=clinic, ref="K7Q2M", level=EMERGENCY, url=url
    ),
    "new answers": lambda words, clinic, who, url: staff_texts.worse(
        words, clinic=clinic, ref="K7Q2M", level=URGENT, url=url
    ),
    "repage": lambda words, clinic, who, url: staff_texts.repage(
        words, clinic=clinic, ref="K7Q2M", waited=timedelta(minutes=45), opens_at=NINE, url=url
    ),
    "taken": lambda words, clinic, who, url: staff_texts.taken(
        words, clinic=clinic, ref="K7Q2M", who=who, at=NINE
    ),
    "closed": lambda words, clinic, who, url: staff_texts.closed(
        words, clinic=clinic, ref="K7Q2M", who=who, at=NINE
    ),
    "not closed": lambda words, clinic, who, url: staff_texts.not_closed(
        words, clinic=clinic, ref="K7Q2M", who=who, waited=timedelta(hours=28), url=url
    ),
    "bundle of 1": lambda words, clinic, who, url: staff_texts.bundle(
        words, clinic=clinic, refs=["K7Q2M"], worst=URGENT, url=url
    ),
    "bundle of 200": lambda words, clinic, who, url: staff_texts.bundle(
        words, clinic=clinic, refs=["K7Q2M"] * 200, worst=EMERGENCY, url=url
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_one_part_of_gsm7(name: str, language: str) -> None:
    for clinic in CLINICS:
        for who in NAMES:
            for url in ADDRESSES:
                body = TEXTS[name](Words(language), clinic, who, f"{url}/staff/alerts/K7Q2M")
                size = count(body)
                assert (size.parts, size.is_gsm7) == (1, True), body
                assert "%(" not in body
                assert not [word for word in FORBIDDEN if word.lower() in body.lower()]
                if "bundle" not in name:
                    assert "K7Q2M" in body


def test_a_page_says_how_to_take_it_and_who_is_next() -> None:
    body = staff_texts.page(
        Words("en"), clinic="Maple Street Clinic", ref="K7Q2M", level=EMERGENCY,
        url="https://portal.example.org/staff/alerts/K7Q2M",
        following=staff_texts.Next("Dr. A. Osei", NINE),
    )  # fmt: skip
    assert body == (
        "Maple Street Clinic: ALERT K7Q2M, EMERGENCY. "
        "https://portal.example.org/staff/alerts/K7Q2M "
        "Reply K7Q2M to take, K7Q2M E to pass on. Next: Dr. A. Osei 09:19"
    )


def test_where_it_does_not_fit_the_least_needed_words_go_first() -> None:
    clinic, url = (
        "Maple Valley Community Hospital North",
        "https://portal.example.org/staff/alerts/K7Q2M",
    )
    body = staff_texts.page(
        Words("en"), clinic=clinic, ref="K7Q2M", level=URGENT, url=url,
        following=staff_texts.Next("Dr. A. Osei", NINE),
    )  # fmt: skip
    assert body.startswith(f"{clinic}: ALERT K7Q2M, URGENT.")
    assert "Reply K7Q2M to take" in body
    assert "Next" not in body


def test_a_name_keeps_what_gsm7_holds_and_drops_the_rest_of_its_marks() -> None:
    assert as_gsm7("Müller") == "Müller"
    assert as_gsm7("García") == "Garcia"
    assert as_gsm7("Ősi") == "Osi"
    assert as_gsm7("Иванова") == "Иванова"
