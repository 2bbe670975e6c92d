"""``audit verify``, ``db check``, ``db upgrade`` and ``doctor`` about the audit log."""

import re

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from patient_portal.cli import main
from patient_portal.cli.audit import progress
from patient_portal.database import Database, build_engine
from patient_portal.services.audit import SYSTEM, Actor, record
from tests.support.people import NOON
from tests.support.postgres import APP, OWNER, Cluster
from tests.support.processes import environment_for


@pytest.fixture
def filled(database: Database, engine_url: str) -> str:
    with database.transaction() as session:
        for number in range(6):
            actor = SYSTEM if number % 2 else Actor("staff", "n", "maple")
            record(session, actor, "test.done", "thing", None, now=NOON)
    return engine_url


def run(url: str, *arguments: str, **more: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={**environment_for(url), **more})


def tamper(url: str) -> None:
    """As the owner, with the database's guards out of the way."""
    engine = build_engine(url.replace(f"{APP}@", f"{OWNER}@"), pool_size=1)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_entry_stays"))
        else:
            connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE audit_entry SET actor_id = 'm' WHERE chain = 'maple' AND seq = 2")
        )
    engine.dispose()


def test_a_whole_log_is_said_to_be_whole_with_its_ends(filled: str) -> None:
    said = run(filled, "audit", "verify")
    assert said.exit_code == 0, said.output
    ends = re.findall(r"^ok    3 rows  ((?:-|maple):3:[0-9a-f]{64})$", said.output, re.MULTILINE)
    assert len(ends) == 2
    again = run(filled, "audit", "verify", "--kept", ends[0], "--kept", ends[1])
    assert again.exit_code == 0, again.output
    only = run(filled, "audit", "verify", "--clinic", "maple")
    assert only.exit_code == 0 and only.output.count("rows") == 1


def test_the_first_bad_row_is_named(filled: str) -> None:
    tamper(filled)
    said = run(filled, "audit", "verify")
    assert said.exit_code == 1
    assert "WRONG maple: row 2: it was changed (1 good before)" in said.output
    assert "ok    3 rows  -:3:" in said.output
    checked = run(filled, "db", "check")
    assert checked.exit_code == 1
    assert re.search(r"WRONG +1 +audit chains that are not whole", checked.output)
    doctor = run(filled, "doctor")
    assert "WRONG audit log: the database does not refuse to change it" in doctor.output


def test_a_note_that_does_not_fit_is_found(filled: str) -> None:
    for note in (f"maple:3:{'0' * 64}", f"maple:9:{'0' * 64}", f"birch:1:{'0' * 64}"):
        said = run(filled, "audit", "verify", "--kept", note)
        assert said.exit_code == 1, said.output
        assert f"WRONG {note[:5]}" in said.output


@pytest.mark.parametrize(
    "arguments", [["--clinic", "nobody"], ["--kept", "x"], ["--kept", "maple:-1:0"]]
)
def test_a_wrong_use_is_said(filled: str, arguments: list[str]) -> None:
    assert run(filled, "audit", "verify", *arguments).exit_code == 2


def test_doctor_is_content_with_guards(filled: str) -> None:
    assert re.search(r"^ok    audit log: guarded", run(filled, "doctor").output, re.MULTILINE)


def test_one_role_for_everything_is_said_and_a_second_one_mends_it(cluster: Cluster) -> None:
    name = cluster.create("one_role")
    owner, app = cluster.url(name, OWNER), cluster.url(name, APP)
    assert run(owner, "db", "upgrade").exit_code == 0
    assert "the portal's own role owns it" in run(owner, "doctor").output
    done = run(app, "db", "upgrade", DATABASE_OWNER_URL=owner)
    assert done.exit_code == 0, done.output
    assert f"The role {APP} may" in done.output
    assert "ok    audit log: guarded" in run(app, "doctor").output
    with cluster.connect(name) as connection:
        connection.execute(f"GRANT UPDATE ON audit_entry TO {APP}")
    assert "has the right to change it" in run(app, "doctor").output
    run(app, "db", "upgrade", DATABASE_OWNER_URL=owner)
    assert "ok    audit log: guarded" in run(app, "doctor").output
    cluster.drop(name)


def test_a_long_check_says_each_second_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    passed = 0.0
    on_row = progress(10_000, lambda: passed)
    for _ in range(1000):  # a millisecond a row
        passed += 0.004
        on_row()
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == ("", [
        "600 of 10000 rows …", "1000 of 10000 rows …",
    ])  # fmt: skip
