"""The outbox: claimed once, fenced, tried again, and told the truth by the gateway."""

import threading
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from patient_portal.database import Database
from patient_portal.domain.delivery import LOST, RANK, MessageState, is_news, wait_after
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import Alert, AlertState, Clinic, Lane, Message, MessageKind
from patient_portal.services import messages, outcomes
from patient_portal.services.messages import Claimed, Draft
from patient_portal.services.outcomes import Status
from patient_portal.services.tokens import link_token
from tests.support.people import NOON, a_clinic, a_patient

LEASE = timedelta(seconds=30)
PEPPER = "p" * 32


def _queue(
    session: Session,
    clinic_id: str,
    key: str,
    *,
    lane: Lane = Lane.ALERT,
    at: datetime = NOON,
    lives_for: timedelta = timedelta(hours=24),
    alert_id: str | None = None,
    body: str = "Maple: ALERT K7Q3M",
    secret_of: str | None = None,
) -> bool:
    draft = Draft(
        clinic_id, "+12125550142", MessageKind.STAFF_ALERT, lane, body, key, lives_for,
        alert_id=alert_id, secret_of=secret_of,
    )  # fmt: skip
    return messages.queue(session, draft, at)


@pytest.fixture
def clinic_id(database: Database) -> str:
    with database.transaction() as session:
        return a_clinic(session).id


def _one(database: Database, clinic_id: str, key: str = "one", **more: object) -> None:
    with database.transaction() as session:
        _queue(session, clinic_id, key, **more)  # type: ignore[arg-type]


def _claim(
    database: Database, worker: str = "w1", now: datetime = NOON, lane: Lane = Lane.ALERT
) -> Claimed | None:
    with database.transaction() as session:
        return messages.claim_next(session, lane, worker, now, LEASE)


def _row(database: Database, key: str = "one") -> Message:
    with database.reading() as session:
        return session.scalars(select(Message).where(Message.once_key == key)).one()


def _must(claimed: Claimed | None) -> Claimed:
    assert claimed is not None
    return claimed


def test_a_text_is_queued_once(database: Database, clinic_id: str) -> None:
    with database.transaction() as session:
        assert _queue(session, clinic_id, "one")
        assert not _queue(session, clinic_id, "one")


def test_a_claim_gives_a_lease_and_counts(database: Database, clinic_id: str) -> None:
    _one(database, clinic_id)
    claimed = _must(_claim(database))
    assert (claimed.attempt, claimed.worker, claimed.lane) == (1, "w1", Lane.ALERT)
    row = _row(database)
    assert (row.state, row.lease_by, row.lease_until) == (MessageState.SENDING, "w1", NOON + LEASE)
    assert _claim(database, "w2") is None
    assert _claim(database, "w2", NOON + LEASE - timedelta(seconds=1)) is None


def test_the_longest_due_goes_first_and_lanes_are_apart(database: Database, clinic_id: str) -> None:
    _one(database, clinic_id, "late")
    _one(database, clinic_id, "early", at=NOON - timedelta(minutes=1))
    _one(database, clinic_id, "other lane", lane=Lane.REMINDER, at=NOON - timedelta(hours=1))
    with database.reading() as session:
        assert messages.waiting_lanes(session, NOON) == {Lane.ALERT, Lane.REMINDER}
    assert _must(_claim(database)).id == _row(database, "early").id
    assert _must(_claim(database)).id == _row(database, "late").id
    assert _claim(database) is None
    with database.reading() as session:
        assert messages.waiting_lanes(session, NOON) == {Lane.REMINDER}


def test_nothing_is_claimed_before_it_is_due_or_after_its_time(
    database: Database, clinic_id: str
) -> None:
    _one(database, clinic_id, lives_for=timedelta(minutes=10))
    assert _claim(database, now=NOON - timedelta(seconds=1)) is None
    assert _claim(database, now=NOON + timedelta(minutes=10)) is None
    with database.transaction() as session:
        assert outcomes.expire_overdue(session, NOON + timedelta(minutes=9)) == 0
        assert outcomes.expire_overdue(session, NOON + timedelta(minutes=10)) == 1
    assert (_row(database).state, _row(database).error_code) == (MessageState.EXPIRED, "expired")


