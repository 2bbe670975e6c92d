"""Signing in and out of the care team's pages."""

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from patient_portal.services import accounts
from patient_portal.web import doors
from patient_portal.web.access import Audience, audience, public, viewer
from patient_portal.web.context import portal, writing
from patient_portal.web.language import current_words, local_path

blueprint = Blueprint("account", __name__)


@blueprint.get("/sign-in")
@public
def sign_in() -> Response:
    """Ask for e-mail and password; somebody who is signed in goes on."""
    target = _next(request.args.get("next", ""))
    if viewer().staff is not None:
        return redirect(target)
    return _page(200, target)


@blueprint.post("/sign-in")
@public
def check() -> Response:
    """Open a session if e-mail and password are right. What is said never tells which was wrong."""
    words, target = current_words(), _next(request.form.get("next", ""))
    email, password = request.form.get("email", ""), request.form.get("password", "")
    if not email.strip() or not password:
        return _page(422, target, words.message("Type your e-mail and your password."))
    with writing() as (db, now):
        attempt = accounts.start_sign_in(db, portal().site, email, request.remote_addr or "", now)
    if attempt.limit is not None:
        return _page(429, target, words.message("Too many tries. Please wait 15 minutes."))
    if not accounts.proves(attempt, password):
        with writing() as (db, now):
            accounts.note_failure(db, attempt, now)
        return _page(422, target, words.message("E-mail and password do not match an account."))
    return _let_in(attempt, target)


def _let_in(attempt: accounts.SignIn, target: str) -> Response:
    assert attempt.staff_id is not None  # noqa: S101 - the password proved it
    before = viewer()
    with writing() as (db, now):
        if before.staff_session is not None and before.staff is not None:
            actor = accounts.actor_of(before.staff)
            accounts.sign_out(db, before.staff_session, actor, now)
        token = accounts.open_session(db, attempt.staff_id, now, rate_key=attempt.rate_key)
    session.clear()  # a new person, a new form token
    response = redirect(target, 303)
    doors.let_staff_in(response, token)
    return response


@blueprint.post("/sign-out")
@audience(Audience.STAFF)
def sign_out() -> Response:
    """End this session."""
    who = viewer()
    if who.staff is not None and who.staff_session is not None:
        with writing() as (db, now):
            accounts.sign_out(db, who.staff_session, accounts.actor_of(who.staff), now)
    session.clear()
    response = redirect(url_for("care_team.account.sign_in"), 303)
    doors.let_staff_out(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _next(asked: str) -> str:
    """Where to go after signing in: a page of the care team on this site, else the inbox."""
    target = local_path(asked)
    is_ours = target.startswith("/staff/") and not target.startswith("/staff/sign-")
    return target if is_ours and ".." not in target else url_for("care_team.inbox.show")


def _page(status: int, target: str, sentence: str = "") -> Response:
    page = render_template(
        "care_team/sign_in.html",
        target=target,
        email=request.form.get("email", "")[:200],
        errors={"email": sentence} if sentence else {},
    )
    return make_response(page, status)
