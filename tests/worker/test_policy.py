"""Each row of the error table, through the real client: when refused, and when lost later."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from patient_portal.app import create_app
from patient_portal.clock import MovableClock
from patient_portal.database import Database
from patient_portal.domain.delivery import LOST, MessageState
from patient_portal.domain.gateway_policy import TABLE, Act, Fault, Number, Policy
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    Clinic,
    GatewayFault,
    Lane,
    Message,
    MessageKind,
    Patient,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import gateway_faults, losses, messages, opt_out, paging
from patient_portal.services.messages import Draft
from patient_portal.sms.choice import gateway_of
from patient_portal.worker import Worker
from tests.support.alerts import WAIT, an_alert, an_alert_text
from tests.support.gateway import (
    ACCOUNT,
    ALERT_SENDER,
    SENDER,
    FakeGateway,
    running_gateway,
    sign,
)
from tests.support.people import a_house, a_site
from tests.support.processes import settings_for

BASE = "https://portal.example.org"
NURSE, LEAD = "+12125550142", "+12125550145"
STATUS_OF = {"20003": "401", "20404": "404", "20429": "429", "20500": "500", "20503": "503"}
SENT_FOR = [row for row in TABLE if row.code != "not_connected"]


@dataclass
class House:
    """A clinic with one alert whose text waits, the worker and the gateway it sends through."""

    database: Database
    url: str
    fake: FakeGateway
    worker: Worker
    clock: MovableClock

    def now(self) -> datetime:
        with self.database.reading() as session:
            return self.clock.now(session)

    def later(self, by: timedelta) -> None:
        with self.database.transaction() as session:
            self.clock.move(session, by)

    def send(self, lane: Lane = Lane.ALERT) -> bool:
        claimed = self.worker.sender.claim(lane)
        for one in claimed:
            self.worker.sender.send(one)
        return bool(claimed)

    def send_all(self) -> None:
        """Send every alert text that is due, the lead's alarms among them."""
        while self.send():
            pass

    def sent(self) -> list[str]:
        """The senders of the texts that reached the nurse, in order."""
        return [sent.form["From"] for sent in self.fake.sent_to(NURSE)]

    def text(self, key: str = "text") -> Message:
        with self.database.reading() as session:
            return session.scalars(select(Message).where(Message.once_key.startswith(key))).one()

    def texts(self, kind: MessageKind) -> list[Message]:
        with self.database.reading() as session:
            return list(session.scalars(select(Message).where(Message.kind == kind)))

    def alert(self) -> Alert:
        with self.database.reading() as session:
            return session.scalars(select(Alert)).one()

    def nurses_phone(self) -> StaffPhone:
        with self.database.reading() as session:
            return session.scalars(select(StaffPhone).where(StaffPhone.number == NURSE)).one()

    def faults(self) -> dict[Fault, str]:
        with self.database.reading() as session:
            return {row.kind: row.code for row in session.scalars(select(GatewayFault))}

    def call_back(self, sid: str, word: str, code: str = "", message: str = "") -> int:
        path = f"/twilio/status?message={message or self.text().id}"
        form = {"MessageSid": sid, "MessageStatus": word, "AccountSid": ACCOUNT, "ErrorCode": code}
        environment = {**self.fake.environment(), "BASE_URL": BASE, "DRILL_AT": ""}
        del environment["TWILIO_API_BASE"]
        client = create_app(settings_for(self.url, environment), self.database).test_client()
        headers = {"X-Twilio-Signature": sign(f"{BASE}{path}", form)}
        return client.post(path, data=form, headers=headers, base_url=BASE).status_code


def _house(url: str, fake: FakeGateway) -> House:
    database = Database(url)
    clock = MovableClock()
    gateway = gateway_of(settings_for(url, fake.environment()))
    team, patient = a_house(database)
    with database.transaction() as session:
        now = clock.now(session)
        alert = an_alert(session, patient, now)
        an_alert_text(session, alert, team.nurse, now)
    worker = Worker(database, clock, a_site(), gateway, name="w1")
    return House(database, url, fake, worker, clock)


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with running_gateway() as gateway:
        yield gateway


@pytest.fixture
def house(sqlite_url: str, fake: FakeGateway) -> Iterator[House]:
    made = _house(sqlite_url, fake)
    yield made
    made.database.dispose()


