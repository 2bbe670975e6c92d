"""The two numbers a member of staff may have: kept, changed and dropped by themselves."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.models import StaffMember, StaffPhone
from patient_portal.services import ladder
from patient_portal.services.audit import Actor, record
from patient_portal.services.duty import on_rota
from patient_portal.services.rota_plan import REMOVED, Board, has_number

RANKS = (1, 2)


class PhoneRefused(ValueError):
    """A number that cannot be kept or dropped; ``code`` says why.

    ``taken`` (another member of staff here has it: an answer could be anybody's), ``same`` (it is
    the other number already), ``last`` (of somebody who is on the rota), ``gone``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def phones_of(session: Session, staff_id: str) -> list[StaffPhone]:
    """The person's numbers, the first choice first."""
    return list(
        session.scalars(
            select(StaffPhone)
            .where(StaffPhone.staff_id == staff_id, has_number())
            .order_by(StaffPhone.rank)
        )
    )


def keep(
    session: Session, board: Board, me: StaffMember, rank: int, number: str, now: datetime
) -> StaffPhone:
    """Set the first or second number (E.164). A new one is not proven. Raises PhoneRefused."""
    if rank not in RANKS:
        raise PhoneRefused("gone")
    others = (each for each in board.people.values() if each.id != me.id and not each.is_disabled)
    if any(phone.number == number for other in others for phone in other.phones):
        raise PhoneRefused("taken")
    rows = session.scalars(select(StaffPhone).where(StaffPhone.staff_id == me.id))
    mine = {phone.rank: phone for phone in rows}
    if any(phone.number == number for held, phone in mine.items() if held != rank):
        raise PhoneRefused("same")
    phone = mine.get(rank)
    if phone is not None and phone.number == number:
        return phone
    if phone is None:
        phone = StaffPhone(staff_id=me.id, rank=rank, number=number, added_at=now)
        session.add(phone)
    else:
        phone.number, phone.added_at = number, now
        phone.verified_at = phone.stopped_at = phone.bad_at = phone.bad_code = None
    session.flush()
    ladder.look_again(session, me.clinic_id, now)
    _audit(session, me, "staff.phone_kept", now, rank)
    return phone


def drop(session: Session, board: Board, me: StaffMember, phone_id: str, now: datetime) -> None:
    """Forget a number. Raises PhoneRefused for the last one of somebody who is on the rota."""
    mine = phones_of(session, me.id)
    phone = next((each for each in mine if each.id == phone_id), None)
    if phone is None:
        raise PhoneRefused("gone")
    if len(mine) == 1 and me.id in on_rota(board, now):
        raise PhoneRefused("last")
    # Texts that were sent name the row, so it stays, without a number and never texted again.
    phone.number, phone.bad_at, phone.bad_code = "", now, REMOVED
    phone.verified_at = phone.stopped_at = None
    session.flush()
    ladder.look_again(session, me.clinic_id, now)
    _audit(session, me, "staff.phone_dropped", now, phone.rank)


def _audit(session: Session, me: StaffMember, action: str, now: datetime, rank: int) -> None:
    actor = Actor("staff", me.id, me.clinic_id)
    record(session, actor, action, "staff_member", me.id, now=now, rank=rank)
