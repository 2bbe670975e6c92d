"""What of a rota was told already: one row an occasion, whoever of the workers comes first."""

from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from patient_portal.database import insert_once
from patient_portal.models import RotaNotice


def id_of(*parts: str) -> str:
    """A row's identity made from what it is about: 96 bits, the same on every machine."""
    return urlsafe_b64encode(sha256("\n".join(parts).encode()).digest())[:16].decode()


def is_first(session: Session, clinic_id: str, occasion: str, now: datetime) -> bool:
    """Note the occasion; False if it was noted before, by whichever process."""
    row = {
        "id": id_of(clinic_id, occasion),
        "clinic_id": clinic_id,
        "occasion": occasion[:80],
        "at": now,
    }
    return insert_once(session, RotaNotice.__table__, row, unique=["id"])  # type: ignore[arg-type]


def is_known(session: Session, clinic_id: str, occasion: str) -> bool:
    """Whether the occasion was noted. Only a look."""
    return session.get(RotaNotice, id_of(clinic_id, occasion)) is not None
