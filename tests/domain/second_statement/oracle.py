"""Says what level a case has, by the hand-written tables alone.

Nothing here is shared with the engine: no imports of the product, fractions instead of decimals,
every row about an answer looked at, no plan made ahead. Slow and plain on purpose. Amendment
numbers are those of the rulings on the protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

from tests.domain.second_statement.tables import (
    Case,
    Row,
    band_row,
    exact,
    medicine_row,
    read_case,
    rows_about,
    table,
)

LEVELS = ("none", "watch", "urgent", "emergency")
POUND = Fraction("0.45359237")
CALM = ("none", "usual", "normal", "no")
WEIGHT_MEASURES = ("gain", "steady", "loss", "over", "crossing")
LARGE_BASELINE = 50
APL_DAYS = 30
STANDS_FOR = {
    "temperature": ("felt_feverish",),
    "weight": ("tighter_fit", "swelling"),
    "tighter_fit": ("swelling",),
}

# What an answer is.


@cache
def _options(listed: str) -> tuple[str, ...]:
    return tuple(listed.split("|"))


def is_one_of(case: Case, item: str, listed: str) -> bool:
    """Whether the case's answer to an item is among `a|b|c` (words, or names of bands)."""
    options = _options(listed)
    if options == ("missing",):
        return not (case.weights if item == "weight" else case.temperatures)
    if item in ("temperature", "weight", "spo2", "bp_systolic"):
        return any(in_band(case, option) for option in options)
    return any(word in options for word in case.said.get(item, ()))


def in_band(case: Case, name: str) -> bool:
    band = band_row(name)
    measure = band["measure"]
    if measure == "temperature":
        return any(_between(value, band, us) for value, us in case.temperatures)
    if measure in case.numbers:
        return _between(case.numbers[measure], band, us=False)
    if measure.split("_")[0] in WEIGHT_MEASURES and case.weights:
        return _weight_in_band(case, band)
    return False


def _between(value: Fraction, band: Row, us: bool) -> bool:
    low, below = (band["from_us"], band["below_us"]) if us else _metric(band)
    return (not low or value >= exact(low)) and (not below or value < exact(below))


def _metric(band: Row) -> tuple[str, str]:
    return band["from_metric"], band["below_metric"]


def _kg(weight: tuple[int, Fraction, bool]) -> Fraction:
    return weight[1] * POUND if weight[2] else weight[1]


def _limit(metric: str, us: str, units: Iterable[bool]) -> Fraction:
    """The limit in kg for a span: its own unit's, or the lower where units are mixed (4)."""
    seen = set(units)
    in_kg, in_lb = exact(metric), exact(us) * POUND
    return min(in_kg, in_lb) if len(seen) > 1 else in_lb if True in seen else in_kg


def _weight_in_band(case: Case, band: Row) -> bool:
    measure, *today = band["measure"], case.weights[-1]
    now = today[0]
    if measure.endswith("_baseline"):
        return case.baseline is not None and _over_baseline(case, band, measure)
    days = int(measure[-2])
    before = [one for one in case.weights[:-1] if one[0] >= now[0] - days]
    if not before:
        return False
    percent = band["percent_of_small_baseline"]
    if percent:
        if case.baseline is None or case.baseline >= LARGE_BASELINE:
            return False
        limit = case.baseline * exact(percent) / 100
    else:
        units = [one[2] for one in [*before, now]]
        limit = _limit(band["from_metric"], band["from_us"], units)
    past = [_kg(one) for one in before]
    if measure.startswith("loss"):
        return max(past) - _kg(now) >= limit
    if measure.startswith("steady") and len(past) > 1:
        past = [(one + other) / 2 for one, other in pairwise(past)]
    return _kg(now) - min(past) >= limit


def _over_baseline(case: Case, band: Row, measure: str) -> bool:
    """Amendment 5: crossing the limit, or another whole kilogram above it."""
    assert case.baseline is not None

    def steps(weight: tuple[int, Fraction, bool]) -> int:
        limit = _limit(band["from_metric"], band["from_us"], [weight[2], False])
        each = _limit("1.0", "2.2", [weight[2], False])
        over = _kg(weight) - (case.baseline or 0) - limit
        return 0 if over < 0 else 1 + over // each

    now = steps(case.weights[-1])
    if measure.startswith("over") or len(case.weights) == 1:
        return now > 0
    return now > steps(case.weights[-2])


# Signs, cells, combinations, trends.


@cache
def _rows_of_sign(sign: str) -> tuple[Row, ...]:
    return tuple(row for row in table("signs") if row["sign"] == sign)


def shows(case: Case, sign: str) -> list[str]:
    """The items by which a case shows a sign today."""
    if sign not in case.shown:
        items = case.items()
        case.shown[sign] = [
            row["item"]
            for row in _rows_of_sign(sign)
            if row["item"] in items
            and is_one_of(case, row["item"], row["is"])
            and _window(case, row["window"])
            and holds(case, row["with"])
        ]
    return case.shown[sign]


def _window(case: Case, window: str) -> bool:
    if window == "day 30":
        return case.day is None or case.day <= APL_DAYS
    return window == "any" or (window == "in") == case.inside


def holds(case: Case, condition: str) -> bool:
    """`item=a|b`, or one of several signs `D|F`, or `!sign`, or nothing asked."""
    if not condition:
        return True
    if condition.startswith("!"):
        return not shows(case, condition[1:])
    if "=" in condition:
        return is_one_of(case, *condition.split("=", 1))
    return any(sign_now_or_carried(case, sign) for sign in condition.split("|"))


