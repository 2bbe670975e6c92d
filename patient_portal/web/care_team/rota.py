"""The on-call page: everyone of the team reads it, lead and administrator change it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from patient_portal.domain.ladders import LadderRefused
from patient_portal.domain.phone_numbers import NotAPhoneNumber, read_phone
from patient_portal.models import Clinic, Shift, ShiftChange, StaffMember, StaffPhone
from patient_portal.services import duty, own_phones, rota_edit
from patient_portal.services.audit import Actor
from patient_portal.services.own_phones import PhoneRefused
from patient_portal.services.rota_edit import Edit, RotaRefused
from patient_portal.services.rota_plan import read_board
from patient_portal.web.access import Audience, audience
from patient_portal.web.care_team import frame as frames
from patient_portal.web.care_team import rota_form as forms
from patient_portal.web.care_team.inbox import member
from patient_portal.web.care_team.rota_view import Sheet, read_sheet
from patient_portal.web.care_team.rota_words import KIND_WORDS, PHONE_REFUSED, POSITION_WORDS
from patient_portal.web.care_team.showing import clinic_time
from patient_portal.web.context import portal, reading, writing
from patient_portal.web.language import current_words

blueprint = Blueprint("rota", __name__)
# The field at which a refusal is said, where it is not that of the person.
_FIELD = {
    "days": "days", "order": "until", "past": "until", "far": "since", "long": "until",
    "skipped": "starts", "gap": "starts", "nobody": "starts",
}  # fmt: skip
_CHANGE_FIELD = {"since": "from_day", "until": "until_day", "starts": "from_day"}


@dataclass
class Typed:
    """What was typed into each form of the page; what was not sent shows what holds."""

    turn: forms.TurnForm | None = None
    change: forms.ChangeForm | None = None
    phone: forms.PhoneForm | None = None
    place: forms.PlaceForm | None = None
    ladder: forms.LadderForm | None = None
    problem: str = ""


@blueprint.get("/rota")
@audience(Audience.STAFF)
def show() -> Response:
    """Who is on call, the next two weeks, and what must be mended."""
    return _page(200, Typed())


@blueprint.post("/rota/turns")
@audience(Audience.STAFF)
def add_turns() -> Response:
    """Add a weekly turn on some days."""
    me, typed = _lead(), forms.turn_form()
    new = typed.read()
    if new is None:
        return _page(422, Typed(turn=typed))
    try:
        _edit(me, lambda edit: rota_edit.add_turns(edit, new))
    except RotaRefused as error:
        _say(me, typed, "turn", _FIELD, error)
        return _page(422, Typed(turn=typed))
    return _kept("pattern")


@blueprint.post("/rota/turns/<turn_id>/end")
@audience(Audience.STAFF)
def end_turns(turn_id: str) -> Response:
    """End a weekly turn, on all of its days or on one."""
    _must_be_ours(Shift, turn_id)
    day = forms.sent("day")
    weekday = int(day) if day in set("0123456") else None
    return _end(lambda edit: rota_edit.end_turns(edit, turn_id, weekday), "pattern")


@blueprint.post("/rota/changes")
@audience(Audience.STAFF)
def add_change() -> Response:
    """Add a dated change."""
    me, typed = _lead(), forms.change_form()
    new = typed.read()
    if new is None:
        return _page(422, Typed(change=typed))
    try:
        _edit(me, lambda edit: rota_edit.add_change(edit, new))
    except RotaRefused as error:
        fields = {code: _CHANGE_FIELD.get(name, name) for code, name in _FIELD.items()}
        _say(me, typed, "change", fields, error)
        return _page(422, Typed(change=typed))
    return _kept("changes")


@blueprint.post("/rota/changes/<change_id>/end")
@audience(Audience.STAFF)
def end_change(change_id: str) -> Response:
    """Take a dated change back."""
    _must_be_ours(ShiftChange, change_id)
    return _end(lambda edit: rota_edit.end_change(edit, change_id), "changes")


@blueprint.post("/rota/place")
@audience(Audience.STAFF)
def set_place() -> Response:
    """The clinic's own phone and its time zone."""
    me = _lead()
    typed = forms.PlaceForm(forms.sent("catch_all"), forms.sent("zone"))
    with reading() as (db, _):
        country = db.get_one(Clinic, me.clinic_id).country
    try:
        number = read_phone(typed.catch_all, country)
        _edit(me, lambda edit: rota_edit.set_place(edit, number, typed.zone))
    except NotAPhoneNumber:
        typed.errors["catch_all"] = _not_a_number()
    except RotaRefused as error:
        typed.errors["zone" if error.code == "zone" else "catch_all"] = _words_for(me, error)
    return _page(422, Typed(place=typed)) if typed.errors else _kept("place")


