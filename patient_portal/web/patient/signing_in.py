"""Signing in on a phone that is not known: a code by text, and a year of birth."""

from collections.abc import Mapping
from typing import Any

from flask import make_response, redirect, render_template, request, session, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from patient_portal.domain.phone_numbers import NotAPhoneNumber, read_phone
from patient_portal.domain.typed import NotReadable, read_birth_year, read_code
from patient_portal.models import Clinic
from patient_portal.services import devices, sign_in
from patient_portal.services.tokens import CODE_DIGITS
from patient_portal.web import doors
from patient_portal.web.access import public, viewer
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words
from patient_portal.web.patient.entrance import blueprint
from patient_portal.web.patient.links import LINK_IN_SESSION, linked_patient

_YEAR_IN_SESSION = "birth_year"
_SHARED_IN_SESSION = "shared"
_LONGEST_SHOWN = 200


@blueprint.get("/sign-in", endpoint="sign_in")
@public
def show_number() -> Response:
    """Ask for the phone number."""
    return _page("patient/sign_in.html", 200)


@blueprint.post("/sign-in", endpoint="ask")
@public
def ask_by_number() -> Response:
    """Text a code to the number, if it is one of ours. What is shown never tells."""
    words = current_words()
    with writing() as (db, now):
        numbers = _readings(typed("phone"), _countries(db))
        asked = (
            sign_in.ask_code_for_number(db, portal().site, numbers, _address(), now)
            if numbers
            else None
        )
    if asked is None:
        sentence = words.message("Type your phone number with digits, like 212 555 0142.")
        return _page("patient/sign_in.html", 422, errors={"phone": sentence})
    if asked.limit is not None:
        return _page("patient/sign_in.html", 429, errors={"phone": _wait()})
    session.pop(LINK_IN_SESSION, None)
    session.pop(_YEAR_IN_SESSION, None)
    return _code_was_sent(asked)


@blueprint.get("/sign-in/you", endpoint="you")
@public
def show_year() -> Response:
    """Ask for the year of birth; only somebody who came by a link gets here."""
    if linked_patient() is None:
        return redirect(url_for("patient.account.sign_in"))
    return _page("patient/sign_in_year.html", 200)


@blueprint.post("/sign-in/you", endpoint="ask_you")
@public
def ask_by_link() -> Response:
    """Text a code to the number of the patient whose link was opened."""
    patient = linked_patient()
    if patient is None:
        return redirect(url_for("patient.account.sign_in"), 303)
    year = _typed_year()
    if year is None:
        return _page("patient/sign_in_year.html", 422, errors={"birth_year": _year_wanted()})
    with writing() as (db, now):
        asked = sign_in.ask_code_for_patient(db, portal().site, patient, _address(), now)
    if asked.limit is not None:
        return _page("patient/sign_in_year.html", 429, errors={"birth_year": _wait()})
    session[_YEAR_IN_SESSION] = year
    return _code_was_sent(asked)


def _code_was_sent(asked: sign_in.Asked) -> Response:
    session[_SHARED_IN_SESSION] = typed("phone_is") == "shared"
    response = redirect(url_for("patient.account.code"), 303)
    doors.set_challenge(response, asked.challenge)
    return response


@blueprint.get("/sign-in/code", endpoint="code")
@public
def show_code() -> Response:
    """Ask for the code."""
    linked_patient()  # for its language
    if not doors.challenge():
        return redirect(url_for("patient.account.sign_in"))
    return _page("patient/sign_in_code.html", 200, **_again())


