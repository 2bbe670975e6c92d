"""The alarm path's state: worked out from rows and clock, so that nobody who died can hide it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from patient_portal.database import Database
from patient_portal.domain.gateway_policy import Fault
from patient_portal.models import (
    Alert,
    Clinic,
    Drill,
    GatewayFault,
    Heartbeat,
    Message,
    MessageState,
    Patient,
    Shift,
    StaffPhone,
)
from patient_portal.services import alarm_path, alarm_words, auditor, figures, machine
from patient_portal.services.alarm_path import Finding, Trouble
from patient_portal.services.machine import Machine
from patient_portal.words import Words
from tests.support.alerts import an_alert, an_alert_text
from tests.support.people import NOON, Team, a_clinic, a_house, a_member, a_patient

WELL = Machine(least_free=0.5)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def house(database: Database) -> tuple[Team, Patient]:
    """A clinic of which everything is proven."""
    team, patient = a_house(database)
    with database.transaction() as session:
        prove(session, team.clinic.id, NOON)
    return team, patient


def prove(session: Session, clinic_id: str, now: datetime) -> None:
    """A worker that lives, a drill that was answered, and cover."""
    session.add(Heartbeat(worker="w1", beat_at=now))
    session.add(
        Drill(clinic_id=clinic_id, started_at=now - HOUR, answered_at=now - HOUR, ended_at=now)
    )
    session.execute(update(Clinic).values(cover_confirmed_at=now))


def _found(
    database: Database, team: Team, now: datetime = NOON, this: Machine = WELL
) -> list[Trouble]:
    with database.reading() as session:
        return [each.trouble for each in alarm_path.look(session, now, team.clinic.id, this)]


def test_a_well_clinic_has_nothing_to_tell(database: Database, house: tuple[Team, Patient]) -> None:
    assert _found(database, house[0]) == []
    with database.reading() as session:
        assert alarm_path.look_everywhere(session, NOON, WELL) == []
        assert not alarm_path.for_patients(session, NOON, house[0].clinic.id)


@pytest.mark.parametrize(("after", "silent"), [(60, False), (61, True)])
def test_a_worker_is_silent_after_a_minute(
    database: Database, house: tuple[Team, Patient], after: int, silent: bool
) -> None:
    now = NOON + after * SECOND
    assert _found(database, house[0], now) == ([Trouble.WORKER_SILENT] if silent else [])
    with database.reading() as session:
        assert alarm_path.for_patients(session, now, house[0].clinic.id) is silent


def test_one_worker_that_works_is_enough(database: Database, house: tuple[Team, Patient]) -> None:
    with database.transaction() as session:
        session.add(Heartbeat(worker="w2", beat_at=NOON, note="version"))
    assert _found(database, house[0]) == []


def test_a_worker_of_another_version_is_no_worker(
    database: Database, house: tuple[Team, Patient]
) -> None:
    with database.transaction() as session:
        session.execute(update(Heartbeat).values(note="version"))
    assert _found(database, house[0]) == [Trouble.WORKER_VERSION]


def _queued(session: Session, team: Team, patient: Patient, now: datetime) -> Alert:
    alert = an_alert(session, patient, now)
    an_alert_text(session, alert, team.nurse, now)
    return alert


@pytest.mark.parametrize(("after", "late"), [(119, False), (120, True)])
def test_a_text_must_be_accepted_in_two_minutes(
    database: Database, house: tuple[Team, Patient], after: int, late: bool
) -> None:
    team, patient = house
    with database.transaction() as session:
        _queued(session, team, patient, NOON - after * SECOND)
    assert _found(database, team) == ([Trouble.TEXTS_LATE] if late else [])


@pytest.mark.parametrize(("late", "seen"), [(120, False), (121, True)])
def test_a_timer_may_be_two_minutes_late(
    database: Database, house: tuple[Team, Patient], late: int, seen: bool
) -> None:
    team, patient = house
    with database.transaction() as session:
        an_alert(session, patient, NOON).next_action_at = NOON - late * SECOND
    assert _found(database, team) == ([Trouble.TIMERS_LATE] if seen else [])


@pytest.mark.parametrize(("minutes", "seen"), [(44, False), (45, True)])
def test_an_alert_that_nobody_takes_is_known(
    database: Database, house: tuple[Team, Patient], minutes: int, seen: bool
) -> None:
    team, patient = house
    with database.transaction() as session:
        alert = an_alert(session, patient, NOON - minutes * MINUTE)
        alert.next_action_at = NOON + MINUTE
    assert _found(database, team) == ([Trouble.UNTAKEN] if seen else [])


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [(Fault.DOWN, Trouble.GATEWAY_DOWN), (Fault.FILTERED, Trouble.GATEWAY)],
)
def test_the_gateway_s_trouble_is_ours(
    database: Database, house: tuple[Team, Patient], fault: Fault, trouble: Trouble
) -> None:
    with database.transaction() as session:
        session.add(GatewayFault(kind=fault, code="20003", first_at=NOON, last_at=NOON, count=1))
    assert _found(database, house[0]) == [trouble]


def test_a_gap_within_a_day_is_told_and_a_later_one_is_the_rota_s_matter(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team = house[0]
    with database.transaction() as session:
        shifts = update(Shift).where(Shift.staff_id == team.nurse.id)
        session.execute(shifts.values(valid_until=(NOON + 2 * 24 * HOUR).date()))
    assert _found(database, team) == []
    with database.transaction() as session:
        session.execute(shifts.values(valid_until=NOON.date()))
    assert _found(database, team) == [Trouble.ROTA_GAP]


def test_with_no_phone_at_all_an_alert_reaches_nobody(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team = house[0]
    with database.transaction() as session:
        session.execute(update(StaffPhone).values(stopped_at=NOON))
    found = _found(database, team)
    assert found[0] is Trouble.NOBODY
    assert Trouble.PHONE_STOPPED in found
    with database.reading() as session:
        assert alarm_path.for_patients(session, NOON, team.clinic.id)
    with database.transaction() as session:
        session.execute(update(Clinic).values(catch_all="+12125550199"))
    assert Trouble.NOBODY not in _found(database, team)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda session: session.execute(delete(Drill)), Trouble.DRILL_OLD),
        (lambda session: session.execute(update(Drill).values(answered_at=None)),
         Trouble.DRILL_FAILED),
        (lambda session: session.execute(update(Drill).values(answered_at=NOON - 27 * HOUR)),
         Trouble.DRILL_OLD),
        (lambda session: session.execute(update(Clinic).values(cover_confirmed_at=None)),
         Trouble.COVER),
    ],
)  # fmt: skip
def test_what_was_not_proven_is_told(
    database: Database, house: tuple[Team, Patient], change: Callable[[Session], object],
    trouble: Trouble,
) -> None:  # fmt: skip
    with database.transaction() as session:
        change(session)
    assert _found(database, house[0]) == [trouble]


@pytest.mark.parametrize(
    ("this", "trouble"),
    [
        (Machine(least_free=0.099), [Trouble.DISK]),
        (Machine(least_free=0.1), []),
        (Machine(clock_is_off=timedelta(seconds=-31)), [Trouble.CLOCK]),
        (Machine(clock_is_off=timedelta(seconds=30)), []),
    ],
)
def test_the_machine_itself_counts(
    database: Database, house: tuple[Team, Patient], this: Machine, trouble: list[Trouble]
) -> None:
    assert _found(database, house[0], this=this) == trouble


def test_disk_and_clock_are_measured(database: Database, tmp_path: Path) -> None:
    with database.reading() as session:
        found = machine.measure(session)
    assert abs(found.clock_is_off) < timedelta(seconds=5)
    free = machine.least_free([tmp_path, tmp_path / "not there"])
    assert free is not None
    assert 0 < free <= 1


def test_another_clinic_s_texts_and_alerts_are_not_ours(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, _ = house
    with database.transaction() as session:
        other = a_clinic(session, name="Oak Clinic")
        nurse = a_member(session, other, "O. Kim", phone="+12125550177")
        theirs = a_patient(session, other, phone="+12125550178")
        alert = an_alert(session, theirs, NOON - 10 * MINUTE)
        an_alert_text(session, alert, nurse, NOON - 10 * MINUTE)
    assert _found(database, team) == []
    with database.reading() as session:
        everywhere = {each.trouble for each in alarm_path.look_everywhere(session, NOON, WELL)}
    assert Trouble.TEXTS_LATE in everywhere


@pytest.mark.parametrize("trouble", Trouble)
def test_each_trouble_is_said_with_its_cure(trouble: Trouble) -> None:
    place = alarm_words.Place(ZoneInfo("America/New_York"), "US", NOON)
    said = alarm_words.said(Words("en"), Finding(trouble, NOON, 3), place)
    assert said.what.endswith(".")
    assert said.cure.endswith(".")
    assert "%" not in said.what + said.cure


# ---- the auditor


def _faults(database: Database, now: datetime = NOON) -> list[str]:
    with database.reading() as session:
        return [code for code, _ in auditor.audit(session, now).faults]


def test_the_auditor_says_nothing_of_a_well_house(
    database: Database, house: tuple[Team, Patient]
) -> None:
    assert _faults(database) == []


def test_the_auditor_sees_each_way_to_be_silent(
    database: Database, house: tuple[Team, Patient]
) -> None:
    team, patient = house
    with database.transaction() as session:
        alert = _queued(session, team, patient, NOON - 5 * MINUTE)
        alert.next_action_at = NOON - 3 * MINUTE
    # The alert was made without its entry in the audit log, which an invariant finds.
    assert _faults(database) == ["alerts_overdue", "texts_unsent", "invariants"]
    with database.transaction() as session:
        session.execute(update(Shift).values(valid_until=(NOON - 48 * HOUR).date()))
    assert "rota_empty" in _faults(database)


# ---- figures


def test_figures_come_from_rows(database: Database, house: tuple[Team, Patient]) -> None:
    team, patient = house
    with database.transaction() as session:
        _queued(session, team, patient, NOON - 90 * SECOND)
        session.execute(
            update(Message).values(
                state=MessageState.ACCEPTED, gateway_id="SM1", accepted_at=NOON - 88 * SECOND
            )
        )
    with database.reading() as session:
        text = figures.as_text(figures.read(session, NOON, WELL))
    lines = text.splitlines()
    assert 'portal_alerts{state="open"} 1' in lines
    assert "portal_oldest_untaken_seconds 90" in lines
    assert 'portal_texts{lane="alert",state="accepted"} 1' in lines
    assert 'portal_commit_to_accepted_seconds{quantile="0.5"} 2' in lines
    assert "portal_heartbeat_age_seconds 0" in lines
    assert "portal_drill_age_seconds 3600" in lines
    assert 'portal_trouble{code="worker_silent"} 0' in lines
    assert all(line.startswith(("#", "portal_")) for line in lines)
    assert text.endswith("\n")


def test_a_label_cannot_break_the_format() -> None:
    figure = figures.Figure("portal_x", "h", [({"code": 'a"b\n\\'}, 1)])
    assert figures.as_text([figure]).splitlines()[2] == r'portal_x{code="a\"b\n\\"} 1'
