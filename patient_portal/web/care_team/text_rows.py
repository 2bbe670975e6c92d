"""Texts from people, ready to be shown: the words as they were written, who, when, how to call."""

from collections.abc import Iterable
from typing import NamedTuple

from flask import url_for

from patient_portal.services.texts_in import TextLine
from patient_portal.web.care_team.frame import Frame
from patient_portal.words import Words


class TextRow(NamedTuple):
    """One text. ``href`` is the patient's page, empty where nobody knows whose text it is."""

    id: str
    level: str
    who: str
    is_number: bool  # ``who`` is a phone number
    note: str
    href: str
    at: str
    body: str
    phone: str


def text_rows(lines: Iterable[TextLine], frame: Frame, words: Words) -> list[TextRow]:
    """The texts as rows, in the same order."""
    return [_row(line, frame, words) for line in lines]


def _row(line: TextLine, frame: Frame, words: Words) -> TextRow:
    who, note = line.patient or line.staff or line.phone, ""
    if line.helper:
        who = line.helper
        note = words.message("helps %(name)s", name=line.patient) if line.patient else ""
    elif line.patient is None and line.staff is None:
        note = words.message("a phone we do not know")
    if line.handled_as == "looping":
        note = words.message("writes again and again: perhaps a machine")
    return TextRow(
        id=line.id,
        level=line.level.code if line.level.is_red else "",
        who=who,
        is_number=who == line.phone,
        note=note,
        href=(
            url_for("care_team.patients.one", patient_id=line.patient_id) if line.patient_id else ""
        ),
        at=frame.time(line.received_at),
        body=line.body,
        phone=line.phone,
    )
