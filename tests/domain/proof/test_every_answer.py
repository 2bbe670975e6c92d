"""Every answer alone, every pair, every pattern of signs; and that nothing else matters.

The counts are asserted, so that a change of the file that adds or loses answers is seen here.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from patient_portal.domain.course import Course, in_window
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.plan import own_facts, plan_for
from patient_portal.domain.protocol import Drug, Rule
from patient_portal.domain.triage import TriageResult, triage
from patient_portal.protocols import current
from tests.domain.proof import by_hand
from tests.domain.proof.answers import (
    PATTERNS,
    Stone,
    columns,
    in_and_out,
    one_of_each_kind,
    pairs,
    stones,
    weight_stones,
)

PROTOCOL = current()
PLAN = plan_for(PROTOCOL)
STONES = stones(PROTOCOL)
PAIRS = list(pairs(STONES))
KINDS = one_of_each_kind(PROTOCOL)
BY_CODE = {drug.code: drug for drug in PROTOCOL.drugs}
NONE, WATCH, URGENT, EMERGENCY = TriageLevel


def course(drug: Drug, day: int | None, *parts: Stone) -> Course:
    return Course(
        drug=drug.code,
        day_of_therapy=day,
        weights=tuple(row for part in parts for row in part.weights),
        baseline=next((part.baseline for part in parts if part.baseline), None),
    )


def judged(drug: Drug, day: int | None, *parts: Stone) -> TriageResult:
    answers: dict[str, Any] = {}
    for part in parts:
        answers |= part.answers
    return triage(PROTOCOL, answers, course(drug, day, *parts))


def tell(what: str, levels: Counter[str]) -> None:
    """Print the count, for `pytest -rP` and the documentation."""
    print(f"{what}: {sum(levels.values())} cases, {dict(sorted(levels.items()))}")


# ---- one answer


@pytest.mark.parametrize("drug", PROTOCOL.drugs, ids=lambda drug: drug.code)
def test_every_answer_of_every_medicine_comes_to_the_level_of_its_own_rules(drug: Drug) -> None:
    """The level is that of the plain rule, or of a rule that asks for nothing that is not there."""
    levels: Counter[str] = Counter()
    for day in in_and_out(drug).values():
        window = "in" if in_window(drug, Course(drug.code, day)) else "out"
        for stone in STONES:
            result = judged(drug, day, stone)
            levels[result.level.code] += 1
            for reason in result.reasons:
                rule = PROTOCOL.rule(reason.rule)
                assert rule.item in (stone.item, ""), stone.name
                assert rule.window in ("any", window)
                assert drug.matches(rule.drugs, rule.item)
            plain = max((r.level for r in _plain(stone, drug, window)), default=NONE)
            assert result.level >= plain, stone.name
            if stone.item == "weight":
                assert all(PROTOCOL.rule(reason.rule).is_plain for reason in result.reasons)
            elif result.level > plain:
                extra = {reason.rule for reason in result.reasons if reason.level > plain}
                assert extra <= {"FF2", "HA7"}, (stone.name, extra)  # no reading; early bleed
    assert sum(levels.values()) == len(STONES) * len(in_and_out(drug))
    tell(f"one answer, {drug.code}", levels)


def _plain(stone: Stone, drug: Drug, window: str) -> list[Rule]:
    """The rules that classify the answer, looked up in the file by value or by band."""
    found = []
    for rule in PROTOCOL.cells:
        if rule.is_plain and rule.item == stone.item and rule.window in ("any", window):
            value = next(iter(stone.answers.values()))
            value = value[0] if isinstance(value, list) else value
            item = PROTOCOL.item(stone.item)
            value = item.not_sure if value == "not_sure" else value
            named = any(type(one) is type(value) and one == value for one in rule.values)
            if named and drug.matches(rule.drugs, rule.item):
                found.append(rule)
            if rule.band and stone.name.startswith(f"{rule.band} "):
                found.append(rule)
    return found


def test_how_many_answers_there_are() -> None:
    assert len(STONES) == 174
    assert len(PAIRS) == 14150
    assert len(KINDS) == 7
    assert {columns(drug) for drug in KINDS} == {columns(drug) for drug in PROTOCOL.drugs}


# ---- two answers


@pytest.mark.parametrize("drug", PROTOCOL.drugs, ids=lambda drug: drug.code)
@pytest.mark.parametrize("side", ["in", "out"])
def test_every_pair_of_answers_is_the_worse_of_them_or_what_a_rule_says_of_both(
    drug: Drug, side: str
) -> None:
    """No third level: what is worse than both is named by a rule that needs both of them.

    The one exception is declared: a reading takes part of a felt fever away (amendment B3).
    """
    if drug.window is None and side == "out":
        return  # always inside
    day = 5 if side == "in" else (drug.window or (0, 0))[1] + 1
    alone = {stone.name: judged(drug, day, stone) for stone in STONES}
    levels: Counter[str] = Counter()
    for one, other in PAIRS:
        result = judged(drug, day, one, other)
        levels[result.level.code] += 1
        worse = max(alone[one.name].level, alone[other.name].level)
        names = {one.item, other.item}
        if names == {"temperature", "felt_feverish"}:
            assert result.level >= WATCH or worse is NONE
        else:
            assert result.level >= worse, (one.name, other.name)
        if result.level > worse:
            known = {r.rule for r in (*alone[one.name].reasons, *alone[other.name].reasons)}
            new = [r for r in result.reasons if r.rule not in known and r.level > worse]
            assert new, (one.name, other.name)
            for reason in new:
                rule = PROTOCOL.rule(reason.rule)
                assert rule.needs or not rule.item, (one.name, other.name, rule.id)
    assert sum(levels.values()) == len(PAIRS)
    tell(f"pairs, {drug.code}, {side}", levels)


# ---- every pattern of signs

BREATH = {
    "none": {}, "mild": {"breathlessness": "mild_exertion"},
    "moderate": {"breathlessness": "moderate_exertion"}, "at_rest": {"breathlessness": "at_rest"},
}  # fmt: skip
HEAT: dict[str, dict[str, Any]] = {
    "none": {}, "warm": {"temperature_c": Decimal("37.6")},
    "fever": {"temperature_c": Decimal("38.2")}, "chills": {"chills": True},
    "felt": {"felt_feverish": True},
}  # fmt: skip
SIGNS: dict[str, dict[str, Any]] = {
    "dizzy": {"dizziness": "mild"}, "dry": {"urine": "less"}, "swollen": {"swelling": "new_mild"},
    "cough": {"cough": "new"}, "bones": {"bone_pain": "mild"}, "rash": {"rash": "mild"},
}  # fmt: skip
WEIGHTS = [
    "1.4 in a day", "1.0 in 3 days", "2.0 in 3 days", "1.5 in 7 days", "2.3 in 7 days",
    "4.5 in 7 days", "3.0 over baseline", "5.0 over baseline",
]  # fmt: skip
WEIGHT_STONES = {
    stone.name.removeprefix("weight ").removesuffix(" kg"): stone
    for stone in weight_stones()
    if stone.name.endswith(" kg")
}


@pytest.mark.parametrize("weight", ["none", *WEIGHTS])
@pytest.mark.parametrize("side", ["in", "out"])
def test_every_pattern_of_signs_is_what_the_text_says(weight: str, side: str) -> None:
    """Core, minor and watch signs, every weight band, each side, each kind of medicine."""
    stone = WEIGHT_STONES.get(weight)
    levels: Counter[str] = Counter()
    for drug in KINDS:
        if drug.window is None and side == "out":
            continue
        day = 700 if side == "out" else 40
        beside = course(drug, day, *([stone] if stone else []))
        for breath, heat, *signs, headache in product(BREATH, HEAT, *[(False, True)] * 7):
            answers = {**BREATH[breath], **HEAT[heat], **(stone.answers if stone else {})}
            for given, is_there in zip(SIGNS.values(), signs, strict=True):
                if is_there:
                    answers |= given
            if headache:
                answers["headache"] = "mild"
            dizzy, dry, swollen, cough, bones, rash = signs
            pattern = by_hand.Pattern(
                breath, heat, dizzy, dry, swollen, cough, bones, rash, weight, headache,
                side == "in", "bone_pain" in drug.lists, "rash" in drug.lists, drug.qt,
            )  # fmt: skip
            level = triage(PROTOCOL, answers, beside).level
            assert level is by_hand.level_of(pattern), (drug.code, pattern)
            levels[level.code] += 1
    assert sum(levels.values()) == 2560 * (7 if side == "in" else 6)
    tell(f"patterns, {weight}, {side}", levels)


# ---- nothing else


def test_the_level_is_made_of_facts_alone() -> None:
    """Two answers with the same facts, medicine columns and side give the same rules."""
    by_facts: dict[tuple[object, ...], tuple[str, ...]] = {}
    same = 0
    for drug in PROTOCOL.drugs:
        for day in in_and_out(drug).values():
            at = Course(drug.code, day)
            side = in_window(drug, at)
            early = day is None or day <= 30
            for stone in STONES:
                if stone.item == "weight":
                    continue
                key = (_facts(stone), columns(drug), side, early)
                rules = tuple(reason.rule for reason in judged(drug, day, stone).reasons)
                same += key in by_facts
                assert by_facts.setdefault(key, rules) == rules, (drug.code, day, stone.name)
    print(f"facts alone: {same} repetitions of {len(by_facts)} sets of facts")
    assert same > len(by_facts)


def _facts(stone: Stone) -> tuple[str, ...]:
    from patient_portal.domain.facts import facts_of_answers

    return tuple(sorted(set(facts_of_answers(PLAN, stone.answers, None))))


@pytest.mark.parametrize("drug", PROTOCOL.drugs, ids=lambda drug: drug.code)
def test_the_day_matters_only_by_the_window_and_the_early_bleed(drug: Drug) -> None:
    """Day by day to day 700: the reasons change at the window's end and after day 30 alone."""
    last = drug.window[1] if drug.window else 10**6
    count = 0
    for stone in STONES:
        seen: dict[tuple[bool, bool], TriageResult] = {}
        for day in (*range(1, 100), *range(175, 185), *range(545, 552), 700):
            key = (day <= last, day <= 30)
            result = judged(drug, day, stone)
            assert seen.setdefault(key, result) == result, (stone.name, day)
            count += 1
    print(f"days, {drug.code}: {count} cases")


