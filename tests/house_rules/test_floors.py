"""Imports only go down: the contracts of pyproject.toml hold, and they can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = shutil.ignore_patterns("__pycache__", "*.mo", "static")


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )


def _copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "patient_portal", folder / "patient_portal", ignore=COPY)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder / "patient_portal"


def test_imports_only_go_down() -> None:
    checked = _lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_contracts_catch_an_import_that_goes_up(tmp_path: Path) -> None:
    package = _copied(tmp_path)
    (package / "domain" / "planted.py").write_text("from patient_portal import services, clock\n")
    (package / "services" / "planted.py").write_text("import flask, twilio.rest\n")
    (package / "attic").mkdir()
    (package / "attic" / "__init__.py").write_text("")
    checked = _lint_imports(tmp_path)
    assert checked.returncode == 1
    said = checked.stdout
    assert "patient_portal.domain.planted -> patient_portal.services" in said
    assert "patient_portal.domain.planted -> patient_portal.clock" in said
    assert "patient_portal.services.planted -> flask" in said
    assert "patient_portal.services.planted -> twilio" in said
    assert "patient_portal.attic" in said
