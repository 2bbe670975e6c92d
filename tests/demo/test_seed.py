"""The demo's clinic tells the truth: levels are the rules', and nothing is left to be sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal import protocols
from patient_portal.database import Base, Database
from patient_portal.demo import cast
from patient_portal.demo.seed import seed
from patient_portal.domain.answers import validate_answers
from patient_portal.domain.escalation import AlertState
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date
from patient_portal.domain.triage import triage
from patient_portal.models import Alert, Answer, CheckIn, CheckInState, Message, Patient
from patient_portal.models.message import MessageState
from patient_portal.services import courses, steroids
from patient_portal.services.site import Site

SITE = Site("http://127.0.0.1:8000", "p" * 40, protocols.current(), is_demo=True)
# Morning, night and just after midnight in the clinic, and the days around a change of clocks.
MOMENTS = [
    datetime(2026, 11, 20, 14, 40, tzinfo=UTC),
    datetime(2026, 11, 20, 9, 5, tzinfo=UTC),
    datetime(2026, 11, 21, 5, 2, tzinfo=UTC),
    datetime(2026, 11, 2, 15, 0, tzinfo=UTC),
    datetime(2027, 3, 15, 13, 30, tzinfo=UTC),
]


@pytest.fixture
def seeded(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        assert seed(session, SITE, "hash", MOMENTS[0])
    with database.reading() as session:
        yield session


def _counts(session: Session) -> dict[str, int]:
    return {
        table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
        for table in Base.metadata.sorted_tables
    }


def test_every_level_is_what_the_rules_say_of_the_stored_answers(seeded: Session) -> None:
    rows = seeded.scalars(select(CheckIn)).all()
    assert len(rows) > 150
    for row in rows:
        patient = seeded.get_one(Patient, row.patient_id)
        course = courses.course_for(seeded, patient, row.local_date)
        result = triage(SITE.protocol, row.answers, course)
        assert (row.level, row.protocol) == (int(result.level), result.protocol)
        assert {reason["rule"] for reason in row.reasons} == {
            reason.rule for reason in result.reasons if reason.level > TriageLevel.NONE
        }


def test_answers_are_ones_that_the_form_could_have_given(seeded: Session) -> None:
    for row in seeded.scalars(select(CheckIn)):
        numbers: dict[str, object] = {
            key: Decimal(row.answers[key])
            for key in ("temperature", "weight")
            if key in row.answers
        }
        validate_answers(SITE.protocol, {**row.answers, **numbers})
        given = seeded.scalars(
            select(Answer.given).where(Answer.check_in_id == row.id).order_by(Answer.number)
        ).all()
        together = {key: value for step in given for key, value in step.items()}
        assert together == row.answers
        assert row.state is CheckInState.SENT


def test_nothing_is_left_to_be_texted(seeded: Session) -> None:
    waiting = [
        message.kind
        for message in seeded.scalars(select(Message))
        if message.state is not MessageState.DELIVERED or message.delivered_at is None
    ]
    assert waiting == []


def test_the_inbox_is_calm_but_not_empty(seeded: Session) -> None:
    alerts = seeded.scalars(select(Alert)).all()
    assert [a.state for a in alerts].count(AlertState.OPEN) == 0
    assert [a.patient_id for a in alerts if a.state is AlertState.TAKEN] == ["grace"]
    assert [a.patient_id for a in alerts if a.level == TriageLevel.EMERGENCY] == ["rosa"]
    unread = seeded.scalars(
        select(CheckIn.patient_id).where(
            CheckIn.level == int(TriageLevel.WATCH), CheckIn.read_at.is_(None)
        )
    ).all()
    assert sorted(unread) == ["anna", "noah", "wei"]


def test_rosa_has_not_answered_today_and_holds_a_link(seeded: Session) -> None:
    newest = seeded.scalars(
        select(CheckIn.local_date)
        .where(CheckIn.patient_id == "rosa")
        .order_by(CheckIn.local_date.desc())
    ).first()
    assert newest == MOMENTS[0].date() - timedelta(days=1)
    text = seeded.scalars(
        select(Message)
        .where(Message.to_number == "+12125550123")
        .order_by(Message.created_at.desc())
    ).first()
    assert text is not None
    assert text.secret_of is not None
    assert "{secret}" in text.body


def test_the_question_of_the_week_was_answered_two_days_ago(seeded: Session) -> None:
    now = MOMENTS[0]
    rosa = seeded.get_one(Patient, "rosa")
    today = CheckIn(local_date=local_date(now, rosa.zone), started_at=now, steroid=None)
    assert not steroids.is_asked(seeded, rosa, today)


def test_every_medicine_has_somebody(seeded: Session) -> None:
    taken = set(seeded.scalars(select(Patient.drug)))
    assert taken == {drug.code for drug in SITE.protocol.drugs}
    assert len(cast.PEOPLE) >= 12


def test_seeding_twice_does_nothing(database: Database) -> None:
    with database.transaction() as session:
        assert seed(session, SITE, "hash", MOMENTS[0])
    with database.transaction() as session:
        before = _counts(session)
        assert not seed(session, SITE, "hash", MOMENTS[0] + timedelta(days=2))
        assert _counts(session) == before


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_it_can_be_seeded_at_any_hour(sqlite_url: str, now: datetime) -> None:
    database = Database(sqlite_url)
    with database.transaction() as session:
        assert seed(session, SITE, "hash", now)
    with database.reading() as session:
        for happened in (
            *session.scalars(select(CheckIn.sent_at)),
            *session.scalars(select(Message.created_at)),
        ):
            assert happened is not None
            assert happened <= now
        ahead = session.scalars(
            select(Patient.reminder_due_at).where(Patient.enrolled_at.is_not(None))
        ).all()
        assert all(due is not None and now < due <= now + timedelta(days=2) for due in ahead)
    database.dispose()