def test_a_dead_workers_text_is_taken_over_and_the_dead_one_is_fenced_off(
    database: Database, clinic_id: str
) -> None:
    _one(database, clinic_id)
    dead = _must(_claim(database, "w1"))
    later = NOON + LEASE
    alive = _must(_claim(database, "w2", later))
    assert (alive.id, alive.attempt) == (dead.id, 2)
    with database.transaction() as session:
        assert not outcomes.record_accepted(session, dead, "SMdead", later)
        assert not outcomes.record_failure(session, dead, "x", later, permanent=True)
    assert (_row(database).state, _row(database).gateway_id) == (MessageState.SENDING, None)
    with database.transaction() as session:
        assert outcomes.record_accepted(session, alive, "SMalive", later)
    row = _row(database)
    assert (row.state, row.gateway_id, row.accepted_at) == (
        MessageState.ACCEPTED, "SMalive", later,
    )  # fmt: skip


def test_a_worker_that_slept_through_its_own_lease_is_fenced_off_too(
    database: Database, clinic_id: str
) -> None:
    _one(database, clinic_id)
    first = _must(_claim(database, "w1"))
    _must(_claim(database, "w1", NOON + LEASE))
    with database.transaction() as session:
        assert not outcomes.record_accepted(session, first, "SM1", NOON + LEASE)


def test_failures_wait_longer_each_time_and_an_alert_is_never_given_up(
    database: Database, clinic_id: str
) -> None:
    _one(database, clinic_id)
    now, waits = NOON, []
    for _ in range(8):
        claimed = _must(_claim(database, now=now))
        with database.transaction() as session:
            assert outcomes.record_failure(
                session, claimed, "20429", now, permanent=False, chance=0.5
            )
        due = _row(database).due_at
        waits.append((due - now).total_seconds())
        assert _claim(database, now=due - timedelta(seconds=1)) is None
        now = due
    assert waits == [5, 15, 30, 60, 60, 60, 60, 60]
    assert _row(database).error_code == "20429"


def test_waits_are_spread_by_a_fifth() -> None:
    assert wait_after(1, 0.0) == timedelta(seconds=4)
    assert wait_after(1, 1.0) == timedelta(seconds=6)
    assert wait_after(4, 1.0) == wait_after(400, 1.0) == timedelta(seconds=72)


def test_a_permanent_failure_ends_it_with_its_code(database: Database, clinic_id: str) -> None:
    _one(database, clinic_id)
    claimed = _must(_claim(database))
    with database.transaction() as session:
        outcomes.record_failure(session, claimed, "21610", NOON, permanent=True)
    row = _row(database)
    assert (row.state, row.error_code, row.failed_at) == (MessageState.FAILED, "21610", NOON)
    assert _claim(database, now=NOON + timedelta(hours=1)) is None


def test_the_secret_is_filled_in_only_when_it_leaves(database: Database, clinic_id: str) -> None:
    _one(database, clinic_id, body="x https://p.example/c/{secret}", secret_of="link:abc")
    claimed = _must(_claim(database))
    assert "{secret}" in _row(database).body
    text = messages.outgoing(claimed, PEPPER, NOON)
    assert text.body.endswith(link_token(PEPPER, "abc"))
    assert text.body not in repr(text)
    assert text.is_alert
    assert text.valid_for == timedelta(seconds=300)


def test_a_text_is_valid_no_longer_than_it_is_worth(database: Database, clinic_id: str) -> None:
    _one(database, clinic_id, lane=Lane.PATIENT, lives_for=timedelta(minutes=10))
    claimed = _must(_claim(database, lane=Lane.PATIENT))
    text = messages.outgoing(claimed, PEPPER, NOON + timedelta(minutes=4))
    assert (text.valid_for, text.is_alert) == (timedelta(minutes=6), False)


def _accepted(database: Database, clinic_id: str, alert_id: str | None = None) -> str:
    _one(database, clinic_id, alert_id=alert_id)
    claimed = _must(_claim(database))
    with database.transaction() as session:
        outcomes.record_accepted(session, claimed, "SM1", NOON)
    return claimed.id


