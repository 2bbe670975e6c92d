"""The daily text: once a day, at the right hour, and never in vain, late or at night."""

import time as wall
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy import text as sql

from patient_portal.database import Database, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date
from patient_portal.models import (
    CheckIn,
    CheckInState,
    Clinic,
    Lane,
    Link,
    LinkKind,
    Message,
    MessageKind,
    MessageState,
    Patient,
)
from patient_portal.services import checkins, invariants, reminders
from patient_portal.services.audit import Actor
from patient_portal.services.tokens import digest, secret_for
from tests.support.people import NOON, a_clinic, a_patient, a_site, a_team

NINE = datetime(2026, 11, 21, 14, tzinfo=UTC)  # nine in the morning in New York


@pytest.fixture
def clinic(database: Database) -> Clinic:
    with database.transaction() as session:
        return a_clinic(session)


def _patient(database: Database, clinic: Clinic, *, planned: bool = True, **values: Any) -> str:
    with database.transaction() as session:
        patient = a_patient(session, clinic, **values)
        if planned:
            reminders.plan(session, patient, NOON)
        return patient.id


def _run(database: Database, now: datetime) -> int:
    with database.transaction() as session:
        return reminders.queue_due(session, a_site(), now)


def _texts(database: Database) -> list[Message]:
    with database.reading() as session:
        query = select(Message).where(Message.kind == MessageKind.REMINDER)
        return list(session.scalars(query.order_by(Message.created_at)))


def _due(database: Database, patient_id: str) -> datetime | None:
    with database.reading() as session:
        return session.get_one(Patient, patient_id).reminder_due_at


def _change(database: Database, patient_id: str, now: datetime, **values: Any) -> None:
    with database.transaction() as session:
        patient = session.get_one(Patient, patient_id)
        for name, value in values.items():
            setattr(patient, name, value)
        reminders.plan(session, patient, now)


def _answered(
    database: Database,
    patient_id: str,
    now: datetime,
    state: CheckInState,
    level: TriageLevel = TriageLevel.NONE,
) -> None:
    with database.transaction() as session:
        patient = session.get_one(Patient, patient_id)
        session.add(
            CheckIn(
                clinic_id=patient.clinic_id, patient_id=patient.id, form_key=new_id(),
                local_date=local_date(now, patient.zone), state=state, reporter="patient",
                drug=patient.drug, answers={}, level=int(level), reasons=[], protocol="ds-1.0",
                started_at=now,
            )
        )  # fmt: skip


def test_a_reminder_is_texted_once_a_day_with_a_link_of_its_own(
    database: Database, clinic: Clinic
) -> None:
    patient_id = _patient(database, clinic)
    due = _due(database, patient_id)
    assert due == NINE + timedelta(seconds=reminders.spread_of(patient_id))
    assert _run(database, due - timedelta(seconds=1)) == 0
    assert _run(database, due) == 1
    assert _run(database, due) == 0
    (text,) = _texts(database)
    assert (text.lane, text.to_number) == (Lane.REMINDER, "+12125550123")
    assert "911" in text.body
    assert text.once_key == f"reminder:{patient_id}:2026-11-21"
    with database.reading() as session:
        link = session.scalars(select(Link)).one()
    assert (link.kind, link.for_date) == (LinkKind.DAILY, date(2026, 11, 21))
    assert link.expires_at - link.created_at == timedelta(hours=36)
    assert text.secret_of == f"link:{link.id}"
    assert link.token_hash == digest(secret_for(a_site().pepper, text.secret_of))
    assert _due(database, patient_id) == due + timedelta(days=1)


def test_every_day_of_a_year_has_one_reminder_whatever_the_clocks_do(
    database: Database, clinic: Clinic
) -> None:
    patient_id = _patient(database, clinic, zone="Europe/Berlin", reminder_at=time(8, 30))
    days = 0
    while days < 365:
        due = _due(database, patient_id)
        assert due is not None
        _run(database, due + timedelta(minutes=1))
        days += 1
    dates = [text.once_key.rsplit(":", 1)[1] for text in _texts(database)]
    assert len(set(dates)) == len(dates) == 365
    first = date.fromisoformat(dates[0])
    assert dates[-1] == (first + timedelta(days=364)).isoformat()
    with database.reading() as session:
        broken = {each.name for each in invariants.ALL if invariants.count(session, each)}
    assert broken <= {"live clinics with nobody to text"}  # this one has no care team


