"""Check and send: every answer in words, each with a way to change it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import render_template, url_for

from patient_portal.domain.measures import Measure
from patient_portal.domain.pages import OTHER, SEND, STEPS, STEROID, Page, missing
from patient_portal.domain.protocol import NOT_MEASURED, Item
from patient_portal.domain.triage import measure
from patient_portal.web.context import portal
from patient_portal.web.language import current_words
from patient_portal.web.patient import question
from patient_portal.web.patient.form_in_hand import FormInHand
from patient_portal.web.patient.number_words import shown
from patient_portal.words import format_number, mark_safety

_FEVER_MEDICINE = "fever_medicine_6h"
LABELS = {
    "red-flags": mark_safety("Emergency signs"),
    "breathing": mark_safety("Breathing"),
    "swelling": mark_safety("Swelling"),
    "other": mark_safety("Anything else"),
    "temperature": mark_safety("Temperature"),
    "weight": mark_safety("Weight"),
    STEROID: mark_safety("Steroid tablets"),
}


@dataclass
class Line:
    """One step: its name, what was answered in words, and where to change it."""

    slug: str
    label: str
    answers: list[str] = field(default_factory=list)
    address: str = ""
    is_missing: bool = False


def render(hand: FormInHand, *, is_refused: bool = False) -> str:
    """The page that sends. ``is_refused``: it was sent with questions left open."""
    listed = hand.pages
    left = missing(listed, hand.progress)
    return render_template(
        "patient/check_in/send.html",
        page=listed[-1],
        steps=len(STEPS),
        person=question.person(hand),
        is_helper=hand.is_helper,
        lines=_lines(hand, listed, left),
        first_missing=url_for("patient.checkin.ask", slug=left[0].slug, form=hand.key)
        if left
        else "",
        is_refused=is_refused,
        action=url_for("patient.checkin.answer", slug=SEND, form=hand.key),
        hidden=question.hidden(hand),
        back=url_for("patient.checkin.ask", slug=listed[-2].slug, form=hand.key),
        line=hand.line,
    )


def _lines(hand: FormInHand, listed: list[Page], left: list[Page]) -> list[Line]:
    say = current_words().safety
    found = []
    for number, slug in enumerate(STEPS[:-1], start=1):
        line = _line(hand, slug)
        for page in listed:
            if page.slug == STEROID:
                continue  # a line of its own, below
            # The pill for fever stands beside the temperature.
            is_shown = page.slug in hand.progress.done and page.item != _FEVER_MEDICINE
            if page.step == number and is_shown:
                line.answers.extend(_in_words(page, hand))
        line.is_missing = any(page.step == number and page.slug != STEROID for page in left)
        found.append(line)
    if hand.asks_steroid:
        line = _line(hand, STEROID)
        told = hand.check_in.steroid if hand.check_in else None
        line.answers = [say(question.STEROID_WORDS[told])] if told else []
        line.is_missing = not told
        found.append(line)
    return found


def _line(hand: FormInHand, slug: str) -> Line:
    label = current_words().safety(LABELS[slug])
    return Line(slug, label, address=url_for("patient.checkin.ask", slug=slug, form=hand.key))


def _in_words(page: Page, hand: FormInHand) -> list[str]:
    say, protocol = current_words().safety, portal().site.protocol
    answers = hand.check_in.answers if hand.check_in else {}
    if page.slug == OTHER:
        if not hand.progress.ticks:
            return [current_words().safety("No, nothing new")]
        graded = {page.item for page in hand.pages if page.slug in hand.progress.done}
        rows = [tick for tick in protocol.ticks if tick.value in hand.progress.ticks]
        return [say(tick.label) for tick in rows if tick.items[0] not in graded]
    item = protocol.item(page.item)
    if item.kind in ("temperature", "weight"):
        return _number_in_words(item, answers, hand)
    value = answers.get(item.key)
    values = value if isinstance(value, list) else [value]
    texts = [say(item.option(one).label) for one in values if one is not None]
    is_main = page.slug in STEPS
    return texts if is_main else [f"{say(item.label)}: {text}" for text in texts]


def _number_in_words(item: Item, answers: dict[str, Any], hand: FormInHand) -> list[str]:
    words = current_words()
    value = answers.get(item.key)
    if value is None:
        return []
    if value == NOT_MEASURED:
        return [words.safety(item.option(NOT_MEASURED).label)]
    unit = str(answers.get(f"{item.key}_unit"))
    found = measure(item.key, value, unit, ("c", "f", "kg", "lb"))
    texts = [shown(found, hand.asker)]
    medicine = answers.get(_FEVER_MEDICINE)
    if item.key == "temperature" and medicine is not None:
        texts.append(
            words.safety("No pill for fever, pain or a cold")
            if medicine is False
            else words.safety("A pill for fever, pain or a cold, or not sure")
        )
    if item.key == "weight" and hand.may_see and hand.last_weight is not None:
        texts.append(change_in_words(found, hand.last_weight, hand.patient.country))
    return texts


def change_in_words(now: Measure, before: Measure, country: str) -> str:
    """The change since the last weight, in the unit of the new one."""
    words = current_words()
    change = now.value - question.in_unit(before, now.unit)
    size = format_number(abs(change), words.language, country, 1)
    if not abs(change) >= Decimal("0.05"):
        return words.safety("The same as last time")
    if now.unit == "kg":
        if change > 0:
            return words.safety("%(number)s kg more than last time", number=size)
        return words.safety("%(number)s kg less than last time", number=size)
    if change > 0:
        return words.safety("%(number)s lb more than last time", number=size)
    return words.safety("%(number)s lb less than last time", number=size)
