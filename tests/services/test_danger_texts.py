"""Words of danger in a text: an alert and an answer at once, whatever the person's state."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from patient_portal.database import Database, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AuditEntry,
    Caregiver,
    CaregiverGrant,
    InboundText,
    Lane,
    Message,
    MessageKind,
    Patient,
)
from patient_portal.services import inbound
from tests.support.people import NOON, Team, a_clinic, a_house, a_patient, a_site

ROSA = "+12125550123"
LUIS = "+12125550199"
NIGHT = NOON + timedelta(hours=10)  # three in the morning


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    return a_house(database)


def _text(database: Database, number: str, body: str, now: datetime = NOON) -> str:
    with database.transaction() as session:
        return inbound.receive(session, a_site(), f"SM{new_id()}", number, body, now)


def _alerts(database: Database) -> list[Alert]:
    with database.reading() as session:
        return list(session.scalars(select(Alert).order_by(Alert.opened_at)))


def _texts(database: Database, kind: MessageKind) -> list[Message]:
    with database.reading() as session:
        query = select(Message).where(Message.kind == kind).order_by(Message.created_at)
        return list(session.scalars(query))


@pytest.mark.parametrize(
    ("body", "level", "number"),
    [
        ("I CAN’T breathe!!", TriageLevel.EMERGENCY, "call 911 NOW"),
        ("no puedo respirar", TriageLevel.EMERGENCY, "call 911 NOW"),
        ("fever since last night", TriageLevel.URGENT, "call your team NOW: +12125550100"),
    ],
)
def test_words_of_danger_open_an_alert_and_are_answered(
    database: Database, house: tuple[Team, Patient], body: str, level: TriageLevel, number: str
) -> None:
    assert _text(database, ROSA, body, NIGHT) == "danger"
    (alert,) = _alerts(database)
    assert (TriageLevel(alert.level), alert.patient_id) == (level, house[1].id)
    assert _texts(database, MessageKind.STAFF_ALERT)
    (reply,) = _texts(database, MessageKind.REPLY)
    assert number in reply.body
    assert (reply.to_number, reply.lane, reply.due_at) == (ROSA, Lane.PATIENT, NIGHT)
    with database.reading() as session:
        row = session.scalars(select(InboundText)).one()
        acts = session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject_id == alert.id)
        ).all()
    assert (row.alert_id, row.patient_id) == (alert.id, house[1].id)
    assert {"alert.opened", "alert.by_text"} <= set(acts)


def test_the_words_never_travel_by_text(database: Database, house: tuple[Team, Patient]) -> None:
    _text(database, ROSA, "I cannot breathe and my name is Rosa")
    with database.reading() as session:
        bodies = session.scalars(select(Message.body)).all()
        details = session.scalars(select(AuditEntry.detail)).all()
    for text in (*bodies, *map(str, details)):
        assert "breath" not in text and "Rosa" not in text


def test_the_answer_comes_in_the_writers_language(
    database: Database, house: tuple[Team, Patient]
) -> None:
    with database.transaction() as session:
        session.get_one(Patient, house[1].id).language = "es"
    _text(database, ROSA, "I cannot breathe")
    (reply,) = _texts(database, MessageKind.REPLY)
    assert "911" in reply.body and "+12125550100" in reply.body


AWAY = {"paused_from": NOON.date(), "paused_until": NOON.date() + timedelta(days=3)}


@pytest.mark.parametrize("state", [{"ended_at": NOON}, {"texts_stopped_at": NOON}, AWAY])
def test_no_state_of_a_person_shuts_the_door(
    database: Database, house: tuple[Team, Patient], state: dict[str, Any]
) -> None:
    with database.transaction() as session:
        patient = session.get_one(Patient, house[1].id)
        for name, value in state.items():
            setattr(patient, name, value)
    assert _text(database, ROSA, "chest pain", NIGHT) == "danger"
    assert len(_alerts(database)) == 1
    assert len(_texts(database, MessageKind.REPLY)) == 1


def test_a_helpers_words_count_for_whom_they_help(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, rosa = house
    with database.transaction() as session:
        luis = Caregiver(
            clinic_id=team.clinic.id, first_name="Luis", phone=LUIS, language="en",
            created_at=NOON,
        )  # fmt: skip
        session.add(luis)
        session.flush()
        session.add(
            CaregiverGrant(
                caregiver_id=luis.id, patient_id=rosa.id, scopes=["report"], granted_at=NOON
            )
        )
    assert _text(database, LUIS, "she passed out") == "danger"
    (alert,) = _alerts(database)
    assert alert.patient_id == rosa.id
    replies = _texts(database, MessageKind.REPLY)
    assert [reply.to_number for reply in replies] == [LUIS]
    with database.reading() as session:
        row = session.scalars(select(InboundText)).one()
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "alert.by_text")
        ).one()
    assert row.caregiver_id == entry.actor_id
    assert entry.actor_kind == "caregiver"


def test_a_second_text_joins_and_a_worse_one_pages_again(
    database: Database, house: tuple[Team, Patient]
) -> None:
    _text(database, ROSA, "fever")
    _text(database, ROSA, "still a fever", NOON + timedelta(minutes=2))
    assert len(_alerts(database)) == 1
    assert len(_texts(database, MessageKind.STAFF_ALERT)) == 1
    _text(database, ROSA, "chest pain", NOON + timedelta(minutes=4))
    (alert,) = _alerts(database)
    assert TriageLevel(alert.level) is TriageLevel.EMERGENCY
    assert [reason["rule"] for reason in alert.reasons] == ["TEXT-U", "TEXT-E"]
    assert len(_texts(database, MessageKind.STAFF_ALERT)) > 1
    assert len(_texts(database, MessageKind.REPLY)) == 3


def test_each_text_of_danger_is_answered_but_no_machine_for_ever(
    database: Database, house: tuple[Team, Patient]
) -> None:
    for n in range(9):
        _text(database, ROSA, "Away. In an emergency call 911", NOON + timedelta(seconds=n))
    assert len(_texts(database, MessageKind.REPLY)) == 5
    assert len(_alerts(database)) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count(InboundText.id))) == 9


def test_a_shared_phone_raises_an_alert_for_each_who_is_enrolled(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, rosa = house
    with database.transaction() as session:
        eva = a_patient(session, team.clinic, first_name="Eva")
        a_patient(session, team.clinic, first_name="Old", ended_at=NOON)
    _text(database, ROSA, "chest pain")
    assert {alert.patient_id for alert in _alerts(database)} == {rosa.id, eva.id}
    assert len(_texts(database, MessageKind.REPLY)) == 1


def test_a_strangers_danger_is_read_by_a_person(
    database: Database, house: tuple[Team, Patient]
) -> None:
    with database.transaction() as session:
        a_clinic(session, name="Later", created_at=NOON + timedelta(days=1))
    assert _text(database, "+12125550888", "I cannot breathe") == "unknown_number"
    assert not _alerts(database)
    (reply,) = _texts(database, MessageKind.REPLY)
    assert "911" in reply.body
    with database.reading() as session:
        assert session.scalars(select(InboundText.clinic_id)).one() == house[0].clinic.id


def test_stop_comes_before_danger_and_danger_before_everything_else(
    database: Database, house: tuple[Team, Patient]
) -> None:
    assert _text(database, ROSA, "STOP") == "stop"
    assert _text(database, ROSA, "STOP! I cannot breathe") == "danger"
