"""Security headers of every answer, written by ``secure`` with a policy of our own."""

from flask import Flask, Response, request
from secure import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
)

from patient_portal.web import page
from patient_portal.web.context import portal

_YEAR = 365 * 24 * 3600
_NONE = "'none'"
_SELF = "'self'"
_UNUSED_FEATURES = (
    "camera", "microphone", "geolocation", "payment", "usb", "midi",
    "display-capture", "accelerometer", "gyroscope", "magnetometer", "browsing-topics",
)  # fmt: skip


def _policy() -> ContentSecurityPolicy:
    """Everything is refused but what this origin serves; nothing inline, nothing framed."""
    return (
        ContentSecurityPolicy()
        .default_src(_NONE)
        .script_src(_SELF)
        .style_src(_SELF)
        .img_src(_SELF, "data:")
        .connect_src(_SELF)
        .manifest_src(_SELF)
        .worker_src(_SELF)
        .form_action(_SELF)
        .frame_ancestors(_NONE)
        .base_uri(_NONE)
    )


def _headers(*, is_https: bool) -> dict[str, str]:
    permissions = PermissionsPolicy()
    for feature in _UNUSED_FEATURES:
        permissions.add_directive(feature)
    secure = Secure(
        csp=_policy(),
        referrer=ReferrerPolicy().no_referrer(),
        xcto=XContentTypeOptions().nosniff(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=permissions,
        hsts=StrictTransportSecurity().max_age(_YEAR).include_subdomains() if is_https else None,
    )
    return dict(secure.headers)


def install(app: Flask) -> None:
    """Add the headers to every answer, and the frame's functions to every template."""
    page.install(app)
    private = CacheControl().no_store().header_value
    built: dict[str, str] = {}

    @app.after_request
    def add_headers(response: Response) -> Response:
        if not built:
            built.update(_headers(is_https=portal().settings.is_https))
        for name, value in built.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":  # every page may name somebody
            response.headers["Cache-Control"] = private
        return response
