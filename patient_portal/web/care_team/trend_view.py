"""A trend in words: what it shows as a sentence, the plot, and the same numbers as a table."""

from collections.abc import Iterator
from decimal import Decimal

from markupsafe import Markup

from patient_portal.domain.protocol import Protocol
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import Patient
from patient_portal.services.trends import DAYS, Day, Trend, trend_of
from patient_portal.web.care_team import wording
from patient_portal.web.care_team.plots import PlotWords, trend_svg
from patient_portal.web.context import portal, reading
from patient_portal.web.language import current_words
from patient_portal.words import Words, format_date, mark_message

_STEADY = {"kg": Decimal("0.5"), "lb": Decimal("1.1")}
_UNIT_SIGN = {"c": "°C", "f": "°F"}
# Short names: the protocol's own labels are too long for the edge of a plot.
_SHORT = {
    "red_flags": mark_message("Red flags"),
    "breathlessness": mark_message("Breathing"),
    "orthopnea": mark_message("Lying flat"),
    "swelling": mark_message("Swelling"),
    "swelling_breathing": mark_message("Face, breath"),
    "felt_feverish": mark_message("Felt hot"),
    "chills": mark_message("Chills"),
    "cough": mark_message("Cough"),
    "dizziness": mark_message("Dizzy"),
    "urine": mark_message("Less urine"),
    "bone_pain": mark_message("Bone pain"),
    "rash": mark_message("Rash"),
    "bleeding": mark_message("Bleeding"),
    "palpitations": mark_message("Heartbeat"),
    "headache": mark_message("Headache"),
    "vision": mark_message("Seeing"),
    "vomiting": mark_message("Vomiting"),
    "chest_pain": mark_message("Chest pain"),
    "feels_much_worse": mark_message("Much worse"),
    "fever_medicine_6h": mark_message("Fever pill"),
    "tighter_fit": mark_message("Tighter fit"),
    "confusion": mark_message("Confused"),
    "neuro": mark_message("Weak, seizure"),
    "caregiver_very_worried": mark_message("Worried"),
    "on_steroid": mark_message("Steroid"),
}


