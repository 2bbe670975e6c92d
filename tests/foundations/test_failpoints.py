"""Failpoints do nothing unless they are asked for, and kill exactly where they are told to."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from patient_portal import failpoints

PROGRAM = (
    "from patient_portal.failpoints import passing\n"
    "for turn in range(3):\n"
    "    passing('claim.after_commit'); print(turn, flush=True)\n"
)


def _run(plan: str | None) -> subprocess.CompletedProcess[str]:
    environ = {"PORTAL_FAILPOINTS": plan} if plan else {}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=False
    )


def test_without_a_plan_nothing_happens() -> None:
    assert _run(None).stdout.split() == ["0", "1", "2"]


def test_the_second_passing_kills() -> None:
    killed = _run("claim.after_commit:kill@2")
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.split() == ["0"]


@pytest.mark.parametrize(
    "plan", ["nowhere:kill", "claim.after_commit:explode", "claim.after_commit"]
)
def test_a_plan_that_names_nothing_known_is_refused(plan: str) -> None:
    with pytest.raises(ValueError, match="PORTAL_FAILPOINTS"):
        failpoints._plan(plan)


def test_a_plan_in_a_file_is_carried_out_once(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    assert _run(f"@{plan}").stdout.split() == ["0", "1", "2"]
    plan.write_text("claim.after_commit:kill@2")
    killed = _run(f"@{plan}")
    assert (killed.returncode, killed.stdout.split()) == (-signal.SIGKILL, ["0"])
    assert not plan.exists()
    assert _run(f"@{plan}").stdout.split() == ["0", "1", "2"]
