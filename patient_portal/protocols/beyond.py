"""Reading what a protocol says beyond single answers: signs, combinations, trends, silence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time

from patient_portal.domain.combined import (
    CORE,
    MINOR,
    Beyond,
    Combination,
    Count,
    Kind,
    LookBack,
    Missed,
    Missing,
    Notice,
    Sign,
    SignOff,
    Silence,
    Trend,
    Way,
    WindowLimits,
)
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import Rule
from patient_portal.protocols.tables import Table

# table: whether it is a list, as `tables.read_tables` takes it
TABLES = {
    "sign_off": True,
    "sign": True,
    "kind": True,
    "look_back": False,
    "combination": True,
    "trend": True,
    "missing": True,
    "notice": True,
    "missed": True,
    "silence": False,
    "windows": False,
}
# The tables whose rows are rules: they have words, a level and sources.
RULES = ("combination", "trend", "missing", "notice", "missed")
LEVELS = tuple(level.code for level in TriageLevel)
WINDOWS = ("any", "in", "out")
TREND_KINDS = ("worse", "again", "step", "unresolved")
NOTICE_KINDS = ("same_day", "recheck", "divergence", "unreadable")
DEVICES = ("scale", "thermometer")
_MOST_DAYS = 60
_MOST_HOURS = 24
_MOST_TIMES = 5

Tables = Mapping[str, list[Table]]


def words_of(row: Table) -> Rule:
    """The rule of a row without item: its id, level, sources and words."""
    level = TriageLevel.from_code(row.word("level", LEVELS[1:]))
    return Rule(
        id=row.text("id"),
        item="",
        level=level,
        sources=row.texts("sources"),
        window=row.word("window", WINDOWS, "any"),
        patient=row.text("patient"),
        staff=row.text("staff"),
        say=row.text("say", None if level is TriageLevel.EMERGENCY else ""),
        say_unsure=row.text("say_unsure", None if level is TriageLevel.EMERGENCY else ""),
    )


def read_beyond(tables: Tables) -> Beyond:
    """All of it; raises ProtocolError with the line for what is missing or of a wrong type."""
    notices = [_notice(row) for row in tables["notice"]]
    return Beyond(
        signs=tuple(_sign(row) for row in tables["sign"]),
        kinds=tuple(
            Kind(row.text("id"), row.text("label"), row.texts("when")) for row in tables["kind"]
        ),
        combinations=tuple(_combination(row) for row in tables["combination"]),
        trends=tuple(_trend(row) for row in tables["trend"]),
        missing=tuple(_missing(row) for row in tables["missing"]),
        missed=tuple(_missed(row) for row in tables["missed"]),
        notices={kind: tuple(one for one in notices if one.kind == kind) for kind in NOTICE_KINDS},
        look_back=_look_back(tables["look_back"][0]),
        windows=_windows(tables["windows"][0]),
        silence=_silence(tables["silence"][0]),
    )


def read_sign_off(row: Table) -> SignOff:
    """One line to sign; a name needs a date and the reverse."""
    name, on = row.may_be_empty("name"), row.may_be_empty("on")
    if bool(name) is not bool(on):
        raise row.fail("'name' and 'on' are given together", "on" if name else "name")
    if on:
        try:
            date.fromisoformat(on)
        except ValueError:
            raise row.fail("'on' must be a date, year-month-day", "on") from None
    return SignOff(row.text("role"), name, on)


def _sign(row: Table) -> Sign:
    return Sign(
        id=row.text("id"),
        kind=row.word("kind", (CORE, MINOR)),
        label=row.text("label"),
        ways=(_way(row), *(_further_way(one) for one in row.rows("also"))),
        unless=row.texts("unless", ()),
    )


def _way(row: Table) -> Way:
    return Way(row.texts("when"), row.texts("calm"))


def _further_way(row: Table) -> Way:
    way = _way(row)
    row.done()
    return way


def _combination(row: Table) -> Combination:
    counts = []
    for count in row.rows("counts"):
        made = Count(*(_number(count, key, 1, 9, 0) for key in ("core", "minor", "watch")))
        count.done()
        if made == Count():
            raise count.fail("counts nothing")
        counts.append(made)
    if not counts:
        raise row.fail("'counts' is missing")
    return Combination(
        rule=row.text("id"),
        counts=tuple(counts),
        today=row.texts("today", ()),
        besides=row.texts("besides", ()),
    )


def _trend(row: Table) -> Trend:
    trend = Trend(
        rule=row.text("id"),
        kind=row.word("kind", TREND_KINDS),
        within_days=_number(row, "within_days", 1, 7),
        window=row.word("window", WINDOWS, "any"),
        items=row.texts("items", ()),
        before=row.texts("before", ()),
        after=row.texts("after", ()),
    )
    if bool(trend.items) is not (trend.kind in ("worse", "step")):
        raise row.fail(f"'items' is for worse and step, and they need it ({trend.kind})", "items")
    is_step = trend.kind == "step"
    if bool(trend.before) is not is_step or bool(trend.after) is not is_step:
        raise row.fail(f"'before' and 'after' are for a step, and it needs both ({trend.kind})")
    return trend


def _missing(row: Table) -> Missing:
    return Missing(
        rule=row.text("id"),
        item=row.word("item", ("weight", "temperature")),
        owns=row.word("owns", DEVICES),
        within_days=_number(row, "within_days", 1, 7),
        window=row.word("window", WINDOWS, "any"),
    )


def _missed(row: Table) -> Missed:
    return Missed(
        rule=row.text("id"),
        window=row.word("window", WINDOWS, "any"),
        days=_number(row, "days", 1, _MOST_DAYS),
        after=TriageLevel.from_code(row.word("after", LEVELS, "none")),
    )


def _notice(row: Table) -> Notice:
    kind = row.word("kind", NOTICE_KINDS)
    apart = _number(row, "levels_apart", 1, 3, 0)
    if bool(apart) is not (kind == "divergence"):
        raise row.fail(f"'levels_apart' is for divergence, and it needs it ({kind})")
    return Notice(row.text("id"), kind, apart)


def _look_back(row: Table) -> LookBack:
    _sourced(row)
    return LookBack(
        _number(row, "days", 1, _MOST_DAYS),
        _number(row, "calm_days", 1, 7),
        _number(row, "before_days", 1, 7),
    )


def _windows(row: Table) -> WindowLimits:
    _sourced(row)
    return WindowLimits(
        _number(row, "after_last_dose", 1, _MOST_DAYS),
        _number(row, "after_steroid_cut", 1, _MOST_DAYS),
        _number(row, "restart_gap", 1, _MOST_DAYS),
    )


def _silence(row: Table) -> Silence:
    _sourced(row)
    silence = Silence(
        _number(row, "repeat_hours", 1, _MOST_HOURS),
        _number(row, "caregiver_hours", 1, _MOST_HOURS),
        _number(row, "cut_off_hours", 1, _MOST_HOURS),
        _hour(row, "pages_from"),
        _hour(row, "pages_until"),
        _number(row, "row_again_days", 1, _MOST_DAYS),
        _number(row, "page_again_times", 2, _MOST_TIMES),
    )
    if not silence.repeat_hours < silence.caregiver_hours < silence.cut_off_hours:
        raise row.fail("the hours must follow one another: repeat, caregiver, cut-off")
    if not silence.pages_from < silence.pages_until:
        raise row.fail("'pages_from' must be before 'pages_until'", "pages_from")
    return silence


def _sourced(row: Table) -> None:
    if not row.texts("sources"):
        raise row.fail("has no source", "sources")


def _hour(row: Table, key: str) -> time:
    try:
        return time.fromisoformat(row.text(key))
    except ValueError:
        raise row.fail(f"{key!r} must be a time of day, like 08:00", key) from None


def _number(row: Table, key: str, least: int, most: int, default: int | None = None) -> int:
    value = row.whole(key)
    if value is None and default is not None:
        return default
    if value is None:
        raise row.fail(f"{key!r} is missing")
    if not least <= value <= most:
        raise row.fail(f"{key!r} must be from {least} to {most}", key)
    return value
