"""A page in the reader's language: each block looked up by itself, made safe HTML.

A block that is not translated stands in English and says so, so that a reader never loses a
paragraph.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import nh3
from markupsafe import Markup, escape

from patient_portal.education.library import Page
from patient_portal.words import Words
from patient_portal.words.blocks import Block, Section, markdown

# Stand for the values of placeholders while Markdown is read; nobody types these.
_OPEN, _CLOSE = "\ue000", "\ue001"


@dataclass(frozen=True)
class ReadableBlock:
    """One block as HTML. `is_english`: not translated yet."""

    html: Markup
    is_english: bool


@dataclass(frozen=True)
class Group:
    """Neighbouring blocks of a kind: one heading, one paragraph, or the rows of a list."""

    kind: str
    blocks: tuple[ReadableBlock, ...]


@dataclass(frozen=True)
class ReadableSection:
    """A section with its groups; `kind` chooses its look."""

    kind: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class ReadablePage:
    """A page ready for a template."""

    title: ReadableBlock
    sections: tuple[ReadableSection, ...]

    @property
    def has_english(self) -> bool:
        """Whether a part of it is not translated yet."""
        blocks = (b for s in self.sections for group in s.groups for b in group.blocks)
        return self.title.is_english or any(block.is_english for block in blocks)


def readable(
    page: Page, words: Words, *, medicine: str | None, values: Mapping[str, object]
) -> ReadablePage:
    """Translate and render a page for a reader who takes `medicine`.

    `values` fill the placeholders of the page (`emergency_number`); they are escaped unless
    they are Markup.
    """
    sections = tuple(
        ReadableSection(section.kind, tuple(_groups(section, words, values)))
        for section in page.sections_for(medicine)
    )
    return ReadablePage(text(page.title, words, values), sections)


@dataclass(frozen=True)
class MedicineName:
    """A medicine a page speaks of, named as its section is headed."""

    code: str
    name: ReadableBlock


def medicine_names(page: Page, words: Words) -> list[MedicineName]:
    """Return the medicines a reader of the page can choose from, in the order of the page."""
    return [
        MedicineName(section.codes[0], text(section.blocks[0].text, words, {}))
        for section in page.sections
        if section.codes
    ]


def _groups(section: Section, words: Words, values: Mapping[str, object]) -> Iterator[Group]:
    rows: list[ReadableBlock] = []
    kind = ""
    for block in section.blocks:
        if rows and (block.kind != kind or kind not in ("item", "step")):
            yield Group(kind, tuple(rows))
            rows = []
        kind = block.kind
        rows.append(_block(block, words, values))
    yield Group(kind, tuple(rows))


def _block(block: Block, words: Words, values: Mapping[str, object]) -> ReadableBlock:
    return text(block.text, words, values)


def text(msgid: str, words: Words, values: Mapping[str, object]) -> ReadableBlock:
    """Translate one block and make it HTML; nothing but bold can be in it."""
    names = list(values)
    marks = {name: f"{_OPEN}{number}{_CLOSE}" for number, name in enumerate(names)}
    html = _inline(words.translate("learn", msgid, dict(marks)))
    for number, name in enumerate(names):
        html = html.replace(f"{_OPEN}{number}{_CLOSE}", str(escape(values[name])))
    is_english = words.language != "en" and words.find("learn", msgid) is None
    return ReadableBlock(Markup(html), is_english)  # noqa: S704 - cleaned in _inline


@lru_cache(maxsize=4096)
def _inline(source: str) -> str:
    html = str(markdown().renderInline(source))
    return nh3.clean(html, tags={"strong", "em"}, attributes={})
