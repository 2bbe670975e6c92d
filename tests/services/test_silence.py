"""Silence that pages: when, whom, once; and what a person does about it. Both engines."""

import threading
import time as wall
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from patient_portal import protocols
from patient_portal.database import Database, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.replay import explain
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    CheckIn,
    CheckInState,
    MedicineKind,
    Message,
    MessageKind,
    Patient,
    PauseReason,
)
from patient_portal.services import (
    alerts,
    checkins,
    invariants,
    medicines,
    missed,
    pauses,
    silence,
)
from patient_portal.services.alerts import Closing
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from tests.support.people import NOON, Team, a_house, a_site

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PROTOCOL = protocols.current()
NURSE = "+12125550142"
# Text at nine, cut-off at sixteen: two days after a check-in at noon the second day is missed.
TWO_MISSED = NOON + 2 * DAY + 4 * HOUR


class House:
    """A team and a patient who checked in at noon."""

    def __init__(self, database: Database, *, checked_in: bool = True) -> None:
        self.database = database
        self.team: Team
        self.team, self.patient = a_house(database)
        if checked_in:
            self.answers(NOON)

    def answers(self, now: datetime, value: str = "none", patient: Patient | None = None) -> None:
        who = patient or self.patient
        with self.database.transaction() as session:
            form = Form(session.get_one(Patient, who.id), new_id(), Actor("patient", who.id))
            step = Step("page", {"breathlessness": value}, ("breathlessness",))
            checkins.record_answers(session, a_site(), form, step, now)
            checkins.send(session, a_site(), form, now)

    def change(self, **values: Any) -> None:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            for name, value in values.items():
                setattr(patient, name, value)

    def pages(self, now: datetime) -> int:
        """One look of the worker; for how many people it paged."""
        clinic = self.patient.clinic_id
        with self.database.reading() as session:
            found = silence.to_page(session, PROTOCOL, clinic, now)
        paged = 0
        for one in found:
            with self.database.transaction() as session:
                paged += silence.page(session, a_site(), clinic, one.person.id, now) is not None
        return paged

    def texts(self, number: str = NURSE) -> list[Message]:
        with self.database.reading() as session:
            query = select(Message).where(
                Message.to_number == number, Message.alert_id.is_not(None)
            )
            return list(session.scalars(query.order_by(Message.created_at)))

    def alerts(self) -> list[Alert]:
        with self.database.reading() as session:
            return list(session.scalars(select(Alert).order_by(Alert.opened_at)))

    def closes(self, now: datetime) -> None:
        with self.database.transaction() as session:
            alert = session.scalars(select(Alert).where(Alert.state != AlertState.CLOSED)).one()
            nurse = self.team.nurse
            closing = Closing("admitted", True, "in hospital")
            alerts.close(session, alert, nurse, closing, now)

    def listed(self, now: datetime) -> list[tuple[str, int]]:
        with self.database.reading() as session:
            rows = silence.listed(session, PROTOCOL, self.patient.clinic_id, now)
            return [(one.rule.id, one.days) for one in rows]

    def reads(self, level: TriageLevel, now: datetime) -> None:
        with self.database.transaction() as session:
            silence.mark_read(session, PROTOCOL, self.team.nurse, self.patient.id, level, now)

    def pauses(self, first: date, last: date, now: datetime) -> None:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            reason = PauseReason.HOSPITAL
            pauses.pause(session, patient, first, last, reason, self.team.nurse, now)

    def resumes(self, now: datetime) -> bool:
        with self.database.transaction() as session:
            patient = session.get_one(Patient, self.patient.id)
            return pauses.resume(session, patient, self.team.nurse, now)

    def is_sound(self) -> bool:
        with self.database.reading() as session:
            return not [one.name for one in invariants.ALL if invariants.count(session, one)]


def test_two_days_of_silence_text_the_nurse_by_day_alone(database: Database) -> None:
    house = House(database)
    assert house.pages(TWO_MISSED - timedelta(seconds=1)) == 0
    three_at_night = NOON + 3 * DAY - 9 * HOUR  # the worker was off since the cut-off
    assert house.pages(three_at_night) == 0
    eight = NOON + 3 * DAY - 4 * HOUR
    assert house.pages(eight - timedelta(seconds=1)) == 0
    assert not house.texts()
    assert house.pages(eight) == 1
    (text,) = house.texts()
    assert text.kind is MessageKind.STAFF_ALERT and "URGENT" in text.body
    assert "Rosa" not in text.body and "Marin" not in text.body
    (alert,) = house.alerts()
    assert (alert.level, alert.reasons) == (
        int(TriageLevel.URGENT), [{"rule": "MC2", "level": "urgent"}],
    )  # fmt: skip
    assert house.is_sound()


