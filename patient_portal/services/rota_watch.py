"""Looking ahead along the rota: a new gap is told to the lead once, as soon as it is known."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from patient_portal.domain.rota_check import LOOK_AHEAD, Finding, gaps
from patient_portal.models import Clinic, Role, RotaNotice, StaffMember
from patient_portal.services import duty, leads, notices
from patient_portal.services.rota_plan import Board, read_board
from patient_portal.services.site import Site
from patient_portal.sms import duty_texts
from patient_portal.words import Words, format_date, format_time

# Once a local day, at an hour when a lead may be texted about a time that lies days ahead.
LOOKS_FROM = time(10)
LOOKS_UNTIL = time(21)
# A gap this close is told at any hour: somebody's account was closed in the evening, say.
NEAR = timedelta(hours=12)
_LOOK_BACK = timedelta(days=2)


def clinics(session: Session) -> list[str]:
    """The ids of all clinics."""
    return list(session.scalars(select(Clinic.id).order_by(Clinic.id)))


def is_look_due(session: Session, board: Board, now: datetime) -> bool:
    """Whether today's look ahead was not taken yet. Only a look."""
    at = now.astimezone(board.zone).time()
    return LOOKS_FROM <= at < LOOKS_UNTIL and not notices.is_known(
        session, board.clinic.id, _today(board, now)
    )


def look(session: Session, site: Site, board: Board, now: datetime) -> bool:
    """The day's look: tell new gaps, ask who answered nothing for a week. False if it is done."""
    if not notices.is_first(session, board.clinic.id, _today(board, now), now):
        return False
    tell_new_gaps(session, site, board, now)
    if _was_looked_at_before(session, board, now):
        duty.ask_weekly(session, board, now)
    return True


def _was_looked_at_before(session: Session, board: Board, now: datetime) -> bool:
    """Whether an earlier day had its look: the people of a new clinic have just been entered."""
    earlier = select(RotaNotice.id).where(
        RotaNotice.clinic_id == board.clinic.id,
        RotaNotice.occasion.startswith("look:"),
        RotaNotice.occasion != _today(board, now),
    )
    return session.scalars(earlier.limit(1)).first() is not None


def near_gaps(session: Session, board: Board, now: datetime) -> list[Finding]:
    """Gaps that have begun or begin within hours, and were not told yet. Only a look."""
    return [
        gap
        for gap in coming_gaps(board, now)
        if gap.starts <= now + NEAR and not _is_told(session, board, gap, now)
    ]


def tell_near_gaps(session: Session, site: Site, board: Board, now: datetime) -> int:
    """Tell gaps that cannot wait for the day's look, at any hour; how many."""
    new = [
        gap
        for gap in near_gaps(session, board, now)
        if notices.is_first(session, board.clinic.id, _occasion(gap, now), now)
    ]
    if new:
        _tell(session, site, board, new, now, None)
    return len(new)


def _is_told(session: Session, board: Board, gap: Finding, now: datetime) -> bool:
    return notices.is_known(session, board.clinic.id, _occasion(gap, now))


def tell_new_gaps(
    session: Session,
    site: Site,
    board: Board,
    now: datetime,
    *,
    editor: StaffMember | None = None,
) -> int:
    """One text to the lead about the gaps that were not told yet; how many there are.

    A lead who has just made the gap has read of it on the page and is not texted. After an edit
    (``editor``; it holds the clinic's lock) gaps that were filled are forgotten, so that one which
    opens again is told again.
    """
    coming = coming_gaps(board, now)
    if editor is not None:
        _forget_filled(session, board, coming, now)
    new = [
        gap
        for gap in coming
        if notices.is_first(session, board.clinic.id, _occasion(gap, now), now)
    ]
    is_lead = editor is not None and editor.role is Role.LEAD
    if new and not is_lead:
        _tell(session, site, board, new, now, editor)
    return len(new)


def _forget_filled(
    session: Session, board: Board, coming: Sequence[Finding], now: datetime
) -> None:
    session.execute(
        delete(RotaNotice).where(
            RotaNotice.clinic_id == board.clinic.id,
            RotaNotice.occasion.startswith("gap:"),
            RotaNotice.occasion.not_in([_occasion(gap, now) for gap in coming]),
        )
    )


def coming_gaps(board: Board, now: datetime) -> list[Finding]:
    """The gaps of the next 14 days, each from where it began."""
    lines = board.plan.lines(now - _LOOK_BACK, now + LOOK_AHEAD)
    found = [gap for gap in gaps(board.plan, lines) if gap.ends > now]
    return sorted(found, key=lambda gap: gap.starts)


def _tell(
    session: Session, site: Site, board: Board, new: Sequence[Finding], now: datetime,
    editor: StaffMember | None,
) -> None:  # fmt: skip
    first = new[0]
    position = first.position.value if first.position else ""

    def write(words: Words, clinic: Clinic) -> str:
        return duty_texts.gap(
            words,
            clinic=clinic.name,
            position=position,
            starts=_moment(words, board, max(first.starts, now)),
            ends=_moment(words, board, first.ends),
            more=len(new) - 1,
            url=f"{site.base_url}/staff/rota",
        )

    once = f"gap:{notices.id_of(board.clinic.id, _occasion(first, now))}:{now:%Y%m%dT%H%M}"
    leads.text_leads(
        session, board.clinic.id, once, write, now, but_not=editor.id if editor else None
    )


def _moment(words: Words, board: Board, moment: datetime) -> str:
    day = moment.astimezone(board.zone).date()
    country = board.clinic.country
    return (
        f"{format_date(day, words.language, country, 'short')} "
        f"{format_time(moment, board.zone, words.language, country)}"
    )


def _occasion(gap: Finding, now: datetime) -> str:
    # A gap that is older than we look back has no known beginning: nobody ever stood there.
    known = gap.starts > now - _LOOK_BACK
    starts = f"{gap.starts:%Y%m%dT%H%M}" if known else "always"
    return f"gap:{gap.position}:{starts}"


def _today(board: Board, now: datetime) -> str:
    return f"look:{now.astimezone(board.zone).date().isoformat()}"


def board_of(session: Session, clinic_id: str, now: datetime) -> Board:
    """The clinic's rota as it is now. Raises NoResultFound."""
    return read_board(session, session.get_one(Clinic, clinic_id), now)
