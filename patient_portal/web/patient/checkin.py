"""`/check-in`: one question a page, each answer kept as it is given. Works without scripts.

A red answer is stored, and its alert queued, in the request that brings it; an emergency shows
its screen at once, an urgent answer at the end.
"""

from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.measures import Measure
from patient_portal.domain.pages import FIRST, SEND, STEPS, missing, next_page
from patient_portal.models import CheckIn, Patient
from patient_portal.services import checkins
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words
from patient_portal.web.patient import form_in_hand, not_saved, question, results, summary
from patient_portal.web.patient.form_in_hand import FormInHand
from patient_portal.web.patient.number_words import shown
from patient_portal.web.patient.posted import Posted, read
from patient_portal.words import format_number

blueprint = Blueprint("checkin", __name__)


@blueprint.get("/check-in")
@audience(Audience.FORM)
def start() -> Response:
    """Step 1, with a fresh form's key. Stores nothing."""
    who = viewer()
    if who.caregiver is not None and request.args.get("for", "") not in {p.id for p in who.helps}:
        return make_response(render_template("patient/check_in/whose.html", people=who.helps))
    with reading() as (session, now):
        hand = form_in_hand.by_door(session, now, form_in_hand.new_key())
        if hand is None:
            return redirect(url_for("patient.account.sign_in"))
        return _first(form_in_hand.complete(session, hand, now))


def render_first_step(
    patient: Patient, form_key: str, *, recognised: bool, link_token: str = ""
) -> Response:
    """Step 1 for whoever opened the link in a text. Stores nothing."""
    hand = form_in_hand.by_link(patient, form_key, link_token)
    hand.is_recognised = hand.is_recognised and recognised
    with reading() as (session, now):
        return _first(form_in_hand.complete(session, hand, now))


def _first(hand: FormInHand) -> Response:
    response = make_response(question.render(hand.pages[0], hand))
    return form_in_hand.keep_country(response, hand.patient.country)


@blueprint.get("/check-in/<slug>")
@audience(Audience.FORM)
def ask(slug: str) -> Response:
    """One question. Looking stores nothing; a question that is not asked leads to the next."""
    with reading() as (session, now):
        hand = form_in_hand.find(session, now)
        if hand is None or hand.check_in is None:
            return redirect(url_for("patient.checkin.start", **_door()))
        if hand.is_sent:
            return redirect(results.address(hand))
        if now - hand.check_in.started_at > checkins.FORM_LIVES:
            return make_response(render_template("patient/check_in/too_old.html"), 410)
        page = next((page for page in hand.pages if page.slug == slug), None)
        if page is None:
            return redirect(_address(hand, next_page(hand.pages, hand.progress).slug))
        if slug == SEND:
            return make_response(summary.render(hand))
        return make_response(question.render(page, hand))


@blueprint.post("/check-in/<slug>")
@audience(Audience.FORM)
def answer(slug: str) -> Response:
    """Keep one page's answer and go on: to the next question, or to the emergency screen."""
    page = question.page_named(portal().site.protocol, slug)
    if page is None:
        abort(404)
    if slug == SEND:
        return _send()
    try:
        with writing() as (session, now):
            hand = form_in_hand.find(session, now, whole=slug == "weight")
            if hand is None:
                return not_saved.response(403)
            posted = read(page, request.form, hand.asker)
            if posted.errors:
                return _ask_again(posted, form_in_hand.complete(session, hand, now))
            if posted.doubt is not None:
                return _is_it_right(posted, hand)
            recorded = checkins.record_answers(session, portal().site, hand.form, posted.step, now)
            return _go_on(session, hand, recorded)
    except checkins.FormExpired:
        return not_saved.response(409, is_too_old=True)


def _go_on(session: Session, hand: FormInHand, recorded: checkins.Recorded) -> Response:
    hand.check_in = session.get(CheckIn, recorded.check_in_id)
    if recorded.stops or hand.is_sent:
        return redirect(results.address(hand), 303)
    form_in_hand.look_for_steroid(session, hand)
    return redirect(_address(hand, next_page(hand.pages, hand.progress).slug), 303)


def _ask_again(posted: Posted, hand: FormInHand) -> Response:
    """The same page with what was typed, and first what to do if it already sounds red."""
    guidance = question.guidance_for(posted, hand.line)
    return make_response(question.render(posted.page, hand, posted=posted, guidance=guidance), 422)


def _is_it_right(posted: Posted, hand: FormInHand) -> Response:
    """A believable number that is far from the last one: a question, not an error."""
    found = Measure(posted.given["weight"], posted.given["weight_unit"])
    change = None
    if hand.may_see and hand.last_weight is not None:
        last = question.in_unit(hand.last_weight, found.unit)
        change = (abs(found.value - last), found.value > last)
    words = current_words()
    page = render_template(
        "patient/check_in/is_it_right.html",
        page=posted.page,
        steps=len(STEPS),
        person=question.person(hand),
        number=shown(found, hand.asker),
        value=f"{found.value} {found.unit}",
        is_more=change[1] if change else None,
        change=format_number(change[0], words.language, hand.patient.country, 1) if change else "",
        unit=found.unit,
        hidden=question.hidden(hand),
        suggestion=question.suggestion_of(posted, hand),
        back=_address(hand, "weight") if hand.check_in else url_for("patient.checkin.start"),
        line=hand.line,
    )
    return make_response(page)


def _send() -> Response:
    try:
        with writing() as (session, now):
            hand = form_in_hand.find(session, now)
            if hand is None or hand.check_in is None:
                return not_saved.response(403)
            left = missing(hand.pages, hand.progress)
            if left and not hand.is_sent:
                return make_response(summary.render(hand, is_refused=True), 422)
            checkins.send(session, portal().site, hand.form, now)
            return redirect(results.address(hand), 303)
    except checkins.FormExpired:
        return not_saved.response(409, is_too_old=True)


@blueprint.get("/check-in/by-mistake")
@audience(Audience.FORM)
def by_mistake() -> Response:
    """Asks whether an emergency was tapped by mistake."""
    with reading() as (session, now):
        hand = form_in_hand.find(session, now)
        if hand is None or hand.check_in is None:
            return redirect(url_for("patient.home.show"))
        return make_response(
            render_template(
                "patient/check_in/by_mistake.html",
                hidden=question.hidden(hand),
                back=results.address(hand),
                line=hand.line,
            )
        )


@blueprint.post("/check-in/by-mistake")
@audience(Audience.FORM)
def take_back() -> Response:
    """Note the mistake and ask steps 2 to 6 again. The alert stands until a person ends it."""
    with writing() as (session, now):
        hand = form_in_hand.find(session, now)
        if hand is None or hand.check_in is None:
            return not_saved.response(403)
        if hand.is_sent:
            return redirect(url_for("patient.checkin.start", **_door()), 303)
        hand.check_in = checkins.take_back(session, hand.form, FIRST, now)
        return redirect(_address(hand, next_page(hand.pages, hand.progress).slug), 303)


@blueprint.get("/check-in/result/<check_in_id>")
@audience(Audience.FORM)
def result(check_in_id: str) -> Response:
    """What came of a check-in, and what is known to be true about its alert."""
    with reading() as (session, now):
        page = results.render(session, check_in_id, now)
        if page is None:
            return redirect(url_for("patient.home.show"))
        return make_response(page)


def _address(hand: FormInHand, slug: str) -> str:
    return url_for("patient.checkin.ask", slug=slug, form=hand.key)


def _door() -> dict[str, Any]:
    """The door of this request's form, for a form that starts anew."""
    return {name: request.values[name] for name in ("for", "link") if request.values.get(name)}
