"""Texts of which nobody told us what became: asked about, and looked for before a second try."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from patient_portal.clock import MovableClock
from patient_portal.database import Database
from patient_portal.domain.delivery import MessageState
from patient_portal.models import Alert, Lane, Message, MessageKind
from patient_portal.services import gateway_faults, messages, reconcile
from patient_portal.services.messages import Draft
from patient_portal.sms.choice import gateway_of
from patient_portal.sms.gateway import Report
from patient_portal.sms.simulator import Simulator
from patient_portal.worker import Worker
from tests.support.alerts import an_alert, an_alert_text
from tests.support.gateway import FakeGateway, running_gateway
from tests.support.people import a_house, a_site
from tests.support.processes import settings_for

NURSE, ROSA = "+12125550142", "+12125550123"


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with running_gateway() as gateway:
        yield gateway


class House:
    """A clinic with one alert, whose text waits, and the parts of a worker."""

    def __init__(self, database: Database, fake: FakeGateway) -> None:
        self.database, self.fake, self.clock = database, fake, MovableClock()
        gateway = gateway_of(settings_for("sqlite:///unused", fake.environment()))
        self.worker = Worker(database, self.clock, a_site(), gateway, name="w1")
        team, self.patient = a_house(database)
        with database.transaction() as session:
            now = self.clock.now(session)
            an_alert_text(session, an_alert(session, self.patient, now), team.nurse, now)

    def queue(self, lane: Lane, key: str = "other") -> None:
        kind = MessageKind.REMINDER if lane is Lane.REMINDER else MessageKind.CODE
        with self.database.transaction() as session:
            draft = Draft(
                self.patient.clinic_id, ROSA, kind, lane, "Maple: x", key, timedelta(hours=4),
                patient_id=self.patient.id,
            )  # fmt: skip
            messages.queue(session, draft, self.clock.now(session))

    def send(self, lane: Lane = Lane.ALERT, by: Worker | None = None) -> int:
        sender = (by or self.worker).sender
        claimed = sender.claim(lane)
        for one in claimed:
            sender.send(one)
        return len(claimed)

    def die_after_the_gateway(self, lane: Lane = Lane.ALERT) -> None:
        """Claim and send as a worker that is killed before it notes the gateway's answer."""
        (claimed,) = self.worker.sender.claim(lane)
        with self.database.reading() as session:
            text = messages.outgoing(claimed, a_site().pepper, self.clock.now(session))
        gateway_of(settings_for("sqlite:///unused", self.fake.environment())).send(text)
        self.later(31)

    def later(self, seconds: float) -> None:
        with self.database.transaction() as session:
            self.clock.move(session, timedelta(seconds=seconds))

    def row(self, key: str = "text") -> Message:
        with self.database.reading() as session:
            return session.scalars(select(Message).where(Message.once_key.startswith(key))).one()


@pytest.fixture
def house(database: Database, fake: FakeGateway) -> House:
    return House(database, fake)


def test_a_text_without_a_callback_is_asked_about(house: House) -> None:
    house.send()
    sid = house.fake.ledger[0].sid
    assert house.worker.asker.ask() == 0
    assert not house.fake.asked  # not yet: callbacks mostly come
    house.later(31)
    assert house.worker.asker.ask() == 0  # still on its way
    assert len(house.fake.asked) == 1
    assert house.worker.asker.ask() == 0
    assert len(house.fake.asked) == 1  # and not again at once
    house.fake.now_says[sid] = "delivered"
    house.later(31)
    assert house.worker.asker.ask() == 1
    assert house.row().state is MessageState.DELIVERED
    assert house.row().delivered_at is not None
    house.later(31)
    assert house.worker.asker.ask() == 0
    assert len(house.fake.asked) == 2


def test_a_loss_that_is_only_asked_for_moves_the_ladder(house: House) -> None:
    house.send()
    house.fake.now_says[house.fake.ledger[0].sid] = "undelivered:30005"
    house.later(31)
    assert house.worker.asker.ask() == 1
    with house.database.reading() as session:
        alert = session.scalars(select(Alert)).one()
        assert alert.next_action_at is not None
        assert alert.next_action_at <= house.clock.now(session)
    assert house.row().error_code == "30005"


