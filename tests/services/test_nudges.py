"""Nobody has answered: the text once more, then one to a helper; never at night or in vain."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from patient_portal.database import Database, new_id
from patient_portal.models import (
    Caregiver,
    CaregiverGrant,
    Link,
    Message,
    MessageKind,
    MessageState,
    Patient,
    PauseReason,
)
from patient_portal.services import checkins, inbound, nudges, pauses, reminders
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from patient_portal.services.tokens import digest, secret_for
from tests.support.people import NOON, a_house, a_site

NINE = datetime(2026, 11, 21, 14, tzinfo=UTC)  # nine in the morning in New York
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ROSA, LUIS = "+12125550123", "+12125550177"
MINE = (MessageKind.REPEAT, MessageKind.ASK_HELPER)


class House:
    """Rosa, who joined yesterday, and her helper Luis."""

    def __init__(self, database: Database, *scopes: str, **values: Any) -> None:
        self.database = database
        self.team, self.patient = a_house(database)
        with database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            for name, value in values.items():
                setattr(patient, name, value)
            luis = Caregiver(
                clinic_id=patient.clinic_id, first_name="Luis", phone=LUIS, language="en",
                created_at=NOON,
            )  # fmt: skip
            session.add(luis)
            session.flush()
            session.add(
                CaregiverGrant(
                    caregiver_id=luis.id, patient_id=patient.id, granted_at=NOON,
                    scopes=list(scopes or ("report", "remind")),
                )
            )  # fmt: skip
            reminders.plan(session, patient, NOON)

    def remind(self, now: datetime) -> None:
        with self.database.transaction() as session:
            reminders.queue_due(session, a_site(), now)

    def nudge(self, now: datetime) -> int:
        with self.database.transaction() as session:
            return nudges.queue_due(session, a_site(), self.patient.clinic_id, now)

    def texts(self) -> list[Message]:
        with self.database.reading() as session:
            query = select(Message).where(Message.kind.in_(MINE))
            return list(session.scalars(query.order_by(Message.created_at)))

    def answers(self, now: datetime) -> None:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            form = Form(patient, new_id(), Actor("patient", patient.id))
            step = Step("page", {"red_flags": ["none"]}, ("red_flags",))
            checkins.record_answers(session, a_site(), form, step, now)
            checkins.send(session, a_site(), form, now)


def test_a_day_without_an_answer(database: Database) -> None:
    house = House(database)
    sent = NINE + 10 * MINUTE
    with database.transaction() as session:
        session.get_one(Patient, house.patient.id).reminder_due_at = sent
    house.remind(sent)
    assert house.nudge(sent + 3 * HOUR - MINUTE) == 0
    assert house.nudge(sent + 3 * HOUR) == 1
    assert house.nudge(sent + 3 * HOUR + MINUTE) == 0
    assert house.nudge(sent + 5 * HOUR - MINUTE) == 0
    assert house.nudge(sent + 5 * HOUR) == 1
    assert house.nudge(sent + 7 * HOUR - MINUTE) == 0
    repeat, to_helper = house.texts()
    assert (repeat.kind, repeat.to_number) == (MessageKind.REPEAT, ROSA)
    assert (to_helper.kind, to_helper.to_number) == (MessageKind.ASK_HELPER, LUIS)
    assert repeat.once_key == f"repeat:{house.patient.id}:2026-11-21"
    assert "{secret}" in repeat.body and "911" in repeat.body
    assert "{secret}" not in to_helper.body and "911" in to_helper.body
    for text in (repeat, to_helper):
        assert "Rosa" not in text.body and "Marin" not in text.body
    with database.reading() as session:
        links = {link.id: link for link in session.scalars(select(Link))}
    assert repeat.secret_of is not None
    link = links[repeat.secret_of.removeprefix("link:")]
    assert link.for_date == date(2026, 11, 21)
    assert link.token_hash == digest(secret_for(a_site().pepper, repeat.secret_of))


def test_a_worker_that_was_off_sends_the_repeat_alone(database: Database) -> None:
    """The day's text was left out as too late; one text comes, not two at once."""
    house = House(database)
    late = NINE + 3 * HOUR + 30 * MINUTE
    house.remind(late)
    assert house.nudge(late) == 1
    assert [text.kind for text in house.texts()] == [MessageKind.REPEAT]


