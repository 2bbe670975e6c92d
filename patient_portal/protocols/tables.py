"""Reading TOML strictly: every key is asked for by name and type, and knows its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_LINE_IN_MESSAGE = re.compile(r"\(at line (\d+), column \d+\)")


class ProtocolError(Exception):
    """A protocol that is refused: `file`, `line` (counted from 1) and `reason`."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass
class Table:
    """One table of the file. Keys that nobody asked for are refused by `done`."""

    file: str
    line: int
    name: str
    values: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    def fail(self, reason: str, key: str = "") -> ProtocolError:
        """The error to raise about this table, at the line of `key` if it has one."""
        return ProtocolError(self.file, self.lines.get(key, self.line), f"{self.name}: {reason}")

    def done(self) -> None:
        """Refuse any key that was not asked for."""
        for key in self.values:
            if key not in self._asked:
                raise self.fail(f"unknown key {key!r}", key)

    def has(self, key: str) -> bool:
        """Whether the key is there; it counts as asked for."""
        self._asked.add(key)
        return key in self.values

    def _get(self, key: str, wanted: str, *types: type) -> Any:
        if not self.has(key):
            raise self.fail(f"{key!r} is missing")
        value = self.values[key]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise self.fail(f"{key!r} must be {wanted}", key)
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A string, not empty; `default` if the key is absent."""
        if default is not None and not self.has(key):
            return default
        value: str = self._get(key, "a text", str)
        if not value.strip():
            raise self.fail(f"{key!r} is empty", key)
        return value

    def may_be_empty(self, key: str) -> str:
        """A string that may have nothing in it yet."""
        return str(self._get(key, "a text", str)).strip()

    def word(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """A string out of `allowed`."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.fail(f"{key!r} is {value!r}, not one of {', '.join(allowed)}", key)
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """A boolean."""
        if default is not None and not self.has(key):
            return default
        return bool(self._get(key, "true or false", bool))

    def whole(self, key: str) -> int | None:
        """A whole number, or None if absent."""
        return int(self._get(key, "a whole number", int)) if self.has(key) else None

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of strings."""
        if default is not None and not self.has(key):
            return default
        values = self._get(key, "a list of texts", list)
        if not all(isinstance(value, str) for value in values):
            raise self.fail(f"{key!r} must be a list of texts", key)
        return tuple(values)

    def values_of(self, key: str) -> tuple[str | bool, ...]:
        """A list of answer values: words, or true and false; empty if absent."""
        if not self.has(key):
            return ()
        values = self._get(key, "a list of answer values", list)
        if not values or not all(isinstance(value, str | bool) for value in values):
            raise self.fail(f"{key!r} must be a list of answer values", key)
        return tuple(values)

    def limits(self, key: str, units: tuple[str, ...]) -> dict[str, Decimal]:
        """A table of one number for each unit; empty if absent."""
        if not self.has(key):
            return {}
        values = self._get(key, "a table of numbers by unit", dict)
        if tuple(sorted(values)) != tuple(sorted(units)):
            given = ", ".join(values) or "nothing"
            raise self.fail(f"{key!r} has {given}; it needs {', '.join(units)}", key)
        for unit, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | Decimal):
                raise self.fail(f"{key!r}: {unit} must be a number", key)
            if not Decimal(value).is_finite():
                raise self.fail(f"{key!r}: {unit} must be a finite number", key)
        return {unit: Decimal(values[unit]) for unit in units}

    def inner(self, key: str) -> Table | None:
        """A table inside this one, on the line of its key; None if absent."""
        if not self.has(key):
            return None
        values = self._get(key, "a table", dict)
        return Table(self.file, self.lines.get(key, self.line), f"{self.name} {key}", values)

    def rows(self, key: str) -> list[Table]:
        """A list of tables inside this one; empty if absent."""
        if not self.has(key):
            return []
        values = self._get(key, "a list of tables", list)
        if not all(isinstance(value, dict) for value in values):
            raise self.fail(f"{key!r} must be a list of tables", key)
        line = self.lines.get(key, self.line)
        return [
            Table(self.file, line, f"{self.name} {key} {number}", value)
            for number, value in enumerate(values, start=1)
        ]


def known_only(row: Table, key: str, names: Iterable[object], known: Iterable[object]) -> None:
    """Raise ProtocolError at the line of `key` for a name that is not known."""
    allowed = list(known)
    for name in names:
        if name not in allowed:
            listed = ", ".join(value_shown(one) for one in allowed)
            raise row.fail(f"{key!r}: {value_shown(name)} is not one of {listed}", key)


def value_shown(value: object) -> str:
    """A value as the file has it: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_tables(source: str, file: str, names: Mapping[str, bool]) -> dict[str, list[Table]]:
    """The file's tables by name; `names` says for each allowed one whether it is a list.

    Raises ProtocolError for text that is not TOML and for a table of another name or kind.
    """
    try:
        document = tomllib.loads(source, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        found = _LINE_IN_MESSAGE.search(str(error))
        line = int(found[1]) if found else len(source.splitlines()) or 1
        raise ProtocolError(file, line, f"not TOML: {error}") from None
    except (ValueError, RecursionError):
        longest = max(enumerate(_lines(source), start=1), key=lambda one: len(one[1]))
        reason = "not TOML: a number too long, or brackets too deep"
        raise ProtocolError(file, longest[0], reason) from None
    headers, top_keys = _places(source)
    for key, value in document.items():
        places = headers.get(key, [])
        line = places[0][0] if places else top_keys.get(key, 1)
        if key not in names:
            raise ProtocolError(file, line, f"unknown table {key!r}")
        rows = value if names[key] else [value]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            kind = f"[[{key}]]" if names[key] else f"[{key}]"
            raise ProtocolError(file, line, f"{key!r} must be written as {kind}")
        if len(rows) != len(places):
            raise ProtocolError(file, line, f"{key!r} must be written in tables of its own")
    return {
        key: [
            Table(file, line, _name(key, row), row, lines)
            for (line, lines), row in zip(
                headers.get(key, []),
                document.get(key, []) if is_list else [document[key]] if key in document else [],
                strict=True,
            )
        ]
        for key, is_list in names.items()
    }


def _decimal(text: str) -> Decimal:
    """The number; not a number where its exponent is beyond every machine, refused later."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _lines(source: str) -> list[str]:
    """Lines as TOML and editors count them: other breaks of Unicode are text."""
    return source.replace("\r\n", "\n").split("\n")


def _name(key: str, row: Mapping[str, Any]) -> str:
    id = row.get("id") or row.get("key") or row.get("code") or row.get("value") or ""
    return f"{key} {id}".strip()


def _places(source: str) -> tuple[dict[str, list[tuple[int, dict[str, int]]]], dict[str, int]]:
    """Where each table and each of its keys stands, as (line, key -> line) by table name."""
    headers: dict[str, list[tuple[int, dict[str, int]]]] = {}
    top_keys: dict[str, int] = {}
    keys = top_keys
    for number, line in enumerate(_lines(source), start=1):
        header = _HEADER.match(line)
        if header:
            keys = {}
            headers.setdefault(header[2], []).append((number, keys))
        elif found := _KEY.match(line):
            keys.setdefault(found[1], number)
    return headers, top_keys
