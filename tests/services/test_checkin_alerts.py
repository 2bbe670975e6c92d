"""When an answer pages, and when it does not; forms that nobody sent; both engines."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from patient_portal.database import Database
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    CheckIn,
    CheckInState,
    Message,
    MessageKind,
    Patient,
)
from patient_portal.services import alerts, checkins
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, FormExpired, Recorded, Step
from tests.support.people import NOON, a_house, a_site

BREATHING = ("breathlessness", "orthopnea")
SWELLING = ("swelling", "swelling_breathing")
TEMPERATURE = ("temperature", "temperature_unit", "fever_medicine_6h")


def form(patient: Patient, key: str = "k1") -> Form:
    return Form(patient, key, Actor("patient", patient.id))


def answer(
    database: Database,
    patient: Patient,
    now: datetime,
    keys: tuple[str, ...],
    key: str = "k1",
    **given: Any,
) -> Recorded:
    with database.transaction() as session:
        step = Step(keys[0], given, keys)
        return checkins.record_answers(session, a_site(), form(patient, key), step, now)


def pages(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(
            select(func.count()).select_from(Message)
            .where(Message.kind == MessageKind.STAFF_ALERT)
        ) or 0  # fmt: skip


def test_a_red_answer_pages_though_the_form_is_never_finished(database: Database) -> None:
    _, patient = a_house(database)
    made = answer(database, patient, NOON, BREATHING, breathlessness="at_rest")
    assert made.level is TriageLevel.EMERGENCY
    assert made.alert_id is not None
    assert pages(database) == 2


def test_a_calm_answer_of_a_red_form_does_not_page_again(database: Database) -> None:
    """Half an hour after it was taken, "swelling: none" is no new red answer."""
    team, patient = a_house(database)
    made = answer(database, patient, NOON, BREATHING, breathlessness="at_rest")
    with database.transaction() as session:
        alert = session.get_one(Alert, made.alert_id)
        alerts.take(session, alert, team.nurse, NOON + timedelta(minutes=1))
    later = NOON + timedelta(minutes=45)
    again = answer(database, patient, later, SWELLING, swelling="none")
    assert again.level is TriageLevel.EMERGENCY  # never lowered
    assert pages(database) == 2
    with database.reading() as session:
        assert session.get_one(Alert, made.alert_id).state is AlertState.TAKEN


def test_the_same_red_answer_after_half_an_hour_pages_again(database: Database) -> None:
    team, patient = a_house(database)
    made = answer(database, patient, NOON, BREATHING, breathlessness="at_rest")
    with database.transaction() as session:
        alert = session.get_one(Alert, made.alert_id)
        alerts.take(session, alert, team.nurse, NOON + timedelta(minutes=1))
    later = NOON + timedelta(minutes=45)
    answer(database, patient, later, BREATHING, breathlessness="at_rest")
    with database.reading() as session:
        assert session.get_one(Alert, made.alert_id).state is AlertState.OPEN
    assert pages(database) == 4


def test_going_on_after_closing_opens_no_second_alert(database: Database) -> None:
    team, patient = a_house(database)
    made = answer(database, patient, NOON, BREATHING, breathlessness="mild_exertion")
    with database.transaction() as session:
        alert = session.get_one(Alert, made.alert_id)
        alerts.close(session, alert, team.nurse, alerts.Closing("not_ds", None, ""), NOON)
    answer(database, patient, NOON + timedelta(minutes=5), SWELLING, swelling="none")
    with database.transaction() as session:
        checkins.send(session, a_site(), form(patient), NOON + timedelta(minutes=6))
        assert session.scalar(select(func.count()).select_from(Alert)) == 1


def test_answers_of_yesterday_reach_the_rules(database: Database) -> None:
    """37.6 twice running is urgent; once is watch."""
    _, patient = a_house(database)
    day = {"temperature": "37.6", "temperature_unit": "c"}
    first = answer(database, patient, NOON - timedelta(days=1), TEMPERATURE, key="k0", **day)
    second = answer(database, patient, NOON, TEMPERATURE, key="k1", **day)
    assert (first.level, second.level) == (TriageLevel.WATCH, TriageLevel.URGENT)


def test_a_form_begun_anew_does_not_hide_what_was_answered_yesterday(database: Database) -> None:
    _, patient = a_house(database)
    day = {"temperature": "37.6", "temperature_unit": "c"}
    before = NOON - timedelta(days=1)
    answer(database, patient, before, TEMPERATURE, key="k0", **day)
    answer(
        database, patient, before + timedelta(hours=1), BREATHING, key="k1", breathlessness="none"
    )
    made = answer(database, patient, NOON, TEMPERATURE, key="k2", **day)
    assert made.level is TriageLevel.URGENT


def test_what_was_four_days_ago_is_not_yesterday(database: Database) -> None:
    _, patient = a_house(database)
    day = {"temperature": "37.6", "temperature_unit": "c"}
    answer(database, patient, NOON - timedelta(days=4), TEMPERATURE, key="k0", **day)
    made = answer(database, patient, NOON, TEMPERATURE, key="k1", **day)
    assert made.level is TriageLevel.WATCH


def test_two_red_steps_of_one_form_at_once_are_one_check_in_and_one_alert(
    database: Database,
) -> None:
    _, patient = a_house(database)
    works: list[Callable[[], Recorded]] = [
        lambda: answer(database, patient, NOON, BREATHING, breathlessness="at_rest"),
        lambda: answer(database, patient, NOON, SWELLING, swelling="worse"),
        lambda: answer(database, patient, NOON, BREATHING, key="k2", breathlessness="at_rest"),
    ]
    failed: list[Exception] = []

    def run(work: Callable[[], Recorded]) -> None:
        try:
            work()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CheckIn)) == 2
        alert = session.scalars(select(Alert)).one()
        assert session.scalars(select(CheckIn.alert_id)).all() == [alert.id, alert.id]


def test_sending_twice_is_once_and_an_old_form_is_not_sent(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON, BREATHING, breathlessness="none")
    for _ in range(2):
        with database.transaction() as session:
            checkins.send(session, a_site(), form(patient), NOON + timedelta(minutes=1))
    answer(database, patient, NOON, BREATHING, key="k2", breathlessness="none")
    late = NOON + timedelta(hours=37)
    with database.transaction() as session, pytest.raises(FormExpired):
        checkins.send(session, a_site(), form(patient, "k2"), late)
    with database.reading() as session:
        sent = select(func.count()).where(AuditEntry.action == "check_in.sent")
        assert session.scalar(sent) == 1


def test_a_form_that_nobody_sent_is_closed_when_its_own_day_is_over(database: Database) -> None:
    _, patient = a_house(database)  # New York; NOON is 17:00 UTC
    answer(database, patient, NOON, BREATHING, breathlessness="none")
    answer(database, patient, NOON, BREATHING, key="k2", breathlessness="none")
    with database.transaction() as session:
        checkins.send(session, a_site(), form(patient, "k2"), NOON)
    with database.transaction() as session:
        assert checkins.close_yesterdays(session, NOON + timedelta(hours=11, minutes=59)) == 0
        assert checkins.close_yesterdays(session, NOON + timedelta(hours=12)) == 1
        assert checkins.close_yesterdays(session, NOON + timedelta(hours=13)) == 0
    with database.reading() as session:
        states = {row.form_key: row.state for row in session.scalars(select(CheckIn))}
    assert states == {"k1": CheckInState.PARTIAL, "k2": CheckInState.SENT}
    # A started form can be sent for 36 hours, also after midnight.
    with database.transaction() as session:
        checkins.send(session, a_site(), form(patient), NOON + timedelta(hours=20))
    with database.reading() as session:
        assert set(session.scalars(select(CheckIn.state))) == {CheckInState.SENT}
