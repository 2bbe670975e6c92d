"""How many parts a text is sent in. One character outside GSM-7 turns the whole text into UCS-2."""

import unicodedata
from dataclasses import dataclass

# GSM 03.38, the basic table and the extension table, whose characters take two places.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"
_KNOWN = frozenset(_BASIC + _EXTENDED)
LARGEST_TEXT = 1600  # characters; the gateway refuses more


@dataclass(frozen=True)
class Segments:
    """``parts`` as they are paid for; ``odd`` are the characters that GSM-7 does not have."""

    parts: int
    units: int
    is_gsm7: bool
    odd: str


def count(body: str) -> Segments:
    """Count the parts of a text, without any character being replaced."""
    odd = "".join(sorted(set(body) - _KNOWN))
    if odd:
        units = len(body.encode("utf-16-le")) // 2
        return Segments(_parts(units, 70, 67), units, is_gsm7=False, odd=odd)
    units = len(body) + sum(map(body.count, _EXTENDED))
    return Segments(_parts(units, 160, 153), units, is_gsm7=True, odd="")


def as_gsm7(name: str) -> str:
    """A name as GSM-7 can hold it: marks that it lacks are dropped ("García" to "Garcia").

    Other alphabets stay as they are.
    """
    return "".join(c if c in _KNOWN else _unmarked(c) for c in name)


def _unmarked(character: str) -> str:
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c)
    )
    return plain if plain and all(c in _BASIC for c in plain) else character


def _parts(units: int, alone: int, joined: int) -> int:
    return 1 if units <= alone else -(-units // joined)
