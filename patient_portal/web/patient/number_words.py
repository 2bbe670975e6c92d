"""Words around a typed number: what is wrong with it, and how a measure is shown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import Protocol
from patient_portal.words import Words, direction, format_number

Fields = MultiDict[str, str]
UNITS = {"temperature": ("c", "f"), "weight": ("kg", "lb")}
MOST_VALUES = 20


@dataclass(frozen=True)
class Asker:
    """What reading needs to know of who is asked. ``usual`` None = not known, all accepted."""

    protocol: Protocol
    words: Words
    country: str = ""
    usual: Collection[str] | None = None
    last_weight: Measure | None = None


def values(fields: Fields, key: str) -> list[str]:
    """What a field was posted with, each value once and none blank.

    Only different values are counted: a red one must not be lost behind many that are the same.
    """
    given = dict.fromkeys(value.strip() for value in fields.getlist(key))
    return [value for value in given if value][:MOST_VALUES]


EXAMPLES: Mapping[str, Decimal] = {
    "c": Decimal("36.7"),
    "f": Decimal("98.1"),
    "kg": Decimal("72.4"),
    "lb": Decimal("159.6"),
}
_SHOWN = {"c": "°C", "f": "°F", "kg": "kg", "lb": "lb"}


def shown(measure: Measure, asker: Asker) -> str:
    """A measure as its reader writes it, with its unit."""
    number = format_number(measure.value, asker.words.language, asker.country or None)
    text = f"{number} {_SHOWN[measure.unit]}"
    # Between right-to-left words the number would change places with its unit.
    return f"\u2066{text}\u2069" if direction(asker.words.language) == "rtl" else text


def _unit(fields: Fields, key: str) -> str:
    found = [unit for unit in values(fields, f"{key}_unit") if unit in UNITS[key]]
    return found[0] if found else UNITS[key][0]


def why(code: str, key: str, fields: Fields, asker: Asker) -> str:
    words, unit = asker.words, _unit(fields, key)
    example = format_number(EXAMPLES[unit], asker.words.language, asker.country or None)
    if code == "differ":
        return words.safety("You tapped one number and typed another. Give one number only.")
    if code == "both":
        return words.safety("You gave a number and said that you did not measure. Which is right?")
    if code == "half":
        return words.safety("Tap one number in each row.")
    if code == "no_unit":
        return words.safety("Say which unit you use.")
    if code in ("unit_differs", "unit_unclear"):
        return words.safety("The unit you typed is not %(unit)s. Change the number or the unit.",
                   unit=_SHOWN[unit])  # fmt: skip
    if key == "weight":
        return words.safety("Enter your weight with numbers, like %(example)s", example=example)
    return words.safety("Enter your temperature with numbers, like %(example)s", example=example)


def out_of_range(found: Measure, asker: Asker) -> str:
    words = asker.words
    number = format_number(found.value, asker.words.language, asker.country or None)
    match found.unit:
        case "c":
            return words.safety("A temperature is between 34 and 43 °C. You typed %(number)s.",
                       number=number)  # fmt: skip
        case "f":
            return words.safety("A temperature is between 93 and 109 °F. You typed %(number)s.",
                       number=number)  # fmt: skip
        case "kg":
            return words.safety("A weight is between 25 and 300 kg. You typed %(number)s.",
                       number=number)  # fmt: skip
    return words.safety("A weight is between 55 and 662 lb. You typed %(number)s.", number=number)
