"""`patient-portal protocol`: the rules in force, and a check of a protocol file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from patient_portal import protocols
from patient_portal.domain.protocol import Band, Drug, Protocol, Rule

SIGNS = {"c": "°C", "f": "°F", "kg": "kg", "lb": "lb", "percent": "%", "mmhg": "mmHg"}
WINDOWS = {"in": "in window", "out": "outside", "any": ""}


@click.group()
def protocol() -> None:
    """The rules that decide each level."""


@protocol.command()
def show() -> None:
    """Print the rules in force, with their thresholds and sources."""
    click.echo("\n".join(describe(protocols.current())))


@protocol.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def check(context: click.Context, file: Path) -> None:
    """Refuse a protocol FILE that cannot be right, naming the line and the reason."""
    try:
        found = protocols.load(file)
    except protocols.ProtocolError as error:
        click.echo(str(error), err=True)
        context.exit(1)
    click.echo(f"{file}: {found.id} holds, {len(found.rules)} rules for {len(found.items)} items")


def describe(protocol: Protocol) -> Iterator[str]:
    """The whole protocol as lines of text."""
    yield f"{protocol.id}: {protocol.title}. {protocol.status.capitalize()}."
    yield ""
    yield "Medicines (days of therapy at risk; the first dose is day 1)"
    yield from _table(
        ("code", "window", "QT", "APL", "lists", "sources"), map(_drug_row, protocol.drugs)
    )
    yield ""
    yield "Rules (the worst one that holds is the level)"
    yield from _table(
        ("rule", "level", "item", "answer or number", "when", "with one of", "sources"),
        (_rule_row(protocol, rule) for rule in protocol.rules),
    )
    yield ""
    yield "Conditions"
    yield from _table(("name", "holds when"), _condition_rows(protocol))
    yield ""
    yield "Sources"
    yield from _table(
        ("key", "state", "title"), ((s.id, s.state, s.title) for s in protocol.sources)
    )


def _drug_row(drug: Drug) -> tuple[str, ...]:
    window = f"{drug.window[0]} to {drug.window[1]}" if drug.window else "always"
    columns = ("yes" if drug.qt else "no", "yes" if drug.apl else "no")
    return drug.code, window, *columns, ", ".join(sorted(drug.lists)), ", ".join(drug.sources)


def _rule_row(protocol: Protocol, rule: Rule) -> tuple[str, ...]:
    if rule.band:
        band = protocol.band(rule.band)
        what, window = f"{band.gauge}: {_range(band)}", WINDOWS[band.window]
    else:
        what, window = _values(rule.values), WINDOWS[rule.window]
    drugs = "" if rule.drugs == "all" else f"medicine {rule.drugs.replace('_', ' ')}"
    until = "" if rule.until_day is None else f"to day {rule.until_day}"
    when = ", ".join(part for part in (window, drugs, until) if part)
    needs = ", ".join(rule.needs)
    return rule.id, rule.level.code, rule.item, what, when, needs, ", ".join(rule.sources)


def _values(values: Sequence[str | bool]) -> str:
    return ", ".join(str(v).lower() if isinstance(v, bool) else v for v in values)


def _range(band: Band) -> str:
    units = band.lower or band.upper
    parts = []
    for unit in units:
        low, high = band.lower.get(unit), band.upper.get(unit)
        limits = [f"from {low}" if low is not None else "", f"below {high}" if high else ""]
        parts.append(" ".join(part for part in (*limits, SIGNS[unit]) if part))
    against = " (lowest mean of two)" if band.against == "lowest_mean" else ""
    return (" / ".join(parts) or "any") + against


def _condition_rows(protocol: Protocol) -> Iterator[tuple[str, str]]:
    for one in protocol.conditions:
        when = "yesterday's " if one.yesterday else ""
        if one.any_of or one.all_of:
            text = " or ".join(one.any_of) or " and ".join(one.all_of)
        elif one.setting:
            text = f"the site's setting {one.setting}"
        elif one.missing:
            text = f"{when}{one.item} is missing"
        else:
            text = f"{when}{one.item}: {_values(one.values) or ', '.join(one.bands)}"
        yield one.id, text


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | map[tuple[str, ...]]) -> list[str]:
    """Rows as aligned columns under their heads."""
    every = [tuple(head), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in every) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    ]
    return [f"  {lines[0]}", f"  {'-' * min(sum(widths) + 2 * len(widths), 120)}"] + [
        f"  {line}" for line in lines[1:]
    ]
