"""Texts that people send: kept, understood, answered at most once an hour."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from patient_portal.database import Database, new_id
from patient_portal.models import (
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


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        ("STOP", "stop"), ("stop!", "stop"), ("'stop'", "stop"), ("ＳＴＯＰ", "stop"),
        ("Stop all", "stop"), ("unsubscribe", "stop"), ("Start", "start"), ("Help?", "help"),
        ("please do not stop", ""), ("stopped breathing well", ""), ("", ""), ("1", ""),
        ("YES", "yes"),
    ],
)  # fmt: skip
def test_only_a_word_alone_is_a_wish(body: str, wish: str) -> None:
    assert inbound.wish_of(body) == wish


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


def test_staff_are_told_where_to_look(database: Database, house: tuple[Team, Patient]) -> None:
    assert _text(database, NURSE, "ok") == "not_understood"
    (reply,) = _replies(database)
    assert "https://chk.example/staff/inbox" in reply.body
    assert _text(database, NURSE, "stop") == "stop"
    with database.reading() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "staff.texts_stopped")
        ).one()
    assert entry.subject_id == house[0].nurse.id


def test_a_stranger_gets_nothing_but_is_kept(
    database: Database, house: tuple[Team, Patient]
) -> None:
    assert _text(database, "+447700900123", "who is this\x00" + "x" * 3000) == "unknown_number"
    assert not _replies(database)
    with database.reading() as session:
        kept = session.scalars(select(InboundText)).one()
    assert (kept.handled_as, len(kept.body)) == ("unknown_number", 1600)


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
    assert _text(database, ROSA, "I cannot breathe") == "needs_reading"
    assert not _replies(database)  # the network would not let it through
    with database.transaction() as session:
        a_patient(session, team.clinic, phone="+12125550177", ended_at=NOON)
    assert _text(database, "+12125550177", "I cannot breathe") == "needs_reading"
    assert len(_replies(database)) == 1


def test_replies_leave_by_the_lane_of_people_who_wait(
    database: Database, house: tuple[Team, Patient]
) -> None:
    _text(database, ROSA, "hello")
    with database.reading() as session:
        assert messages.waiting_lanes(session, NOON) == {Lane.PATIENT}
