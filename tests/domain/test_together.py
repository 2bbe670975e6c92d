"""Combinations, the look-back, trends, and what a person of the team has closed."""

from decimal import Decimal
from typing import Any

import pytest

from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.past import standing_signs
from patient_portal.domain.triage import TriageResult, triage
from patient_portal.protocols import current
from tests.domain.cells import IN, OUT, c, gained

PROTOCOL = current()
NONE, WATCH, URGENT, EMERGENCY = TriageLevel
Answers = dict[str, Any]

D: Answers = {"breathlessness": "mild_exertion"}
D2: Answers = {"breathlessness": "moderate_exertion"}
F: Answers = c("38.0")
W: Answers = {"swelling": "new_mild"}
H: Answers = {"dizziness": "mild"}
K: Answers = {"urine": "less"}
CORE = {"D": D, "F": F, "W": W, "H": H, "K": K}
COUGH: Answers = {"cough": "new"}
BONES: Answers = {"bone_pain": "mild"}
RASH: Answers = {"rash": "mild"}
MINOR = {"cough": COUGH, "bone_pain": BONES, "rash": RASH}
CALM: Answers = {
    "breathlessness": "none", "swelling": "none", **c("36.8"), "chills": False,
    "felt_feverish": False, "dizziness": "none", "urine": "normal", "cough": "none",
    "bone_pain": "none", "rash": "none", "headache": "none",
}  # fmt: skip


def then(days_ago: int, answers: Answers, **more: Any) -> Earlier:
    return Earlier(days_ago, answers, **more)


def judged(answers: Answers, *history: Earlier, day: int = OUT, **more: Any) -> TriageResult:
    return triage(PROTOCOL, answers, Course("atra", day, history=history, **more))


def fired(answers: Answers, *history: Earlier, day: int = OUT, **more: Any) -> set[str]:
    return {reason.rule for reason in judged(answers, *history, day=day, **more).reasons}


# ---- combinations of one day


@pytest.mark.parametrize("one", CORE)
@pytest.mark.parametrize("other", CORE)
def test_two_core_signs_are_urgent(one: str, other: str) -> None:
    assert ("C3" in fired({**CORE[one], **CORE[other]})) is (one != other)


@pytest.mark.parametrize("left", CORE)
def test_three_core_signs_are_an_emergency(left: str) -> None:
    others = [key for key in CORE if key != left]
    four: Answers = {}
    for key in others:
        four |= CORE[key]
    assert "C1" in fired(four)
    three = {k: v for k, v in four.items() if k not in CORE[others[0]]}
    assert "C1" in fired(three)
    two = {k: v for k, v in three.items() if k not in CORE[others[1]]}
    assert "C1" not in fired(two)


@pytest.mark.parametrize("other", ["F", "W", "H", "K"])
def test_breathless_at_home_with_another_core_sign_is_an_emergency(other: str) -> None:
    assert "C2" in fired({**D2, **CORE[other]})
    assert "C2" not in fired({**D, **CORE[other]})
    assert "C2" not in fired(D2)


@pytest.mark.parametrize("minor", MINOR)
def test_a_core_and_a_minor_sign_are_urgent(minor: str) -> None:
    assert "C4" in fired({**K, **MINOR[minor]})
    assert "C4" not in fired(MINOR[minor])
    assert "C4" not in fired(K)


def test_two_minor_signs_are_urgent() -> None:
    for one, other in ((COUGH, BONES), (BONES, RASH), (RASH, COUGH)):
        result = judged({**one, **other})
        assert result.level is URGENT
        assert "C4" in {reason.rule for reason in result.reasons}


KINDS: dict[str, Answers] = {
    "temperature": c("37.5"),
    "cough": COUGH,
    "rash": RASH,
    "bone_pain": BONES,
    "dizziness": H,
    "urine": K,
    "swelling": W,
    "weight_gain": gained((699, "70"), (700, "71.4")),
}
OTHER_WATCH: dict[str, Answers] = {
    "headache": {"headache": "mild"},
    "bleeding": {"bleeding": "minor"},
    "palpitations": {"palpitations": "brief"},
    "low": c("35.5"),
    "felt": {**c("36.8"), "felt_feverish": True},
    "loss": gained((699, "73"), (700, "71")),
}


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_two_kinds_of_watch_findings_are_urgent(one: str, other: str) -> None:
    assert judged(KINDS[one]).level is WATCH
    both = judged({**KINDS[one], **KINDS[other]})
    assert ("C5" in {r.rule for r in both.reasons}) is (one != other)
    assert both.level is (URGENT if one != other else WATCH)


