"""Words of danger: found in any spelling that people use, and only as whole words."""

import pytest

from patient_portal.domain.danger import (
    DangerWords,
    DangerWordsUnusable,
    danger_words,
    normal,
    worst,
)
from patient_portal.domain.levels import TriageLevel

EMERGENCY, URGENT, NONE = TriageLevel.EMERGENCY, TriageLevel.URGENT, TriageLevel.NONE


@pytest.fixture
def words() -> DangerWords:
    return danger_words("en", ["can't breathe", "chest pain", "911"], ["fever", "worse"])


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("can't breathe", EMERGENCY), ("CAN’T  BREATHE!!", EMERGENCY), ("cant-breathe", EMERGENCY),
        ("he can`t breathe since 9", EMERGENCY), ("９１１", EMERGENCY), ("٩١١", EMERGENCY),
        ("chest pain and fever", EMERGENCY), ("Féver", URGENT), ("It got worse.", URGENT),
        ("no chest pain", EMERGENCY), ("9119", NONE), ("feverfew tea", NONE), ("hi", NONE),
        ("", NONE), ("chest\nno pain", NONE), ("can\u200b't breathe", EMERGENCY),
    ],
)  # fmt: skip
def test_phrases_are_found_as_whole_words(
    words: DangerWords, text: str, level: TriageLevel
) -> None:
    assert words.level(text) is level


def test_a_language_without_spaces_is_searched_anywhere() -> None:
    words = danger_words("zh", ["胸痛"], ["发烧"], spaced=False)
    assert words.level("我今天胸痛得厉害") is EMERGENCY
    assert words.level("我发 烧了") is URGENT


def test_vowel_signs_are_kept_with_their_letters() -> None:
    words = danger_words("hi", ["सीने में दर्द"], ["बुखार"])
    assert words.level("मुझे सीने में दर्द है") is EMERGENCY
    assert words.level("बुखार") is URGENT


def test_every_language_is_asked_and_the_worst_holds(words: DangerWords) -> None:
    spanish = danger_words("es", ["no puedo respirar"], ["fiebre"])
    assert worst("fever, no puedo respirar", [words, spanish]) is EMERGENCY
    assert worst("hello", [words, spanish]) is NONE
    assert worst("hello", []) is NONE


@pytest.mark.parametrize(
    ("emergency", "urgent"),
    [([], ["fever"]), (["pain"], []), (["..."], ["fever"]), (["Fever"], ["féver"])],
)
def test_a_list_that_cannot_be_used_is_refused(emergency: list[str], urgent: list[str]) -> None:
    with pytest.raises(DangerWordsUnusable, match="en"):
        danger_words("en", emergency, urgent)


def test_marks_and_accents_do_not_matter() -> None:
    assert normal(" Can’t BREATHE… ¡ya! ") == "cant breathe ya"


def test_a_language_has_spaces_unless_told_otherwise() -> None:
    assert danger_words("en", ["pain"], ["ill"]).level("still painting") is NONE
    assert DangerWords("en", ("pain",), ("ill",)).level("still painting") is NONE
    assert DangerWords("en", ("pain",), ("ill",)).level("ill") is URGENT


def test_one_phrase_of_many_is_enough() -> None:
    words = danger_words("zh", ["胸痛", "昏倒"], ["发烧", "呕吐"], spaced=False)
    assert (words.level("他昏倒了"), words.level("呕吐"), words.level("你好")) == (
        EMERGENCY, URGENT, NONE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("emergency", "urgent", "why"),
    [
        ([], ["fever"], "both need phrases"),
        (["pain"], [], "both need phrases"),
        (["pain", "..."], ["fever"], "holds no letter"),
        (["pain"], ["fever", " "], "holds no letter"),
        (["pain", "Fever"], ["worse", "féver"], "'fever' stands in both"),
    ],
)
def test_why_a_list_is_refused(emergency: list[str], urgent: list[str], why: str) -> None:
    with pytest.raises(DangerWordsUnusable, match=why):
        danger_words("en", emergency, urgent)


def test_other_signs_part_words() -> None:
    assert normal("chest+pain") == "chest pain"
    assert normal("a\u200bb") == "ab"
    assert normal("ª") == "a"  # a raised letter is the letter
    assert normal("ⅷ 2² Ⅻ") == "viii 22 xii"
