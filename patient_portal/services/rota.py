"""Who is on call: the clinic's rota, resolved at the moment somebody asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.domain.rota import Change, Position, Turn, holders, timeline
from patient_portal.domain.schedule import readable_zone
from patient_portal.models import Clinic, Shift, ShiftChange, StaffMember
from patient_portal.services.audit import Actor, record

_DAY = timedelta(days=1)
_SHOWN_AHEAD = timedelta(hours=36)
# The clinic's zone with each of its shifts; one row without a shift if it has none.
_SHIFTS = (
    select(
        Clinic.zone, Shift.staff_id, Shift.position, Shift.weekday, Shift.starts, Shift.ends,
        Shift.valid_from, Shift.valid_until,
    )
    .outerjoin_from(Clinic, Shift, Shift.clinic_id == Clinic.id)
    .where(Clinic.id == bindparam("clinic"))
    .order_by(Shift.made_at, Shift.id)
)  # fmt: skip
_CHANGES = select(
    ShiftChange.staff_id, ShiftChange.position, ShiftChange.kind, ShiftChange.starts_local,
    ShiftChange.ends_local, ShiftChange.made_at,
).where(
    ShiftChange.clinic_id == bindparam("clinic"),
    ShiftChange.ended_at.is_(None),
    ShiftChange.ends_local > bindparam("since"),
)  # fmt: skip


@dataclass(frozen=True)
class Rota:
    """The turns and changes of a clinic that may matter from a day on, and its zone."""

    turns: tuple[Turn, ...]
    changes: tuple[Change, ...]
    zone: str

    def holders(self, position: Position, now: datetime) -> tuple[str, ...]:
        """The ids of the staff who hold a position at this moment."""
        return holders(self.turns, self.changes, position, now, self.zone)


def read_rota(session: Session, clinic_id: str, now: datetime) -> Rota:
    """The clinic's rota from yesterday on; a zone this machine does not know counts as UTC.

    Raises NoResultFound.
    """
    shifts = session.execute(_SHIFTS, {"clinic": clinic_id}).all()
    if not shifts:
        raise NoResultFound(f"no clinic {clinic_id}")
    turns = tuple(
        Turn(
            row.staff_id, row.position, row.weekday, row.starts, row.ends, row.valid_from,
            row.valid_until,
        )
        for row in shifts
        if row.staff_id is not None
    )  # fmt: skip
    since = now.replace(tzinfo=None) - 2 * _DAY  # local time is at most a day away from UTC
    changes = session.execute(_CHANGES, {"clinic": clinic_id, "since": since})
    return Rota(
        turns,
        tuple(
            Change(
                row.staff_id, row.position, row.kind, row.starts_local, row.ends_local, row.made_at
            )
            for row in changes
        ),
        readable_zone(shifts[0].zone),
    )


def on_call(session: Session, clinic_id: str, now: datetime) -> Mapping[Position, tuple[str, ...]]:
    """Who holds each position of the ladder at this moment, by id; nobody is an empty entry."""
    rota = read_rota(session, clinic_id, now)
    return {position: rota.holders(position, now) for position in Position}


def ends_of_turns(
    session: Session, clinic_id: str, now: datetime
) -> Mapping[tuple[Position, str], datetime]:
    """When those who hold a position now cease to, within the next day and a half."""
    rota = read_rota(session, clinic_id, now)
    found: dict[tuple[Position, str], datetime] = {}
    for position in Position:
        first, *later = timeline(
            rota.turns, rota.changes, position, now, now + _SHOWN_AHEAD, rota.zone
        )
        for person in first.people:
            ends = next((span.starts for span in later if person not in span.people), None)
            if ends is not None:
                found[position, person] = ends
    return found


def put_on_call(
    session: Session, staff: StaffMember, position: Position, actor: Actor, now: datetime
) -> None:
    """Put somebody on call day and night from now on, beside those who are.

    Nothing happens if this person has the position around the clock already.
    """
    whole_days = select(Shift.weekday).where(
        Shift.staff_id == staff.id, Shift.position == position, Shift.starts == Shift.ends,
        Shift.valid_until.is_(None),
    )  # fmt: skip
    if len(set(session.scalars(whole_days))) == 7:
        return
    for weekday in range(7):
        session.add(
            Shift(
                id=new_id(), clinic_id=staff.clinic_id, position=position, staff_id=staff.id,
                weekday=weekday, starts=time(0), ends=time(0), valid_from=now.date() - _DAY,
                valid_until=None, made_at=now,
            )
        )  # fmt: skip
    session.flush()
    record(
        session, actor, "staff.on_call", "staff_member", staff.id,
        now=now, clinic_id=staff.clinic_id, position=position.value,
    )  # fmt: skip


def take_off_call(session: Session, staff: StaffMember, now: datetime) -> None:
    """Out of every turn and change: this person is texted no more."""
    session.execute(delete(Shift).where(Shift.staff_id == staff.id))
    for change in session.scalars(
        select(ShiftChange).where(ShiftChange.staff_id == staff.id, ShiftChange.ended_at.is_(None))
    ):
        change.ended_at = now
