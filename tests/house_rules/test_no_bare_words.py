"""No template holds a sentence that gettext never sees."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from patient_portal.paths import shipped

FOLDER = shipped("templates")
TEMPLATES = sorted(FOLDER.rglob("*.html"))
# Units, codes and names that are the same in every language.
SAME_EVERYWHERE = {"kg", "lb", "C", "F", "SMS", "ID", "DEMO", "UTC"}
READ_ALOUD = {"alt", "title", "placeholder", "aria-label", "aria-description", "label"}
_TRANSLATED = re.compile(r"{%-?\s*trans\b.*?endtrans\s*-?%}", re.DOTALL)
# Classes are no words; nor are attributes that a macro writes.
_CLASSES = re.compile(r"{%-?\s*block \w*class\w*\s*-?%}.*?{%-?\s*endblock\b.*?%}", re.DOTALL)
_ATTRIBUTE = re.compile(r"[\w-]+=\"[^\"]*\"")
_CODE = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{2,}")


class _Words(HTMLParser):
    """Collects the words a person would see or hear."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        for name, value in attrs:
            if name in READ_ALOUD and value:
                self.found += _WORD.findall(value)

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found += _WORD.findall(_ATTRIBUTE.sub("", data))


def bare_words(source: str) -> list[str]:
    """Return the words of a template that stand outside every translating call."""
    parser = _Words()
    parser.feed(_CODE.sub("", _CLASSES.sub("", _TRANSLATED.sub("", source))))
    parser.close()
    return [word for word in parser.found if word not in SAME_EVERYWHERE]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_every_word_goes_through_gettext(path: Path) -> None:
    assert bare_words(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('<p class="a">{{ _("Send") }} {# note #} 12 kg</p>', []),
        ("<p>{% trans %}Send <b>now</b>{% endtrans %}</p>", []),
        ("<p>Send {{ x }}</p>", ["Send"]),
        ('<img alt="A nurse">', ["nurse"]),
        ('<a title="{{ _("Send") }}" href="/send">{{ x }}</a>', []),
        ("<style>p { color: red }</style>", []),
    ],
)
def test_the_rule_finds_what_it_is_for(source: str, words: list[str]) -> None:
    assert bare_words(source) == words
