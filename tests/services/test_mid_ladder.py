"""What changes while an alert's ladder runs: phones, people, the ladder itself. On both engines."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from patient_portal.database import Database, new_id
from patient_portal.domain.ladders import LADDER, as_stored
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    Caregiver,
    CaregiverGrant,
    Clinic,
    Message,
    MessageKind,
    Patient,
    Position,
    Role,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import alerts, inbound, leads, opt_out, own_phones, rota_edit, team
from patient_portal.services.audit import SYSTEM
from patient_portal.services.rota_plan import read_board
from tests.services.test_alerts import raised, red
from tests.services.test_ladder import at, deliver, second_number, stored, take, tick, told
from tests.support.people import (
    NOON,
    Team,
    a_clinic,
    a_house,
    a_member,
    a_patient,
    a_site,
    a_team,
)

URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
MINUTE = timedelta(minutes=1)


def disable(database: Database, person: StaffMember, now: datetime) -> None:
    with database.transaction() as session:
        team.disable_staff(session, session.get_one(StaffMember, person.id), SYSTEM, now)


def stop(database: Database, number: str, now: datetime) -> None:
    with database.transaction() as session:
        opt_out.stop_number(session, number, now)


def number_of(database: Database, person: StaffMember) -> str:
    with database.reading() as session:
        query = select(StaffPhone.number).where(StaffPhone.staff_id == person.id)
        return session.scalars(query).one()


def texted(database: Database, number: str, body: str, now: datetime) -> str:
    with database.transaction() as session:
        return inbound.receive(session, a_site(), f"SM{new_id()}", number, body, now)


# ---- a phone or a person is lost


def test_a_phone_that_stops_texts_ends_the_waiting_for_it(database: Database) -> None:
    house, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    stop(database, number_of(database, house.nurse), at(3))
    tick(database, at(3))
    assert (3, "J. Park") in told(database)


def test_a_phone_that_stops_texts_is_followed_by_the_persons_second(database: Database) -> None:
    house, patient = a_house(database)
    second_number(database, house.nurse, "+12125550777")
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    stop(database, number_of_first(database, house.nurse), at(3))
    tick(database, at(3))
    with database.reading() as session:
        numbers = session.scalars(
            select(Message.to_number).where(Message.created_at == at(3))
        ).all()
    assert "+12125550777" in numbers


def number_of_first(database: Database, person: StaffMember) -> str:
    with database.reading() as session:
        return session.scalars(
            select(StaffPhone.number).where(StaffPhone.staff_id == person.id, StaffPhone.rank == 1)
        ).one()


def test_somebody_else_of_the_step_is_still_waited_for(database: Database) -> None:
    house, patient = a_house(database)
    raised(database, patient, red(EMERGENCY))
    deliver(database, at(0))
    stop(database, number_of(database, house.nurse), at(2))
    tick(database, at(2))
    assert {name for _, name in told(database)} == {"N. Silva", "J. Park"}
    tick(database, at(5))
    assert (5, "A. Osei") in told(database)


def test_a_number_that_is_changed_ends_the_waiting_for_the_old_one(database: Database) -> None:
    house, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    with database.transaction() as session:
        board = read_board(session, session.get_one(Clinic, house.clinic.id), at(3))
        own_phones.keep(session, board, house.nurse, 1, "+12125550888", at(3))
    tick(database, at(3))
    assert (3, "J. Park") in told(database)


def test_an_account_that_closes_ends_the_waiting_for_it(database: Database) -> None:
    house, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    disable(database, house.nurse, at(4))
    tick(database, at(4))
    assert (4, "J. Park") in told(database)


def test_an_alert_does_not_stay_with_somebody_who_has_left(database: Database) -> None:
    house, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    take(database, house.nurse, at(1))
    disable(database, house.nurse, at(2))
    tick(database, at(2))
    alert = stored(database)
    assert (alert.state, alert.taken_by) == (AlertState.OPEN, None)
    assert (2, "J. Park") in told(database)  # the nurse's step has nobody any more


def test_after_a_call_the_lead_alone_hears_of_it(database: Database) -> None:
    house, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    take(database, house.nurse, at(1))
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.contact(session, alert, house.nurse, "reached", at(2))
    disable(database, house.nurse, at(3))
    tick(database, at(3))
    assert stored(database).state is AlertState.TAKEN
    assert told(database, MessageKind.STAFF_ALARM) == [(3, "L. Brandt")]
    tick(database, at(30))
    assert len(told(database, MessageKind.STAFF_ALARM)) == 1


def test_another_clinics_alerts_are_left_alone(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        other = a_team(session, name="Oak Clinic")
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    due = stored(database).next_action_at
    disable(database, other.nurse, at(4))
    assert stored(database).next_action_at == due


# ---- the ladder is changed


def six_steps() -> dict[str, object]:
    steps = [["nurse"], ["backup"], ["nurse", "backup"], ["physician"], ["backup", "physician"],
             ["lead", "everyone"]]  # fmt: skip
    return {
        **as_stored(LADDER),
        "emergency": [{"who": who, "minutes": 2} for who in steps],
    }


def test_a_ladder_that_becomes_shorter_texts_its_last_step_again(database: Database) -> None:
    house, patient = a_house(database)
    with database.transaction() as session:
        session.get_one(Clinic, house.clinic.id).ladder = six_steps()
    raised(database, patient, red(EMERGENCY))
    for minute in range(9):
        tick(database, at(minute))
        deliver(database, at(minute))
    assert stored(database).step == 5
    # The default has three steps, and the third of the present one was texted four minutes in.
    with database.transaction() as session:
        session.get_one(Clinic, house.clinic.id).ladder = None
    before = len(told(database))
    for minute in range(9, 30):
        tick(database, at(minute))
        deliver(database, at(minute))
        if len(told(database)) > before:
            break
    everyone = {"N. Silva", "J. Park", "A. Osei", "L. Brandt"}
    assert {name for _, name in told(database)[before:]} == everyone
    assert stored(database).step == 3


def test_a_ladder_that_becomes_quicker_holds_for_the_running_step(database: Database) -> None:
    house, patient = a_house(database)
    raised(database, patient, red(URGENT))
    deliver(database, at(0))
    tick(database, at(4))
    ladder = as_stored(LADDER)
    ladder["urgent"][0]["minutes"] = 5
    with database.transaction() as session:
        lead = session.get_one(StaffMember, house.lead.id)
        rota_edit.set_ladder(rota_edit.begin(session, a_site(), lead, at(4)), ladder)
    tick(database, at(4))
    tick(database, at(5))
    assert (5, "J. Park") in told(database)


# ---- one phone, several roles


@pytest.fixture
def two_clinics(database: Database) -> tuple[Team, StaffMember, Patient]:
    """N. Silva works for two clinics with one phone; the patient is the second one's."""
    with database.transaction() as session:
        first = a_team(session)
        second = a_clinic(session, name="Oak Clinic")
        silva = a_member(session, second, "N. Silva", Position.NURSE)
        patient = a_patient(session, second)
    return first, silva, patient


