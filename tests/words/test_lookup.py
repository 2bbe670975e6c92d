"""A sentence always comes, whatever the translation looks like."""

from pathlib import Path

import pytest

from patient_portal.words import Words, mark_learn, mark_message, mark_safety
from tests.support.catalogs import write_catalog

CALL = "Call %(number)s now"
DAYS = ("%(n)s day", "%(n)s days")


def spanish(folder: Path, text: str) -> Words:
    write_catalog(folder, "es", "safety", {CALL: text})
    return Words("es", folder)


def test_a_translated_sentence_is_filled(tmp_path: Path) -> None:
    words = spanish(tmp_path, "Llame al %(number)s ahora")
    assert words.safety(CALL, number=911) == "Llame al 911 ahora"


@pytest.mark.parametrize(
    "broken",
    [
        "Llame al %(numero)s ahora",
        "Llame al %(number) ahora",
        "Llame al %(number)d ahora",
        "100 % bien %(number)s",
        "Llame %",
        "%(number)s %s",
        "%(number",
    ],
)
def test_a_broken_translation_never_fails(tmp_path: Path, broken: str) -> None:
    shown = spanish(tmp_path, broken).safety(CALL, number="911")
    assert shown in ("Call 911 now", broken)  # without "%(" a text is not a format at all


def test_a_broken_placeholder_falls_back_to_english(tmp_path: Path) -> None:
    assert spanish(tmp_path, "Llame al %(x)s").safety(CALL, number="911") == "Call 911 now"


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("8:00 p.m.", "Call by 8:00 p.m. Do not wait."),
        ("<bdi>8:00 p.m.</bdi>", "Call by <bdi>8:00 p.m.</bdi> Do not wait."),
        ("20:00", "Call by 20:00. Do not wait."),
        (20, "Call by 20. Do not wait."),
    ],
)
def test_a_sentence_has_one_full_stop(time: object, shown: str) -> None:
    assert Words("en").safety("Call by %(time)s. Do not wait.", time=time) == shown


def test_what_is_missing_comes_in_english(tmp_path: Path) -> None:
    words = spanish(tmp_path, "Llame al %(number)s ahora")
    assert words.safety("Sit up.") == "Sit up."
    assert words.message("Sign in") == "Sign in"
    assert words.learn("Fluid leaks.") == "Fluid leaks."


def test_an_unknown_language_is_english() -> None:
    assert Words("xx").safety(CALL, number=112) == "Call 112 now"


def test_the_empty_sentence_is_not_the_catalogs_header(tmp_path: Path) -> None:
    assert spanish(tmp_path, "x").safety("") == ""


def test_a_value_that_is_forgotten_leaves_a_gap_not_an_error() -> None:
    assert Words("en").safety("Call %(number)s, %(name)s", number=911) == "Call 911, …"


def test_a_percent_sign_without_placeholder_is_a_percent_sign() -> None:
    assert Words("en").message("100 % done") == "100 % done"


def test_domains_are_apart(tmp_path: Path) -> None:
    write_catalog(tmp_path, "es", "messages", {"Send": "Enviar"})
    assert Words("es", tmp_path).message("Send") == "Enviar"
    assert Words("es", tmp_path).safety("Send") == "Send"


def test_a_stale_translation_is_not_shown(tmp_path: Path) -> None:
    write_catalog(tmp_path, "es", "safety", {"Sit up.": "Acuéstese."}, fuzzy=frozenset({"Sit up."}))
    assert Words("es", tmp_path).safety("Sit up.") == "Sit up."


def test_plurals_follow_the_language(tmp_path: Path) -> None:
    forms = ("يوم٠", "يوم", "يومان", "%(n)s أيام", "%(n)s يوم", "%(n)s يوما")
    write_catalog(tmp_path, "ar", "safety", {DAYS: forms})
    words = Words("ar", tmp_path)
    shown = [words.nsafety(*DAYS, n) for n in (0, 1, 2, 3, 11, 100)]
    assert shown == ["يوم٠", "يوم", "يومان", "3 أيام", "11 يوما", "100 يوم"]


def test_an_incomplete_plural_is_english_in_every_form(tmp_path: Path) -> None:
    # Babel alone would fill the gaps with English and so show two languages in one list.
    write_catalog(tmp_path, "ar", "safety", {DAYS: ("", "يوم", "يومان", "%(n)s أيام", "", "")})
    words = Words("ar", tmp_path)
    assert [words.nsafety(*DAYS, n) for n in (1, 3, 11)] == ["1 day", "3 days", "11 days"]


def test_english_counts_too() -> None:
    words = Words("en")
    assert [words.nmessage(*DAYS, n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]
    assert words.nlearn(*DAYS, 1) == "1 day"


def test_marks_change_nothing() -> None:
    assert mark_safety("a") + mark_message("b") + mark_learn("c") == "abc"
