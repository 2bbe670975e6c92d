"""What a page of the check-in posted, read into the protocol's answers without guessing.

Field names and values are the protocol's. What cannot be read is asked again with what was typed
kept; several answers to one question, or a tapped and a typed number that differ, are no answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from patient_portal.domain.answers import AnswerError, value_from_text
from patient_portal.domain.measures import (
    Doubt,
    Measure,
    Reask,
    check_temperature,
    check_weight,
    parse_measure,
    read_measure,
)
from patient_portal.domain.pages import (
    OTHER,
    STEROID,
    Page,
    followers,
    no_longer_asked,
    slug_of,
    ticked,
    unticked,
)
from patient_portal.domain.protocol import NOT_MEASURED, USUAL, Item, Value
from patient_portal.domain.steroid import SteroidTablets, counts_as
from patient_portal.services.checkins import Step
from patient_portal.web.patient.number_words import UNITS, Asker, Fields, out_of_range, why
from patient_portal.web.patient.number_words import values as posted_values

NOTHING_NEW = "none"
_FEVER_MEDICINE = "fever_medicine_6h"
_ON_STEROID = "on_steroid"


@dataclass
class Posted:
    """A page's answer: ``given`` can be stored; ``errors`` (field -> sentence) ask again.

    ``suggestion`` is what an unlikely number may have meant. ``doubt`` marks a number that is
    believable but odd: the person is asked whether it is right.
    """

    page: Page
    given: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    ticks: tuple[str, ...] | None = None
    reopens: list[str] = field(default_factory=list)
    suggestion: Measure | None = None
    doubt: Doubt | None = None
    steroid: SteroidTablets | None = None
    # Every value that was posted and means something, also when it cannot be stored as it is:
    # guidance is given by the worst of them.
    meant: list[dict[str, Any]] = field(default_factory=list)

    @property
    def step(self) -> Step:
        """The answer as the service takes it."""
        return Step(
            self.page.slug, self.given, self.keys, self.defaults, self.ticks, tuple(self.reopens),
            self.steroid,
        )  # fmt: skip


def read(page: Page, fields: Fields, asker: Asker) -> Posted:
    """Read what the page posted. Raises nothing: what is wrong stands in ``errors``."""
    posted = Posted(page)
    if page.slug == OTHER:
        _read_ticks(posted, fields, asker)
    elif page.slug == "red-flags":
        _read_flags(posted, fields, asker)
    elif page.slug == STEROID:
        _read_steroid(posted, fields, asker)
    elif page.slug == "temperature":
        _read_number(posted, fields, asker, "temperature", lambda found: check_temperature(found))
        _read_fever_medicine(posted, fields, asker)
    elif page.slug == "weight":
        _read_number(
            posted, fields, asker, "weight", lambda found: check_weight(found, asker.last_weight)
        )
        _confirm(posted, fields)
    else:
        _read_choice(posted, fields, asker)
    return posted


def _read_flags(posted: Posted, fields: Fields, asker: Asker) -> None:
    item = asker.protocol.item("red_flags")
    values = posted_values(fields, "red_flags")
    known = [value for value in values if value in item.values]
    flags = [value for value in known if value != NOTHING_NEW]
    posted.keys = ["red_flags"]
    if flags:  # "None of these" beside a flag never calms it, nor does a value nobody knows
        posted.given = {"red_flags": flags}
    elif known and len(known) == len(values):
        posted.given = {"red_flags": known}
    else:
        posted.errors["red_flags"] = asker.words.safety(
            "Tap what you have. If you have none of these, tap “No, none of these”."
        )
    posted.meant = [posted.given] if posted.given else []


def _read_steroid(posted: Posted, fields: Fields, asker: Asker) -> None:
    values = posted_values(fields, STEROID)
    if len(values) != 1 or values[0] not in set(SteroidTablets):
        posted.errors[STEROID] = asker.words.safety("Choose one answer.")
        return
    posted.steroid = SteroidTablets(values[0])
    posted.keys = [_ON_STEROID]
    posted.given = {_ON_STEROID: counts_as(posted.steroid)}
    posted.meant = [posted.given]


def _read_choice(posted: Posted, fields: Fields, asker: Asker) -> None:
    key = posted.page.item
    item = asker.protocol.item(key)
    values = posted_values(fields, key)
    found = [value for value in (_value(item, text) for text in values) if value is not None]
    posted.meant = [{key: value} for value in found]
    is_refused = USUAL in found and asker.usual is not None and key not in asker.usual
    if len(values) != 1 or len(found) != 1 or is_refused:
        posted.errors[key] = asker.words.safety("Choose one answer.")
        return
    posted.given = {key: found[0]}
    posted.keys = [key, *no_longer_asked(asker.protocol, key, found[0])]
    gone = {slug_of(one) for one in posted.keys[1:]}
    posted.reopens = sorted(gone & {slug_of(one.key) for one in followers(asker.protocol, key)})


def _value(item: Item, text: str) -> Value | None:
    try:
        return value_from_text(item, text)
    except AnswerError:
        return None


def _read_ticks(posted: Posted, fields: Fields, asker: Asker) -> None:
    values = posted_values(fields, OTHER)
    rows = {tick.value for tick in asker.protocol.ticks} | {"chills", "chest_pain=gone_now"}
    unknown = [value for value in values if value not in rows and value != NOTHING_NEW]
    ticks = tuple(_row(value) for value in values if value in rows)
    posted.meant = [ticked(asker.protocol, ticks)] if ticks else []
    if not values or unknown:
        posted.errors[OTHER] = asker.words.safety(
            "Tap all that you have. If nothing is new, tap “No, nothing new”."
        )
        return
    posted.ticks = tuple(dict.fromkeys(ticks))
    posted.keys = unticked(asker.protocol, posted.ticks)
    posted.reopens = [slug_of(key) for key in posted.keys]
    posted.defaults = ticked(asker.protocol, posted.ticks)


def _row(value: str) -> str:
    """The row that a tick's other names stand for."""
    return {"chills": "felt_feverish", "chest_pain=gone_now": "chest_pain"}.get(value, value)


