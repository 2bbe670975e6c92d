"""The book of a run: what was broken on purpose, how often, and what was wrong afterwards."""

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fault.catalogue import FAULTS, IN_PART, NOT_HERE


@dataclass
class Entry:
    """What the tests of one fault on one engine came to."""

    tests: int = 0
    failed: int = 0
    tries: int = 0
    found: int = 0
    seconds: float = 0.0
    refused: str = ""  # why it could not be tried on this machine


@dataclass
class Book:
    """All entries of a run, by fault and engine."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def enter(self, report: pytest.TestReport) -> None:
        """Take a phase of a test into account."""
        told: dict[str, Any] = dict(report.user_properties)
        for fault in told.get("faults", ()):
            entry = self.entries.setdefault((fault, told["engine"]), Entry())
            entry.seconds += report.duration
            if report.skipped:
                entry.refused = _reason_of(report)
            if report.when == "call":
                entry.tests += 1
            entry.failed += report.failed
            if report.when == "teardown":
                tries, found = told.get("counted", (1, 0))
                entry.tries += tries or 1
                entry.found += found

    def write(self, target: Path) -> None:
        """Print the table."""
        target.write_text("\n".join(self._lines()) + "\n", "utf-8")

    def _lines(self) -> list[str]:
        total = sum(each.tries for each in self.entries.values())
        wrong = sum(each.found + each.failed for each in self.entries.values())
        seconds = sum(each.seconds for each in self.entries.values())
        head = [
            "# What was broken on purpose, and what came of it",
            "",
            "Printed by `make fault`; do not edit. A try is one fault that was really made. A "
            "violation is anything that the history checker found wrong between what clients "
            "were told, the rows, the gateway's own ledger, the audit log and the logs, or a "
            "test that failed. The seconds hold starting and stopping the processes.",
            "",
            f"Run on {datetime.now(UTC):%Y-%m-%d}: Python {platform.python_version()}, "
            f"{platform.system()} {platform.machine()}. {total} tries, {wrong} violations, "
            f"{seconds:.0f} seconds.",
            "",
            "| | Fault | Engine | Tries | Violations | Seconds |",
            "|---|---|---|---:|---:|---:|",
        ]
        return [*head, *self._rows(), "", *self._missing()]

    def _rows(self) -> list[str]:
        rows = []
        for fault, words in FAULTS.items():
            for (name, engine), entry in sorted(self.entries.items()):
                if name != fault:
                    continue
                if entry.refused:
                    rows.append(f"| {fault} | {words} | {engine} | {entry.refused} | | |")
                    continue
                rows.append(
                    f"| {fault} | {words} | {engine} | {entry.tries} | "
                    f"{entry.found + entry.failed} | {entry.seconds:.1f} |"
                )
        return rows

    def _missing(self) -> list[str]:
        seen = {fault for fault, _ in self.entries}
        lines = ["Shown in part:", ""]
        lines += [f"- {fault}: {what}." for fault, what in IN_PART.items()]
        lines += ["", "Not tried by this suite:", ""]
        lines += [f"- {fault}: {why}." for fault, why in NOT_HERE.items()]
        lines += [
            f"- {fault}: not run this time." for fault in FAULTS
            if fault not in seen and fault not in NOT_HERE
        ]  # fmt: skip
        return lines


def _reason_of(report: pytest.TestReport) -> str:
    told = report.longrepr
    return str(told[2]).removeprefix("Skipped: ") if isinstance(told, tuple) else "skipped"


BOOK = Book()
