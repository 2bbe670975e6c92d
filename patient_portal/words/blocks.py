"""Cut an education page into blocks: each heading, paragraph and list item is one sentence set.

A page is TOML front matter between two lines of `+++`, then a small part of Markdown:
headings of level two, paragraphs, lists, bold. `::: kind words` opens a section and `:::` ends
it. Anything else is refused, so that nothing on a page can escape translation.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from markdown_it import MarkdownIt

BlockKind = Literal["heading", "paragraph", "item", "step"]
SECTION_KINDS = frozenset({"text", "emergency", "urgent", "remember", "figures", "medicine"})
TRANSLATED_KEYS = ("title", "summary")
_FENCE = re.compile(r"^:::\s*(.*?)\s*$")


class PageError(ValueError):
    """A page that cannot be shown: which line, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Block:
    """One msgid of the domain `learn`, in inline Markdown."""

    kind: BlockKind
    text: str
    line: int


@dataclass(frozen=True)
class Section:
    """Blocks that stand together; `codes` are the medicines a section is about."""

    kind: str
    codes: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class ParsedPage:
    """Front matter and sections, in the order of the file."""

    front: dict[str, Any]
    sections: tuple[Section, ...]


@lru_cache(maxsize=1)
def markdown() -> MarkdownIt:
    """Return the one Markdown reader: no HTML, no links made from text."""
    return MarkdownIt("commonmark", {"html": False}).disable(
        ["html_block", "html_inline", "image", "link", "autolink", "code", "fence", "backticks"]
    )


def parse_page(text: str) -> ParsedPage:
    """Cut the text of a page into front matter and sections. Raises PageError."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "+++":
        raise PageError(1, "a page begins with front matter between two lines of +++")
    try:
        end = next(n for n, line in enumerate(lines[1:], 1) if line.strip() == "+++")
    except StopIteration:
        raise PageError(1, "the front matter has no second line of +++") from None
    try:
        front = tomllib.loads("\n".join(lines[1:end]))
    except tomllib.TOMLDecodeError as error:
        raise PageError(2, f"front matter: {error}") from None
    return ParsedPage(front, tuple(_sections(lines, end + 1)))


def _sections(lines: list[str], start: int) -> Iterator[Section]:
    for opened, words, first, last in _chunks(lines, start):
        kind, codes = (words[0], tuple(words[1:])) if words else ("text", ())
        if kind not in SECTION_KINDS:
            raise PageError(opened, f"{kind!r} is no kind of section")
        if (kind == "medicine") != bool(codes):
            raise PageError(opened, "a medicine section names its medicines, no other does")
        blocks = tuple(_blocks(lines[first:last], first))
        if opened and not blocks:
            raise PageError(opened, f"the section {kind!r} is empty")
        if blocks:
            yield Section(kind, codes, blocks)


def _chunks(lines: list[str], start: int) -> Iterator[tuple[int, list[str], int, int]]:
    opened, words, first = 0, list[str](), start
    for number in range(start, len(lines)):
        fence = _FENCE.match(lines[number])
        if fence is None:
            continue
        given = fence[1].split()
        if bool(given) == bool(opened):
            raise PageError(number + 1, "a section opens inside another or ends twice")
        yield opened, words, first, number
        opened, words, first = (number + 1 if given else 0), given, number + 1
    if opened:
        raise PageError(opened, f"the section {words[0]!r} has no end")
    yield opened, words, first, len(lines)


_LISTS: dict[str, BlockKind] = {"bullet_list_open": "item", "ordered_list_open": "step"}
_LIST_ENDS = frozenset({"bullet_list_close", "ordered_list_close"})
_SILENT = frozenset(
    {"heading_close", "paragraph_open", "paragraph_close", "list_item_open", "list_item_close"}
)


def _blocks(lines: list[str], offset: int) -> Iterator[Block]:
    inside: BlockKind = "paragraph"
    kind: BlockKind = "paragraph"
    line = offset + 1
    for token in markdown().parse("\n".join(lines)):
        line = token.map[0] + offset + 1 if token.map else line
        if token.type in _LISTS:
            if inside != "paragraph":
                raise PageError(line, "lists do not stand inside lists")
            inside = kind = _LISTS[token.type]
        elif token.type in _LIST_ENDS:
            inside = kind = "paragraph"
        elif token.type == "heading_open" and token.tag == "h2" and inside == "paragraph":
            kind = "heading"
        elif token.type == "inline":
            yield Block(kind, " ".join(token.content.split()), line)
            kind = inside
        elif token.type not in _SILENT:
            raise PageError(line, f"{token.type!r} with {token.markup!r} is not used in pages")
