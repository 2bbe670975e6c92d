"""The outbox: texts are rows, queued where the thing they tell happens and claimed by a worker."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.models import Lane, Message, MessageKind, MessageState


@dataclass(frozen=True)
class Draft:
    """A text to be queued. ``once_key`` makes two drafts of one text one row."""

    clinic_id: str
    to_number: str
    kind: MessageKind
    lane: Lane
    body: str
    once_key: str
    lives_for: timedelta
    patient_id: str | None = None
    staff_id: str | None = None
    alert_id: str | None = None
    secret_of: str | None = None


def queue(session: Session, draft: Draft, now: datetime) -> bool:
    """Put a text into the outbox, in the caller's transaction. False if it was there already."""
    return insert_once(
        session,
        Message.__table__,  # type: ignore[arg-type]
        {
            "id": new_id(),
            "clinic_id": draft.clinic_id,
            "kind": draft.kind,
            "lane": draft.lane,
            "to_number": draft.to_number,
            "patient_id": draft.patient_id,
            "staff_id": draft.staff_id,
            "alert_id": draft.alert_id,
            "body": draft.body,
            "secret_of": draft.secret_of,
            "once_key": draft.once_key,
            "state": MessageState.DUE,
            "due_at": now,
            "expires_at": now + draft.lives_for,
            "attempts": 0,
            "created_at": now,
        },
        unique=["once_key"],
    )