@pytest.mark.parametrize("other", OTHER_WATCH)
def test_watch_findings_of_other_diseases_are_not_counted(other: str) -> None:
    assert judged(OTHER_WATCH[other]).level is WATCH
    for name, kind in KINDS.items():
        if name == "dizziness" and other == "palpitations":
            continue  # an emergency of the heart
        if not kind.keys() & OTHER_WATCH[other].keys():
            assert judged({**kind, **OTHER_WATCH[other]}).level is WATCH, name


def test_all_weight_bands_are_one_kind() -> None:
    answers = gained((693, "70"), (697, "70"), (699, "70.2"), (700, "72.4"))
    assert fired(answers) >= {"WD1", "WT4", "WW6"}
    assert "C5" not in fired(answers)


@pytest.mark.parametrize("sign", ["D", "F", "H", "K"])
@pytest.mark.parametrize("day", [IN, OUT])
def test_ten_pounds_with_a_core_sign_is_an_emergency(sign: str, day: int) -> None:
    weight = gained((day - 7, "70"), (day, "74.5"))
    assert "C6" in fired({**weight, **CORE[sign]}, day=day)
    assert "C6" not in fired({**weight, **W}, day=day)  # the same fluid
    assert "C6" not in fired({**gained((day - 7, "70"), (day, "74.4")), **CORE[sign]}, day=day)


def test_far_over_baseline_counts_inside_the_window_alone() -> None:
    weight = {"weight": "75", "weight_unit": "kg", **K}
    baseline = Measure(Decimal(70), "kg")
    assert "C6" in fired(weight, day=IN, baseline=baseline)
    assert "C6" not in fired(weight, day=OUT, baseline=baseline)


def test_swelling_and_weight_are_one_core_sign() -> None:
    weight = gained((697, "70"), (700, "72"))
    assert "C3" not in fired({**weight, **W})
    assert "C3" in fired({**weight, **K})
    assert "C3" in fired({"tighter_fit": True, **K})


# ---- look-back


@pytest.mark.parametrize("days_ago", range(1, 9))
def test_a_sign_counts_on_its_day_and_six_more(days_ago: int) -> None:
    assert ("C3" in fired(K, then(days_ago, D))) is (days_ago < 7)


@pytest.mark.parametrize("sign", [*CORE, *MINOR])
def test_each_sign_of_before_counts_until_it_is_calm_twice(sign: str) -> None:
    answers = {**CORE, **MINOR}[sign]
    with_it = K if sign != "K" else D
    rule = "C3" if sign in CORE else "C4"
    today = {**CALM, **with_it}
    was = then(4, answers)
    assert rule in fired(today, was)  # today is the first calm one
    assert rule in fired(with_it, was, then(1, {}))  # not answered is not calm
    assert rule in fired(with_it, was, then(1, CALM))  # once, and not answered today
    assert rule not in fired(today, was, then(1, CALM))
    assert rule not in fired(with_it, was, then(2, CALM), then(1, CALM))
    assert rule in fired(today, was, then(2, CALM), then(1, {}))  # the run is broken
    assert rule not in fired(with_it, was, then(3, CALM), then(2, CALM), then(1, {}))
    assert rule in fired(with_it, then(6, CALM), then(5, CALM), was)  # calm before it
    assert rule in fired(with_it, was, then(1, CALM), then(1, CALM))  # one day is one
    assert rule in fired(with_it, was, then(2, CALM), then(2, answers), then(1, CALM))


def test_usual_from_the_baseline_is_calm() -> None:
    usual = {**CALM, "cough": "usual"}
    history = (then(3, COUGH), then(2, usual), then(1, usual))
    assert "C4" not in fired(K, *history)
    assert "C4" in fired(K, *history, usual=())  # "usual" is new for this person


def test_a_warm_or_hot_day_is_not_calm_about_fever() -> None:
    for warm in (c("37.6"), {"felt_feverish": True, **c("36.8")}):
        day = {**CALM, **warm}
        assert "C3" in fired(K, then(3, F), then(2, day), then(1, day))
    assert "C3" not in fired(K, then(3, F), then(2, CALM), then(1, CALM))


def test_a_closing_outcome_that_names_the_sign_resolves_it() -> None:
    assert "C3" not in fired(K, then(2, D, resolved=("D",)))
    assert "C3" in fired(K, then(2, D, resolved=("F",)))
    assert "C3" in fired(K, then(2, D, is_closed=True))  # closing alone names nothing
    assert "C3" not in fired(K, then(3, D), then(1, {}, resolved=("D",)))
    assert "C3" in fired(K, then(3, {}, resolved=("D",)), then(1, D))
    assert "C3" not in fired(K, then(2, D), then(2, {}, resolved=("D",)))
    assert "C3" in fired(K, then(2, {}, resolved=("D",)), then(2, D))


