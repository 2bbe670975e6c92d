"""A patient's signs that still count, for whoever closes an alert."""

from datetime import datetime

from sqlalchemy.orm import Session

from patient_portal.domain.combined import Sign
from patient_portal.domain.past import standing_signs
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.domain.unreadable import UNREADABLE
from patient_portal.logs import get_logger
from patient_portal.models import Patient
from patient_portal.services.courses import course_with

_log = get_logger()


def that_count(
    session: Session, protocol: Protocol, patient: Patient, now: datetime
) -> tuple[Sign, ...]:
    """The signs of the last days, today too, that count until somebody says they are over.

    All signs where the record cannot be read: then they are all believed to count.
    """
    today = local_date(now, readable_zone(patient.zone))
    try:
        course = course_with(
            session, patient, today, patient.drug, now=now, same_day_but="", protocol=protocol
        )
        return standing_signs(protocol, course)
    except UNREADABLE as error:
        _log.error("signs.unreadable", patient_id=patient.id, error=type(error).__name__)
        return protocol.beyond.signs
