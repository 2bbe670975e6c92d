"""A clinic's rota with its people's phones, as the page, the checks and the worker look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from patient_portal.domain.ladders import EVERYONE, ladder_of
from patient_portal.domain.rota import Position
from patient_portal.domain.rota_check import Number, Plan, Reach
from patient_portal.models import Clinic, Role, StaffMember, StaffPhone
from patient_portal.services import rota

# Why a number is not texted any more: the person took it out. Such a row has no number.
REMOVED = "removed"


def has_number() -> ColumnElement[bool]:
    """The condition that a row of a phone still has its number."""
    return StaffPhone.number != ""


@dataclass(frozen=True)
class Colleague:
    """A member of staff of the clinic and their numbers, the first choice first."""

    id: str
    name: str
    role: Role
    is_disabled: bool
    phones: tuple[StaffPhone, ...]

    @property
    def reach(self) -> Reach:
        """How this person can be reached, as the checks see it."""
        return Reach(
            tuple(
                Number(
                    each.number,
                    is_verified=each.verified_at is not None,
                    is_stopped=each.stopped_at is not None,
                    is_bad=each.bad_at is not None,
                )
                for each in self.phones
            ),
            self.is_disabled,
        )

    @property
    def phone(self) -> StaffPhone | None:
        """The number that is texted first; None when none can be."""
        usable = (each for each in self.phones if not (each.stopped_at or each.bad_at))
        return None if self.is_disabled else next(usable, None)


@dataclass(frozen=True)
class Board:
    """Everything of a clinic that its rota is made of."""

    clinic: Clinic
    people: Mapping[str, Colleague]
    plan: Plan

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's zone; UTC where this machine does not know it."""
        return ZoneInfo(self.plan.zone)

    def name(self, staff_id: str) -> str:
        """How a person is called on the page; patients may read it too."""
        found = self.people.get(staff_id)
        return found.name if found else ""


def read_board(session: Session, clinic: Clinic, now: datetime) -> Board:
    """The clinic's rota from yesterday on, with everybody who works or worked there."""
    phones: dict[str, list[StaffPhone]] = {}
    for phone in session.scalars(
        select(StaffPhone)
        .join(StaffMember, StaffMember.id == StaffPhone.staff_id)
        .where(StaffMember.clinic_id == clinic.id, has_number())
        .order_by(StaffPhone.rank)
    ):
        phones.setdefault(phone.staff_id, []).append(phone)
    people = {
        member.id: Colleague(
            member.id, member.name, member.role, member.disabled_at is not None,
            tuple(phones.get(member.id, ())),
        )
        for member in session.scalars(
            select(StaffMember)
            .where(StaffMember.clinic_id == clinic.id)
            .order_by(StaffMember.name, StaffMember.id)
        )
    }  # fmt: skip
    found = rota.read_rota(session, clinic.id, now)
    reach = {each.id: each.reach for each in people.values()}
    plan = Plan(found.turns, found.changes, found.zone, reach, needed_of(clinic))
    return Board(clinic, people, plan)


def needed_of(clinic: Clinic) -> tuple[Position, ...]:
    """The positions that the clinic's ladder names, in the order of the rota."""
    named = {
        position
        for steps in ladder_of(clinic.ladder).values()
        for step in steps
        for position in step.positions
        if position != EVERYONE
    }
    return tuple(position for position in Position if position.value in named)
