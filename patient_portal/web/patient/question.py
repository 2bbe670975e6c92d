"""One page of the check-in, rendered: question, answers, what was typed, what to mend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from flask import render_template, request, url_for

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import KG_PER_LB, OTHER_UNIT, Measure
from patient_portal.domain.pages import (
    FIRST,
    OTHER,
    STEPS,
    STEROID,
    Page,
    Progress,
    page_before,
    pages,
    slug_of,
)
from patient_portal.domain.protocol import USUAL, Item, Protocol
from patient_portal.domain.steroid import SteroidTablets
from patient_portal.domain.triage import Course, triage
from patient_portal.web.context import portal
from patient_portal.web.language import current_words
from patient_portal.web.patient import form_in_hand
from patient_portal.web.patient.form_in_hand import FormInHand
from patient_portal.web.patient.number_words import Fields, shown
from patient_portal.web.patient.posted import Posted
from patient_portal.words import mark_safety

# The whole numbers to tap: from below the last weight to above it, in its unit.
_AROUND = {"kg": (3, 5), "lb": (6, 11)}
_WHOLE_DEGREES = {"c": range(35, 41), "f": range(95, 106)}
_TEMPLATES = {
    FIRST: "patient/check_in/red_flags.html",
    OTHER: "patient/check_in/other.html",
    "temperature": "patient/check_in/temperature.html",
    "weight": "patient/check_in/weight.html",
    STEROID: "patient/check_in/steroid.html",
}
STEROID_WORDS: Mapping[SteroidTablets, str] = {
    SteroidTablets.NONE: mark_safety("No steroid tablets"),
    SteroidTablets.SAME: mark_safety("Yes, the same dose, or more"),
    SteroidTablets.LESS: mark_safety("Yes, but less than before"),
    SteroidTablets.NOT_SURE: mark_safety("I am not sure"),
}
CHOICE = "patient/check_in/choice.html"


@dataclass
class Guidance:
    """What to do first, by the posted answers alone. Shown when they could not be stored."""

    level: TriageLevel
    reasons: list[str] = field(default_factory=list)
    line: str = ""
    is_lost: bool = False  # the whole answer could not be kept, whatever it says
    is_unknown_phone: bool = False  # answering again cannot help


def page_named(protocol: Protocol, slug: str) -> Page | None:
    """The page with this name, asked now or not; None if there is no such page."""
    every = pages(protocol, {}, Progress(), steroid=True)
    known = next((page for page in every if page.slug == slug), None)
    if known is not None:
        return known
    for item in protocol.items:
        if slug_of(item.key) == slug and item.step in (*_STEP_NUMBER, "helper"):
            return Page(slug, _STEP_NUMBER.get(item.step, STEPS.index(OTHER) + 1), item.key)
    return None


_STEP_NUMBER = {slug.replace("-", "_"): number for number, slug in enumerate(STEPS, start=1)}


def render(
    page: Page,
    hand: FormInHand | None,
    *,
    posted: Posted | None = None,
    guidance: Guidance | None = None,
    key: str = "",
) -> str:
    """The page of one question. Without ``hand`` (nothing is known) it still asks."""
    protocol = portal().site.protocol
    item = protocol.item(page.item) if page.item else None
    return render_template(
        _TEMPLATES.get(page.slug, CHOICE),
        page=page,
        steps=len(STEPS),
        item=item,
        options=_options(item, hand),
        ticks=protocol.ticks,
        ticked=hand.progress.ticks if hand else (),
        tablets=STEROID_WORDS,
        medicine=protocol.item("fever_medicine_6h"),
        person=person(hand),
        is_helper=hand is not None and hand.is_helper,
        back=_back(page, hand),
        action=url_for("patient.checkin.answer", slug=page.slug, form=_kept_key(hand, key)),
        hidden=hidden(hand, key),
        errors=posted.errors if posted else {},
        fields=request.form if request.method == "POST" else Fields(),
        number=_number(page, hand),
        suggestion=suggestion_of(posted, hand),
        guidance=guidance,
        line=hand.line if hand else form_in_hand.team_line(),
    )


def person(hand: FormInHand | None) -> dict[str, Any] | None:
    """Whose form it is, as far as this phone may show it."""
    if hand is None or not hand.is_recognised:
        return None
    name = hand.patient.first_name
    return {
        "name": f"{name[:1]}." if hand.is_shared else name,
        "year": hand.patient.birth_year,
    }


def hidden(hand: FormInHand | None, key: str = "") -> dict[str, str]:
    """The form's own fields: its key, and until its first answer is kept, its door."""
    if hand is None:
        return {name: request.values.get(name, "")[:64] for name in ("form", "for", "link")}
    found = {"form": key or hand.key}
    if hand.check_in is None or key:
        if hand.link:
            found["link"] = hand.link
        if hand.is_helper:
            found["for"] = hand.patient.id
    return found


