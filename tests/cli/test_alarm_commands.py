"""``drill``, ``clinic go-live``, ``doctor`` and ``db check`` over a clinic that is being set up."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from patient_portal.clock import DatabaseClock
from patient_portal.database import Database, new_id
from patient_portal.models import Alert, Clinic, Drill, Message, StaffMember
from patient_portal.services import inbound
from tests.support.people import Team, a_site, a_team
from tests.support.processes import Processes, environment_for, running_processes, until


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.dispose()


@pytest.fixture
def team(database: Database) -> Team:
    with database.transaction() as session:
        return a_team(session, live_at=None, catch_all="+12125550199")


@pytest.fixture
def commands(sqlite_url: str, tmp_path: Path) -> Iterator[Processes]:
    with running_processes(environment_for(sqlite_url), tmp_path) as processes:
        yield processes


def _reply(database: Database) -> bool:
    """The nurse answers the TEST text, once it was sent."""
    with database.transaction() as session:
        text = session.scalars(select(Message).where(Message.delivered_at.is_not(None))).first()
        if text is None:
            return False
        alert = session.get_one(Alert, text.alert_id)
        now = DatabaseClock().now(session)
        inbound.receive(session, a_site(), f"SM{new_id()}", text.to_number, alert.ref, now)
        return True


def test_a_clinic_is_proven_step_by_step_and_then_goes_live(
    database: Database, team: Team, commands: Processes
) -> None:
    code, said = commands.run("clinic", "go-live", "Maple Clinic")
    assert code == 1
    assert "ring the clinic's line at night" in said
    assert "patient-portal drill" in said
    commands.start("worker")
    drill = commands.start("drill", "--wait", "60")
    assert until(lambda: _reply(database)), drill.said()
    assert drill.child.wait(30) == 0, drill.said()
    for step in ("delivered after", "answered after", "The alarm works."):
        assert step in drill.said()
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        session.execute(update(Clinic).values(cover_confirmed_at=now - timedelta(days=1)))
    code, said = commands.run("doctor")
    assert "not live: Maple Clinic" in said
    code, said = commands.run("clinic", "go-live", "Maple Clinic")
    assert (code, said) == (0, "Maple Clinic is live.\n")
    code, said = commands.run("doctor")
    assert code == 0, said
    for line in ("rota: no gap", "drill: answered", "cover: confirmed", "disk:", "clock:"):
        assert f"ok    {line}" in said
    code, said = commands.run("db", "check")
    assert code == 0, said
    for number in ("I2", "I4", "I8", "I16", "I18", "I20"):
        assert f" {number} " in said


def test_a_drill_that_nobody_answers_says_so(
    database: Database, team: Team, commands: Processes
) -> None:
    code, said = commands.run("drill", "Maple Clinic", "--wait", "0")
    assert code == 1
    assert "Nobody has answered." in said
    code, said = commands.run("drill", "Maple Clinic", "--wait", "0")
    assert (code, "under way" in said) == (1, True)


def test_doctor_names_what_is_wrong_with_its_cure(
    database: Database, team: Team, commands: Processes
) -> None:
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        session.execute(update(Clinic).values(live_at=now, catch_all=None))
        session.execute(update(StaffMember).values(disabled_at=now))
        session.add(Drill(clinic_id=team.clinic.id, started_at=now, ended_at=now))
    code, said = commands.run("doctor")
    assert code == 1
    for line in ("people: nobody_reachable", "drill: drill_failed", "cover: cover_not_confirmed"):
        assert f"WRONG {line}" in said
    assert said.count(" -> ") >= 4
    code, said = commands.run("db", "check")
    assert code == 1
    assert "live clinics with nobody to text" in said
