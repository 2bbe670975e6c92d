"""Every sentence is found: in code, templates, the protocol and pages."""

from pathlib import Path

import pytest

from patient_portal.words.blocks import PageError, parse_page
from patient_portal.words.sources import NotLiteral, Sentence, find_sentences


def put(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def found(root: Path) -> list[tuple[str, str, str | None]]:
    return [(each.domain, each.msgid, each.plural) for each in find_sentences(root)]


def test_code(tmp_path: Path) -> None:
    put(
        tmp_path,
        "patient_portal/sms/texts.py",
        'words.safety("Call %(n)s", n=words.message("now"))\n'
        'A = mark_safety("Long "\n    "sentence")\n'
        'nmessage("%(n)s day", "%(n)s days", 3)\n'
        'words.safety(rule.text)\nlearn("Cells")\nother("no")\n'
        "# Translators: said to a dispatcher,\n# keep it short\n"
        'words.safety("Help")\n',
    )
    assert found(tmp_path) == [
        ("safety", "Call %(n)s", None),
        ("messages", "now", None),
        ("safety", "Long sentence", None),
        ("messages", "%(n)s day", "%(n)s days"),
        ("learn", "Cells", None),
        ("safety", "Help", None),
    ]
    notes = [each.note for each in find_sentences(tmp_path) if each.note]
    assert notes == ["Translators: said to a dispatcher, keep it short"]


@pytest.mark.parametrize("argument", ['f"Call {x}"', '"Call " + x', '"Call %s" % x'])
def test_a_sentence_put_together_is_refused(tmp_path: Path, argument: str) -> None:
    put(tmp_path, "patient_portal/a.py", f"\nwords.safety({argument})\n")
    with pytest.raises(NotLiteral, match=r"patient_portal/a\.py:2"):
        list(find_sentences(tmp_path))


def test_templates(tmp_path: Path) -> None:
    put(
        tmp_path,
        "templates/patient/a.html",
        '{{ safety("Call %(n)s", n=1) }} {{ _("Back") }} {{ ngettext("one", "many", 2) }}'
        "{% trans name=x %}\n  Hello\n  {{ name }}\n{% endtrans %}{{ safety(rule.text) }}"
        '{{ learn("Cells") }}{{ nsafety("a", "b", 2) }}',
    )
    assert found(tmp_path) == [
        ("safety", "Call %(n)s", None),
        ("messages", "Back", None),
        ("messages", "one", "many"),
        ("messages", "Hello %(name)s", None),
        ("learn", "Cells", None),
        ("safety", "a", "b"),
    ]


def test_the_protocol(tmp_path: Path) -> None:
    put(
        tmp_path,
        "patient_portal/protocols/x.toml",
        'id = "x"\n[[items]]\nkey = "cough"\nquestion = "Cough?"\nhint = ""\n'
        '[[items.options]]\nvalue = "none"\nlabel = "No"\n',
    )
    assert found(tmp_path) == [("safety", "Cough?", None), ("safety", "No", None)]


PAGE = """+++
title = "Why?"
summary = "Because."
+++
First **bold**
line.

::: emergency
## Call %(emergency_number)s
- one
- two
:::

::: medicine atra ato
1. step
:::
last
"""


def test_pages(tmp_path: Path) -> None:
    put(tmp_path, "patient_portal/education/pages/x.md", PAGE)
    texts = ["Why?", "Because.", "First **bold** line.", "Call %(emergency_number)s"]
    texts += ["one", "two", "step", "last"]
    path = "patient_portal/education/pages/x.md"
    assert list(find_sentences(tmp_path)) == [Sentence("learn", t, None, path) for t in texts]


def test_sections_of_a_page() -> None:
    sections = parse_page(PAGE).sections
    assert [section.kind for section in sections] == ["text", "emergency", "medicine", "text"]
    assert sections[2].codes == ("atra", "ato")
    assert [block.kind for block in sections[1].blocks] == ["heading", "item", "item"]


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("# one", 3, "heading_open"),
        ("a\n\n::: foo\nx\n:::", 5, "no kind of section"),
        ("::: medicine\nx\n:::", 3, "names its medicines"),
        ("::: urgent atra\nx\n:::", 3, "names its medicines"),
        ("::: urgent\nx", 3, "no end"),
        ("::: urgent\n:::", 3, "empty"),
        ("::: urgent\nx\n::: urgent", 5, "opens inside"),
        (":::", 3, "ends twice"),
        ("- a\n  - b", 4, "inside lists"),
        ("> quote", 3, "blockquote"),
        ("x\n\n---", 5, "hr"),
        ("    code", 3, ""),
    ],
)
def test_what_cannot_be_translated_is_refused(body: str, line: int, reason: str) -> None:
    if body.startswith("    "):
        assert parse_page(f"+++\n+++\n{body}").sections[0].blocks[0].kind == "paragraph"
        return
    with pytest.raises(PageError) as caught:
        parse_page(f"+++\n+++\n{body}")
    assert (caught.value.line, reason in caught.value.reason) == (line, True)


@pytest.mark.parametrize("text", ["", "text", "+++\n", "+++\ntitle =\n+++"])
def test_front_matter_is_needed(text: str) -> None:
    with pytest.raises(PageError):
        parse_page(text)
