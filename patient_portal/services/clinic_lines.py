"""A clinic's own fever lines: stricter at once, milder once two of its clinicians have agreed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.models import Clinic, StaffMember
from patient_portal.services.accounts import email_of
from patient_portal.services.audit import Actor, record
from patient_portal.services.overrides import MAY_APPROVE, MAY_SET


class LinesRefused(ValueError):
    """What may not be done; ``code`` says why: two_clinicians, same_person, role."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def set_uk_lines(
    session: Session,
    clinic: Clinic,
    is_on: bool,
    actor: Actor,
    now: datetime,
    clinicians: Sequence[StaffMember] = (),
) -> bool:
    """Turn on or off that 37.5 °C and above, and below 36.0 °C, are urgent. False: as it was.

    Off is away from caution: it needs two ``clinicians``, the second a physician or lead.
    Raises LinesRefused.
    """
    session.refresh(clinic, with_for_update=True)
    if clinic.uk_lines is is_on:
        return False
    if not is_on:
        _check_agreement(clinic, clinicians)
    clinic.uk_lines = is_on
    session.flush()
    record(
        session, actor, "clinic.uk_lines", "clinic", clinic.id, now=now, clinic_id=clinic.id,
        on=is_on, agreed=[one.id for one in clinicians],
    )  # fmt: skip
    return True


def _check_agreement(clinic: Clinic, clinicians: Sequence[StaffMember]) -> None:
    if len(clinicians) != 2:
        raise LinesRefused("two_clinicians")
    first, second = clinicians
    if first.id == second.id:
        raise LinesRefused("same_person")
    if first.role not in MAY_SET or second.role not in MAY_APPROVE:
        raise LinesRefused("role")
    if any(one.clinic_id != clinic.id or one.disabled_at is not None for one in clinicians):
        raise LinesRefused("two_clinicians")


def clinicians_named(session: Session, clinic: Clinic, name: str) -> list[StaffMember]:
    """People who work at the clinic and have this name or e-mail."""
    return list(
        session.scalars(
            select(StaffMember)
            .where(
                StaffMember.clinic_id == clinic.id,
                StaffMember.disabled_at.is_(None),
                (StaffMember.email == email_of(name))
                | (func.lower(StaffMember.name) == name.strip().lower()),
            )
            .order_by(StaffMember.name)
        )
    )
