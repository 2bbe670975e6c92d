"""Weight: every limit on both sides in both units, mixed units, noise, small bodies, baseline."""

from decimal import Decimal

import pytest

from patient_portal.domain.measures import Measure
from patient_portal.domain.triage import Course, triage
from patient_portal.protocols import current

PROTOCOL = current()
IN, OUT = 20, 700


def m(value: str, unit: str = "kg") -> Measure:
    return Measure(Decimal(value), unit)


def fired(
    today: Measure,
    *earlier: tuple[int, Measure],
    day: int = IN,
    baseline: Measure | None = None,
    **answers: object,
) -> set[str]:
    given = {"weight": today.value, "weight_unit": today.unit, **answers}
    course = Course("atra", day, baseline=baseline, weights=earlier)
    return {reason.rule for reason in triage(PROTOCOL, given, course).reasons}


# span, window, rule, kilograms and pounds at which it begins
GAINS = [
    (-1, OUT, "WD1", "1.4", "3.0"),
    (-3, IN, "WT1", "1.0", "2.2"),
    (-3, IN, "WT2", "2.0", "4.4"),
    (-3, OUT, "WT4", "2.0", "4.4"),
    (-7, IN, "WW1", "1.5", "3.3"),
    (-7, IN, "WW2", "2.3", "5.0"),
    (-7, IN, "WW3", "4.5", "10.0"),
    (-7, OUT, "WW6", "2.3", "5.0"),
    (-7, OUT, "WW7", "4.5", "10.0"),
]


@pytest.mark.parametrize(("span", "day", "rule", "kg", "lb"), GAINS)
@pytest.mark.parametrize("unit", ["kg", "lb"])
def test_a_gain_counts_from_its_limit(
    span: int, day: int, rule: str, kg: str, lb: str, unit: str
) -> None:
    limit, start = Decimal(kg if unit == "kg" else lb), Decimal("160.0")
    before = (span, Measure(start, unit))
    hair = Decimal("0.01")
    assert rule in fired(Measure(start + limit, unit), before, day=day)
    assert rule not in fired(Measure(start + limit - hair, unit), before, day=day)
    # One day further back is out of the span.
    gone = (span - 1, Measure(start, unit))
    assert rule not in fired(Measure(start + limit, unit), gone, day=day)


@pytest.mark.parametrize("unit", ["kg", "lb"])
def test_a_loss_counts_from_its_limit(unit: str) -> None:
    limit = Decimal("2.0" if unit == "kg" else "4.4")
    before = (-3, m("160.0", unit))
    assert "WL1" in fired(Measure(Decimal("160.0") - limit, unit), before)
    assert "WL1" not in fired(Measure(Decimal("160.01") - limit, unit), before)
    assert "WL1" not in fired(Measure(Decimal("160.0") - limit, unit), (-4, m("160.0", unit)))


@pytest.mark.parametrize(
    ("rule", "day", "kg", "lb"),
    [("WB5", IN, "3.0", "6.6"), ("WB6", IN, "5.0", "11.0"), ("WB8", OUT, "5.0", "11.0")],
)
@pytest.mark.parametrize("unit", ["kg", "lb"])
def test_over_baseline_counts_from_its_limit(
    rule: str, day: int, kg: str, lb: str, unit: str
) -> None:
    limit, base = Decimal(kg if unit == "kg" else lb), m("160", unit)
    assert rule in fired(Measure(base.value + limit, unit), day=day, baseline=base)
    less = Measure(base.value + limit - Decimal("0.01"), unit)
    assert rule not in fired(less, day=day, baseline=base)


def test_the_gain_is_counted_from_the_lowest_reading_so_a_dip_hides_nothing() -> None:
    assert "WT2" in fired(m("72.0"), (-3, m("71")), (-2, m("70.0")), (-1, m("71.5")))


def test_small_gains_are_counted_from_the_lowest_mean_of_two_neighbours() -> None:
    dip = ((-3, m("71.0")), (-2, m("70.0")), (-1, m("71.0")))
    assert "WT1" not in fired(m("71.4"), *dip)  # 0.9 above the mean of 70 and 71
    assert "WT1" in fired(m("71.5"), *dip)
    assert "WT1" in fired(m("71.0"), (-2, m("70.0")))  # one reading stands for itself


