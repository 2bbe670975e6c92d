"""What a clinician may set for one person, and which changes need a second one.

A change towards caution is one person's to make. A change that can make any level milder is made
by two.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from patient_portal.domain.measures import Measure, check_weight
from patient_portal.domain.protocol import USUAL, Drug, Protocol

FEVER_LINES = (Decimal("37.5"), Decimal("38.0"))


class OverrideRefused(ValueError):
    """A value that cannot be set; `field` says which, `code` why."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code


@dataclass(frozen=True, slots=True)
class Overrides:
    """What stands for one person; None is the site's or the protocol's own.

    Attributes:
        fever_line: 37.5 or 38.0 °C.
        on_steroid: steroid tablets, so that a fever may be hidden.
        window_last_day: last day of therapy of the window.
        usual: items for which "usual" is accepted.
        baseline: dry weight, as entered.
    """

    fever_line: Decimal | None = None
    on_steroid: bool = False
    window_last_day: int | None = None
    usual: frozenset[str] = frozenset()
    baseline: Measure | None = None


def check_overrides(protocol: Protocol, overrides: Overrides) -> None:
    """Raise OverrideRefused for what cannot be right at all."""
    if overrides.fever_line is not None and overrides.fever_line not in FEVER_LINES:
        raise OverrideRefused("fever_line", "not_offered")
    if overrides.window_last_day is not None and overrides.window_last_day < 1:
        raise OverrideRefused("window_last_day", "not_a_day")
    offered = {item.key for item in protocol.items if USUAL in item.values}
    if not overrides.usual <= offered:
        raise OverrideRefused("usual", "not_offered")
    if overrides.baseline is not None and (doubt := check_weight(overrides.baseline)):
        raise OverrideRefused("baseline", doubt.code)


def loosened(
    drug: Drug, before: Overrides, after: Overrides, *, uk_lines: bool = False
) -> tuple[str, ...]:
    """The fields whose change can make a level milder; empty = one clinician is enough.

    `uk_lines` is the site's setting, which a personal fever line stands before.
    """
    changed = {
        "fever_line": _line(after, uk_lines) > _line(before, uk_lines),
        "on_steroid": before.on_steroid and not after.on_steroid,
        "window_last_day": _last_day(drug, after) < _last_day(drug, before),
        "usual": not after.usual <= before.usual,
        "baseline": _is_higher(before.baseline, after.baseline),
    }
    return tuple(field for field, is_looser in changed.items() if is_looser)


def needs_second_clinician(
    drug: Drug, before: Overrides, after: Overrides, *, uk_lines: bool = False
) -> bool:
    """Whether another clinician must agree before the change holds."""
    return bool(loosened(drug, before, after, uk_lines=uk_lines))


def _line(overrides: Overrides, uk_lines: bool) -> Decimal:
    if overrides.fever_line is not None:
        return overrides.fever_line
    return FEVER_LINES[0] if uk_lines else FEVER_LINES[1]


def _last_day(drug: Drug, overrides: Overrides) -> float:
    if drug.window is None:
        return float("inf")  # always inside, whatever is set
    return overrides.window_last_day or drug.window[1]


def _is_higher(before: Measure | None, after: Measure | None) -> bool:
    """A higher baseline, or none any more, lets a gain count for less."""
    if before is None:
        return False
    return after is None or after.kilograms > before.kilograms
