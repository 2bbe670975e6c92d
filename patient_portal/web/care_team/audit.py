"""The audit log for lead and auditor: filters, fifty entries a page, and a copy to take away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, make_response, render_template, request
from werkzeug.wrappers import Response

from patient_portal.domain.schedule import readable_zone
from patient_portal.domain.sheet_cells import sheet
from patient_portal.models import StaffMember
from patient_portal.services import accounts, audit_reading
from patient_portal.services.audit_reading import Choices, Filters, Line
from patient_portal.web.access import Audience, audience, viewer
from patient_portal.web.care_team import audit_words
from patient_portal.web.care_team import frame as frames
from patient_portal.web.context import reading, writing
from patient_portal.web.language import current_words
from patient_portal.words import Words, mark_message

blueprint = Blueprint("audit", __name__)
_BYTE_ORDER_MARK = "\ufeff"  # without it one spreadsheet reads the file in another alphabet


def may_read() -> bool:
    """Whether who looks may read the audit log. A function for templates too."""
    staff = viewer().staff
    return staff is not None and staff.role in audit_reading.MAY_READ


_HEADS = (
    mark_message("Number"),
    mark_message("Time"),
    mark_message("Who"),
    mark_message("What"),
    mark_message("About"),
    mark_message("Code"),
)
blueprint.add_app_template_global(may_read, "may_read_audit")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    at: str
    who: str
    what: str
    about: str
    patient_id: str | None


def _reader() -> StaffMember:
    staff = viewer().staff
    if staff is None or not may_read():
        abort(403)
    return staff


@blueprint.get("/audit")
@audience(Audience.STAFF)
def show() -> Response:
    """A page of the log. That it was read is an entry of its own."""
    me, words = _reader(), current_words()
    with reading() as (db, _now):
        choices = audit_reading.choices(db, me.clinic_id)
    asked, fault = _asked(choices)
    with writing() as (db, now):
        audit_reading.note_look(db, asked, accounts.actor_of(me), now)
    with reading() as (db, now):
        frame = frames.load(db, now, me.clinic_id)
        page = audit_reading.read(db, me.clinic_id, asked, _before())
        rows = [
            Row(
                frame.time(line.at),
                audit_words.who_words(words, line),
                audit_words.action_words(words, line.action),
                audit_words.about_words(words, line),
                line.patient_id,
            )
            for line in page.lines
        ]
        db.expunge_all()
    html = render_template(
        "care_team/audit.html",
        rows=rows,
        asked=asked,
        given=_given(asked),
        before=page.before,
        is_first=_before() is None,
        choices=choices,
        actions=sorted(
            ((code, audit_words.action_words(words, code)) for code in choices.actions),
            key=lambda each: each[1],
        ),
        errors={"day": fault} if fault else {},
        typed_day=request.args.get("day", "")[:20],
    )
    return make_response(html, 422 if fault else 200)


@blueprint.get("/audit.csv")
@audience(Audience.STAFF)
def take() -> Response:
    """What was asked for as a table for a spreadsheet, at most ten thousand entries."""
    me, words = _reader(), current_words()
    with writing() as (db, now):
        asked, fault = _asked(audit_reading.choices(db, me.clinic_id))
        if fault:
            abort(400)
        by = accounts.actor_of(me)
        page = audit_reading.export(db, me.clinic_id, asked, by, now)
        zone = ZoneInfo(readable_zone(frames.load(db, now, me.clinic_id).clinic.zone))
    heads = [words.message(said) for said in _HEADS]
    table = sheet([heads, *(_cells(words, line, zone) for line in page.lines)])
    response = make_response(_BYTE_ORDER_MARK + table)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"audit-{now.astimezone(zone):%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cells(words: Words, line: Line, zone: ZoneInfo) -> list[str]:
    return [
        str(line.seq),
        line.at.astimezone(zone).isoformat(timespec="seconds"),
        audit_words.who_words(words, line),
        audit_words.action_words(words, line.action),
        audit_words.about_words(words, line),
        line.action,
    ]


# ---- what was asked for


def _asked(choices: Choices) -> tuple[Filters, str]:
    """The filters, and what is wrong with them. A name that was not offered filters nothing."""
    typed = request.args.get("day", "").strip()
    day, fault = None, ""
    if typed:
        try:
            day = date.fromisoformat(typed)
            if len(typed) != 10 or not 2000 <= day.year <= 2999:
                raise ValueError(typed)
        except ValueError:
            day, fault = None, current_words().message("Choose a day, or leave it empty.")
    return Filters(
        person=_one_of("person", [each for each, _ in choices.people]),
        patient=_one_of("patient", [each for each, _ in choices.patients]),
        action=_one_of("action", choices.actions),
        day=day,
    ), fault


def _one_of(name: str, offered: Sequence[str]) -> str:
    given = request.args.get(name, "")
    return given if given in offered else ""


def _given(asked: Filters) -> dict[str, str]:
    """The filters as parts of an address."""
    found = {
        "person": asked.person, "patient": asked.patient, "action": asked.action,
        "day": asked.day.isoformat() if asked.day else "",
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _before() -> int | None:
    given = request.args.get("before", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 15 else None
