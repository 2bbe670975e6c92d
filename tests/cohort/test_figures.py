"""Counting and drawing: figures worked out by hand, pictures that are whole."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from patient_portal import protocols
from patient_portal.cohort.assumptions import Assumptions
from patient_portal.cohort.figures import (
    CALLS,
    DAILY,
    WAYS,
    WEEKLY,
    Burden,
    all_ways,
    ill_figures,
    quiet_figures,
    run,
)
from patient_portal.cohort.judging import Judge, Judged, Red, course_of, reds_of, weekly
from patient_portal.cohort.people import Person, Report
from patient_portal.cohort.pictures import pictures
from patient_portal.cohort.variants import variants_of
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure

PROTOCOL = protocols.current()
URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
KG = Measure(Decimal("70.0"), "kg")


def person(*reports: Report, onset: float | None = None, severe: float | None = None) -> Person:
    return Person("p", "enasidenib", 28, KG, frozenset(), onset, severe, reports, (50.0,))


def report(day: int, **answers: object) -> Report:
    calm = {"breathlessness": "none", "cough": "none", "felt_feverish": False}
    return Report(day, (day - 1) * 24 + 8.0, {**calm, **answers})


def test_a_course_is_judged_day_by_day_with_what_stood_before() -> None:
    weights = {"weight_unit": "kg", "temperature": Decimal("36.6"), "temperature_unit": "c"}
    course = person(
        report(1, weight=Decimal("70.0"), **weights),
        report(2, weight="not_measured"),
        report(3, weight=Decimal("72.1"), **weights),
        report(4, weight=Decimal("70.1"), breathlessness="mild_exertion", **weights),
    )
    reds = reds_of(course, Judge(PROTOCOL))
    assert [red.hour for red in reds] == [56.0, 80.0]
    assert reds[0].rules == ("WT2",)  # 2.0 kg or more in 3 days
    assert "BR1" in reds[1].rules


def test_what_was_closed_is_watched_until_the_recheck() -> None:
    course = person(*(report(day, cough="new") for day in (1, 2, 3, 4)))
    held = [red.hour for red in reds_of(course, Judge(PROTOCOL, recheck_days=2))]
    free = [red.hour for red in reds_of(course, Judge(PROTOCOL, recheck_days=0))]
    assert held == [8.0, 56.0]
    assert free == [8.0, 32.0, 56.0, 80.0]


def test_only_the_last_days_stand_beside_a_check_in_and_the_last_weight() -> None:
    old = Judged(report(1, weight=Decimal("70.0"), weight_unit="kg"), URGENT)
    course = course_of(person(), [old], report(40), Judge(PROTOCOL))
    assert course.weights == ((-39, KG),)
    assert course.history == ()
    near = course_of(person(), [old], report(2), Judge(PROTOCOL))
    assert near.history[0].is_closed and near.history[0].recheck


def test_weekly_keeps_one_day_of_the_week() -> None:
    course = person(*(report(day) for day in range(1, 29)))
    assert [one.day for one in weekly(course)] == [1, 8, 15, 22]
    ways = all_ways(course, Judge(PROTOCOL))
    assert ways[DAILY] == [] and ways[WEEKLY] == []
    assert ways[CALLS] == [Red(50.0, URGENT, ())]


def test_false_alerts_are_counted_by_level_and_rule() -> None:
    reds = [
        [Red(8.0, URGENT, ("CO1",)), Red(32.0, EMERGENCY, ("C1", "CO1"))],
        [Red(8.0, URGENT, ("CO1", "T3"))],
    ]
    quiet = quiet_figures(DAILY, reds, 200)
    assert quiet.false_alerts == pytest.approx(10.5)
    assert (quiet.urgent, quiet.emergency) == pytest.approx((1.0, 0.5))
    assert quiet.rules == (Burden("CO1", 1.5, 0.5), Burden("C1", 0.5, 0), Burden("T3", 0.5, 0))


def test_lead_counts_from_the_first_alert_of_the_syndrome() -> None:
    early = person(onset=100, severe=200)
    late = person(onset=100, severe=110)
    missed = person(onset=100, severe=150)
    reds = [
        [Red(90.0, URGENT, ()), Red(120.0, URGENT, ()), Red(150.0, EMERGENCY, ())],
        [Red(100.0, URGENT, ())],
        [Red(99.9, URGENT, ()), Red(150.0, URGENT, ())],
    ]
    ill = ill_figures(DAILY, [early, late, missed], reds)
    assert ill.leads == (80.0, 10.0)
    assert ill.found == pytest.approx(2 / 3)
    assert ill.a_day_ahead == pytest.approx(1 / 3)
    assert ill.median_lead == 45
    assert ill_figures(DAILY, [missed], [[]]).median_lead is None


def test_a_run_is_the_same_twice_and_the_amendments_save_alerts() -> None:
    def found() -> object:
        return run(
            Judge(PROTOCOL),
            seed=5,
            people=60,
            weeks=4,
            assumed=Assumptions(),
            variants=variants_of(PROTOCOL),
            progress=lambda done, of: steps.append((done, of)),
        )

    steps: list[tuple[int, int]] = []
    first = found()
    assert steps == [(done, 60) for done in range(1, 61)]
    assert first == found()


def test_each_amendment_calms_the_quiet_half() -> None:
    findings = run(
        Judge(PROTOCOL),
        seed=1,
        people=80,
        weeks=6,
        assumed=Assumptions(),
        variants=variants_of(PROTOCOL),
    )
    burden = [one.urgent for one in (*findings.variants_of_quiet, findings.quiet[0])]
    assert burden == sorted(burden, reverse=True)
    assert burden[0] > burden[1] > burden[2] > burden[3] > 0
    assert [one.way for one in findings.quiet] == list(WAYS)
    drawn = pictures(findings)
    assert set(drawn) == {"quiet-by-rule.svg", "quiet-by-way.svg", "lead-time.svg"}
    for text in drawn.values():
        root = ElementTree.fromstring(text)  # noqa: S314 (our own text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {
            *("svg", "title", "desc", "rect", "path", "text")
        }
