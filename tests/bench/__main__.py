"""``python -m tests.bench``: the portal by turns with a plain app, then the alert path alone.

CPU for each request is the kernel's count for the server's processes and is what to trust; wall
clock, the slowest answers and the alert path depend on what else the machine does. The load is
printed for that reason.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import alert_path, baseline, portal
from tests.bench.cases import Case, cases, tokens_for
from tests.bench.load import volley
from tests.bench.server import Server, running

CLIENTS = 4
WARMUP = 40
INBOX_ROWS = 50


@dataclass(frozen=True)
class Sample:
    """One volley: CPU milliseconds a request, requests a second, milliseconds at p99."""

    cpu: float
    rate: float
    p99: float


@dataclass(frozen=True)
class Row:
    """One line of the table: values of the plain app and of the portal, pair by pair."""

    name: str
    unit: str
    pairs: Sequence[tuple[float, float]]
    goal: float | None
    at_least: bool = False

    @property
    def ratios(self) -> list[float]:
        """Portal to plain app, pair by pair."""
        return [ours / theirs for theirs, ours in self.pairs]

    def __str__(self) -> str:
        theirs = median(pair[0] for pair in self.pairs)
        ours = median(pair[1] for pair in self.pairs)
        ratio = median(self.ratios)
        spread = f"{ratio:.2f} ({min(self.ratios):.2f}-{max(self.ratios):.2f})"
        if self.goal is None:
            verdict = ""
        else:
            is_met = ratio >= self.goal if self.at_least else ratio <= self.goal
            sign = ">=" if self.at_least else "<="
            verdict = f"{sign} {self.goal:<4} {'met' if is_met else 'NOT MET'}"
        return f"{self.name:<48}{theirs:>9.2f}{ours:>9.2f} {self.unit:<5}{spread:<20}{verdict}"


def _sample(server: Server, case: Case, *, is_portal: bool) -> Sample:
    calls = (case.portal if is_portal else case.plain)(case.requests)
    before = server.cpu_seconds()
    outcome = volley(server.base_url, calls, CLIENTS)
    cpu = server.cpu_seconds() - before
    if outcome.failed:
        who = "portal" if is_portal else "plain app"
        raise RuntimeError(f"{case.name}: {len(outcome.failed)} failed at the {who}: "
                           f"{outcome.failed[0]}")  # fmt: skip
    return Sample(cpu / len(calls) * 1000, outcome.per_second, outcome.percentile(0.99) * 1000)


def _compare(case: Case, plain: Server, ours: Server, pairs: int) -> list[Row]:
    volley(plain.base_url, case.plain(WARMUP), CLIENTS)
    volley(ours.base_url, case.portal(WARMUP), CLIENTS)
    found: list[tuple[Sample, Sample]] = []
    for turn in range(pairs):  # each goes first every other time
        if turn % 2:
            mine = _sample(ours, case, is_portal=True)
            found.append((_sample(plain, case, is_portal=False), mine))
        else:
            theirs = _sample(plain, case, is_portal=False)
            found.append((theirs, _sample(ours, case, is_portal=True)))
    rows = [Row(f"{case.name}: CPU", "ms", [(a.cpu, b.cpu) for a, b in found], case.cpu_goal)]
    if case.p99_goal is not None:
        rows += [
            Row("  requests a second, 4 clients", "/s", [(a.rate, b.rate) for a, b in found], 1.3,
                at_least=True),
            Row("  slowest in a hundred, 4 clients", "ms", [(a.p99, b.p99) for a, b in found],
                case.p99_goal),
        ]  # fmt: skip
    return rows


def _import_seconds(module: str) -> float:
    program = "import sys, time; sys.modules['rich'] = None; t = time.perf_counter(); "
    program += f"import {module}; print(time.perf_counter() - t)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(run.stdout)


def _imports(pairs: int) -> Row:
    modules = ("tests.bench.baseline", "patient_portal.app")
    for module in modules:
        _import_seconds(module)
    found = []
    for _ in range(pairs):
        theirs, ours = (_import_seconds(module) * 1000 for module in modules)
        found.append((theirs, ours))
    return Row("import of the app", "ms", found, 1.5)


def _run(pairs: int, folder: Path) -> list[Row]:
    tokens = tokens_for(pairs, WARMUP)
    plain_file, portal_file = folder / "plain.sqlite", folder / "portal.sqlite"
    baseline.fill(str(plain_file), ["bench"], INBOX_ROWS)
    portal.fill(str(portal_file), tokens, INBOX_ROWS)
    with ExitStack() as stack:
        plain, ours = (
            stack.enter_context(
                running(f"tests.bench.{name}:build()", {"BENCH_DATABASE": str(file)}, folder)
            )
            for name, file in (("baseline", plain_file), ("portal", portal_file))
        )
        rows: list[Row] = []
        for case in cases(plain.base_url, ours.base_url, tokens):
            print(f"{case.name} …", file=sys.stderr, flush=True)
            rows += _compare(case, plain, ours, pairs)
        rows.append(
            Row("memory a process, after all of this", "MiB", [(plain.memory(), ours.memory())],
                1.3)
        )  # fmt: skip
    rows.append(_imports(pairs))
    return rows


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def _pages(pairs: int, folder: Path) -> None:
    print(f"Plain app against portal, {pairs} pairs by turns, SQLite, 1 process x 4 threads.")
    rows = _run(pairs, folder)
    print(f"{'':<48}{'plain':>9}{'portal':>9} {'':<5}{'ratio (min-max)':<20}goal")
    for row in rows:
        print(row)


def _alert_path(folder: Path) -> None:
    print(f"Alert path ({_load()})")
    for line in alert_path.measure(folder):
        print(line, flush=True)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=9, help="turns of each case (at least 7)")
    parser.add_argument("--only", choices=("pages", "alerts"), help="one of the two parts")
    asked = parser.parse_args()
    start = time.monotonic()
    print(f"Begun with {_load()}.")
    with tempfile.TemporaryDirectory() as folder:
        if asked.only != "alerts":
            _pages(max(7, asked.pairs), Path(folder))
        if asked.only != "pages":
            _alert_path(Path(folder))
    print(f"Took {time.monotonic() - start:.0f} s; ended with {_load()}.")


if __name__ == "__main__":
    main()
