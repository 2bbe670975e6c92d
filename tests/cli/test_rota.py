"""``rota show``, ``rota simulate`` and ``staff test-phone``."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from patient_portal.cli import main
from patient_portal.clock import DatabaseClock
from patient_portal.database import Database
from patient_portal.models import DutyCheck, Message, MessageKind, StaffMember, StaffPhone
from tests.support.people import a_clinic, a_team
from tests.support.rotas import CATCH_ALL


@pytest.fixture
def environment(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    for name, value in {
        "DATABASE_URL": sqlite_url,
        "SECRET_KEY": "a secret key for tests, 32 characters",
        "PEPPER": "a pepper for tests, 32 characters",
        "BASE_URL": "http://127.0.0.1:8000",
        "SMS_GATEWAY": "simulator",
    }.items():
        monkeypatch.setenv(name, value)
    database = Database(sqlite_url)
    with database.transaction() as session:
        a_team(session, catch_all=CATCH_ALL)
    yield database
    database.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_whole_rota_is_shown_and_the_exit_says_so(environment: Database) -> None:
    shown = run("rota", "show")
    assert shown.exit_code == 0, shown.output
    assert "times of America/New_York" in shown.output
    assert shown.output.count("N. Silva") == 1
    assert "0 findings in the next 14 days" in shown.output


def test_what_must_be_mended_makes_the_exit_1(environment: Database) -> None:
    with environment.transaction() as session:
        phone = session.scalars(select(StaffPhone).where(StaffPhone.number == "+12125550142")).one()
        phone.verified_at = None
    shown = run("rota", "show", "--clinic", "maple clinic")
    assert shown.exit_code == 1
    assert "unverified, nurse, N. Silva" in shown.output


def test_the_simulation_prints_its_assumptions_first(environment: Database) -> None:
    told = run("rota", "simulate", "--alerts", "3", "--night", "15:10", "--day-from", "8")
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[0].startswith("Assumed, not measured")
    assert "by night: 10% within 15 min" in told.output
    assert "day is from 8:00 to 22:00" in told.output
    assert "Worst hour: " in told.output and "Best fix: " in told.output
    assert (
        run("rota", "simulate", "--alerts", "3", "--no-fixes").output
        == run("rota", "simulate", "--alerts", "3", "--no-fixes").output
    )  # the same seed


@pytest.mark.parametrize(
    "wrong",
    [
        ["--day", "soon"], ["--day", "5:60,5:70"], ["--day", "5:60,10:50"], ["--day", "60:90"],
        ["--night", "5:101"], ["--arrives", "101"], ["--day-from", "24"], ["--alerts", "0"],
    ],
)  # fmt: skip
def test_assumptions_that_cannot_be_are_refused(environment: Database, wrong: list[str]) -> None:
    refused = run("rota", "simulate", *wrong)
    assert refused.exit_code == 2, refused.output
    assert "Traceback" not in refused.output


def test_one_clinic_need_not_be_named_and_two_must(environment: Database) -> None:
    with environment.transaction() as session:
        a_clinic(session, name="Oak Clinic")
    for command in ("show", "simulate"):
        refused = run("rota", command)
        assert refused.exit_code == 1
        assert "There are 2 clinics" in refused.output
    assert run("rota", "show", "--clinic", "Elm").exit_code == 1


def test_a_test_text_is_sent_from_the_command_line(environment: Database) -> None:
    with environment.transaction() as session:
        nurse = session.scalars(select(StaffMember).where(StaffMember.name == "N. Silva")).one()
        nurse.email = "silva@maple.example"
    sent = run("staff", "test-phone", "--email", "Silva@maple.example")
    assert sent.exit_code == 0, sent.output
    with environment.reading() as session:
        check = session.scalars(select(DutyCheck)).one()
        text = session.scalars(select(Message)).one()
        assert text.kind is MessageKind.STAFF_CHECK and check.ref in text.body
        assert check.created_at <= DatabaseClock().now(session)
    assert run("staff", "test-phone", "--email", "nobody@maple.example").exit_code == 1
