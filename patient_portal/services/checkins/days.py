"""The end of a check-in's day: what nobody sent counts as partial."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import CheckIn, CheckInState, Patient
from patient_portal.services.audit import SYSTEM, record


def close_yesterdays(session: Session, now: datetime, limit: int = 200) -> int:
    """Close forms whose local day is over and that nobody sent: they count as partial.

    They can still be sent until they are 36 hours old. Returns how many were closed.
    """
    # No place on earth is more than 14 hours ahead, so nothing else can be over.
    candidates = session.execute(
        select(CheckIn.id, CheckIn.local_date, Patient.zone)
        .join(Patient, Patient.id == CheckIn.patient_id)
        .where(
            CheckIn.state == CheckInState.OPEN,
            CheckIn.local_date < (now + timedelta(hours=14)).date(),
        )
        .order_by(CheckIn.local_date)
        .limit(limit)
    )
    over = [
        row.id for row in candidates if row.local_date < local_date(now, readable_zone(row.zone))
    ]
    if not over:
        return 0
    closed = session.execute(
        update(CheckIn)
        # Asked again: the form may have been sent since it was looked up.
        .where(CheckIn.id.in_(over), CheckIn.state == CheckInState.OPEN)
        .values(state=CheckInState.PARTIAL)
        .returning(CheckIn.id, CheckIn.clinic_id)
    ).all()
    for row in closed:
        record(session, SYSTEM, "check_in.left", "check_in", row.id,
               now=now, clinic_id=row.clinic_id)  # fmt: skip
    return len(closed)
