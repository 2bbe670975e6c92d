"""Many alerts at once: later ones go out inside another text, and none is without one."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    Clinic,
    Lane,
    Message,
    MessageKind,
    Patient,
    StaffMember,
)
from patient_portal.services import alerts, messages, outcomes
from patient_portal.services.messages import Claimed
from patient_portal.sms.segments import count
from tests.conftest import Fresh
from tests.services.test_alerts import raised, red
from tests.support.people import NOON, Team, a_patient, a_team

URGENT, EMERGENCY = TriageLevel.URGENT, TriageLevel.EMERGENCY
LEASE = timedelta(hours=1)


def a_ward(database: Database, patients: int) -> tuple[Team, list[Patient]]:
    """A clinic whose team has many patients."""
    with database.transaction() as session:
        team = a_team(session)
        return team, [
            a_patient(session, team.clinic, phone=f"+1212557{number:04}")
            for number in range(patients)
        ]


def storm(
    database: Database, patients: Sequence[Patient], levels: Sequence[TriageLevel], apart: float
) -> list[Alert]:
    return [
        raised(database, patient, red(level), NOON + timedelta(seconds=apart * number))
        for number, (patient, level) in enumerate(zip(patients, levels, strict=True))
    ]


def rows(database: Database, kind: MessageKind, member: StaffMember) -> list[Message]:
    with database.reading() as session:
        found = select(Message).where(Message.kind == kind, Message.staff_id == member.id)
        return list(session.scalars(found.order_by(Message.created_at, Message.id)))


def claim_all(database: Database, now: datetime) -> list[Claimed]:
    with database.transaction() as session:
        return messages.claim(session, Lane.ALERT, "w1", now, LEASE, limit=100)


def take(database: Database, alert: Alert, by: StaffMember, now: datetime) -> None:
    with database.transaction() as session:
        alerts.take(session, session.get_one(Alert, alert.id), by, now)


def test_after_five_texts_in_a_minute_the_rest_go_out_inside_one(database: Database) -> None:
    team, patients = a_ward(database, 9)
    made = storm(database, patients, [URGENT] * 9, apart=1)
    pages = rows(database, MessageKind.STAFF_ALERT, team.nurse)
    (bundle,) = rows(database, MessageKind.STAFF_BUNDLE, team.nurse)
    assert [page.carried_by for page in pages] == [None] * 5 + [bundle.id] * 4
    assert "+4 more ALERTS wait (worst: URGENT)" in bundle.body
    assert all(alert.ref in bundle.body for alert in made[5:])
    assert "/staff/inbox" in bundle.body
    # It waits a moment for more of them, and none of those it carries is sent by itself.
    assert bundle.due_at == NOON + timedelta(seconds=15)
    assert len(claim_all(database, NOON + timedelta(seconds=9))) == 5
    assert [each.id for each in claim_all(database, NOON + timedelta(seconds=15))] == [bundle.id]
    with database.reading() as session:
        assert not messages.waiting_lanes(session, NOON + timedelta(seconds=20))


def test_an_emergency_is_not_delayed(database: Database) -> None:
    team, patients = a_ward(database, 8)
    made = storm(database, patients, [URGENT] * 7 + [EMERGENCY], apart=1)
    (bundle,) = rows(database, MessageKind.STAFF_BUNDLE, team.nurse)
    assert bundle.due_at == NOON + timedelta(seconds=7)
    assert "worst: EMERGENCY" in bundle.body
    assert bundle.body.index(made[7].ref) < bundle.body.index(made[5].ref)
    # The backup's phone has had none: it is texted as ever.
    (alone,) = rows(database, MessageKind.STAFF_ALERT, team.backup)
    assert alone.carried_by is None


def test_a_quiet_minute_ends_it(database: Database) -> None:
    team, patients = a_ward(database, 7)
    storm(database, patients[:6], [URGENT] * 6, apart=1)
    raised(database, patients[6], red(URGENT), NOON + timedelta(seconds=66))
    assert rows(database, MessageKind.STAFF_ALERT, team.nurse)[-1].carried_by is None


@pytest.mark.parametrize("is_delivered", [True, False])
def test_what_a_text_carries_follows_it(database: Database, is_delivered: bool) -> None:
    team, patients = a_ward(database, 7)
    storm(database, patients, [URGENT] * 7, apart=1)
    now = NOON + timedelta(seconds=20)
    claimed = next(
        each for each in claim_all(database, now) if each.kind is MessageKind.STAFF_BUNDLE
    )
    with database.transaction() as session:
        assert outcomes.record_accepted(session, claimed, "SM7", now)
    carried = rows(database, MessageKind.STAFF_ALERT, team.nurse)[5:]
    assert {row.state for row in carried} == {MessageState.ACCEPTED}
    assert {row.gateway_id for row in carried} == {"SM7"}
    heard = MessageState.DELIVERED if is_delivered else MessageState.UNDELIVERED
    with database.transaction() as session:
        status = outcomes.Status("SM7", heard, None if is_delivered else "30003")
        assert outcomes.record_status(session, None, status, now + timedelta(seconds=2))
    carried = rows(database, MessageKind.STAFF_ALERT, team.nurse)[5:]
    assert {row.state for row in carried} == {heard}
    with database.reading() as session:
        due = session.scalars(
            select(Alert.next_action_at).where(Alert.id.in_([row.alert_id for row in carried]))
        ).all()
    # A lost text lets each of its ladders go on at once.
    at_once = now + timedelta(seconds=2)
    assert all(each is not None and (each > at_once) is is_delivered for each in due)


def test_what_was_taken_meanwhile_is_not_sent(database: Database) -> None:
    team, patients = a_ward(database, 7)
    made = storm(database, patients, [URGENT] * 7, apart=0)
    take(database, made[5], team.nurse, NOON)
    (bundle,) = rows(database, MessageKind.STAFF_BUNDLE, team.nurse)
    assert bundle.state is MessageState.DUE
    take(database, made[6], team.nurse, NOON)
    (bundle,) = rows(database, MessageKind.STAFF_BUNDLE, team.nurse)
    assert bundle.state is MessageState.EXPIRED


def test_who_was_told_inside_another_text_is_stood_down_too(database: Database) -> None:
    team, patients = a_ward(database, 7)
    made = storm(database, patients, [URGENT] * 7, apart=0)
    claim_all(database, NOON + timedelta(seconds=20))
    take(database, made[6], team.lead, NOON + timedelta(seconds=21))
    (told,) = rows(database, MessageKind.STAFF_STOOD_DOWN, team.nurse)
    assert made[6].ref in told.body


def test_many_references_still_make_one_part(database: Database) -> None:
    team, patients = a_ward(database, 40)
    with database.transaction() as session:
        session.get_one(Clinic, team.clinic.id).name = "Maple Valley Centre for Adult Medicine X"
    storm(database, patients, [URGENT] * 40, apart=0)
    (bundle,) = rows(database, MessageKind.STAFF_BUNDLE, team.nurse)
    assert "+35" in bundle.body
    assert (count(bundle.body).parts, count(bundle.body).is_gsm7) == (1, True)


STORMS = st.lists(
    st.tuples(
        st.sampled_from([URGENT, EMERGENCY]),
        st.floats(0, 20),  # seconds since the one before
        st.booleans(),  # whether a worker claims meanwhile
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=15, deadline=None)
@given(storms=STORMS)
def test_no_storm_leaves_anybody_untold(
    fresh: Fresh, storms: list[tuple[TriageLevel, float, bool]]
) -> None:
    """Every alert has a text for every person of its step, by itself or inside one that goes."""
    with fresh("sqlite") as url:
        database = Database(url)
        _nobody_is_untold(database, storms)
        database.dispose()


def _nobody_is_untold(database: Database, storms: list[tuple[TriageLevel, float, bool]]) -> None:
    team, patients = a_ward(database, len(storms))
    sent: Counter[str] = Counter()
    now = NOON
    for patient, (level, seconds, claims) in zip(patients, storms, strict=True):
        now += timedelta(seconds=seconds)
        raised(database, patient, red(level), now)
        if claims:
            sent.update(each.id for each in claim_all(database, now))
    sent.update(each.id for each in claim_all(database, now + timedelta(seconds=11)))
    with database.reading() as session:
        for alert in session.scalars(select(Alert)):
            assert alert.state is AlertState.OPEN
            people = [team.nurse.id] + [team.backup.id] * (alert.level == EMERGENCY)
            texts = session.scalars(
                select(Message).where(
                    Message.alert_id == alert.id, Message.kind == MessageKind.STAFF_ALERT
                )
            ).all()
            assert sorted(text.staff_id or "" for text in texts) == sorted(people)
            for text in texts:
                assert sent[text.carried_by or text.id] == 1
                if text.carried_by:
                    carrier = session.get_one(Message, text.carried_by)
                    assert carrier.to_number == text.to_number
                    assert alert.ref in carrier.body
                    if alert.level == EMERGENCY:
                        assert carrier.due_at <= text.created_at
