"""`/learn`: pages that explain the illness and the medicine. Open to everyone."""

from datetime import date
from typing import Any

from flask import Blueprint, abort, render_template, request
from markupsafe import Markup

from patient_portal.education import Page, page, pages, readable
from patient_portal.education.library import MEDICINES
from patient_portal.education.reading import ReadableBlock, medicine_names, text
from patient_portal.models import Clinic
from patient_portal.web.access import public, viewer
from patient_portal.web.context import reading
from patient_portal.web.language import current_language, current_words
from patient_portal.web.page import here
from patient_portal.words import Words, format_date

blueprint = Blueprint("education", __name__)


@blueprint.get("/learn")
@public
def index() -> str:
    """Every page, by title and summary."""
    return render_template(
        "patient/learn_index.html", entries=_entries(current_words()), as_english=as_english
    )


def _entries(words: Words) -> list[dict[str, Any]]:
    return [
        {
            "slug": found.slug,
            "title": text(found.title, words, {}),
            "summary": text(found.summary, words, {}),
        }
        for found in pages().values()
    ]


@blueprint.get("/learn/<slug>", endpoint="page")
@public
def show(slug: str) -> str:
    """One page; `?medicine=` chooses among its parts, a known person's own stands first."""
    found = page(slug)
    if found is None:
        abort(404)
    medicine = _medicine() if found.is_about_medicines else None
    number = here().number
    words = current_words()
    return render_template(
        "patient/learn.html",
        slug=found.slug,
        page=readable(
            found, words, medicine=medicine, values={"emergency_number": isolated(number)}
        ),
        others=[entry for entry in _entries(words) if entry["slug"] != slug],
        choices=medicine_names(found, words),
        medicine=medicine,
        as_english=as_english,
        emergency_number=number,
        number=isolated(number),
        team_line=_team_line(),
        **_imprint(found),
    )


def _imprint(found: Page) -> dict[str, Any]:
    return {
        "sources": found.sources,
        "reviewer": found.reviewer,
        "reviewed_on": _day(found.reviewed_on),
        "next_review": _day(found.next_review),
        "changed_on": _day(found.changed_on),
    }


def _day(day: date | None) -> str:
    return format_date(day, current_language()) if day else ""


def _medicine() -> str | None:
    asked = request.args.get("medicine")
    if asked in MEDICINES:
        return asked
    known = viewer()
    person = known.patient or (known.helps[0] if len(known.helps) == 1 else None)
    return person.drug if person else None


def _team_line() -> str:
    """Return the clinic's number for a known person; a stranger has none."""
    known = viewer()
    person = known.patient or (known.helps[0] if known.helps else None)
    if person is None:
        return ""
    with reading() as (session, _now):
        clinic = session.get(Clinic, person.clinic_id)
        return clinic.line if clinic else ""


def as_english(block: ReadableBlock) -> Markup:
    """Return the attributes that tell a screen reader that a block is in English."""
    return Markup(' lang="en" dir="ltr"') if block.is_english else Markup()


def isolated(number: str) -> Markup:
    """Return a number that keeps its order in a line that runs right to left."""
    return Markup('<bdi class="num">{}</bdi>').format(number)