def test_signs_of_earlier_days_count_until_they_are_resolved() -> None:
    history = (then(2, D), then(1, {**F, **W}))
    assert {"C1", "C3"} <= fired(CALM, *history)
    assert "C1" in fired(K, *history)
    assert {"C2", "C1"} <= fired(D2, then(1, {**F, **W}))
    assert judged(CALM, then(2, {**D, **F, **W}), then(1, CALM)).level is NONE
    assert judged(CALM, then(7, {**D, **F, **W})).level is NONE  # expired


def test_what_a_person_closed_counts_beside_a_sign_of_today_alone() -> None:
    dealt_with = (then(2, {**D, **F, **W}, is_closed=True),)
    assert judged(CALM, *dealt_with).level is NONE
    assert "C1" in fired(K, *dealt_with)
    assert "C3" in fired(CALM, *dealt_with, then(1, {**D, **F}))


def test_the_day_before_is_part_of_what_a_reporter_tells() -> None:
    warm, helper = c("37.6"), then(0, CALM, reporter="caregiver")
    assert "divergence" in fired(warm, then(1, warm), helper)
    assert "divergence" not in fired(warm, helper)


def test_a_form_that_is_being_answered_waits_for_its_questions() -> None:
    """Else the first calm page would page about a sign that the next page calls over."""
    history = (then(2, {**D, **W}), then(1, CALM))
    first_page: Answers = {"red_flags": "none"}
    assert judged(first_page, *history, is_finished=False).level is NONE
    assert "C3" in fired(first_page, *history)
    assert "C1" in fired(K, *history, is_finished=False)
    assert judged(CALM, *history).level is NONE


def test_only_an_answer_that_could_show_it_resolves_a_sign() -> None:
    def kg(value: str) -> Answers:
        return {"weight": value, "weight_unit": "kg"}

    def standing(shown: Answers, calm: Answers, *weights: tuple[int, str]) -> bool:
        history = (then(3, shown), then(2, calm), then(1, calm))
        known = tuple((day, Measure(Decimal(value), "kg")) for day, value in weights)
        return "C3" in fired(K, *history, weights=known)

    gained, before = kg("72.6"), ((-5, "70.0"), (-3, "72.6"))
    assert standing(gained, {"swelling": "none"}, *before)
    assert standing(gained, {"swelling": "none", "weight": "not_measured"}, *before)
    unweighed: Answers = {"swelling": "none", "weight": "not_measured", "tighter_fit": False}
    assert not standing(gained, unweighed, *before)
    assert standing(gained, {"tighter_fit": False}, *before)
    assert not standing(gained, kg("70.1"), *before, (-2, "70.1"), (-1, "70.1"))
    assert standing({"swelling": "new_mild"}, kg("70.1"), (-2, "70.1"), (-1, "70.1"))
    assert not standing({"swelling": "new_mild"}, {"swelling": "usual"})
    assert not standing({"tighter_fit": True}, {"tighter_fit": False})

    assert standing({"dizziness": "mild"}, {"bp_systolic": 120})
    assert not standing({"dizziness": "mild"}, {"dizziness": "none"})
    assert standing({"bp_systolic": 95}, {"dizziness": "none"})
    assert not standing({"bp_systolic": 95}, {"dizziness": "none", "bp_systolic": 120})

    assert standing({"chills": True}, {"felt_feverish": False})
    assert not standing({"chills": True}, {"chills": False})
    assert not standing(F, {"felt_feverish": False})


def test_todays_weight_is_the_second_calm_day_after_a_gain() -> None:
    def kg(value: str) -> Answers:
        return {"weight": value, "weight_unit": "kg"}

    weights = tuple(
        (day, Measure(Decimal(value), "kg")) for day, value in ((-5, "70"), (-3, "73"), (-1, "70"))
    )

    def standing(today: Answers) -> bool:
        history = (then(3, kg("73")), then(1, kg("70")))
        return "C3" in fired({**K, **today}, *history, weights=weights)

    assert not standing(kg("70.2"))
    assert standing({})
    assert standing({"swelling": "none", "weight": "not_measured"})
    assert not standing({"swelling": "none", "weight": "not_measured", "tighter_fit": False})


def test_a_sign_of_today_makes_earlier_minor_ones_count() -> None:
    assert "C4" in fired(BONES, then(5, RASH))
    assert "C4" not in fired(BONES, then(7, RASH))
    assert "C4" not in fired(BONES, then(5, BONES))


def test_an_earlier_gain_is_judged_by_the_weights_before_it() -> None:
    def kg(value: str) -> Answers:
        return {"weight": value, "weight_unit": "kg"}

    weights = tuple((day, Measure(Decimal(v), "kg")) for day, v in ((-5, "70"), (-3, "72")))
    history = (then(5, kg("70")), then(3, kg("72")))
    assert "C3" in fired({**K, **kg("70.2")}, *history, weights=weights)
    assert "C3" not in fired({**K, **kg("70.2")}, history[0], weights=weights[:1])