@blueprint.post("/rota/ladder")
@audience(Audience.STAFF)
def set_ladder() -> Response:
    """The clinic's own ladder."""
    me, typed = _lead(), forms.ladder_form()
    try:
        _edit(me, lambda edit: rota_edit.set_ladder(edit, typed.read()))
    except LadderRefused as error:
        level = error.at.partition(".")[0]
        with reading() as (db, now):
            said = read_sheet(db, me, now).say.ladder_refused(error)
        typed.errors[level if level in typed.steps else "emergency"] = said
    except RotaRefused as error:
        typed.errors["emergency"] = _words_for(me, error)
    return _page(422, Typed(ladder=typed)) if typed.errors else _kept("ladder")


# ---- phones


@blueprint.post("/rota/phones")
@audience(Audience.STAFF)
def keep_phones() -> Response:
    """One's own two numbers; an empty second one is taken out."""
    me = _on_call_role()
    typed = forms.PhoneForm({rank: forms.sent(f"phone_{rank}") for rank in own_phones.RANKS})
    with reading() as (db, _):
        country = db.get_one(Clinic, me.clinic_id).country
    wanted: dict[int, str] = {}
    for rank, text in typed.numbers.items():
        try:
            wanted[rank] = read_phone(text, country) if text else ""
        except NotAPhoneNumber:
            typed.errors[f"phone_{rank}"] = _not_a_number()
    if typed.errors:
        return _page(422, Typed(phone=typed))
    doing = [1]

    def keep(edit: Edit) -> None:
        for doing[0], number in wanted.items():
            _keep_phone(edit, doing[0], number)

    try:
        _edit(me, keep)
    except PhoneRefused as error:
        typed.errors[f"phone_{doing[0]}"] = current_words().message(PHONE_REFUSED[error.code])
        return _page(422, Typed(phone=typed))
    return _kept("phones")


def _keep_phone(edit: Edit, rank: int, number: str) -> None:
    if number:
        own_phones.keep(edit.session, edit.before, edit.by, rank, number, edit.now)
        return
    held = {phone.rank: phone.id for phone in own_phones.phones_of(edit.session, edit.by.id)}
    if rank in held:
        own_phones.drop(edit.session, edit.before, edit.by, held[rank], edit.now)


@blueprint.post("/rota/phones/<phone_id>/test")
@audience(Audience.STAFF)
def test_phone(phone_id: str) -> Response:
    """Send a test alert: to one's own phone, or as lead to a colleague's.

    From within a form of the page, what was typed there is shown again.
    """
    me = member()
    with reading() as (db, _):
        owner = _owner(db, me, phone_id)
    if owner.id != me.id and me.role not in rota_edit.MAY_CHANGE:
        abort(403)
    typed = Typed()
    if "turn_who" in request.form:
        typed.turn = forms.turn_form()
    elif "change_who" in request.form:
        typed.change = forms.change_form()
    try:
        with writing() as (db, now):
            phone = db.get_one(StaffPhone, phone_id)
            duty.send_test(db, phone, Actor("staff", me.id, me.clinic_id), now)
    except duty.TooManyTests:
        typed.problem = current_words().message(
            "This phone got many test alerts today. Call the person instead."
        )
        return _page(429, typed)
    if typed.turn or typed.change:
        return _page(200, typed, sent_to=owner.name)
    return redirect(url_for("care_team.rota.show", sent=1) + "#phones", 303)


def _owner(db: Session, me: StaffMember, phone_id: str) -> StaffMember:
    phone = db.get(StaffPhone, phone_id)
    owner = db.get_one(StaffMember, phone.staff_id) if phone and phone.number else None
    if owner is None or owner.clinic_id != me.clinic_id or owner.disabled_at is not None:
        abort(404)
    return owner