@pytest.mark.parametrize("mood", ["500", "hang", "garbage_json"])
def test_a_gateway_that_does_not_say_is_asked_again(house: House, mood: str) -> None:
    house.send()
    house.later(31)
    house.fake.look_plan.append("500" if mood == "garbage_json" else mood)
    assert house.worker.asker.ask() == 0
    assert house.row().state is MessageState.ACCEPTED
    house.fake.now_says[house.fake.ledger[0].sid] = "delivered"
    house.later(31)
    assert house.worker.asker.ask() == 1


def test_a_text_the_gateway_does_not_know_stops_no_other(house: House) -> None:
    house.send()
    with house.database.transaction() as session:
        session.scalars(select(Message)).one().gateway_id = "SM" + "0" * 32
    house.queue(Lane.PATIENT)
    house.send(Lane.PATIENT)
    house.fake.now_says[house.fake.ledger[1].sid] = "delivered"
    house.later(301)
    assert house.worker.asker.ask() == 1
    assert house.row("other").state is MessageState.DELIVERED
    assert house.row().state is MessageState.ACCEPTED


def test_other_texts_are_asked_about_seldom_and_not_for_ever(house: House) -> None:
    house.queue(Lane.REMINDER)
    house.send(Lane.REMINDER)
    asked = []
    for seconds in (299, 2, 3600, 86_400, 86_400, 86_400, 86_400):
        house.later(seconds)
        house.worker.asker.ask()
        asked.append(len(house.fake.asked))
    assert asked == [0, 1, 1, 2, 3, 3, 3]


def test_two_workers_ask_once(house: House) -> None:
    house.send()
    house.later(31)
    with house.database.transaction() as session:
        now = house.clock.now(session)
        first = reconcile.questions(session, Lane.ALERT, now)
        reconcile.begin(session, first, now)
        assert len(first) == 1
        assert not reconcile.questions(session, Lane.ALERT, now)


def test_no_connection_is_held_while_the_gateway_is_asked(database: Database) -> None:
    held = []

    class Watching(Simulator):
        def fetch(self, gateway_id: str) -> Report:
            held.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
            return super().fetch(gateway_id)

    clock = MovableClock()
    worker = Worker(database, clock, a_site(), Watching(delivers=False), name="w1")
    team, patient = a_house(database)
    with database.transaction() as session:
        now = clock.now(session)
        an_alert_text(session, an_alert(session, patient, now), team.nurse, now)
    for one in worker.sender.claim(Lane.ALERT):
        worker.sender.send(one)
    with database.transaction() as session:
        clock.move(session, timedelta(seconds=31))
    worker.asker.ask()
    assert held == [0]


@pytest.mark.parametrize("lane", [Lane.ALERT, Lane.PATIENT, Lane.REMINDER])
def test_a_text_sent_by_a_worker_that_died_is_found_and_not_sent_twice(
    house: House, lane: Lane
) -> None:
    if lane is not Lane.ALERT:
        house.queue(lane)
    house.die_after_the_gateway(lane)
    second = Worker(
        house.database, house.clock, a_site(),
        gateway_of(settings_for("sqlite:///unused", house.fake.environment())), name="w2",
    )  # fmt: skip
    assert house.send(lane, second) == 1
    row = house.row("text" if lane is Lane.ALERT else "other")
    assert (row.state, row.gateway_id) == (MessageState.ACCEPTED, house.fake.ledger[0].sid)
    assert len(house.fake.ledger) == 1
    assert row.error_code is None


def test_what_is_found_as_lost_is_lost(house: House) -> None:
    house.die_after_the_gateway()
    house.fake.now_says[house.fake.ledger[0].sid] = "undelivered:30005"
    house.send()
    assert (house.row().state, house.row().error_code) == (MessageState.UNDELIVERED, "30005")


def test_a_text_that_never_left_is_sent(house: House) -> None:
    house.worker.sender.claim(Lane.ALERT)  # and killed before the gateway was called
    house.later(31)
    house.send()
    assert len(house.fake.ledger) == 1
    assert house.row().state is MessageState.ACCEPTED
    assert len(house.fake.asked) == 1


