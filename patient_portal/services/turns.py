"""The start of a turn: whoever goes on call is texted, and answers with the text's reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from patient_portal.domain.rota import Position, Span
from patient_portal.models import CheckKind, DutyCheck, StaffMember
from patient_portal.services import duty, leads, notices
from patient_portal.services.rota_plan import Board
from patient_portal.services.site import Site
from patient_portal.sms import duty_texts
from patient_portal.words import Words, format_date, format_time

HANDOVER_DUE = timedelta(minutes=30)
# A worker that was away sends the hand-over late, but not for a turn that is half over.
HANDOVER_MAY_BE_LATE = timedelta(hours=4)
_TURNS_END_WITHIN = timedelta(days=8)


@dataclass(frozen=True)
class TurnStart:
    """Somebody's turn that has just begun. ``ends`` is empty when that is over a week away."""

    person: str
    position: Position
    starts: datetime
    ends: datetime | None


def turn_starts(board: Board, now: datetime) -> list[TurnStart]:
    """The turns that began within the last hours and still run, each person once a moment."""
    lines = board.plan.lines(now - HANDOVER_MAY_BE_LATE, now + _TURNS_END_WITHIN)
    found: dict[tuple[str, datetime], TurnStart] = {}
    for position in board.plan.needed:
        for number, span in enumerate(lines[position]):
            if number == 0 or span.starts > now:
                continue  # the first has no beginning that is known
            for person in span.people:
                if person in lines[position][number - 1].people:
                    continue
                ends = _end_of(lines[position][number:], person)
                if ends is None or ends > now:
                    start = TurnStart(person, position, span.starts, ends)
                    found.setdefault((person, span.starts), start)
    return list(found.values())


def _end_of(spans: Sequence[Span], person: str) -> datetime | None:
    return next((span.starts for span in spans if person not in span.people), None)


def is_told(session: Session, clinic_id: str, start: TurnStart) -> bool:
    """Whether the text of this turn's start was queued, or the lead told instead."""
    key = turn_id(clinic_id, start)
    return session.get(DutyCheck, key) is not None or notices.is_known(session, clinic_id, key)


def hand_over(session: Session, site: Site, board: Board, start: TurnStart, now: datetime) -> bool:
    """Text somebody whose turn has begun; the lead, if they cannot be texted. False if it is done.

    Two workers at once, or one that died half-way, leave one text.
    """
    clinic, person = board.clinic, session.get_one(StaffMember, start.person)
    phone = board.people[start.person].phone
    key = turn_id(clinic.id, start)
    if phone is None:
        if not notices.is_first(session, clinic.id, key, now):
            return False
        url = f"{site.base_url}/staff/rota"
        leads.text_leads(
            session, clinic.id, f"duty:{key}",
            lambda words, place: duty_texts.not_reachable(
                words, clinic=place.name, name=person.name, url=url
            ),
            now, but_not=person.id,
        )  # fmt: skip
        return True
    check = duty.new_check(
        session, key, person, phone, CheckKind.HANDOVER, HANDOVER_DUE, now,
        start.position, start.starts,
    )  # fmt: skip
    if check is None:
        return False
    words = Words(clinic.language)
    until = "" if start.ends is None else until_words(words, board, start.ends, now)
    body = duty_texts.hand_over(words, clinic=clinic.name, ref=check.ref, until=until)
    duty.send(session, check, phone, body, now)
    return True


def until_words(words: Words, board: Board, moment: datetime, now: datetime) -> str:
    """A moment ahead on the clinic's clock, with the day when the hour alone is not enough."""
    country = board.clinic.country
    text = format_time(moment, board.zone, words.language, country)
    if moment - now < timedelta(hours=24):
        return text
    day = moment.astimezone(board.zone).date()
    return f"{format_date(day, words.language, country, 'short')}, {text}"


def turn_id(clinic_id: str, start: TurnStart) -> str:
    """The identity of the text at a turn's start: the same for every worker."""
    return notices.id_of("turn", clinic_id, start.person, start.starts.isoformat())