def test_medicines_with_the_same_columns_are_judged_the_same() -> None:
    groups: dict[tuple[object, ...], list[Drug]] = {}
    for drug in PROTOCOL.drugs:
        groups.setdefault(columns(drug), []).append(drug)
    count = 0
    for group in groups.values():
        for drug in group[1:]:
            for day in (5, 40, 900):
                for stone in STONES:
                    first, other = judged(group[0], day, stone), judged(drug, day, stone)
                    if drug.window is not None:
                        assert first == other, (group[0].code, drug.code, stone.name)
                    count += 1
    print(f"same columns: {count} cases")
    assert count


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("start", ["40", "55.5", "80", "140", "299"])
def test_only_the_gain_matters_not_the_weight_itself(name: str, start: str) -> None:
    """Bodies of any weight, without a small body's own limits, come to the same rules."""
    stone = WEIGHT_STONES[name]
    base = stone.answers["weight"]
    for drug in KINDS:
        for day in (5, 900):
            wanted = judged(drug, day, stone)
            moved = Stone(
                "weight", name, {"weight": Decimal(start), "weight_unit": "kg"},
                tuple(
                    (at, Measure(one.value - base + Decimal(start), "kg"))
                    for at, one in stone.weights
                ),
            )  # fmt: skip
            assert judged(drug, day, moved) == wanted


