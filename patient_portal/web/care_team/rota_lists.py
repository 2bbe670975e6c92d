"""The lists of the on-call page: weekly turns, dated changes, and how each person is reached."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.rota import Position
from patient_portal.domain.rota_check import Trouble
from patient_portal.models import Shift, ShiftChange
from patient_portal.services.rota_plan import Colleague
from patient_portal.web.care_team.rota_words import KIND_WORDS, RotaWords


@dataclass(frozen=True)
class TurnRow:
    """Weekly turns that were entered together."""

    id: str
    position: str
    who: str
    hours: str
    days: list[tuple[int, str]]
    dates: str


@dataclass(frozen=True)
class ChangeRow:
    """A dated change that is not over."""

    id: str
    what: str
    hours: str
    by: str


@dataclass(frozen=True)
class PersonRow:
    """How somebody can be reached."""

    id: str
    name: str
    trouble: str
    proven: str
    phone_id: str  # that a test would go to; empty = none can


def turn_rows(say: RotaWords, session: Session, today: date) -> list[TurnRow]:
    """The weekly turns that are not over, those entered together in one row."""
    groups: dict[tuple[object, ...], list[Shift]] = {}
    order = list(Position)
    for row in session.scalars(select(Shift).where(Shift.clinic_id == say.board.clinic.id)):
        if row.valid_until is None or row.valid_until >= today:
            same = (
                order.index(row.position), say.board.name(row.staff_id), row.staff_id,
                row.starts, row.ends, row.valid_from, row.valid_until or date.max,
            )  # fmt: skip
            groups.setdefault(same, []).append(row)
    return [_turn_row(say, today, groups[same]) for same in sorted(groups, key=str)]


def _turn_row(say: RotaWords, today: date, rows: list[Shift]) -> TurnRow:
    one = rows[0]
    hours = say.words.message(
        "%(start)s to %(end)s", start=say.wall(one.starts), end=say.wall(one.ends)
    )
    if one.starts == one.ends:
        hours = say.words.message("24 hours from %(time)s", time=say.wall(one.starts))
    dates = []
    if one.valid_from > today:
        dates.append(say.words.message("from %(time)s", time=say.day(one.valid_from)))
    if one.valid_until is not None:
        dates.append(say.words.message("last on %(day)s", day=say.day(one.valid_until)))
    days = sorted({row.weekday for row in rows})
    return TurnRow(
        one.id, say.position(one.position.value), say.board.name(one.staff_id), hours,
        [(day, say.weekday(day)) for day in days], ", ".join(dates),
    )  # fmt: skip


def change_rows(say: RotaWords, session: Session, now: datetime) -> list[ChangeRow]:
    """The dated changes that are not over."""
    here = now.astimezone(say.board.zone).replace(tzinfo=None)
    rows = session.scalars(
        select(ShiftChange)
        .where(
            ShiftChange.clinic_id == say.board.clinic.id, ShiftChange.ended_at.is_(None),
            ShiftChange.ends_local > here,
        )
        .order_by(ShiftChange.starts_local)
    )  # fmt: skip
    return [
        ChangeRow(
            row.id,
            f"{say.board.name(row.staff_id)}, {say.position(row.position.value)}: "
            f"{say.words.message(KIND_WORDS[row.kind])}",
            say.words.message(
                "%(start)s to %(end)s",
                start=f"{say.day(row.starts_local.date())}, {say.wall(row.starts_local.time())}",
                end=f"{say.day(row.ends_local.date())}, {say.wall(row.ends_local.time())}",
            ),
            say.board.name(row.made_by or ""),
        )
        for row in rows
    ]


def person_row(say: RotaWords, person: Colleague, proven: set[str]) -> PersonRow:
    """How somebody can be reached; ``proven`` answered a text this week."""
    phone = person.phone
    state = ""
    if person.id in proven:
        state = say.words.message("answered a text this week")
    elif phone is not None and phone.verified_at is not None:
        day = phone.verified_at.astimezone(say.board.zone).date()
        state = say.words.message("last proven on %(day)s", day=say.day(day))
    return PersonRow(
        person.id, person.name, trouble_words(say, person.reach.trouble()), state,
        phone.id if phone is not None else "",
    )  # fmt: skip


def trouble_words(words: RotaWords, trouble: Trouble | None) -> str:
    """Why somebody cannot be relied on, in a few words; empty when texts reach them."""
    spoken = words.words
    found = {
        Trouble.DISABLED: spoken.message("account closed"),
        Trouble.NO_NUMBER: spoken.message("no phone"),
        Trouble.STOPPED: spoken.message("texted STOP"),
        Trouble.BAD: spoken.message("number refused"),
        Trouble.UNVERIFIED: spoken.message("phone not proven yet"),
    }
    return found[trouble] if trouble is not None else ""
