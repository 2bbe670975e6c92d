"""What patients tell of their steroid tablets: kept as given, told in the log; both engines."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from patient_portal import protocols
from patient_portal.database import Database, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date
from patient_portal.domain.steroid import SteroidTablets, counts_as
from patient_portal.domain.windows import standing
from patient_portal.models import Answer, AuditEntry, CheckIn, MedicineEvent, MedicineKind, Patient
from patient_portal.services import checkins, courses, invariants, medicines, steroids
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Recorded, Step
from patient_portal.services.medicines import MedicineRefused
from tests.support.people import NOON, Team, a_house, a_site

DAY = timedelta(days=1)
WARM = {"temperature": "37.6", "temperature_unit": "c", "fever_medicine_6h": False}
STARTED, REDUCED = MedicineKind.STEROID_STARTED, MedicineKind.STEROID_REDUCED
STOPPED, NOTED = MedicineKind.STEROID_STOPPED, MedicineKind.STEROID_NONE


class House:
    """A team and a patient who joined ten weeks ago, on day 200: after the window."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.team: Team
        self.team, self.patient = a_house(database)
        with database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            patient.enrolled_at = NOON - 70 * DAY
            patient.first_dose_on = (NOON - 199 * DAY).date()

    def step(self, step: Step, day: int = 0, key: str = "", by: str = "patient") -> Recorded:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            form = Form(patient, key or f"day{day}", Actor(by, new_id(), patient.clinic_id))
            return checkins.record_answers(session, a_site(), form, step, NOON + day * DAY)

    def tells(self, told: SteroidTablets, day: int = 0, **more: Any) -> Recorded:
        given = {"on_steroid": counts_as(told)}
        return self.step(Step("steroid", given, ("on_steroid",), steroid=told), day, **more)

    def says(self, day: int = 0, **given: Any) -> Recorded:
        return self.step(Step("page", given, tuple(given)), day)

    def notes(self, kind: MedicineKind, ago: int) -> None:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            on = (NOON - ago * DAY).date()
            medicines.note(session, patient, kind, on, self.team.nurse, NOON + timedelta(hours=1))

    def log(self) -> list[tuple[MedicineKind, date, str | None]]:
        with self.database.reading() as session:
            entries = medicines.entries_of(session, self.patient.id)
            return [(one.kind, one.on_date, one.told_by) for one in entries]

    def is_asked(self, day: int) -> bool:
        """Whether a form that begins on that day would ask."""
        with self.database.reading() as session:
            patient = session.get_one(Patient, self.patient.id)
            on = local_date(NOON + day * DAY, patient.zone)
            form = CheckIn(local_date=on, started_at=NOON + day * DAY, steroid=None)
            return steroids.is_asked(session, patient, form)

    def takes(self, day: int) -> bool:
        with self.database.reading() as session:
            entries = medicines.entries_of(session, self.patient.id)
            return medicines.is_on_steroid(entries, (NOON + day * DAY).date())

    def is_inside(self, day: int) -> bool:
        """Whether the log keeps the window open on that day."""
        protocol = protocols.current()
        with self.database.reading() as session:
            patient = session.get_one(Patient, self.patient.id)
            entries = medicines.entries_of(session, patient.id)
            log = medicines.log_of(patient.first_dose_on, entries)
            on = (NOON + day * DAY).date()
            return standing(protocol, protocol.drug(patient.drug), log, on).is_extended

    def is_sound(self) -> bool:
        with self.database.reading() as session:
            return not [one.name for one in invariants.ALL if invariants.count(session, one)]


def test_an_answer_is_kept_as_it_was_given(database: Database) -> None:
    house = House(database)
    made = house.tells(SteroidTablets.LESS)
    with database.reading() as session:
        row = session.get_one(CheckIn, made.check_in_id)
        assert (row.steroid, row.answers) == (SteroidTablets.LESS, {"on_steroid": True})
        (kept,) = session.scalars(select(Answer))
        assert kept.given["steroid_tablets"] == "less"
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "medicine.noted"))
        assert [one.actor_kind for one in noted] == ["patient"]


def test_a_smaller_dose_opens_the_window_for_14_days(database: Database) -> None:
    house = House(database)
    assert not house.is_inside(0)
    house.tells(SteroidTablets.LESS)
    house.tells(SteroidTablets.LESS)  # a second tap
    assert house.log() == [(REDUCED, NOON.date(), "patient")]
    assert [house.is_inside(day) for day in (0, 14, 15)] == [True, True, False]
    assert house.takes(30)
    assert house.says(3, cough="new").level is TriageLevel.URGENT
    assert house.is_sound()


