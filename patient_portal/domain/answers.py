"""Checking answers as they come in: known keys, allowed values, numbers a person can have.

What passes keeps the words it was given ("not_sure", "usual", "not_measured"); nothing is
guessed or filled in. `domain.triage` decides what each answer counts as.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, pairwise

from patient_portal.domain.measures import OTHER_UNIT, PLAUSIBLE, Measure, looks_swapped
from patient_portal.domain.protocol import NOT_MEASURED, NOT_SURE, Item, Protocol, Value

Answers = Mapping[str, object]

NONE_OF_THESE = "none"
MOST_DIGITS = 15
MOST_ROWS = 1000
FURTHEST_DAY = 36_500
# Two temperatures of one check-in may differ by 0.3 °C, which is 0.54 °F.
MOST_APART_F = Decimal("0.54")
_LONGEST_SHOWN = 60


class AnswerError(ValueError):
    """An answer that cannot be accepted: `path` says which, `message` what is allowed."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def shown(value: object) -> str:
    """A value as error messages show it: as JSON would, cut if it is long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def validate_answers(
    protocol: Protocol, raw: object, *, path: str = "answers"
) -> dict[str, object]:
    """The answers of one check-in, checked; absent (null) ones are left out.

    Numbers come back as Decimal, `red_flags` as a tuple, `weight_series` as a tuple of
    (day, Decimal, unit), everything else as given.

    Raises:
        AnswerError: an unknown key, a wrong type, a value that is not offered or not
            plausible, days out of order, or two temperatures that do not agree.
    """
    return _validate(protocol, raw, path, nested=False)


def _validate(protocol: Protocol, raw: object, path: str, *, nested: bool) -> dict[str, object]:
    given = mapping(path, raw)
    readers = _readers(protocol, nested)
    known = ", ".join(sorted(readers))
    checked: dict[str, object] = {}
    for key, value in given.items():
        reader = readers.get(key)
        here = f"{path}.{key if len(key) <= _LONGEST_SHOWN else key[:_LONGEST_SHOWN] + '…'}"
        if reader is None:
            raise AnswerError(here, f"unknown key; known are {known}")
        if value is not None:
            checked[key] = reader(here, value)
    _check_units(path, checked)
    _check_temperatures(path, checked)
    _check_weights(path, checked)
    return checked


Reader = Callable[[str, object], object]


@lru_cache(maxsize=32)
def _readers(protocol: Protocol, nested: bool) -> dict[str, Reader]:
    readers: dict[str, Reader] = {
        "temperature": lambda path, value: _or_not_measured(path, value, None),
        "temperature_unit": lambda path, value: one_of(path, value, ("c", "f")),
        "temperature_c": lambda path, value: _or_not_measured(path, value, "c"),
        "temperature_f": lambda path, value: _or_not_measured(path, value, "f"),
        "weight": lambda path, value: _or_not_measured(path, value, None),
        "weight_unit": lambda path, value: one_of(path, value, ("kg", "lb")),
        "weight_series": _series,
        "baseline_kg": lambda path, value: _number(path, value, "kg"),
    }
    if not nested:
        readers["yesterday"] = lambda path, value: _validate(protocol, value, path, nested=True)
    for item in protocol.items:
        if item.kind in ("percent", "mmhg"):
            readers[item.key] = _reader_of_number(item.kind)
        elif item.kind == "flags":
            readers[item.key] = _reader_of_flags(item)
        elif item.key not in readers:
            readers[item.key] = _reader_of_option(item)
    return readers


def _reader_of_number(unit: str) -> Reader:
    return lambda path, value: _or_not_measured(path, value, unit)


def _reader_of_option(item: Item) -> Reader:
    values = accepted(item)
    return lambda path, value: one_of(path, value, values)


def _reader_of_flags(item: Item) -> Reader:
    def read(path: str, value: object) -> tuple[object, ...]:
        flags = [value] if value == NONE_OF_THESE else a_list(path, value)
        for number, flag in enumerate(flags):
            one_of(f"{path}[{number}]", flag, item.values)
        # "None of these" beside a flag never calms it.
        return tuple(dict.fromkeys(flag for flag in flags if flag != NONE_OF_THESE))

    return read


def with_unticked(
    protocol: Protocol, answers: Answers, ticks: Sequence[str] | None
) -> dict[str, object]:
    """The answers, with "no" to each row of the "anything else" list that was not ticked.

    `ticks` is None when the list was not answered yet: then nothing is known of its rows.
    """
    if ticks is None:
        return dict(answers)
    unticked = [key for tick in protocol.ticks if tick.value not in ticks for key in tick.items]
    return {**{key: protocol.item(key).values[0] for key in unticked}, **answers}


def accepted(item: Item) -> tuple[Value, ...]:
    """The values that may be given for an item, "not_sure" included."""
    return item.values if item.not_sure is None else (*item.values, NOT_SURE)


def value_from_text(item: Item, text: str) -> Value:
    """A form field's text as the item's value ("true" becomes true).

    Raises AnswerError for a value that the item does not have.
    """
    for value in accepted(item):
        if text == (str(value).lower() if isinstance(value, bool) else value):
            return value
    raise AnswerError(item.key, _not_one_of(text, accepted(item)))


def mapping(path: str, value: object) -> Mapping[str, object]:
    """The value as an object with text keys; raises AnswerError."""
    if not isinstance(value, Mapping):
        raise AnswerError(path, f"{shown(value)} is not an object")
    for key in value:
        if not isinstance(key, str):
            raise AnswerError(path, f"key {shown(key)} is not a text")
    return value


def a_list(path: str, value: object) -> Sequence[object]:
    """The value as a list of bounded length; raises AnswerError."""
    if not isinstance(value, list | tuple):
        raise AnswerError(path, f"{shown(value)} is not a list")
    if len(value) > MOST_ROWS:
        raise AnswerError(path, f"{len(value)} entries are too many; {MOST_ROWS} are allowed")
    return value


def one_of(path: str, value: object, allowed: Sequence[Value]) -> Value:
    """The value, if it is one of `allowed` (1 is not true); raises AnswerError."""
    for one in allowed:
        if type(one) is type(value) and one == value:
            return one
    raise AnswerError(path, _not_one_of(value, allowed))


def _not_one_of(value: object, allowed: Sequence[Value]) -> str:
    listed = ", ".join(str(one).lower() if isinstance(one, bool) else one for one in allowed)
    return f"{shown(value)} is not one of {listed}"


def whole(path: str, value: object) -> int:
    """The value as a day or another whole number of believable size; raises AnswerError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise AnswerError(path, f"{shown(value)} is not a whole number")
    if abs(value) > FURTHEST_DAY:
        raise AnswerError(path, f"{shown(value)} is not between -{FURTHEST_DAY} and {FURTHEST_DAY}")
    return value