def test_one_missed_day_pages_nobody(database: Database) -> None:
    house = House(database)
    assert house.pages(NOON + DAY + 5 * HOUR) == 0
    assert house.listed(NOON + DAY + 5 * HOUR) == [("MC1", 1)]


def test_a_run_is_paged_once_while_its_alert_is_open(database: Database) -> None:
    house = House(database)
    assert house.pages(TWO_MISSED) == 1
    for minutes in range(1, 4):
        assert house.pages(TWO_MISSED + timedelta(minutes=minutes)) == 0
    for days in (1, 2, 40, 41, 60):  # also after the look-back of thirty days
        assert house.pages(TWO_MISSED + days * DAY) == 0
    assert len(house.alerts()) == 1
    back = TWO_MISSED + 61 * DAY
    house.answers(back)
    house.closes(back)
    assert house.pages(back + 2 * DAY) == 1  # a new run
    assert len(house.alerts()) == 2
    assert house.is_sound()


def test_a_silence_that_goes_on_after_its_alert_was_closed_pages_once_more(
    database: Database,
) -> None:
    house = House(database)
    assert house.pages(TWO_MISSED) == 1
    house.closes(TWO_MISSED + HOUR)
    assert house.pages(TWO_MISSED + DAY) == 0
    four = TWO_MISSED + 2 * DAY
    assert house.pages(four - timedelta(seconds=1)) == 0
    assert house.pages(four) == 1
    assert house.pages(four) == 0
    first, second = house.alerts()
    assert second.previous_id == first.id
    assert len(house.texts()) == 2
    house.closes(four + HOUR)
    for days in (1, 4, 8, 40, 41):
        assert house.pages(four + days * DAY) == 0  # from now on the row returns
    assert house.is_sound()


def test_closed_late_it_pages_the_day_after_not_the_minute_after(database: Database) -> None:
    house = House(database)
    house.pages(TWO_MISSED)
    closed = TWO_MISSED + 4 * DAY
    house.closes(closed)
    assert house.pages(closed + timedelta(minutes=1)) == house.pages(closed + 7 * HOUR) == 0
    assert house.pages(closed + DAY) == 1


def test_two_workers_at_once_page_once_more_only_once(database: Database) -> None:
    house = House(database)
    house.pages(TWO_MISSED)
    house.closes(TWO_MISSED + HOUR)
    assert sorted(_paged_by_four(house, TWO_MISSED + 2 * DAY)) == [False, False, False, True]
    assert len(house.alerts()) == 2
    assert house.is_sound()


def test_the_alert_can_be_explained(database: Database) -> None:
    house = House(database)
    house.pages(TWO_MISSED)
    (alert,) = house.alerts()
    told = explain(PROTOCOL, alert.inputs)
    assert (told.level, [one.rule for one in told.reasons]) == (TriageLevel.URGENT, ["MC2"])


def test_one_day_after_a_closed_urgent_answer_pages_too(database: Database) -> None:
    house = House(database, checked_in=False)
    house.answers(NOON, "mild_exertion")
    house.closes(NOON + HOUR)
    at = NOON + DAY + 4 * HOUR
    assert house.pages(at - timedelta(seconds=1)) == 0
    assert house.pages(at) == 1
    assert [one["rule"] for one in house.alerts()[-1].reasons] == ["MC3"]
    # While that alert is open nobody is paged again; closed, twice its one day pages once more.
    assert house.pages(at + DAY) == 0
    house.closes(at + DAY)
    assert house.pages(at + DAY + HOUR) == 0
    assert house.pages(at + 2 * DAY) == 1


def test_after_an_open_emergency_silence_pages_at_any_hour(database: Database) -> None:
    house = House(database, checked_in=False)
    house.answers(NOON, "at_rest")
    with database.transaction() as session:
        alert = session.scalars(select(Alert)).one()
        alerts.take(session, alert, house.team.nurse, NOON + HOUR)
    before = len(house.texts())
    three_at_night = NOON + 2 * DAY - 9 * HOUR
    assert house.pages(three_at_night) == 1
    (alert,) = house.alerts()  # joined, not a second one
    assert [one["rule"] for one in alert.reasons][-1] == "MC3"
    assert alert.level == int(TriageLevel.EMERGENCY)
    assert alert.state is AlertState.OPEN  # taken a day ago: the ladder starts again
    after = house.texts()[before:]
    assert [one.kind for one in after].count(MessageKind.STAFF_WORSE) == 1
    assert not any("answers" in one.body for one in after)  # nobody answered
    assert any("no check-in came" in one.body for one in after)
    told = explain(PROTOCOL, alert.inputs)
    assert "MC3" in [one.rule for one in told.reasons]
    assert house.is_sound()


