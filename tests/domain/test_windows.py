"""The medicine's log: day of therapy, restarts, and what keeps the window open."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patient_portal.domain.course import Course, in_window, known_day
from patient_portal.domain.windows import MedicineLog, Span, Standing, standing
from patient_portal.protocols import current

PROTOCOL = current()
ATRA = PROTOCOL.drug("atra")
START = date(2026, 1, 1)


def day(number: int) -> date:
    """The date of a day counted from the first dose, which is day 1."""
    return START + timedelta(days=number - 1)


def spans(*rows: tuple[int, int | None]) -> tuple[Span, ...]:
    return tuple(Span(day(first), None if last is None else day(last)) for first, last in rows)


def at(
    number: int,
    *rows: tuple[int, int | None],
    syndromes: tuple[int, ...] = (),
    cuts: tuple[int, ...] = (),
    until: int | None = None,
) -> Standing:
    log = MedicineLog(spans(*rows), tuple(map(day, syndromes)), tuple(map(day, cuts)))
    return standing(PROTOCOL, ATRA, log, day(number), window_last_day=until)


@pytest.mark.parametrize(
    ("given", "known"), [(None, None), (-3, None), (0, None), (1, 1), (2, 2), (700, 700)]
)
def test_a_day_before_the_first_dose_is_no_day(given: int | None, known: int | None) -> None:
    assert known_day(Course("atra", given)) == known


def test_the_first_dose_is_day_1() -> None:
    assert at(0, (1, None)).day_of_therapy is None
    assert at(1, (1, None)) == Standing(1, False)
    assert at(60, (1, None)) == Standing(60, False)
    assert at(5) == Standing(None, False)


@pytest.mark.parametrize(("free", "restarted"), [(1, False), (6, False), (7, True), (30, True)])
def test_a_gap_without_doses_begins_day_1_again(free: int, restarted: bool) -> None:
    again = 20 + free + 1
    found = at(again + 3, (1, 20), (again, None))
    assert found.day_of_therapy == (4 if restarted else again + 3)


def test_each_restart_counts_from_its_own_first_dose() -> None:
    rows = ((1, 10), (18, 30), (33, None))
    assert at(12, *rows).day_of_therapy == 12  # stopped, and not yet begun again
    assert at(18, *rows).day_of_therapy == 1
    assert at(40, *rows).day_of_therapy == 23


def test_the_first_dose_after_the_syndrome_is_day_1() -> None:
    assert at(25, (1, 20), (23, None), syndromes=(20,)).day_of_therapy == 3
    assert at(25, (1, 20), (23, None), syndromes=(22,)).day_of_therapy == 3
    assert at(25, (1, 20), (23, None)).day_of_therapy == 25
    assert at(22, (1, 20), (23, None), syndromes=(20,)).day_of_therapy == 22


def test_where_the_medicine_goes_on_through_the_syndrome_it_is_day_1_itself() -> None:
    assert at(20, (1, None), syndromes=(20,)).day_of_therapy == 20
    assert at(21, (1, None), syndromes=(20,)).day_of_therapy == 2
    assert at(40, (1, None), syndromes=(20, 30)).day_of_therapy == 11
    assert at(25, (1, None), syndromes=(1,)).day_of_therapy == 25
    assert at(40, (10, None), syndromes=(5,)).day_of_therapy == 31  # before any dose
    assert at(20, (1, 10), (12, None), syndromes=(12,)).day_of_therapy == 9


@pytest.mark.parametrize(("after", "kept"), [(0, False), (1, True), (14, True), (15, False)])
def test_the_last_dose_keeps_the_window_open(after: int, kept: bool) -> None:
    found = at(60 + after, (1, 60))
    assert found.is_extended is kept
    assert found.why == (("last_dose",) if kept else ())


def test_the_last_dose_never_reopens_a_window() -> None:
    assert not at(62, (1, 61)).is_extended
    assert at(62, (1, 61), until=61).is_extended
    assert not at(40, (1, 39), until=30).is_extended
    assert not at(3, (5, 6)).is_extended
    # A steroid cut had it open on the last dose.
    assert "last_dose" in at(75, (1, 70), cuts=(60,)).why
    assert at(70, (1, 39), (69, None)).why == ()  # on the medicine


def test_the_last_dose_may_be_any_day_of_the_window() -> None:
    assert at(5, (1, 1)).is_extended
    assert at(50, (1, 40)).is_extended
    assert at(65, (1, 10), (20, 59)).is_extended  # the last one taken counts
    assert at(25, (1, 20), (40, None)).is_extended  # not one that is yet to come
    assert not at(25, (1, 20), (25, None)).is_extended  # on it again


def test_a_medicine_without_a_window_is_always_inside() -> None:
    unknown = PROTOCOL.drug("unknown")
    log = MedicineLog(spans((1, 900)))
    assert standing(PROTOCOL, unknown, log, day(905)).why == ("last_dose",)
    assert not standing(PROTOCOL, unknown, log, day(920)).is_extended


@pytest.mark.parametrize(("after", "kept"), [(-1, False), (0, True), (14, True), (15, False)])
def test_each_steroid_cut_opens_the_window(after: int, kept: bool) -> None:
    found = at(200 + after, (1, None), cuts=(200,))
    assert found.is_extended is kept
    assert found.why == (("steroid_cut",) if kept else ())
    assert at(200 + after, (1, None), cuts=(200, 202)).is_extended is (after in (14, 0, 15))


def test_spans_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        Span(day(3), day(2))
    for rows in (((1, None), (9, None)), ((1, 9), (9, None)), ((5, 9), (1, 5))):
        with pytest.raises(ValueError, match="two spans overlap"):
            MedicineLog(spans(*rows))
    assert MedicineLog(spans((10, None), (1, 9))).spans
    assert Span(day(3), day(3)).last == day(3)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 120), st.integers(1, 400), st.lists(st.integers(1, 400), max_size=4))
def test_more_steroid_cuts_never_close_the_window(last: int, on: int, cuts: list[int]) -> None:
    without = at(on, (1, last))
    with_cuts = at(on, (1, last), cuts=tuple(cuts))
    assert with_cuts.is_extended >= without.is_extended

    def inside(found: Standing) -> bool:
        return in_window(ATRA, Course("atra", found.day_of_therapy, found.is_extended))

    assert inside(with_cuts) >= inside(without)
