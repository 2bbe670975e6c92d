"""Results of a check-in: what to do, why, and only what is known to be true about the alert."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.pages import next_page
from patient_portal.domain.places import main_language
from patient_portal.domain.protocol import NOT_SURE, Rule
from patient_portal.domain.replay import joined_inputs, resting_on_unsure
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.domain.staffing import is_staffed, next_turn
from patient_portal.domain.steroid import SteroidTablets
from patient_portal.domain.unreadable import UNREADABLE
from patient_portal.models import Alert, AlertState, CheckIn, Clinic, Patient
from patient_portal.services import checkins
from patient_portal.services.tracking import Tracker, raised_since, tracker
from patient_portal.web.context import portal
from patient_portal.web.language import current_words, language_choices
from patient_portal.web.patient import form_in_hand, question
from patient_portal.web.patient.form_in_hand import FormInHand
from patient_portal.words import Words, format_time, own_name, tag

MOST_REASONS = 3
_ON_STEROID = "on_steroid"


@dataclass(frozen=True)
class Told:
    """The alert's state in the patient's words and hour."""

    saved: str
    reached: str
    reached_before: bool  # that text was about earlier answers of the same alert
    taken: str
    taken_before: bool
    taken_by: str
    is_closed: bool
    is_failing: bool
    nobody_took_it: bool

    @property
    def is_watched(self) -> bool:
        """Whether nobody has taken it yet."""
        return not self.taken and not self.is_closed

    @property
    def is_followed(self) -> bool:
        """Whether there may be more to come, so that the page asks again."""
        return not self.is_closed


def address(hand: FormInHand) -> str:
    """Where the result of this form is read."""
    assert hand.check_in is not None  # noqa: S101 - only asked for once an answer is kept
    return url_for("patient.checkin.result", check_in_id=hand.check_in.id, form=hand.key)


def render(session: Session, check_in_id: str, now: datetime) -> str | Response | None:
    """The result page, or None when this phone may not read it."""
    check_in = session.get(CheckIn, check_in_id)
    if check_in is None:
        return None
    hand = form_in_hand.by_key(session, check_in)
    if not _may_read(session, hand, check_in, now):
        return None
    form_in_hand.complete(session, hand, now)
    alert = _alert_of(session, check_in)
    level = _level_now(check_in, alert)
    if not hand.is_sent and not level.is_red:  # nothing was sent yet, so nothing came of it
        slug = next_page(hand.pages, hand.progress).slug
        return redirect(url_for("patient.checkin.ask", slug=slug, form=hand.key))
    return render_template(
        f"patient/result/{level.code}.html",
        **(_common(hand, check_in, now) | _of_level(session, hand, check_in, alert, level, now)),
    )


def _alert_of(session: Session, check_in: CheckIn) -> Alert | None:
    """The alert of these answers; else one that somebody else's answers opened since."""
    return checkins.alert_of(session, check_in) or raised_since(session, check_in)


def _level_now(check_in: CheckIn, alert: Alert | None) -> TriageLevel:
    """What the page says to do: never milder than the alert while that is not closed."""
    level = TriageLevel(check_in.level)
    if alert is None or alert.state is AlertState.CLOSED:
        return level
    return max(level, TriageLevel(alert.level))


def _may_read(session: Session, hand: FormInHand, check_in: CheckIn, now: datetime) -> bool:
    """Whoever holds the form's key; a remembered phone on the same day or while the alert is open.

    An older result is history, which a remembered phone alone does not open.
    """
    if form_in_hand.posted_key() == check_in.form_key:
        return now - check_in.started_at <= 2 * checkins.FORM_LIVES
    if not hand.is_recognised:
        return False
    if check_in.local_date == local_date(now, readable_zone(hand.patient.zone)):
        return True
    alert = _alert_of(session, check_in)
    return alert is not None and alert.state is not AlertState.CLOSED


def _common(hand: FormInHand, check_in: CheckIn, now: datetime) -> dict[str, Any]:
    sent_at = check_in.sent_at or check_in.started_at
    return {
        "person": question.person(hand),
        "is_helper": hand.is_helper,
        "is_recognised": hand.is_recognised,
        "reasons": _sentences(_rules(check_in)),
        "is_unsure": NOT_SURE in check_in.answers.values(),
        "is_steroid_cut": check_in.steroid is SteroidTablets.LESS,
        "line": hand.line,
        "sent_at": clock(sent_at, hand.patient),
        "is_sent": hand.is_sent,
        "go_on": url_for(
            "patient.checkin.ask", slug=next_page(hand.pages, hand.progress).slug, form=hand.key
        ),
        "mistake": url_for("patient.checkin.by_mistake", form=hand.key),
        "next_check_in": _next_check_in(hand, now),
    }


def _of_level(
    session: Session,
    hand: FormInHand,
    check_in: CheckIn,
    alert: Alert | None,
    level: TriageLevel,
    now: datetime,
) -> dict[str, Any]:
    clinic = session.get_one(Clinic, check_in.clinic_id)
    hours = (clinic.zone, clinic.staffed_from, clinic.staffed_until)
    found: dict[str, Any] = {
        "is_staffed": is_staffed(now, *hours),
        "is_day_and_night": clinic.staffed_from == clinic.staffed_until,
        "turn": clock(next_turn(now, *hours), hand.patient),
        "turn_is_today": local_date(next_turn(now, *hours), readable_zone(hand.patient.zone))
        == local_date(now, readable_zone(hand.patient.zone)),
    }
    if level.is_red:
        found["told"] = None
        if alert is not None:
            known = tracker(session, alert, now, answered_at=check_in.started_at)
            found["told"] = told(known, check_in, hand)
    if level is TriageLevel.EMERGENCY:
        rules, unsure = _rules(check_in), _unsure(session, check_in)
        found |= scripts(hand, rules, unsure) | {"not_sure_about": ""}
        if NOT_SURE in check_in.answers.values():  # "you told us" would not be true of these
            found["reasons"] = _sentences([rule for rule in rules if rule.id not in unsure])
            found["not_sure_about"] = "" if found["reasons"] else _not_sure_about(check_in)
    return found