def test_the_first_screen_counts_as_breathlessness_later() -> None:
    assert "C3" in fired(K, then(1, {"red_flags": ["very_hard_to_breathe"]}))
    assert "C3" not in fired(K, then(1, {"red_flags": ["blue_lips"]}))


# ---- trends


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"headache": "none"}, {"headache": "mild"}),
        ({"headache": "usual"}, {"headache": "mild"}),
        ({"headache": "mild"}, {"headache": "severe"}),
        ({"bone_pain": "moderate"}, {"bone_pain": "severe"}),
        ({"bone_pain": "none"}, {"bone_pain": "not_sure"}),
        ({"swelling": "none"}, {"swelling": "worse"}),
    ],
)
def test_a_grade_worse_than_before_is_said(before: Answers, now: Answers) -> None:
    assert "T2" in fired(now, then(1, before))
    assert "T2" in fired(now, then(3, before))
    assert "T2" not in fired(now, then(4, before))
    assert "T2" not in fired(now, then(1, {}))
    assert "T2" not in fired(now, then(1, now))
    assert "T2" not in fired(before, then(1, now))
    assert "T2" not in fired(now, then(2, before), then(1, now))  # only the last date counts
    assert "T2" not in fired(now, then(1, before), then(1, now))  # its worst


def test_one_of_two_that_is_worse_is_enough() -> None:
    now = {"headache": "severe", "bleeding": "minor"}
    assert "T2" in fired(now, then(1, {"headache": "mild"}))
    assert "T2" in fired(now, then(1, {"headache": "severe", "bleeding": "none"}))


def test_none_to_usual_is_no_grade() -> None:
    assert fired({"cough": "usual"}, then(1, {"cough": "none"})) == set()


def test_worse_breathing_is_urgent_by_itself() -> None:
    assert "T2B" in fired(D, then(1, {"breathlessness": "none"}))
    assert "T2B" in fired(D2, then(2, D))
    assert "T2B" not in fired(D, then(1, D))
    assert "T2" not in fired(D, then(1, {"breathlessness": "none"}))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_watch_finding_twice_is_urgent(kind: str) -> None:
    if kind == "weight_gain":
        weights = tuple((day, Measure(Decimal(v), "kg")) for day, v in ((-2, "70"), (-1, "71.4")))
        before = then(1, {"weight": "71.4", "weight_unit": "kg"})
        now = {"weight": "72.8", "weight_unit": "kg"}
        result = judged(now, before, weights=weights)
        assert "T3" not in fired({**now, "weight": "71.5"}, before, weights=weights)
    else:
        result = judged(KINDS[kind], then(3, KINDS[kind]))
        assert "T3" not in fired(KINDS[kind], then(4, KINDS[kind]))
        assert "T3" not in fired(KINDS[kind], then(1, CALM))
    assert result.level is URGENT
    # Warm twice has a rule of its own.
    assert ("F9" if kind == "temperature" else "T3") in {reason.rule for reason in result.reasons}


@pytest.mark.parametrize("other", OTHER_WATCH)
def test_other_watch_findings_twice_stay_watch(other: str) -> None:
    if other != "loss":
        assert judged(OTHER_WATCH[other], then(1, OTHER_WATCH[other])).level is WATCH


def test_a_finding_that_was_worse_before_still_counts_as_again() -> None:
    assert "T3" in fired(BONES, then(1, {"bone_pain": "severe"}))


@pytest.mark.parametrize(
    ("before", "is_step"),
    [
        ("none", True), ("usual", True), ("mild_exertion", True), ("not_sure", True),
        ("moderate_exertion", False), ("at_rest", False), (None, False),
    ],
)  # fmt: skip
def test_breathing_that_gets_moderate_in_a_day_is_an_emergency(
    before: str | None, is_step: bool
) -> None:
    was = {} if before is None else {"breathlessness": before}
    assert ("T5" in fired(D2, then(1, was), day=IN)) is is_step
    assert "T5" not in fired(D2, then(1, was), day=OUT)
    assert "T5" not in fired(D2, then(2, was), day=IN)
    assert "T5" not in fired(D, then(1, was), day=IN)
    assert "T5" not in fired(D2, then(1, was), then(1, D2), day=IN)


def test_every_mild_answer_of_the_day_before_is_as_good_as_one() -> None:
    day = [then(1, {"breathlessness": one}) for one in ("none", "usual", "mild_exertion")]
    assert "T5" in fired(D2, *day, day=IN)


def test_yesterday_among_the_answers_is_a_check_in_of_the_day_before() -> None:
    result = triage(PROTOCOL, {**D2, "yesterday": D}, Course("atra", IN))
    assert result.level is EMERGENCY
    assert "T5" in {reason.rule for reason in result.reasons}
    later = Course("atra", IN, history=(then(2, D2),))
    assert "T5" in {r.rule for r in triage(PROTOCOL, {**D2, "yesterday": D}, later).reasons}


