"""Loading a protocol file. What cannot be right is refused with its file, line and reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeVar

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import (
    Band,
    Condition,
    Drug,
    Follows,
    Gauge,
    Item,
    Option,
    Protocol,
    Rule,
    Source,
    Tick,
    Value,
)
from patient_portal.protocols import beyond
from patient_portal.protocols.checks import ID, check
from patient_portal.protocols.tables import ProtocolError, Table, read_tables

__all__ = ["ProtocolError", "current", "kept", "load", "read"]

CURRENT = Path(__file__).with_name("ds-1.0.toml")

TABLES = {
    "protocol": False,
    "source": True,
    "drug": True,
    "item": True,
    "tick": True,
    "gauge": True,
    "band": True,
    "condition": True,
    "rule": True,
    **beyond.TABLES,
}
STATES = ("read", "secondary", "unverified", "opinion")
ITEM_KINDS = ("choice", "flag", "flags", "temperature", "weight", "percent", "mmhg")
WORSE_ENDS = ("high", "low", "both")
GAUGE_KINDS = ("reading", "gain", "loss", "gain_percent", "over_baseline", "crossing", "rise")
UNITS = ("c", "f", "kg", "lb", "percent", "mmhg")
WINDOWS = ("any", "in", "out")
SELECTORS = ("all", "qt", "not_qt", "apl", "not_apl", "lists", "not_lists")
SETTINGS = ("uk_lines", "warm_line")
MOST_DAYS = 3650  # of therapy, in a window
LEVELS = tuple(level.code for level in TriageLevel)

Row = TypeVar("Row")


@cache
def current() -> Protocol:
    """The protocol in force, read once; raises ProtocolError if the shipped file is broken."""
    return load(CURRENT)


def kept(id: str) -> Protocol:
    """The protocol of this id: in force, or an earlier one whose file is still here.

    Raises:
        LookupError: no file of the package has this id.
        ProtocolError: the file is no longer what these rules of reading ask for.
    """
    if current().id == id:
        return current()
    path = CURRENT.parent / f"{id}.toml"
    if not ID.fullmatch(id) or not path.is_file():
        raise LookupError(f"protocol {id!r} is not kept")
    return load(path)


def load(path: str | Path) -> Protocol:
    """Read and check a protocol file.

    Raises:
        ProtocolError: with file, line and reason, for anything that is missing, unknown,
            doubled, unsourced, overlapping or left unclassified.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        source = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ProtocolError(str(path), line, "not UTF-8 text") from None
    return read(source, str(path))


def read(source: str, file: str) -> Protocol:
    """The protocol in `source`; `file` is named in errors. Raises as `load` does."""
    tables = read_tables(source, file, TABLES)
    for name, rows in tables.items():
        if not rows and name != "tick":
            raise ProtocolError(file, 1, f"there is no table {name!r}")
    head = tables["protocol"][0]
    units = {row.text("id"): row.texts("units") for row in tables["gauge"]}
    protocol = Protocol(
        id=head.text("id"),
        version=head.text("version"),
        status=head.text("status"),
        title=head.text("title"),
        sources=_each(tables["source"], _source),
        drugs=_each(tables["drug"], _drug),
        items=_each(tables["item"], _item),
        ticks=_each(tables["tick"], _tick),
        gauges=_each(tables["gauge"], _gauge),
        bands=_each(tables["band"], lambda row: _band(row, units)),
        conditions=_each(tables["condition"], _condition),
        rules=_each(tables["rule"], _rule) + _word_rules(tables),
        beyond=beyond.read_beyond(tables),
        authors=head.texts("authors"),
        sign_offs=_each(tables["sign_off"], beyond.read_sign_off),
    )
    head.done()
    for name in beyond.TABLES:
        for row in tables[name]:
            row.done()
    check(protocol, tables)
    return protocol


def _word_rules(tables: dict[str, list[Table]]) -> tuple[Rule, ...]:
    return tuple(beyond.words_of(row) for name in beyond.RULES for row in tables[name])


def _each(rows: Iterable[Table], make: Callable[[Table], Row]) -> tuple[Row, ...]:
    made = []
    for row in rows:
        made.append(make(row))
        row.done()
    return tuple(made)


def _source(row: Table) -> Source:
    return Source(row.text("id"), row.text("title"), row.word("state", STATES))


def _drug(row: Table) -> Drug:
    window = None
    if row.has("window"):
        days = row.values["window"]
        whole = isinstance(days, list) and all(type(day) is int for day in days)
        if not whole or len(days) != 2 or not 1 <= days[0] <= days[1] <= MOST_DAYS:
            raise row.fail(
                f"'window' must be [first day, last day], from 1 to {MOST_DAYS}", "window"
            )
        window = (days[0], days[1])
    return Drug(
        code=row.text("code"),
        name=row.text("label"),
        window=window,
        qt=row.flag("qt"),
        apl=row.flag("apl"),
        lists=frozenset(row.texts("lists")),
        sources=row.texts("sources"),
    )


