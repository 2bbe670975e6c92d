"""``clinic add``, ``staff add`` and ``staff disable``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from patient_portal.cli import main
from patient_portal.database import Database
from patient_portal.models import AuditEntry, Clinic, Shift, StaffMember, StaffPhone
from patient_portal.services import accounts
from patient_portal.services.site import Site
from tests.support.people import NOON, a_site

PASSWORD = "correct horse battery staple"
CLINIC = ["clinic", "add", "--name", "Maple Clinic", "--country", "us",
          "--zone", "America/New_York", "--line", "212 555 0100"]  # fmt: skip
NURSE = ["staff", "add", "--name", "N. Silva", "--role", "nurse", "--email", "Silva@maple.example",
         "--phone", "212 555 0142", "--clinic", "maple clinic", "--on-call", "nurse"]  # fmt: skip


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
    monkeypatch.delenv("STAFF_PASSWORD", raising=False)
    database = Database(sqlite_url)
    yield database
    database.dispose()


def run(arguments: list[str], **environ: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environ)


def may_sign_in(database: Database, password: str, site: Site | None = None) -> bool:
    with database.transaction() as session:
        found = accounts.start_sign_in(
            session, site or a_site(), "silva@maple.example", "192.0.2.1", NOON
        )
    return accounts.proves(found, password)


def test_a_clinic_and_a_nurse_on_call(environment: Database) -> None:
    assert run(CLINIC).exit_code == 0
    added = run(NURSE, STAFF_PASSWORD=PASSWORD)
    assert added.exit_code == 0, added.output
    assert PASSWORD not in added.output
    with environment.reading() as session:
        clinic = session.scalars(select(Clinic)).one()
        silva = session.scalars(select(StaffMember)).one()
        assert (clinic.country, clinic.line) == ("US", "+12125550100")
        assert silva.email == "silva@maple.example"
        assert session.scalars(select(StaffPhone.number)).one() == "+12125550142"
        assert set(session.scalars(select(Shift.staff_id))) == {silva.id}
    assert may_sign_in(environment, PASSWORD)


def test_a_generated_password_is_printed_once_and_works(environment: Database) -> None:
    run(CLINIC)
    shown = run([*NURSE, "--generate"]).output.splitlines()[-1]
    assert may_sign_in(environment, shown.removeprefix("Password (shown once): "))


def test_a_password_may_come_from_a_file(environment: Database, tmp_path: Path) -> None:
    run(CLINIC)
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    assert run(NURSE, STAFF_PASSWORD_FILE=str(file)).exit_code == 0
    assert may_sign_in(environment, PASSWORD)


@pytest.mark.parametrize(
    ("change", "environ", "status"),
    [
        ([], {}, 2),
        ([], {"STAFF_PASSWORD": "short"}, 2),
        ([], {"STAFF_PASSWORD": "x" * 257}, 2),
        ([], {"STAFF_PASSWORD_FILE": "/nowhere"}, 2),
        (["--role", "boss"], {"STAFF_PASSWORD": PASSWORD}, 2),
        (["--email", "silva"], {"STAFF_PASSWORD": PASSWORD}, 2),
        (["--name", "x" * 61], {"STAFF_PASSWORD": PASSWORD}, 2),
        (["--phone", "12"], {"STAFF_PASSWORD": PASSWORD}, 2),
        (["--phone", ""], {"STAFF_PASSWORD": PASSWORD}, 2),
        (["--clinic", "Oak"], {"STAFF_PASSWORD": PASSWORD}, 1),
    ],
)
def test_what_cannot_be_added_is_said(
    environment: Database, change: list[str], environ: dict[str, str], status: int
) -> None:
    run(CLINIC)
    refused = run([*NURSE, *change], **environ)
    assert refused.exit_code == status, refused.output
    assert "Traceback" not in refused.output
    with environment.reading() as session:
        assert session.scalars(select(StaffMember)).all() == []


@pytest.mark.parametrize(
    "change",
    [["--country", "ZZ"], ["--zone", "Mars"], ["--line", "12"], ["--name", " "],
     ["--language", "xx"], ["--staffed-from", "dawn"]],
)  # fmt: skip
def test_a_clinic_that_could_not_work_is_refused(environment: Database, change: list[str]) -> None:
    refused = run([*CLINIC, *change])
    assert refused.exit_code == 2, refused.output
    with environment.reading() as session:
        assert session.scalars(select(Clinic)).all() == []


def test_an_e_mail_is_added_once(environment: Database) -> None:
    run(CLINIC)
    run(NURSE, STAFF_PASSWORD=PASSWORD)
    again = run(NURSE, STAFF_PASSWORD=PASSWORD)
    assert again.exit_code == 1
    assert "signs in already" in again.output


def test_two_clinics_of_one_name_are_told_apart_by_id(environment: Database) -> None:
    run(CLINIC)
    run(CLINIC)
    refused = run(NURSE, STAFF_PASSWORD=PASSWORD)
    assert refused.exit_code == 1
    with environment.reading() as session:
        ids = session.scalars(select(Clinic.id)).all()
    assert all(one in refused.output for one in ids)
    assert run([*NURSE, "--clinic", ids[0]], STAFF_PASSWORD=PASSWORD).exit_code == 0


def test_disabling_closes_the_account_and_warns_of_an_empty_rota(environment: Database) -> None:
    run(CLINIC)
    run(NURSE, STAFF_PASSWORD=PASSWORD)
    gone = run(["staff", "disable", "--email", "silva@maple.example"])
    assert gone.exit_code == 0
    assert "nobody of this clinic can be texted" in gone.output
    assert not may_sign_in(environment, PASSWORD)
    assert run(["staff", "disable", "--email", "nobody@maple.example"]).exit_code == 1


def test_a_clinic_may_use_the_lines_of_the_uk(environment: Database) -> None:
    assert run(CLINIC).exit_code == 0
    assert run([*CLINIC, "--name", "Oak Clinic", "--uk-lines"]).exit_code == 0
    with environment.reading() as session:
        found = {row.name: row.uk_lines for row in session.scalars(select(Clinic))}
    assert found == {"Maple Clinic": False, "Oak Clinic": True}


PHYSICIAN = ["staff", "add", "--name", "R. Osei", "--role", "physician", "--email",
             "osei@maple.example", "--clinic", "maple clinic"]  # fmt: skip
OFF = ["clinic", "set", "Maple Clinic", "--no-uk-lines"]


def uk_lines(database: Database) -> bool:
    with database.reading() as session:
        return session.scalars(select(Clinic.uk_lines).where(Clinic.name == "Maple Clinic")).one()


def test_a_clinic_takes_the_lines_of_the_uk_at_once(environment: Database) -> None:
    run(CLINIC)
    done = run(["clinic", "set", "maple clinic", "--uk-lines"])
    assert (done.exit_code, uk_lines(environment)) == (0, True), done.output
    assert "as before" in run(["clinic", "set", "maple clinic", "--uk-lines"]).output
    with environment.reading() as session:
        rows = session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "clinic.uk_lines")
        ).all()
    assert rows == [{"on": True, "agreed": []}]


@pytest.mark.parametrize(
    "who",
    [
        [],
        ["--clinician", "N. Silva"],
        ["--second-clinician", "R. Osei"],
        ["--clinician", "R. Osei", "--second-clinician", "osei@maple.example"],
        ["--clinician", "R. Osei", "--second-clinician", "N. Silva"],
        ["--clinician", "N. Silva", "--second-clinician", "nobody"],
        ["--clinician", "N. Silva", "--second-clinician", "hill@oak.example"],
    ],
)
def test_a_clinic_leaves_the_lines_of_the_uk_with_two_clinicians_of_its_own(
    environment: Database, who: list[str]
) -> None:
    run([*CLINIC, "--uk-lines"])
    run([*CLINIC, "--name", "Oak Clinic"])
    run([*PHYSICIAN, "--name", "G. Hill", "--email", "hill@oak.example", "--clinic", "oak clinic"],
        STAFF_PASSWORD=PASSWORD)  # fmt: skip
    run(NURSE, STAFF_PASSWORD=PASSWORD)
    run(PHYSICIAN, STAFF_PASSWORD=PASSWORD)
    assert (run([*OFF, *who]).exit_code, uk_lines(environment)) == (1, True)
    both = ["--clinician", "Silva@maple.example", "--second-clinician", "r. osei"]
    done = run([*OFF, *both])
    assert (done.exit_code, uk_lines(environment)) == (0, False), done.output
    with environment.reading() as session:
        row = session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "clinic.uk_lines")
        ).one()
    assert row["on"] is False
    assert len(row["agreed"]) == 2
