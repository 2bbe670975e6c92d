"""The clinic's list of patients and what people may change about themselves, on both engines."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from patient_portal.database import Database, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import AuditEntry, CheckIn, CheckInState, Patient
from patient_portal.services import audit, patients, profile
from patient_portal.services.devices import actor_of
from tests.support.people import NOON, a_clinic, a_house, a_patient


def a_check_in(session: Session, patient: Patient, on: date, **values: Any) -> None:
    at = datetime.combine(on, time(15), tzinfo=NOON.tzinfo)
    session.add(
        CheckIn(
            **{
                "clinic_id": patient.clinic_id, "patient_id": patient.id, "form_key": new_id(),
                "local_date": on, "state": CheckInState.SENT, "reporter": "patient",
                "drug": patient.drug, "answers": {}, "level": 0, "reasons": [],
                "protocol": "ds-1.0", "started_at": at, "sent_at": at, **values,
            }
        )
    )  # fmt: skip
    session.flush()


TODAY = NOON.date()


def row_of(session: Session, patient: Patient) -> patients.PatientRow:
    rows = patients.list_of_clinic(session, patient.clinic_id, NOON)
    return next(row for row in rows if row.patient.id == patient.id)


def test_the_list_holds_last_check_in_level_day_and_missed(database: Database) -> None:
    team, rosa = a_house(database)
    with database.transaction() as session:
        joined = NOON - timedelta(days=10)
        session.get_one(Patient, rosa.id).enrolled_at = joined
        a_check_in(session, rosa, TODAY - timedelta(days=5), level=3)
        a_check_in(session, rosa, TODAY - timedelta(days=4), level=1)
        row = row_of(session, rosa)
        assert (row.day, row.last_level, row.missed) == (12, TriageLevel.WATCH, 3)
        a_check_in(session, rosa, TODAY)
        assert (row_of(session, rosa).last_level, row_of(session, rosa).missed) == (
            TriageLevel.NONE, 0,
        )  # fmt: skip
        assert len(patients.list_of_clinic(session, team.clinic.id, NOON)) == 1


@pytest.mark.parametrize(
    ("state", "level", "missed"),
    [(CheckInState.PARTIAL, 0, 2), (CheckInState.PARTIAL, 2, 0), (CheckInState.SENT, 0, 0)],
)
def test_an_unfinished_day_counts_as_missed_unless_it_was_red(
    database: Database, state: CheckInState, level: int, missed: int
) -> None:
    _, rosa = a_house(database)
    with database.transaction() as session:
        session.get_one(Patient, rosa.id).enrolled_at = NOON - timedelta(days=3)
        a_check_in(session, rosa, TODAY - timedelta(days=1), state=state, level=level)
        assert row_of(session, rosa).missed == missed


def test_who_has_not_started_has_missed_nothing_and_who_left_is_not_listed(
    database: Database,
) -> None:
    team, rosa = a_house(database)
    with database.transaction() as session:
        new = a_patient(session, team.clinic, first_name="Wei", enrolled_at=None)
        assert row_of(session, new).missed == 0
        assert row_of(session, new).last_at is None
        session.get_one(Patient, rosa.id).ended_at = NOON
        session.flush()
        listed = patients.list_of_clinic(session, team.clinic.id, NOON)
        assert [row.patient.id for row in listed] == [new.id]


def test_another_clinics_patient_is_not_there(database: Database) -> None:
    _, rosa = a_house(database)
    with database.transaction() as session:
        other = a_clinic(session)
        with pytest.raises(patients.NoSuchPatient):
            patients.of_clinic(session, other.id, rosa.id)
        assert patients.list_of_clinic(session, other.id, NOON) == []


def test_a_new_hour_moves_the_next_reminder_and_is_on_the_record(database: Database) -> None:
    _, rosa = a_house(database)
    with database.transaction() as session:
        rosa = session.get_one(Patient, rosa.id)
        wanted = profile.Preferences(time(18, 30), "en", "US", "c", "kg")
        profile.change(session, rosa, wanted, actor_of(rosa), NOON)
        assert rosa.reminder_due_at is not None
        local = rosa.reminder_due_at.astimezone(NOON.tzinfo)
        assert timedelta(0) < local - NOON < timedelta(hours=7)  # 18:30 in New York, today
        profile.change(session, rosa, wanted, actor_of(rosa), NOON)
        audit.write(session)
        entries = session.query(AuditEntry).filter_by(action="patient.preferences").all()
        assert [entry.detail for entry in entries] == [{"changed": ["reminder_at"]}]
        for at in (time(7, 59), time(21, 0), time(0, 0)):
            with pytest.raises(ValueError, match="08:00"):
                profile.change(
                    session, rosa, profile.Preferences(at, "en", "US", "c", "kg"), actor_of(rosa),
                    NOON,
                )  # fmt: skip