def test_tablets_that_the_log_does_not_know_hide_a_fever_from_then_on(database: Database) -> None:
    for told in (SteroidTablets.SAME, SteroidTablets.NOT_SURE):
        house = House(database)
        assert house.says(-1, **WARM).level is TriageLevel.WATCH
        house.tells(told, by="caregiver")
        assert house.log() == [(STARTED, NOON.date(), "caregiver")]
        assert house.says(5, **WARM).level is TriageLevel.URGENT
        house.notes(STOPPED, ago=0)  # the team says otherwise
        assert not house.takes(1)


def test_the_answer_counts_for_the_form_it_came_with(database: Database) -> None:
    house = House(database)
    assert house.says(0, **WARM).level is TriageLevel.WATCH
    assert house.tells(SteroidTablets.SAME).level is TriageLevel.URGENT


def test_the_same_as_the_log_adds_nothing(database: Database) -> None:
    house = House(database)
    house.notes(STARTED, ago=20)
    for told in (SteroidTablets.SAME, SteroidTablets.NOT_SURE):
        house.tells(told)
    assert [kind for kind, *_ in house.log()] == [STARTED]


def test_none_ends_nothing_that_the_log_knows(database: Database) -> None:
    house = House(database)
    house.notes(STARTED, ago=20)
    house.tells(SteroidTablets.NONE)
    assert (NOTED, NOON.date(), "patient") in house.log()
    assert house.takes(0) and house.takes(9)
    assert house.says(1, **WARM).level is TriageLevel.URGENT
    assert house.is_asked(7)


def test_none_without_a_log_is_kept_with_the_check_in_alone(database: Database) -> None:
    house = House(database)
    house.tells(SteroidTablets.NONE)
    assert house.log() == []
    assert not house.takes(0)


def test_it_is_asked_once_in_seven_days(database: Database) -> None:
    house = House(database)
    assert house.is_asked(0)
    house.tells(SteroidTablets.NONE)
    assert [house.is_asked(day) for day in (0, 1, 6, 7, 8)] == [False, False, False, True, True]


def test_who_has_just_joined_or_has_stopped_is_not_asked(database: Database) -> None:
    house = House(database)
    house.notes(STARTED, ago=9)
    assert house.is_asked(0)
    house.notes(STOPPED, ago=1)
    assert not house.is_asked(0)
    house.notes(STARTED, ago=0)
    assert house.is_asked(0)
    with database.transaction() as session:
        session.get_one(Patient, house.patient.id).enrolled_at = NOON - 6 * DAY
    assert not house.is_asked(0)
    assert house.is_asked(1)


def test_what_a_patient_told_is_taken_back_by_a_physician_or_lead(database: Database) -> None:
    house = House(database)
    house.tells(SteroidTablets.SAME)
    with database.transaction() as session:
        patient = session.get_one(Patient, house.patient.id)
        (entry,) = medicines.entries_of(session, patient.id)
        with pytest.raises(MedicineRefused) as refused:
            medicines.take_back(session, patient, entry.id, house.team.nurse, NOON)
        assert refused.value.code == "not_yours"
        medicines.take_back(session, patient, entry.id, house.team.physician, NOON)
    assert not house.takes(0)
    assert house.is_sound()


def test_staff_cannot_enter_what_only_patients_tell(database: Database) -> None:
    house = House(database)
    with pytest.raises(MedicineRefused) as refused:
        house.notes(NOTED, ago=0)
    assert refused.value.code == "kind"


def test_an_entry_has_one_source(database: Database) -> None:
    house = House(database)
    for by, told in ((None, None), (house.team.nurse.id, "patient")):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.add(
                MedicineEvent(
                    patient_id=house.patient.id, kind=STARTED, on_date=NOON.date(),
                    entered_by=by, told_by=told, entered_at=NOON,
                )
            )  # fmt: skip


def test_the_course_reads_the_log_of_both(database: Database) -> None:
    house = House(database)
    house.tells(SteroidTablets.LESS)
    with database.reading() as session:
        patient = session.get_one(Patient, house.patient.id)
        course = courses.course_for(session, patient, NOON.date() + DAY)
    assert (course.on_steroid, course.window_extended) == (True, True)
