"""Stored check-ins as `domain.replay` compares them: one patient after another, day by day."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.replay import Stored
from patient_portal.models import Alert, CheckIn, Patient
from patient_portal.services.courses import (
    EARLIER_COLUMNS,
    LOOK_BACK,
    Notes,
    course_of,
    earlier_of,
    notes_of,
    told_by,
)

_COLUMNS = (
    *EARLIER_COLUMNS,
    CheckIn.patient_id,
    CheckIn.drug,
    CheckIn.day_of_therapy,
)
# Drills are answered by nobody, and say nothing of a protocol.
_OF_PEOPLE = CheckIn.patient_id.not_in(select(Patient.id).where(Patient.is_test))
# As many rows are fetched at a time; a patient's own are held together.
_ROWS = 1000


def count_check_ins(session: Session) -> int:
    """How many check-ins there are to look at."""
    return session.execute(select(func.count()).select_from(CheckIn).where(_OF_PEOPLE)).scalar_one()


def stored_check_ins(session: Session, protocol: Protocol) -> Iterator[Stored]:
    """Every check-in with its course, grouped by patient and day, oldest first.

    A course has the medicine and the day of therapy as stored with the check-in, the check-ins
    before it, whether their alerts are closed by now, and what the profile says today (baseline,
    usual symptoms, devices, personal limits). Rechecks have passed.
    """
    rows = session.execute(
        select(*_COLUMNS)
        .outerjoin(Alert, Alert.id == CheckIn.alert_id)
        .where(_OF_PEOPLE)
        .order_by(CheckIn.patient_id, CheckIn.local_date, CheckIn.started_at)
        .execution_options(yield_per=_ROWS)
    )
    for patient_id, found in groupby(rows, key=lambda row: str(row.patient_id)):
        patient = session.get_one(Patient, patient_id)
        notes = notes_of(session, patient)
        yield from _of_patient(protocol, patient, notes, list(found))
        session.expunge(patient)


def _of_patient(
    protocol: Protocol, patient: Patient, notes: Notes, rows: Sequence[Any]
) -> Iterator[Stored]:
    first = 0
    for place, row in enumerate(rows):
        while rows[first].local_date < row.local_date - LOOK_BACK:
            first += 1
        # An earlier check-in of the same day is part of the day, which counts by its worst.
        before = [one for one in rows[first:place] if one.local_date < row.local_date]
        history = tuple(
            earlier_of(one, row.local_date, notes=notes, protocol=protocol) for one in before
        )
        course = course_of(
            patient, row.local_date, history, drug=row.drug, reporter=row.reporter,
            notes=notes, protocol=protocol,
        )  # fmt: skip
        yield Stored(
            id=row.id,
            patient=row.patient_id,
            answers=told_by(protocol, row.answers, row.progress),
            course=replace(course, day_of_therapy=row.day_of_therapy),
            level=TriageLevel(row.level),
            day=row.local_date,
        )
