"""Texts that people send: the door, in the order of its steps; every text is kept."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from patient_portal.database import Database, new_id
from patient_portal.models import (
    Alert,
    AuditEntry,
    Caregiver,
    CaregiverGrant,
    InboundText,
    Lane,
    Message,
    MessageKind,
    MessageState,
    Patient,
)
from patient_portal.services import inbound, messages, reminders
from tests.support.people import NOON, Team, a_house, a_patient, a_site

ROSA = "+12125550123"
NURSE = "+12125550142"


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


def _text(
    database: Database,
    number: str,
    body: str,
    now: datetime = NOON,
    sid: str | None = None,
    opt_out: str = "",
) -> str:
    with database.transaction() as session:
        return inbound.receive(
            session, a_site(), sid or f"SM{new_id()}", number, body, now, opt_out=opt_out
        )


def _replies(database: Database) -> list[Message]:
    with database.reading() as session:
        return list(session.scalars(select(Message).where(Message.kind == MessageKind.REPLY)))


def _rosa(database: Database, patient: Patient) -> Patient:
    with database.reading() as session:
        return session.get_one(Patient, patient.id)


def test_stop_ends_reminders_and_start_brings_them_back(
    database: Database, house: tuple[Team, Patient]
) -> None:
    _, patient = house
    with database.transaction() as session:
        reminders.plan(session, session.get_one(Patient, patient.id), NOON)
        due = session.get_one(Patient, patient.id).reminder_due_at
        assert due is not None
        reminders.queue_due(session, a_site(), due)
    assert _text(database, ROSA, " Stop. ", due) == "stop"
    stopped = _rosa(database, patient)
    assert (stopped.texts_stopped_at, stopped.reminder_due_at) == (due, None)
    with database.reading() as session:
        assert session.scalars(select(Message.state)).one() is MessageState.EXPIRED
    later = due + timedelta(hours=1)
    assert _text(database, ROSA, "START", later) == "start"
    started = _rosa(database, patient)
    assert started.texts_stopped_at is None
    assert started.reminder_due_at is not None
    assert not _replies(database)
    with database.reading() as session:
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [act for act in acts if "texts" in act] == [
        "patient.texts_stopped", "patient.texts_started",
    ]  # fmt: skip


def test_the_gateways_own_word_counts(database: Database, house: tuple[Team, Patient]) -> None:
    assert _text(database, ROSA, "Basta ya", opt_out="STOP") == "stop"
    assert _rosa(database, house[1]).texts_stopped_at == NOON


def test_yes_is_plain_talk_unless_texts_were_stopped(
    database: Database, house: tuple[Team, Patient]
) -> None:
    assert _text(database, ROSA, "yes") == "needs_reading"
    _text(database, ROSA, "stop")
    assert _text(database, ROSA, "yes") == "start"


def test_a_patient_is_told_whom_to_call_once_an_hour(
    database: Database, house: tuple[Team, Patient]
) -> None:
    assert _text(database, ROSA, "I feel bad") == "needs_reading"
    (reply,) = _replies(database)
    assert reply.to_number == ROSA
    assert "+12125550100" in reply.body and "911" in reply.body
    _text(database, ROSA, "hello?", NOON + timedelta(minutes=50))
    _text(database, ROSA, "hello?", NOON + timedelta(minutes=59))
    assert len(_replies(database)) == 1
    assert _text(database, ROSA, "help", NOON + timedelta(minutes=61)) == "help"
    assert len(_replies(database)) == 2


def test_a_helper_is_answered_in_their_own_language(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, patient = house
    with database.transaction() as session:
        luis = Caregiver(
            clinic_id=team.clinic.id, first_name="Luis", phone="+12125550199", language="es",
            created_at=NOON,
        )  # fmt: skip
        session.add(luis)
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=luis.id, patient_id=patient.id, scopes=["report"], granted_at=NOON
            )
        )
    assert _text(database, "+12125550199", "hola") == "needs_reading"
    (reply,) = _replies(database)
    assert reply.to_number == "+12125550199"
    assert "cannot give" not in reply.body


def test_a_stranger_hears_of_the_emergency_line_once_a_day_and_is_kept(
    database: Database, house: tuple[Team, Patient]
) -> None:
    stranger = "+447700900123"
    assert _text(database, stranger, "who is this\x00" + "x" * 3000) == "unknown_number"
    (reply,) = _replies(database)
    assert reply.to_number == stranger
    assert "999" in reply.body  # where the number is from
    assert "Maple" not in reply.body
    with database.reading() as session:
        kept = session.scalars(select(InboundText)).one()
    assert (kept.handled_as, len(kept.body)) == ("unknown_number", 1600)
    assert kept.clinic_id == house[0].clinic.id  # somebody reads it
    for hours in (2, 23):
        _text(database, stranger, "hello?", NOON + timedelta(hours=hours))
    assert len(_replies(database)) == 1
    _text(database, stranger, "hello?", NOON + timedelta(hours=25))
    assert len(_replies(database)) == 2


@pytest.mark.parametrize("sender", ["AMAZON", "72975", "+1", "", "+12125550123456789"])
def test_what_is_no_phone_is_kept_and_not_answered(
    database: Database, house: tuple[Team, Patient], sender: str
) -> None:
    assert _text(database, sender, "50 % off") == "unknown_number"
    assert not _replies(database)


def test_without_a_clinic_a_text_is_kept_all_the_same(database: Database) -> None:
    assert _text(database, "+447700900123", "hello") == "unknown_number"
    assert not _replies(database)


def test_our_own_number_is_never_answered(database: Database, house: tuple[Team, Patient]) -> None:
    with database.transaction() as session:
        handled_as = inbound.receive(
            session, a_site(), "SM7", ROSA, "I cannot breathe", NOON, own_numbers={ROSA}
        )
    assert handled_as == "own_number"
    assert not _replies(database)


def test_a_machine_that_answers_back_is_left_alone_after_five(
    database: Database, house: tuple[Team, Patient]
) -> None:
    moments = [NOON + timedelta(hours=2 * n) for n in range(8)]
    taken_for = [_text(database, ROSA, "I am away", at) for at in moments]
    assert taken_for == ["needs_reading"] * 5 + ["looping"] * 3
    assert len(_replies(database)) == 5
    assert _text(database, ROSA, "hi", NOON + timedelta(hours=26)) == "needs_reading"


def test_the_same_text_twice_is_one(database: Database, house: tuple[Team, Patient]) -> None:
    assert _text(database, ROSA, "stop", sid="SM1") == "stop"
    assert _text(database, ROSA, "stop", sid="SM1") == "duplicate"
    with database.reading() as session:
        assert session.scalars(select(func.count(InboundText.id))).one() == 1


def test_a_patient_who_stopped_texts_or_ended_is_still_kept(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, _ = house
    _text(database, ROSA, "stop")
    assert _text(database, ROSA, "when is my visit") == "needs_reading"
    assert not _replies(database)  # the network would not let it through
    with database.transaction() as session:
        a_patient(session, team.clinic, phone="+12125550177", ended_at=NOON)
    assert _text(database, "+12125550177", "when is my visit") == "needs_reading"
    assert len(_replies(database)) == 1


@pytest.mark.parametrize("word", ["ALTO", "Arrêt", "td"])
def test_a_stop_word_that_only_we_know_is_answered_by_us(
    database: Database, house: tuple[Team, Patient], word: str
) -> None:
    assert _text(database, ROSA, word) == "stop"
    assert _rosa(database, house[1]).texts_stopped_at == NOON
    (reply,) = _replies(database)
    assert "START" in reply.body and "911" in reply.body
    assert _text(database, ROSA, "iniciar", NOON + timedelta(minutes=5)) == "start"
    assert _rosa(database, house[1]).texts_stopped_at is None


def test_a_text_that_trips_over_a_damaged_record_is_kept_for_a_person(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, _ = house
    assert _text(database, ROSA, "I have a fever") == "danger"
    with database.transaction() as session:
        session.scalars(select(Alert)).one().reasons = [{}]
    assert _text(database, ROSA, "I cannot breathe", NOON + timedelta(minutes=1)) == "not_handled"
    with database.reading() as session:
        kept = session.scalars(select(InboundText).order_by(InboundText.received_at)).all()[-1]
    assert (kept.body, kept.clinic_id) == ("I cannot breathe", team.clinic.id)


def test_of_a_shared_phone_the_one_who_is_enrolled_is_meant(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, rosa = house
    with database.transaction() as session:
        a_patient(session, team.clinic, first_name="Eva", ended_at=NOON, language="es",
                  created_at=NOON - timedelta(days=9))  # fmt: skip
    _text(database, ROSA, "hello")
    with database.reading() as session:
        assert session.scalars(select(InboundText.patient_id)).one() == rosa.id


def test_replies_leave_by_the_lane_of_people_who_wait(
    database: Database, house: tuple[Team, Patient]
) -> None:
    _text(database, ROSA, "hello")
    with database.reading() as session:
        assert messages.waiting_lanes(session, NOON) == {Lane.PATIENT}
