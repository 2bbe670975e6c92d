"""What the check of translations finds, and what it lets pass."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from patient_portal.words.__main__ import main
from patient_portal.words.catalog_files import read, rendered, template, updated
from patient_portal.words.checks import (
    catalog_problems,
    coverage,
    fingerprint,
    problems,
    text_problems,
)
from patient_portal.words.review import review_entries
from patient_portal.words.sources import Sentence
from tests.support.catalogs import write_catalog

CALL = "Call %(number)s now."
DAYS = ("%(n)s day", "%(n)s days")


def sentence(msgid: str, plural: str | None = None) -> Sentence:
    return Sentence("safety", msgid, plural, "a.py")


@pytest.mark.parametrize(
    "text",
    [
        "Llame al %(numero)s ahora.",
        "Llame ahora.",
        "Llame al %(number)s ahora, 100 % seguro.",
        "Llame al %(number)s %(number)d.",
        "Llame al %(number) ahora.",
        "Llame al <i>%(number)s</i> ahora.",
        '<a href="x">Llame</a> al %(number)s.',
        "Llame al 911 %(number)s.",
        " Llame al %(number)s ahora.",
        "Llame al %(number)s ahora",
        "¿Llame al %(number)s ahora?",
        "Llame al \u202e%(number)s ahora.",
        "**Llame** al %(number)s ahora.",
    ],
)
def test_harm_is_found(text: str) -> None:
    assert list(text_problems(CALL, text))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (CALL, "Llame al %(number)s ahora."),
        (CALL, "现在拨打 %(number)s。"),
        ("Are you sure?", "هل أنت متأكد؟"),
        ("Take <b>one</b> step", "Dé <b>un</b> paso"),
        ("It works for 7 days.", "Vale 7 días."),
        ("100 % done", "100 % hecho"),
        ("100 %% of %(name)s", "%(name)s: 100 %%"),
        ("**Ask** now.", "**Pregunte** ahora."),
    ],
)
def test_a_good_translation_passes(source: str, text: str) -> None:
    assert not list(text_problems(source, text))


def test_every_plural_form_is_needed(tmp_path: Path) -> None:
    source = template([sentence(*DAYS)], "safety")
    write_catalog(tmp_path, "ar", "safety", {DAYS: ("", "يوم", "يومان", "%(n)s", "", "")})
    catalog = read(tmp_path / "ar/LC_MESSAGES/safety.po", "ar")
    assert "3 of 6 plural forms" in " ".join(catalog_problems(catalog, source, "ar"))
    assert coverage(catalog) == (0, 0, 1)


def test_a_foreign_plural_rule_is_found() -> None:
    source = template([sentence(*DAYS)], "safety")
    catalog = Catalog(locale="es", domain="safety")
    catalog.add(DAYS)
    assert "plural rule" in " ".join(catalog_problems(catalog, source, "ar"))


def test_stale_is_not_translated(tmp_path: Path) -> None:
    texts = {"One.": "Uno.", "Two.": "Dos.", "Three.": ""}
    write_catalog(tmp_path, "es", "safety", texts, fuzzy=frozenset({"Two."}))
    assert coverage(read(tmp_path / "es/LC_MESSAGES/safety.po", "es")) == (1, 1, 3)


def test_a_changed_sentence_goes_stale_alone(tmp_path: Path) -> None:
    write_catalog(tmp_path, "es", "safety", {"Sit up now.": "Siéntese.", "Call us.": "Llame."})
    path = tmp_path / "es/LC_MESSAGES/safety.po"
    changed = template([sentence("Sit up right now."), sentence("Call us.")], "safety")
    path.write_bytes(updated(path, "es", "safety", changed))
    assert coverage(read(path, "es")) == (1, 1, 2)


def test_files_hold_no_dates_and_are_stable(tmp_path: Path) -> None:
    source = template([sentence("One."), sentence("Two.")], "safety")
    content = rendered(source)
    assert content == rendered(template([sentence("One."), sentence("Two.")], "safety"))
    assert not [word for word in (b"Date", b"Babel", b":0") if word in content]
    path = tmp_path / "es/LC_MESSAGES/safety.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(updated(path, "es", "safety", source))
    assert path.read_bytes() == updated(path, "es", "safety", source)


def test_what_is_not_current_or_unfit_is_named(tmp_path: Path) -> None:
    report = "\n".join(problems(tmp_path, [sentence("100 % of %(name)s <i>")]))
    assert "safety.pot: not current" in report
    assert "lone %" in report and "only <b>" in report


@pytest.mark.parametrize("state", ["reviewed", "clinically_approved"])
def test_a_signature_holds_for_the_words_that_were_signed(tmp_path: Path, state: str) -> None:
    write_catalog(tmp_path, "es", "safety", {"One.": "Uno."})
    sign = fingerprint(read(tmp_path / "es/LC_MESSAGES/safety.po", "es"))
    entry = f'[es.safety]\nstate = "{state}"\nfingerprint = "{sign}"\n'
    (tmp_path / "review.toml").write_text(entry, encoding="utf-8")

    def about_the_review() -> list[str]:
        review_entries.cache_clear()
        found = problems(tmp_path, [sentence("One.")])
        return [line for line in found if "[es.safety]" in line]

    assert not about_the_review()
    write_catalog(tmp_path, "es", "safety", {"One.": "Una."})
    assert "words changed since the check" in about_the_review()[0]
    write_catalog(tmp_path, "es", "safety", {"One.": ""})
    assert "1 sentences are missing" in about_the_review()[0]


def test_wrong_use_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert [main([]), main(["compile", "x"]), main(["--help"])] == [2, 2, 0]
    assert "COMMAND" in capsys.readouterr().err
