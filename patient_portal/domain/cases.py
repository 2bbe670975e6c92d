"""One case as scripts send it: a check-in with its course, every part checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from patient_portal.domain.answers import (
    AnswerError,
    a_list,
    mapping,
    one_of,
    shown,
    validate_answers,
    whole,
)
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import UNKNOWN_DRUG, Protocol
from patient_portal.domain.triage import Course

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
)
HISTORY_KEYS = ("day", "answers", "level", "closed")
DEVICES = ("scale", "thermometer")
LEVELS = tuple(level.code for level in TriageLevel)
LONGEST_ID = 200
LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier check-in of a case."""

    day: int
    answers: Mapping[str, object]
    level: TriageLevel | None
    closed: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Answers and course of one line. `history` and `partners` are checked and kept."""

    answers: Mapping[str, object]
    course: Course
    history: tuple[Past, ...] = ()
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
    for key in given:
        if key not in KEYS:
            raise AnswerError(shown(key)[1:-1], f"unknown key; known are {', '.join(KEYS)}")
    if "id" in given and id_of(given) is None:
        raise AnswerError("id", f"{shown(given['id'])} is not a text or number of fair length")
    if "answers" not in given:
        raise AnswerError("answers", "is missing")
    day = whole("day_of_therapy", given["day_of_therapy"]) if "day_of_therapy" in given else None
    answers = validate_answers(protocol, given["answers"])
    _check_not_future("answers", answers, day)
    course = Course(
        drug=str(one_of("drug", given.get("drug", UNKNOWN_DRUG), _codes(protocol))),
        day_of_therapy=day,
        window_extended=bool(
            one_of("window_extended", given.get("window_extended", False), (True, False))
        ),
        usual=_words("usual", given["usual"], _usual(protocol)) if "usual" in given else None,
        owns=_words("owns", given["owns"], DEVICES) if "owns" in given else None,
    )
    return Case(
        answers,
        course,
        _history(protocol, given.get("history", ()), day),
        _words("partners", given.get("partners", ()), None),
    )


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


def _history(protocol: Protocol, value: object, today: int | None) -> tuple[Past, ...]:
    past: list[Past] = []
    for number, raw in enumerate(a_list("history", value)):
        here = f"history[{number}]"
        row = {key: one for key, one in mapping(here, raw).items() if one is not None}
        for key in row:
            if key not in HISTORY_KEYS:
                known = ", ".join(HISTORY_KEYS)
                raise AnswerError(f"{here}.{shown(key)[1:-1]}", f"unknown key; known are {known}")
        if "day" not in row:
            raise AnswerError(f"{here}.day", "is missing")
        day = whole(f"{here}.day", row["day"])
        if past and day < past[-1].day:
            raise AnswerError(f"{here}.day", f"day {day} is before day {past[-1].day}")
        if today is not None and 1 <= today < day:
            raise AnswerError(f"{here}.day", f"day {day} is in the future: today is {today}")
        level = one_of(f"{here}.level", row["level"], LEVELS) if "level" in row else None
        past.append(
            Past(
                day,
                validate_answers(protocol, row.get("answers", {}), path=f"{here}.answers"),
                TriageLevel.from_code(str(level)) if level is not None else None,
                bool(one_of(f"{here}.closed", row.get("closed", False), (True, False))),
            )
        )
    return tuple(past)
