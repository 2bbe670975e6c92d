"""The first page after signing in, and the settings: hour of the text, language, place, units."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import make_response, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from patient_portal.domain.places import PLACES
from patient_portal.domain.schedule import within_waking_hours
from patient_portal.models import Caregiver, Clinic, Patient
from patient_portal.services import devices, profile
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.context import reading, writing
from patient_portal.web.language import current_language, current_words, language_choices
from patient_portal.web.page import country_name
from patient_portal.web.patient.entrance import blueprint
from patient_portal.web.patient.signing_in import typed
from patient_portal.words import format_time

_FIELDS = ("reminder_at", "language", "country", "temperature_unit", "weight_unit")


@blueprint.get("/welcome", endpoint="welcome")
@audience(Audience.PATIENT)
def show_welcome() -> Response:
    """What this is, when answers are read, and the settings with their defaults."""
    return _page("patient/welcome.html", 200)


@blueprint.post("/welcome", endpoint="keep_welcome")
@audience(Audience.PATIENT)
def keep_welcome() -> Response:
    """Keep the settings of the first visit and go home."""
    return _keep("patient/welcome.html", "patient.home.show")


@blueprint.get("/settings", endpoint="settings")
@audience(Audience.PATIENT)
def show() -> Response:
    """The settings."""
    return _page("patient/settings.html", 200)


@blueprint.post("/settings", endpoint="keep_settings")
@audience(Audience.PATIENT)
def keep() -> Response:
    """Keep the settings and say so on the same page."""
    return _keep("patient/settings.html", "patient.account.settings")


def _keep(template: str, target: str) -> Response:
    who = viewer()
    given = {name: typed(name) for name in _FIELDS}
    errors = _faults(given, is_patient=who.patient is not None)
    if errors:
        return _page(template, 422, given=given, errors=errors)
    with writing() as (db, now):
        if who.patient is not None:
            patient = db.get_one(Patient, who.patient.id, with_for_update={"key_share": True})
            profile.change(db, patient, _preferences(given), devices.actor_of(patient), now)
        elif who.caregiver is not None:
            caregiver = db.get_one(Caregiver, who.caregiver.id)
            actor = devices.actor_of(caregiver)
            profile.change_language(db, caregiver, given["language"], actor, now)
    session["language"] = given["language"]
    return redirect(
        url_for(target, kept=1) if target.endswith("settings") else url_for(target), 303
    )


def _preferences(given: dict[str, str]) -> profile.Preferences:
    return profile.Preferences(
        reminder_at=time.fromisoformat(given["reminder_at"]),
        language=given["language"],
        country=given["country"],
        temperature_unit=given["temperature_unit"],
        weight_unit=given["weight_unit"],
    )


def _faults(given: dict[str, str], *, is_patient: bool) -> dict[str, str]:
    words = current_words()
    faults = {}
    if given["language"] not in {one.code for one in language_choices()}:
        faults["language"] = words.message("Choose a language from the list.")
    if not is_patient:
        return faults
    if not _is_waking_hour(given["reminder_at"]):
        faults["reminder_at"] = words.message("Choose a time from 8:00 to 20:59.")
    if given["country"] not in PLACES:
        faults["country"] = words.message("Choose a country from the list.")
    if given["temperature_unit"] not in ("c", "f"):
        faults["temperature_unit"] = words.message("Choose one of the two.")
    if given["weight_unit"] not in ("kg", "lb"):
        faults["weight_unit"] = words.message("Choose one of the two.")
    return faults


def _is_waking_hour(text: str) -> bool:
    try:
        at = time.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 5 and within_waking_hours(at) == at


# ---- what is shown


def _page(
    template: str,
    status: int,
    given: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    who = viewer()
    person = who.patient or who.caregiver
    assert person is not None  # noqa: S101 - the audience is remembered phones
    with reading() as (db, now):
        clinic = db.get_one(Clinic, person.clinic_id)
        db.expunge_all()
    values: dict[str, Any] = {
        "given": given or _present(who.patient, person.language),
        "errors": errors or {},
        "patient": who.patient,
        "helped": who.helps,
        "clinic": clinic,
        "hours": _hours(clinic, now),
        "languages": [(one.code, one.name) for one in language_choices()],
    }
    if who.patient is not None:
        values["countries"] = sorted(
            ((code, country_name(code)) for code in PLACES), key=lambda each: each[1]
        )
        values["times"] = _times(who.patient, now)
    return make_response(render_template(template, **values), status)


def _present(patient: Patient | None, language: str) -> dict[str, str]:
    if patient is None:
        return {"language": language}
    return {
        "reminder_at": f"{patient.reminder_at:%H:%M}",
        "language": current_language() if session.get("language") else patient.language,
        "country": patient.country,
        "temperature_unit": patient.temperature_unit,
        "weight_unit": patient.weight_unit,
    }


def _times(patient: Patient, now: datetime) -> list[tuple[str, str]]:
    """Every half hour by day, and the patient's own time if it is another."""
    hours = {time(hour, minute) for hour in range(8, 21) for minute in (0, 30)}
    hours.add(patient.reminder_at.replace(second=0, microsecond=0))
    return [(f"{at:%H:%M}", _clock_words(at, patient.country, now)) for at in sorted(hours)]


def _hours(clinic: Clinic, now: datetime) -> tuple[str, str]:
    return (
        _clock_words(clinic.staffed_from, clinic.country, now),
        _clock_words(clinic.staffed_until, clinic.country, now),
    )


def _clock_words(at: time, country: str, now: datetime) -> str:
    """A wall time as people of ``country`` write it; it belongs to no day, so to no zone."""
    moment = datetime.combine(now.date(), at, tzinfo=UTC)
    return format_time(moment, ZoneInfo("UTC"), current_language(), country)
