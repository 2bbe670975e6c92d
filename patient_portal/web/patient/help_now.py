"""`/help-now`: what to do in an emergency. Open to everyone, whatever else is broken."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from patient_portal.domain.places import PLACES
from patient_portal.web.access import public, viewer
from patient_portal.web.page import country_name, here
from patient_portal.web.patient.form_in_hand import keep_country, team_line

blueprint = Blueprint("help_now", __name__)


@blueprint.get("/help-now")
@public
def show() -> Response:
    """The emergency number of where the reader is, and every other checked one."""
    return page()


def page() -> Response:
    """The guidance itself; asks the database for nothing it cannot do without."""
    place = here()
    countries = sorted(
        ((code, country_name(code), found.number) for code, found in PLACES.items()),
        key=lambda row: row[1].casefold(),
    )
    return make_response(
        render_template(
            "patient/help_now.html", place=place, countries=countries, line=team_line(),
            is_known=viewer().is_known_phone,
        )
    )  # fmt: skip


@blueprint.post("/help-now")
@public
def choose() -> BaseResponse:
    """Keep a country on this phone, and nothing else, and show its number."""
    code = request.form.get("country", "").upper()
    if code not in PLACES:
        return page()
    response = redirect(url_for("patient.help_now.show"), 303)
    return keep_country(response, code)
