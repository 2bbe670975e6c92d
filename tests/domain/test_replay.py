"""A stored alert explains itself; another protocol is compared on stored check-ins."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from patient_portal.domain.course import Course, Earlier
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.replay import (
    Stored,
    compare,
    course_from_inputs,
    explain,
    inputs_of,
    inputs_of_silence,
    joined_inputs,
    resting_on_unsure,
)
from patient_portal.domain.triage import triage
from patient_portal.protocols import current
from patient_portal.protocols.library import CURRENT, read
from tests.domain.cells import c
from tests.domain.test_properties import Said, answers, courses

PROTOCOL = current()
NONE, WATCH, URGENT, EMERGENCY = TriageLevel


def changed(*pairs: tuple[str, str]) -> Protocol:
    """The protocol in force with some text of its file replaced."""
    source = CURRENT.read_text("utf-8")
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    return read(source, "other.toml")


def stored_and_read(said: Said, course: Course) -> tuple[dict[str, Any], Course]:
    return course_from_inputs(json.loads(json.dumps(inputs_of(said, course))))


@settings(max_examples=200, deadline=None)
@given(answers, courses)
def test_what_is_stored_is_judged_the_same(said: Said, course: Course) -> None:
    told = triage(PROTOCOL, said, course)
    assert triage(PROTOCOL, *stored_and_read(said, course)) == told
    assert explain(PROTOCOL, inputs_of(said, course)) == told


def test_every_part_of_a_course_is_kept() -> None:
    course = Course(
        drug="ato",
        day_of_therapy=12,
        window_extended=True,
        window_last_day=99,
        baseline=Measure(Decimal("70.0"), "kg"),
        weights=((-2, Measure(Decimal("154.30"), "lb")),),
        usual=("cough",),
        owns=("scale",),
        uk_lines=True,
        fever_line=Decimal("37.5"),
        on_steroid=True,
        reporter="caregiver",
        history=(
            Earlier(1, {"cough": "new"}, URGENT, True, ("D",), True, "staff"),
            Earlier(0, {"red_flags": ["blue_lips"]}, EMERGENCY),
        ),
    )
    said: Said = {"temperature": Decimal("36.80"), "temperature_unit": "c", "yesterday": c("37.6")}
    kept, read_back = stored_and_read(said, course)
    assert read_back == course
    assert kept["temperature"] == "36.80"
    assert kept["yesterday"] == {"temperature_c": "37.6"}
    plain = Course("atra")
    assert stored_and_read({}, plain) == ({}, plain)


def test_inputs_of_another_shape_are_refused() -> None:
    inputs = inputs_of({}, Course("atra"))
    with pytest.raises(ValueError, match="version 2 cannot be read"):
        course_from_inputs({**inputs, "version": 2})
    with pytest.raises(ValueError, match="version None"):
        course_from_inputs({})
    with pytest.raises(KeyError):
        course_from_inputs({"version": 1})


def test_a_form_that_is_not_finished_is_kept_as_such_and_older_inputs_are_of_whole_forms() -> None:
    inputs = inputs_of({}, Course("atra", is_finished=False))
    assert course_from_inputs(inputs)[1].is_finished is False
    del inputs["is_finished"]
    assert course_from_inputs(inputs)[1].is_finished is True


def test_a_record_that_could_not_be_read_whole_is_explained_with_its_notice() -> None:
    def rules(inputs: dict[str, Any]) -> list[str]:
        return [reason.rule for reason in explain(PROTOCOL, inputs).reasons]

    part = inputs_of({"cough": "new"}, Course("atra", 20), is_whole=False)
    whole = inputs_of({"cough": "new"}, Course("atra", 20))
    assert set(rules(part)) == {"CO1", "X1"}
    assert rules(whole) == ["CO1"]
    del whole["is_whole"]  # as it was kept before anybody asked
    assert rules(whole) == ["CO1"]


def test_an_alert_of_silence_explains_itself_and_what_joined_it() -> None:
    def rules(inputs: dict[str, Any]) -> list[str]:
        return [reason.rule for reason in explain(PROTOCOL, inputs).reasons]

    def silent(days: int, course: Course, after: TriageLevel = NONE) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads(json.dumps(inputs_of_silence(days, after, course)))
        return kept

    inside, outside = Course("atra", 20), Course("atra", 700)
    assert rules(silent(2, inside)) == ["MC2"]
    assert rules(silent(1, inside, URGENT)) == ["MC3"]
    assert rules(silent(2, outside)) == []  # too early to say
    assert rules(silent(2, Course("atra", 700, window_extended=True))) == ["MC2"]
    assert rules(silent(2, Course("atra", 80, window_last_day=90))) == ["MC2"]
    joined = joined_inputs(silent(2, inside), inputs_of({"cough": "new"}, inside))
    assert set(rules(joined)) == {"MC2", "CO1"}
    with pytest.raises(ValueError, match="version 2 cannot be read"):
        explain(PROTOCOL, {**silent(2, inside), "version": 2})


def test_each_red_answer_is_judged_by_the_rules_that_judged_it_then() -> None:
    """A new protocol calls fever from 38.5; one answer of the alert came before it, one after."""
    later = changed(("{ c = 38.0, f = 100.4 }", "{ c = 38.5, f = 101.3 }"), ('"ds-1.0"', '"new"'))
    kept = {PROTOCOL.id: PROTOCOL, later.id: later}

    def rules(*judged: tuple[Protocol, str]) -> set[str]:
        inputs: dict[str, Any] = {}
        for by, degrees in judged:
            more = inputs_of(c(degrees), Course("atra", 20), protocol=by.id)
            inputs = joined_inputs(inputs, json.loads(json.dumps(more)))
        return {one.rule for one in explain(later, inputs, kept.__getitem__).reasons}

    assert "F1" in rules((PROTOCOL, "38.2"))
    assert "F1" not in rules((later, "38.2"))
    assert "F1" in rules((PROTOCOL, "38.2"), (later, "38.2"))
    old = inputs_of(c("38.2"), Course("atra", 20))  # as it was kept before the id was
    assert "F1" not in {one.rule for one in explain(later, old, kept.__getitem__).reasons}
    before = inputs_of(c("38.2"), Course("atra", 20), protocol=PROTOCOL.id)
    assert "F1" not in {one.rule for one in explain(later, before).reasons}  # asked of one alone
    silent = inputs_of_silence(2, NONE, Course("atra", 20), protocol="gone")
    with pytest.raises(KeyError):
        explain(PROTOCOL, silent, kept.__getitem__)


def test_what_fired_nothing_is_explained_by_nothing() -> None:
    found = explain(PROTOCOL, inputs_of({"cough": "none"}, Course("atra", 20)))
    assert (found.level, found.reasons, found.protocol) == (NONE, (), PROTOCOL.id)


def test_an_alert_that_others_joined_explains_every_reason() -> None:
    first = inputs_of({"cough": "new"}, Course("atra", 20))
    second = inputs_of({"breathlessness": "at_rest"}, Course("atra", 20))
    third = inputs_of(c("38.4"), Course("atra", 20))
    both = joined_inputs(joined_inputs(first, second), third)
    found = explain(PROTOCOL, both)
    assert found.level is EMERGENCY
    assert [reason.rule for reason in found.reasons] == ["BR3", "F1", "CO1"]
    assert joined_inputs(both, third) == both
    assert joined_inputs({}, first) == {"judged": [first]}
    held = Earlier(2, {"cough": "new"}, URGENT, is_closed=True, recheck=True)
    milder = inputs_of({"cough": "new"}, Course("atra", 20, history=(held,)))
    highest = {r.rule: r.level for r in explain(PROTOCOL, joined_inputs(milder, first)).reasons}
    assert highest["CO1"] is URGENT


def one(
    id: str, said: dict[str, Any], level: TriageLevel = NONE, patient: str = "p", day: int = 1
) -> Stored:
    return Stored(id, patient, said, Course("atra", 20), level, day)


FEVER_AT_38_5 = (("{ c = 38.0, f = 100.4 }", "{ c = 38.5, f = 101.3 }"),)


def test_the_same_protocol_changes_nothing() -> None:
    rows = [one("a", c("38.2"), URGENT), one("b", {"cough": "none"}, day=2)]
    found = compare(PROTOCOL, PROTOCOL, rows)
    assert (found.patient_days, found.check_ins, found.drifted) == (2, 2, 0)
    assert (found.alerts_before, found.alerts_after, found.gained, found.lost) == (1, 1, 0, 0)
    assert found.examples == []
    assert found.per_100_days(found.alerts_before) == 50.0
    assert found.per_100_days(4) == 200.0


def test_alerts_lost_and_gained_are_counted_by_day_and_by_rule() -> None:
    other = changed(*FEVER_AT_38_5)
    rows = [
        one("a", c("38.2"), URGENT),
        one("b", c("38.2"), URGENT),  # the same day
        one("c", c("38.6"), URGENT, day=2),
        one("d", c("37.0"), day=3),
        one("e", c("38.2"), URGENT, patient="q"),
    ]
    found = compare(PROTOCOL, other, rows)
    assert (found.patient_days, found.check_ins) == (4, 5)
    assert (found.alerts_before, found.alerts_after) == (3, 1)
    assert (found.gained, found.lost) == (0, 2)
    assert found.lost_by == {"F1": 2}
    assert [(e.id, e.before, e.after, e.rules) for e in found.examples] == [
        ("b", URGENT, WATCH, ("F1",)),
        ("e", URGENT, WATCH, ("F1",)),
    ]
    back = compare(other, PROTOCOL, rows)
    assert (back.gained, back.lost, back.gained_by) == (2, 0, {"F1": 2})
    assert back.drifted == 3  # stored by the one, judged by the other


def test_a_change_between_urgent_and_emergency_is_neither_gained_nor_lost() -> None:
    high = ("{ c = 40.0, f = 104.0 }", "{ c = 39.5, f = 103.1 }")
    rows = [one("a", c("39.7"), URGENT)]
    found = compare(PROTOCOL, changed(high), rows)
    assert (found.raised, found.lowered, found.gained, found.lost) == (1, 0, 0, 0)
    back = compare(changed(high), PROTOCOL, rows)
    assert (back.raised, back.lowered) == (0, 1)
    assert found.examples[0].rules == ("F1", "F2")


def test_what_one_of_them_cannot_read_is_counted_and_left_out() -> None:
    rows = [one("a", {"couch": "new"}), one("b", c("38.2"), URGENT, day=2)]
    found = compare(PROTOCOL, PROTOCOL, rows)
    assert (found.unreadable, found.patient_days, found.check_ins) == (1, 1, 1)


def test_a_change_that_pages_nobody_is_an_example_and_no_more() -> None:
    warm = ("{ c = 37.5, f = 99.5 }", "{ c = 37.6, f = 99.68 }")
    rows = [one("a", c("37.5"), WATCH), one("b", c("37.7"), WATCH, day=2)]
    found = compare(PROTOCOL, changed(warm), rows)
    assert (found.gained, found.lost, found.raised, found.lowered) == (0, 0, 0, 0)
    assert (found.alerts_before, found.alerts_after, found.drifted) == (0, 0, 0)
    assert [(e.id, e.before, e.after, e.rules) for e in found.examples] == [("a", WATCH, NONE, ())]


def test_several_alerts_of_a_day_are_judged_by_the_worst() -> None:
    high = ("{ c = 40.0, f = 104.0 }", "{ c = 39.5, f = 103.1 }")
    rows = [one("a", c("39.7"), URGENT), one("b", c("40.1"), EMERGENCY)]
    found = compare(PROTOCOL, changed(high), rows)
    assert (found.raised, found.lowered, found.examples) == (0, 0, [])
    back = compare(changed(high), PROTOCOL, rows)
    assert (back.raised, back.lowered, back.drifted) == (0, 0, 1)


def test_no_check_ins_are_no_division() -> None:
    found = compare(PROTOCOL, PROTOCOL, [])
    assert (found.patient_days, found.check_ins, found.unreadable, found.drifted) == (0, 0, 0, 0)
    assert (found.gained, found.lost, found.raised, found.lowered) == (0, 0, 0, 0)
    assert found.per_100_days(0) == 0.0


def test_examples_are_few() -> None:
    other = changed(*FEVER_AT_38_5)
    rows = [one(str(n), c("38.2"), URGENT, day=n) for n in range(50)]
    found = compare(PROTOCOL, other, rows)
    assert found.lost == 50
    assert len(found.examples) == 20


def test_history_is_part_of_what_is_compared() -> None:
    later = replace(one("a", {"urine": "less"}, URGENT), course=Course("atra", 700))
    with_past = replace(
        later, course=Course("atra", 700, history=(Earlier(3, {"breathlessness": "at_rest"}),))
    )
    shorter = changed(("days = 7       #", "days = 2       #"))
    assert compare(PROTOCOL, shorter, [with_past]).lost_by == {"C3": 1}
    assert compare(PROTOCOL, shorter, [later]).lost == 0


SURE = Course("enasidenib", 12)


def unsure(answers: dict[str, Any], course: Course = SURE) -> set[str]:
    return set(resting_on_unsure(PROTOCOL, inputs_of(answers, course)))


def test_a_rule_rests_on_unsure_only_where_nothing_sure_fires_it() -> None:
    assert unsure({"orthopnea": "not_sure"}) == {"OR1"}
    assert unsure({"orthopnea": True}) == set()
    assert unsure({"orthopnea": True, "cough": "not_sure"}) & {"OR1"} == set()
    fever = {"temperature": "38.4", "temperature_unit": "c"}
    assert unsure({**fever, "chills": "not_sure"}) >= {"F3"}
    assert "F1" not in unsure({**fever, "chills": "not_sure"})
    assert "F6" not in unsure({**fever, "breathlessness": "at_rest", "chills": "not_sure"})


def test_a_combination_rests_on_unsure_of_today_and_of_days_ago() -> None:
    breath, urine = {"breathlessness": "mild_exertion"}, {"urine": "less"}
    rules = {reason.rule for reason in triage(PROTOCOL, {**breath, **urine}, SURE).reasons}
    combined = rules & {"C2", "C3"}
    assert combined
    assert combined <= unsure({**breath, "urine": "not_sure"})
    before = replace(SURE, history=(Earlier(1, {"urine": "not_sure"}),))
    assert unsure(breath, before) & {"C2", "C3"}
    assert not unsure(breath, replace(SURE, history=(Earlier(1, urine),))) & {"C2", "C3"}


def test_of_several_answers_of_an_alert_one_that_is_sure_is_enough() -> None:
    doubt, certain = (
        inputs_of({"orthopnea": "not_sure"}, SURE),
        inputs_of({"orthopnea": True}, SURE),
    )
    assert "OR1" in resting_on_unsure(PROTOCOL, joined_inputs({}, doubt))
    assert "OR1" not in resting_on_unsure(PROTOCOL, joined_inputs(doubt, certain))


def test_every_emergency_that_not_sure_alone_makes_has_words_for_it() -> None:
    for item in PROTOCOL.items:
        if item.not_sure is None:
            continue
        found = triage(PROTOCOL, {item.key: "not_sure"}, SURE)
        for reason in found.reasons:
            rule = PROTOCOL.rule(reason.rule)
            if reason.level is EMERGENCY:
                assert rule.say_unsure and rule.say_unsure != rule.say, rule.id