def _item(row: Table) -> Item:
    options = tuple(_option(option) for option in row.rows("options"))
    follows = row.inner("follows")
    item = Item(
        key=row.text("key"),
        kind=row.word("kind", ITEM_KINDS),
        step=row.text("step"),
        label=row.text("label"),
        question=row.text("question"),
        hint=row.text("hint", ""),
        options=options,
        not_sure=_value(row, "not_sure"),
        worse=row.values_of("worse"),
        follows=Follows(follows.text("item"), follows.values_of("is")) if follows else None,
    )
    if follows:
        follows.done()
    return item


def _option(row: Table) -> Option:
    value = _value(row, "value")
    if value is None:
        raise row.fail("'value' is missing")
    option = Option(value, row.text("label"), row.text("hint", ""), row.flag("on_screen", True))
    row.done()
    return option


def _value(row: Table, key: str) -> Value | None:
    if not row.has(key):
        return None
    value = row.values[key]
    if not isinstance(value, str | bool) or value == "":
        raise row.fail(f"{key!r} must be a word, true or false", key)
    return value


def _tick(row: Table) -> Tick:
    return Tick(row.text("value"), row.text("label"), row.texts("items"), row.text("hint", ""))


def _gauge(row: Table) -> Gauge:
    units = row.texts("units")
    if not units or not set(units) <= set(UNITS):
        raise row.fail(f"'units' must be out of {', '.join(UNITS)}", "units")
    small = row.whole("below_baseline_kg")
    gauge = Gauge(
        id=row.text("id"),
        item=row.text("item"),
        kind=row.word("kind", GAUGE_KINDS),
        units=units,
        worse=row.word("worse", WORSE_ENDS, "high"),
        days=row.whole("days"),
        below_baseline_kg=None if small is None else Decimal(small),
        step=row.limits("step", units),
    )
    if (gauge.days is None) is (gauge.kind in ("gain", "loss", "gain_percent", "rise")):
        raise row.fail(f"'days' is for gains and losses, and they need it ({gauge.kind})", "days")
    if bool(gauge.step) is not (gauge.kind == "crossing"):
        raise row.fail(f"'step' is for a crossing, and it needs one ({gauge.kind})", "step")
    if row.has("worse") is not (gauge.kind == "reading"):
        raise row.fail(f"'worse' is for readings, and they need it ({gauge.kind})", "worse")
    return gauge


def _band(row: Table, units: dict[str, tuple[str, ...]]) -> Band:
    gauge = row.word("gauge", tuple(units))
    return Band(
        id=row.text("id"),
        gauge=gauge,
        window=row.word("window", WINDOWS, "any"),
        lower=row.limits("from", units[gauge]),
        upper=row.limits("below", units[gauge]),
        against=row.word("against", ("lowest", "lowest_mean"), "lowest"),
    )


def _condition(row: Table) -> Condition:
    condition = Condition(
        id=row.text("id"),
        item=row.text("item", ""),
        values=row.values_of("is"),
        bands=row.texts("bands", ()),
        missing=row.flag("missing", False),
        measured=row.flag("measured", False),
        yesterday=row.flag("yesterday", False),
        setting=row.word("setting", SETTINGS) if row.has("setting") else "",
        any_of=row.texts("any_of", ()),
        all_of=row.texts("all_of", ()),
    )
    is_about = (condition.values, condition.bands, condition.missing, condition.measured)
    about_item = any(map(bool, is_about))
    kinds = (about_item, condition.setting, condition.any_of, condition.all_of)
    if sum(map(bool, kinds)) != 1 or about_item is not bool(condition.item):
        raise row.fail(
            "must be one of: item with is, bands, missing or measured; setting; any_of; all_of"
        )
    return condition


def _rule(row: Table) -> Rule:
    until_day = row.whole("until_day")
    if until_day is not None and not 1 <= until_day <= MOST_DAYS:
        raise row.fail(f"'until_day' must be from 1 to {MOST_DAYS}", "until_day")
    level = TriageLevel.from_code(row.word("level", LEVELS))
    speaks = level > TriageLevel.NONE
    return Rule(
        id=row.text("id"),
        item=row.text("item"),
        level=level,
        sources=row.texts("sources", ()),
        values=row.values_of("is"),
        band=row.text("band", ""),
        window=row.word("window", WINDOWS, "any"),
        drugs=row.word("drugs", SELECTORS, "all"),
        until_day=until_day,
        needs=row.texts("with", ()),
        patient=row.text("patient", None if speaks else ""),
        staff=row.text("staff", None if speaks else ""),
        say=row.text("say", None if level is TriageLevel.EMERGENCY else ""),
        say_unsure=row.text("say_unsure", ""),
    )
