"""The engine agrees with the tables written by hand, through the triage command's own door."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from patient_portal import protocols
from patient_portal.cli.triage import answer_line
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.missed import missed_level
from tests.domain.second_statement import cases
from tests.domain.second_statement.oracle import LEVELS, verdict
from tests.domain.second_statement.tables import band_row, medicine_row, table

WEIGHINGS = 3000
HISTORIES = 3000
PROTOCOL = protocols.current()


def engine(case: cases.Raw) -> str:
    answer = answer_line(PROTOCOL, json.dumps(case).encode(), 1)
    return str(answer.get("level") or answer["error"])


def assert_agreement(what: str, made: Iterable[cases.Raw]) -> Counter[str]:
    """Both statements give each case the same level; prints and returns how many there were."""
    counts: Counter[str] = Counter()
    for case in made:
        said, (level, rows) = engine(case), verdict(case)
        assert said == level, f"{json.dumps(case)}: engine {said}, tables {level} by {rows}"
        counts[level] += 1
    assert counts
    print(f"{what}: {sum(counts.values())} agree, {dict(counts)}")
    return counts


def test_the_tables_know_every_answer_and_no_other() -> None:
    options = {item.key: {str(value) for value in item.values} for item in PROTOCOL.items}
    stand_ins = {row["item"]: row for row in table("standins")}
    for row in (*table("cells"), *table("signs"), *table("trends")):
        key, wanted = row.get("item") or row["of"], set(row["is"].split("|"))
        if options.get(key, set()) - {"not_measured"}:
            assert wanted - {"yes"} <= options[key], row
        elif wanted not in ({"missing"}, {"watch"}, {""}):
            assert all(band_row(one) for one in wanted), row
    for item in PROTOCOL.items:
        if item.not_sure is not None:
            given = "yes" if item.not_sure is True else item.not_sure
            if item.key != "neuro":  # both its values weigh the same
                assert stand_ins[item.key]["not_sure"] == given
        if "usual" in item.values:
            assert stand_ins[item.key]["usual_without_baseline"] == item.not_sure


def test_windows_are_those_of_the_tables() -> None:
    for drug in PROTOCOL.drugs:
        row = medicine_row(drug.code)
        window = (int(row["first_day"]), int(row["last_day"])) if row["last_day"] else None
        assert drug.window == window, drug.code


@pytest.mark.parametrize("row", table("medicines"), ids=lambda row: row["medicine"])
def test_every_answer_in_and_out_of_the_window(row: Mapping[str, str]) -> None:
    last = int(row["last_day"] or 60)
    assert_agreement(
        "answers",
        (
            cases.at(answers, row["medicine"], day)
            for day in (None, 0, 1, 30, 31, last, last + 1)
            for answers in cases.single_answers(PROTOCOL)
        ),
    )


@pytest.mark.parametrize("row", cases.profiles(), ids=lambda row: row["medicine"])
def test_every_pair_of_answers(row: Mapping[str, str]) -> None:
    assert_agreement(
        "pairs",
        (
            cases.at(both, row["medicine"], day)
            for day in cases.days_of(row)
            for both in cases.pairs(PROTOCOL)
        ),
    )


def test_weights_on_and_around_the_limits() -> None:
    rng = random.Random(20)
    made = (cases.weighings(rng) for _ in range(WEIGHINGS))
    swapped = "looks like another unit"
    assert_agreement("weights", (case for case in made if swapped not in engine(case)))


@pytest.mark.parametrize("left_out", [0, 0.15], ids=["all answered", "questions left out"])
def test_courses_of_several_check_ins(left_out: float) -> None:
    """Look-back, trends, missing values: random courses, also with answers that were not given."""
    rng = random.Random(7)
    made = (cases.histories(PROTOCOL, rng, left_out) for _ in range(HISTORIES))
    counts = assert_agreement("courses", made)
    assert min(counts[level] for level in LEVELS) > 50


@pytest.mark.parametrize("days", range(6))
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("after", TriageLevel)
def test_missed_check_ins(days: int, inside: bool, after: TriageLevel) -> None:
    told = [
        row["gives"]
        for row in table("missed")
        if (row["window"] == "in") == inside
        and days >= int(row["missed_days"])
        and (row["after"] == "nothing" or after.code in row["after"])
    ]
    level = max(told, key=LEVELS.index, default="none")
    rule = missed_level(PROTOCOL, days, in_window=inside, after=after)
    assert (rule.level.code if rule else "none") == level
