"""Who has not checked in, as the inbox lists it: derived from stored check-ins; both engines."""

from datetime import datetime, time, timedelta

import pytest

from patient_portal import protocols
from patient_portal.database import Database
from patient_portal.models import Patient
from patient_portal.services import checkins, missed
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from tests.support.people import NOON, a_house, a_site

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PROTOCOL = protocols.current()


def checks_in(database: Database, patient: Patient, now: datetime, *, sends: bool = True) -> None:
    with database.transaction() as session:
        form = Form(patient, f"k{now:%d%H}", Actor("patient", patient.id))
        given = {"breathlessness": "none"}
        checkins.record_answers(session, a_site(), form, Step("page", given, tuple(given)), now)
        if sends:
            checkins.send(session, a_site(), form, now)


def silent(database: Database, patient: Patient, now: datetime) -> list[tuple[str, int]]:
    with database.reading() as session:
        found = missed.silent(session, PROTOCOL, patient.clinic_id, now)
        return [(one.rule.id, one.days) for one in found]


def change(database: Database, patient: Patient, **values: object) -> None:
    with database.transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(Patient, patient.id), name, value)


def test_a_day_is_missed_from_its_cut_off_on(database: Database) -> None:
    """The text goes at 9:00, so the cut-off is at 16:00; the moments are noon and later."""
    _, patient = a_house(database)
    checks_in(database, patient, NOON)
    assert silent(database, patient, NOON + 8 * HOUR) == []
    assert silent(database, patient, NOON + DAY + 4 * HOUR - timedelta(seconds=1)) == []
    assert silent(database, patient, NOON + DAY + 4 * HOUR) == [("MC1", 1)]
    assert silent(database, patient, NOON + 2 * DAY) == [("MC1", 1)]
    assert silent(database, patient, NOON + 2 * DAY + 4 * HOUR) == [("MC2", 2)]


def test_an_evening_person_is_missed_next_morning(database: Database) -> None:
    _, patient = a_house(database)
    change(database, patient, reminder_at=time(18, 0))
    checks_in(database, patient, NOON)
    assert silent(database, patient, NOON + DAY + 11 * HOUR) == []
    assert silent(database, patient, NOON + DAY + 20 * HOUR) == [("MC1", 1)]  # 8:00


def test_a_check_in_ends_the_silence_and_an_unsent_form_does_not(database: Database) -> None:
    _, patient = a_house(database)
    checks_in(database, patient, NOON)
    later = NOON + 2 * DAY + 5 * HOUR
    checks_in(database, patient, later, sends=False)
    assert silent(database, patient, later) == [("MC2", 2)]
    checks_in(database, patient, later + HOUR)
    assert silent(database, patient, later + HOUR) == []


def test_silence_after_an_urgent_answer_is_urgent(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        form = Form(patient, "red", Actor("patient", patient.id))
        step = Step("page", {"breathlessness": "mild_exertion"}, ("breathlessness",))
        checkins.record_answers(session, a_site(), form, step, NOON)
    assert silent(database, patient, NOON + DAY + 4 * HOUR) == [("MC3", 1)]


@pytest.mark.parametrize("change_to", [{"ended_at": NOON}, {"enrolled_at": None}])
def test_nobody_is_missed_who_does_not_take_part(
    database: Database, change_to: dict[str, object]
) -> None:
    _, patient = a_house(database)
    change(database, patient, **change_to)
    assert silent(database, patient, NOON + 9 * DAY) == []


def test_outside_the_window_three_days_are_needed(database: Database) -> None:
    _, patient = a_house(database)
    change(database, patient, first_dose_on=(NOON - 300 * DAY).date())
    assert silent(database, patient, NOON + 2 * DAY + 5 * HOUR) == []
    assert silent(database, patient, NOON + 3 * DAY + 5 * HOUR) == [("MC4", 3)]


def test_a_zone_that_is_gone_keeps_nobody_off_the_list(database: Database) -> None:
    _, patient = a_house(database)
    change(database, patient, zone="Mars/Olympus")
    assert silent(database, patient, NOON + 3 * DAY) == [("MC2", 3)]
