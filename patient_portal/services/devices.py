"""Remembered phones: whose they are, how long, and how they are forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.models import Caregiver, Device, Patient
from patient_portal.services.audit import Actor, record
from patient_portal.services.tokens import digest, fresh_token

DEVICE_LIVES = timedelta(days=180)
DEVICE_IDLE = timedelta(days=90)
SHARED_DEVICE_LIVES = timedelta(hours=12)
MOST_DEVICES = 5
_LONGEST_TOKEN = 100


def remember(
    session: Session, person: Patient | Caregiver, now: datetime, *, is_shared: bool = False
) -> str:
    """Remember a phone and return the token for its cookie; only a hash of it is stored.

    A sixth phone takes the place of the one that was not used for the longest time.
    """
    column = Device.patient_id if isinstance(person, Patient) else Device.caregiver_id
    standing = session.scalars(
        select(Device)
        .where(column == person.id, Device.revoked_at.is_(None), Device.expires_at > now)
        .order_by(Device.last_used_at.desc())
    ).all()
    for device in standing[MOST_DEVICES - 1 :]:
        forget(session, device, actor_of(person), now)
    token = fresh_token()
    device = Device(
        id=new_id(),
        patient_id=person.id if isinstance(person, Patient) else None,
        caregiver_id=person.id if isinstance(person, Caregiver) else None,
        token_hash=digest(token),
        is_shared=is_shared,
        created_at=now,
        last_used_at=now,
        expires_at=now + (SHARED_DEVICE_LIVES if is_shared else DEVICE_LIVES),
    )
    session.add(device)
    session.flush()
    record(
        session, actor_of(person), "device.remembered", "device", device.id,
        now=now, shared=is_shared,
    )  # fmt: skip
    return token


# Built once: every page of a remembered phone asks this.
_STANDING = (
    select(Device, Patient)
    .outerjoin(Patient, Patient.id == Device.patient_id)
    .where(
        Device.token_hash == bindparam("token"),
        Device.revoked_at.is_(None),
        Device.expires_at > bindparam("now"),
        Device.last_used_at > bindparam("idle_since"),
    )
)


@dataclass(frozen=True)
class KnownPhone:
    """A remembered phone and whose it is."""

    device: Device
    patient: Patient | None
    caregiver: Caregiver | None


def find_device(session: Session, token: str, now: datetime) -> KnownPhone | None:
    """The remembered phone with this token: not revoked, not too old, used within 90 days."""
    if not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    row = session.execute(
        _STANDING, {"token": digest(token), "now": now, "idle_since": now - DEVICE_IDLE}
    ).first()
    if row is None or (row.Patient is not None and row.Patient.ended_at is not None):
        return None
    helper = row.Device.caregiver_id
    return KnownPhone(row.Device, row.Patient, session.get(Caregiver, helper) if helper else None)


def touch(session: Session, device_id: str, now: datetime) -> None:
    """Note that the phone was used."""
    session.execute(update(Device).where(Device.id == device_id).values(last_used_at=now))


def forget(session: Session, device: Device, actor: Actor, now: datetime) -> None:
    """Forget one phone; its cookie is worth nothing from the next request on."""
    session.execute(
        update(Device)
        .where(Device.id == device.id, Device.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record(session, actor, "device.forgotten", "device", device.id, now=now)


def forget_all(session: Session, patient: Patient, actor: Actor, now: datetime) -> int:
    """Forget every phone of a patient, for instance after a loss. Returns how many."""
    devices = devices_of(session, patient, now)
    for device in devices:
        forget(session, device, actor, now)
    return len(devices)


def devices_of(session: Session, patient: Patient, now: datetime) -> list[Device]:
    """The phones that are remembered for a patient, the last used first."""
    return list(
        session.scalars(
            select(Device)
            .where(
                Device.patient_id == patient.id,
                Device.revoked_at.is_(None),
                Device.expires_at > now,
                Device.last_used_at > now - DEVICE_IDLE,
            )
            .order_by(Device.last_used_at.desc())
        )
    )


def actor_of(person: Patient | Caregiver) -> Actor:
    """The person as the audit log names them."""
    kind = "patient" if isinstance(person, Patient) else "caregiver"
    return Actor(kind, person.id, person.clinic_id)
