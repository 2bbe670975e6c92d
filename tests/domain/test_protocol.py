"""A protocol as data: what is asked, for whom a rule is meant, who has signed."""

from dataclasses import replace

import pytest

from patient_portal.domain.combined import SignOff
from patient_portal.domain.protocol import Condition, Item, Option
from patient_portal.protocols import current

PROTOCOL = current()


def test_not_sure_is_an_answer_and_no_value_of_its_own() -> None:
    cough = PROTOCOL.item("cough")
    assert cough.values == ("none", "usual", "new", "worse", "blood")
    assert cough.option("new").value == "new"
    assert cough.option("not_sure").label
    with pytest.raises(KeyError):
        cough.option("newish")


def test_an_answer_is_on_the_screen_unless_the_file_says_otherwise() -> None:
    assert Option("new", "New").on_screen
    shown = {item.key: [o.value for o in item.options if o.on_screen] for item in PROTOCOL.items}
    assert "cannot_speak" not in shown["breathlessness"]
    assert shown["cough"] == ["none", "usual", "new", "worse", "blood", "not_sure"]


def test_the_items_of_a_step_are_in_the_order_of_asking() -> None:
    def keys(items: tuple[Item, ...]) -> list[str]:
        return [item.key for item in items]

    assert keys(PROTOCOL.step_items("weight")) == ["weight", "tighter_fit"]
    assert PROTOCOL.step_items("no such step") == ()
    steps = dict.fromkeys(item.step for item in PROTOCOL.items)
    assert sum(len(PROTOCOL.step_items(step)) for step in steps) == len(PROTOCOL.items)


def test_a_condition_asks_for_what_it_names_and_for_nothing_else() -> None:
    asked = Condition("new_cough", item="cough", values=("new",))
    assert not (asked.missing or asked.measured or asked.yesterday)


def test_rules_are_for_all_medicines_or_some_columns_or_the_others() -> None:
    atra, ivosidenib = PROTOCOL.drug("atra"), PROTOCOL.drug("ivosidenib")
    for selector, for_atra, for_ivosidenib in (
        ("all", True, True),
        ("not_all", False, False),
        ("qt", False, True),
        ("not_qt", True, False),
        ("apl", True, False),
        ("not_apl", False, True),
        ("lists", False, True),
        ("not_lists", True, False),
    ):
        assert atra.matches(selector, "rash") is for_atra, selector
        assert ivosidenib.matches(selector, "rash") is for_ivosidenib, selector
    with pytest.raises(ValueError, match="'some'"):
        atra.matches("some", "rash")


def test_a_rule_about_several_answers_is_no_cell() -> None:
    assert PROTOCOL.rule("CO1").is_cell and PROTOCOL.rule("CO1").is_plain
    assert PROTOCOL.rule("F1").is_cell and PROTOCOL.rule("F1").is_plain  # a band
    assert PROTOCOL.rule("BR5").is_cell and not PROTOCOL.rule("BR5").is_plain  # asks for another
    assert PROTOCOL.rule("HA7").is_cell and not PROTOCOL.rule("HA7").is_plain  # up to a day
    assert not PROTOCOL.rule("C3").is_cell and not PROTOCOL.rule("C3").is_plain
    assert PROTOCOL.rule("C3") not in PROTOCOL.cells and PROTOCOL.rule("CO1") in PROTOCOL.cells


def test_a_file_is_signed_when_every_name_has_its_date() -> None:
    signed = SignOff("hematology", "A clinician", "2026-11-20")
    named, dated = replace(signed, on=""), replace(signed, name="")
    for sign_offs, is_signed in (
        ((signed, signed), True),
        ((signed, named), False),
        ((signed, dated), False),
        ((), False),
    ):
        assert replace(PROTOCOL, sign_offs=sign_offs).is_signed is is_signed
