"""Synthetic people: the same by seed, within what was read, and answering as the product asks."""

from __future__ import annotations

import pytest

from patient_portal import protocols
from patient_portal.cohort.assumptions import ONSETS, SIGNS, Assumptions, changed, lines
from patient_portal.cohort.people import HOURS, LONGEST_H, SHORTEST_H, make_person, onset_day
from patient_portal.domain.answers import validate_answers

ASSUMED = Assumptions()


@pytest.mark.parametrize("ill", [False, True])
def test_a_seed_makes_the_same_people(ill: bool) -> None:
    one = [make_person(3, number, 4, ASSUMED, ill=ill) for number in range(4)]
    again = [make_person(3, number, 4, ASSUMED, ill=ill) for number in range(4)]
    other = [make_person(4, number, 4, ASSUMED, ill=ill) for number in range(4)]
    assert one == again
    assert one != other
    assert len({person.baseline for person in one}) > 1


@pytest.mark.parametrize("medicine", ONSETS)
def test_onset_lies_in_the_days_read_and_before_the_end(medicine: str) -> None:
    points = ONSETS[medicine].quantiles
    days = [onset_day(medicine, share / 200, 10_000) for share in range(201)]
    assert days == sorted(days)
    assert (days[0], days[-1]) == pytest.approx((points[0][1], points[-1][1]))
    median = dict(points)[0.5]
    assert days[100] == pytest.approx(median)
    assert max(onset_day(medicine, share / 50, 28) for share in range(51)) <= 28.0001


def test_a_quiet_person_has_no_syndrome_and_an_ill_one_has() -> None:
    for number in range(12):
        quiet = make_person(1, number, 5, ASSUMED, ill=False)
        assert quiet.onset_hour is None and quiet.severe_hour is None
        assert 0 < len(quiet.reports) <= 35
        ill = make_person(1, number, 5, ASSUMED, ill=True)
        assert ill.onset_hour is not None and ill.severe_hour is not None
        assert SHORTEST_H <= ill.severe_hour - ill.onset_hour <= LONGEST_H
        assert ill.onset_hour <= 35 * HOURS
        assert all(report.hour < ill.severe_hour for report in ill.reports)
        assert all(call < ill.severe_hour for call in ill.calls)


def test_every_answer_is_one_the_product_takes() -> None:
    protocol = protocols.current()
    seen: set[str] = set()
    for number in range(10):
        for report in make_person(9, number, 6, ASSUMED, ill=number % 2 == 0).reports:
            validate_answers(protocol, dict(report.answers))
            seen |= set(report.answers)
    assert {sign.item for sign in SIGNS} - {"fever"} <= seen


def test_without_complaints_and_slips_a_quiet_person_reports_nothing_new() -> None:
    assumed = ASSUMED
    for name in ("complaints", "slip", "not_sure", "has_usual"):
        assumed = changed(assumed, name, 0)
    person = make_person(2, 0, 8, assumed, ill=False)
    words = {value for report in person.reports for value in report.answers.values()}
    assert not words & {"new", "mild", "new_mild", "minor", "usual", "not_sure", True}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slip", 1.5),
        ("slip", -0.1),
        ("slip", float("nan")),
        ("weight_sd_kg", float("inf")),
        ("luck", 1),
    ],
)
def test_an_impossible_assumption_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=r"between 0 and|is not one of"):
        changed(ASSUMED, name, value)


def test_each_assumption_says_where_it_comes_from() -> None:
    told = list(lines(ASSUMED))
    assert "opinion" in told[1]
    assert all(name in "\n".join(told) for name in (*ONSETS, *Assumptions.__slots__))
