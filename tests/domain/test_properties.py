"""What must hold of any answers at all: nothing that is worse, added or unsure ever calms."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from patient_portal.domain.answers import validate_answers
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.protocol import NOT_SURE, Item, Value
from patient_portal.domain.triage import Course, triage
from patient_portal.protocols import current

PROTOCOL = current()
WORDS = [item for item in PROTOCOL.items if item.kind in ("choice", "flag")]
CHAINS = [item for item in WORDS if item.worse or item.kind == "flag"]
FLAGS = PROTOCOL.item("red_flags").values
DRUGS = [drug.code for drug in PROTOCOL.drugs]
# A reading takes part of the felt fever away, by design (an unmasked normal one is watch).
TENTHS = st.integers(340, 430).map(lambda tenths: Decimal(tenths) / 10)
KILOS = st.integers(3500, 12000).map(lambda hundredths: Decimal(hundredths) / 100)

words = st.fixed_dictionaries(
    {},
    optional={item.key: st.sampled_from([*item.values, NOT_SURE]) for item in WORDS}
    | {
        "red_flags": st.lists(st.sampled_from(FLAGS), max_size=2),
        "temperature_c": TENTHS,
        "spo2": st.integers(80, 100),
        "bp_systolic": st.integers(70, 160),
    },
)
weights = st.lists(KILOS, max_size=8).map(
    lambda kilos: tuple((day - len(kilos), Measure(kg, "kg")) for day, kg in enumerate(kilos))
)
courses = st.builds(
    Course,
    drug=st.sampled_from(DRUGS),
    day_of_therapy=st.none() | st.integers(-2, 700),
    window_extended=st.booleans(),
    baseline=st.none() | KILOS.map(lambda kg: Measure(kg, "kg")),
    weights=weights,
    usual=st.none() | st.sets(st.sampled_from([item.key for item in WORDS])),
    uk_lines=st.booleans(),
)
answers = st.builds(
    lambda said, kg: said if kg is None else {**said, "weight": kg, "weight_unit": "kg"},
    words,
    st.none() | KILOS,
)
Said = dict[str, Any]


def level(said: Said, course: Course) -> TriageLevel:
    return triage(PROTOCOL, said, course).level


def inside(course: Course) -> Course:
    return Course(**{**_fields(course), "window_extended": True})


def _fields(course: Course) -> dict[str, Any]:
    return {name: getattr(course, name) for name in Course.__dataclass_fields__}


def chain(item: Item) -> tuple[Value, ...]:
    return item.worse or (False, True)


@settings(max_examples=400, deadline=None)
@given(answers, courses, st.sampled_from(CHAINS), st.data())
def test_a_worse_answer_never_lowers_the_level(
    said: Said, course: Course, item: Item, data: st.DataObject
) -> None:
    values = chain(item)
    first = data.draw(st.integers(0, len(values) - 1))
    second = data.draw(st.integers(first, len(values) - 1))
    if values[first] == "usual" and course.usual is not None and item.key not in course.usual:
        return  # that "usual" counts as new
    mild = level({**said, item.key: values[first]}, course)
    assert level({**said, item.key: values[second]}, course) >= mild


@settings(max_examples=300, deadline=None)
@given(answers, courses, st.sampled_from(WORDS))
def test_not_sure_never_lowers_the_level_of_no(said: Said, course: Course, item: Item) -> None:
    calm = level({**said, item.key: item.values[0]}, course)
    assert level({**said, item.key: NOT_SURE}, course) >= calm


@settings(max_examples=300, deadline=None)
@given(answers, courses, st.sampled_from([key for key in (item.key for item in WORDS)]))
def test_one_more_answer_never_lowers_the_level(said: Said, course: Course, key: str) -> None:
    without = {other: value for other, value in said.items() if other != key}
    assert level(said, course) >= level(without, course)


@settings(max_examples=200, deadline=None)
@given(answers, courses, st.sampled_from(FLAGS))
def test_one_more_red_flag_never_lowers_the_level(said: Said, course: Course, flag: str) -> None:
    more = {**said, "red_flags": [*said.get("red_flags", []), flag]}
    assert level(more, course) >= level(said, course)


@settings(max_examples=300, deadline=None)
@given(answers, courses)
def test_being_in_the_window_never_lowers_the_level(said: Said, course: Course) -> None:
    assert level(said, inside(course)) >= level(said, course)


@settings(max_examples=200, deadline=None)
@given(answers, courses)
def test_a_medicine_that_is_not_known_is_never_calmer(said: Said, course: Course) -> None:
    unknown = Course(**{**_fields(course), "drug": "unknown"})
    assert level(said, unknown) >= level(said, course)


@settings(max_examples=200, deadline=None)
@given(answers, courses)
def test_a_day_that_is_not_known_is_never_calmer(said: Said, course: Course) -> None:
    some_day = Course(**{**_fields(course), "day_of_therapy": None})
    assert level(said, some_day) >= level(said, course)


@settings(max_examples=300, deadline=None)
@given(answers, courses, KILOS, st.integers(0, 1500))
def test_more_weight_never_lowers_the_level_of_a_gain(
    said: Said, course: Course, kg: Decimal, more: int
) -> None:
    # Above the highest earlier weight, so that no loss of weight is undone by it.
    highest = max([kg, *(measure.value for _, measure in course.weights)])
    heavy = {**said, "weight": highest, "weight_unit": "kg"}
    heavier = {**heavy, "weight": highest + Decimal(more) / 100}
    assert level(heavier, course) >= level(heavy, course)


@settings(max_examples=300, deadline=None)
@given(answers, courses, st.integers(380, 430), st.integers(0, 50))
def test_a_higher_fever_never_lowers_the_level(
    said: Said, course: Course, tenths: int, more: int
) -> None:
    hot = {**said, "temperature_c": Decimal(tenths) / 10}
    hotter = {**said, "temperature_c": Decimal(tenths + more) / 10}
    assert level(hotter, course) >= level(hot, course)


@settings(max_examples=300, deadline=None)
@given(answers, courses, st.randoms())
def test_the_order_of_answers_does_not_matter(said: Said, course: Course, dice: Any) -> None:
    keys = list(said)
    dice.shuffle(keys)
    shuffled = {key: said[key] for key in keys}
    assert triage(PROTOCOL, shuffled, course) == triage(PROTOCOL, said, course)


@settings(max_examples=200, deadline=None)
@given(answers, courses)
def test_the_level_is_that_of_the_worst_reason(said: Said, course: Course) -> None:
    result = triage(PROTOCOL, said, course)
    assert result.level == max((r.level for r in result.reasons), default=TriageLevel.NONE)
    assert triage(PROTOCOL, said, course) == result


@settings(max_examples=200, deadline=None)
@given(answers, courses)
def test_answers_judge_the_same_before_and_after_validation_and_storage(
    said: Said, course: Course
) -> None:
    checked = validate_answers(PROTOCOL, said)
    stored = {k: str(v) if isinstance(v, Decimal) else v for k, v in checked.items()}
    assert triage(PROTOCOL, stored, course) == triage(PROTOCOL, said, course)


@settings(max_examples=200, deadline=None)
@given(st.integers(3500, 12000), st.integers(0, 700), st.integers(1, 3))
def test_pounds_and_kilograms_of_the_same_gain_agree_to_a_step_of_the_scale(
    hundredths: int, gain: int, span: int
) -> None:
    """A gain clearly past a limit in one unit is past it in the other too."""
    kg, grown = Decimal(hundredths) / 100, Decimal(gain) / 100
    for day in (20, 700):
        in_kg = _level_of_gain(kg, grown, "kg", span, day)
        # Pounds' limits lie within 0.1 lb of the kilograms', so a touch more is never calmer.
        pounds = (grown / Decimal("0.45359237")) + Decimal("0.1")
        assert _level_of_gain(kg * 2, pounds, "lb", span, day) >= in_kg


def _level_of_gain(start: Decimal, gain: Decimal, unit: str, span: int, day: int) -> TriageLevel:
    course = Course("atra", day, weights=((-span, Measure(start, unit)),))
    return level({"weight": start + gain, "weight_unit": unit}, course)
