"""What a member of staff means by a text: take an alert, pass it on, or nothing we can act on.

Forgiving about how a reference is written, never about which one is meant. A reference is five
characters of Crockford's alphabet with a digit and a letter in it. What could be read in two ways
is not acted on: the answer asks again, and the ladder goes on meanwhile.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LENGTH = 5
CROCKFORD = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
PASS_LETTER = "E"  # noqa: S105 - no secret
# Letters that the alphabet leaves out because they look like digits.
_LOOKS_LIKE = str.maketrans("OIL", "011")
_LONGEST = 320  # characters that are read; a reply is short

_TAKE = frozenset({
    "TAKE", "TAKING", "TOOK", "TAKEN", "ACK", "ACKNOWLEDGE", "ACKNOWLEDGED", "ACKED", "MINE",
    "GOT", "TOMO"
})  # fmt: skip
_PASS = frozenset({"PASS", "PASSED", "PASSING", "ESC", "ESCALATE", "FORWARD", "PASO", "PASAR"})
_CLOSE = frozenset({
    "CLOSE", "CLOSED", "CLOSING", "DONE", "RESOLVED", "FINISHED", "CIERRO", "CERRAR", "CERRADO"
})  # fmt: skip
_CLOSE_LETTERS = frozenset("CD")
# A bare one of these says yes to nobody knows what.
_YES = frozenset({
    "OK", "OKAY", "K", "YES", "Y", "YEP", "SI", "1", "A", "ACCEPT", "ACCEPTED", "VALE"
})  # fmt: skip
# Words that change nothing.
_CHAFF = frozenset({
    "I", "ILL", "WILL", "IM", "AM", "HAVE", "IT", "THE", "THIS", "ON", "TO", "OF", "ALERT", "REF",
    "REFERENCE", "CODE", "NUMBER", "PLEASE", "PLS", "THANKS", "THANK", "YOU", "THX", "HI",
    "HELLO", "NOW", "ME", "EL", "LA", "LO", "YO", "ALERTA", "REFERENCIA", "GRACIAS"
})  # fmt: skip
# After one of these a reference may be meant in any way.
_NOT = frozenset({
    "NO", "NOT", "CANT", "CANNOT", "DONT", "WONT", "NEVER", "UNABLE", "NOBODY", "BUSY", "DIDNT",
    "ISNT", "WHO", "WHAT", "WHY", "WHERE", "WHICH", "NUNCA", "NADIE", "QUIEN", "QUE", "NI",
    # a phone that quotes our own text: Liked "ALERT K7Q2M, URGENT. Reply K7Q2M"
    "LIKED", "LOVED", "DISLIKED", "LAUGHED", "EMPHASIZED", "QUESTIONED", "REACTED", "REPLY"
})  # fmt: skip
_KNOWN = _TAKE | _PASS | _CLOSE | _YES | _CHAFF | _NOT
_APOSTROPHES = str.maketrans("", "", "'’‘`´ʼ")
_WORD = re.compile(r"[^\W_]+(?:[-‐‑–_.·][^\W_]+)*")
_PARTS = re.compile(r"[^\W_]+")


class Meaning(StrEnum):
    """What a text asks for."""

    TAKE = "take"
    PASS_ON = "pass_on"  # noqa: S105 - no secret
    CLOSE = "close"  # never done by text
    BARE = "bare"  # yes, but to which alert?
    UNCLEAR = "unclear"  # names a reference, but not plainly what to do with it
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reply:
    """A text as understood. ``refs`` were written as references.

    ``maybe`` only look like one (WORLD is W0R1D with digits): they count only where there is such
    an alert, and as a slip never.
    """

    meaning: Meaning
    refs: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Named:
    """A reference found in a text, and whether the letter for passing on is joined to it."""

    ref: str
    is_sure: bool
    passes: bool


def read_reply(text: str) -> Reply:
    """What the text means. Never raises."""
    plain = _plain(text[:_LONGEST])
    if "://" in plain:  # a phone that quotes our own text back: Liked "ALERT K7Q2M ..."
        return Reply(Meaning.UNCLEAR)
    words = _WORD.findall(plain)
    named, rest = _spelled(words) or _named(words)
    found = {part for word in rest for part in _PARTS.findall(word)}
    if not named:
        return Reply(_without_reference(found))
    sure = tuple(dict.fromkeys(one.ref for one in named if one.is_sure))
    maybe = tuple(dict.fromkeys(one.ref for one in named if not one.is_sure))
    meant = [one for one in named if one.is_sure] or named
    return Reply(_meaning(meant, found, asks="?" in plain), sure, maybe)


def as_reference(word: str) -> str | None:
    """The word as a reference, O I L read as digits; None if it cannot be one."""
    ref = word.translate(_LOOKS_LIKE)
    if len(ref) != LENGTH or not CROCKFORD.issuperset(ref):
        return None
    has_both = any(c.isdigit() for c in ref) and any(c.isalpha() for c in ref)
    return ref if has_both else None


def _plain(text: str) -> str:
    """Capitals without accents, digits of every script as 0 to 9, no invisible marks."""
    shown = []
    for char in unicodedata.normalize("NFKD", text).translate(_APOSTROPHES):
        category = unicodedata.category(char)
        if category == "Nd":
            shown.append(str(unicodedata.digit(char)))
        elif category not in ("Cf", "Mn", "Cc") or char.isspace():
            shown.append(char)
    return "".join(shown).upper()


def _one(word: str) -> _Named | None:
    """A word without marks as a reference, with or without the joined letter."""
    if word in _KNOWN:
        return None
    for stem, passes in ((word, False), (word[:-1], word.endswith(PASS_LETTER))):
        ref = as_reference(stem)
        if ref is not None and (passes or stem == word):
            return _Named(ref, ref == stem, passes)
    return None


def _named(words: Sequence[str]) -> tuple[list[_Named], list[str]]:
    """The references among the words, and the other words. Marks inside a word are passed over."""
    named: list[_Named] = []
    rest: list[str] = []
    for word in words:
        parts = _PARTS.findall(word)
        joined = _joined(parts)
        if joined is not None:
            named.append(joined)
            continue
        for part in parts:
            one = _one(part)
            if one is not None:
                named.append(one)
            else:
                rest.append(part)
    return named, rest


def _joined(parts: Sequence[str]) -> _Named | None:
    """Parts that belong together as one reference: K7Q-2M, K7Q-2M-E, K-7-Q-2-M.

    None for 7Q2M-E: a reference that ends in E, or one that lost a character?
    """
    if any(_one(part) for part in parts):
        return _one(parts[0]) if len(parts) == 1 else None
    spelled = all(len(part) == 1 for part in parts)
    if len(parts) > 1 and parts[-1] == PASS_LETTER and not spelled:
        before = as_reference("".join(parts[:-1]))
        return _Named(before, before == "".join(parts[:-1]), True) if before else None
    return _one("".join(parts))


def _spelled(words: Sequence[str]) -> tuple[list[_Named], list[str]] | None:
    """One reference with spaces in it, among words that change nothing: take K7Q 2M, please."""
    parts = [part for word in words for part in _PARTS.findall(word)]
    # A single character may be a piece of the reference; a longer known word is not.
    known = {word for word in _KNOWN if len(word) > 1}
    pieces = [part for part in parts if part not in known]
    if len(pieces) < 2 or any(_one(piece) for piece in pieces):
        return None
    joined = _joined(pieces)
    if joined is None or not joined.is_sure:
        return None
    return [joined], [part for part in parts if part in known]


def _without_reference(found: set[str]) -> Meaning:
    asked = _YES | _TAKE | _PASS | {PASS_LETTER}
    return Meaning.BARE if found & asked and found <= asked | _CHAFF else Meaning.NOTHING


def _meaning(named: Sequence[_Named], found: set[str], *, asks: bool) -> Meaning:
    """What is to be done with the named reference; UNCLEAR rather than a guess."""
    passes = {one.passes for one in named}
    wanted = set()
    if passes == {True} or found & (_PASS | {PASS_LETTER}):
        wanted.add(Meaning.PASS_ON)
    if found & _CLOSE or found & _CLOSE_LETTERS:
        wanted.add(Meaning.CLOSE)
    if found & _TAKE or not wanted:
        wanted.add(Meaning.TAKE)
    if asks or found & _NOT or len(wanted) > 1 or len(passes) > 1:
        return Meaning.UNCLEAR
    (meaning,) = wanted
    plain = _YES | _TAKE | _PASS | _CHAFF | _CLOSE | _CLOSE_LETTERS | {PASS_LETTER}
    # One letter in a sentence of other words may be part of that sentence.
    if found & ({PASS_LETTER} | _CLOSE_LETTERS) and not found <= plain:
        return Meaning.UNCLEAR
    return meaning