def test_urgent_again_without_anybody_closing_is_unresolved() -> None:
    assert "T4" in fired(D, then(1, D, level=URGENT))
    assert "T4" in fired(D, then(3, D, level=EMERGENCY))
    assert "T4" not in fired(D, then(4, D, level=URGENT))
    assert "T4" not in fired(D, then(1, D, level=URGENT, is_closed=True))
    assert "T4" not in fired(D, then(1, D, level=WATCH))
    assert "T4" in fired({**D, "headache": "mild"}, then(1, D, level=URGENT))
    assert "T4" not in fired({"headache": "mild"}, then(1, D, level=URGENT))
    assert "T4" not in fired(D, then(2, D, level=URGENT), then(1, CALM, level=NONE))


# ---- missing numbers


@pytest.mark.parametrize(
    ("item", "owns", "rule", "had"),
    [
        ("weight", "scale", "MV1", {"weight": "70", "weight_unit": "kg"}),
        ("temperature", "thermometer", "MV2", c("36.8")),
    ],
)
def test_a_number_missing_twice_is_watch(item: str, owns: str, rule: str, had: Answers) -> None:
    gone = {item: "not_measured"}
    for before in (gone, {}, CALM if item == "weight" else {"cough": "none"}):
        result = judged(gone, then(1, before), day=IN)
        assert result.level is WATCH
        assert rule in {reason.rule for reason in result.reasons}
    assert rule in fired(gone, then(3, gone), day=IN)
    assert rule not in fired(gone, then(4, gone), day=IN)
    assert rule not in fired(gone, day=IN)
    assert rule not in fired(gone, then(1, gone), day=OUT)
    assert rule not in fired(gone, then(1, had), day=IN)
    assert rule not in fired({}, then(1, gone), day=IN)  # not asked yet is not missing
    assert rule not in fired(gone, then(1, gone), day=IN, owns=())
    assert rule in fired(gone, then(1, gone), day=IN, owns=(owns,))


def test_a_weight_noted_without_a_check_in_is_not_missing() -> None:
    noted = ((-1, Measure(Decimal(70), "kg")),)
    gone = {"weight": "not_measured"}
    assert "MV1" not in fired(gone, then(1, gone), day=IN, weights=noted)
    assert "MV1" in fired(gone, then(1, gone), day=IN, weights=((-2, noted[0][1]),))


def test_a_number_that_one_of_several_has_is_not_missing() -> None:
    gone = {"weight": "not_measured"}
    day = (then(1, gone), then(1, {"weight": "70", "weight_unit": "kg"}))
    assert "MV1" not in fired(gone, *day, day=IN)
    both = {"temperature": "not_measured", **c("36.8")}
    assert "MV2" not in fired(both, then(1, {"temperature": "not_measured"}), day=IN)


def test_a_missing_value_is_no_kind() -> None:
    answers = {"weight": "not_measured", **BONES}
    assert judged(answers, then(1, {"weight": "not_measured"}), day=IN).level is WATCH


# ---- several check-ins of a day


def test_an_earlier_check_in_of_today_is_never_lowered() -> None:
    for level, rule in ((WATCH, "SD1"), (URGENT, "SD2"), (EMERGENCY, "SD3")):
        result = judged(CALM, then(0, {}, level=level))
        assert result.level is level
        assert {reason.rule for reason in result.reasons} == {rule}
    assert judged(CALM, then(0, D, level=URGENT, is_closed=True)).level is NONE
    assert judged(CALM, then(1, {}, level=EMERGENCY)).level is NONE


def test_of_several_earlier_today_the_worst_that_is_not_closed_stands() -> None:
    day = (then(0, {}, level=URGENT), then(0, {}, level=WATCH))
    assert judged(CALM, *day).level is URGENT
    assert judged(CALM, then(0, {}, level=EMERGENCY, is_closed=True), *day).level is URGENT


def test_a_calm_check_in_of_today_is_no_second_calm_day() -> None:
    today = {**CALM, **K}
    earlier = then(0, CALM, is_closed=True)
    assert "C3" in fired(today, then(3, D), earlier)
    assert "C3" not in fired(today, then(3, D), then(1, CALM), earlier)


def test_one_calm_check_in_makes_a_calm_day() -> None:
    assert "C3" not in fired({**CALM, **K}, then(3, D), then(1, {}), then(1, CALM))


def test_answers_of_one_day_count_together() -> None:
    assert "F3" in fired({"chills": True}, then(0, F, level=URGENT))
    assert "F3" not in fired({"chills": True}, then(0, F, level=URGENT, is_closed=True))
    assert "C3" in fired(K, then(0, D, level=URGENT, is_closed=True))
    assert "C3" not in fired(K, then(0, D, level=URGENT, is_closed=True, resolved=("D",)))


