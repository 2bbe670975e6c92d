"""A clinic whose rota is edited, for tests: people with phones, and the edits of its lead."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.database import Database
from patient_portal.models import (
    ChangeKind,
    Clinic,
    Message,
    MessageKind,
    Position,
    Role,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import rota_edit
from patient_portal.services.rota_edit import Edit, NewChange, NewTurns
from patient_portal.services.rota_plan import Board, read_board
from tests.support.people import NOON, a_clinic, a_member, a_site

TODAY = date(2026, 11, 20)  # a Friday
CATCH_ALL = "+12125550199"
ALL_DAYS = frozenset(range(7))
# A ladder that needs a nurse and a lead only.
SHORT_LADDER = {
    "emergency": [{"who": ["nurse"], "minutes": 5}, {"who": ["lead", "everyone"], "minutes": 10}],
    "urgent": [{"who": ["nurse"], "minutes": 15}, {"who": ["lead"], "minutes": 15}],
}


@dataclass
class Ward:
    """A clinic with three nurses and a lead; nobody is on call yet."""

    database: Database
    clinic: Clinic
    silva: StaffMember
    park: StaffMember
    new: StaffMember  # her phone has answered nothing yet
    lead: StaffMember

    def edit(
        self, change: Callable[[Edit], Any], by: StaffMember | None = None, now: datetime = NOON
    ) -> Any:
        """One edit in a transaction of its own; by the lead unless told otherwise."""
        with self.database.transaction() as session:
            me = session.get_one(StaffMember, (by or self.lead).id)
            return change(rota_edit.begin(session, a_site(), me, now))

    def turns(
        self, who: StaffMember, starts: int = 0, ends: int = 0, *, by: StaffMember | None = None,
        now: datetime = NOON, **values: Any,
    ) -> Any:  # fmt: skip
        """Put somebody on call each week, as nurse on all days unless told otherwise."""
        new = NewTurns(
            **{
                "staff_id": who.id, "position": Position.NURSE, "weekdays": ALL_DAYS,
                "starts": time(starts), "ends": time(ends), "valid_from": TODAY, **values,
            }
        )  # fmt: skip
        return self.edit(lambda edit: rota_edit.add_turns(edit, new), by, now)

    def change(
        self, who: StaffMember, kind: ChangeKind, day: date, starts: time, hours: int, **values: Any
    ) -> Any:
        """A dated change of the nurse's position."""
        begins = datetime.combine(day, starts)
        ends = values.pop("ends", None) or begins.replace(hour=(begins.hour + hours) % 24)
        new = NewChange(who.id, values.pop("position", Position.NURSE), kind, begins, ends)
        return self.edit(lambda edit: rota_edit.add_change(edit, new), **values)

    def board(self, session: Session, now: datetime = NOON) -> Board:
        """The rota as it is now."""
        return read_board(session, session.get_one(Clinic, self.clinic.id), now)

    def texts(self, kind: MessageKind) -> list[Message]:
        """The texts of a kind, in the order they were queued."""
        with self.database.reading() as session:
            found = select(Message).where(Message.kind == kind).order_by(Message.created_at)
            return list(session.scalars(found))

    def phone(self, who: StaffMember) -> StaffPhone:
        """The person's first number."""
        with self.database.reading() as session:
            found = select(StaffPhone).where(StaffPhone.staff_id == who.id, StaffPhone.rank == 1)
            return session.scalars(found).one()


def a_ward(database: Database, **clinic: Any) -> Ward:
    """A committed clinic whose ladder needs a nurse and a lead; the lead is always on call."""
    with database.transaction() as session:
        made = a_clinic(session, **{"ladder": SHORT_LADDER, **clinic})
        ward = Ward(
            database,
            made,
            silva=a_member(session, made, "N. Silva"),
            park=a_member(session, made, "J. Park", phone="+12125550143"),
            new=a_member(session, made, "T. Ade", phone="+12125550144"),
            lead=a_member(
                session, made, "L. Brandt", Position.LEAD, phone="+12125550145", role=Role.LEAD
            ),
        )
        phone = session.scalars(select(StaffPhone).where(StaffPhone.staff_id == ward.new.id)).one()
        phone.verified_at = None
        return ward
