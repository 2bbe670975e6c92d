"""The trend plot as inline SVG: classes only, no script, no style attributes, nothing to load.

Time runs from left to right in every language, as on paper charts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from markupsafe import Markup, escape

from patient_portal.services.trends import Day, Line, Point, Trend

WIDTH = 744
LEFT, RIGHT = 104, 652
STRIP, GAP, CELL = 66, 36, 26
# Less than this is noise, and noise must not look like a crisis.
LEAST_SPAN = {"kg": Decimal(3), "lb": Decimal("6.6"), "c": Decimal(2), "f": Decimal("3.6")}


@dataclass(frozen=True)
class PlotWords:
    """Every word on a plot, already in the reader's language."""

    title: str
    weight: str
    temperature: str
    weight_unit: str
    temperature_unit: str
    signs: Sequence[str]
    days: Sequence[str]  # one label a day; an empty text shows none
    none: str
    weight_line: str
    weight_line_note: str
    fever_line: str
    values: dict[Decimal, str]  # how each number that is written is written


def trend_svg(trend: Trend, words: PlotWords, title_id: str) -> Markup:
    """The plot of a trend; ``title_id`` must be unique on the page."""
    plot = _Plot(trend, words)
    body = "".join(plot.parts())
    return Markup(  # noqa: S704 - every text is escaped where it is written
        f'<svg class="plot" viewBox="0 0 {WIDTH} {plot.height}" role="img" direction="ltr" '
        f'aria-labelledby="{escape(title_id)}"><title id="{escape(title_id)}">'
        f"{escape(words.title)}</title>{body}</svg>"
    )


@dataclass(frozen=True)
class _Scale:
    """Maps values of one strip to heights."""

    low: Decimal
    high: Decimal
    top: float

    def y(self, value: Decimal) -> float:
        share = float((value - self.low) / (self.high - self.low))
        return round(self.top + STRIP * (1 - share), 1)

    def marks(self) -> Iterator[Decimal]:
        """Two or three round values to write beside the strip."""
        step = Decimal(1)
        while (self.high - self.low) / step > 3:
            step *= 2 if step != 2 else Decimal("2.5")
        value = (self.low / step).to_integral_value(ROUND_CEILING) * step
        while value <= self.high:
            yield value
            value += step


def scale_of(values: Sequence[Decimal], unit: str, top: float, line: Line | None) -> _Scale:
    """A scale around the values: a tenth of room on each side, never less than the least span."""
    least = LEAST_SPAN[unit]
    if not values:
        base = line.at if line else Decimal(37)
        values = (base - least / 2, base + least / 2)
    low, high = min(values), max(values)
    room = (high - low) / 10
    low, high = low - room, high + room
    # A line that is near belongs on the plot; one that is far must not flatten the curve.
    if line is not None and high < line.at <= high + least:
        high = line.at + least / 10
    if high - low < least:
        middle = (high + low) / 2
        low, high = middle - least / 2, middle + least / 2
    tenth = Decimal("0.1")
    return _Scale(low.quantize(tenth, ROUND_FLOOR), high.quantize(tenth, ROUND_CEILING), top)


