"""A protocol as tables to read: aligned text for a terminal, Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from patient_portal.domain.combined import Combination, Count, Trend
from patient_portal.domain.protocol import Band, Condition, Drug, Protocol, Rule

SIGNS = {"c": "°C", "f": "°F", "kg": "kg", "lb": "lb", "percent": "%", "mmhg": "mmHg"}
WINDOWS = {"in": "in window", "out": "outside", "any": ""}
_WIDEST_LINE = 120


@dataclass(frozen=True)
class Section:
    """One table with its heading."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def as_text(protocol: Protocol) -> Iterator[str]:
    """The whole protocol as lines for a terminal."""
    yield f"{protocol.id}: {protocol.title}. {protocol.status.capitalize()}."
    for section in sections(protocol):
        yield ""
        yield section.title
        yield from _aligned(section)


def as_markdown(protocol: Protocol) -> Iterator[str]:
    """The whole protocol as lines of Markdown."""
    yield f"**{protocol.id}: {protocol.title}. {protocol.status.capitalize()}.**"
    for section in sections(protocol):
        yield ""
        yield f"### {section.title}"
        yield ""
        yield _md_row(section.head)
        yield "|" + "---|" * len(section.head)
        yield from map(_md_row, section.rows)


def sections(protocol: Protocol) -> tuple[Section, ...]:
    """Every table of the protocol, in the order in which it is read."""
    beyond = protocol.beyond
    return (
        Section(
            "Medicines (days of therapy at risk; the first dose is day 1)",
            ("code", "window", "QT", "APL", "lists", "sources"),
            tuple(map(_drug_row, protocol.drugs)),
        ),
        Section(
            "Rules about one answer or number (the worst one that holds is the level)",
            ("rule", "level", "item", "answer or number", "when", "with one of", "sources"),
            tuple(_cell_row(protocol, rule) for rule in protocol.cells),
        ),
        Section(
            "Signs that are counted together",
            ("sign", "kind", "there when", "a check-in is calm when", "unless"),
            tuple(
                (sign.id, sign.kind, _or(way.when), _or(way.calm), _or(sign.unless))
                for sign in beyond.signs
                for way in sign.ways
            ),
        ),
        Section(
            "Kinds of watch findings that belong to the syndrome",
            ("kind", "there when"),
            tuple((kind.id, _or(kind.when)) for kind in beyond.kinds),
        ),
        Section(
            "Rules about several answers or several days",
            ("rule", "level", "holds when", "window", "sources"),
            tuple(_wide_rows(protocol)),
        ),
        Section(
            "What to tell the emergency operator",
            ("rule", "what", "where it rests on an answer not sure"),
            tuple((rule.id, rule.say, rule.say_unsure) for rule in protocol.rules if rule.say),
        ),
        Section("Limits", ("what", "how much"), tuple(_limit_rows(protocol))),
        Section(
            "Conditions",
            ("name", "holds when"),
            tuple((one.id, _condition(one)) for one in protocol.conditions),
        ),
        Section(
            "Sources",
            ("key", "state", "title"),
            tuple((s.id, s.state, s.title) for s in protocol.sources),
        ),
        Section(
            "Sign-off",
            ("role", "name", "date"),
            tuple((s.role, s.name or "(open)", s.on or "(open)") for s in protocol.sign_offs),
        ),
    )


def _drug_row(drug: Drug) -> tuple[str, ...]:
    window = f"{drug.window[0]} to {drug.window[1]}" if drug.window else "always"
    columns = ("yes" if drug.qt else "no", "yes" if drug.apl else "no")
    return drug.code, window, *columns, ", ".join(sorted(drug.lists)), ", ".join(drug.sources)


def _cell_row(protocol: Protocol, rule: Rule) -> tuple[str, ...]:
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


