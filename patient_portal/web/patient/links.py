"""The link in a text. Looking at it changes nothing: messengers open links by themselves."""

from typing import Any

from flask import g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from patient_portal.models import Clinic, LinkKind, Patient
from patient_portal.services.enrolment import LinkState, OpenedLink, look_at_link
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.context import reading
from patient_portal.web.patient.checkin import render_first_step
from patient_portal.web.patient.entrance import blueprint
from patient_portal.web.patient.form_in_hand import new_key

# Where the token waits in the signed page cookie between "Start" and the code.
LINK_IN_SESSION = "link"


@blueprint.get("/c/<token>", endpoint="link")
@audience(Audience.FORM)
def show(token: str) -> Response:
    """The page that a text points to: today's check-in, or the welcome of an invitation."""
    opened, clinic_name = _look(token)
    if opened.valid_patient is None:
        return _over(opened)
    patient = opened.valid_patient
    who = viewer()
    _speak_as(patient)
    if opened.kind is LinkKind.INVITE:
        if who.patient is not None and who.patient.id == patient.id:
            return redirect(url_for("patient.home.show"))
        return _page("patient/invited.html", 200, token=token, clinic=clinic_name)
    is_theirs = who.patient is not None and who.patient.id == patient.id
    is_helper = any(one.id == patient.id for one in who.helps)
    if who.is_known_phone and not (is_theirs or is_helper) and request.args.get("for") != "link":
        is_shared = who.device is not None and who.device.is_shared
        return _page(
            "patient/whose_link.html", 200, token=token, me=who.patient, is_shared=is_shared
        )
    return _first_step(patient, token, is_recognised=is_theirs or is_helper)


def _first_step(patient: Patient, token: str, *, is_recognised: bool) -> Response:
    page = render_first_step(patient, new_key(), recognised=is_recognised, link_token=token)
    return _unlisted(page)


@blueprint.post("/c/<token>", endpoint="start")
@audience(Audience.FORM)
def start(token: str) -> Response:
    """ "Start" on the welcome page: go on to the year of birth and the code."""
    opened, _ = _look(token)
    if opened.valid_patient is None:
        return _over(opened)
    session[LINK_IN_SESSION] = token
    return redirect(url_for("patient.account.you"), 303)


def linked_patient() -> Patient | None:
    """The patient whose link this browser started from, while the link works."""
    token = session.get(LINK_IN_SESSION)
    if not isinstance(token, str):
        return None
    opened, _ = _look(token)
    if opened.valid_patient is not None:
        _speak_as(opened.valid_patient)
    return opened.valid_patient


def _look(token: str) -> tuple[OpenedLink, str]:
    with reading() as (db, now):
        opened = look_at_link(db, token, now)
        clinic = db.get(Clinic, opened.patient.clinic_id) if opened.patient else None
        db.expunge_all()
    return opened, clinic.name if clinic else ""


def _speak_as(patient: Patient) -> None:
    """The patient's language and emergency number: all that a link shows of a person."""
    if not viewer().is_known_phone:
        g.viewer_language = patient.language
        g.country = patient.country


def _over(opened: OpenedLink) -> Response:
    """A link that is over or never was: how to get in, and what to do in an emergency."""
    if opened.patient is not None:
        _speak_as(opened.patient)
    is_expired = opened.state is LinkState.EXPIRED
    return _page("patient/link_over.html", 410 if is_expired else 404, is_expired=is_expired)


def _page(template: str, status: int, **values: Any) -> Response:
    return _unlisted(make_response(render_template(template, **values), status))


def _unlisted(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