def _kind_of_sign(sign: str) -> str:
    return next(row["weight"] for row in table("signs") if row["sign"] == sign)


def sign_now_or_carried(case: Case, sign: str) -> bool:
    if shows(case, sign):
        return True
    return _kind_of_sign(sign) != "today" and _carried(case, sign)


def _carried(case: Case, sign: str) -> bool:
    """Shown on one of the six days before and not answered none or usual twice since (9)."""
    if case.day is None:
        return False
    expires = int(table("lookback")[3]["days"])
    for number, past in enumerate(case.earlier):
        if past.day is None or case.day - past.day >= expires:
            continue
        since = [*case.earlier[number + 1 :], case]
        if any(not _resolved(sign, item, since) for item in shows(past, sign)):
            return True
    return False


def _resolved(sign: str, item: str, since: Sequence[Case]) -> bool:
    """Two check-ins running that say none or usual to what was shown, and show nothing else.

    Without a reading the question that is asked instead stands for it (rulings A, steps 5 and 6).
    """
    instead = set(STANDS_FOR.get(item, ()))
    calm = 0
    for case in since:
        items = {row["item"] for row in _rows_of_sign(sign)} & set(case.items())
        items -= {one for one in items if case.said.get(one) == ("missing",)}
        if in_band(case, "t_under_36"):  # neither normal nor fever: the question decides
            items -= {"temperature"}
        answered = item in items or (bool(instead) and instead <= items)
        quiet = answered and all(_is_calm(case, sign, one) for one in items)
        calm = calm + 1 if quiet else 0
        if calm == int(table("lookback")[2]["check_ins"]):
            return True
    return False


def _is_calm(case: Case, sign: str, item: str) -> bool:
    if item == "temperature":
        return not in_band(case, "t_from_37_5")
    if item in ("weight", "bp_systolic"):
        return item not in shows(case, sign)
    return all(word in CALM for word in case.said[item])


def _medicine(case: Case, wanted: str) -> bool:
    if wanted == "any":
        return True
    column = wanted.removeprefix("not ")
    return (medicine_row(case.medicine)[column] == "yes") != wanted.startswith("not ")


def cells(case: Case) -> list[Row]:
    """The cells of section 3 that a case falls into."""
    if case.fallen is None:
        case.fallen = [
            row
            for item in case.items()
            for row in rows_about("cells", item)
            if is_one_of(case, row["item"], row["is"])
            and _medicine(case, row["medicines"])
            and _window(case, row["window"])
            and holds(case, row["with"])
        ]
    return case.fallen


def kinds(case: Case) -> set[str]:
    """The kinds of section 4 (C5) that are at watch or above."""
    found = {row["kind"] for row in cells(case)} | {
        "weight gain" for row in table("trends") if row["readings"] and _risen(case, row)
    }
    return found - {""}


@cache
def _signs() -> dict[str, str]:
    return {row["sign"]: row["weight"] for row in table("signs") if row["weight"] != "today"}


def combinations(case: Case) -> list[Row]:
    """The rows of section 4 that a case falls into."""
    signs = _signs()
    present = [sign for sign in signs if sign_now_or_carried(case, sign)]
    core = sum(signs[sign] == "core" for sign in present)
    minor = sum(signs[sign] == "minor" for sign in present)
    different = len(kinds(case))
    return [
        row
        for row in table("combinations")
        if core >= int(row["core"])
        and minor >= int(row["minor"])
        and different >= int(row["kinds"])
        and _window(case, row["window"])
        and holds(case, row["with"])
    ]


def trends(case: Case) -> list[Row]:
    """The rows of section 5 that a case falls into."""
    return [
        row
        for row in table("trends")
        if _window(case, row["window"])
        and (_risen(case, row) if row["readings"] else _worse_than_before(case, row))
    ]


def _risen(case: Case, row: Row) -> bool:
    """T1: daily readings, each above the one before (5)."""
    last = case.weights[-int(row["readings"]) :]
    if len(last) < int(row["readings"]):
        return False
    pairs = list(pairwise(last))
    daily = all(after[0] - before[0] == 1 for before, after in pairs)
    rising = all(_kg(after) > _kg(before) for before, after in pairs)
    limit = _limit(row["total_metric"], row["total_us"], [one[2] for one in last])
    return daily and rising and _kg(last[-1]) - _kg(last[0]) >= limit


def _worse_than_before(case: Case, row: Row) -> bool:
    before = case.earlier[-1] if case.earlier else None
    if before is None or (before.day is None) != (case.day is None):
        return False
    if case.day is not None and case.day - (before.day or 0) > int(row["days_back"]):
        return False
    if row["was"] == row["is"] == "missing" and case.said.get(row["of"]) != ("missing",):
        return False  # only what was asked for and not given
    if row["was"] == row["is"] == "watch":
        return bool(kinds(case) & kinds(before))
    return is_one_of(before, row["of"], row["was"]) and is_one_of(case, row["of"], row["is"])


def verdict(raw: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The level of a case, and the rows that give it, worst first."""
    case = read_case(raw)
    fallen = [*cells(case), *trends(case), *combinations(case)]
    fallen.sort(key=lambda row: -LEVELS.index(row["gives"]))
    named = [f"{row['gives']}: {row.get('cell') or row['rule']}" for row in fallen]
    return (fallen[0]["gives"] if fallen else "none"), named
