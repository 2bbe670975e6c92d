"""What must be proven before a clinic may invite patients: that an alert will find somebody.

A named person says that the clinic's line is answered at night, because they rang it; the clinic
has a phone to fall back on; each position has a phone that answered; a drill was answered.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from patient_portal.domain.rota_check import LOOK_AHEAD
from patient_portal.domain.schedule import readable_zone
from patient_portal.models import Clinic, Role, StaffMember
from patient_portal.services import drills
from patient_portal.services.audit import Actor, record
from patient_portal.services.rota_plan import Board, read_board

MAY_CONFIRM = frozenset({Role.LEAD, Role.ADMINISTRATOR})
# A call of long ago says little of who answers tonight.
CALL_COUNTS_FOR = timedelta(days=30)


class Missing(StrEnum):
    """What still keeps a clinic from going live."""

    COVER = "cover"  # nobody rang the line at night
    FALLBACK = "fallback"  # no phone of the clinic itself, for the step that nobody can empty
    PHONES = "phones"  # a position without a phone that has answered a test
    DRILL = "drill"  # no drill was answered yet


class NotReady(ValueError):
    """The clinic cannot go live yet; ``missing`` says what has to be done."""

    def __init__(self, missing: list[Missing]) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


class CoverRefused(ValueError):
    """``code``: ``role`` (neither lead nor administrator), ``ahead`` (a night that has not come),
    ``too_old`` (rung more than 30 days ago), ``number`` (the line is another one by now)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Confirmed:
    """Who said that the line is answered, when, and the night on which they rang it."""

    by: str
    at: datetime
    rung_on: date | None


def confirmed(session: Session, clinic: Clinic) -> Confirmed | None:
    """The present confirmation; None before there is one."""
    if clinic.cover_confirmed_at is None:
        return None
    person = session.get(StaffMember, clinic.cover_confirmed_by or "")
    name = person.name if person is not None else ""
    return Confirmed(name, clinic.cover_confirmed_at, clinic.cover_rung_on)


def confirm(
    session: Session, clinic: Clinic, by: StaffMember, rung_on: date, line: str, now: datetime
) -> None:
    """Note that ``by`` rang the line (as shown to them: ``line``) at night and it was answered.

    Raises CoverRefused.
    """
    today = now.astimezone(ZoneInfo(readable_zone(clinic.zone))).date()
    if by.role not in MAY_CONFIRM or by.clinic_id != clinic.id:
        raise CoverRefused("role")
    if line != clinic.line:
        raise CoverRefused("number")
    if rung_on > today:
        raise CoverRefused("ahead")
    if today - rung_on > CALL_COUNTS_FOR:
        raise CoverRefused("too_old")
    clinic.cover_confirmed_at, clinic.cover_confirmed_by = now, by.id
    clinic.cover_rung_on = rung_on
    record(
        session, Actor("staff", by.id, clinic.id), "clinic.cover_confirmed", "clinic", clinic.id,
        now=now, clinic_id=clinic.id, rung_on=rung_on.isoformat(),
    )  # fmt: skip


def missing(session: Session, clinic: Clinic, now: datetime) -> list[Missing]:
    """What has to be done before the clinic can go live, in the order of the page."""
    board = read_board(session, clinic, now)
    found: list[Missing] = []
    if clinic.cover_confirmed_at is None:
        found.append(Missing.COVER)
    if clinic.catch_all is None:
        found.append(Missing.FALLBACK)
    if _without_proven_phone(board, now):
        found.append(Missing.PHONES)
    if drills.last_proven(session, clinic.id) is None:
        found.append(Missing.DRILL)
    return found


def go_live(session: Session, clinic: Clinic, actor: Actor, now: datetime) -> bool:
    """Let the clinic invite patients. False if it could already. Raises NotReady."""
    if clinic.live_at is not None:
        return False
    lacking = missing(session, clinic, now)
    if lacking:
        raise NotReady(lacking)
    clinic.live_at = now
    record(session, actor, "clinic.live", "clinic", clinic.id, now=now, clinic_id=clinic.id)
    return True


def _without_proven_phone(board: Board, now: datetime) -> bool:
    """Whether a position of the ladder has nobody in the next 14 days whose phone has answered."""
    lines = board.plan.lines(now, now + LOOK_AHEAD)
    for position in board.plan.needed:
        people = {person for span in lines[position] for person in span.people}
        if not any(board.people[each].reach.is_proven for each in people if each in board.people):
            return True
    return False