def test_two_reporters_far_apart_are_said_and_the_higher_level_holds() -> None:
    helper = then(0, {"confusion": "new"}, level=EMERGENCY, reporter="caregiver")
    result = judged(CALM, helper)
    assert result.level is EMERGENCY
    assert "divergence" in {reason.rule for reason in result.reasons}
    assert "divergence" not in fired({"confusion": "new"}, helper)
    assert "divergence" not in fired({"headache": "mild"}, then(0, D, level=URGENT))
    watched = then(0, {}, level=WATCH, reporter="caregiver")
    assert "divergence" not in fired(CALM, watched)
    calm_helper = then(0, CALM, level=NONE, reporter="caregiver")
    assert "divergence" in fired(D, calm_helper)
    assert judged(D, calm_helper).level is URGENT
    assert "divergence" not in fired({"headache": "mild"}, calm_helper)
    assert "divergence" not in fired(D, then(0, CALM, level=NONE))
    by_helper = then(0, CALM, level=NONE)
    assert "divergence" in fired(D, by_helper, reporter="caregiver")


def test_one_reporter_far_apart_among_several_is_said() -> None:
    day = (then(0, CALM), then(0, {}, level=EMERGENCY, reporter="caregiver"))
    assert "divergence" in fired(CALM, *day)


# ---- closed with a recheck that is to come


def closed(answers: Answers, **more: Any) -> Earlier:
    return then(2, answers, level=URGENT, is_closed=True, recheck=True, **more)


@pytest.mark.parametrize(
    ("was", "now", "held"),
    [
        ({"cough": "worse"}, {"cough": "worse"}, True),
        ({"cough": "worse"}, {"cough": "new"}, True),
        ({"cough": "new"}, {"cough": "worse"}, False),
        (D, D, True),
        (D2, D, True),
        (D, D2, False),
        ({"chills": True}, {"chills": True}, True),
        ({"swelling": "face"}, {"swelling": "face"}, True),
        ({"swelling": "face"}, {"swelling": "one_leg"}, False),
        ({"swelling": "worse"}, {"swelling": "one_leg"}, False),
        (c("38.4"), c("38.4"), True),
        (c("38.4"), c("38.3"), True),
        (c("38.4"), {"temperature_f": Decimal("101.0")}, True),
        (c("38.4"), c("38.5"), False),
        (c("38.4"), c("34.5"), False),
        (c("34.5"), c("34.5"), True),
        (c("34.5"), c("34.4"), False),
        (c("34.5"), c("38.0"), False),
        ({"spo2": 93}, {"spo2": 93}, True),
        ({"spo2": 93}, {"spo2": 92}, False),
        ({"bp_systolic": 95}, {"bp_systolic": 96}, True),
        ({"bp_systolic": 95}, {"bp_systolic": 94}, False),
        ({**c("37.6"), "fever_medicine_6h": True}, c("37.6"), True),
        (c("37.6"), {**c("37.6"), "fever_medicine_6h": True}, False),
        (COUGH, D, False),
        ({"feels_much_worse": True}, {"feels_much_worse": True}, True),
    ],
)
def test_what_was_closed_with_a_recheck_is_watch_until_then(
    was: Answers, now: Answers, held: bool
) -> None:
    result = judged(now, closed(was), day=IN)
    assert result.level is (WATCH if held else URGENT)
    assert not held or "RC1" in {reason.rule for reason in result.reasons}
    # Without a recheck to come, closing holds nothing.
    assert judged(now, then(2, was, level=URGENT, is_closed=True), day=IN).level >= URGENT


def test_an_emergency_is_never_held() -> None:
    for answers in ({"breathlessness": "at_rest"}, c("40.0"), {**D, **F, **W}, {**D2, **K}):
        assert judged(answers, closed(answers), day=IN).level is EMERGENCY
    milder = judged(D, closed({"breathlessness": "at_rest"}), day=IN)
    assert milder.level is WATCH


def test_a_new_finding_beside_a_held_one_pages() -> None:
    result = judged({**COUGH, **W}, closed(COUGH), day=IN)
    levels = {reason.rule: reason.level for reason in result.reasons}
    assert levels["CO1"] is WATCH
    assert levels["SW1"] is URGENT
    assert levels["C4"] is URGENT


def test_combinations_are_held_with_their_signs() -> None:
    both = {**K, **H}
    assert judged(both, closed(both)).level is WATCH
    assert judged(both, closed(K)).level is URGENT
    assert judged(K, closed(both)).level is WATCH
    minor = {**BONES, **RASH}
    assert judged(minor, closed(minor)).level is WATCH
    assert judged({**minor, **COUGH}, closed(minor)).level is URGENT