def _not_sure_about(check_in: CheckIn) -> str:
    """The names of what was answered "not sure", as the questions are called on the phone."""
    say = current_words().safety
    asked = (
        item
        for item in portal().site.protocol.items
        if check_in.answers.get(item.key) == NOT_SURE and item.key != _ON_STEROID
    )
    return ", ".join(say(item.label) for item in asked)


def _sentences(rules: list[Rule]) -> list[str]:
    say = current_words().safety
    return [say(rule.patient) for rule in rules if rule.patient][:MOST_REASONS]


def _rules(check_in: CheckIn) -> list[Rule]:
    """The rules that made the level, as far as the protocol in force knows them."""
    protocol = portal().site.protocol
    code = TriageLevel(check_in.level).code
    known = {rule.id: rule for rule in protocol.rules}
    return [
        known[reason["rule"]]
        for reason in check_in.reasons
        if reason["level"] == code and reason["rule"] in known
    ]


def _unsure(session: Session, check_in: CheckIn) -> frozenset[str]:
    """Rules that hold only if what the person is not sure of is so; all of them if in doubt."""
    protocol = portal().site.protocol
    alert = checkins.alert_of(session, check_in)
    try:
        inputs = alert.inputs if alert else {}
        # As the answers stand now: an alert keeps those that were news to it.
        last = inputs.get("judged", [inputs])[-1]
        now = joined_inputs(inputs, {**last, "answers": dict(check_in.answers)})
        return resting_on_unsure(protocol, now)
    except UNREADABLE:
        is_unsure = NOT_SURE in check_in.answers.values()
        return frozenset(rule.id for rule in protocol.rules if is_unsure)


def told(found: Tracker, check_in: CheckIn, hand: FormInHand) -> Told:
    """The tracker with its times as the patient's clock shows them."""

    def at(moment: datetime | None) -> str:
        return clock(moment, hand.patient) if moment else ""

    return Told(
        saved=at(max(found.saved_at, check_in.started_at)),
        reached=at(found.reached_at),
        reached_before=found.reached_at is not None and found.reached_at < check_in.started_at,
        taken=at(found.taken_at),
        taken_before=found.taken_at is not None and found.taken_at < check_in.started_at,
        taken_by=found.taken_by or "",
        is_closed=found.is_closed,
        is_failing=found.is_failing,
        nobody_took_it=found.nobody_took_it,
    )


def clock(moment: datetime, patient: Patient) -> str:
    """The time of day on the patient's clock."""
    words = current_words()
    text = format_time(
        moment, ZoneInfo(readable_zone(patient.zone)), words.language, patient.country
    )
    return text.replace(" ", "\N{NO-BREAK SPACE}")  # "9:04" and "AM" stay on one line


def _next_check_in(hand: FormInHand, now: datetime) -> str:
    """The hour of tomorrow's text, when one is planned for tomorrow."""
    patient = hand.patient
    due = patient.reminder_due_at
    if due is None or patient.texts_stopped_at is not None or not hand.is_recognised:
        return ""
    tomorrow = local_date(now, readable_zone(patient.zone)) + timedelta(days=1)
    return clock(due, patient) if local_date(due, readable_zone(patient.zone)) == tomorrow else ""


# ---- what to say on the phone


def scripts(hand: FormInHand, rules: list[Rule], unsure: frozenset[str]) -> dict[str, Any]:
    """What to tell the operator: in the reader's language, and in that of the country."""
    words = current_words()
    found: dict[str, Any] = {"script": script(words, hand, rules, unsure), "script_there": None}
    spoken = main_language(hand.patient.country)
    offered = {choice.code for choice in language_choices()} | {"en"}
    if spoken and spoken in offered and spoken != words.language.partition("_")[0]:
        found["script_there"] = script(Words(spoken), hand, rules, unsure)
        found |= {"there": tag(spoken), "there_name": own_name(spoken)}
    return found


def script(words: Words, hand: FormInHand, rules: list[Rule], unsure: frozenset[str]) -> list[str]:
    """The sentences to say. A phone that is not remembered is not told illness or medicine."""
    sentences = [rule.say_unsure if rule.id in unsure else rule.say for rule in rules]
    said = list(dict.fromkeys(words.safety(one) for one in sentences if one))[:2]
    if hand.is_helper:
        # The sentences are the patient's own; whoever rings for them must not say "I have".
        said = [words.safety("For the person I help: “%(said)s”", said=one) for one in said]
    if not hand.is_recognised:
        return said
    medicine = words.safety(portal().site.protocol.drug(hand.patient.drug).name)
    if hand.is_helper:
        about = [
            words.safety("I help a person with leukemia."),
            words.safety("The person takes %(medicine)s.", medicine=medicine),
            words.safety("It may be differentiation syndrome."),
        ]
    else:
        about = [
            words.safety("I have leukemia."),
            words.safety("I take %(medicine)s.", medicine=medicine),
            words.safety("I may have differentiation syndrome."),
        ]
    return [*about, *said]
