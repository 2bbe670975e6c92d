"""Clinics and the people who work there: who is added, who is on call, who has left."""

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.models import Clinic, Role, StaffMember, StaffPhone, StaffSession
from patient_portal.services import ladder, rota
from patient_portal.services.accounts import email_of
from patient_portal.services.audit import Actor, record


class EmailTaken(ValueError):
    """Another member of staff signs in with this e-mail."""


@dataclass(frozen=True)
class NewStaff:
    """A member of staff to be added. ``name`` is what patients may read: "N. Silva"."""

    clinic_id: str
    name: str
    role: Role
    email: str
    phone: str | None  # E.164


def add_staff(
    session: Session, new: NewStaff, password_hash: str, actor: Actor, now: datetime
) -> StaffMember:
    """Add a member of staff; the hash comes from ``hash_password``. Raises EmailTaken."""
    staff_id = new_id()
    is_added = insert_once(
        session,
        StaffMember.__table__,  # type: ignore[arg-type]
        {
            "id": staff_id,
            "clinic_id": new.clinic_id,
            "name": new.name,
            "role": new.role,
            "email": email_of(new.email),
            "password_hash": password_hash,
            "created_at": now,
        },
        unique=["email"],
    )
    if not is_added:
        raise EmailTaken(new.email)
    if new.phone is not None:
        session.add(StaffPhone(staff_id=staff_id, rank=1, number=new.phone, added_at=now))
        session.flush()
    record(
        session, actor, "staff.added", "staff_member", staff_id,
        now=now, clinic_id=new.clinic_id, role=new.role.value,
    )  # fmt: skip
    return session.get_one(StaffMember, staff_id)


def disable_staff(session: Session, staff: StaffMember, actor: Actor, now: datetime) -> None:
    """Close an account: off call, and every session of it ends with this transaction.

    An alert that the person has taken opens again, unless a call to the patient is noted.
    """
    staff.disabled_at = staff.disabled_at or now
    rota.take_off_call(session, staff, now)
    session.execute(
        update(StaffSession)
        .where(StaffSession.staff_id == staff.id, StaffSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    ladder.look_again(session, staff.clinic_id, now)
    record(
        session, actor, "staff.disabled", "staff_member", staff.id,
        now=now, clinic_id=staff.clinic_id,
    )  # fmt: skip


def staff_by_email(session: Session, email: str) -> StaffMember | None:
    """The member of staff who signs in with this e-mail."""
    return session.scalars(select(StaffMember).where(StaffMember.email == email_of(email))).first()


@dataclass(frozen=True)
class NewClinic:
    """A clinic to be added. ``line`` is E.164, ``zone`` IANA, hours are local."""

    name: str
    country: str
    zone: str
    language: str
    line: str
    staffed_from: time
    staffed_until: time
    uk_lines: bool = False
    catch_all: str | None = None  # E.164; texted when nobody else is left


def add_clinic(session: Session, new: NewClinic, actor: Actor, now: datetime) -> Clinic:
    """Add a clinic."""
    clinic = Clinic(
        id=new_id(),
        name=new.name,
        country=new.country,
        zone=new.zone,
        language=new.language,
        line=new.line,
        staffed_from=new.staffed_from,
        staffed_until=new.staffed_until,
        uk_lines=new.uk_lines,
        catch_all=new.catch_all,
        created_at=now,
    )
    session.add(clinic)
    session.flush()
    record(session, actor, "clinic.added", "clinic", clinic.id, now=now, clinic_id=clinic.id)
    return clinic


def clinics_named(session: Session, name: str) -> list[Clinic]:
    """Clinics whose id or name this is."""
    return list(
        session.scalars(
            select(Clinic)
            .where((Clinic.id == name) | (func.lower(Clinic.name) == name.lower()))
            .order_by(Clinic.name)
        )
    )


def is_anybody_reachable(session: Session, clinic_id: str) -> bool:
    """Whether an alert of this clinic could be texted to somebody."""
    found = session.scalars(
        select(StaffMember.id)
        .join(StaffPhone, StaffPhone.staff_id == StaffMember.id)
        .where(
            StaffMember.clinic_id == clinic_id,
            StaffMember.disabled_at.is_(None),
            StaffPhone.stopped_at.is_(None),
            StaffPhone.bad_at.is_(None),
        )
    )
    return found.first() is not None
