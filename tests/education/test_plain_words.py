"""What patients read is short, plain and never tells them to stop or keep a medicine."""

import re

import pytest

from patient_portal.education import Page, pages
from patient_portal.education.library import MEDICINES
from tests.support.plain_words import grade, sentences_of, syllables, words_of

MOST_WORDS = 250
HIGHEST_GRADE = 6.0
VIEWS = [(slug, code) for slug in pages() for code in MEDICINES]
ADVICE_ON_DOSES = re.compile(
    r"\b(?:stop|keep|skip|hold|pause|continue|restart|go on)\b[^.]*"
    r"\b(?:medicines?|pills?|dose|doses|capsules?|tablets?|taking)\b|\bmg\b",
    re.IGNORECASE,
)


def blocks(page: Page, medicine: str) -> list[str]:
    found = [block.text for section in page.sections_for(medicine) for block in section.blocks]
    return [re.sub(r"%\(\w+\)s", "911", text).replace("**", "") for text in found]


@pytest.mark.parametrize(("slug", "code"), VIEWS)
def test_a_page_is_short(slug: str, code: str) -> None:
    page = pages()[slug]
    count = len(words_of(" ".join([page.title, *blocks(page, code)])))
    assert count <= MOST_WORDS, f"{count} words"


@pytest.mark.parametrize(("slug", "code"), VIEWS)
def test_a_page_is_read_in_sixth_grade(slug: str, code: str) -> None:
    sentences = [s for text in blocks(pages()[slug], code) for s in sentences_of(text)]
    assert grade(sentences) <= HIGHEST_GRADE


@pytest.mark.parametrize(("slug", "code"), VIEWS)
def test_the_team_decides_on_doses(slug: str, code: str) -> None:
    text = " ".join(blocks(pages()[slug], code))
    assert not ADVICE_ON_DOSES.search(text)
    assert "Ask your team before your next dose" in text


@pytest.mark.parametrize("slug", list(pages()))
def test_no_share_of_people_is_printed_and_no_number_is_hard_coded(slug: str) -> None:
    for section in pages()[slug].sections:
        for block in section.blocks:
            assert not re.search(r"\d\s*%|\d in \d|\b(?:911|112|999)\b", block.text), block.line
            assert "—" not in block.text


@pytest.mark.parametrize(
    "sentence",
    [
        "Stop taking the pill.",
        "Keep your medicine.",
        "Skip a dose.",
        "Take 10 mg.",
        "Hold the pill",
    ],
)
def test_the_rule_on_doses_finds_what_it_is_for(sentence: str) -> None:
    assert ADVICE_ON_DOSES.search(sentence)


@pytest.mark.parametrize(
    ("word", "count"), [("any", 2), ("fever", 2), ("the", 1), ("medicine", 3), ("emergency", 4)]
)
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_grade_of_known_texts() -> None:
    assert grade(["The cat sat on the mat."]) < 1
    assert grade(["Corticosteroid administration necessitates institutional supervision."]) > 20