def test_of_all_neighbours_the_lowest_mean_counts() -> None:
    earlier = ((-3, m("70.0")), (-2, m("70.2")), (-1, m("72.0")))  # means 70.1 and 71.1
    assert "WT1" in fired(m("71.1"), *earlier)
    assert "WT1" not in fired(m("71.0"), *earlier)


def test_a_loss_is_counted_from_the_highest_reading() -> None:
    assert "WL1" in fired(m("69.0"), (-3, m("70")), (-2, m("71.0")), (-1, m("70")))


def test_a_crossing_is_seen_against_the_last_reading() -> None:
    base = m("70.0")
    assert "WB5" not in fired(m("73.5"), (-9, m("71")), (-8, m("73.2")), baseline=base)
    assert "WB5" in fired(m("73.2"), (-9, m("73.2")), (-8, m("71")), baseline=base)
    # 160 lb are 72.6 kg, below the line that today's 73.0 kg has passed.
    assert "WB5" in fired(m("73.0"), (-9, m("160", "lb")), baseline=base)
    assert "WB5" not in fired(m("73.4"), (-9, m("161", "lb")), baseline=base)  # 73.03 kg before


def test_each_core_sign_makes_ten_pounds_in_a_week_an_emergency() -> None:
    for day, rule in ((IN, "WW4"), (OUT, "WW8")):
        for sign in (
            {"breathlessness": "moderate_exertion"},
            {"temperature_c": "40.0"},
            {"dizziness": "mild"},
            {"bp_systolic": 89},
            {"urine": "very_little"},
        ):
            assert rule in fired(m("74.5"), (-7, m("70")), day=day, **sign), sign
            assert rule not in fired(m("74.4"), (-7, m("70")), day=day, **sign), sign


def test_eleven_pounds_over_baseline_with_a_core_sign_begins_at_the_limit() -> None:
    base, last = m("160", "lb"), (-1, m("171.5", "lb"))
    assert "WB3" in fired(m("171.0", "lb"), last, baseline=base, urine="less")
    assert "WB3" not in fired(m("170.99", "lb"), last, baseline=base, urine="less")


def test_neighbours_are_only_those_in_the_span() -> None:
    # The pair (-4, -3) reaches out of three days; -3 alone is left.
    assert "WT1" in fired(m("71.0"), (-4, m("72.0")), (-3, m("70.0")))


def test_mixed_units_are_converted_exactly_and_take_the_lower_limit() -> None:
    # 10.0 lb are 4.535924 kg, so of the two 4.5 kg is lower; 4.4 lb are 1.995806 kg, below 2.0.
    start = m("154.324", "lb")  # 70.000189 kg
    assert "WW3" in fired(m("74.501"), (-7, start))
    assert "WW3" not in fired(m("74.500"), (-7, start))  # 4.499811 kg
    assert "WT2" in fired(m("71.996"), (-3, start))  # 1.995811 kg
    assert "WT2" not in fired(m("71.9959"), (-3, start))  # 1.995711 kg


def test_a_reading_in_another_unit_anywhere_in_the_span_makes_it_mixed() -> None:
    earlier = ((-3, m("70.0")), (-1, m("160", "lb")))
    assert "WT2" in fired(m("71.996"), *earlier)
    assert "WT2" not in fired(m("71.996"), (-3, m("70.0")))


def test_a_baseline_in_kilograms_and_a_weight_in_pounds_are_mixed() -> None:
    # 11.0 lb are 4.989516 kg, below 5.0: the lower one holds.
    assert "WB6" in fired(m("165.4", "lb"), baseline=m("70.0"))  # 75.0242 kg
    assert "WB6" in fired(m("165.33", "lb"), baseline=m("70.0"))  # 74.9924 kg: over 4.9895
    assert "WB6" not in fired(m("165.32", "lb"), baseline=m("70.0"))  # 74.9879 kg


def test_small_bodies_have_limits_in_percent() -> None:
    light = m("40.0")
    assert "WS1" in fired(m("41.20"), (-3, m("40.0")), baseline=light)
    assert "WS1" not in fired(m("41.19"), (-3, m("40.0")), baseline=light)
    assert "WS1" not in fired(m("41.20"), (-3, m("40.0")), baseline=light, day=OUT)
    assert "WS4" in fired(m("42.00"), (-7, m("40.0")), baseline=light, day=OUT)
    assert "WS4" not in fired(m("41.99"), (-7, m("40.0")), baseline=light)
    assert "WS1" not in fired(m("51.5"), (-3, m("50.0")), baseline=m("50.0"))  # not below 50
    assert "WS1" in fired(m("51.49"), (-3, m("49.99")), baseline=m("49.99"))
    assert "WS1" not in fired(m("41.20"), (-3, m("40.0")))  # no baseline
    # From the lowest of the span, before or after a higher one.
    assert "WS1" in fired(m("41.20"), (-3, m("40.0")), (-1, m("41.0")), baseline=light)
    assert "WS1" in fired(m("41.20"), (-3, m("41.0")), (-1, m("40.0")), baseline=light)


