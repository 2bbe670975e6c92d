"""Who may open which page. Closed by default: a view that names nobody stops the start.

Views say ``@public``, ``@audience(Audience.STAFF)`` and so on. ``install`` looks at every route
when the app is built, and before each request it lets in only who was named.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from patient_portal.models import Caregiver, Device, Patient, StaffMember, StaffSession

View = TypeVar("View", bound=Callable[..., Any])


class Audience(StrEnum):
    """Who a view is for."""

    PUBLIC = "public"  # no sign-in; shows no data of a person
    FORM = "form"  # a check-in form: remembered phone, or a valid link, or the form's own key
    PATIENT = "patient"  # a remembered phone, of a patient or a caregiver
    STAFF = "staff"
    GATEWAY = "gateway"  # the SMS gateway, proven by its signature
    DEMO = "demo"  # mounted by the demo only


@dataclass
class Viewer:
    """Who looks at this page, as far as it was proven. Empty = a stranger."""

    patient: Patient | None = None
    caregiver: Caregiver | None = None
    device: Device | None = None
    staff: StaffMember | None = None
    staff_session: StaffSession | None = None
    helps: list[Patient] = field(default_factory=list)  # patients a caregiver may report for

    @property
    def is_known_phone(self) -> bool:
        """Whether this is a remembered phone."""
        return self.patient is not None or self.caregiver is not None


def viewer() -> Viewer:
    """Who looks at this page."""
    found = g.get("viewer")
    return found if isinstance(found, Viewer) else Viewer()


def audience(who: Audience) -> Callable[[View], View]:
    """Mark a view as meant for ``who``."""

    def mark(view: View) -> View:
        view.audience = who  # type: ignore[attr-defined]
        return view

    return mark


public = audience(Audience.PUBLIC)


class ViewWithoutAudience(RuntimeError):
    """A route whose view names nobody. Mark it, or it would be open by oversight."""


def audience_of(app: Flask, endpoint: str) -> Audience:
    """Whom the endpoint is for. Raises ViewWithoutAudience when it does not say."""
    found = getattr(app.view_functions[endpoint], "audience", None)
    if not isinstance(found, Audience):
        raise ViewWithoutAudience(endpoint)
    return found


def install(app: Flask, recognise: Callable[[], Viewer]) -> None:
    """Check every route's mark and guard every request. ``recognise`` finds out who looks."""
    for rule in app.url_map.iter_rules():
        audience_of(app, rule.endpoint)

    @app.before_request
    def guard() -> BaseResponse | Response | None:
        if request.endpoint is None:
            return None
        if any("\0" in str(value) for value in (request.view_args or {}).values()):
            abort(404)  # no name holds it, and one of our engines refuses to compare it
        wanted = audience_of(app, request.endpoint)
        if wanted is Audience.GATEWAY:
            return None  # the view checks the signature before anything else
        g.viewer = recognise()
        if wanted is Audience.STAFF and viewer().staff is None:
            if request.method == "GET":
                return redirect(url_for("care_team.account.sign_in", next=request.path))
            abort(403)
        if wanted is Audience.PATIENT and not viewer().is_known_phone:
            if request.method == "GET":
                return redirect(url_for("patient.account.sign_in"))
            abort(403)
        return None
