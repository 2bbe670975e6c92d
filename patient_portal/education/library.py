"""The pages on the shelf, read once and checked: a page with a fault stops the start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from patient_portal.words.blocks import PageError, Section, parse_page

FOLDER = Path(__file__).resolve().parent / "pages"
AWAITING = "awaiting clinical review"
REVIEWED = "reviewed"
# Medicine codes of the check-in; a page that speaks of medicines speaks of each of them.
MEDICINES = (
    "atra",
    "ato",
    "atra_ato",
    "ivosidenib",
    "enasidenib",
    "olutasidenib",
    "gilteritinib",
    "midostaurin",
    "quizartinib",
    "revumenib",
    "ziftomenib",
    "unknown",
)
_TEXTS = {"title", "summary", "state"}
_REVIEW = {"reviewer", "reviewed_on", "next_review"}
_KEYS = _TEXTS | _REVIEW | {"order", "changed_on", "sources"}


class PageFault(ValueError):
    """A page that must not be shown: file, line and reason."""


@dataclass(frozen=True)
class Source:
    """Where a page's facts come from; `address` is empty for a source in print."""

    title: str
    publisher: str
    year: int | None
    address: str


@dataclass(frozen=True)
class Page:
    """One education page in English. Its sentences are msgids of the domain `learn`."""

    slug: str
    title: str
    summary: str
    order: int
    changed_on: date
    reviewer: str | None
    reviewed_on: date | None
    next_review: date | None
    sources: tuple[Source, ...]
    sections: tuple[Section, ...]

    @property
    def is_reviewed(self) -> bool:
        """Whether a clinician has signed the page."""
        return self.reviewed_on is not None

    @property
    def is_about_medicines(self) -> bool:
        """Whether parts of the page depend on the medicine."""
        return any(section.codes for section in self.sections)

    def sections_for(self, medicine: str | None) -> tuple[Section, ...]:
        """Return the sections for one medicine, those of `unknown` if it has none."""
        code = medicine if medicine in MEDICINES else "unknown"
        return tuple(s for s in self.sections if not s.codes or code in s.codes)

    def is_overdue(self, today: date) -> bool:
        """Whether the review has run out."""
        return self.next_review is not None and self.next_review < today


@lru_cache(maxsize=1)
def pages() -> Mapping[str, Page]:
    """Return every page by its slug, in reading order. Raises PageFault."""
    return load(FOLDER)


def page(slug: str) -> Page | None:
    """Return the page of that slug, or None."""
    return pages().get(slug)


def load(folder: Path) -> Mapping[str, Page]:
    """Read and check the pages of a folder. Raises PageFault with file, line and reason."""
    found = [_read(path) for path in sorted(folder.glob("*.md"))]
    return {page.slug: page for page in sorted(found, key=lambda page: page.order)}


def _read(path: Path) -> Page:
    try:
        parsed = parse_page(path.read_text("utf-8"))
    except PageError as error:
        raise PageFault(f"{path.name}:{error.line}: {error.reason}") from None
    for reason in (*_front_faults(parsed.front), *_medicine_faults(parsed.sections)):
        raise PageFault(f"{path.name}: {reason}")
    front = parsed.front
    return Page(
        slug=path.stem,
        title=front["title"],
        summary=front["summary"],
        order=front["order"],
        changed_on=front["changed_on"],
        reviewer=front.get("reviewer"),
        reviewed_on=front.get("reviewed_on"),
        next_review=front.get("next_review"),
        sources=tuple(
            Source(entry["title"], entry["publisher"], entry.get("year"), entry.get("address", ""))
            for entry in front["sources"]
        ),
        sections=parsed.sections,
    )


def _front_faults(front: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(front.keys() - _KEYS):
        yield f"unknown key {key!r}"
    for key in sorted((_KEYS - _REVIEW) - front.keys()):
        yield f"{key!r} is missing"
    if any(not isinstance(front.get(key), str) or not front[key].strip() for key in _TEXTS):
        yield f"{sorted(_TEXTS)} must be texts"
    elif not front["title"].endswith("?"):
        yield "the title must be a question"
    if type(front.get("changed_on")) is not date or not isinstance(front.get("order"), int):
        yield "changed_on must be a date and order a number"
    yield from _source_faults(front.get("sources"))
    yield from _review_faults(front)


def _source_faults(sources: object) -> Iterator[str]:
    if not isinstance(sources, list) or not sources:
        yield "a page names its sources"
        return
    for entry in sources:
        if not isinstance(entry, dict) or not {"title", "publisher"} <= entry.keys():
            yield "a source has a title and a publisher"
        elif not str(entry.get("address", "https://")).startswith("https://"):
            yield f"the address of {entry['title']!r} does not begin with https://"


def _review_faults(front: Mapping[str, Any]) -> Iterator[str]:
    given = _REVIEW & front.keys()
    if front.get("state") == AWAITING and given:
        yield f"{sorted(given)} given, but nobody has reviewed the page"
    elif front.get("state") == REVIEWED and given != _REVIEW:
        yield f"reviewed, but {sorted(_REVIEW - given)} are missing"
    elif front.get("state") not in (AWAITING, REVIEWED):
        yield f"state is {AWAITING!r} or {REVIEWED!r}"
    for key in given - {"reviewer"}:
        if type(front[key]) is not date:
            yield f"{key} must be a date"


def _medicine_faults(sections: tuple[Section, ...]) -> Iterator[str]:
    named = [code for section in sections for code in section.codes]
    if any(section.codes and section.blocks[0].kind != "heading" for section in sections):
        yield "a medicine section begins with a heading that names the medicine"
    for code in named:
        if code not in MEDICINES:
            yield f"{code!r} is no medicine of the check-in"
        elif named.count(code) > 1:
            yield f"{code!r} has two sections"
    if named and set(named) < set(MEDICINES):
        yield f"no section for {sorted(set(MEDICINES) - set(named))}"
