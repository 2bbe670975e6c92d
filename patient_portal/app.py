"""``create_app``: the one place where the parts are wired together."""

from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from patient_portal.clock import clock_of
from patient_portal.config import Settings
from patient_portal.database import Database
from patient_portal.paths import shipped
from patient_portal.services.site import site_of
from patient_portal.web import (
    access,
    alarm,
    care_team,
    errors,
    headers,
    health,
    language,
    patient,
    refusals,
    webhooks,
)
from patient_portal.web.context import Portal
from patient_portal.web.doors import recognise

# A check-in opened in the morning can be sent at night: its token lives as long as the form.
FORM_TOKEN_LIVES = timedelta(hours=36)
LARGEST_FORM = 64 * 1024


def create_app(settings: Settings, database: Database | None = None) -> Flask:
    """Build the web application.

    Raises:
        ProtocolError: the clinical protocol has a fault.
        ViewWithoutAudience: a route does not say whom it is for.
    """
    app = Flask(
        "patient_portal",
        template_folder=str(shipped("templates")),
        static_folder="web/static",
        static_url_path="/static",
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        # Form tokens too: the last key signs, the others still count, so a form that was open
        # when the key was changed can be sent.
        WTF_CSRF_SECRET_KEY=[*settings.secret_key_fallbacks, settings.secret_key],
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_PARTS=200,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        SESSION_COOKIE_NAME="__Host-page" if settings.is_https else "page",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=FORM_TOKEN_LIVES,
        WTF_CSRF_TIME_LIMIT=int(FORM_TOKEN_LIVES.total_seconds()),
        WTF_CSRF_SSL_STRICT=False,  # no referrer is ever sent; the token and SameSite stand
        TRUSTED_HOSTS=[settings.host, *settings.trusted_hosts],
    )
    # Options come first: the environment is made when it is first looked at.
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.undefined = StrictUndefined
    app.extensions["portal"] = Portal(
        settings=settings,
        database=database or Database(settings.database_url),
        clock=clock_of(demo=settings.demo),
        site=site_of(settings),
    )
    csrf = CSRFProtect(app)
    language.init_language(app, settings)
    headers.install(app)
    alarm.install(app)
    errors.install(app)
    refusals.install(app)
    app.register_blueprint(patient.blueprint)
    app.register_blueprint(care_team.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(webhooks.blueprint)
    csrf.exempt(webhooks.blueprint)
    if settings.demo:
        from patient_portal.web import demo

        app.register_blueprint(demo.blueprint)
        for part in demo.parts:  # Flask-WTF looks at a view's innermost blueprint
            csrf.exempt(part)
    access.public(app.view_functions["static"])
    access.install(app, recognise)
    _stand_behind_proxies(app, settings)
    return app


def _stand_behind_proxies(app: Flask, settings: Settings) -> None:
    files = WhiteNoise(app.wsgi_app, autorefresh=settings.demo, max_age=3600)
    files.add_files(str(app.static_folder), prefix="static/")
    app.wsgi_app = files  # type: ignore[method-assign]
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