def _hear(
    database: Database, message_id: str | None, state: MessageState | None, sid: str = "SM1",
    code: str | None = None,
) -> bool:  # fmt: skip
    with database.transaction() as session:
        status = Status(sid, state, code)
        return outcomes.record_status(session, message_id, status, NOON + timedelta(seconds=9))


GOOD = (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED)


@pytest.mark.parametrize("order", list(permutations(GOOD)))
def test_statuses_in_any_order_end_delivered(
    database: Database, clinic_id: str, order: tuple[MessageState, ...]
) -> None:
    message_id = _accepted(database, clinic_id)
    changed = sum(_hear(database, message_id, state) for state in (*order, *order))
    row = _row(database)
    assert row.state is MessageState.DELIVERED
    assert row.delivered_at == NOON + timedelta(seconds=9)
    assert changed <= 2


@pytest.mark.parametrize("lost", [MessageState.UNDELIVERED, MessageState.FAILED])
def test_a_lost_text_stays_lost_until_it_is_delivered_after_all(
    database: Database, clinic_id: str, lost: MessageState
) -> None:
    message_id = _accepted(database, clinic_id)
    assert _hear(database, message_id, lost, code="30007")
    assert not _hear(database, message_id, MessageState.SENT)
    assert not _hear(database, message_id, lost)
    row = _row(database)
    assert (row.state, row.error_code) == (lost, "30007")
    assert _hear(database, message_id, MessageState.DELIVERED)
    assert not _hear(database, message_id, lost)
    assert (_row(database).state, _row(database).error_code) == (MessageState.DELIVERED, None)


def test_news_never_lowers_the_rank() -> None:
    for known in MessageState:
        for heard in MessageState:
            assert is_news(known, heard) == (RANK[heard] > RANK[known])
        assert not is_news(known, known)
    assert all(RANK[state] < RANK[MessageState.DELIVERED] for state in LOST)


def test_a_status_that_comes_before_our_own_note_is_kept(
    database: Database, clinic_id: str
) -> None:
    _one(database, clinic_id)
    claimed = _must(_claim(database))
    assert _hear(database, claimed.id, MessageState.DELIVERED)
    with database.transaction() as session:
        assert not outcomes.record_accepted(session, claimed, "SM1", NOON + timedelta(seconds=10))
    row = _row(database)
    assert (row.state, row.gateway_id) == (MessageState.DELIVERED, "SM1")
    assert row.accepted_at is not None
    assert _claim(database, now=NOON + timedelta(hours=1)) is None


def test_a_status_found_by_the_gateways_id_or_not_at_all(
    database: Database, clinic_id: str
) -> None:
    _accepted(database, clinic_id)
    assert _hear(database, None, MessageState.SENT)
    assert _hear(database, "not-one-of-ours!", MessageState.DELIVERED)
    assert not _hear(database, None, MessageState.DELIVERED, sid="SMelse")


def test_a_word_we_do_not_know_is_kept_and_changes_no_state(
    database: Database, clinic_id: str
) -> None:
    message_id = _accepted(database, clinic_id)
    assert _hear(database, message_id, None)
    row = _row(database)
    assert (row.state, row.error_code) == (MessageState.ACCEPTED, "unknown_status")


def test_an_attempt_that_arrived_after_all_is_not_sent_again(
    database: Database, clinic_id: str
) -> None:
    _one(database, clinic_id)
    claimed = _must(_claim(database))
    with database.transaction() as session:
        outcomes.record_failure(session, claimed, "ReadTimeout", NOON, permanent=False)
    assert not _hear(database, claimed.id, MessageState.FAILED)  # the next attempt is coming
    assert _hear(database, claimed.id, MessageState.SENT)
    assert _claim(database, now=NOON + timedelta(hours=1)) is None


def test_bad_news_of_an_attempt_that_was_replaced_is_old_news(
    database: Database, clinic_id: str
) -> None:
    message_id = _accepted(database, clinic_id)
    assert not _hear(database, message_id, MessageState.FAILED, sid="SM0")
    assert _row(database).state is MessageState.ACCEPTED
    assert _hear(database, message_id, MessageState.DELIVERED, sid="SM0")