@pytest.fixture
def either(engine_url: str, fake: FakeGateway) -> Iterator[House]:
    """The same on each engine in turn."""
    made = _house(engine_url, fake)
    yield made
    made.database.dispose()


def _check_number(house: House, row: Policy) -> None:
    phone = house.nurses_phone()
    assert (phone.bad_at is not None) == (row.number is Number.BAD)
    assert phone.bad_code == (row.code if row.number is Number.BAD else None)
    assert (phone.stopped_at is not None) == (row.number is Number.STOPPED)


def _check_told(house: House, row: Policy) -> None:
    """The operator's row is there; whoever answers for the alarm path got a text about it."""
    assert house.faults().get(row.fault) == row.code if row.fault else not house.faults()
    speaks = row.number is not Number.KEEP or (
        row.fault is not None and row.fault not in (Fault.DOWN, Fault.AWAY)
    )
    told = house.texts(MessageKind.STAFF_ALARM)
    assert [text.to_number for text in told] == ([LEAD] if speaks else [])
    assert all(row.code in text.body or row.number is not Number.KEEP for text in told)


def _check_refused(house: House, row: Policy) -> None:
    code = row.code
    began = house.now()
    house.fake.plan.append(f"{code if len(code) == 3 else STATUS_OF.get(code, '400')}:{code}")
    assert house.send()
    text, alert = house.text(), house.alert()
    assert text.error_code == code
    assert alert.next_action_at is not None
    if row.refused is Act.GIVE_UP:
        assert text.state is MessageState.FAILED
        assert alert.next_action_at <= house.now()  # the ladder goes on at once
    else:
        assert text.state is MessageState.DUE
        assert alert.next_action_at > began + WAIT / 2
        rest = text.due_at - began
        assert rest < timedelta(seconds=7) or (row.is_down and rest >= timedelta(seconds=59))
    _check_number(house, row)
    _check_told(house, row)
    assert not house.fake.ledger


@pytest.mark.parametrize("row", SENT_FOR, ids=lambda row: row.code)
def test_refused(house: House, row: Policy) -> None:
    _check_refused(house, row)


@pytest.mark.parametrize(
    "row",
    [row for row in SENT_FOR if row.code in {"20003", "21610", "21614", "30007"}],
    ids=lambda row: row.code,
)
def test_refused_on_either_engine(either: House, row: Policy) -> None:
    _check_refused(either, row)


def _check_lost(house: House, row: Policy) -> None:
    assert house.send()
    sid = house.fake.ledger[0].sid
    assert house.call_back(sid, "undelivered", row.code) == 204
    assert house.call_back(sid, "undelivered", row.code) == 204
    text, alert = house.text(), house.alert()
    assert (text.state, text.error_code) == (MessageState.UNDELIVERED, row.code)
    assert alert.next_action_at is not None and alert.next_action_at <= house.now()
    _check_number(house, row)
    _check_told(house, row)
    again = [each for each in house.texts(MessageKind.STAFF_ALERT) if each.id != text.id]
    assert len(again) == (row.lost is Act.ONCE_MORE)
    if again and not row.is_down:
        house.send_all()
        assert house.sent() == [ALERT_SENDER, SENDER if row.other_sender else ALERT_SENDER]


@pytest.mark.parametrize("row", SENT_FOR, ids=lambda row: row.code)
def test_lost_later(house: House, row: Policy) -> None:
    _check_lost(house, row)


@pytest.mark.parametrize(
    "row",
    [row for row in TABLE if row.code in {"30003", "30005", "21610", "30034"}],
    ids=lambda row: row.code,
)
def test_lost_later_on_either_engine(either: House, row: Policy) -> None:
    _check_lost(either, row)


@pytest.mark.parametrize("code", ["21611", "30007", "30034", "21612", "30001"])
def test_a_sender_that_fails_is_left_for_the_other(house: House, code: str) -> None:
    house.fake.plan.append(f"400:{code}")
    house.send()
    house.later(timedelta(seconds=10))
    house.send_all()
    assert house.sent() == [SENDER]
    assert house.text().state is MessageState.ACCEPTED