def test_baseline_bands_fire_on_crossing_and_on_each_further_kilogram() -> None:
    base = m("70.0")

    def over(before: str, now: str, day: int = IN) -> set[str]:
        return fired(m(now), (-9, m(before)), baseline=base, day=day) & {"WB5", "WB6", "WB8"}

    assert over("72.9", "73.0") == {"WB5"}
    assert over("73.0", "73.9") == set()
    assert over("73.9", "74.0") == {"WB5"}
    assert over("74.9", "75.0") == {"WB6"}
    assert over("75.0", "75.9") == set()
    assert over("75.9", "76.0") == {"WB6"}
    assert over("76.0", "75.9") == set()
    assert over("74.0", "76.5") == {"WB6"}
    assert over("75.2", "74.9") == set()
    assert over("74.9", "75.0", OUT) == {"WB8"}
    assert over("75.0", "75.9", OUT) == set()
    assert over("75.9", "76.0", OUT) == {"WB8"}


def test_in_pounds_each_further_step_is_2_2() -> None:
    base = m("154.0", "lb")  # the line is 160.6, then 162.8, then 165.0

    def over(before: str, now: str) -> set[str]:
        return fired(m(now, "lb"), (-9, m(before, "lb")), baseline=base) & {"WB5", "WB6"}

    assert over("160.5", "160.6") == {"WB5"}
    assert over("160.6", "162.7") == set()
    assert over("162.7", "162.8") == {"WB5"}
    assert over("162.8", "164.9") == set()


def test_far_over_baseline_with_a_core_sign_is_an_emergency_on_any_day() -> None:
    earlier = (-1, m("75.5"))
    for sign in (
        {"breathlessness": "mild_exertion"},
        {"chills": True},
        {"temperature_c": "38.0"},
        {"temperature_c": "37.5", "on_steroid": True},
        {"felt_feverish": True},
        {"dizziness": "mild"},
        {"bp_systolic": 99},
        {"urine": "less"},
    ):
        assert "WB3" in fired(m("75.5"), earlier, baseline=m("70.0"), **sign), sign
        assert "WB3" not in fired(m("75.5"), earlier, baseline=m("70.0"), day=OUT, **sign)
        assert "WB3" not in fired(m("74.9"), earlier, baseline=m("70.0"), **sign)
    for no_sign in (
        {"temperature_c": "37.9"},
        {"temperature_c": "36.8", "felt_feverish": True},
        {"temperature_c": "36.8", "on_steroid": True},
        {"bp_systolic": 100},
        {"swelling": "worse"},  # swelling and weight are one sign
        {"cough": "new"},
    ):
        assert "WB3" not in fired(m("75.5"), earlier, baseline=m("70.0"), **no_sign), no_sign


def test_a_series_is_read_with_its_units_and_its_own_days() -> None:
    answers = {"weight_series": [[5, "160", "lb"], [8, "164.4", "lb"]]}
    result = triage(PROTOCOL, answers, Course("atra", IN))
    assert "WT2" in {reason.rule for reason in result.reasons}


def test_a_first_weight_alone_says_nothing_without_a_baseline() -> None:
    assert fired(m("72.0")) == set()


def test_a_rise_is_of_the_days_before_and_of_each_of_them() -> None:
    def rise(*earlier: tuple[int, str]) -> set[str]:
        return fired(m("72.0"), *((day, m(value)) for day, value in earlier)) & {"T1B", "T1C"}

    days = ((-3, "70.0"), (-2, "70.5"), (-1, "71.0"))
    assert rise(*days) == {"T1C"}
    assert rise(*days, (0, "72.5")) == {"T1C"}  # a reading of this morning is not a day before
    assert rise((-4, "69.5"), days[0], days[2]) == set()  # a day is missing
    assert rise(days[0], days[2], (0, "71.5")) == set()  # and today does not stand in for it