def test_who_checked_in_meanwhile_is_not_paged(database: Database) -> None:
    """Between the look and the page there may be a check-in."""
    house = House(database)
    with database.reading() as session:
        (one,) = silence.to_page(session, PROTOCOL, house.patient.clinic_id, TWO_MISSED)
    house.answers(TWO_MISSED)
    with database.transaction() as session:
        clinic = house.patient.clinic_id
        assert silence.page(session, a_site(), clinic, one.person.id, TWO_MISSED) is None
    assert not house.alerts()


def test_two_workers_at_once_page_once(database: Database) -> None:
    house = House(database)
    assert sorted(_paged_by_four(house, TWO_MISSED)) == [False, False, False, True]
    assert len(house.texts()) == 1
    assert house.is_sound()


def _paged_by_four(house: House, now: datetime) -> list[bool]:
    clinic, start = house.patient.clinic_id, threading.Barrier(4)
    paged: list[bool] = []

    def work() -> None:
        start.wait(10)
        with house.database.transaction() as session:
            found = silence.page(session, a_site(), clinic, house.patient.id, now)
            paged.append(found is not None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return paged


def test_a_worker_that_fails_leaves_no_mark(database: Database) -> None:
    house = House(database)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        silence.page(session, a_site(), house.patient.clinic_id, house.patient.id, TWO_MISSED)
        raise ZeroDivisionError
    assert not house.alerts()
    assert house.pages(TWO_MISSED) == 1


def test_a_window_kept_open_by_the_log_counts(database: Database) -> None:
    """Day 300 is outside the window, unless a restart makes it day 1 again."""
    house = House(database)
    house.change(first_dose_on=(NOON - 300 * DAY).date())
    assert house.pages(TWO_MISSED) == 0
    with database.transaction() as session:
        patient = session.get_one(Patient, house.patient.id)
        for kind, ago in ((MedicineKind.STOPPED, 40), (MedicineKind.RESTARTED, 3)):
            on = (NOON - ago * DAY).date()
            medicines.note(session, patient, kind, on, house.team.nurse, NOON)
    assert house.pages(TWO_MISSED) == 1
    with database.reading() as session:
        (one,) = missed.silent(session, PROTOCOL, house.patient.clinic_id, TWO_MISSED)
    assert one.person.day == 6


# ---- the row of the inbox


def test_a_row_that_was_read_goes_until_the_run_gets_worse(database: Database) -> None:
    house = House(database)
    one_missed = NOON + DAY + 5 * HOUR
    assert house.listed(one_missed) == [("MC1", 1)]
    house.reads(TriageLevel.WATCH, one_missed)
    house.reads(TriageLevel.WATCH, one_missed)
    assert house.listed(one_missed) == house.listed(one_missed + 10 * HOUR) == []
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "silence.read")).one()
    assert (entry.actor_id, entry.subject_id) == (house.team.nurse.id, house.patient.id)
    assert house.listed(TWO_MISSED) == [("MC2", 2)]
    assert house.pages(TWO_MISSED) == 1  # reading keeps no page back
    assert house.listed(TWO_MISSED) == []  # it stands above, as an alert
    house.closes(TWO_MISSED + HOUR)
    assert house.listed(TWO_MISSED + DAY) == [("MC2", 3)]
    house.reads(TriageLevel.URGENT, TWO_MISSED + DAY)
    assert house.listed(TWO_MISSED + DAY) == []


def test_a_row_that_was_read_returns_after_each_three_further_days(database: Database) -> None:
    house = House(database)
    house.change(first_dose_on=(NOON - 300 * DAY).date())  # outside the window: never red
    three = TWO_MISSED + DAY
    assert house.listed(three) == [("MC4", 3)]
    for days in (0, 3, 6, 26):
        at = three + days * DAY
        assert house.listed(at) == [("MC4", 3 + days)]
        house.reads(TriageLevel.WATCH, at)
        assert house.listed(at + HOUR) == house.listed(at + 2 * DAY) == []
        house.reads(TriageLevel.WATCH, at + 2 * DAY)  # an old page: the row is not there
    with database.reading() as session:
        read = select(AuditEntry).where(AuditEntry.action == "silence.read")
        assert len(session.scalars(read).all()) == 4