@pytest.mark.parametrize(
    ("state", "level", "texted"),
    [
        (CheckInState.SENT, TriageLevel.NONE, 0),
        (CheckInState.OPEN, TriageLevel.EMERGENCY, 0),
        (CheckInState.PARTIAL, TriageLevel.URGENT, 0),
        (CheckInState.OPEN, TriageLevel.WATCH, 1),
        (CheckInState.PARTIAL, TriageLevel.NONE, 1),
    ],
)
def test_nobody_is_reminded_of_what_is_done(
    database: Database, clinic: Clinic, state: CheckInState, level: TriageLevel, texted: int
) -> None:
    patient_id = _patient(database, clinic)
    _answered(database, patient_id, NINE - timedelta(hours=1), state, level)
    _run(database, NINE + timedelta(minutes=20))
    assert len(_texts(database)) == texted
    due = _due(database, patient_id)
    assert due is not None and due > NINE + timedelta(hours=23)


def test_yesterdays_answer_does_not_count(database: Database, clinic: Clinic) -> None:
    patient_id = _patient(database, clinic)
    _answered(database, patient_id, NINE - timedelta(days=1), CheckInState.SENT)
    _run(database, NINE + timedelta(minutes=20))
    assert len(_texts(database)) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"ended_at": NOON},
        {"texts_stopped_at": NOON},
        {"enrolled_at": None},
    ],
)
def test_some_are_never_reminded(
    database: Database, clinic: Clinic, values: dict[str, Any]
) -> None:
    never = _patient(database, clinic, **values)
    assert _due(database, never) is None
    changed = _patient(database, clinic)
    with database.transaction() as session:  # without a new plan: the row still says nine
        for name, value in values.items():
            setattr(session.get_one(Patient, changed), name, value)
    _run(database, NINE + timedelta(minutes=20))
    assert not _texts(database)
    assert _due(database, changed) is None


def test_more_than_two_hours_late_is_left_out(database: Database, clinic: Clinic) -> None:
    patient_id = _patient(database, clinic)
    due = _due(database, patient_id)
    assert due is not None
    _run(database, due + timedelta(hours=2, seconds=1))
    assert not _texts(database)
    assert _due(database, patient_id) == due + timedelta(days=1)
    _run(database, due + timedelta(days=1, hours=2))
    assert len(_texts(database)) == 1


def test_nothing_is_texted_at_night_even_if_it_is_only_an_hour_late(
    database: Database, clinic: Clinic
) -> None:
    patient_id = _patient(database, clinic, reminder_at=time(20, 30))
    due = _due(database, patient_id)
    assert due is not None
    _run(database, due + timedelta(hours=1))
    assert not _texts(database)


@pytest.mark.parametrize("reminder_at", [time(9), time(20), time(20, 59)])
def test_one_that_waits_for_the_gateway_is_given_up_before_night(
    database: Database, clinic: Clinic, reminder_at: time
) -> None:
    patient_id = _patient(database, clinic, reminder_at=reminder_at)
    due = _due(database, patient_id)
    assert due is not None
    _run(database, due)
    (text,) = _texts(database)
    half_past_nine = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)  # in the evening, in New York
    is_morning = reminder_at == time(9)
    assert text.expires_at == (due + timedelta(hours=2) if is_morning else half_past_nine)


def test_sending_the_check_in_calls_a_waiting_reminder_off(
    database: Database, clinic: Clinic
) -> None:
    patient_id = _patient(database, clinic)
    now = NINE + timedelta(minutes=20)
    _run(database, now)
    with database.transaction() as session:
        patient = session.get_one(Patient, patient_id)
        form = checkins.Form(patient, "k" * 22, Actor("patient", patient_id))
        step = checkins.Step("red-flags", {"red_flags": ["none"]}, ["red_flags"])
        checkins.record_answers(session, a_site(), form, step, now)
        assert _texts(database)[0].state is MessageState.DUE  # begun is not done
        checkins.send(session, a_site(), form, now)
    assert _texts(database)[0].state is MessageState.EXPIRED


def test_a_clock_moved_by_days_brings_no_flood(database: Database, clinic: Clinic) -> None:
    _patient(database, clinic)
    for hours in range(0, 24 * 5, 24):
        _run(database, NINE + timedelta(hours=hours, minutes=20))
        _run(database, NINE + timedelta(hours=hours, minutes=21))
    assert len(_texts(database)) == 5
    _run(database, NINE + timedelta(days=40, hours=5))
    assert len(_texts(database)) == 5


