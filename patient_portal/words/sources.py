"""Find every sentence in the sources: code, templates, protocols and education pages."""

import ast
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2.ext import babel_extract

from patient_portal.words.blocks import TRANSLATED_KEYS, parse_page

# Function name -> (domain, number of sentences it takes).
KEYWORDS = {
    "safety": ("safety", 1),
    "nsafety": ("safety", 2),
    "mark_safety": ("safety", 1),
    "_": ("messages", 1),
    "gettext": ("messages", 1),
    "ngettext": ("messages", 2),
    "message": ("messages", 1),
    "nmessage": ("messages", 2),
    "mark_message": ("messages", 1),
    "learn": ("learn", 1),
    "nlearn": ("learn", 2),
    "mark_learn": ("learn", 1),
}
# Keys of a protocol file whose strings a person reads.
PROTOCOL_KEYS = frozenset({"question", "hint", "label", "patient", "staff", "say", "say_unsure"})
# A comment that begins so goes to the translator.
NOTE = "Translators:"


@dataclass(frozen=True)
class Sentence:
    """One msgid with its plural if it has one, and where it stands."""

    domain: str
    msgid: str
    plural: str | None
    path: str
    note: str | None = None


class NotLiteral(ValueError):
    """A sentence that is put together at run time and so cannot be translated."""


def find_sentences(root: Path) -> Iterator[Sentence]:
    """Yield every sentence of the checkout at `root`, file by file, in the order of reading.

    Raises NotLiteral with file and line for an f-string or a sum inside a marking call.
    """
    package = root / "patient_portal"
    for path in sorted(package.glob("protocols/*.toml")):
        yield from _in_protocol(path, _name(path, root))
    for path in sorted((root / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt", ".webmanifest"):
            yield from _in_template(path, _name(path, root))
    for path in sorted(package.rglob("*.py")):
        yield from _in_python(path, _name(path, root))
    for path in sorted(package.glob("education/pages/*.md")):
        yield from _in_page(path, _name(path, root))


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _in_python(path: Path, name: str) -> Iterator[Sentence]:
    source = path.read_text("utf-8")
    lines = source.splitlines()
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        function = call.func
        called = function.id if isinstance(function, ast.Name) else ""
        called = function.attr if isinstance(function, ast.Attribute) else called
        if called not in KEYWORDS or not call.args:
            continue
        domain, count = KEYWORDS[called]
        texts = [_literal(node, name) for node in call.args[:count]]
        if len(texts) == count and all(texts):
            plural = texts[1] if count == 2 else None
            yield Sentence(domain, str(texts[0]), plural, name, _note_above(lines, call.lineno))


def _literal(node: ast.expr, name: str) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        raise NotLiteral(f"{name}:{node.lineno}: put values into %(name)s placeholders")
    return None


def _note_above(lines: list[str], lineno: int) -> str | None:
    found: list[str] = []
    for line in reversed(lines[: lineno - 1]):
        text = line.strip()
        if not text.startswith("#"):
            return None
        found.insert(0, text.lstrip("# "))
        if found[0].startswith(NOTE):
            return " ".join(found)
    return None


def _in_template(path: Path, name: str) -> Iterator[Sentence]:
    options: dict[str, Any] = {
        "trimmed": "true",
        "silent": "false",
        "extensions": "jinja2.ext.do,jinja2.ext.loopcontrols",
    }
    with path.open("rb") as stream:
        for _line, called, message, comments in babel_extract(
            stream, list(KEYWORDS), [NOTE], options
        ):
            domain, count = KEYWORDS[called]
            given = message if isinstance(message, tuple) else (message,)
            texts = [text for text in given[:count] if text]
            if len(texts) == count:
                plural = texts[1] if count == 2 else None
                note = " ".join(comments) or None
                yield Sentence(domain, texts[0], plural, name, note)


def _in_protocol(path: Path, name: str) -> Iterator[Sentence]:
    with path.open("rb") as stream:
        for text in _protocol_texts(tomllib.load(stream)):
            yield Sentence("safety", text, None, name)


def _protocol_texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in PROTOCOL_KEYS and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _protocol_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _protocol_texts(inner)


def _in_page(path: Path, name: str) -> Iterator[Sentence]:
    page = parse_page(path.read_text("utf-8"))
    for key in TRANSLATED_KEYS:
        yield Sentence("learn", str(page.front[key]), None, name)
    for section in page.sections:
        for block in section.blocks:
            yield Sentence("learn", block.text, None, name)


def by_domain(sentences: Iterable[Sentence], domain: str) -> list[Sentence]:
    """Return the sentences of one domain."""
    return [sentence for sentence in sentences if sentence.domain == domain]
