"""An alert with its text in the outbox, for tests of what becomes of texts."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    Lane,
    MessageKind,
    Patient,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import messages, phones

WAIT = timedelta(minutes=15)


def an_alert(session: Session, patient: Patient, now: datetime, ref: str = "K7Q3M") -> Alert:
    """An open, urgent alert whose ladder goes on in 15 minutes."""
    alert = Alert(
        ref=ref, clinic_id=patient.clinic_id, state=AlertState.OPEN, level=int(TriageLevel.URGENT),
        patient_id=patient.id, reasons=[], protocol="x", inputs={}, opened_at=now,
        ladder_started_at=now, step=1, step_started_at=now, next_action_at=now + WAIT,
    )  # fmt: skip
    session.add(alert)
    session.flush()
    return alert


def an_alert_text(
    session: Session, alert: Alert, member: StaffMember, now: datetime, key: str = "text"
) -> None:
    """The text of the alert's running step to the member's first number, in the outbox."""
    phone: StaffPhone = phones.usable(session, member.id)[0]
    draft = messages.Draft(
        clinic_id=alert.clinic_id, to_number=phone.number, kind=MessageKind.STAFF_ALERT,
        lane=Lane.ALERT, body=f"Maple: ALERT {alert.ref}", once_key=f"{key}:{member.id}",
        lives_for=timedelta(hours=24), staff_id=member.id, alert_id=alert.id, phone_id=phone.id,
        step=alert.step, round=alert.round or 0,
    )  # fmt: skip
    messages.queue(session, draft, now)