@pytest.mark.parametrize("mood", ["accept_then_reset", "accept_then_500", "garbage", "no_sid"])
def test_an_answer_that_was_lost_makes_no_second_text(house: House, mood: str) -> None:
    house.fake.plan.append(mood)
    house.send()
    assert house.row().state is MessageState.DUE
    house.later(10)
    house.send()
    assert len(house.fake.ledger) == 1
    assert house.row().gateway_id == house.fake.ledger[0].sid


def test_a_text_with_the_same_words_that_is_another_rows_is_not_taken_for_it(
    house: House,
) -> None:
    house.send()  # the first round's
    with house.database.transaction() as session:
        first = session.scalars(select(Message)).one()
        draft = Draft(
            first.clinic_id, first.to_number, first.kind, first.lane, first.body, "round two",
            timedelta(hours=1), staff_id=first.staff_id, alert_id=first.alert_id,
        )  # fmt: skip
        messages.queue(session, draft, house.clock.now(session))
    house.worker.sender.claim(Lane.ALERT)
    house.later(31)
    house.send()
    assert len(house.fake.ledger) == 2
    assert house.row("round").gateway_id == house.fake.ledger[1].sid


def test_an_alert_is_sent_again_where_the_gateway_cannot_be_asked(house: House) -> None:
    house.die_after_the_gateway()
    house.fake.look_plan.append("500")
    house.send()
    assert len(house.fake.ledger) == 2  # rather twice than never
    assert house.row().state is MessageState.ACCEPTED


def test_a_reminder_is_never_sent_again_blindly(house: House) -> None:
    house.queue(Lane.REMINDER)
    house.fake.plan.append("accept_then_reset")
    house.send(Lane.REMINDER)
    for _ in range(3):
        house.later(80)
        house.fake.look_plan.append("500")
        assert house.send(Lane.REMINDER) == 1
        assert len(house.fake.ledger) == 1
    with house.database.reading() as session:
        assert reconcile.count_unsure(session) == 1
    house.later(80)
    house.send(Lane.REMINDER)
    assert len(house.fake.ledger) == 1
    assert house.row("other").gateway_id == house.fake.ledger[0].sid


def test_a_gateway_that_refuses_our_account_is_not_asked(house: House) -> None:
    house.send()
    house.later(31)
    with house.database.transaction() as session:
        gateway_faults.note_answer(session, "20003", house.clock.now(session))
    house.later(120)
    assert house.worker.asker.ask() == 0
    assert not house.fake.asked


def test_a_look_that_is_refused_rests_the_gateway_too(house: House) -> None:
    house.queue(Lane.REMINDER)
    house.fake.plan.append("accept_then_reset")
    house.send(Lane.REMINDER)
    house.later(80)
    house.fake.look_plan.append("401")
    assert house.send(Lane.REMINDER) == 1
    assert house.row("other").error_code == "unsure:401"
    assert not house.worker.sender.waiting_lanes()
    house.later(61)
    house.send(Lane.REMINDER)  # the one text that tries it
    assert len(house.fake.ledger) == 1
    assert house.row("other").state is MessageState.ACCEPTED


def test_a_doubt_outlives_a_refusal(house: House) -> None:
    house.die_after_the_gateway()
    house.fake.look_plan.append("500")
    house.fake.plan.append("429:20429")
    house.send()
    assert house.row().error_code == "unsure:20429"
    house.later(20)
    house.send()
    assert len(house.fake.ledger) == 1  # found at last


def test_the_questions_never_read_old_texts(sqlite_url: str) -> None:
    database, clock = Database(sqlite_url), MovableClock()
    asked: list[tuple[str, object]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _k, statement, given, _x, _m: asked.append((statement, given)),
    )
    with database.reading() as session:
        reconcile.questions(session, Lane.ALERT, clock.now(session))
    plans = []
    with database.engine.connect() as connection:
        for statement, given in list(asked):
            if "FROM message" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)  # type: ignore[arg-type]
                plans += [row[3] for row in rows if "message" in row[3]]
    assert plans and all("lane=? AND state=? AND due_at>?" in plan for plan in plans)
    database.dispose()