def test_what_got_worse_since_it_was_shown_is_not_read(database: Database) -> None:
    house = House(database)
    house.reads(TriageLevel.WATCH, TWO_MISSED)
    assert house.listed(TWO_MISSED) == [("MC2", 2)]


def test_only_what_is_there_can_be_read(database: Database) -> None:
    house = House(database)
    with pytest.raises(silence.NotSilent):
        house.reads(TriageLevel.WATCH, NOON + HOUR)


# ---- pauses


def test_a_pause_ends_by_itself_and_its_days_are_not_missed(database: Database) -> None:
    house = House(database)
    today = NOON.date()
    house.pauses(today + DAY, today + 5 * DAY, NOON)
    for days in range(1, 6):
        assert house.listed(NOON + days * DAY + 5 * HOUR) == []
        assert house.pages(NOON + days * DAY + 5 * HOUR) == 0
    assert house.listed(NOON + 6 * DAY + 5 * HOUR) == [("MC1", 1)]
    assert house.pages(NOON + 7 * DAY + 5 * HOUR) == 1


def test_resuming_counts_again_from_that_day(database: Database) -> None:
    house = House(database)
    today = NOON.date()
    house.pauses(today, today + 20 * DAY, NOON)
    back = NOON + 3 * DAY
    assert house.resumes(back)
    assert not house.resumes(back + HOUR)
    assert house.listed(back + 6 * HOUR) == []  # that day is not held against them
    assert house.listed(back + DAY + 5 * HOUR) == [("MC1", 1)]
    # A second pause, still ahead, does not make the days of the first one missed.
    house.pauses(today + 10 * DAY, today + 12 * DAY, back + DAY)
    assert house.listed(back + DAY + 5 * HOUR) == [("MC1", 1)]
    assert house.resumes(back + DAY)  # taken back before it begins
    assert house.listed(back + DAY + 5 * HOUR) == [("MC1", 1)]


def test_a_red_answer_of_a_pause_alerts_as_always(database: Database) -> None:
    house = House(database)
    house.pauses(NOON.date(), NOON.date() + DAY, NOON)
    house.answers(NOON + HOUR, "at_rest")
    assert len(house.texts()) == 1


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (0, 30, "long"),
        (2, 1, "order"),
        (-3, -1, "over"),
        (-31, -1 + 1, "long"),
        (31, 33, "ahead"),
    ],
)
def test_what_no_pause_may_be(database: Database, first: int, last: int, code: str) -> None:
    house = House(database)
    today = NOON.date()
    with pytest.raises(pauses.PauseRefused) as refused:
        house.pauses(today + first * DAY, today + last * DAY, NOON)
    assert refused.value.code == code


def test_thirty_days_may_be_paused(database: Database) -> None:
    house = House(database)
    house.pauses(NOON.date(), NOON.date() + 29 * DAY, NOON)


def test_two_thousand_people_are_looked_at_in_a_moment(database: Database) -> None:
    house = House(database)
    with database.transaction() as session:
        session.execute(insert(Patient.__table__), _many(session, house))  # type: ignore[arg-type]
        ids = session.scalars(select(Patient.id)).all()
        rows = [_a_check_in(house, one, back) for one in ids for back in range(0, 60, 3)]
        session.execute(insert(CheckIn.__table__), rows)  # type: ignore[arg-type]
    began = wall.perf_counter()
    with database.reading() as session:
        found = silence.to_page(session, PROTOCOL, house.patient.clinic_id, TWO_MISSED)
    took = wall.perf_counter() - began
    print(f"\n{database.engine.dialect.name}: 2000 people in {took * 1000:.0f} ms")
    assert len(found) == 2001
    assert took < 3


def _many(session: Any, house: House) -> list[dict[str, Any]]:
    pattern = session.get_one(Patient, house.patient.id)
    table: Any = Patient.__table__
    row = {column.name: getattr(pattern, column.name) for column in table.columns}
    return [{**row, "id": new_id()} for _ in range(2000)]


def _a_check_in(house: House, patient_id: str, back: int) -> dict[str, Any]:
    at = NOON - back * DAY
    return {
        "id": new_id(), "clinic_id": house.patient.clinic_id, "patient_id": patient_id,
        "form_key": new_id(), "local_date": at.date(), "state": CheckInState.SENT,
        "reporter": "patient", "drug": "enasidenib", "answers": {}, "progress": {}, "level": 0,
        "reasons": [], "protocol": "ds-1.0", "started_at": at, "sent_at": at,
        "phone_recognised": True,
    }  # fmt: skip