@blueprint.post("/sign-in/code", endpoint="verify")
@public
def verify() -> Response:
    """Remember this phone if code and year are right."""
    linked_patient()
    words = current_words()
    year, errors = _typed_year(), {}
    try:
        code = read_code(typed("code"), CODE_DIGITS)
    except NotReadable:
        code, errors["code"] = "", words.message("Type the 6 digits of the code.")
    if year is None:
        errors["birth_year"] = _year_wanted()
    if errors or year is None:
        return _page("patient/sign_in_code.html", 422, errors=errors, **_again())
    is_shared = session.get(_SHARED_IN_SESSION) is True
    with writing() as (db, now):
        found = sign_in.verify(
            db, portal().site, doors.challenge(), code, year, now, is_shared=is_shared
        )
        device, owner = viewer().device, doors.person_of(viewer())
        if isinstance(found, sign_in.Remembered) and device is not None and owner is not None:
            devices.forget(db, device, devices.actor_of(owner), now)
    if isinstance(found, sign_in.Refusal):
        return _refused(found)
    return _welcome(found, is_shared=is_shared)


def _refused(refusal: sign_in.Refusal) -> Response:
    words = current_words()
    if refusal is sign_in.Refusal.YEAR:
        errors = {"birth_year": words.message("This year does not match. Please check it.")}
    elif refusal is sign_in.Refusal.PAUSED:
        errors = {"code": words.message("Too many tries. Wait an hour, then ask for a new code.")}
    else:
        errors = {
            "code": words.message(
                "This code does not work. Check the digits, or ask for a new code."
            )
        }
    status = 429 if refusal is sign_in.Refusal.PAUSED else 422
    return _page("patient/sign_in_code.html", status, errors=errors, **_again())


def _welcome(found: sign_in.Remembered, *, is_shared: bool) -> Response:
    language = session.get("language")
    session.clear()  # a new person, a new form token
    if language:
        session["language"] = language
    target = "patient.account.welcome" if found.is_first_time else "patient.home.show"
    response = redirect(url_for(target), 303)
    doors.remember_phone(response, found.token, is_shared=is_shared)
    doors.clear_challenge(response)
    return response


@blueprint.post("/sign-out", endpoint="sign_out")
@public
def sign_out() -> Response:
    """Forget this phone; one that is forgotten already just goes home."""
    who = viewer()
    owner = doors.person_of(who)
    if who.device is not None and owner is not None:
        with writing() as (db, now):
            devices.forget(db, who.device, devices.actor_of(owner), now)
    session.clear()
    response = redirect(url_for("patient.home.show"), 303)
    doors.forget_phone(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


# ---- what was typed


def typed(name: str) -> str:
    """A field as it was typed; nobody's name or number is longer than what is kept here."""
    return request.form.get(name, "")[:_LONGEST_SHOWN]


def _typed_year() -> int | None:
    with reading() as (_db, now):
        this_year = now.year
    try:
        return read_birth_year(typed("birth_year"), this_year)
    except NotReadable:
        return None


def _countries(db: Any) -> list[str]:
    """The countries of all clinics: whose number is meant when no country code is typed."""
    return list(db.scalars(select(Clinic.country).distinct().order_by(Clinic.country)))


def _readings(text: str, countries: list[str]) -> list[str]:
    found: dict[str, None] = {}
    for country in countries:
        try:
            found[read_phone(text, country)] = None
        except NotAPhoneNumber:
            continue
    return list(found)


def _address() -> str:
    return request.remote_addr or ""


# ---- what is said


def _year_wanted() -> str:
    return current_words().message("Type the year with four digits, like 1959.")


def _wait() -> str:
    return current_words().message(
        "We have sent a code. Please wait a minute before you ask for a new one. "
        "Did no text come? Call your clinic."
    )


def _again() -> Mapping[str, Any]:
    """Where a new code is asked for, and the year if it was given before."""
    by_link = LINK_IN_SESSION in session
    target = "patient.account.you" if by_link else "patient.account.sign_in"
    return {"again": url_for(target), "known_year": session.get(_YEAR_IN_SESSION)}


def _page(template: str, status: int, **values: Any) -> Response:
    """A page of this way in; what was typed stays in its fields, but never a code."""
    given = {name: typed(name) for name in ("phone", "birth_year", "phone_is")}
    values.setdefault("errors", {})
    values["has_code"] = bool(doors.challenge())  # somebody who went Back must find the way on
    return make_response(render_template(template, given=given, **values), status)
