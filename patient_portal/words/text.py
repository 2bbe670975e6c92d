"""Look a sentence up, fill its placeholders, and never fail on a broken translation."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import structlog

from patient_portal.words.catalog import SOURCE_LANGUAGE, translations

_log = structlog.get_logger(__name__)
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# Ends of a value that bring the sentence's full stop along: "8:00 p.m.", marked up or not.
_STOPS = (".", ".</bdi>")


def mark_safety(msgid: str) -> str:
    """Mark a sentence of the domain `safety` for extraction; translate it later."""
    return msgid


def mark_message(msgid: str) -> str:
    """Mark a sentence of the domain `messages` for extraction; translate it later."""
    return msgid


def mark_learn(msgid: str) -> str:
    """Mark a sentence of the domain `learn` for extraction; translate it later."""
    return msgid


@lru_cache(maxsize=8192)
def require_format(text: str) -> None:
    """Raise ValueError if anything but `%(name)s` and `%%` stands in a format.

    Python would take "%(number) ahora" for a conversion and show nonsense.
    """
    if "%" in _PLACEHOLDER.sub("", text.replace("%%", "")):
        raise ValueError("a lone % beside placeholders; write %%")


def with_one_stop(text: str, values: Mapping[str, object]) -> str:
    """Return the text without the full stops that the values before them bring along."""
    for name, value in values.items():
        if isinstance(value, str) and value.endswith(_STOPS):
            text = text.replace(f"%({name})s.", f"%({name})s")
    return text


def fill(text: str, values: dict[str, object]) -> str:
    """Put values into `%(name)s` placeholders. Raises KeyError or ValueError.

    A text without placeholders is not a format: "100 %" may stand in it as it is.
    """
    if "%(" not in text:
        return text.replace("%%", "%")
    require_format(text)
    return with_one_stop(text, values) % values


class Words:
    """The sentences of one language.

    Every method takes the English sentence (msgid) and the values of its `%(name)s`
    placeholders. A sentence that is not translated, or whose translation cannot be filled,
    comes in English; nothing here raises.
    """

    __slots__ = ("directory", "language")

    def __init__(self, language: str, directory: Path | None = None) -> None:
        self.language = language
        self.directory = directory

    def safety(self, msgid: str, /, **values: object) -> str:
        """Translate a sentence of the domain `safety`."""
        return self.translate("safety", msgid, values)

    def message(self, msgid: str, /, **values: object) -> str:
        """Translate a sentence of the domain `messages`."""
        return self.translate("messages", msgid, values)

    def learn(self, msgid: str, /, **values: object) -> str:
        """Translate a sentence of the domain `learn`."""
        return self.translate("learn", msgid, values)

    def nsafety(self, one: str, many: str, n: int, /, **values: object) -> str:
        """Translate a counted sentence of `safety`; `%(n)s` is the count."""
        return self.translate_count("safety", one, many, n, values)

    def nmessage(self, one: str, many: str, n: int, /, **values: object) -> str:
        """Translate a counted sentence of `messages`; `%(n)s` is the count."""
        return self.translate_count("messages", one, many, n, values)

    def nlearn(self, one: str, many: str, n: int, /, **values: object) -> str:
        """Translate a counted sentence of `learn`; `%(n)s` is the count."""
        return self.translate_count("learn", one, many, n, values)

    def find(self, domain: str, msgid: str) -> str | None:
        """Return the translation with its placeholders unfilled; None if there is none."""
        if self.language == SOURCE_LANGUAGE or not msgid:
            return None  # gettext answers the empty msgid with the catalog's header
        found = translations(self.language, domain, self.directory).gettext(msgid)
        return None if found == msgid else found

    def find_count(self, domain: str, one: str, many: str, n: int) -> str:
        """Return the form for `n` with its placeholders unfilled, English if there is none."""
        source = one if n == 1 else many
        if self.language == SOURCE_LANGUAGE:
            return source
        found = translations(self.language, domain, self.directory).ngettext(one, many, n)
        return found or source

    def translate(self, domain: str, msgid: str, values: dict[str, object]) -> str:
        """Translate one sentence of the named domain."""
        found = self.find(domain, msgid)
        if found is not None:
            filled = self._try_fill(domain, found, values)
            if filled is not None:
                return filled
        return _fill_source(domain, msgid, values)

    def translate_count(
        self, domain: str, one: str, many: str, n: int, values: dict[str, object]
    ) -> str:
        """Translate one counted sentence of the named domain."""
        values = {"n": n, **values}
        source = one if n == 1 else many
        found = self.find_count(domain, one, many, n)
        if found != source:
            filled = self._try_fill(domain, found, values)
            if filled is not None:
                return filled
        return _fill_source(domain, source, values)

    def _try_fill(self, domain: str, text: str, values: dict[str, object]) -> str | None:
        try:
            return fill(text, values)
        except (KeyError, ValueError):
            _log.error("translation_broken", language=self.language, domain=domain)
            return None


def _fill_source(domain: str, msgid: str, values: dict[str, object]) -> str:
    try:
        return fill(msgid, values)
    except (KeyError, ValueError):
        # A page with a gap is better than no page on the day somebody needs it.
        _log.error("source_text_broken", language=SOURCE_LANGUAGE, domain=domain)
        return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], "…")), msgid)