class _Plot:
    def __init__(self, trend: Trend, words: PlotWords) -> None:
        self.trend, self.words = trend, words
        self.step = (RIGHT - LEFT) / len(trend.days)
        self.cells_at = 20 + STRIP + GAP + STRIP + 18
        self.height = round(self.cells_at + CELL * len(trend.signs) + 24)

    def x(self, index: int) -> float:
        return round(LEFT + self.step * (index + 0.5), 1)

    def parts(self) -> Iterator[str]:
        trend, words = self.trend, self.words
        last = len(trend.days) - 1
        yield (
            f'<rect class="today" x="{LEFT + self.step * last + 1:.1f}" y="2" '
            f'width="{self.step - 2:.1f}" height="{self.height - 20}" rx="6"/>'
        )
        yield from self.strip(
            "w", 20, trend.weight_unit, [day.weight for day in trend.days], trend.weight_line,
            (words.weight, words.weight_unit), (words.weight_line, words.weight_line_note),
        )  # fmt: skip
        yield from self.strip(
            "t", 20 + STRIP + GAP, trend.temperature_unit, [day.temperature for day in trend.days],
            trend.fever_line, (words.temperature, words.temperature_unit), (words.fever_line, ""),
        )  # fmt: skip
        yield from self.cells()
        for index, label in enumerate(words.days):
            if label:
                kind = "v" if index == last else "ax"
                yield _text(label, self.x(index), self.height - 5, kind, "middle")

    def strip(
        self,
        kind: str,
        top: float,
        unit: str,
        points: Sequence[Point | None],
        line: Line | None,
        names: tuple[str, str],
        line_names: tuple[str, str],
    ) -> Iterator[str]:
        known = [(index, point) for index, point in enumerate(points) if point is not None]
        scale = scale_of([point.value for _, point in known], unit, top, line)
        yield _text(names[0], 0, top + 4, "v") + _text(names[1], 0, top + 20, "ax")
        for mark in scale.marks() if known else ():
            y = scale.y(mark)
            yield f'<path class="grid" d="M{LEFT} {y}H{RIGHT}"/>'
            yield _text(f"{mark:f}", LEFT - 8, y + 4, "ax", "end")
        if known and line is not None and scale.low <= line.at <= scale.high:
            yield from self.line(scale, line, line_names)
        yield self.curve(kind, scale, points)
        for index, point in known:
            hollow = " hollow" if point.by_helper else ""
            x, y = self.x(index), scale.y(point.value)
            yield f'<circle class="{kind}{hollow}" cx="{x}" cy="{y}" r="3.8"/>'
        yield from self.numbers(scale, known)
        yield from self.gaps(scale, points)

    def line(self, scale: _Scale, line: Line, names: tuple[str, str]) -> Iterator[str]:
        y = scale.y(line.at)
        start = LEFT + self.step * line.start
        yield f'<path class="limit" d="M{start:.1f} {y}H{RIGHT}"/>'
        yield _text(names[0], RIGHT + 8, y + (0 if names[1] else 4), "lim")
        if names[1]:
            yield _text(names[1], RIGHT + 8, y + 14, "lim")

    def curve(self, kind: str, scale: _Scale, points: Sequence[Point | None]) -> str:
        """A line through neighbouring days; a day without a value breaks it."""
        path, drawing = "", False
        for index, point in enumerate(points):
            if point is None:
                drawing = False
                continue
            path += f"{'L' if drawing else 'M'}{self.x(index)} {scale.y(point.value)}"
            drawing = True
        return f'<path class="{kind}" d="{path}"/>' if path else ""

    def numbers(self, scale: _Scale, known: Sequence[tuple[int, Point]]) -> Iterator[str]:
        """The last value, and the highest when it is another one."""
        if not known:
            return
        highest = max(known, key=lambda pair: (pair[1].value, pair[0]))
        for index, point in {known[-1][0]: known[-1][1], highest[0]: highest[1]}.items():
            above = scale.y(point.value) - 8
            y = above if above > scale.top - 14 else scale.y(point.value) + 16
            yield _text(self.words.values[point.value], self.x(index), y, "v", "middle")

    def gaps(self, scale: _Scale, points: Sequence[Point | None]) -> Iterator[str]:
        """The word "none" in the middle of each run of days without a value."""
        start: int | None = None
        for index, point in enumerate([*points, Point(Decimal(0), False)]):
            if point is None:
                start = index if start is None else start
            elif start is not None:
                middle = (self.x(start) + self.x(index - 1)) / 2
                yield _text(self.words.none, middle, scale.top + STRIP / 2 + 4, "ax", "middle")
                start = None

    def cells(self) -> Iterator[str]:
        for row, (key, name) in enumerate(zip(self.trend.signs, self.words.signs, strict=True)):
            y = self.cells_at + CELL * row
            yield _text(name, 0, y + 15, "k")
            for index, day in enumerate(self.trend.days):
                yield self.cell(day, key, index, y)

    def cell(self, day: Day, key: str, index: int, y: float) -> str:
        grade = day.signs.get(key)
        if grade is None:
            return _text("·", self.x(index), y + 15, "ax", "middle")
        wide = min(38.0, self.step - 6)
        x = self.x(index) - wide / 2
        return (
            f'<rect class="g{grade}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="21" '
            f'rx="6"/>' + _text(str(grade), self.x(index), y + 15, f"n{grade}", "middle")
        )


def _text(words: str, x: float, y: float, kind: str, anchor: str = "start") -> str:
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{place}>{escape(words)}</text>'
