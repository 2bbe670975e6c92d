"""What a translation must keep: each rule stands for a way it once failed in the field.

Every rule takes English and the translation and yields a reason, in English, for the person
who runs `make translations`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural

from patient_portal.words.catalog import DOMAINS
from patient_portal.words.catalog_files import catalog_paths, is_usable, read, rendered, template
from patient_portal.words.review import ReviewState, review_entries
from patient_portal.words.sources import Sentence
from patient_portal.words.text import fill

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_TAG = re.compile(r"</?[A-Za-z][^>]*>")
_BIDI_CONTROLS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ENDINGS = {"。": ".", "！": "!", "？": "?", "؟": "?", "।": ".", "：": ":", "…": "."}
# States that say a clinician or second reader has seen exactly these words.
_CHECKED = (ReviewState.REVIEWED, ReviewState.CLINICALLY_APPROVED)


def problems(folder: Path, sentences: list[Sentence]) -> Iterator[str]:
    """Yield everything that is wrong with the catalogs in `folder`."""
    sources = {domain: template(sentences, domain) for domain in DOMAINS}
    for domain, source in sources.items():
        yield from _unfit_source(domain, source)
        path = folder / f"{domain}.pot"
        if not path.is_file() or path.read_bytes() != rendered(source):
            yield f"{path.name}: not current; run: make translations"
    for language, domain, path in catalog_paths(folder):
        catalog = read(path, language)
        where = f"{language}/{domain}.po"
        for reason in catalog_problems(catalog, sources[domain], language):
            yield f"{where}: {reason}"
        for reason in _review_problems(folder, language, domain, catalog):
            yield f"review.toml [{language}.{domain}]: {reason}"


def _unfit_source(domain: str, source: Catalog) -> Iterator[str]:
    for message in source:
        for text in _texts(message.id):
            if reason := format_problem(text, text):
                yield f"{domain}.pot: {text!r}: {reason}"
            if set(_TAG.findall(text)) - {"<b>", "</b>"}:
                yield f"{domain}.pot: {text!r}: only <b> may stand in a sentence"


def catalog_problems(catalog: Catalog, source: Catalog, language: str) -> Iterator[str]:
    """Yield what is wrong with one .po file against today's English."""
    if catalog.plural_expr != get_plural(language).plural_expr:
        yield f"plural rule is {catalog.plural_expr!r}, not the one of {language}"
    wanted = {_key(message) for message in source if message.id}
    present = {_key(message) for message in catalog if message.id}
    if wanted != present:
        yield f"{len(wanted ^ present)} sentences differ from the source; run: make translations"
    for message in catalog:
        if message.id and not message.fuzzy:
            for reason in message_problems(message, catalog.num_plurals):
                yield f"{_key(message)!r}: {reason}"


def message_problems(message: Message, num_plurals: int) -> Iterator[str]:
    """Yield what is wrong with one translated sentence; untranslated ones are only counted."""
    forms = _texts(message.string)
    if not any(forms):
        return
    sources = _texts(message.id)
    if len(sources) > 1 and (len(forms) != num_plurals or not all(forms)):
        yield f"{sum(map(bool, forms))} of {num_plurals} plural forms are filled"
        return
    for form in forms:
        yield from text_problems(sources[-1], form, plural=len(sources) > 1)


def text_problems(source: str, text: str, *, plural: bool = False) -> Iterator[str]:
    """Yield what one translated text has lost or gained against English."""
    if reason := format_problem(source, text, plural=plural):
        yield reason
    if Counter(_TAG.findall(source)) != Counter(_TAG.findall(text)):
        yield "tags differ from English"
    if source.count("**") != text.count("**"):
        yield "bold marks differ from English"
    if Counter(re.findall(r"\d+", source)) != Counter(re.findall(r"[0-9]+", text)):
        yield "digits differ from English"
    if text != text.strip() and source == source.strip():
        yield "begins or ends with a space"
    if _ending(source) != _ending(text):
        yield f"ends with {_ending(text) or 'no mark'!r}, English with {_ending(source)!r}"
    if _BIDI_CONTROLS.search(text):
        yield "holds an invisible direction mark; directions are set in the page"


def format_problem(source: str, text: str, *, plural: bool = False) -> str | None:
    """Return why `text` cannot take the values of `source`, or None."""
    names, given = set(_PLACEHOLDER.findall(source)), set(_PLACEHOLDER.findall(text))
    # "One day" may stand without its number.
    if given - names or (names - given) - ({"n", "num"} if plural else set()):
        return f"placeholders {sorted(given)}, English has {sorted(names)}"
    try:
        fill(text, dict.fromkeys(names, "x"))
    except (KeyError, ValueError) as error:
        return f"cannot be filled: {error}"
    return None


def _ending(text: str) -> str:
    last = text.rstrip("*> ")[-1:] if not text.endswith("</b>") else text[-5:-4]
    last = _ENDINGS.get(last, last)
    return last if last in tuple(".!?:") else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(text or "") for text in value]
    return [str(value or "")]


def _key(message: Message) -> str:
    return _texts(message.id)[0]


def fingerprint(catalog: Catalog) -> str:
    """Return a digest over English and translation: what a reviewer's signature covers."""
    digest = hashlib.sha256()
    for message in sorted((m for m in catalog if m.id), key=_key):
        for text in (*_texts(message.id), *_texts(message.string)):
            digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def _review_problems(folder: Path, language: str, domain: str, catalog: Catalog) -> Iterator[str]:
    entry = review_entries(folder).get((language, domain))
    if entry is None:
        yield 'no entry; a new translation starts as state = "draft"'
        return
    if ReviewState(str(entry["state"])) not in _CHECKED:
        return
    missing = sum(1 for message in catalog if message.id and not is_usable(message))
    if missing:
        yield f"checked, but {missing} sentences are missing or stale"
    if entry.get("fingerprint") != fingerprint(catalog):
        yield f"words changed since the check (fingerprint now {fingerprint(catalog)})"


def coverage(catalog: Catalog) -> tuple[int, int, int]:
    """Return usable, fuzzy and all sentences. Babel's own count takes fuzzy ones as done."""
    messages = [message for message in catalog if message.id]
    usable = sum(1 for message in messages if is_usable(message))
    return usable, sum(1 for message in messages if message.fuzzy), len(messages)
