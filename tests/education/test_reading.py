"""Blocks are translated one by one, and nothing a translator writes becomes HTML."""

from pathlib import Path

import pytest
from markupsafe import Markup

from patient_portal.education import Page, load, readable
from patient_portal.education.reading import text
from patient_portal.words import Words
from tests.support.catalogs import write_catalog

PAGE = """+++
title = "Why?"
summary = "Because."
order = 1
state = "awaiting clinical review"
changed_on = 2026-11-20
sources = [{ title = "A study", publisher = "A journal" }]
+++
First **bold**.

- one
- two

## Call %(emergency_number)s

Last.
"""
NUMBER = {"emergency_number": Markup("<bdi>911</bdi>")}


@pytest.fixture
def found(tmp_path: Path) -> Page:
    (tmp_path / "why.md").write_text(PAGE, encoding="utf-8")
    return load(tmp_path)["why"]


def shown(page: Page, words: Words) -> list[str]:
    read = readable(page, words, medicine=None, values=NUMBER)
    return [str(b.html) for s in read.sections for g in s.groups for b in g.blocks]


def test_english(found: Page) -> None:
    first = "First <strong>bold</strong>."
    assert shown(found, Words("en")) == [first, "one", "two", "Call <bdi>911</bdi>", "Last."]
    read = readable(found, Words("en"), medicine=None, values=NUMBER)
    assert not read.has_english
    groups = read.sections[0].groups
    assert [g.kind for g in groups] == ["paragraph", "item", "heading", "paragraph"]


def test_a_missing_block_is_english_and_says_so(found: Page, tmp_path: Path) -> None:
    texts = {"Why?": "¿Por qué?", "one": "uno", "Last.": "Final."}
    write_catalog(tmp_path, "es", "learn", texts)
    read = readable(found, Words("es", tmp_path), medicine=None, values=NUMBER)
    blocks = [b for s in read.sections for g in s.groups for b in g.blocks]
    assert [b.is_english for b in blocks] == [True, False, True, True, False]
    assert read.has_english
    assert not read.title.is_english


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<b onclick=x>y</b>", "&lt;b onclick=x&gt;y&lt;/b&gt;"),
        ("[x](javascript:y)", "[x](javascript:y)"),
        ("![x](https://y)", "![x](https://y)"),
        ("<https://y.example>", "&lt;https://y.example&gt;"),
        ("a & b **c**", "a &amp; b <strong>c</strong>"),
        ("&lt;i&gt;", "&lt;i&gt;"),
    ],
)
def test_a_translation_cannot_become_a_tag(tmp_path: Path, written: str, html: str) -> None:
    write_catalog(tmp_path, "es", "learn", {"one": written})
    assert str(text("one", Words("es", tmp_path), {}).html) == html


def test_a_value_is_escaped_unless_it_is_markup() -> None:
    block = text("Call %(n)s or %(m)s", Words("en"), {"n": "<1>", "m": Markup("<bdi>2</bdi>")})
    assert str(block.html) == "Call &lt;1&gt; or <bdi>2</bdi>"


def test_a_broken_placeholder_reads_in_english(tmp_path: Path) -> None:
    call = "Call %(emergency_number)s"
    write_catalog(tmp_path, "es", "learn", {call: "Llame al %(numero)s"})
    assert str(text(call, Words("es", tmp_path), NUMBER).html) == "Call <bdi>911</bdi>"
