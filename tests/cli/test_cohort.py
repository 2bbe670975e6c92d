"""The command: assumptions first, the same by seed, pictures on disk, no claims."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from patient_portal.cli import main


def cohort(*options: str) -> Result:
    return CliRunner().invoke(main, ["cohort", *options])


SMALL = ("--patients", "24", "--weeks", "3")


def test_assumptions_come_first_then_the_quiet_half(tmp_path: Path) -> None:
    result = cohort(*SMALL, "--svg", str(tmp_path / "pictures"))
    assert result.exit_code == 0, result.output
    told = result.stdout
    assert told.startswith("Assumptions")
    assert told.index("opinion") < told.index("Quiet half") < told.index("Half with the syndrome")
    assert "Awaiting clinical sign-off" in told
    assert "is no claim" in told
    assert len(list((tmp_path / "pictures").glob("*.svg"))) == 3
    assert "wrote" in result.stderr


def test_a_seed_gives_the_same_figures_as_json() -> None:
    first, again, other = (cohort(*SMALL, "--json", "--seed", seed).stdout for seed in "778")
    assert first == again != other
    found = json.loads(first)
    assert found["seed"] == 7 and found["people"] == 24 and found["person_days"] == 12 * 21
    assert found["assumptions"]["weight_sd_kg"] == 0.5
    assert {one["way"] for one in found["quiet"]} >= {"daily check-in, this protocol"}


def test_an_assumption_can_be_changed() -> None:
    calm = ("complaints", "slip", "not_sure", "weight_sd_kg", "scale_error_share")
    options = [word for name in calm for word in ("--assume", f"{name}=0")]
    found = json.loads(cohort(*SMALL, "--json", *options).stdout)
    assert found["assumptions"]["complaints"] == 0
    assert found["quiet"][0]["emergency"] == 0


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    assert cohort("--assume", "luck=1").exit_code == 2
    assert cohort("--assume", "slip").exit_code == 2
    assert cohort("--patients", "1").exit_code == 2
    assert cohort("--weeks", "0").exit_code == 2
    bad = tmp_path / "bad.toml"
    bad.write_text("[protocol]\n", encoding="utf-8")
    refused = cohort("--protocol", str(bad))
    assert refused.exit_code == 1
    assert "bad.toml" in refused.stderr
