"""Each invariant finds the row that breaks it, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    CheckIn,
    CheckInState,
    Lane,
    MedicineEvent,
    MedicineKind,
    Message,
    MessageKind,
    Override,
    OverrideKind,
    Patient,
)
from patient_portal.services import checkins, invariants, messages
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from tests.support.people import NOON, Team, a_house, a_patient, a_site


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    """A red check-in with its alert and texts, all well."""
    team, patient = a_house(database)
    with database.transaction() as session:
        form = Form(patient, "k" * 22, Actor("patient", patient.id))
        step = Step("red_flags", {"red_flags": ["chest_pain"]}, ("red_flags",))
        checkins.record_answers(session, a_site(), form, step, NOON)
    return team, patient


def _broken(database: Database) -> list[str]:
    with database.reading() as session:
        return [each.name for each in invariants.ALL if invariants.count(session, each)]


def test_a_well_house_breaks_none(database: Database, house: tuple[Team, Patient]) -> None:
    assert _broken(database) == []


def _set(table: Any, **values: Any) -> Callable[[Session], object]:
    return lambda session: session.execute(update(table).values(**values))


BREAKS: dict[str, Callable[[Session], object]] = {
    "red check-ins without an alert": _set(CheckIn, alert_id=None),
    "alerts calmer than their check-ins": _set(Alert, level=2),
    "alerts without a text to the care team": lambda session: session.execute(delete(Message)),
    "alerts not closed that wait for nothing": _set(Alert, next_action_at=None),
    "alerts taken by nobody": _set(Alert, state=AlertState.TAKEN),
    "alerts closed by nobody or without outcome": _set(Alert, state=AlertState.CLOSED),
    "check-ins sent at no time": _set(CheckIn, state=CheckInState.SENT),
    "texts the gateway took without an id": _set(Message, state=MessageState.ACCEPTED),
    "texts being sent by nobody or without end": _set(Message, state=MessageState.SENDING),
    "texts that failed without a reason": _set(Message, state=MessageState.FAILED),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_row_is_found(database: Database, house: tuple[Team, Patient], name: str) -> None:
    with database.transaction() as session:
        BREAKS[name](session)
    assert _broken(database) == [name]


def test_an_alert_of_another_patient_is_found(
    database: Database, house: tuple[Team, Patient]
) -> None:
    with database.transaction() as session:
        other = a_patient(session, house[0].clinic, phone="+12125550124")
        session.execute(update(CheckIn).values(patient_id=other.id))
    assert _broken(database) == ["check-ins with another patient's alert"]


def test_an_opening_that_was_not_audited_is_found(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    _, patient = a_house(database)
    with database.transaction() as session:
        form = Form(patient, "k" * 22, Actor("patient", patient.id))
        step = Step("red_flags", {"red_flags": ["chest_pain"]}, ("red_flags",))
        checkins.record_answers(session, a_site(), form, step, NOON)
    with database.transaction() as session:
        _forget_audit(session)
    assert _broken(database) == ["alerts whose opening is not in the audit log"]
    database.dispose()


def _forget_audit(session: Session) -> None:
    """Delete audit entries; where a trigger forbids it, drop the trigger first."""
    names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
    for name in names:
        session.execute(text(f'DROP TRIGGER "{name}"'))
    session.execute(delete(AuditEntry))


def test_two_alerts_that_are_not_closed_are_found(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    _, patient = a_house(database)
    with database.transaction() as session:
        session.execute(text("DROP INDEX uq_alert_one_open"))
        for ref in ("K7Q3M", "K7Q3N"):
            session.add(
                Alert(
                    ref=ref, clinic_id=patient.clinic_id, patient_id=patient.id,
                    state=AlertState.OPEN, level=3, reasons=[], protocol="x", inputs={},
                    opened_at=NOON, ladder_started_at=NOON, next_action_at=NOON,
                )
            )  # fmt: skip
    assert "patients with two alerts not closed" in _broken(database)
    database.dispose()


@pytest.mark.parametrize(("hours", "broken"), [(19, True), (20, False), (24, False)])
def test_reminders_that_came_too_close_are_found(
    database: Database, house: tuple[Team, Patient], hours: int, broken: bool
) -> None:
    patient = house[1]
    with database.transaction() as session:
        for number, at in enumerate((NOON, NOON + timedelta(hours=hours))):
            draft = messages.Draft(
                patient.clinic_id, patient.phone, MessageKind.REMINDER, Lane.REMINDER, "x",
                f"r{number}", timedelta(hours=2), patient_id=patient.id,
            )  # fmt: skip
            messages.queue(session, draft, at)
    assert _broken(database) == (["reminders less than 20 hours after another"] if broken else [])


def _noted(team: Team, patient: Patient, **values: Any) -> MedicineEvent:
    fields = {"kind": MedicineKind.STEROID_STARTED, "on_date": NOON.date(), "voids_id": None}
    return MedicineEvent(
        patient_id=patient.id, entered_by=team.nurse.id, entered_at=NOON, **{**fields, **values}
    )


def test_what_takes_back_nothing_of_the_patients_is_found(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, patient = house
    with database.transaction() as session:
        entry = _noted(team, patient)
        session.add(entry)
        session.flush()
        session.add(_noted(team, patient, kind=MedicineKind.TAKEN_BACK, voids_id=entry.id))
    assert _broken(database) == []
    with database.transaction() as session:
        other = a_patient(session, team.clinic, phone="+12125550124")
        entry = session.get_one(MedicineEvent, entry.id)
        entry.patient_id = other.id
    assert _broken(database) == ["medicine entries that take back none of their patient's"]
    with database.transaction() as session:
        session.execute(delete(MedicineEvent).where(MedicineEvent.voids_id.is_not(None)))
        session.add(_noted(team, patient, kind=MedicineKind.TAKEN_BACK))
    assert _broken(database) == ["medicine entries that take back none of their patient's"]


@pytest.mark.parametrize(("days", "broken"), [(1, False), (2, True)])
def test_a_medicine_entry_ahead_of_every_clock_is_found(
    database: Database, house: tuple[Team, Patient], days: int, broken: bool
) -> None:
    """At noon UTC it is tomorrow in the farthest zone, and the day after tomorrow nowhere."""
    with database.transaction() as session:
        session.add(_noted(*house, on_date=NOON.date() + timedelta(days=days)))
    assert _broken(database) == (["medicine entries of a day that had not come"] if broken else [])


def test_a_limit_that_one_person_alone_approved_is_found(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, patient = house
    with database.transaction() as session:
        limit = Override(
            patient_id=patient.id, what=OverrideKind.FEVER_LINE, value={"is": "38.0"},
            needs_second=True, set_by=team.nurse.id, set_at=NOON,
        )  # fmt: skip
        session.add(limit)
    assert _broken(database) == []
    with database.transaction() as session:
        limit = session.get_one(Override, limit.id)
        limit.approved_by, limit.approved_at = team.physician.id, NOON
    assert _broken(database) == []
    with database.transaction() as session:
        session.get_one(Override, limit.id).approved_by = team.nurse.id
    assert _broken(database) == ["limits not approved by a second person"]
