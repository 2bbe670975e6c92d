"""The trend plot: well-formed, without inline style, honest about gaps, never dramatic."""

import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from patient_portal import protocols
from patient_portal.models import Patient
from patient_portal.services.trends import Line, Trend, draw
from patient_portal.web.care_team.plots import LEAST_SPAN, WIDTH, scale_of
from patient_portal.web.care_team.trend_view import TrendView
from patient_portal.words import Words

TODAY = date(2026, 11, 20)
PROTOCOL = protocols.current()
SVG = "{http://www.w3.org/2000/svg}"


def trend(*rows: tuple[int, dict[str, Any]], by: str = "patient", **values: Any) -> Trend:
    patient = Patient(
        **{
            "drug": "enasidenib",
            "first_dose_on": TODAY - timedelta(days=11),
            "weight_unit": "kg",
            "temperature_unit": "c",
            **values,
        }
    )
    given = [(TODAY - timedelta(days=ago), answers, by) for ago, answers in rows]
    return draw(PROTOCOL, patient, given, TODAY - timedelta(days=13), TODAY)


def view(*rows: tuple[int, dict[str, Any]], by: str = "patient", **values: Any) -> TrendView:
    return TrendView(trend(*rows, by=by, **values), PROTOCOL, Words("en"))


def kg(value: str, **more: Any) -> dict[str, Any]:
    return {"weight": value, "weight_unit": "kg", **more}


RISING = (
    (4, kg("70.1", breathlessness="none", temperature_c="36.6")),
    (3, kg("70.0", breathlessness="none")),
    (0, kg("72.5", breathlessness="at_rest", temperature_c="38.1", cough="new")),
)


def parsed(shown: TrendView) -> ElementTree.Element:
    text = str(shown.svg()).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return ElementTree.fromstring(text)  # noqa: S314 - our own plot


def texts(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def test_the_finding_is_the_heading_and_the_title() -> None:
    shown = view(*RISING)
    assert shown.heading == (
        "Days 6 to 12: weight up 2.5 kg in 3 days, temperature up to 38.1 °C, new: breathing, cough"
    )
    title = parsed(shown).find(f"{SVG}title")
    assert title is not None and title.text == shown.heading


def test_gaps_say_none_and_the_curve_does_not_cross_them() -> None:
    root = parsed(view(*RISING))
    assert texts(root).count("none") >= 3
    curve = next(node.get("d", "") for node in root.iter(f"{SVG}path") if node.get("class") == "w")
    assert curve.count("M") == 2
    assert curve.count("L") == 1


def test_the_last_value_is_written_and_a_helpers_point_is_hollow() -> None:
    root = parsed(view(*RISING, by="caregiver"))
    assert "72.5" in texts(root)
    assert "38.1" in texts(root)
    circles = [node.get("class") for node in root.iter(f"{SVG}circle")]
    assert set(circles) == {"w hollow", "t hollow"}


def test_lines_are_named() -> None:
    said = texts(parsed(view(*RISING)))
    assert "urgent line" in said
    assert "+2.0 kg in 3 d" in said
    assert "fever 38.0" in said


def test_signs_show_their_grade_by_number_and_by_fill() -> None:
    root = parsed(view(*RISING))
    cells = [node.get("class") for node in root.iter(f"{SVG}rect")]
    assert cells.count("g0") == 2
    assert cells.count("g3") == 1
    assert "Breathing" in texts(root)


def test_nothing_leaves_the_picture_and_nothing_is_inline() -> None:
    shown = view(*RISING)
    assert "style=" not in shown.svg()
    for node in parsed(shown).iter():
        for name in ("x", "cx"):
            if node.get(name):
                assert 0 <= float(node.get(name, "")) <= WIDTH


def test_the_table_says_the_same() -> None:
    shown = view(*RISING)
    rows = list(shown.rows())
    assert shown.head()[:3] == ["Day", "Weight (kg)", "Temperature (°C)"]
    assert rows[0][:3] == ["day 12, November 20", "72.5", "38.1"]
    assert rows[1][1] == "none"
    assert len(rows) == len(shown.trend.days)


@pytest.mark.parametrize("unit", sorted(LEAST_SPAN))
def test_noise_does_not_fill_the_strip(unit: str) -> None:
    scale = scale_of([Decimal("70.0"), Decimal("70.1")], unit, 0, None)
    assert scale.high - scale.low >= LEAST_SPAN[unit]


def test_a_far_line_does_not_flatten_the_curve_and_a_near_one_is_shown() -> None:
    values = [Decimal("70.0"), Decimal("70.4")]
    assert scale_of(values, "kg", 0, Line(Decimal("72.0"), 0)).high >= 72
    assert scale_of(values, "kg", 0, Line(Decimal("80.0"), 0)).high < 74


@pytest.mark.parametrize(
    "rows",
    [(), ((0, {}),), ((0, kg("300")),), ((0, {"temperature_c": "34.0"}), (0, kg("25"))),
     tuple((ago, kg("70")) for ago in range(13, -1, -1))],
)  # fmt: skip
def test_odd_trends_are_drawn_too(rows: tuple[tuple[int, dict[str, Any]], ...]) -> None:
    shown = view(*rows)
    assert parsed(shown).get("viewBox")
    assert shown.heading
    assert view(*rows, first_dose_on=None, temperature_unit="f", weight_unit="lb").svg()


def test_words_from_outside_are_escaped() -> None:
    shown = view(*RISING)
    shown.protocol = PROTOCOL
    assert "<script" not in shown.svg('"><script>')


def test_a_fall_and_a_steady_weight_are_said_too() -> None:
    assert "weight down 2.0 kg in 1 day" in view((1, kg("72.0")), (0, kg("70.0"))).heading
    assert "weight steady" in view((1, kg("70.2")), (0, kg("70.0"))).heading
    assert "too few weights to compare" in view((0, kg("70.0"))).heading
