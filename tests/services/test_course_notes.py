"""The log of medicines and personal limits, through the database to the rules; both engines."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from patient_portal.database import Database
from patient_portal.domain.course import Course, in_window
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.overrides import OverrideRefused, Overrides
from patient_portal.domain.triage import triage
from patient_portal.models import (
    AuditEntry,
    CheckIn,
    Clinic,
    MedicineEvent,
    MedicineKind,
    Override,
    OverrideKind,
    Patient,
    Role,
    StaffMember,
)
from patient_portal.services import (
    alert_file,
    checkins,
    courses,
    inbox,
    medicines,
    overrides,
    patients,
    trends,
)
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from patient_portal.services.medicines import MedicineRefused
from patient_portal.services.overrides import Changed, LimitRefused
from patient_portal.services.replay import stored_check_ins
from tests.support.people import NOON, Team, a_house, a_member, a_site

TODAY = date(2026, 11, 20)
PROTOCOL = a_site().protocol
LOW, HIGH = Decimal("37.5"), Decimal("38.0")
NONE, WATCH, URGENT, EMERGENCY = TriageLevel


class House:
    """One patient on enasidenib, whose window ends on day 180, and the team."""

    def __init__(self, database: Database, day: int) -> None:
        self.database = database
        self.team, self.patient = a_house(database)
        self.rewrite(first_dose_on=TODAY - timedelta(days=day - 1))

    def rewrite(self, **values: Any) -> None:
        with self.database.transaction() as session:
            session.execute(update(Patient).values(**values))

    def note(self, kind: MedicineKind, ago: int, by: StaffMember | None = None) -> None:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            on = TODAY - timedelta(days=ago)
            medicines.note(session, patient, kind, on, by or self.team.nurse, NOON)

    def take_back(self, by: StaffMember, kind: MedicineKind) -> None:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            rows = medicines.in_force(medicines.entries_of(session, patient.id))
            entry = next((row.id for row in rows if row.kind is kind), "nothing")
            medicines.take_back(session, patient, entry, by, NOON)

    def course(self, ahead: int = 0) -> Course:
        with self.database.reading() as session:
            patient = session.get_one(Patient, self.patient.id)
            on = TODAY + timedelta(days=ahead)
            return courses.course_for(session, patient, on, protocol=PROTOCOL)

    def is_inside(self, ahead: int = 0) -> bool:
        return in_window(PROTOCOL.drug("enasidenib"), self.course(ahead))

    def level(self, **answers: Any) -> TriageLevel:
        return triage(PROTOCOL, answers, self.course()).level

    def set(self, by: StaffMember, **wanted: Any) -> Changed:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            before, rows = overrides.current_of(session, patient)
            values = {kind.value: getattr(before, kind.value) for kind in OverrideKind}
            seen = overrides.state_of(patient, rows)
            limits = Overrides(**{**values, **wanted})
            return overrides.change(session, PROTOCOL, patient, limits, seen, by, NOON)

    def waiting(self) -> Override:
        with self.database.reading() as session:
            patient = session.get_one(Patient, self.patient.id)
            rows = [row for row in overrides.open_rows(session, patient) if overrides.waits(row)]
            session.expunge_all()
        assert len(rows) == 1
        return rows[0]

    def answer_waiting(self, by: StaffMember, *, yes: bool = True) -> None:
        act = overrides.approve if yes else overrides.decline
        row = self.waiting()
        with self.database.transaction() as session:
            act(session, session.get_one(Patient, self.patient.id), row.id, by, NOON)

    def audited(self) -> list[tuple[str, str | None]]:
        with self.database.reading() as session:
            rows = session.execute(
                select(AuditEntry.action, AuditEntry.actor_id)
                .where(AuditEntry.actor_kind == "staff")
                .order_by(AuditEntry.id)
            )
            return [(row.action, row.actor_id) for row in rows]


def member(database: Database, team: Team, role: Role) -> StaffMember:
    with database.transaction() as session:
        return a_member(session, session.get_one(Clinic, team.clinic.id), f"B. {role}", role=role)


# ---- the log of medicines


def test_a_steroid_cut_opens_the_window_for_14_days(database: Database) -> None:
    house = House(database, day=200)
    assert not house.is_inside()
    assert house.level(cough="new") == WATCH
    house.note(MedicineKind.STEROID_REDUCED, ago=0)
    assert [house.is_inside(ahead) for ahead in (0, 14, 15)] == [True, True, False]
    assert house.level(cough="new") == URGENT


def test_days_after_the_last_dose_keep_the_window_and_never_reopen_it(database: Database) -> None:
    house = House(database, day=180)
    house.note(MedicineKind.STOPPED, ago=0)
    assert [house.is_inside(ahead) for ahead in (0, 1, 14, 15)] == [True, True, True, False]


def test_a_last_dose_after_the_window_does_not_reopen_it(database: Database) -> None:
    house = House(database, day=190)
    house.note(MedicineKind.STOPPED, ago=1)
    assert not house.is_inside()


def test_a_restart_after_seven_days_without_is_day_1_again(database: Database) -> None:
    house = House(database, day=300)
    house.note(MedicineKind.STOPPED, ago=18)
    house.note(MedicineKind.RESTARTED, ago=10)
    assert house.course().day_of_therapy == 11
    assert house.is_inside()


def test_a_check_in_keeps_the_day_that_its_rules_saw(database: Database) -> None:
    house = House(database, day=300)
    house.note(MedicineKind.STOPPED, ago=18)
    house.note(MedicineKind.RESTARTED, ago=10)
    with database.transaction() as session:
        patient = session.get_one(Patient, house.patient.id)
        form = Form(patient, "k1", Actor("patient", patient.id))
        step = Step("page", {"cough": "new"}, ("cough",))
        made = checkins.record_answers(session, a_site(), form, step, NOON)
    assert made.level == URGENT
    with database.reading() as session:
        assert session.get_one(CheckIn, made.check_in_id).day_of_therapy == 11
        stored = list(stored_check_ins(session, PROTOCOL))
        assert stored[0].course.day_of_therapy == 11


def test_a_restart_after_six_days_without_goes_on_counting(database: Database) -> None:
    house = House(database, day=300)
    house.note(MedicineKind.STOPPED, ago=17)
    house.note(MedicineKind.RESTARTED, ago=10)
    assert house.course().day_of_therapy == 300
    assert not house.is_inside()


def test_the_syndrome_makes_the_next_day_count_anew(database: Database) -> None:
    house = House(database, day=300)
    house.note(MedicineKind.SYNDROME, ago=5)
    assert house.course().day_of_therapy == 6


def test_a_steroid_in_the_log_masks_a_fever(database: Database) -> None:
    house = House(database, day=20)
    warm = {"temperature_c": Decimal("37.6")}
    assert house.level(**warm) == WATCH
    house.note(MedicineKind.STEROID_STARTED, ago=3)
    assert house.course().on_steroid
    assert house.level(**warm) == URGENT
    house.note(MedicineKind.STEROID_STOPPED, ago=1)
    assert not house.course().on_steroid
    assert house.is_inside()


@pytest.mark.parametrize(
    ("kind", "ago", "code"),
    [
        (MedicineKind.STEROID_STARTED, -1, "future"),
        (MedicineKind.SYNDROME, 4000, "too_old"),
        (MedicineKind.STARTED, 3, "already_taking"),
        (MedicineKind.RESTARTED, 3, "already_taking"),
        (MedicineKind.STOPPED, 30, "not_taking"),
        (MedicineKind.TAKEN_BACK, 1, "kind"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(
    database: Database, kind: MedicineKind, ago: int, code: str
) -> None:
    house = House(database, day=20)
    with pytest.raises(MedicineRefused) as refused:
        house.note(kind, ago)
    assert refused.value.code == code
    with database.reading() as session:
        assert session.scalars(select(MedicineEvent)).all() == []


def test_the_same_entry_twice_is_one(database: Database) -> None:
    house = House(database, day=20)
    house.note(MedicineKind.STOPPED, ago=2)
    house.note(MedicineKind.STOPPED, ago=2)
    assert house.audited() == [("medicine.noted", house.team.nurse.id)]


def test_an_entry_taken_back_counts_no_more_and_stays_in_the_log(database: Database) -> None:
    house = House(database, day=200)
    house.note(MedicineKind.STEROID_REDUCED, ago=0)
    house.take_back(house.team.nurse, MedicineKind.STEROID_REDUCED)
    assert not house.is_inside()
    with database.reading() as session:
        kept = session.scalars(select(MedicineEvent)).all()
    assert {row.kind for row in kept} == {MedicineKind.STEROID_REDUCED, MedicineKind.TAKEN_BACK}
    with pytest.raises(MedicineRefused, match="gone"):
        house.take_back(house.team.nurse, MedicineKind.STEROID_REDUCED)


def test_anothers_entry_is_taken_back_by_a_physician(database: Database) -> None:
    house = House(database, day=200)
    house.note(MedicineKind.STEROID_REDUCED, ago=0)
    with pytest.raises(MedicineRefused, match="not_yours"):
        house.take_back(house.team.backup, MedicineKind.STEROID_REDUCED)
    house.take_back(house.team.physician, MedicineKind.STEROID_REDUCED)
    assert not house.is_inside()


def test_a_stop_that_a_restart_rests_on_is_not_taken_back_alone(database: Database) -> None:
    house = House(database, day=300)
    house.note(MedicineKind.STOPPED, ago=18)
    house.note(MedicineKind.RESTARTED, ago=10)
    with pytest.raises(MedicineRefused, match="already_taking"):
        house.take_back(house.team.nurse, MedicineKind.STOPPED)


def test_a_log_that_contradicts_itself_counts_as_inside(database: Database) -> None:
    house = House(database, day=300)
    house.note(MedicineKind.STOPPED, ago=18)
    house.note(MedicineKind.RESTARTED, ago=10)
    house.rewrite(first_dose_on=TODAY)
    assert house.is_inside()


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_only_the_care_team_writes(database: Database, role: Role) -> None:
    house = House(database, day=20)
    other = member(database, house.team, role)
    with pytest.raises(MedicineRefused, match="role"):
        house.note(MedicineKind.STOPPED, ago=1, by=other)
    with pytest.raises(LimitRefused, match="role"):
        house.set(other, fever_line=LOW)


# ---- personal limits


def test_a_change_towards_caution_holds_at_once(database: Database) -> None:
    house = House(database, day=200)
    made = house.set(house.team.nurse, fever_line=LOW, on_steroid=True, window_last_day=210)
    assert made.waiting == ()
    course = house.course()
    assert (course.fever_line, course.on_steroid, course.window_last_day) == (LOW, True, 210)
    assert house.is_inside()
    assert house.level(temperature_c=Decimal("37.6")) == URGENT


# What makes a level milder: the change, an answer, its level before and once two agree.
MILDER: list[tuple[dict[str, Any], dict[str, Any], TriageLevel, TriageLevel]] = [
    ({"window_last_day": 15}, {"cough": "new"}, URGENT, WATCH),
    ({"usual": frozenset({"cough"})}, {"cough": "usual"}, URGENT, NONE),
    (
        {"baseline": Measure(Decimal("74"), "kg")},
        {"weight": Decimal("75.5"), "weight_unit": "kg"}, URGENT, NONE,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "answers", "before", "after"), MILDER)
def test_away_from_caution_nothing_holds_until_a_second_clinician_agrees(
    database: Database,
    wanted: dict[str, Any],
    answers: dict[str, Any],
    before: TriageLevel,
    after: TriageLevel,
) -> None:
    house = House(database, day=20)
    assert house.level(**answers) == before
    made = house.set(house.team.nurse, **wanted)
    assert (made.holding, len(made.waiting)) == ((), 1)
    assert house.level(**answers) == before
    house.answer_waiting(house.team.physician)
    assert house.level(**answers) == after
    assert house.audited() == [
        ("override.set", house.team.nurse.id),
        ("override.approved", house.team.physician.id),
    ]


@pytest.mark.parametrize("field", ["fever_line", "on_steroid"])
def test_taking_a_cautious_limit_away_needs_two(database: Database, field: str) -> None:
    house = House(database, day=20)
    warm = {"temperature_c": Decimal("37.6")}
    cautious, plain = {"fever_line": (LOW, None), "on_steroid": (True, False)}[field]
    house.set(house.team.nurse, **{field: cautious})
    house.set(house.team.physician, **{field: plain})
    assert house.level(**warm) == URGENT
    house.answer_waiting(house.team.lead)
    assert house.level(**warm) == WATCH


def test_who_may_agree(database: Database) -> None:
    house = House(database, day=20)
    house.set(house.team.physician, window_last_day=15)
    refused = [
        (house.team.physician, "same_person"),
        (house.team.nurse, "role"),
        (member(database, house.team, Role.ADMINISTRATOR), "role"),
        (member(database, house.team, Role.AUDITOR), "role"),
    ]
    for who, code in refused:
        with pytest.raises(LimitRefused, match=code):
            house.answer_waiting(who)
    assert house.course().window_last_day is None
    house.answer_waiting(house.team.lead)
    assert house.course().window_last_day == 15


def test_a_limit_that_was_declined_or_replaced_cannot_be_agreed_to(database: Database) -> None:
    house = House(database, day=20)
    house.set(house.team.nurse, window_last_day=15)
    old = house.waiting()
    house.set(house.team.nurse, window_last_day=200)
    with database.transaction() as session, pytest.raises(LimitRefused, match="gone"):
        patient = session.get_one(Patient, house.patient.id)
        overrides.approve(session, patient, old.id, house.team.lead, NOON)
    assert house.course().window_last_day == 200
    house.set(house.team.nurse, window_last_day=190)
    house.answer_waiting(house.team.nurse, yes=False)
    assert house.course().window_last_day == 200


def test_a_form_shown_before_somebody_elses_change_is_refused(database: Database) -> None:
    house = House(database, day=20)
    with database.transaction() as session:
        patient = session.get_one(Patient, house.patient.id)
        seen = overrides.state_of(patient, overrides.open_rows(session, patient))
    house.set(house.team.nurse, fever_line=LOW)
    with database.transaction() as session, pytest.raises(LimitRefused, match="stale"):
        patient = session.get_one(Patient, house.patient.id)
        wanted = Overrides(baseline=Measure(Decimal("70"), "kg"))
        overrides.change(session, PROTOCOL, patient, wanted, seen, house.team.backup, NOON)
    assert house.course().fever_line == LOW


def test_a_value_that_cannot_be_right_is_refused(database: Database) -> None:
    house = House(database, day=20)
    with pytest.raises(OverrideRefused, match="not_offered"):
        house.set(house.team.nurse, fever_line=Decimal("39"))
    with pytest.raises(OverrideRefused, match="baseline"):
        house.set(house.team.nurse, baseline=Measure(Decimal("5"), "kg"))


def test_the_lines_of_the_uk_come_from_the_clinic(database: Database) -> None:
    house = House(database, day=20)
    with database.transaction() as session:
        session.execute(update(Clinic).values(uk_lines=True))
    warm = {"temperature_c": Decimal("37.6")}
    assert house.course().uk_lines
    assert house.level(**warm) == URGENT
    assert house.set(house.team.nurse, fever_line=HIGH).waiting == (OverrideKind.FEVER_LINE,)
    assert house.level(**warm) == URGENT


def test_every_list_counts_the_days_from_the_restart(database: Database) -> None:
    """The patient's home, the list, the inbox and the plot say the day that the rules count."""
    house = House(database, day=100)
    house.note(MedicineKind.STOPPED, 20)
    house.note(MedicineKind.RESTARTED, 4)
    patient = house.patient
    with database.transaction() as session:
        form = Form(session.get_one(Patient, patient.id), "k", Actor("patient", patient.id))
        step = Step("page", {"breathlessness": "at_rest"}, ("breathlessness",))
        checkins.record_answers(session, a_site(), form, step, NOON)
    assert house.course().day_of_therapy == 5
    with database.reading() as session:
        found = session.get_one(Patient, patient.id)
        (row,) = patients.list_of_clinic(session, found.clinic_id, NOON)
        (line,) = inbox.open_alerts(session, found.clinic_id, NOON)
        trend = trends.trend_of(session, PROTOCOL, found, TODAY)
        file = alert_file.read_file(session, PROTOCOL, found.clinic_id, line.ref, NOON)
    assert row.day == line.person.day == trend.days[-1].number == 5
    assert [day.number for day in trend.days[-6:]] == [95, 1, 2, 3, 4, 5]
    assert file.trend.days[-1].number == 5


def test_the_line_of_the_plot_knows_a_window_that_is_kept_open(database: Database) -> None:
    """In the window 1.5 kg in 3 days is urgent; outside it takes more."""
    house = House(database, day=185)
    for ago in (3, 0):
        with database.transaction() as session:
            now = NOON - timedelta(days=ago)
            found = session.get_one(Patient, house.patient.id)
            form = Form(found, f"k{ago}", Actor("patient", found.id))
            given = {"weight": Decimal("70.0"), "weight_unit": "kg"}
            checkins.record_answers(session, a_site(), form, Step("w", given, tuple(given)), now)

    def line() -> Decimal | None:
        with database.reading() as session:
            patient = session.get_one(Patient, house.patient.id)
            found = trends.trend_of(session, PROTOCOL, patient, TODAY).weight_line
            return found.over if found else None

    outside = line()
    house.note(MedicineKind.STEROID_REDUCED, 2)
    inside = line()
    assert inside is not None
    assert outside is None or inside < outside
