"""Drills: a test alert through the real path, answered or not, and never taken for a patient."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select, update

from patient_portal.database import Database, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    Clinic,
    Drill,
    Message,
    MessageKind,
    MessageState,
    Patient,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import alarm_path, drills, inbound, inbox, invariants, patients, replay
from patient_portal.services.audit import SYSTEM, Actor
from tests.support.people import NOON, Team, a_house, a_site

NURSE = "+12125550142"
SEVEN = time(7)
SEVEN_UTC = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # seven in New York


@pytest.fixture
def team(database: Database) -> Team:
    return a_house(database)[0]


def _start(database: Database, team: Team, now: datetime = NOON) -> Drill:
    with database.transaction() as session:
        clinic = session.get_one(Clinic, team.clinic.id)
        return drills.start(session, a_site(), clinic, SYSTEM, now)


def _settle(database: Database, drill: Drill, now: datetime) -> bool:
    with database.transaction() as session:
        return drills.settle(session, session.get_one(Drill, drill.id), now)


def _texts(database: Database) -> list[Message]:
    with database.reading() as session:
        return list(session.scalars(select(Message).order_by(Message.created_at, Message.id)))


def _alert(database: Database) -> Alert:
    with database.reading() as session:
        return session.scalars(select(Alert).where(Alert.is_test)).one()


def _reply(database: Database, body: str, now: datetime, number: str = NURSE) -> str:
    with database.transaction() as session:
        return inbound.receive(session, a_site(), f"SM{new_id()}", number, body, now)


def test_a_drill_texts_the_nurse_on_call_alone_and_says_test(
    database: Database, team: Team
) -> None:
    _start(database, team)
    alert = _alert(database)
    (text,) = _texts(database)
    assert (text.to_number, text.kind) == (NURSE, MessageKind.STAFF_ALERT)
    assert "TEST" in text.body
    assert f"Reply {alert.ref}" in text.body
    assert TriageLevel(alert.level) is TriageLevel.URGENT


def test_the_answer_by_text_takes_and_ends_it_and_the_times_are_those_of_the_rows(
    database: Database, team: Team
) -> None:
    drill = _start(database, team)
    with database.transaction() as session:
        session.execute(
            update(Message).values(
                state=MessageState.DELIVERED, gateway_id="SM1",
                accepted_at=NOON + timedelta(seconds=2),
                delivered_at=NOON + timedelta(seconds=14),
            )
        )  # fmt: skip
    assert _reply(database, _alert(database).ref, NOON + timedelta(seconds=41)) == "took"
    alert = _alert(database)
    assert (alert.state, alert.outcome) == (AlertState.CLOSED, "test")
    assert _settle(database, drill, NOON + timedelta(seconds=45))
    with database.reading() as session:
        found = drills.last_proven(session, team.clinic.id)
    assert found is not None
    assert found.is_proven
    assert [found.accepted_after, found.delivered_after, found.answered_after] == [
        timedelta(seconds=n) for n in (2, 14, 41)
    ]
    assert not _settle(database, drill, NOON + timedelta(minutes=1))
    answers = [each.body for each in _texts(database) if each.kind is MessageKind.STAFF_REPLY]
    assert len(answers) == 1
    assert "patient" not in answers[0].lower()


def test_one_that_nobody_answers_fails_after_15_minutes_and_the_lead_is_told(
    database: Database, team: Team
) -> None:
    drill = _start(database, team)
    assert not _settle(database, drill, NOON + timedelta(minutes=14, seconds=59))
    assert _settle(database, drill, NOON + timedelta(minutes=15))
    alert = _alert(database)
    assert (alert.state, alert.outcome, alert.closed_by) == (AlertState.CLOSED, "test", None)
    told = [each for each in _texts(database) if each.kind is MessageKind.STAFF_ALARM]
    assert [each.to_number for each in told] == ["+12125550145"]
    with database.reading() as session:
        assert drills.last_proven(session, team.clinic.id) is None
        found = drills.last(session, team.clinic.id)
        troubles = {each.trouble for each in alarm_path.of_drills(session, NOON, team.clinic.id)}
    assert found is not None
    assert not found.is_proven
    assert troubles == {alarm_path.Trouble.DRILL_FAILED}


def test_no_patient_waits_and_nothing_is_counted(database: Database, team: Team) -> None:
    _start(database, team)
    later = NOON + timedelta(minutes=6)
    with database.reading() as session:
        protocol = a_site().protocol
        assert inbox.open_alerts(session, team.clinic.id, later) == []
        assert inbox.count_open(session, team.clinic.id) == 0
        assert replay.count_check_ins(session) == 0
        assert list(replay.stored_check_ins(session, protocol)) == []
        listed = patients.list_of_clinic(session, team.clinic.id, later)
        assert [each.patient.first_name for each in listed] == ["Rosa"]
        assert session.scalars(select(Patient).where(Patient.is_test)).one().phone == ""


def test_every_invariant_holds_before_and_after_a_drill(database: Database, team: Team) -> None:
    drill = _start(database, team)
    for now in (NOON, NOON + timedelta(minutes=15)):
        _settle(database, drill, now)
        with database.reading() as session:
            broken = [each.name for each in invariants.ALL if invariants.count(session, each)]
        assert broken == []


def test_there_is_one_at_a_time(database: Database, team: Team) -> None:
    _start(database, team)
    with pytest.raises(drills.DrillRuns):
        _start(database, team, NOON + timedelta(minutes=1))


def test_each_day_texts_the_same_whatever_days_came_before(database: Database, team: Team) -> None:
    for day in range(12):
        now = NOON + timedelta(days=day)
        drill = _start(database, team, now)
        with database.reading() as session:
            alert = session.get_one(Alert, drill.alert_id)
            assert TriageLevel(alert.level) is TriageLevel.URGENT
            pages = session.scalars(select(Message).where(Message.alert_id == alert.id)).all()
        assert [each.to_number for each in pages] == [NURSE]
        assert _settle(database, drill, now + timedelta(minutes=15))


def test_who_asked_for_it_is_kept(database: Database, team: Team) -> None:
    with database.transaction() as session:
        clinic = session.get_one(Clinic, team.clinic.id)
        actor = Actor("staff", team.lead.id, clinic.id)
        drill = drills.start(session, a_site(), clinic, actor, NOON)
        assert drill.asked_by == team.lead.id


def test_with_nobody_to_text_the_clinic_s_own_phone_is_left_alone(
    database: Database, team: Team
) -> None:
    with database.transaction() as session:
        session.execute(update(StaffPhone).values(stopped_at=NOON))
        session.execute(update(Clinic).values(catch_all="+12125550199"))
    drill = _start(database, team)
    assert _texts(database) == []
    assert _settle(database, drill, NOON + timedelta(minutes=15))


# ---- each day


Change = Callable[[Database], object]


def _daily(database: Database, team: Team, now: datetime) -> bool:
    with database.transaction() as session:
        due = drills.due(session, SEVEN, now)
        return any(drills.start_daily(session, a_site(), each, SEVEN, now) for each in due)


@pytest.mark.parametrize(
    ("after", "starts"),
    [(-1, False), (0, True), (119, True), (120, False)],
    ids=["before seven", "at seven", "a late worker", "too late"],
)
def test_the_day_s_drill_starts_at_its_hour(
    database: Database, team: Team, after: int, starts: bool
) -> None:
    assert _daily(database, team, SEVEN_UTC + timedelta(minutes=after)) is starts


def test_it_is_started_once_a_day_and_again_the_next(database: Database, team: Team) -> None:
    assert _daily(database, team, SEVEN_UTC)
    assert not _daily(database, team, SEVEN_UTC + timedelta(minutes=1))
    with database.reading() as session:
        (drill,) = session.scalars(select(Drill)).all()
    _settle(database, drill, SEVEN_UTC + timedelta(minutes=15))
    assert not _daily(database, team, SEVEN_UTC + timedelta(minutes=16))
    assert _daily(database, team, SEVEN_UTC + timedelta(days=1))


def test_a_clinic_that_is_not_live_drills_by_hand_only(database: Database, team: Team) -> None:
    with database.transaction() as session:
        session.execute(update(Clinic).values(live_at=None))
    assert not _daily(database, team, SEVEN_UTC)


def test_a_person_may_take_it_on_the_page_too(database: Database, team: Team) -> None:
    from patient_portal.services import alerts

    _start(database, team)
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.take(session, alert, session.get_one(StaffMember, team.lead.id), NOON)
        assert (alert.state, alert.outcome) == (AlertState.CLOSED, "test")
