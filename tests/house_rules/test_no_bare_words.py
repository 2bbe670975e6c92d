"""No template and no module holds a sentence that gettext never sees."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from patient_portal.paths import PACKAGE, shipped
from patient_portal.words.sources import KEYWORDS

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


def spoken_by_another_name(source: str) -> list[str]:
    """Return the sentences given to a name that stands for a translating call.

    Extraction knows the calls by their own names, so these would be English for ever.
    """
    tree = ast.parse(source)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                names.update(
                    name.id
                    for name, value in pairs
                    if isinstance(name, ast.Name)
                    and isinstance(value, ast.Attribute)
                    and value.attr in KEYWORDS
                )
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in names
        and isinstance(call.args[0], ast.Constant)
    ]


def test_no_sentence_is_said_through_another_name() -> None:
    found = {
        path.name: spoken
        for path in sorted(PACKAGE.rglob("*.py"))
        if (spoken := spoken_by_another_name(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "sentences"),
    [
        ('say = words.safety\nsay("Call now")', ["Call now"]),
        ('say, n = self.words.message, 3\nsay("Sent")', ["Sent"]),
        ("say = words.safety\nsay(item.label)", []),
        ('words.safety("Call now")', []),
    ],
)
def test_the_other_rule_finds_what_it_is_for(source: str, sentences: list[str]) -> None:
    assert spoken_by_another_name(source) == sentences