def _wide_rows(protocol: Protocol) -> Iterator[tuple[str, ...]]:
    beyond = protocol.beyond
    said = {one.rule: _combination(one) for one in beyond.combinations}
    said |= {one.rule: _trend(one) for one in beyond.trends}
    said |= {
        one.rule: f"{one.item} not measured today nor at the check-in before"
        f" (at most {one.within_days} days back), and a {one.owns} is owned"
        for one in beyond.missing
    }
    for kind, notices in beyond.notices.items():
        said |= {
            one.rule: kind.replace("_", " ")
            + (f", {one.levels_apart} levels apart" if one.levels_apart else "")
            for one in notices
        }
    for one in beyond.missed:
        after = f" after a check-in of {one.after.code} or worse" if one.after else ""
        said[one.rule] = f"{one.days} day(s) running without a check-in{after}"
    windows = {one.rule: one.window for one in beyond.trends}
    windows |= {one.rule: one.window for one in beyond.missing}
    windows |= {one.rule: one.window for one in beyond.missed}
    for rule in protocol.rules:
        if not rule.is_cell:
            window = WINDOWS[windows.get(rule.id, "any")]
            yield rule.id, rule.level.code, said[rule.id], window, ", ".join(rule.sources)


def _combination(one: Combination) -> str:
    counts = " or ".join(_count(count, one.besides) for count in one.counts)
    return f"{_or(one.today)} today, and {counts}" if one.today else counts


def _count(count: Count, besides: Sequence[str]) -> str:
    but = f" (not {', '.join(besides)})" if besides else ""
    parts = [
        f"{count.core} or more core signs{but}" if count.core else "",
        f"{count.minor} or more minor signs{but}" if count.minor else "",
        f"{count.watch} or more kinds of watch findings" if count.watch else "",
    ]
    return " and ".join(part for part in parts if part)


def _trend(one: Trend) -> str:
    since = f"than at the check-in before (at most {one.within_days} day(s) back)"
    match one.kind:
        case "worse":
            return f"a grade worse {since}: {', '.join(one.items)}"
        case "again":
            return "the same kind of watch finding today and" + since.removeprefix("than")
        case "step":
            step = f"{', '.join(one.before)} became {', '.join(one.after)}"
            return f"{', '.join(one.items)}: {step} within {one.within_days} day(s)"
    return "urgent today, and urgent or worse and not closed" + since.removeprefix("than")


def _limit_rows(protocol: Protocol) -> Iterator[tuple[str, str]]:
    look_back, windows = protocol.beyond.look_back, protocol.beyond.windows
    silence = protocol.beyond.silence
    yield "a sign counts", f"on its own day and {look_back.days - 1} more"
    yield "a sign is resolved", f"{look_back.calm_days} calm check-in days running, or by name"
    yield "the check-in before", f"at most {look_back.before_days} days back"
    yield "window after the last dose", f"kept open {windows.after_last_dose} days"
    yield "window after a steroid cut", f"open {windows.after_steroid_cut} days"
    yield "day 1 again", f"after {windows.restart_gap} days without the medicine, or the syndrome"
    yield "text repeated", f"after {silence.repeat_hours} hours"
    yield "caregiver texted", f"after {silence.caregiver_hours} hours"
    yield "day is missed", f"after {silence.cut_off_hours} hours"
    yield "silence pages", f"from {silence.pages_from:%H:%M} to {silence.pages_until:%H:%M}"
    yield "silence that was read is listed again", f"after {silence.row_again_days} more days"
    yield (
        "silence pages once more after its alert was closed",
        f"at {silence.page_again_times} times the days of the rule that paged",
    )


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)


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


def _condition(one: Condition) -> str:
    when = "yesterday's " if one.yesterday else ""
    if one.any_of or one.all_of:
        return " or ".join(one.any_of) or " and ".join(one.all_of)
    if one.setting:
        return f"the setting {one.setting}"
    if one.missing:
        return f"{when}{one.item} is missing"
    if one.measured:
        return f"{when}{one.item} is measured"
    return f"{when}{one.item}: {_values(one.values) or ', '.join(one.bands)}"


def _aligned(section: Section) -> Iterator[str]:
    every = [section.head, *section.rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(section.head))]
    for number, row in enumerate(every):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
        if number == 0:
            yield f"  {'-' * min(sum(widths) + 2 * len(widths), _WIDEST_LINE)}"


def _md_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
