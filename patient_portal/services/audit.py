"""The audit log. Every change of state names its actor and writes here, in the same transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from patient_portal.models import AuditEntry


@dataclass(frozen=True)
class Actor:
    """Who acts: a kind (patient, caregiver, staff, system) and an id, never a name."""

    kind: str
    id: str | None = None
    clinic_id: str | None = None


SYSTEM = Actor("system")
# Built once, and asking for no key back: every change of state writes here.
_INSERT = insert(AuditEntry.__table__).inline()  # type: ignore[arg-type]


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: str | None,
    *,
    now: datetime,
    clinic_id: str | None = None,
    **detail: Any,
) -> None:
    """Add one entry. ``detail`` holds codes and ids; no names, no free text."""
    session.execute(
        _INSERT,
        {
            "at": now,
            "clinic_id": clinic_id or actor.clinic_id,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "action": action,
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "detail": detail,
        },
    )