def _read_fever_medicine(posted: Posted, fields: Fields, asker: Asker) -> None:
    """The pill question is this page's Continue. Left out, it gets a page of its own."""
    item = asker.protocol.item(_FEVER_MEDICINE)
    values = posted_values(fields, _FEVER_MEDICINE)
    found = [value for value in (_value(item, text) for text in values) if value is not None]
    for one in posted.meant:
        one.update({_FEVER_MEDICINE: True} if True in found or "not_sure" in found else {})
    if not values:
        return
    if len(values) != 1 or len(found) != 1:
        posted.errors[_FEVER_MEDICINE] = asker.words.safety("Choose one answer.")
    elif posted.given.get("temperature") != NOT_MEASURED:
        posted.given[_FEVER_MEDICINE] = found[0]


def _read_number(
    posted: Posted,
    fields: Fields,
    asker: Asker,
    key: str,
    check: Callable[[Measure], Doubt | None],
) -> None:
    posted.keys = [key, f"{key}_unit", *no_longer_asked(asker.protocol, key, "")]
    typed = posted_values(fields, key)
    picked = _picked(fields, key)
    if typed == [NOT_MEASURED] and picked is None:
        posted.given = {key: NOT_MEASURED}
        posted.keys = [key, f"{key}_unit", *([_FEVER_MEDICINE] if key == "temperature" else [])]
        return
    posted.reopens = [slug_of(one) for one in posted.keys[2:]]
    try:
        found = _suggested(fields, key) or _one_measure(fields, key, typed, picked)
    except Reask as unread:
        posted.errors[key] = why(unread.reason_code, key, fields, asker)
        posted.meant = _all_meant(fields, key, [*typed, picked or ""])
        return
    posted.meant = [{key: found.value, f"{key}_unit": found.unit}]
    doubt = check(found)
    if doubt is None:
        posted.given = dict(posted.meant[0])
    elif doubt.can_be_confirmed:
        posted.doubt, posted.suggestion = doubt, doubt.suggestion
        posted.given = dict(posted.meant[0])
    else:
        posted.suggestion = doubt.suggestion
        posted.errors[key] = out_of_range(found, asker)
        likely = doubt.suggestion
        posted.meant = [{key: likely.value, f"{key}_unit": likely.unit}] if likely else []


def _picked(fields: Fields, key: str) -> str | None:
    """The number that was tapped, or None. Half a number stays half, and is asked again."""
    whole, tenth = posted_values(fields, f"{key}_whole"), posted_values(fields, f"{key}_tenth")
    if not whole and not tenth:
        return None
    if len(whole) != 1 or len(tenth) != 1 or len(tenth[0]) != 1:
        return "."
    return f"{whole[0]}.{tenth[0]}"


def _suggested(fields: Fields, key: str) -> Measure | None:
    """The number that the person said they had meant: ``suggested`` is "37.8 c"."""
    for text in posted_values(fields, "suggested"):
        number, _, unit = text.partition(" ")
        if unit in UNITS[key]:
            return Measure(parse_measure(number), unit)
    return None


def _one_measure(fields: Fields, key: str, typed: Sequence[str], picked: str | None) -> Measure:
    """The one number that was given. Raises Reask when there is none, or more than one."""
    texts = [text for text in (*typed, picked) if text is not None]
    if not texts:
        raise Reask("empty")
    if NOT_MEASURED in texts:
        raise Reask("both")
    if picked == ".":
        raise Reask("half")
    units = set(posted_values(fields, f"{key}_unit"))
    if len(units) != 1 or not units <= set(UNITS[key]):
        raise Reask("no_unit")
    unit = units.pop()
    found = {read_measure(text, unit) for text in texts}
    if len(found) != 1:
        raise Reask("differ")
    return found.pop()


def _all_meant(fields: Fields, key: str, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Every believable reading of what was given, for guidance while it is asked again."""
    units = [unit for unit in posted_values(fields, f"{key}_unit") if unit in UNITS[key]]
    meant = []
    for text in texts:
        try:
            value = parse_measure(text)
        except Reask:
            continue
        for unit in units or UNITS[key]:
            if Measure(value, unit).is_plausible:
                meant.append({key: value, f"{key}_unit": unit})
    return meant


def _confirm(posted: Posted, fields: Fields) -> None:
    """A number that was doubted and is said to be right is right."""
    if posted.doubt is None:
        return
    said = f"{posted.given['weight']} {posted.given['weight_unit']}"
    if said in posted_values(fields, "confirmed"):
        posted.doubt = posted.suggestion = None
