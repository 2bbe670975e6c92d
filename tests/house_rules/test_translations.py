"""Translations of the tree: found, current, whole where it matters, and harmless.

What a translation must keep is checked by `patient_portal.words.checks`; here the catalogs of
this tree meet those rules, and the ways in which gettext fails silently are closed.
"""

import re
from collections import Counter
from pathlib import Path

import polib
import pytest
from babel.messages.plurals import get_plural

from patient_portal.domain.levels import TriageLevel
from patient_portal.paths import shipped
from patient_portal.sms import staff_texts
from patient_portal.sms import texts as sms
from patient_portal.sms.segments import count
from patient_portal.words import DOMAINS, Words, known_languages, review_state, translations
from patient_portal.words.catalog_files import compile_all
from patient_portal.words.checks import problems
from patient_portal.words.review import ReviewState
from patient_portal.words.sources import find_sentences
from patient_portal.words.text import fill
from tests.support.catalogs import write_pseudo

ROOT = Path(__file__).resolve().parents[2]
FOLDER = shipped("translations")
LANGUAGES = [name for name in known_languages() if name != "en"]
CATALOGS = [(language, domain) for language in LANGUAGES for domain in DOMAINS]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
LONGEST_NAME = "Maple Valley Community Health Center East"
ADDRESS = "https://checkin.maplevalley.example"
SECRET = "0123456789abcdefghijkl"


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    compile_all(FOLDER)
    translations.cache_clear()


def catalog(language: str, domain: str) -> polib.POFile:
    return polib.pofile(str(FOLDER / language / "LC_MESSAGES" / f"{domain}.po"))


def usable(language: str, domain: str) -> list[polib.POEntry]:
    return [entry for entry in catalog(language, domain) if entry.translated()]


def test_the_folder_is_the_one_of_this_tree() -> None:
    assert FOLDER == ROOT / "translations"
    assert "es" in LANGUAGES


def test_nothing_is_wrong_with_the_catalogs() -> None:
    assert list(problems(FOLDER, list(find_sentences(ROOT)))) == []


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_the_compiled_catalog_is_found_and_speaks(language: str, domain: str) -> None:
    # A catalog that is not found is no error to gettext: everything is English.
    for entry in usable(language, domain)[:20]:
        if not entry.msgid_plural:
            assert Words(language).find(domain, entry.msgid) in (entry.msgstr, None)
    different = [e for e in usable(language, domain) if e.msgstr not in ("", e.msgid)]
    if different and not different[0].msgid_plural:
        assert Words(language).find(domain, different[0].msgid) == different[0].msgstr


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_safety_words_are_whole(language: str) -> None:
    missing = [entry.msgid for entry in catalog(language, "safety") if not entry.translated()]
    assert missing == []


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_placeholders_are_the_same_and_can_be_filled(language: str, domain: str) -> None:
    for entry in usable(language, domain):
        if entry.msgid_plural:
            continue
        names = Counter(PLACEHOLDER.findall(entry.msgid))
        assert set(names) == set(PLACEHOLDER.findall(entry.msgstr)), entry.msgid
        fill(entry.msgstr, dict.fromkeys(names, "x"))


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_digits_stay_as_they_are(language: str, domain: str) -> None:
    for entry in usable(language, domain):
        if not entry.msgid_plural:
            wanted = Counter(re.findall(r"\d+", entry.msgid))
            assert wanted == Counter(re.findall(r"\d+", entry.msgstr)), entry.msgid


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_plural_forms_are_whole(language: str, domain: str) -> None:
    for entry in usable(language, domain):
        if entry.msgid_plural:
            assert len(entry.msgstr_plural) == get_plural(language).num_plurals, entry.msgid
            assert all(entry.msgstr_plural.values()), entry.msgid


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_stale_sentences_are_not_compiled(language: str, domain: str) -> None:
    for entry in catalog(language, domain):
        if entry.fuzzy:
            assert Words(language).find(domain, entry.msgid) is None


@pytest.mark.parametrize(("language", "domain"), CATALOGS)
def test_a_draft_says_so(language: str, domain: str) -> None:
    assert review_state(language, domain) in (ReviewState.DRAFT, ReviewState.TRANSLATED)


def texts(language: str) -> tuple[list[str], list[str]]:
    """Return what staff and what patients are sent, with the longest values."""
    words, page = Words(language), f"{ADDRESS}/staff/alerts/K7Q2M"
    staff = [
        write(words, clinic=LONGEST_NAME, ref="K7Q2M", level=level, url=page)
        for level in (TriageLevel.URGENT, TriageLevel.EMERGENCY)
        for write in (staff_texts.page, staff_texts.worse)
    ]
    patients = [
        sms.invite(words, clinic=LONGEST_NAME, base_url=ADDRESS),
        sms.code(words, clinic=LONGEST_NAME, host="checkin.maplevalley.example"),
        sms.reminder(words, clinic=LONGEST_NAME, base_url=ADDRESS, number="911"),
        sms.no_medical_help(words, clinic=LONGEST_NAME, line="+12125550100", number="911"),
    ]
    return staff, [text.replace("{secret}", SECRET) for text in patients]


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_texts_are_short(language: str) -> None:
    staff, patients = texts(language)
    assert [text for text in staff if count(text).parts > 1] == []
    assert [text for text in patients if count(text).parts > 2] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_texts_of_latin_languages_stay_in_the_short_alphabet(language: str) -> None:
    assert "".join(count(text).odd for group in texts(language) for text in group) == ""


def test_no_number_to_call_is_written_into_a_sentence() -> None:
    for sentence in find_sentences(ROOT):
        # What the demo tells its visitor is no advice; and 112 is the number that phones of
        # most countries know, which is a sentence of its own.
        general = "most mobile phones 112" in sentence.msgid
        if "demo" not in sentence.path and not general:
            assert not re.search(r"\b(?:911|112|999)\b", sentence.msgid), sentence


def test_sentences_are_plain_text() -> None:
    for sentence in find_sentences(ROOT):
        assert "—" not in sentence.msgid, sentence
        assert not re.search(r"%(?!\(\w+\)s|%)\S", sentence.msgid), sentence


def test_a_pseudo_language_covers_every_sentence(tmp_path: Path) -> None:
    sentences = list(find_sentences(ROOT))
    write_pseudo(tmp_path, sentences)
    words = Words("en_ZZ", tmp_path)
    for sentence in sentences:
        values: dict[str, object] = dict.fromkeys(PLACEHOLDER.findall(sentence.msgid), "1")
        if sentence.plural:
            shown = words.translate_count(
                sentence.domain, sentence.msgid, sentence.plural, 2, values
            )
        else:
            shown = words.translate(sentence.domain, sentence.msgid, values)
        assert shown.startswith("["), sentence