def _or_not_measured(path: str, value: object, unit: str | None) -> object:
    return value if value == NOT_MEASURED else _number(path, value, unit)


def _number(path: str, value: object, unit: str | None) -> Decimal:
    """An exact, finite number, plausible in its unit where the unit is known."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
        raise AnswerError(path, f"{shown(value)} is not a number")
    # The shortest text of a float is what was written: 37.8 stays 37.8.
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise AnswerError(path, f"{shown(value)} is not a finite number")
    if unit is not None:
        _check_plausible(path, number, unit)
    if len(number.as_tuple().digits) > MOST_DIGITS:
        raise AnswerError(path, f"{shown(value)} has more than {MOST_DIGITS} digits")
    return number


def _check_plausible(path: str, number: Decimal, unit: str) -> None:
    low, high = PLAUSIBLE[unit]
    if low <= number <= high:
        return
    other = OTHER_UNIT.get(unit, "")
    hint = ""
    if other and Measure(number, other).is_plausible:
        hint = f"; it would fit {other}"
    raise AnswerError(path, f"{shown(number)} is not between {low} and {high} ({unit}){hint}")


def _series(path: str, value: object) -> tuple[tuple[int, Decimal, str], ...]:
    rows: list[tuple[int, Decimal, str]] = []
    for number, raw in enumerate(a_list(path, value)):
        here = f"{path}[{number}]"
        row = a_list(here, raw)
        if len(row) not in (2, 3):
            raise AnswerError(here, "is not [day, kg] or [day, value, unit]")
        unit = str(one_of(f"{here}[2]", row[2], ("kg", "lb"))) if len(row) == 3 else "kg"
        day = whole(f"{here}[0]", row[0])
        if rows and day <= rows[-1][0]:
            raise AnswerError(f"{here}[0]", f"day {day} is not after day {rows[-1][0]}")
        rows.append((day, _number(f"{here}[1]", row[1], unit), unit))
    for number, (before, after) in enumerate(pairwise(rows), start=1):
        _check_swap(f"{path}[{number}]", Measure(*after[1:]), Measure(*before[1:]))
    return tuple(rows)


def _check_swap(path: str, one: Measure, other: Measure) -> None:
    if looks_swapped(one, other):
        raise AnswerError(
            path, f"{one.value} {one.unit} after {other.value} {other.unit} looks like another unit"
        )


def _check_units(path: str, checked: dict[str, object]) -> None:
    for key, unit_key in (("temperature", "temperature_unit"), ("weight", "weight_unit")):
        number, unit = checked.get(key), checked.get(unit_key)
        if not isinstance(number, Decimal):
            continue
        if unit is None:
            raise AnswerError(f"{path}.{unit_key}", f"is missing beside {key}")
        _check_plausible(f"{path}.{key}", number, str(unit))


def _check_temperatures(path: str, checked: dict[str, object]) -> None:
    in_f: list[tuple[str, Decimal]] = []
    for key, unit in (
        ("temperature", str(checked.get("temperature_unit"))),
        ("temperature_c", "c"),
        ("temperature_f", "f"),
    ):
        number = checked.get(key)
        if isinstance(number, Decimal):
            in_f.append((key, number if unit == "f" else number * 9 / 5 + 32))
    for (one, first), (other, second) in combinations(in_f, 2):
        if abs(first - second) > MOST_APART_F:
            raise AnswerError(f"{path}.{other}", f"differs from {one} by more than 0.3 °C")


def _check_weights(path: str, checked: dict[str, object]) -> None:
    series = checked.get("weight_series")
    today = checked.get("weight")
    if series and isinstance(today, Decimal):
        raise AnswerError(f"{path}.weight", "give weight or weight_series, not both")
    baseline = checked.get("baseline_kg")
    if isinstance(baseline, Decimal) and isinstance(series, tuple) and series:
        last = Measure(*series[-1][1:])
        _check_swap(f"{path}.baseline_kg", Measure(baseline, "kg"), last)