def test_watch_findings_that_were_closed_make_no_new_count() -> None:
    warm = c("37.5")
    assert judged({**warm, **K}, closed({**warm, **K})).level is WATCH
    assert judged(warm, closed(warm)).level is WATCH
    assert judged(c("37.6"), closed(warm)).level is URGENT
    assert judged({**warm, **K}, closed(warm)).level is WATCH
    assert judged({**warm, **K, **RASH}, closed(warm)).level is URGENT
    assert judged({**K, **BONES}, closed(K)).level is URGENT


def test_a_gain_that_was_not_there_when_it_was_closed_is_counted() -> None:
    """No heavier than then, but it went down and up again since."""
    readings = ((-4, "75"), (-2, "75"), (-1, "73.5"))
    weights = tuple((day, Measure(Decimal(v), "kg")) for day, v in readings)
    was = closed({"weight": "75", "weight_unit": "kg", **D})
    now = {"weight": "74.9", "weight_unit": "kg", **K}
    result = judged(now, was, weights=weights)
    assert "C5" in {reason.rule for reason in result.reasons}
    assert result.level is URGENT


def test_a_gain_since_it_was_closed_pages_though_the_weight_is_no_higher() -> None:
    def kg(value: str) -> Answers:
        return {"weight": value, "weight_unit": "kg"}

    rows = ((-5, "71.9"), (-2, "72"), (-1, "69"))
    weights = tuple((day, Measure(Decimal(value), "kg")) for day, value in rows)
    closed = then(2, kg("72"), level=URGENT, is_closed=True, recheck=True)
    found = judged(kg("71.9"), closed, day=IN, weights=weights)
    assert found.level is URGENT
    assert "WT2" in {reason.rule for reason in found.reasons}


def test_only_what_was_closed_with_a_recheck_is_held() -> None:
    other = then(1, D, level=URGENT, is_closed=True)
    assert judged(D, closed(COUGH), other, day=IN).level is URGENT


def test_a_worse_answer_earlier_today_is_not_held_by_a_milder_one() -> None:
    earlier = then(0, {"cough": "worse"})
    assert judged(COUGH, closed(COUGH), earlier, day=IN).level is URGENT
    assert judged(COUGH, closed({"cough": "worse"}), earlier, day=IN).level is WATCH


def test_other_answers_of_then_do_not_matter() -> None:
    was = {"cough": "worse", "headache": "mild", "breathlessness": "none"}
    assert judged(COUGH, closed(was), day=IN).level is WATCH


def test_of_two_that_were_closed_the_worse_holds() -> None:
    readings = ((-4, "70"), (-3, "72.6"), (-2, "72.2"))
    weights = tuple((day, Measure(Decimal(v), "kg")) for day, v in readings)
    first = then(3, {"weight": "72.6", "weight_unit": "kg"}, is_closed=True, recheck=True)
    second = closed({"weight": "72.2", "weight_unit": "kg"})

    def now(kg: str) -> TriageLevel:
        today = {"weight": kg, "weight_unit": "kg"}
        return judged(today, first, second, day=IN, weights=weights).level

    assert now("72.5") is WATCH
    assert now("72.7") is URGENT
    fever = (then(3, c("38.8"), is_closed=True, recheck=True), closed(c("38.2")))
    assert judged(c("38.6"), *fever).level is WATCH
    assert judged(c("38.9"), *fever).level is URGENT
    oxygen = (then(3, {"spo2": 92}, is_closed=True, recheck=True), closed({"spo2": 94}))
    assert judged({"spo2": 93}, *oxygen).level is WATCH


def test_of_two_readings_of_a_check_in_the_worse_is_compared() -> None:
    hot = {**c("38.2"), "temperature_f": Decimal("101.6")}  # 38.2 and 38.7 °C
    assert judged(hot, closed(c("38.4"))).level is URGENT
    assert judged(hot, closed(c("38.7"))).level is WATCH
    cold = {**c("34.8"), "temperature_f": Decimal("94.1")}  # 34.8 and 34.5 °C
    assert judged(cold, closed(c("34.6"))).level is URGENT
    assert judged(cold, closed(c("34.5"))).level is WATCH


def test_what_was_not_measured_is_not_held() -> None:
    weights = tuple((day, Measure(Decimal(v), "kg")) for day, v in ((-3, "70"), (-2, "72.4")))
    was = closed({"weight": "72.4", "weight_unit": "kg"})
    cough = closed(COUGH)
    assert judged(c("38.2"), cough).level is URGENT
    assert judged(c("37.6"), cough, then(1, c("37.6"))).level is URGENT
    over = {"weight": "72.4", "weight_unit": "kg"}
    assert judged(over, cough, day=IN, weights=weights).level is URGENT
    assert judged(over, was, day=IN, weights=weights).level is WATCH


