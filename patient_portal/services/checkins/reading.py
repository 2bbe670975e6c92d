"""Finding check-ins, and the alert that one of them opened or joined."""

from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from patient_portal.models import Alert, CheckIn

# Built once: building a statement of every page costs as much as running it.
_BY_KEY = select(CheckIn).where(CheckIn.form_key == bindparam("key"))


def find(session: Session, patient_id: str, key: str) -> CheckIn | None:
    """The check-in of this form, if its first answer has come."""
    return session.scalars(
        select(CheckIn).where(CheckIn.patient_id == patient_id, CheckIn.form_key == key)
    ).first()


def find_by_key(session: Session, key: str) -> CheckIn | None:
    """The check-in with this form key; the key is 128 random bits that only the form knows."""
    return session.scalars(_BY_KEY, {"key": key}).first()


def of_day(session: Session, patient_id: str, day: date) -> list[CheckIn]:
    """All check-ins of a local day, oldest first."""
    return list(
        session.scalars(
            select(CheckIn)
            .where(CheckIn.patient_id == patient_id, CheckIn.local_date == day)
            .order_by(CheckIn.started_at)
        )
    )


def alert_of(session: Session, check_in: CheckIn) -> Alert | None:
    """The alert that this check-in opened or joined."""
    return session.get(Alert, check_in.alert_id) if check_in.alert_id else None
