"""Codes in words for the care team: reasons, answers, readings, times, texts, log entries."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import NOT_MEASURED, NOT_SURE, Item, Protocol
from patient_portal.models import MessageKind, MessageState
from patient_portal.services.alert_file import Logged, Sent
from patient_portal.services.tracking import Trouble
from patient_portal.web.page import phone_text
from patient_portal.words import Words, format_number, mark_message

OUTCOME_WORDS: Mapping[str, str] = {
    "sent_to_emergency": mark_message("Sent to the emergency department"),
    "admitted": mark_message("Admitted to hospital"),
    "same_day_visit": mark_message("Visit on the same day"),
    "advised": mark_message("Advice given, look again later"),
    "steroid_started": mark_message("Steroid started"),
    "not_ds": mark_message("Another cause"),
    "false_alarm": mark_message("False alarm"),
    "unreachable": mark_message("Could not be reached (after 3 tries)"),
    "duplicate": mark_message("Same as another alert"),
    "test": mark_message("A test"),
}
CONTACT_WORDS: Mapping[str, str] = {
    "reached": mark_message("Reached"),
    "no_answer": mark_message("No answer"),
    "wrong_number": mark_message("Wrong number"),
    "called_emergency": mark_message("Called an ambulance for them"),
}
REFUSED_WORDS: Mapping[str, str] = {
    "outcome": mark_message("Choose how it ended."),
    "reason": mark_message("Nobody has spoken with this patient. Write why you close the alert."),
    "recheck": mark_message("Choose a day and time to look again, in the next 14 days."),
    "tries": mark_message("Note 3 calls first. Then you can close it as not reached."),
    "note": mark_message("The note is too long. Use 2000 characters or fewer."),
    "useful": mark_message("Choose yes or no, or leave it open."),
    "over": mark_message("Look at the answers again, then tick the signs that are over."),
}
TROUBLE_WORDS: Mapping[Trouble, str] = {
    Trouble.NOBODY: mark_message("Nobody was texted: no one on call has a phone number here."),
    Trouble.ALL_FAILED: mark_message("No text about this alert got through."),
    Trouble.NOT_SENT: mark_message("The text about this alert has not left for 2 minutes."),
    Trouble.SOME_FAILED: mark_message("One text about this alert did not get through."),
}
POSITION_WORDS: Mapping[str, str] = {
    "nurse": mark_message("Nurse on call"),
    "backup": mark_message("Backup"),
    "physician": mark_message("Physician"),
    "lead": mark_message("Lead"),
}
# Reasons that are no rule of the protocol: words of danger in a text.
WROTE_WORDS: Mapping[str, str] = {
    "TEXT-E": mark_message("Wrote by text: words of an emergency"),
    "TEXT-U": mark_message("Wrote by text: words of danger"),
}
# What a text about an alert says; a plain page needs no word.
KIND_WORDS: Mapping[MessageKind, str] = {
    MessageKind.STAFF_WORSE: mark_message("something new"),
    MessageKind.STAFF_REPAGE: mark_message("no call noted"),
    MessageKind.STAFF_STOOD_DOWN: mark_message("somebody has it"),
    MessageKind.STAFF_REPLY: mark_message("answer to their text"),
    MessageKind.STAFF_BUNDLE: mark_message("with other alerts"),
    MessageKind.CALL_NOW: mark_message("call now"),
    MessageKind.HELPER_CALL_NOW: mark_message("to a helper: call now"),
}
# More than this does not fit a line that is read in a second.
MOST_PHRASES = 4
_UNITS = {"c": "°C", "f": "°F", "kg": "kg", "lb": "lb"}


def age(words: Words, span: timedelta) -> str:
    """A time that has passed, in words: "4 min", "1 h 12 min", "2 d 3 h"."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return words.message("%(n)s min", n=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return words.message("%(h)s h %(n)s min", h=hours, n=f"{minutes:02d}")
    days, hours = divmod(hours, 24)
    return words.message("%(d)s d %(h)s h", d=days, h=hours)


@lru_cache(maxsize=512)
def language_name(code: str, reader: str) -> str:
    """A language's name in the reader's language."""
    try:
        known = Locale.parse(reader).languages
    except (UnknownLocaleError, ValueError):
        known = Locale.parse("en").languages
    return str(known.get(code) or known.get(code.split("_")[0]) or code)


def drug_name(protocol: Protocol, words: Words, code: str) -> str:
    """A medicine's name; its code where the protocol no longer knows it."""
    try:
        return words.safety(protocol.drug(code).name)
    except KeyError:
        return code


def rule_words(protocol: Protocol, words: Words, rule: str) -> str:
    """A rule in the words of the care team; its id where the protocol no longer knows it."""
    if rule in WROTE_WORDS:
        return words.message(WROTE_WORDS[rule])
    try:
        return words.safety(protocol.rule(rule).staff) or rule
    except KeyError:
        return rule


