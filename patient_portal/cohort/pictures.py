"""Drawings of a cohort's figures as SVG, made by hand: no fonts, scripts or styles from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

from patient_portal.cohort.figures import WAYS, Findings, Ill, Quiet

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 76, 56
INK, HINT, LINE, CARD = "#13262b", "#4a5d63", "#d8d3c7", "#ffffff"
TEAL, AMBER, BLUE, PALE = "#0a5a62", "#854600", "#1f5796", "#9cc5c4"
COLORS = (TEAL, BLUE, AMBER)
DASHES = ("", "7 4", "2 4")  # told apart without color too
FONT = "system-ui, sans-serif"
LEAD_HOURS = 168
MOST_RULES = 14

Place = Callable[[float], float]


def pictures(findings: Findings) -> dict[str, str]:
    """File name and SVG text of each picture."""
    return {
        "quiet-by-rule.svg": by_rule(findings.quiet[0]),
        "quiet-by-way.svg": by_way([*findings.variants_of_quiet, *findings.quiet]),
        "lead-time.svg": lead_times(findings.ill),
    }


def by_rule(quiet: Quiet) -> str:
    """Bars: red check-ins of quiet people that name each rule, and that it alone makes red."""
    rules = quiet.rules[:MOST_RULES]
    most = max((one.named for one in rules), default=1.0)
    row, first, left = 26, TOP + 30, 110
    scale = (WIDTH - left - 90) / most
    height = first + row * max(len(rules), 1) + 40

    def drawn() -> Iterator[str]:
        yield from _key(((TEAL, "by this rule alone"), (PALE, "with others")), TOP)
        for number, one in enumerate(rules):
            y = first + row * number
            yield _text(left - 8, y + 15, one.rule, anchor="end")
            yield _bar(left, y, one.named * scale, row - 6, PALE)
            yield _bar(left, y, one.alone * scale, row - 6, TEAL)
            yield _text(left + one.named * scale + 6, y + 15, f"{one.named:.2f}", color=HINT)

    return _picture(
        "Quiet half: red check-ins per 100 person-days, by rule",
        "People without the syndrome, daily check-in. A check-in may name more than one rule.",
        drawn(),
        height,
    )


def by_way(ways: Sequence[Quiet]) -> str:
    """Bars: false alerts per 100 person-weeks by way of asking and by protocol."""
    row, first, left = 40, TOP + 6, 300
    most = max(*(one.false_alerts for one in ways), 1.0)
    scale = (WIDTH - left - 80) / most

    def drawn() -> Iterator[str]:
        for number, one in enumerate(ways):
            y = first + row * number
            yield _text(left - 10, y + 20, one.way, anchor="end")
            color = TEAL if one.way in WAYS else PALE
            yield _bar(left, y, one.false_alerts * scale, row - 12, color)
            value = f"{one.false_alerts:.1f}"
            yield _text(left + one.false_alerts * scale + 6, y + 20, value, color=HINT)

    return _picture(
        "Quiet half: false alerts per 100 person-weeks",
        "The same synthetic people without the syndrome each time.",
        drawn(),
        first + row * len(ways) + 24,
    )


def lead_times(ways: Sequence[Ill]) -> str:
    """Steps: share of courses alerted by so many hours before the syndrome is severe."""
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM - 24
    top = TOP + 24

    def x(lead: float) -> float:
        return LEFT + across * (1 - min(lead, LEAD_HOURS) / LEAD_HOURS)

    def y(share: float) -> float:
        return top + down * (1 - share)

    def drawn() -> Iterator[str]:
        for share in (0, 0.25, 0.5, 0.75, 1):
            yield _rule_line(LEFT, y(share), WIDTH - RIGHT, y(share))
            yield _text(LEFT - 8, y(share) + 4, f"{share:.0%}", anchor="end", color=HINT)
        for hours in range(0, LEAD_HOURS + 1, 24):
            yield _rule_line(x(hours), top, x(hours), top + down)
            yield _text(x(hours), top + down + 18, str(hours), anchor="middle", color=HINT)
        label = "hours before severe (0 = severe)"
        yield _text(LEFT + across / 2, top + down + 42, label, anchor="middle")
        named = zip(COLORS, (way.way for way in ways), strict=False)
        yield from _key(tuple(named), TOP - 4)
        for way, color, dash in zip(ways, COLORS, DASHES, strict=False):
            yield _steps(way, color, dash, x, y)

    return _picture(
        "With the syndrome: alerted by so many hours before it is severe",
        "Shows what the assumptions lead to. It is no claim about any product or person.",
        drawn(),
        HEIGHT,
    )


def _steps(way: Ill, color: str, dash: str, x: Place, y: Place) -> str:
    total = len(way.leads) / way.found if way.found else 1.0
    points = [f"M{x(LEAD_HOURS):.1f} {y(0):.1f}"]
    for number, lead in enumerate(way.leads, start=1):
        points.append(f"H{x(lead):.1f}V{y(number / total):.1f}")
    points.append(f"H{x(0):.1f}")
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    path = "".join(points)
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2.5"{dashes}/>'


def _key(entries: Iterable[tuple[str, str]], y: float) -> Iterator[str]:
    x = 24.0
    for color, name in entries:
        yield _bar(x, y, 18, 10, color)
        yield _text(x + 24, y + 10, name, size=13)
        x += 44 + 7.1 * len(name)


def _bar(x: float, y: float, width: float, height: float, color: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height}" '
        f'fill="{color}"/>'
    )


def _rule_line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{LINE}"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", color: str = INK, size: int = 14
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" '
        f'font-size="{size}">{escape(text)}</text>'
    )


def _picture(title: str, below: str, drawn: Iterable[str], height: float) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" font-family="{FONT}">'
        f"<title>{escape(title)}</title><desc>{escape(below)}</desc>"
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="{CARD}"/>'
    )
    lines = [_text(24, 34, title, size=19), _text(24, 57, below, color=HINT, size=13)]
    return "\n".join([head, *lines, *drawn, "</svg>"]) + "\n"
