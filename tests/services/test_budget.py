"""Reminders have a daily limit for each clinic; alerts have none."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.models import Lane, Message, MessageKind
from patient_portal.services import budget, messages
from patient_portal.services.messages import Claimed, Draft
from tests.support.people import NOON, Team, a_clinic, a_house

LEASE = timedelta(seconds=30)


@pytest.fixture
def team(database: Database) -> Team:
    return a_house(database)[0]


def _queue(database: Database, clinic_id: str, count: int, lane: Lane, at: datetime) -> None:
    kind = MessageKind.REMINDER if lane is Lane.REMINDER else MessageKind.STAFF_ALERT
    with database.transaction() as session:
        for number in range(count):
            key = f"{clinic_id}:{at}:{number}"
            draft = Draft(clinic_id, "+12125550123", kind, lane, "x", key, timedelta(hours=4))
            messages.queue(session, draft, at)


def _claim(database: Database, lane: Lane, at: datetime, a_day: int = 3) -> list[Claimed]:
    with database.transaction() as session:
        claimed = messages.claim(session, lane, "w1", at, LEASE, 100)
        return budget.within(session, claimed, a_day, at) if lane is Lane.REMINDER else claimed


def _alarms(database: Database) -> list[str]:
    with database.reading() as session:
        found = select(Message.body).where(Message.kind == MessageKind.STAFF_ALARM)
        return list(session.scalars(found))


def test_reminders_stop_at_the_days_limit_and_the_lead_is_told(
    database: Database, team: Team
) -> None:
    _queue(database, team.clinic.id, 5, Lane.REMINDER, NOON)
    assert len(_claim(database, Lane.REMINDER, NOON)) == 3
    with database.reading() as session:
        held = session.scalars(select(Message).where(Message.error_code == budget.USED_UP)).all()
    assert [row.state for row in held] == [MessageState.FAILED] * 2
    (alarm,) = _alarms(database)
    assert "daily limit of reminder texts" in alarm
    with database.transaction() as session:  # those that were let through have left
        sending = Message.state == MessageState.SENDING
        session.execute(update(Message).where(sending).values(state=MessageState.ACCEPTED))
    later = NOON + timedelta(minutes=5)
    _queue(database, team.clinic.id, 2, Lane.REMINDER, later)
    assert not _claim(database, Lane.REMINDER, later)
    assert len(_alarms(database)) == 1


def test_alerts_never_stop(database: Database, team: Team) -> None:
    _queue(database, team.clinic.id, 50, Lane.ALERT, NOON)
    assert len(_claim(database, Lane.ALERT, NOON)) == 50
    assert not _alarms(database)


def test_the_next_day_of_the_clinic_begins_anew(database: Database, team: Team) -> None:
    _queue(database, team.clinic.id, 4, Lane.REMINDER, NOON)
    _claim(database, Lane.REMINDER, NOON)
    tomorrow = NOON + timedelta(hours=13)
    _queue(database, team.clinic.id, 4, Lane.REMINDER, tomorrow)
    assert len(_claim(database, Lane.REMINDER, tomorrow)) == 3
    assert len(_alarms(database)) == 2


def test_clinics_do_not_share_a_limit(database: Database, team: Team) -> None:
    with database.transaction() as session:
        other = a_clinic(session, name="Birch Clinic").id
    for clinic_id in (team.clinic.id, other):
        _queue(database, clinic_id, 3, Lane.REMINDER, NOON)
    assert len(_claim(database, Lane.REMINDER, NOON)) == 6


def test_a_second_attempt_is_not_counted_again(database: Database, team: Team) -> None:
    _queue(database, team.clinic.id, 3, Lane.REMINDER, NOON)
    for turn in range(3):
        assert len(_claim(database, Lane.REMINDER, NOON + turn * LEASE)) == 3
    assert not _alarms(database)


def test_what_left_is_counted(database: Database, team: Team) -> None:
    _queue(database, team.clinic.id, 4, Lane.ALERT, NOON)
    with database.transaction() as session:
        session.execute(update(Message).values(accepted_at=NOON))
    with database.reading() as session:
        assert budget.counted(session, NOON) == {
            Lane.ALERT: 4, Lane.PATIENT: 0, Lane.REMINDER: 0,
        }  # fmt: skip
        assert budget.counted(session, NOON + timedelta(seconds=1))[Lane.ALERT] == 0
