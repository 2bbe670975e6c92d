"""Personal settings: towards caution by one clinician, the other way by two."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from patient_portal.domain.measures import Measure
from patient_portal.domain.overrides import (
    OverrideRefused,
    Overrides,
    check_overrides,
    loosened,
    needs_second_clinician,
)
from patient_portal.protocols import current

PROTOCOL = current()
ATRA, UNKNOWN = PROTOCOL.drug("atra"), PROTOCOL.drug("unknown")
LOW, HIGH = Decimal("37.5"), Decimal("38.0")


def kg(value: str, unit: str = "kg") -> Measure:
    return Measure(Decimal(value), unit)


PLAIN = Overrides()
# field, a more cautious value and a less cautious one
DIRECTIONS: list[tuple[str, Any, Any]] = [
    ("fever_line", LOW, HIGH),
    ("fever_line", LOW, None),
    ("on_steroid", True, False),
    ("window_last_day", 61, 60),
    ("window_last_day", 61, None),
    ("window_last_day", None, 59),
    ("usual", frozenset(), frozenset({"cough"})),
    ("usual", frozenset({"cough"}), frozenset({"headache"})),
    ("baseline", kg("70"), kg("70.1")),
    ("baseline", kg("70"), None),
    ("baseline", kg("70"), kg("154.4", "lb")),
    ("baseline", kg("154.3", "lb"), kg("70")),
]


@pytest.mark.parametrize(("field", "strict", "loose"), DIRECTIONS)
def test_a_change_away_from_caution_needs_a_second_clinician(
    field: str, strict: Any, loose: Any
) -> None:
    before, after = replace(PLAIN, **{field: strict}), replace(PLAIN, **{field: loose})
    assert loosened(ATRA, before, after) == (field,)
    assert needs_second_clinician(ATRA, before, after)
    if field != "usual" or not strict:
        assert loosened(ATRA, after, before) == ()
        assert not needs_second_clinician(ATRA, after, before)
    assert loosened(ATRA, before, before) == loosened(ATRA, after, after) == ()


def test_what_changes_nothing_needs_nobody() -> None:
    assert loosened(ATRA, PLAIN, replace(PLAIN, fever_line=HIGH)) == ()
    assert loosened(ATRA, PLAIN, replace(PLAIN, window_last_day=60)) == ()
    assert loosened(ATRA, PLAIN, replace(PLAIN, baseline=kg("70"))) == ()
    assert loosened(UNKNOWN, PLAIN, replace(PLAIN, window_last_day=1)) == ()


def test_where_the_site_has_the_lower_line_38_is_looser() -> None:
    higher = replace(PLAIN, fever_line=HIGH)
    assert loosened(ATRA, PLAIN, higher, uk_lines=True) == ("fever_line",)
    assert loosened(ATRA, PLAIN, replace(PLAIN, fever_line=LOW), uk_lines=True) == ()


def test_one_loose_field_among_strict_ones_is_named() -> None:
    before = Overrides(fever_line=None, on_steroid=True, baseline=kg("70"))
    after = Overrides(fever_line=LOW, on_steroid=False, baseline=kg("72"))
    assert loosened(ATRA, before, after) == ("on_steroid", "baseline")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (Overrides(fever_line=Decimal("38.5")), "fever_line: not_offered"),
        (Overrides(window_last_day=0), "window_last_day: not_a_day"),
        (Overrides(usual=frozenset({"rash"})), "usual: not_offered"),
        (Overrides(baseline=kg("700")), "baseline: out_of_range"),
        (Overrides(baseline=kg("20")), "baseline: out_of_range"),
    ],
)
def test_what_cannot_be_is_refused(overrides: Overrides, said: str) -> None:
    with pytest.raises(OverrideRefused) as caught:
        check_overrides(PROTOCOL, overrides)
    assert str(caught.value) == said
    assert f"{caught.value.field}: {caught.value.code}" == said


def test_what_can_be_is_accepted() -> None:
    check_overrides(PROTOCOL, PLAIN)
    check_overrides(PROTOCOL, Overrides(LOW, True, 1, frozenset({"cough"}), kg("70")))
    check_overrides(PROTOCOL, Overrides(fever_line=HIGH))
    every = {item.key for item in PROTOCOL.items if "usual" in item.values}
    check_overrides(PROTOCOL, Overrides(usual=frozenset(every)))
    assert Overrides(None, False, None, frozenset(), None) == PLAIN
