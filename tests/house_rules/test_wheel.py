"""The portal runs from a built wheel, away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _python(*arguments: str, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **extra, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout and unpacked elsewhere."""
    folder = tmp_path_factory.mktemp("wheel")
    built = _python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _in_wheel(site: Path, code: str, **extra: str) -> str:
    ran = _python("-P", "-c", code, cwd=site.parent, PYTHONPATH=str(site), **extra)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_templates_translations_and_migrations_travel(unpacked: Path) -> None:
    package = unpacked / "patient_portal"
    for inside in ("templates", "translations"):
        sent = {
            path.relative_to(ROOT / inside)
            for path in (ROOT / inside).rglob("*")
            if path.suffix in {".html", ".po", ".toml", ".txt", ".xml"}
        }
        assert sent
        assert sent <= {p.relative_to(package / inside) for p in (package / inside).rglob("*")}
    assert (package / "translations/es/LC_MESSAGES/safety.mo").is_file()
    assert (package / "migrations/env.py").is_file()
    assert list((package / "migrations/versions").glob("*.py"))
    assert (package / "web/static/portal.css").is_file()
    assert list((package / "protocols").glob("*.toml"))
    assert list((package / "education/pages").glob("*.md"))
    assert not [p for p in unpacked.rglob("*") if "tests" in p.relative_to(unpacked).parts]


def test_the_wheel_finds_its_own_words_and_templates(unpacked: Path) -> None:
    said = _in_wheel(
        unpacked,
        "from patient_portal.app import create_app; from patient_portal.paths import shipped; "
        "print(create_app.__module__, shipped('templates'), shipped('translations'))",
    )
    _, templates, translations = said.split()
    assert Path(templates) == unpacked / "patient_portal/templates"
    assert Path(translations) == unpacked / "patient_portal/translations"


def test_the_console_script_answers(unpacked: Path) -> None:
    (entry_points,) = unpacked.glob("*.dist-info/entry_points.txt")
    assert "patient-portal = patient_portal.cli:main" in entry_points.read_text()
    said = _in_wheel(
        unpacked,
        "import sys; from patient_portal.cli import main; sys.argv = ['patient-portal', '--help']; "
        "sys.exit(main())",
    )
    assert "Usage: patient-portal" in said
    assert "triage" in said


def test_every_command_loads_and_explains_itself(unpacked: Path) -> None:
    said = _in_wheel(
        unpacked,
        "from click.testing import CliRunner; from patient_portal.cli import COMMANDS, main; "
        "runs = {name: CliRunner().invoke(main, [name, '--help']) for name in COMMANDS}; "
        "print(*(name for name, run in runs.items() if run.exit_code or not run.output))",
    )
    assert said.split() == []


def test_the_version_is_known_without_an_installation(unpacked: Path) -> None:
    ran = _python("-m", "patient_portal.cli", "--version", cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    version = ran.stdout.split()[-1]
    assert f"\nVersion: {version}\n" in metadata.read_text()


def test_the_wheel_migrates_a_new_database(unpacked: Path) -> None:
    url = f"sqlite:///{unpacked.parent / 'new.db'}"
    said = _in_wheel(
        unpacked,
        f"from patient_portal.database import Database, upgrade; upgrade({url!r}); "
        f"from sqlalchemy import inspect; engine = Database({url!r}).engine; "
        "print(*inspect(engine).get_table_names())",
    )
    assert "alembic_version" in said
