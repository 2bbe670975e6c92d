"""The demo clinic's rota: days and nights without a gap, and phones that have answered."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.demo import cast
from patient_portal.models import CheckKind, Clinic, DutyCheck, Shift, StaffPhone
from patient_portal.services import turns
from patient_portal.services.refs import new_ref
from patient_portal.services.rota_plan import read_board

# When everybody last answered a test text: nobody is due for the weekly one.
TESTED_BEFORE = timedelta(days=2)
ANSWERED_AFTER = timedelta(seconds=41)
WEEK = range(7)


def seed(session: Session, since: datetime, now: datetime) -> None:
    """Phones, turns and answered texts of those whom the seed has entered."""
    numbers = {person.id: (person.phone, person.second_phone) for person in cast.STAFF}
    for person, both in numbers.items():
        for rank, number in enumerate(both, start=1):
            if number is not None:
                _proven_phone(session, person, rank, number, since, now)
    for person, position, starts, ends in cast.ROTA:
        for weekday in WEEK:
            session.add(
                Shift(
                    clinic_id=cast.CLINIC_ID, position=position, staff_id=person, weekday=weekday,
                    starts=starts, ends=ends, valid_from=since.date(), made_at=since,
                )
            )  # fmt: skip
    session.flush()
    _begun_turns(session, now)


def _proven_phone(
    session: Session, person: str, rank: int, number: str, since: datetime, now: datetime
) -> None:
    tested = now - TESTED_BEFORE
    phone = StaffPhone(
        id=new_id(), staff_id=person, rank=rank, number=number,
        verified_at=tested + ANSWERED_AFTER, added_at=since,
    )  # fmt: skip
    session.add(phone)
    session.flush()
    _answered(session, new_id(), person, phone.id, CheckKind.TEST, tested)


def _begun_turns(session: Session, now: datetime) -> None:
    """Whoever is on call when the demo starts has answered the text of that turn."""
    board = read_board(session, session.get_one(Clinic, cast.CLINIC_ID), now)
    for start in turns.turn_starts(board, now):
        phone = board.people[start.person].phone
        if phone is not None:
            key = turns.turn_id(cast.CLINIC_ID, start)
            _answered(session, key, start.person, phone.id, CheckKind.HANDOVER, start.starts)
    session.flush()


def _answered(
    session: Session, check_id: str, person: str, phone_id: str, kind: CheckKind, at: datetime
) -> None:
    session.add(
        DutyCheck(
            id=check_id, ref=new_ref(), clinic_id=cast.CLINIC_ID, staff_id=person,
            phone_id=phone_id, kind=kind, created_at=at, due_at=at + turns.HANDOVER_DUE,
            answered_at=at + ANSWERED_AFTER,
        )
    )  # fmt: skip