class TrendView:
    """A trend for one page."""

    def __init__(
        self, trend: Trend, protocol: Protocol, words: Words, country: str | None = None
    ) -> None:
        self.trend, self.protocol, self.words, self.country = trend, protocol, words, country

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return self.trend.is_empty

    @property
    def heading(self) -> str:
        """What the plot shows, as a sentence."""
        return f"{self._span()}: {', '.join(self._findings())}"

    def _span(self) -> str:
        first, last = self.trend.days[0], self.trend.days[-1]
        if first.number is None or last.number is None:
            return self.words.message("Last %(n)s days", n=len(self.trend.days))
        return self.words.message("Days %(first)s to %(last)s", first=first.number,
                                  last=last.number)  # fmt: skip

    def _findings(self) -> Iterator[str]:
        yield self._weight_finding()
        found = self._fever_finding()
        if found:
            yield found
        new = self._new_signs()
        if new:
            yield self.words.message("new: %(signs)s", signs=", ".join(new))

    def _weight_finding(self) -> str:
        words, rise = self.words, self.trend.rise
        if rise is None:
            return words.message("too few weights to compare")
        change, days = rise
        amount = wording.quantity(words, abs(change), self.trend.weight_unit)
        if abs(change) < _STEADY[self.trend.weight_unit]:
            return words.message("weight steady")
        if change > 0:
            return words.nmessage(
                "weight up %(amount)s in %(n)s day", "weight up %(amount)s in %(n)s days", days,
                amount=amount,
            )  # fmt: skip
        return words.nmessage(
            "weight down %(amount)s in %(n)s day", "weight down %(amount)s in %(n)s days", days,
            amount=amount,
        )  # fmt: skip

    def _fever_finding(self) -> str:
        line = self.trend.fever_line
        read = [day.temperature.value for day in self.trend.days if day.temperature]
        if line is None or not read or max(read) < line.at:
            return ""
        highest = wording.quantity(self.words, max(read), "")
        unit = _UNIT_SIGN[self.trend.temperature_unit]
        return self.words.message("temperature up to %(value)s", value=f"{highest.strip()} {unit}")

    def _new_signs(self) -> list[str]:
        """Signs of the last day with a check-in that the one before did not have."""
        known = [day for day in self.trend.days if day.has_check_in]
        if not known:
            return []
        last, before = known[-1], known[-2].signs if len(known) > 1 else {}
        return [
            self._name(key).lower()
            for key in self.trend.signs
            if last.signs.get(key, 0) > before.get(key, 0)
        ]

    def _name(self, key: str) -> str:
        short = _SHORT.get(key)
        return self.words.message(short) if short else self.words.safety(
            self.protocol.item(key).label
        )  # fmt: skip

    # ---- the plot and its table

    def svg(self, title_id: str = "trend-title") -> Markup:
        """The plot."""
        words, trend = self.words, self.trend
        line = trend.weight_line
        note = ""
        if line is not None and line.over is not None and line.span is not None:
            over = wording.quantity(words, line.over, trend.weight_unit)
            note = words.message("+%(amount)s in %(n)s d", amount=over, n=line.span)
        fever = trend.fever_line
        values = {
            point.value
            for day in trend.days
            for point in (day.weight, day.temperature)
            if point is not None
        }
        return trend_svg(
            trend,
            PlotWords(
                title=self.heading,
                weight=words.message("Weight"),
                temperature=words.message("Temperature"),
                weight_unit=trend.weight_unit,
                temperature_unit=_UNIT_SIGN[trend.temperature_unit],
                signs=[self._name(key) for key in trend.signs],
                days=list(self._labels()),
                none=words.message("none"),
                weight_line=words.message("urgent line"),
                weight_line_note=note,
                fever_line=words.message("fever %(value)s", value=wording.number(words, fever.at))
                if fever
                else "",
                values={value: wording.number(words, value) for value in values},
            ),
            title_id,
        )

    def _labels(self) -> Iterator[str]:
        """A label for every other day, or every fourth date: they must not run into each other."""
        last = len(self.trend.days) - 1
        for index, day in enumerate(self.trend.days):
            apart = 2 if day.number is not None else 4
            if index != last and (last - index) % apart:
                yield ""
            elif day.number is not None:
                yield self.words.message("day %(n)s", n=day.number)
            else:
                yield format_date(day.on, self.words.language, self.country, "day")

    def head(self) -> list[str]:
        """The table's column names."""
        words = self.words
        weight = f"{words.message('Weight')} ({self.trend.weight_unit})"
        degrees = f"{words.message('Temperature')} ({_UNIT_SIGN[self.trend.temperature_unit]})"
        return [words.message("Day"), weight, degrees, *(map(self._name, self.trend.signs))]

    def rows(self) -> Iterator[list[str]]:
        """The table's rows, the latest day first."""
        for day in reversed(self.trend.days):
            yield [self._day_name(day), *self._cells(day)]

    def _day_name(self, day: Day) -> str:
        date = format_date(day.on, self.words.language, self.country, "day")
        if day.number is None:
            return date
        return f"{self.words.message('day %(n)s', n=day.number)}, {date}"

    def _cells(self, day: Day) -> Iterator[str]:
        none = self.words.message("none")
        for point in (day.weight, day.temperature):
            yield wording.number(self.words, point.value) if point else none
        for key in self.trend.signs:
            grade = day.signs.get(key)
            yield none if grade is None else str(grade)


def trend_for(patient: Patient) -> TrendView:
    """The trend of a patient's page, up to today. A function for templates."""
    protocol = portal().site.protocol
    with reading() as (session, now):
        trend = trend_of(
            session, protocol, patient, local_date(now, readable_zone(patient.zone)), DAYS
        )
    return TrendView(trend, protocol, current_words(), patient.country)
