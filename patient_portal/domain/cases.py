"""One case as scripts send it: a check-in with its course, every part checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TypedDict

from patient_portal.domain.answers import (
    AnswerError,
    a_list,
    mapping,
    one_of,
    shown,
    validate_answers,
    whole,
)
from patient_portal.domain.course import PATIENT, Course, Earlier
from patient_portal.domain.facts import weights_in
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import UNKNOWN_DRUG, Protocol

KEYS = (
    "id",
    "drug",
    "day_of_therapy",
    "answers",
    "window_extended",
    "history",
    "usual",
    "partners",
    "owns",
    "reporter",
    "uk_lines",
    "overrides",
)
OVERRIDE_KEYS = ("fever_line", "on_steroid", "window_last_day")
REPORTERS = ("patient", "caregiver", "staff")
FEVER_LINES = (Decimal("37.5"), Decimal("38.0"))
HISTORY_KEYS = ("day", "answers", "level", "closed", "resolved", "recheck", "reporter")
DEVICES = ("scale", "thermometer")
LEVELS = tuple(level.code for level in TriageLevel)
LONGEST_ID = 200
LONGEST_WORD = 100


class _Overrides(TypedDict, total=False):
    fever_line: Decimal
    on_steroid: bool
    window_last_day: int


@dataclass(frozen=True, slots=True)
class Case:
    """Answers and course of one line; `partners` are checked and kept."""

    answers: Mapping[str, object]
    course: Course
    partners: tuple[str, ...] = ()


def id_of(raw: object) -> str | int | None:
    """The case's own id, echoed in its result; None if it has none that can be echoed."""
    found = raw.get("id") if isinstance(raw, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return found if len(str(found)) <= LONGEST_ID else None


def read_case(protocol: Protocol, raw: object) -> Case:
    """A case out of parsed JSON; raises AnswerError with the path of what is wrong.

    An absent medicine counts as unknown, which is the most cautious of them.
    """
    if not isinstance(raw, Mapping):
        raise AnswerError("line", f"{shown(raw)} is not an object")
    given = {key: value for key, value in mapping("line", raw).items() if value is not None}
    _known_keys("", given, KEYS)
    if "id" in given and id_of(given) is None:
        raise AnswerError("id", f"{shown(given['id'])} is not a text or number of fair length")
    if "answers" not in given:
        raise AnswerError("answers", "is missing")
    day = whole("day_of_therapy", given["day_of_therapy"]) if "day_of_therapy" in given else None
    answers = validate_answers(protocol, given["answers"])
    _check_not_future("answers", answers, day)
    history = _history(protocol, given.get("history", ()), answers, day)
    changed = _overrides(given.get("overrides", {}))
    course = Course(
        drug=str(one_of("drug", given.get("drug", UNKNOWN_DRUG), _codes(protocol))),
        day_of_therapy=day,
        window_extended=_flag("window_extended", given),
        usual=_words("usual", given["usual"], _usual(protocol)) if "usual" in given else None,
        owns=_words("owns", given["owns"], DEVICES) if "owns" in given else None,
        uk_lines=_flag("uk_lines", given),
        reporter=str(one_of("reporter", given.get("reporter", PATIENT), REPORTERS)),
        history=history,
        weights=_weights(answers, history),
        **changed,
    )
    return Case(answers, course, _words("partners", given.get("partners", ()), None))


def _flag(path: str, given: Mapping[str, object], key: str = "") -> bool:
    return bool(one_of(path, given.get(key or path, False), (True, False)))


def _overrides(raw: object) -> _Overrides:
    """What a clinician has set for this person (`domain.overrides`)."""
    given = {k: v for k, v in mapping("overrides", raw).items() if v is not None}
    _known_keys("overrides.", given, OVERRIDE_KEYS)
    found: _Overrides = {}
    if "fever_line" in given:
        line = given["fever_line"]
        if isinstance(line, bool) or line not in FEVER_LINES:
            raise AnswerError("overrides.fever_line", f"{shown(line)} is not one of 37.5, 38.0")
        found["fever_line"] = Decimal(str(line))
    if "on_steroid" in given:
        found["on_steroid"] = _flag("overrides.on_steroid", given, "on_steroid")
    if "window_last_day" in given:
        last = whole("overrides.window_last_day", given["window_last_day"])
        if last < 1:
            raise AnswerError("overrides.window_last_day", f"{last} is not a day of therapy")
        found["window_last_day"] = last
    return found


def _known_keys(prefix: str, given: Mapping[str, object], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            raise AnswerError(
                f"{prefix}{shown(key)[1:-1]}", f"unknown key; known are {', '.join(known)}"
            )


def _weights(
    answers: Mapping[str, object], history: tuple[Earlier, ...]
) -> tuple[tuple[int, Measure], ...]:
    """Readings of earlier check-ins; a day that today's series has is not counted twice."""
    yesterday = answers.get("yesterday")
    told = (*history, Earlier(1, yesterday)) if isinstance(yesterday, Mapping) else history
    series = answers.get("weight_series")
    rows = series if isinstance(series, tuple) else ()
    days = {int(day) - int(rows[-1][0]) for day, *_ in rows}
    return tuple(row for row in weights_in(told) if row[0] not in days)


def _codes(protocol: Protocol) -> tuple[str, ...]:
    return tuple(drug.code for drug in protocol.drugs)


def _usual(protocol: Protocol) -> tuple[str, ...]:
    return tuple(item.key for item in protocol.items)


def _words(path: str, value: object, allowed: tuple[str, ...] | None) -> tuple[str, ...]:
    words = []
    for number, word in enumerate(a_list(path, value)):
        here = f"{path}[{number}]"
        if allowed is not None:
            word = one_of(here, word, allowed)
        if not isinstance(word, str) or len(word) > LONGEST_WORD:
            raise AnswerError(here, f"{shown(word)} is not a text of fair length")
        words.append(word)
    return tuple(words)


def _check_not_future(path: str, answers: Mapping[str, object], day: int | None) -> None:
    """Days of a series are days of therapy; none may lie after today."""
    series = answers.get("weight_series")
    if day is None or day < 1 or not isinstance(series, tuple) or not series:
        return
    last: int = series[-1][0]
    if last > day:
        number = len(series) - 1
        raise AnswerError(
            f"{path}.weight_series[{number}][0]", f"day {last} is in the future: today is {day}"
        )


def _history(
    protocol: Protocol, value: object, answers: Mapping[str, object], day: int | None
) -> tuple[Earlier, ...]:
    rows = a_list("history", value)
    if not rows:
        return ()
    days = [_day(number, raw) for number, raw in enumerate(rows)]
    for number, (before, after) in enumerate(pairwise(days), start=1):
        if after < before:
            raise AnswerError(f"history[{number}].day", f"day {after} is before day {before}")
    today = _today(days, answers, day)
    if days[-1] > today:
        raise AnswerError(
            f"history[{len(days) - 1}].day", f"day {days[-1]} is in the future: today is {today}"
        )
    return tuple(_earlier(protocol, f"history[{n}]", raw, today) for n, raw in enumerate(rows))


def _day(number: int, raw: object) -> int:
    here = f"history[{number}]"
    row = {key: one for key, one in mapping(here, raw).items() if one is not None}
    _known_keys(f"{here}.", row, HISTORY_KEYS)
    if "day" not in row:
        raise AnswerError(f"{here}.day", "is missing")
    return whole(f"{here}.day", row["day"])


def _today(days: list[int], answers: Mapping[str, object], day: int | None) -> int:
    """The day that earlier days are counted from.

    Where it is not given it is the last day of the weights, or else the day after the last
    check-in, which makes every earlier one as recent as it can have been.
    """
    if day is not None and day >= 1:
        return day
    series = answers.get("weight_series")
    last = days[-1]
    if isinstance(series, tuple) and series and int(series[-1][0]) >= last:
        return int(series[-1][0])
    return last + 1


def _earlier(protocol: Protocol, here: str, raw: object, today: int) -> Earlier:
    row = {key: one for key, one in mapping(here, raw).items() if one is not None}
    signs = tuple(sign.id for sign in protocol.beyond.signs)
    recheck = row.get("recheck")
    closed = _flag(f"{here}.closed", row, "closed")
    if recheck is not None and not closed:
        raise AnswerError(f"{here}.recheck", "is for a check-in that is closed")
    answers = validate_answers(protocol, row.get("answers", {}), path=f"{here}.answers")
    if "yesterday" in answers:
        raise AnswerError(f"{here}.answers.yesterday", "is a check-in of its own here")
    return Earlier(
        days_ago=today - whole(f"{here}.day", row["day"]),
        answers=answers,
        level=TriageLevel.from_code(str(one_of(f"{here}.level", row.get("level", "none"), LEVELS))),
        is_closed=closed,
        resolved=_words(f"{here}.resolved", row.get("resolved", ()), signs),
        recheck=recheck is not None and whole(f"{here}.recheck", recheck) >= today,
        reporter=str(one_of(f"{here}.reporter", row.get("reporter", PATIENT), REPORTERS)),
    )