def test_a_text_that_neither_sender_may_send_is_given_up(house: House) -> None:
    house.fake.per_number[NURSE] = "400:30007"
    house.send()
    house.later(timedelta(seconds=10))
    house.send_all()
    alert = house.alert()
    assert house.text().state is MessageState.FAILED
    assert alert.next_action_at is not None and alert.next_action_at <= house.now()


def test_a_gateway_that_refuses_our_account_is_asked_once_a_minute(either: House) -> None:
    with either.database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        for member in session.scalars(select(StaffMember)).all()[:3]:
            an_alert_text(session, alert, member, either.clock.now(session), key="more")
    for code in ("20003",) * 9:
        either.fake.plan.append(f"401:{code}")
    assert either.send()
    asked = 1
    for _ in range(13):  # 65 seconds, every 5 of them
        either.later(timedelta(seconds=5))
        for _ in range(3):
            asked += bool(either.worker.sender.waiting_lanes() and either.send())
    assert asked == 2
    with either.database.reading() as session:
        trouble = gateway_faults.gateway_trouble(session, either.now())
    assert trouble is not None
    assert (trouble.fault, trouble.code, trouble.is_down) == (Fault.DOWN, "20003", True)
    # Mended: the one that tries it shows so, and all the others follow at once.
    either.fake.plan.clear()
    either.later(timedelta(seconds=61))
    assert either.send()
    assert either.send()
    with either.database.reading() as session:
        assert gateway_faults.gateway_trouble(session, either.now()) is None
    assert len(either.fake.ledger) == 2


def test_two_workers_try_a_refusing_gateway_with_one_text(either: House) -> None:
    with either.database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        for member in session.scalars(select(StaffMember)).all()[:3]:
            an_alert_text(session, alert, member, either.clock.now(session), key="more")
        gateway_faults.note_answer(session, "20003", either.clock.now(session))
    either.later(timedelta(seconds=61))
    assert len(either.worker.sender.claim(Lane.ALERT, 4)) == 1
    assert not either.worker.sender.claim(Lane.ALERT, 4)
    assert not either.worker.sender.waiting_lanes()


def test_any_other_answer_shows_that_the_account_is_well(house: House) -> None:
    with house.database.transaction() as session:
        gateway_faults.note_answer(session, "20003", house.clock.now(session))
    house.later(timedelta(seconds=61))
    house.fake.plan.append("400:21614")
    assert house.send()
    assert Fault.DOWN not in house.faults()


def test_word_of_an_old_text_does_not(house: House) -> None:
    assert house.send()
    with house.database.transaction() as session:
        gateway_faults.note_answer(session, "20003", house.clock.now(session))
    house.call_back(house.fake.ledger[0].sid, "undelivered", "30003")
    assert Fault.DOWN in house.faults()


def test_faults_are_shown_as_long_as_they_matter(sqlite_url: str) -> None:
    database, clock = Database(sqlite_url), MovableClock()
    with database.transaction() as session:
        now = clock.now(session)
        gateway_faults.note_answer(session, "500", now)
        assert gateway_faults.gateway_trouble(session, now) is None  # it may pass in a moment
        gateway_faults.note_answer(session, "500", now + timedelta(seconds=61))
        later = now + timedelta(seconds=62)
        trouble = gateway_faults.gateway_trouble(session, later)
        assert trouble is not None
        assert (trouble.fault, trouble.since, trouble.count) == (Fault.AWAY, now, 2)
        gateway_faults.note_answer(session, "30007", later)
        gateway_faults.note_answer(session, "21611", later)
        found = gateway_faults.gateway_troubles(session, later)
        assert [each.fault for each in found] == [Fault.FILTERED, Fault.QUEUE]
        later += timedelta(hours=2)
        found = gateway_faults.gateway_troubles(session, later)
        assert [each.fault for each in found] == [Fault.FILTERED]
        gateway_faults.note_answer(session, "21611", later)
        assert gateway_faults.gateway_troubles(session, later)[1].count == 1  # a new one
        assert not gateway_faults.gateway_troubles(session, later + timedelta(days=2))
    database.dispose()


def test_the_lead_is_told_of_a_fault_once_a_day(house: House) -> None:
    house.fake.per_number[NURSE] = "400:99999"
    house.send()
    house.later(timedelta(seconds=10))
    house.send_all()
    assert house.text().attempts == 2
    assert len(house.texts(MessageKind.STAFF_ALARM)) == 1


