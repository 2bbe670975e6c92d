"""Numbers people type: reading them without guessing, and asking again when they look odd.

Locale parsing is not used on purpose: in one locale "37,8" reads as 37.8, in another as 378.
"""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

KG_PER_LB = Decimal("0.45359237")  # exact, by definition of the international pound

PLAUSIBLE: dict[str, tuple[Decimal, Decimal]] = {
    "c": (Decimal("34.0"), Decimal("43.0")),
    "f": (Decimal("93.0"), Decimal("109.4")),
    "kg": (Decimal("25"), Decimal("300")),
    "lb": (Decimal("55"), Decimal("662")),
    "percent": (Decimal("50"), Decimal("100")),
    "mmhg": (Decimal("40"), Decimal("300")),
}
OTHER_UNIT = {"c": "f", "f": "c", "kg": "lb", "lb": "kg"}

BIG_CHANGE_KG = Decimal("7")
BIG_CHANGE_SHARE = Decimal("0.10")
# A pound reading taken for kilograms (or the reverse) is off by 2.2, give or take a real change.
SWAPPED_UP = (Decimal("2.0"), Decimal("2.4"))
SWAPPED_DOWN = (Decimal("0.42"), Decimal("0.49"))

_LONGEST_TEXT = 40
_SEPARATORS = ".,·٫"
_BIDI_MARKS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_UNIT_WORDS = {
    "kg": "kg", "kgs": "kg", "kilo": "kg", "kilos": "kg", "كغ": "kg", "كجم": "kg",
    "किग्रा": "kg", "公斤": "kg", "千克": "kg",
    "lb": "lb", "lbs": "lb", "pounds": "lb", "磅": "lb",
    "°c": "c", "c": "c", "°f": "f", "f": "f", "°": None,
}  # fmt: skip
_UNIT_OF_TWO_SIZES = "斤"
_NUMBER = re.compile(r"(?P<whole>[0-9]+)(?:[.](?P<part>[0-9]+))?")


class Reask(ValueError):
    """The text cannot be read as one number; `reason_code` says why, so the page can ask again."""

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason_code)
        self.reason_code = reason_code


@dataclass(frozen=True, slots=True)
class Measure:
    """A number exactly as it was entered, with its unit: c, f, kg, lb, percent or mmhg."""

    value: Decimal
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in PLAUSIBLE:
            raise ValueError(f"{self.unit!r} is not a known unit")
        if not self.value.is_finite():
            raise ValueError("a measure must be a finite number")

    @property
    def kilograms(self) -> Decimal:
        """A weight in kilograms, converted exactly; raises ValueError for other units."""
        if self.unit == "kg":
            return self.value
        if self.unit == "lb":
            return self.value * KG_PER_LB
        raise ValueError(f"{self.unit!r} is not a unit of weight")

    @property
    def is_plausible(self) -> bool:
        """Whether the value lies in the range a living adult can have in this unit."""
        low, high = PLAUSIBLE[self.unit]
        return low <= self.value <= high


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a readable number is asked again.

    Codes: `out_of_range` and `looks_like_other_unit` cannot be saved as they stand;
    `unit_swap` and `big_change` can, once the person confirms them.
    """

    code: str
    suggestion: Measure | None = None

    @property
    def can_be_confirmed(self) -> bool:
        return self.code in ("unit_swap", "big_change")


def parse_measure(text: str) -> Decimal:
    """The one number in `text`; comma or point, any script's digits, unit words dropped.

    Raises Reask (empty, too_long, unit_unclear, space_inside, two_separators, too_many_digits,
    not_a_number) rather than guess. Prefer `read_measure`, which also compares a typed unit.
    """
    return _parse(text)[0]


def read_measure(text: str, unit: str) -> Measure:
    """The number in `text` in the chosen `unit`.

    Raises Reask as `parse_measure` does, and Reask("unit_differs") when the person typed
    another unit than the one chosen beside the field ("159 lb" in a kilogram field).
    """
    value, typed = _parse(text)
    if typed is not None and typed != unit:
        raise Reask("unit_differs")
    return Measure(value, unit)


def _parse(text: str) -> tuple[Decimal, str | None]:
    if len(text) > _LONGEST_TEXT:
        raise Reask("too_long")
    # Superscripts and fractions would turn into plain digits under NFKC: 7² must not read as 72.
    if any(unicodedata.category(char) in ("No", "Nl") for char in text):
        raise Reask("not_a_number")
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(_ascii_digit(char) for char in _outer_stripped(plain))
    number, unit = _split_unit(plain)
    return _plain_number(number), unit


def _outer_stripped(text: str) -> str:
    """Without spaces and direction marks at the ends; inside a number they are not dropped."""
    return text.strip(string.whitespace + _BIDI_MARKS)


def _ascii_digit(char: str) -> str:
    return str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char


def _split_unit(plain: str) -> tuple[str, str | None]:
    for word in sorted(_UNIT_WORDS, key=len, reverse=True):
        if plain.endswith(word):
            return _outer_stripped(plain.removesuffix(word)), _UNIT_WORDS[word]
    if plain.endswith(_UNIT_OF_TWO_SIZES):
        raise Reask("unit_unclear")
    return plain, None


def _plain_number(number: str) -> Decimal:
    if not number:
        raise Reask("empty")
    if any(char.isspace() for char in number):
        raise Reask("space_inside")
    if sum(number.count(mark) for mark in _SEPARATORS) > 1:
        raise Reask("two_separators")
    for mark in _SEPARATORS:
        number = number.replace(mark, ".")
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise Reask("not_a_number")
    if len(match["whole"]) > 3 or len(match["part"] or "") > 2:
        raise Reask("too_many_digits")
    return Decimal(number)


def check_temperature(measure: Measure) -> Doubt | None:
    """Why a temperature (c or f) must be asked again, or None.

    With `looks_like_other_unit` the suggestion is to be treated as the reading, fever
    included, until the person has answered.
    """
    return _range_doubt(measure)


def check_weight(measure: Measure, last: Measure | None = None) -> Doubt | None:
    """Why a weight (kg or lb) must be asked again, or None; `last` is the weight before."""
    doubt = _range_doubt(measure)
    if doubt is not None or last is None:
        return doubt
    now, before = measure.kilograms, last.kilograms
    if looks_swapped(measure, last):
        other = Measure(measure.value, OTHER_UNIT[measure.unit])
        return Doubt("unit_swap", other if other.is_plausible else None)
    if abs(now - before) > BIG_CHANGE_KG or abs(now - before) > BIG_CHANGE_SHARE * before:
        return Doubt("big_change")
    return None


def looks_swapped(one: Measure, other: Measure) -> bool:
    """Whether two weights differ as if one of them were in the wrong unit."""
    now, before = one.kilograms, other.kilograms
    return any(low * before <= now <= high * before for low, high in (SWAPPED_UP, SWAPPED_DOWN))


def _range_doubt(measure: Measure) -> Doubt | None:
    if measure.is_plausible:
        return None
    other = Measure(measure.value, OTHER_UNIT[measure.unit])
    if other.is_plausible:
        return Doubt("looks_like_other_unit", other)
    shifted = Measure(measure.value / 10, measure.unit)
    if measure.value == measure.value.to_integral_value() and shifted.is_plausible:
        return Doubt("out_of_range", shifted)
    return Doubt("out_of_range")
