"""How hard a text is to read, and how long it is."""

import re

import pyphen

_HYPHENS = pyphen.Pyphen(lang="en_US")
_VOWELS = re.compile(r"[aeiouy]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text; a number is one word."""
    return re.findall(r"[A-Za-z']+|\d+", text.replace("’", "'"))


def syllables(word: str) -> int:
    """Count syllables: hyphenation points, or groups of vowels where there are more.

    Hyphenation never parts a single letter ("a-ny"), so it alone would count too few.
    """
    word = word.lower()
    groups = len(_VOWELS.findall(word.removesuffix("e") if len(word) > 3 else word))
    return max(1, groups, len(_HYPHENS.positions(word)) + 1)


def grade(sentences: list[str]) -> float:
    """Return the Flesch-Kincaid grade of some sentences.

    Source: Kincaid et al., 1975: 0.39 words a sentence + 11.8 syllables a word - 15.59.
    """
    words = [word for sentence in sentences for word in words_of(sentence)]
    count = sum(syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * count / len(words) - 15.59


def sentences_of(text: str) -> list[str]:
    """Cut a block into sentences."""
    return [part for part in re.split(r"(?<=[.!?:])\s+", text) if words_of(part)]