def test_another_zone_holds_from_the_next_day_and_keeps_the_distance(
    database: Database, clinic: Clinic
) -> None:
    patient_id = _patient(database, clinic)
    first = NINE + timedelta(minutes=20)
    _run(database, first)
    _change(database, patient_id, first, zone="Asia/Tokyo")
    due = _due(database, patient_id)
    assert due is not None and due - first >= timedelta(hours=20)
    _run(database, due)
    _change(database, patient_id, due, zone="Pacific/Honolulu")
    third = _due(database, patient_id)
    assert third is not None
    _run(database, third)
    moments = [text.created_at for text in _texts(database)]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(gap >= timedelta(hours=20) for gap in gaps)


def test_a_zone_that_is_not_known_counts_as_utc_and_holds_up_nobody(
    database: Database, clinic: Clinic
) -> None:
    lost = _patient(database, clinic, planned=False, zone="Mars/Olympus", reminder_due_at=NINE)
    _patient(database, clinic)
    assert _run(database, NINE + timedelta(minutes=20)) == 2
    assert len(_texts(database)) == 2
    due = _due(database, lost)
    assert due is not None
    # Nine by UTC is less than 20 hours after that text; it comes as soon as they are over.
    assert due == NINE + timedelta(hours=20, minutes=20)


def test_who_has_no_plan_gets_one(database: Database, clinic: Clinic) -> None:
    unplanned = _patient(database, clinic, planned=False)
    bad = _patient(database, clinic, planned=False, zone="Mars/Olympus")
    ended = _patient(database, clinic, planned=False, ended_at=NOON)
    with database.transaction() as session:
        assert reminders.plan_missing(session, NOON) == 2
        assert reminders.plan_missing(session, NOON) == 0
    assert _due(database, unplanned) is not None
    lost = _due(database, bad)
    assert lost is not None and lost.hour == 9  # by UTC
    assert _due(database, ended) is None


def test_each_is_texted_in_their_own_language_and_zone(database: Database, clinic: Clinic) -> None:
    _patient(database, clinic, language="es", country="ES", zone="Europe/Madrid")
    _patient(database, clinic, zone="Asia/Kolkata", country="IN", phone="+919876543210")
    _run(database, datetime(2026, 11, 21, 8, 20, tzinfo=UTC))  # 9:20 in Madrid, 13:50 in Kolkata
    (spanish,) = _texts(database)
    assert "112" in spanish.body
    assert "time for" not in spanish.body
    _run(database, datetime(2026, 11, 22, 3, 50, tzinfo=UTC))
    assert len(_texts(database)) == 2


def test_a_red_answer_does_not_wait_for_a_batch_of_reminders(postgres_url: str) -> None:
    """On SQLite there is one writer at a time; on PostgreSQL nobody may hold a patient's row."""
    database = Database(postgres_url)
    with database.transaction() as session:
        team = a_team(session)
    patient_id = _patient(database, team.clinic, planned=False, reminder_due_at=NINE)
    with database.transaction() as planner:
        assert reminders.queue_due(planner, a_site(), NINE) == 1
        with database.transaction() as session:
            session.execute(sql("SET LOCAL lock_timeout = '200ms'"))
            patient = session.get_one(Patient, patient_id)
            form = checkins.Form(patient, "k" * 22, Actor("patient", patient_id))
            step = checkins.Step("red-flags", {"red_flags": ["chest_pain"]}, ["red_flags"])
            assert checkins.record_answers(session, a_site(), form, step, NINE).alert_id
    database.dispose()


def test_a_thousand_go_in_one_pass(database: Database, clinic: Clinic) -> None:
    with database.transaction() as session:
        pattern = a_patient(session, clinic, reminder_due_at=NINE)
        table: Any = Patient.__table__
        row = {column.name: getattr(pattern, column.name) for column in table.columns}
        session.execute(insert(table), [{**row, "id": new_id()} for _ in range(1099)])
    began = wall.perf_counter()
    assert _run(database, NINE) == 1000
    took = wall.perf_counter() - began
    assert _run(database, NINE) == 100
    with database.reading() as session:
        assert session.scalars(select(func.count(Link.id))).one() == 1100
    assert len(_texts(database)) == 1100
    assert took < 5, f"a batch of 1000 took {took:.1f} s"
