"""The console script's table of commands, and the processes it starts."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from patient_portal.cli import COMMANDS, main
from patient_portal.cli.environment import UsedWrongly
from patient_portal.cli.processes import workers_for
from tests.support.processes import Processes, environment_for, running_processes, settings_for
from tests.support.running import free_port, is_alive

HEAVY = ("flask", "sqlalchemy", "twilio", "gunicorn", "structlog", "babel")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_and_explains_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert isinstance(command, click.Command)
    answer = CliRunner().invoke(main, [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith("Usage:")


def test_an_unknown_command_is_used_wrongly() -> None:
    answer = CliRunner().invoke(main, ["fly"])
    assert answer.exit_code == 2
    assert "No such command 'fly'" in answer.output


@pytest.mark.parametrize("arguments", ["'--help'", "'triage', '--help'"])
def test_a_small_command_loads_little(arguments: str) -> None:
    code = (
        "import sys\nfrom patient_portal.cli import main\n"
        f"try:\n    main([{arguments}])\nexcept SystemExit:\n    pass\n"
        f"sys.exit(','.join(m for m in {HEAVY!r} if m in sys.modules) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_several_web_processes_need_postgresql() -> None:
    sqlite = settings_for("sqlite:///x.db")
    postgres = settings_for("postgresql://portal@/portal")
    assert (workers_for(sqlite, None), workers_for(sqlite, 1)) == (1, 1)
    assert (workers_for(postgres, None), workers_for(postgres, 5)) == (2, 5)
    with pytest.raises(UsedWrongly, match="one process write at a time"):
        workers_for(sqlite, 2)


def _commands(url: str, folder: Path) -> Processes:
    return Processes(environment_for(url), folder)


@pytest.mark.parametrize("command", ["web", "worker", "doctor"])
def test_a_missing_value_stops_the_start_with_its_name(tmp_path: Path, command: str) -> None:
    processes = _commands("sqlite:///x.db", tmp_path)
    del processes.environment["PEPPER"]
    code, said = processes.run(command)
    assert code == (1 if command == "doctor" else 2)
    assert "PEPPER is not set" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["web", "worker"])
def test_nothing_starts_on_a_database_that_is_not_migrated(tmp_path: Path, command: str) -> None:
    code, said = _commands(f"sqlite:///{tmp_path}/new.db", tmp_path).run(command)
    assert code == 2
    assert "patient-portal db upgrade" in said


def test_from_an_empty_database_to_a_well_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    with running_processes(environment_for(url), tmp_path) as processes:
        code, said = processes.run("doctor")
        assert code == 1 and "patient-portal db upgrade" in said
        code, said = processes.run("db", "upgrade")
        assert code == 0 and "Done" in said
        code, said = processes.run("db", "upgrade")
        assert code == 0 and "Nothing to do" in said
        code, said = processes.run("doctor")
        assert code == 1 and "worker: has never run" in said
        code, said = processes.run("db", "check")
        assert code == 0 and "red check-ins without an alert" in said
        port = free_port()
        worker = processes.start("worker")
        web = processes.web(port)
        assert is_alive(port)
        code, said = processes.run("doctor")
        assert code == 0, said
        assert worker.stop() == 0
        assert web.stop() == 0
        assert "worker.stopped" in worker.said()
        assert "Traceback" not in web.said() + worker.said()
