"""Which pages a check-in has, in which order, and which one comes next.

Pages follow from the answers given so far: a new shortness of breath adds a question, a tick adds
its grading questions. Nothing is stored by looking, so Back, reload and sending twice are harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from patient_portal.domain.protocol import NOT_MEASURED, NOT_SURE, Item, Protocol, Tick

STEPS = ("red-flags", "breathing", "swelling", "other", "temperature", "weight", "send")
SEND = "send"
OTHER = "other"
STEROID = "steroid"  # once a week, after everything else
FIRST = STEPS[0]
# The items that the main pages ask; every other page asks the one item it is named after.
_MAIN_ITEM = {
    "red-flags": "red_flags",
    "breathing": "breathlessness",
    "swelling": "swelling",
    "temperature": "temperature",
    "weight": "weight",
}
_FEVER = ("felt_feverish", "chills")
_FEVER_TICK = "felt_feverish"
_FEVER_MEDICINE = "fever_medicine_6h"
_HELPER_EARLY = "confusion"
_HELPER_LATE = "caregiver_very_worried"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its name in the address, the number of its step, and the item it asks first."""

    slug: str
    step: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What was answered so far: pages that were answered, and the rows that were ticked."""

    done: tuple[str, ...] = ()
    ticks: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: Mapping[str, object]) -> Progress:
        """Progress as it is stored with a check-in."""
        done, ticks = kept.get("done"), kept.get("ticks")
        return cls(
            tuple(map(str, done)) if isinstance(done, list) else (),
            tuple(map(str, ticks)) if isinstance(ticks, list) else (),
        )


def slug_of(key: str) -> str:
    """The page that asks an item of its own."""
    return key.replace("_", "-")


def pages(
    protocol: Protocol,
    answers: Mapping[str, object],
    progress: Progress,
    *,
    helper: bool = False,
    steroid: bool = False,
) -> list[Page]:
    """Every page of this check-in as far as it is known now; the last one sends.

    `helper` asks a helper's two questions too, `steroid` that of the week.
    """
    found: list[Page] = []
    for number, slug in enumerate(STEPS, start=1):
        if slug == SEND:
            found += [Page(STEROID, number - 1)] if steroid else []
            found.append(Page(SEND, number))
            continue
        found.append(Page(slug, number, _MAIN_ITEM.get(slug, "")))
        keys = _further(protocol, slug, answers, progress, helper=helper)
        found.extend(Page(slug_of(key), number, key) for key in keys)
    return found


def _further(
    protocol: Protocol,
    slug: str,
    answers: Mapping[str, object],
    progress: Progress,
    *,
    helper: bool,
) -> list[str]:
    """The items that the answer to a main page makes us ask."""
    if slug == FIRST:
        return [_HELPER_EARLY] if helper else []
    if slug == OTHER:
        ticked = [tick for tick in protocol.ticks if tick.value in progress.ticks]
        keys = [key for tick in ticked if not answers_itself(protocol, tick) for key in tick.items]
        return [*keys, _HELPER_LATE] if helper else keys
    keys = [item.key for item in followers(protocol, _MAIN_ITEM[slug]) if _is_asked(item, answers)]
    if slug == "temperature" and answers.get("temperature") == NOT_MEASURED:
        keys += _FEVER if _FEVER_TICK not in progress.ticks else ()
    elif slug == "temperature" and "temperature" in answers:
        # The page asks both at once; whoever sent the reading alone is asked for the rest.
        asked = _FEVER_MEDICINE not in answers or slug_of(_FEVER_MEDICINE) in progress.done
        keys += [_FEVER_MEDICINE] if asked else []
    return keys


def answers_itself(protocol: Protocol, tick: Tick) -> bool:
    """Whether the tick says all there is to say: its one question could only repeat it."""
    return len(tick.items) == 1 and protocol.item(tick.items[0]).kind == "flag"


def followers(protocol: Protocol, key: str) -> list[Item]:
    """The items that are asked only after certain answers to this one."""
    return [item for item in protocol.items if item.follows and item.follows.item == key]


def _is_asked(item: Item, answers: Mapping[str, object]) -> bool:
    follows = item.follows
    return follows is not None and answers.get(follows.item) in follows.values


def no_longer_asked(protocol: Protocol, key: str, value: object) -> list[str]:
    """The followers of ``key`` that this answer to it makes pointless."""
    return [item.key for item in followers(protocol, key) if not _is_asked(item, {key: value})]


def ticked(protocol: Protocol, ticks: Sequence[str]) -> dict[str, object]:
    """What ticks say before they are graded: "not sure", which counts as the mildest positive."""
    rows = [tick for tick in protocol.ticks if tick.value in ticks]
    return {tick.items[0]: True if answers_itself(protocol, tick) else NOT_SURE for tick in rows}


def unticked(protocol: Protocol, ticks: Sequence[str]) -> list[str]:
    """The items whose row is not ticked."""
    return [key for tick in protocol.ticks if tick.value not in ticks for key in tick.items]


def next_page(listed: Sequence[Page], progress: Progress) -> Page:
    """The first page that nobody has answered yet; the sending page when all are."""
    return next((page for page in listed if page.slug not in progress.done), listed[-1])


def page_before(listed: Sequence[Page], slug: str) -> Page | None:
    """The page that Back leads to; None before the first."""
    for before, page in pairwise(listed):
        if page.slug == slug:
            return before
    return None


def missing(listed: Sequence[Page], progress: Progress) -> list[Page]:
    """The pages that still need an answer before the check-in can be sent."""
    return [page for page in listed if page.slug != SEND and page.slug not in progress.done]