def worst_first(reasons: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Reasons by level, the worst first, otherwise as they came."""
    return sorted(reasons, key=lambda reason: -TriageLevel.from_code(reason["level"]))


def trigger(
    protocol: Protocol,
    words: Words,
    reasons: Iterable[Mapping[str, Any]],
    inputs: Mapping[str, Any],
) -> str:
    """Why an alert was raised, in one line: one phrase an item, the worst first.

    Numbers stand for themselves: "38.1 °C" says more than the band it lies in.
    """
    answers = inputs.get("answers", {})
    shown: dict[str, str] = {}
    for reason in worst_first(reasons):
        rule = reason["rule"]
        item = item_of(protocol, rule)
        if item in shown:
            continue
        phrase = ""
        if item == "temperature":
            phrase = reading_words(words, answers, item)
        elif item == "weight":
            phrase = _gain_words(words, inputs)
        phrase = phrase or rule_words(protocol, words, rule)
        if answers.get(item) == NOT_SURE:
            phrase = words.message("%(sign)s (not sure)", sign=phrase)
        shown[item or rule] = phrase
    phrases = list(shown.values())
    rest = len(phrases) - MOST_PHRASES
    if rest > 0:
        phrases[MOST_PHRASES:] = [words.nmessage("%(n)s more sign", "%(n)s more signs", rest)]
    return " · ".join(phrases)


def _gain_words(words: Words, inputs: Mapping[str, Any]) -> str:
    """The gain over the lowest weight of the last week; empty if there was none in this unit."""
    answers = inputs.get("answers", {})
    unit = answers.get("weight_unit")
    try:
        today = Decimal(str(answers.get("weight")))
        near = [
            (Decimal(str(value)), -day)
            for day, value, given in inputs.get("weights", ())
            if given == unit and -7 <= day < 0
        ]
    except (InvalidOperation, TypeError, ValueError):
        return ""
    lowest, days = min(near, default=(today, 0))
    if today <= lowest:
        return ""
    return words.nmessage(
        "+%(amount)s in %(n)s day", "+%(amount)s in %(n)s days", days,
        amount=quantity(words, today - lowest, str(unit)),
    )  # fmt: skip


def item_of(protocol: Protocol, rule: str) -> str:
    """The item a rule is about; empty where the protocol no longer knows the rule."""
    try:
        return protocol.rule(rule).item
    except KeyError:
        return ""


def number(words: Words, value: Decimal) -> str:
    """A number with the reader's decimal sign and at least one digit after it."""
    places = max(1, -int(value.as_tuple().exponent)) if value % 1 else 1
    return format_number(value, words.language, places=places)


def quantity(words: Words, value: Decimal, unit: str) -> str:
    """A number with its unit."""
    return f"{number(words, value)} {_UNITS.get(unit, unit)}"


def reading_words(words: Words, answers: Mapping[str, Any], key: str) -> str:
    """A temperature or weight as it was entered; empty if there is none."""
    for name, unit in (
        (key, answers.get(f"{key}_unit")),
        (f"{key}_c", "c"),
        (f"{key}_f", "f"),
    ):
        value = answers.get(name)
        if value is None or unit not in _UNITS:
            continue
        try:
            return quantity(words, Decimal(str(value)), str(unit))
        except InvalidOperation:
            continue
    return ""


def answer_words(words: Words, item: Item, answers: Mapping[str, Any]) -> str:
    """What was answered to an item, as it stood on the screen; empty if it was not asked."""
    value = answers.get(item.key)
    if item.kind in ("temperature", "weight"):
        if value == NOT_MEASURED:
            return words.message("not measured")
        return reading_words(words, answers, item.key)
    if value is None:
        return ""
    if item.kind in ("percent", "mmhg"):
        return f"{value} %" if item.kind == "percent" else f"{value} mmHg"
    chosen = value if isinstance(value, list) else [value]
    return ", ".join(_option_words(words, item, one) for one in chosen)


def _option_words(words: Words, item: Item, value: Any) -> str:
    try:
        option = item.option(value)
    except (KeyError, TypeError):
        return str(value)
    label = words.safety(option.label)
    # The short answer means little without the example that stood below it.
    return f"{label} ({words.safety(option.hint).rstrip('.')})" if option.hint else label


# ---- what happened


def text_to(words: Words, sent: Sent, country: str) -> str:
    """Whom a text went to, and what for, where it is no plain page."""
    said, who = KIND_WORDS.get(sent.kind), sent.to
    if who.startswith("+"):
        who = words.message("The clinic's own phone %(number)s", number=phone_text(who, country))
    return f"{who}: {words.message(said)}" if said else who


def text_words(words: Words, sent: Sent) -> str:
    """Where a text is."""
    match sent.state:
        case MessageState.DUE:
            return words.message("waits to be sent")
        case MessageState.SENDING:
            return words.message("is being sent")
        case MessageState.ACCEPTED | MessageState.SENT:
            return words.message("sent, not yet on the phone")
        case MessageState.DELIVERED if sent.delivered_at is not None:
            took = max(0, int((sent.delivered_at - sent.created_at).total_seconds()))
            if took < 120:
                return words.message("on the phone after %(n)s s", n=took)
            return words.message("on the phone after %(n)s min", n=took // 60)
        case MessageState.DELIVERED:
            return words.message("on the phone")
        case MessageState.UNDELIVERED:
            return words.message("did not reach the phone")
        case MessageState.FAILED:
            return words.message("could not be sent")
        case MessageState.EXPIRED:
            return words.message("not sent, no longer needed")


def text_class(state: MessageState) -> str:
    """How a text's state is coloured: good, bad, or neither."""
    if state is MessageState.DELIVERED:
        return "good"
    return "bad" if state in (MessageState.UNDELIVERED, MessageState.FAILED) else ""


def _silence_words(words: Words, entry: Logged, rules: str) -> str:
    if entry.action == "alert.opened":
        return words.message("No check-in for too long. Alert opened.")
    if entry.action == "alert.joined":
        return words.message("Still no check-in: %(what)s.", what=rules)
    return words.message("Still no check-in: %(what)s. The team is texted again.", what=rules)


def log_words(protocol: Protocol, words: Words, entry: Logged) -> str:
    """One entry of an alert's log as a sentence."""
    who = entry.by or words.message("Somebody")
    rules = ", ".join(rule_words(protocol, words, rule) for rule in entry.detail.get("rules", ()))
    if entry.detail.get("check_in", "") is None:  # no answer, but silence
        return _silence_words(words, entry, rules)
    if entry.action == "alert.by_text":
        return words.message("Words of danger came by text. Our answer says to call.")
    if entry.action == "alert.taken" and entry.detail.get("channel") == "text":
        return words.message("%(who)s took it by text.", who=who)
    return _act_words(protocol, words, entry, who, rules)


def _act_words(protocol: Protocol, words: Words, entry: Logged, who: str, rules: str) -> str:
    match entry.action:
        case "alert.opened":
            return words.message("Red answer saved. Alert opened.")
        case "alert.joined" if rules:
            return words.message("New red answers: %(what)s.", what=rules)
        case "alert.joined":
            return words.message("Another red check-in.")
        case "alert.worsened":
            worse = words.message("Worse: %(what)s. The team is texted again.", what=rules)
            return worse if rules else words.message("Still red. The team is texted again.")
        case "alert.taken_back":
            return words.message("The patient says: tapped by mistake. The alert stays open.")
        case "alert.taken":
            return words.message("%(who)s took it.", who=who)
        case "alert.released":
            return words.message("%(who)s gave it back. The team is texted again.", who=who)
        case "alert.contact":
            said = CONTACT_WORDS.get(str(entry.detail.get("result")))
            result = words.message(said) if said else str(entry.detail.get("result"))
            return words.message("%(who)s called: %(result)s.", who=who, result=result)
        case "alert.closed":
            said = OUTCOME_WORDS.get(str(entry.detail.get("outcome")))
            outcome = words.message(said) if said else str(entry.detail.get("outcome"))
            closed = words.message("%(who)s closed it: %(outcome)s.", who=who, outcome=outcome)
            labels = {sign.id: words.safety(sign.label) for sign in protocol.beyond.signs}
            over = ", ".join(labels.get(sign, sign) for sign in entry.detail.get("over", ()))
            return f"{closed} {words.message('Over: %(signs)s.', signs=over)}" if over else closed
        case _:
            return _ladder_words(words, entry, who)


def _ladder_words(words: Words, entry: Logged, who: str) -> str:
    """How the ladder went on, mostly by the clock."""
    step = entry.detail.get("step")
    match entry.action:
        case "alert.passed_on":
            return words.message("%(who)s passed it on. The next person is texted.", who=who)
        case "alert.went_on" if entry.detail.get("came_from") == step:
            return words.message("Nobody took it. Step %(n)s is texted again.", n=step)
        case "alert.went_on" if entry.detail.get("without_proof"):
            return words.message("No text arrived. Step %(n)s is texted.", n=step)
        case "alert.went_on":
            return words.message("Nobody took it. Step %(n)s is texted.", n=step)
        case "alert.repaged":
            return words.message("No call noted. The owner is texted again.")
        case "alert.reopened":
            return words.message("No call noted. It is open again and the team is texted.")
        case "alert.patient_told":
            return words.message("Nobody took it in time. The patient is texted to call.")
        case "alert.lead_told":
            return words.message("Not closed for hours. The lead is texted.")
        case "alert.test_ended":
            return words.message("The test is over.")
        case _:
            return entry.action
