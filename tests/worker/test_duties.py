"""The worker's look at the rotas: once a turn, whatever the number of workers, whoever dies."""

import threading
from datetime import timedelta

from sqlalchemy import func, select

from patient_portal.clock import MovableClock
from patient_portal.database import Database
from patient_portal.models import Clinic, DutyCheck, Message, MessageKind
from patient_portal.worker.duties import Duties
from tests.support.people import NOON, a_clinic, a_site
from tests.support.rotas import CATCH_ALL, Ward, a_ward


def a_day_and_night(database: Database) -> Ward:
    ward = a_ward(database, catch_all=CATCH_ALL)
    ward.turns(ward.silva, 8, 20)
    ward.turns(ward.park, 20, 8)
    clock = MovableClock()
    with database.transaction() as session:
        clock.move(session, NOON + timedelta(hours=9, minutes=30) - clock.now(session))
    return ward


def duties(database: Database) -> Duties:
    return Duties(database, MovableClock(), a_site())


def test_a_turns_beginning_its_silence_and_the_days_look(database: Database) -> None:
    ward = a_day_and_night(database)
    watcher, clock = duties(database), MovableClock()
    assert [watcher.watch(), watcher.watch()] == [1, 0]
    with database.transaction() as session:
        clock.move(session, timedelta(minutes=31))
    assert [watcher.watch(), watcher.watch()] == [1, 0]
    (told,) = ward.texts(MessageKind.STAFF_ALARM)
    assert "J. Park" in told.body
    with database.transaction() as session:
        clock.move(session, timedelta(hours=13))  # past ten the next morning
    assert [watcher.watch(), watcher.watch()] == [2, 0]  # the day's turn, and the day's look


def test_many_workers_text_each_turn_once(database: Database) -> None:
    ward = a_day_and_night(database)
    others = [Database(database.engine.url.render_as_string(hide_password=False)) for _ in range(3)]
    start = threading.Barrier(3)

    def work(own: Database) -> None:
        start.wait(10)
        for _ in range(3):
            duties(own).watch()

    threads = [threading.Thread(target=work, args=(own,)) for own in others]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(ward.texts(MessageKind.STAFF_CHECK)) == 1
    for own in others:
        own.dispose()


def test_one_clinics_trouble_keeps_no_other_waiting(database: Database) -> None:
    """A clinic whose stored ladder and zone nobody can read stands before the other one."""
    with database.transaction() as session:
        broken = a_clinic(session, id="0", zone="Mars", ladder={"x": 1})
        assert session.get_one(Clinic, broken.id).zone == "Mars"
    a_day_and_night(database)
    assert duties(database).watch() >= 1
    with database.reading() as session:
        assert session.scalars(select(func.count(DutyCheck.id))).one() == 1
        assert session.scalars(select(func.count(Message.id))).one() >= 1
