"""People of published reports would have been told to call: through the console script."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parent.parent / "cases"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / name).read_text("utf-8").splitlines()]


def test_published_cases_come_to_what_their_reports_call_for() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "patient_portal.cli", "triage", str(CASES / "published.jsonl")],
        capture_output=True,
        text=True,
        check=True,
    )
    judged = [json.loads(line) for line in run.stdout.splitlines()]
    expected = lines("published.expected.jsonl")
    assert [one["id"] for one in judged] == [one["id"] for one in expected]
    for one, wanted in zip(judged, expected, strict=True):
        assert one["level"] == wanted["level"], one
        assert set(wanted["rules"]) <= {reason["rule"] for reason in one["reasons"]}, one
        assert wanted["source"]
    print(f"{len(judged)} published cases")


def test_every_case_is_named_once_and_has_a_source() -> None:
    ids = [one["id"] for one in lines("published.jsonl")]
    assert len(ids) == len(set(ids)) >= 32
    assert ids == [one["id"] for one in lines("published.expected.jsonl")]
