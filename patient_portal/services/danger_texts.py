"""Words of danger in a text from a patient or helper: an alert, and whom to call, at once.

Whatever the person's state: who has ended, paused or stopped texts can still be in danger. The
words themselves are shown to the care team on the alert's page only, never sent on by text.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.course import Course
from patient_portal.domain.danger import worst
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.places import emergency_number
from patient_portal.domain.replay import inputs_of
from patient_portal.models import Caregiver, CaregiverGrant, Clinic, InboundText, Patient
from patient_portal.protocols import danger_words
from patient_portal.services import alerts, answering
from patient_portal.services.audit import Actor, record
from patient_portal.services.site import Site
from patient_portal.sms import reply_texts
from patient_portal.words import Words

# Reasons that no rule of the protocol gives.
RULES = {TriageLevel.EMERGENCY: "TEXT-E", TriageLevel.URGENT: "TEXT-U"}


def level_of(body: str) -> TriageLevel:
    """The level of a text by its words, in any language there is a list for."""
    return worst(body, danger_words.current())


def act(
    session: Session,
    site: Site,
    row: InboundText,
    patients: Sequence[Patient],
    language: str,
    level: TriageLevel,
    now: datetime,
) -> None:
    """Raise the alert of each patient whom the text may be about, and answer.

    A phone that several patients share says nothing of whose danger it is: each gets an alert. So
    does whom its owner helps.
    """
    for patient in patients:
        alert = alerts.raise_alert(session, site, patient, _red(row, patient, level), now)
        row.alert_id = row.alert_id or alert.id
        actor = _writer(session, row, patient)
        record(
            session, actor, "alert.by_text", "alert", alert.id,
            now=now, level=level.code, text=row.id,
        )  # fmt: skip
    body = _answer(session, patients[0], language, level)
    answering.danger(session, row, body, now)


def _is_own_phone(row: InboundText, patient: Patient) -> bool:
    return patient.phone == row.from_number


def _writer(session: Session, row: InboundText, patient: Patient) -> Actor:
    """The patient whose phone it is, or who helps them. One person may be both, for two people."""
    if _is_own_phone(row, patient):
        return Actor("patient", patient.id, patient.clinic_id)
    helper = session.scalars(
        select(Caregiver.id)
        .join(CaregiverGrant, CaregiverGrant.caregiver_id == Caregiver.id)
        .where(
            Caregiver.phone == row.from_number,
            CaregiverGrant.patient_id == patient.id,
            CaregiverGrant.ended_at.is_(None),
        )
        .limit(1)
    ).first()
    return Actor("caregiver", helper, patient.clinic_id)


def _red(row: InboundText, patient: Patient, level: TriageLevel) -> alerts.RedAnswer:
    by_patient = _is_own_phone(row, patient)
    reporter = "patient" if by_patient else "caregiver"
    return alerts.RedAnswer(
        check_in_id="",  # not None: that is silence, and this is the opposite of it
        level=level,
        reasons=[{"rule": RULES[level], "level": level.code}],
        inputs=inputs_of({}, Course(patient.drug, reporter=reporter)),
        phone_recognised=True,
        by_patient=by_patient,
    )


def _answer(session: Session, patient: Patient, language: str, level: TriageLevel) -> str:
    clinic = session.get_one(Clinic, patient.clinic_id)
    write = reply_texts.call_emergency if level is TriageLevel.EMERGENCY else reply_texts.call_team
    return write(
        Words(language),
        clinic=clinic.name,
        number=emergency_number(patient.country),
        line=clinic.line,
    )
