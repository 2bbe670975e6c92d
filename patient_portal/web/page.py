"""What every page may say of itself: static addresses, phone numbers, the emergency number."""

import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import phonenumbers
from babel import Locale, UnknownLocaleError
from flask import Flask, current_app, g, has_request_context, request, url_for
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import MultiDict

from patient_portal.domain.places import PLACES, Place, place_of
from patient_portal.models import Clinic
from patient_portal.web.access import viewer
from patient_portal.web.context import portal, reading
from patient_portal.web.language import current_language

COUNTRY_COOKIE = "country"


def install(app: Flask) -> None:
    """Give templates the functions and values that the frame of every page needs."""
    app.jinja_env.globals.update(
        static_url=static_url,
        language_link=language_link,
        dialled=dialled,
        phone_text=phone_text,
        emergency=here,
        country_name=country_name,
    )
    app.context_processor(_frame)


def _frame() -> dict[str, object]:
    return {"is_demo": portal().settings.demo, "clinic_name": g.get("clinic_name", "")}


@lru_cache(maxsize=64)
def _version(path: Path, _changed: float) -> str:
    return sha256(path.read_bytes()).hexdigest()[:10]


def static_url(name: str) -> str:
    """The address of a static file; it changes with the file's content."""
    path = Path(str(current_app.static_folder)) / name
    try:
        version = _version(path, path.stat().st_mtime)
    except OSError:  # a page without its style is better than no page
        version = "0"
    return url_for("static", filename=name, v=version)


def language_link(code: str) -> str:
    """This page in another language: the same path, and the form's key and door if it has them."""
    asked: MultiDict[str, str] = MultiDict(request.args)
    for name in ("form", "for", "link") if request.method == "POST" else ():
        if request.form.get(name):
            asked[name] = request.form[name][:64]
    asked["lang"] = code
    # A page that answers a form may be looked at too, by another function.
    if not current_app.url_map.bind("").test(request.path, "GET"):
        return url_for("patient.home.show", lang=code)
    query = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in asked.items())
    return f"{_quoted(request.path, safe='/')}?{query}"


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")


# ---- phone numbers


def dialled(number: str) -> str:
    """A number as a ``tel:`` address takes it: short codes bare, others in E.164."""
    return "".join(sign for sign in number if sign.isdigit() or sign == "+")


def phone_text(number: str, country: str | None = None) -> str:
    """An E.164 number as people of ``country`` write it; anything else as it is."""
    return _written(number, country or here().country)


@lru_cache(maxsize=1024)
def _written(number: str, country: str) -> str:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    at_home = phonenumbers.region_code_for_number(parsed) == country
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if at_home
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(parsed, style)


# ---- where the reader is


def here() -> Place:
    """The place whose emergency number this page shows.

    The person's own country of stay; else the one chosen on this phone; else the fallback.
    """
    if not has_request_context():
        return place_of(None)
    forced = g.get("country")
    if isinstance(forced, str) and forced:
        return place_of(forced)
    who = viewer()
    if who.patient is not None:
        return place_of(who.patient.country)
    if who.helps:
        return place_of(who.helps[0].country)
    chosen = request.cookies.get(COUNTRY_COOKIE, "")
    return place_of(chosen if chosen in PLACES else _home_country())


# Database address -> when it was looked at (monotonic seconds), and the country of its clinics.
_HOMES: dict[str, tuple[float, str]] = {}
_LOOK_AGAIN_AFTER = 60.0


def _home_country() -> str:
    """The country of this portal's clinics; empty when they are in several, or cannot be read.

    Asked rarely, so that a database that is away does not keep anybody waiting for help.
    """
    address = str(portal().database.engine.url)
    looked_at, country = _HOMES.get(address, (None, ""))
    if looked_at is not None and time.monotonic() - looked_at < _LOOK_AGAIN_AFTER:
        return country
    try:
        with reading() as (session, _):
            found = set(session.scalars(select(Clinic.country).distinct()))
        country = found.pop() if len(found) == 1 else ""
    except SQLAlchemyError:
        pass  # what was known before stands
    _HOMES[address] = (time.monotonic(), country)
    return country


def country_name(code: str) -> str:
    """A country's name in the reader's language; its code where no name is known."""
    return _country_names(current_language()).get(code, code)


@lru_cache(maxsize=64)
def _country_names(language: str) -> dict[str, str]:
    try:
        names = Locale.parse(language).territories
    except (UnknownLocaleError, ValueError):
        names = Locale.parse("en").territories
    return {code: names.get(code, code) for code in PLACES}