def test_a_nurse_of_two_clinics_takes_the_alert_of_either(
    database: Database, two_clinics: tuple[Team, StaffMember, Patient]
) -> None:
    _, silva, patient = two_clinics
    raised(database, patient, red(URGENT))
    alert = stored(database)
    number = number_of(database, silva)
    assert texted(database, number, "ok", at(1)) == "which"
    assert texted(database, number, alert.ref, at(1)) == "took"
    assert stored(database).taken_by == silva.id
    with database.reading() as session:
        bodies = session.scalars(
            select(Message.body).where(Message.kind == MessageKind.STAFF_REPLY)
        ).all()
    assert all(alert.ref in body for body in bodies)


def a_helper(session: Session, clinic: Clinic, helped: Patient, phone: str) -> Caregiver:
    helper = Caregiver(
        id=new_id(), clinic_id=clinic.id, first_name="Rosa", phone=phone, language="en",
        created_at=NOON,
    )  # fmt: skip
    session.add(helper)
    session.flush()
    session.add(
        CaregiverGrant(
            caregiver_id=helper.id,
            patient_id=helped.id,
            scopes=["check_in", "status"],
            granted_at=NOON,
        )
    )
    session.flush()
    return helper


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_patient_who_helps_another_may_write_of_either(
    database: Database, has_ended: bool
) -> None:
    house, patient = a_house(database)
    with database.transaction() as session:
        helped = a_patient(session, house.clinic, first_name="Luis", phone="+12125550155")
        a_helper(session, house.clinic, helped, patient.phone)
        if has_ended:
            session.execute(update(Patient).where(Patient.id == patient.id).values(ended_at=NOON))
    assert texted(database, patient.phone, "he cannot breathe", at(1)) == "danger"
    with database.reading() as session:
        about = set(session.scalars(select(Alert.patient_id)))
        told_now = session.scalars(
            select(Message.to_number).where(Message.kind == MessageKind.CALL_NOW)
        ).all()
    assert about == ({helped.id} if has_ended else {patient.id, helped.id})
    assert told_now == [helped.phone]  # who did not write, and has no answer before them


# ---- who is told where no lead is


def test_without_a_lead_and_a_phone_of_the_clinic_everyone_hears_an_alarm(
    database: Database,
) -> None:
    with database.transaction() as session:
        clinic = a_clinic(session)
        silva = a_member(session, clinic, "N. Silva", Position.NURSE)
        a_member(session, clinic, "J. Park", phone="+12125550143")
        a_member(session, clinic, "A. Auditor", phone="+12125550149", role=Role.AUDITOR)
        told_count = leads.text_leads(
            session, clinic.id, "x", lambda _words, _clinic: "x", NOON, but_not=silva.id
        )
    assert told_count == 1
    assert told(database, MessageKind.STAFF_ALARM) == [(0, "J. Park")]