def test_a_lead_who_stopped_is_not_told_about_it(house: House) -> None:
    with house.database.transaction() as session:
        clinic = session.scalars(select(Clinic)).one()
        clinic.catch_all = "+12125550199"
        opt_out.stop_number(session, LEAD, house.clock.now(session))
    told = house.texts(MessageKind.STAFF_ALARM)
    assert [text.to_number for text in told] == ["+12125550199"]
    assert "L. Brandt texted STOP" in told[0].body


def test_the_ladder_waits_while_another_text_of_the_step_may_arrive(house: House) -> None:
    with house.database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        backup = session.scalars(select(StaffMember).where(StaffMember.name == "J. Park")).one()
        an_alert_text(session, alert, backup, house.clock.now(session), key="backup")
    house.fake.per_number[NURSE] = "400:21614"
    house.send()
    first = house.alert().next_action_at
    assert first is not None and first > house.now()
    house.fake.per_number["+12125550143"] = "400:21614"
    house.send()
    second = house.alert().next_action_at
    assert second is not None and second <= house.now()


def test_a_taken_alerts_lost_text_starts_nothing(house: House) -> None:
    with house.database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alert.state = AlertState.TAKEN
        due = alert.next_action_at
    house.fake.plan.append("400:21614")
    house.send()
    assert house.alert().next_action_at == due
    with house.database.transaction() as session:
        assert not paging.go_on(session, session.scalars(select(Alert)).one(), house.now())


def test_a_patients_stop_that_only_the_network_knows(either: House) -> None:
    with either.database.transaction() as session:
        rosa = session.scalars(select(Patient)).one()
        now = either.clock.now(session)
        for kind, lane in ((MessageKind.REMINDER, Lane.REMINDER), (MessageKind.CODE, Lane.PATIENT)):
            draft = Draft(
                rosa.clinic_id, rosa.phone, kind, lane, "x", f"{kind}", timedelta(hours=4),
                patient_id=rosa.id,
            )  # fmt: skip
            messages.queue(session, draft, now)
    either.fake.per_number["+12125550123"] = "400:21610"
    assert either.send(Lane.PATIENT)
    with either.database.reading() as session:
        rosa = session.scalars(select(Patient)).one()
        assert rosa.texts_stopped_at is not None
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "patient.texts_stopped")
        ).one()
        assert (entry.actor_kind, entry.detail) == ("system", {"code": "21610"})
        assert (
            session.scalars(select(Message.state).where(Message.kind == MessageKind.REMINDER)).one()
            in LOST
        )
    with either.database.transaction() as session:
        opt_out.start_number(session, "+12125550123", either.clock.now(session))
    with either.database.reading() as session:
        assert session.scalars(select(Patient.texts_stopped_at)).one() is None


def test_start_undoes_a_stop_of_staff(either: House) -> None:
    with either.database.transaction() as session:
        opt_out.stop_number(session, NURSE, either.clock.now(session))
        opt_out.stop_number(session, NURSE, either.clock.now(session))
    assert either.nurses_phone().stopped_at is not None
    assert len(either.texts(MessageKind.STAFF_ALARM)) == 1
    with either.database.transaction() as session:
        opt_out.start_number(session, NURSE, either.clock.now(session))
        opt_out.start_number(session, NURSE, either.clock.now(session))
    assert either.nurses_phone().stopped_at is None
    with either.database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.at)).all()
    assert [each for each in actions if "texts" in each] == [
        "staff.texts_stopped", "staff.texts_started",
    ]  # fmt: skip


def test_a_repetition_is_not_repeated(house: House) -> None:
    assert house.send()
    assert house.call_back(house.fake.ledger[0].sid, "undelivered", "30003") == 204
    assert house.send()
    again = next(
        each for each in house.texts(MessageKind.STAFF_ALERT) if each.once_key.startswith("again:")
    )
    sid = house.fake.ledger[1].sid
    assert house.call_back(sid, "undelivered", "30003", message=again.id) == 204
    assert len(house.texts(MessageKind.STAFF_ALERT)) == 2
    with house.database.transaction() as session:  # nor by hand
        losses.on_lost(session, session.get_one(Message, again.id), house.now())
    assert len(house.texts(MessageKind.STAFF_ALERT)) == 2
