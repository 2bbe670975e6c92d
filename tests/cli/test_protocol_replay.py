"""`patient-portal protocol replay`, `show --markdown` and the page made of it."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from patient_portal.cli.protocol import protocol
from patient_portal.database import Database
from patient_portal.models import Patient
from patient_portal.protocols import current
from patient_portal.protocols.library import CURRENT
from patient_portal.services import checkins
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from tests.support.people import NOON, a_house, a_site

ROOT = Path(__file__).resolve().parent.parent.parent
OTHER_LINE = ("{ c = 38.0, f = 100.4 }", "{ c = 38.5, f = 101.3 }")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A protocol whose fever begins at 38.5."""
    path = tmp_path / "other.toml"
    source = CURRENT.read_text("utf-8").replace(*OTHER_LINE).replace('id = "ds-1.0"', 'id = "new"')
    path.write_text(source, "utf-8")
    return path


def told(database: Database, patient: Patient, days_ago: int, **given: object) -> None:
    with database.transaction() as session:
        form = Form(patient, f"k{days_ago}", Actor("patient", patient.id))
        step = Step("temperature", given, tuple(given))
        checkins.record_answers(session, a_site(), form, step, NOON - timedelta(days=days_ago))


def replayed(*arguments: str) -> Result:
    return CliRunner().invoke(protocol, ["replay", *arguments])


def test_replay_tells_what_would_be_lost(database: Database, other: Path) -> None:
    _, patient = a_house(database)
    told(database, patient, 3, temperature="38.2", temperature_unit="c")
    told(database, patient, 2, temperature="37.0", temperature_unit="c")
    told(database, patient, 1, temperature="38.6", temperature_unit="c")
    told(database, patient, 0, temperature="36.6", temperature_unit="c")
    url = database.engine.url.render_as_string(hide_password=False)
    result = replayed(str(other), "--database", url)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "ds-1.0 (in force) against new"
    assert lines[1] == "4 check-ins on 4 patient-days"
    assert "lost                         1  25.00" in lines
    assert "gained                       0  0.00" in lines
    assert "lost by: F1 1" in lines
    found = json.loads(replayed(str(other), "--database", url, "--json").stdout)
    assert found["lost"] == 1
    assert found["per_100_patient_days"]["alerts_before"] == 50.0
    assert found["drifted"] == 0
    assert found["examples"][0]["rules"] == ["F1"]
    same = json.loads(replayed(str(CURRENT), "--database", url, "--json").stdout)
    assert (same["gained"], same["lost"], same["examples"]) == (0, 0, [])


def test_replay_of_nothing(database: Database, other: Path) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    result = replayed(str(other), "--database", url)
    assert result.exit_code == 0
    assert "0 check-ins on 0 patient-days" in result.stdout


def test_replay_refuses_a_bad_protocol_before_it_looks(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[protocol]\n", "utf-8")
    result = replayed(str(path), "--database", "sqlite:////nowhere/at/all.db")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{path}:1: ")


@pytest.mark.parametrize(("url", "status"), [("nonsense", 2), ("sqlite:////nowhere/at/all.db", 1)])
def test_replay_says_what_is_wrong_with_the_database(url: str, status: int, other: Path) -> None:
    result = replayed(str(other), "--database", url)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) <= 4


def test_replay_needs_a_database(other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    result = replayed(str(other))
    assert result.exit_code == 2
    assert "--database" in result.stderr


def test_show_as_markdown_names_every_rule() -> None:
    result = CliRunner().invoke(protocol, ["show", "--markdown"])
    assert result.exit_code == 0
    firsts = {line.split("|")[1].strip() for line in result.stdout.splitlines() if "|" in line}
    assert {rule.id for rule in current().rules} <= firsts
    assert "Awaiting clinical sign-off" in result.stdout


def test_the_page_has_the_rules_as_they_are(tmp_path: Path) -> None:
    page = ROOT / "docs" / "protocol" / "README.md"
    made = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from scripts.protocol_page import PAGE, fresh;"
            "sys.stdout.write(fresh(PAGE.read_text('utf-8')))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert page.read_text("utf-8") == made.stdout


def test_the_page_names_every_point_and_a_place_to_sign() -> None:
    page = (ROOT / "docs" / "protocol" / "README.md").read_text("utf-8")
    assert page.count("Awaiting clinical sign-off") >= 2
    assert "## Sign-off" in page
    assert "## Points for a clinician's ruling" in page
