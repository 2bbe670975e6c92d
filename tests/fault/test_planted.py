"""The suite watches itself: each planted bug must be caught by the tests that are there for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault.planted import BUGS, CUT
from tests.support.processes import ROOT

_COPIED = ("patient_portal", "tests", "templates", "translations", "pyproject.toml")


def _copy_with(bug_name: str, folder: Path) -> Path:
    """A copy of the portal with this bug in it."""
    bug, copy = BUGS[bug_name], folder / "copy"
    copy.mkdir()
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    target = copy / bug.file
    text = target.read_text("utf-8")
    assert text.count(bug.old) == 1, f"{bug_name}: {bug.file} has changed, plant it anew"
    target.write_text(text.replace(bug.old, bug.new), "utf-8")
    return copy


@pytest.mark.catalogue("planted")
@pytest.mark.parametrize(
    "name",
    [name if name in CUT else pytest.param(name, marks=pytest.mark.fault) for name in BUGS],
)
def test_a_planted_bug_is_caught(name: str, tmp_path: Path) -> None:
    copy, bug = _copy_with(name, tmp_path), BUGS[name]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=line",
         "-m", "fault or not fault", f"--basetemp={tmp_path / 'below'}",
         f"tests/fault/{bug.tests}", "-k", bug.choice],
        cwd=copy,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "ALLOW_SKIPS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip
    # 1 is "a test failed"; anything else would be a copy that does not run at all.
    assert done.returncode == 1, done.stdout[-2000:]
    assert "error" not in done.stdout.splitlines()[-1], done.stdout[-2000:]
