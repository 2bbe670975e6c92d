"""Whole numbers, codes and dates as people type them, with the digits of any script."""

import unicodedata
from datetime import date

_LONGEST = 40
# Marks of direction and width that phones paste around numbers.
_INVISIBLE = dict.fromkeys(
    [0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
)
EARLIEST_BIRTH_YEAR = 1900


class NotReadable(ValueError):
    """The text is not what was asked for."""


def with_latin_digits(text: str) -> str:
    """The text with digits of other scripts as 0 to 9, without marks and spaces around it."""
    # Superscripts and fractions would become plain digits under NFKC: 19² must not read as 192.
    if any(unicodedata.category(char) in ("No", "Nl") for char in text):
        raise NotReadable(text)
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).strip()
    return "".join(
        str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char
        for char in plain
    )


def read_whole(text: str, least: int, most: int) -> int:
    """The whole number in ``text``. Raises NotReadable, also outside ``least`` to ``most``."""
    if len(text) > _LONGEST:
        raise NotReadable(text[:_LONGEST])
    plain = with_latin_digits(text)
    if not (plain.isascii() and plain.isdigit()) or not least <= int(plain) <= most:
        raise NotReadable(text)
    return int(plain)


def read_birth_year(text: str, this_year: int) -> int:
    """A year of birth in four digits. Raises NotReadable; "59" could be two people."""
    return read_whole(text, EARLIEST_BIRTH_YEAR, this_year)


def read_code(text: str, digits: int) -> str:
    """A code of so many digits; spaces and hyphens inside do not matter. Raises NotReadable."""
    if len(text) > _LONGEST:
        raise NotReadable(text[:_LONGEST])
    plain = "".join(char for char in with_latin_digits(text) if char not in " -\u2010\u2011")
    if not (plain.isascii() and plain.isdigit()) or len(plain) != digits:
        raise NotReadable(text)
    return plain


def read_date(text: str) -> date:
    """A date written as year-month-day. Raises NotReadable; 4/11 could be two days."""
    if len(text) > _LONGEST:
        raise NotReadable(text[:_LONGEST])
    year, *rest = with_latin_digits(text).replace("/", "-").replace(".", "-").split("-")
    if len(year) != 4 or len(rest) != 2:
        raise NotReadable(text)
    return date_of_parts(rest[1], rest[0], year)


def date_of_parts(day: str, month: str, year: str) -> date:
    """A date typed in three fields. Raises NotReadable, also for a day that no month has."""
    try:
        return date(read_whole(year, 1900, 2200), read_whole(month, 1, 12), read_whole(day, 1, 31))
    except ValueError:
        raise NotReadable(f"{year}-{month}-{day}"[:_LONGEST]) from None