def _kept_key(hand: FormInHand | None, key: str) -> str | None:
    """The key for the address, once an answer is kept: a phone may load an error page again."""
    return hand.key if hand is not None and hand.check_in is not None and not key else None


def _options(item: Item | None, hand: FormInHand | None) -> list[Any]:
    if item is None:
        return []
    # "As before" is offered only for what the care team wrote down as long-standing.
    usual = hand.patient.usual if hand is not None and hand.is_recognised else ()
    return [
        option
        for option in item.options
        if option.on_screen and (option.value != USUAL or item.key in usual)
    ]


def _back(page: Page, hand: FormInHand | None) -> str:
    before = page_before(hand.pages, page.slug) if hand is not None and hand.check_in else None
    if before is None or hand is None:
        return url_for("patient.home.show")
    return url_for("patient.checkin.ask", slug=before.slug, form=hand.key)


# ---- numbers


def unit_of(page: Page, hand: FormInHand | None) -> str:
    """The unit this page asks in: as asked for, else as the person measures."""
    kind = page.slug
    asked = request.values.get(f"{kind}_unit") or request.args.get("unit", "")
    allowed = ("c", "f") if kind == "temperature" else ("kg", "lb")
    if asked in allowed:
        return asked
    if hand is None:
        return allowed[0]
    own = hand.patient.temperature_unit if kind == "temperature" else hand.patient.weight_unit
    return own if own in allowed else allowed[0]


def _number(page: Page, hand: FormInHand | None) -> dict[str, Any]:
    if page.slug not in ("temperature", "weight"):
        return {}
    unit = unit_of(page, hand)
    whole = list(_WHOLE_DEGREES[unit]) if page.slug == "temperature" else _near(hand, unit)
    other = OTHER_UNIT[unit]
    key = hand.key if hand else request.values.get("form", "")[:64]
    return {
        "unit": unit,
        "whole": whole,
        "other_unit": other,
        "switch": url_for("patient.checkin.ask", slug=page.slug, form=key, unit=other),
        "is_typed": not whole,
    }


def _near(hand: FormInHand | None, unit: str) -> list[int]:
    """Whole numbers around the last weight; none where earlier numbers may not be shown."""
    if hand is None or not hand.may_see or hand.last_weight is None:
        return []
    last = in_unit(hand.last_weight, unit)
    whole = int(last.to_integral_value(ROUND_FLOOR))
    below, above = _AROUND[unit]
    return list(range(whole - below, whole + above + 1))


def in_unit(measure: Measure, unit: str) -> Decimal:
    """A weight's number in another unit, for showing and for keys; rules never use it."""
    if measure.unit == unit:
        return measure.value
    if unit == "lb":
        return (measure.value / KG_PER_LB).quantize(Decimal("0.1"))
    return (measure.value * KG_PER_LB).quantize(Decimal("0.1"))


def suggestion_of(posted: Posted | None, hand: FormInHand | None) -> dict[str, str] | None:
    if posted is None or posted.suggestion is None:
        return None
    meant = posted.suggestion
    text = shown(meant, hand.asker) if hand is not None else f"{meant.value} {meant.unit}"
    return {"value": f"{meant.value} {meant.unit}", "text": text}


# ---- guidance


def guidance_for(posted: Posted | None, line: str, *, is_lost: bool = False) -> Guidance:
    """What the posted answers alone call for: the worst of them, medicine and day unknown.

    An unknown medicine has every rule of every medicine, and an unknown day counts as early. What
    earlier check-ins would add is not known here: the stored answers may come out higher.
    """
    protocol = portal().site.protocol
    course = Course(drug="unknown")
    worst, reasons = TriageLevel.NONE, dict[str, None]()
    for answers in posted.meant if posted else []:
        result = triage(protocol, answers, course)
        worst = max(worst, result.level)
        reasons.update(dict.fromkeys(r.text for r in result.reasons if r.level.is_red and r.text))
    say = current_words().safety
    return Guidance(worst, [say(text) for text in reasons], line, is_lost)