def test_weight_is_held_while_it_is_no_higher() -> None:
    weights = tuple((day, Measure(Decimal(v), "kg")) for day, v in ((-4, "70"), (-2, "72.4")))
    was = closed({"weight": "72.4", "weight_unit": "kg"})

    def now(kg: str) -> TriageLevel:
        answers = {"weight": kg, "weight_unit": "kg"}
        return judged(answers, was, day=IN, weights=weights).level

    assert now("72.4") is WATCH
    assert now("72.5") is URGENT


# ---- personal overrides


def test_a_personal_fever_line_stands_before_the_sites() -> None:
    low, high = Decimal("37.5"), Decimal("38.0")
    assert judged(c("37.5")).level is WATCH
    assert judged(c("37.5"), fever_line=low).level is URGENT
    assert judged(c("37.4"), fever_line=low).level is NONE
    assert judged(c("37.5"), uk_lines=True).level is URGENT
    assert judged(c("37.5"), uk_lines=True, fever_line=high).level is WATCH
    assert judged(c("35.5"), uk_lines=True, fever_line=high).level is URGENT
    assert judged(c("35.5"), fever_line=low).level is WATCH


def test_a_steroid_in_the_medicine_log_masks_like_one_the_person_tells_of() -> None:
    assert judged(c("37.5"), on_steroid=True).level is URGENT
    assert "FF2" in fired({**c("36.8"), "felt_feverish": True}, on_steroid=True)
    assert judged({**c("37.5"), "on_steroid": True}, on_steroid=False).level is URGENT


def test_the_window_ends_on_the_day_set_for_the_person() -> None:
    assert judged(COUGH, day=61).level is WATCH
    assert judged(COUGH, day=61, window_last_day=90).level is URGENT
    assert judged(COUGH, day=91, window_last_day=90).level is WATCH
    assert judged(COUGH, day=31, window_last_day=30).level is WATCH


# ---- T1


@pytest.mark.parametrize(("unit", "watch", "urgent"), [("kg", "1.0", "1.5"), ("lb", "2.2", "3.3")])
def test_a_rise_counts_from_its_limit(unit: str, watch: str, urgent: str) -> None:
    def rise(total: Decimal, day: int, *, skip: int | None = None) -> set[str]:
        start = Decimal(160)
        steps = [start, start + total / 4, start + total / 2, start + total]
        rows = [(n - 3, Measure(v, unit)) for n, v in enumerate(steps)]
        earlier = tuple(row for row in rows[:-1] if row[0] != skip)
        today = {"weight": steps[-1], "weight_unit": unit}
        return fired(today, day=day, weights=earlier) & {"T1B", "T1C", "T1E"}

    hair = Decimal("0.01")
    assert rise(Decimal(watch), IN) == {"T1B"}
    assert rise(Decimal(watch) - hair, IN) == set()
    assert rise(Decimal(urgent), IN) == {"T1C"}
    assert rise(Decimal(urgent) - hair, IN) == {"T1B"}
    assert rise(Decimal(watch), OUT) == {"T1E"}
    assert rise(Decimal(watch) - hair, OUT) == set()
    assert rise(Decimal(urgent), OUT) == {"T1E"}
    for day in (-3, -2, -1):
        assert rise(Decimal(urgent), IN, skip=day) == set()


def test_a_rise_is_of_every_day() -> None:
    def rise(*values: str) -> bool:
        rows = tuple((n - 3, Measure(Decimal(v), "kg")) for n, v in enumerate(values))
        today = {"weight": values[-1], "weight_unit": "kg"}
        return bool(fired(today, day=IN, weights=rows[:-1]) & {"T1B", "T1C"})

    assert rise("70", "70.1", "70.2", "72")
    assert not rise("70", "70.0", "70.2", "72")
    assert not rise("70", "70.3", "70.3", "72")
    assert not rise("70", "70.3", "72.0", "72.0")
    assert not rise("70", "70.3", "70.2", "72")


# ---- what a closing outcome can name


def still(course: Course) -> list[str]:
    return [sign.id for sign in standing_signs(PROTOCOL, course)]


def test_signs_that_nobody_resolved_can_be_named_when_an_alert_is_closed() -> None:
    history = (then(2, COUGH), then(0, {**D, **F}))
    assert still(Course("atra", OUT, history=history)) == ["D", "F", "cough"]
    named = then(0, CALM, is_closed=True, resolved=("F", "cough"))
    assert still(Course("atra", OUT, history=(*history, named))) == ["D"]
    assert still(Course("atra", OUT)) == []


def test_a_gain_stands_by_the_limits_of_the_medicines_window() -> None:
    gain = then(0, {"weight": "71.6", "weight_unit": "kg"})
    baseline = Measure(Decimal("66"), "kg")

    def of(drug: str, day: int) -> list[str]:
        return still(Course(drug, day, baseline=baseline, history=(gain,)))

    assert of("atra", IN) == ["W"]
    assert of("atra", OUT) == []
    assert of("a medicine that is gone", OUT) == ["W"]  # counts as in the window
