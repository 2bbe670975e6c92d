"""Words in a text that mean danger, in whatever language it is written.

Matching is plain on purpose. It knows no "no": a text about chest pain that is not there pages
once too often, and a text about chest pain that was misread pages nobody.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from patient_portal.domain.levels import TriageLevel

_MARKS_DROPPED = str.maketrans("", "", "'’‘`´ʼ")


class DangerWordsUnusable(ValueError):
    """A list of danger words that cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class DangerWords:
    """The phrases of one language. ``spaced``: the language puts spaces between its words."""

    language: str
    emergency: tuple[str, ...]
    urgent: tuple[str, ...]
    spaced: bool = True

    def level(self, text: str) -> TriageLevel:
        """EMERGENCY, URGENT, or NONE where no phrase is found."""
        plain = normal(text)
        tight = plain.replace(" ", "")
        for level, phrases in (
            (TriageLevel.EMERGENCY, self.emergency),
            (TriageLevel.URGENT, self.urgent),
        ):
            if any(self._is_in(phrase, plain, tight) for phrase in phrases):
                return level
        return TriageLevel.NONE

    def _is_in(self, phrase: str, plain: str, tight: str) -> bool:
        if self.spaced:
            return f" {phrase} " in f" {plain} "
        return phrase.replace(" ", "") in tight


def danger_words(
    language: str, emergency: Sequence[str], urgent: Sequence[str], *, spaced: bool = True
) -> DangerWords:
    """A checked list. Raises DangerWordsUnusable: a level without phrases, or an empty phrase."""
    lists = [tuple(normal(phrase) for phrase in phrases) for phrases in (emergency, urgent)]
    if not all(lists):
        raise DangerWordsUnusable(f"{language}: emergency and urgent both need phrases")
    if not all(phrase for phrases in lists for phrase in phrases):
        raise DangerWordsUnusable(f"{language}: a phrase holds no letter")
    both = set(lists[0]) & set(lists[1])
    if both:
        raise DangerWordsUnusable(f"{language}: {min(both)!r} stands in both lists")
    return DangerWords(language, lists[0], lists[1], spaced)


def worst(text: str, lists: Iterable[DangerWords]) -> TriageLevel:
    """The highest level that any language finds; people write in more than one."""
    return max((words.level(text) for words in lists), default=TriageLevel.NONE)


def normal(text: str) -> str:
    """Small letters without accents and marks, words parted by one space, can't as cant."""
    plain = unicodedata.normalize("NFKD", text).translate(_MARKS_DROPPED).casefold()
    kept = []
    for char in plain:
        category = unicodedata.category(char)
        if category == "Nd":
            kept.append(str(unicodedata.digit(char)))
        elif category[0] == "L" or category == "Mc":
            kept.append(char)
        elif category not in ("Mn", "Cf"):
            kept.append(" ")
    return " ".join("".join(kept).split())