def test_after_the_cut_off_nothing_is_sent(database: Database) -> None:
    house = House(database)
    assert house.nudge(NINE + 7 * HOUR) == 0
    assert house.nudge(NINE + 7 * HOUR - MINUTE) == 2


def test_an_answer_ends_it_and_calls_off_what_waits(database: Database) -> None:
    house = House(database)
    house.nudge(NINE + 3 * HOUR)
    house.answers(NINE + 3 * HOUR + MINUTE)
    (text,) = house.texts()
    assert text.state is MessageState.EXPIRED
    assert house.nudge(NINE + 5 * HOUR) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"texts_stopped_at": NOON},
        {"ended_at": NOON},
        {"enrolled_at": None},
        {"enrolled_at": NINE + HOUR},
        {"zone": "Mars/Olympus"},
        {"reminder_at": time(19)},
    ],
)
def test_some_are_not_texted(database: Database, values: dict[str, Any]) -> None:
    house = House(database)
    with database.transaction() as session:
        patient = session.get_one(Patient, house.patient.id)
        for name, value in values.items():
            setattr(patient, name, value)
    for hours in range(15):
        assert house.nudge(NINE + hours * HOUR) == 0


def test_nothing_at_night(database: Database) -> None:
    house = House(database, reminder_at=time(17, 30))
    assert house.nudge(NINE + 11 * HOUR + 30 * MINUTE) == 1  # 20:30
    assert house.nudge(NINE + 13 * HOUR + 30 * MINUTE) == 0  # 22:30, the helper's time


def test_a_helper_who_may_not_remind_is_not_texted(database: Database) -> None:
    house = House(database, "report", "status")
    assert house.nudge(NINE + 6 * HOUR) == 1
    assert [text.to_number for text in house.texts()] == [ROSA]


def test_a_helper_who_texts_stop_is_asked_no_more(database: Database) -> None:
    house = House(database)
    with database.transaction() as session:
        assert inbound.receive(session, a_site(), "SM1", LUIS, "STOP", NOON) == "stop"
    assert house.nudge(NINE + 6 * HOUR) == 1
    with database.reading() as session:
        assert session.scalars(select(CaregiverGrant)).one().scopes == ["report"]


def test_a_helper_whose_help_has_ended_is_not_texted(database: Database) -> None:
    house = House(database)
    with database.transaction() as session:
        session.scalars(select(CaregiverGrant)).one().ended_at = NOON
    assert house.nudge(NINE + 6 * HOUR) == 1


def test_a_pause_is_quiet_and_ends_by_itself(database: Database) -> None:
    house = House(database)
    today = NINE.date()
    house.remind(NINE + 20 * MINUTE)
    with database.transaction() as session:
        patient = session.get_one(Patient, house.patient.id)
        nurse, why = house.team.nurse, PauseReason.AWAY
        now = NINE + 21 * MINUTE
        pauses.pause(session, patient, today, today + timedelta(days=1), why, nurse, now)
    with database.reading() as session:
        (text,) = session.scalars(select(Message).where(Message.kind == MessageKind.REMINDER))
    assert text.state is MessageState.EXPIRED  # it waited, and would have asked
    for hours in range(4, 40):
        house.remind(NINE + hours * HOUR)
        assert house.nudge(NINE + hours * HOUR) == 0
    back = NINE + timedelta(days=2)
    house.remind(back + 20 * MINUTE)
    assert house.nudge(back + 4 * HOUR) == 1
    with database.reading() as session:
        query = select(Message.once_key).where(Message.kind == MessageKind.REMINDER)
        assert [key[-10:] for key in session.scalars(query.order_by(Message.created_at))] == [
            "2026-11-21", "2026-11-23",
        ]  # fmt: skip


def test_two_workers_queue_each_text_once(database: Database) -> None:
    house = House(database)
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(10)
        house.nudge(NINE + 6 * HOUR)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(house.texts()) == 2