# ---- what every view needs


def _lead() -> StaffMember:
    me = member()
    if me.role not in rota_edit.MAY_CHANGE:
        abort(403)
    return me


def _on_call_role() -> StaffMember:
    me = member()
    if me.role not in rota_edit.MAY_BE_ON_CALL:
        abort(403)
    return me


def _must_be_ours(kind: type[Shift] | type[ShiftChange], row_id: str) -> None:
    """Another clinic's turns do not exist, whatever one may do."""
    me = member()
    with reading() as (db, _):
        found = db.scalars(select(kind.id).where(kind.id == row_id, kind.clinic_id == me.clinic_id))
        if found.first() is None:
            abort(404)


def _edit(me: StaffMember, change: Callable[[Edit], Any]) -> None:
    with writing() as (db, now):
        change(rota_edit.begin(db, portal().site, db.get_one(StaffMember, me.id), now))


def _end(change: Callable[[Edit], Any], part: str) -> Response:
    me = _lead()
    try:
        _edit(me, change)
    except RotaRefused as error:
        return _page(409, Typed(problem=_words_for(me, error)))
    return _kept(part)


def _kept(part: str) -> Response:
    return redirect(url_for("care_team.rota.show", kept=1) + f"#{part}", 303)


def _words_for(me: StaffMember, error: RotaRefused) -> str:
    with reading() as (db, now):
        return read_sheet(db, me, now).say.refused(error)


def _say(
    me: StaffMember, typed: forms.TurnForm | forms.ChangeForm, form: str, fields: dict[str, str],
    error: RotaRefused,
) -> None:  # fmt: skip
    """Put a refusal beside its field, and offer the test alert where that is the cure."""
    typed.errors[f"{form}_{fields.get(error.code, 'who')}"] = _words_for(me, error)
    if error.code == "unproven" and error.staff_id is not None:
        with reading() as (db, now):
            board = read_board(db, db.get_one(Clinic, me.clinic_id), now)
        phone = board.people[error.staff_id].phone
        typed.unproven = phone.id if phone is not None else ""


def _not_a_number() -> str:
    return current_words().message("This is no phone number. Type it with its area code.")


def _page(status: int, typed: Typed, sent_to: str = "") -> Response:
    me = member()
    with reading() as (db, now):
        frame = frames.load(db, now, me.clinic_id)
        sheet = read_sheet(db, me, now)
        cover = sheet.clinic.cover_confirmed_by
        cover_by = db.get(StaffMember, cover) if cover else None
    words = current_words()
    page = render_template(
        "care_team/rota.html",
        frame=frame,
        sheet=sheet,
        typed=typed,
        turn=typed.turn or forms.TurnForm(since=sheet.today.isoformat()),
        change=typed.change or forms.ChangeForm(),
        phone=typed.phone or _my_numbers(sheet),
        place=typed.place or forms.PlaceForm(sheet.clinic.catch_all or "", sheet.clinic.zone),
        ladder=typed.ladder or forms.ladder_as_it_holds(sheet.ladder),
        positions=[(key, words.message(text)) for key, text in POSITION_WORDS.items()],
        position_words={key: words.message(text) for key, text in POSITION_WORDS.items()},
        weekdays=[(str(number), sheet.say.weekday(number)) for number in range(7)],
        kinds=[(kind.value, words.message(text)) for kind, text in KIND_WORDS.items()],
        errors=_errors(typed),
        cover_by=cover_by.name if cover_by else "",
        sent_to=sent_to,
        was_sent="sent" in request.args or bool(sent_to),
        was_kept="kept" in request.args and status == 200,
        clinic_time=clinic_time,
    )
    return make_response(page, status)


def _my_numbers(sheet: Sheet) -> forms.PhoneForm:
    return forms.PhoneForm({phone.rank: phone.number for phone in sheet.my_phones})


def _errors(typed: Typed) -> dict[str, str]:
    found: dict[str, str] = {}
    for form in (typed.turn, typed.change, typed.phone, typed.place, typed.ladder):
        found.update(form.errors if form is not None else {})
    return found