def test_what_is_owned_told_by_whom_and_set_matters_only_where_it_says() -> None:
    """Devices, reporter, fever line and steroid change nothing of answers they do not speak of."""
    count = 0
    for drug in KINDS:
        for stone in STONES:
            plain = judged(drug, 40, stone)
            for more in (
                {"owns": ()}, {"owns": ("scale",)}, {"reporter": "caregiver"},
                {"usual": ("bone_pain", "breathlessness", "cough", "headache", "swelling")},
            ):  # fmt: skip
                beside = Course(
                    drug.code, 40, weights=stone.weights, baseline=stone.baseline, **more
                )
                assert triage(PROTOCOL, stone.answers, beside) == plain, (stone.name, more)
                count += 1
    print(f"settings that do not matter: {count} cases")


def test_every_rule_is_fired_by_an_answer_of_this_proof() -> None:
    """The enumeration reaches every plain rule that says something."""
    fired: set[str] = set()
    for drug in PROTOCOL.drugs:
        for day in in_and_out(drug).values():
            for stone in STONES:
                fired |= {reason.rule for reason in judged(drug, day, stone).reasons}
    speaking = {rule.id for rule in PROTOCOL.cells if rule.is_plain and rule.level > NONE}
    assert speaking - fired == set()
    assert all(own_facts(PROTOCOL, rule) for rule in PROTOCOL.cells)
