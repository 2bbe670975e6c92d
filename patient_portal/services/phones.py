"""The numbers of the care team: which can be texted, and what the network said of them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.models import StaffMember, StaffPhone
from patient_portal.services import ladder
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.leads import text_leads
from patient_portal.sms import alarm_texts


def usable(session: Session, staff_id: str) -> list[StaffPhone]:
    """The numbers by which a person can be texted, the first choice first. Empty: none."""
    return list(
        session.scalars(
            select(StaffPhone)
            .join(StaffMember, StaffMember.id == StaffPhone.staff_id)
            .where(
                StaffPhone.staff_id == staff_id,
                StaffMember.disabled_at.is_(None),
                StaffPhone.stopped_at.is_(None),
                StaffPhone.bad_at.is_(None),
            )
            .order_by(StaffPhone.rank)
        )
    )


def mark_bad(session: Session, phone: StaffPhone, code: str, now: datetime) -> bool:
    """Text this number no more: the network refuses it. Tells the lead. False if known."""
    if phone.bad_at is not None:
        return False
    phone.bad_at, phone.bad_code = now, code[:10]
    person = _audited(session, phone, "staff.phone_bad", SYSTEM, now, code=code[:10])
    text_leads(
        session, person.clinic_id, f"bad:{phone.id}:{now:%Y%m%dT%H%M}",
        lambda words, clinic: alarm_texts.phone_bad(words, clinic=clinic.name, name=person.name),
        now, but_not=person.id,
    )  # fmt: skip
    session.flush()
    ladder.look_again(session, person.clinic_id, now)
    return True


def mark_stopped(
    session: Session, phone: StaffPhone, now: datetime, *, code: str | None = None
) -> bool:
    """The number texted STOP, or the network says so (``code``). Tells the lead. False if known."""
    if phone.stopped_at is not None:
        return False
    phone.stopped_at = now
    actor = SYSTEM if code else Actor("staff", phone.staff_id)
    person = _audited(session, phone, "staff.texts_stopped", actor, now, code=code)
    text_leads(
        session, person.clinic_id, f"stopped:{phone.id}:{now:%Y%m%dT%H%M}",
        lambda words, clinic: alarm_texts.phone_stopped(
            words, clinic=clinic.name, name=person.name
        ),
        now, but_not=person.id,
    )  # fmt: skip
    session.flush()
    ladder.look_again(session, person.clinic_id, now)
    return True


def mark_started(session: Session, phone: StaffPhone, now: datetime) -> bool:
    """The number texted START and can be texted again. False if it never stopped."""
    if phone.stopped_at is None:
        return False
    phone.stopped_at = None
    _audited(session, phone, "staff.texts_started", Actor("staff", phone.staff_id), now)
    return True


def mark_verified(session: Session, phone: StaffPhone, now: datetime) -> None:
    """The person answered a text from this number: it is theirs, and texts reach it."""
    phone.verified_at, phone.bad_at, phone.bad_code = now, None, None
    _audited(session, phone, "staff.phone_verified", Actor("staff", phone.staff_id), now)


def _audited(
    session: Session, phone: StaffPhone, action: str, actor: Actor, now: datetime, **detail: object
) -> StaffMember:
    """Write the audit entry; the person whose number it is."""
    person = session.get_one(StaffMember, phone.staff_id)
    record(
        session, actor, action, "staff_member", person.id, now=now, clinic_id=person.clinic_id,
        phone_id=phone.id, **{name: value for name, value in detail.items() if value is not None},
    )  # fmt: skip
    return person