def _alert(session: Session, clinic_id: str, state: AlertState = AlertState.OPEN) -> str:
    alert = Alert(
        ref="K7Q3M", clinic_id=clinic_id, state=state, level=int(TriageLevel.EMERGENCY),
        patient_id=a_patient(session, _clinic(session, clinic_id)).id, reasons=[], protocol="x",
        inputs={}, opened_at=NOON, ladder_started_at=NOON, next_action_at=NOON,
    )  # fmt: skip
    session.add(alert)
    session.flush()
    return alert.id


def _clinic(session: Session, clinic_id: str) -> Clinic:
    return session.get_one(Clinic, clinic_id)


@pytest.mark.parametrize(
    ("state", "code", "again"),
    [
        (AlertState.OPEN, "30003", 1),
        (AlertState.OPEN, "30005", 0),
        (AlertState.TAKEN, "30003", 0),
    ],
)
def test_an_open_alerts_lost_text_is_sent_once_more(
    database: Database, clinic_id: str, state: AlertState, code: str, again: int
) -> None:
    with database.transaction() as session:
        alert_id = _alert(session, clinic_id, state)
    message_id = _accepted(database, clinic_id, alert_id=alert_id)
    assert _hear(database, message_id, MessageState.UNDELIVERED, code=code)
    _hear(database, message_id, MessageState.UNDELIVERED, code=code)
    second = _claim(database, now=NOON + timedelta(minutes=1))
    assert (second is not None) == bool(again)
    if second is not None:
        with database.transaction() as session:
            outcomes.record_accepted(session, second, "SM2", NOON)
        assert _hear(database, second.id, MessageState.UNDELIVERED, sid="SM2", code=code)
        assert _claim(database, now=NOON + timedelta(minutes=1)) is None


def test_two_workers_claim_two_hundred_rows_once_each(database: Database, clinic_id: str) -> None:
    with database.transaction() as session:
        for number in range(200):
            _queue(session, clinic_id, f"row {number}")
    claimed: dict[str, list[str]] = {"w1": [], "w2": [], "w3": []}
    start = threading.Barrier(len(claimed))

    def work(name: str) -> None:
        own = Database(database.engine.url.render_as_string(hide_password=False))
        start.wait()
        while True:
            with own.transaction() as session:
                limit = 1 if name != "w3" else 7
                found = messages.claim(session, Lane.ALERT, name, NOON, LEASE, limit)
            if not found:
                break
            claimed[name] += [one.id for one in found]
        own.dispose()

    threads = [threading.Thread(target=work, args=(name,)) for name in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ids = [one for found in claimed.values() for one in found]
    assert len(ids) == len(set(ids)) == 200
    with database.reading() as session:
        attempts = session.execute(select(func.min(Message.attempts), func.max(Message.attempts)))
        assert tuple(attempts.one()) == (1, 1)


def test_texts_that_wait_can_be_stopped(database: Database, clinic_id: str) -> None:
    with database.transaction() as session:
        patient = a_patient(session, _clinic(session, clinic_id))
        for kind in (MessageKind.REMINDER, MessageKind.CODE):
            messages.queue(
                session,
                Draft(
                    clinic_id, patient.phone, kind, Lane.PATIENT, "x", kind.value,
                    timedelta(hours=1), patient_id=patient.id,
                ),
                NOON,
            )  # fmt: skip
        messages.stop_due(session, patient.id, (MessageKind.REMINDER,))
    assert _row(database, "reminder").state is MessageState.EXPIRED
    assert _row(database, "code").state is MessageState.DUE


def test_the_look_and_the_claim_never_read_old_texts(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    asked: list[tuple[str, object]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, given, _x, _m: asked.append((statement, given)),
    )
    with database.transaction() as session:
        messages.waiting_lanes(session, NOON)
        messages.claim(session, Lane.ALERT, "w1", NOON, LEASE, 1)
        outcomes.expire_overdue(session, NOON)
    plans = []
    with database.engine.connect() as connection:
        for statement, given in list(asked):
            if "message" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)  # type: ignore[arg-type]
                plans += [row[3] for row in rows if " message" in row[3]]
    assert len(plans) >= 9
    assert not [plan for plan in plans if "lane=? AND state=?" not in plan and "id=?" not in plan]
    database.dispose()
