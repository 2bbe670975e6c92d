"""Print ``docs/safety/hazard-log.md`` from ``docs/safety/hazards.toml``.

Run: python scripts/hazard_log.py
"""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "safety" / "hazards.toml"
PAGE = ROOT / "docs" / "safety" / "hazard-log.md"
LIKELIHOODS = ("very_low", "low", "medium", "high", "very_high")
FIELDS = {
    "id", "hazard", "cause", "effect", "severity", "likelihood", "residual_likelihood",
}  # fmt: skip
LISTS = {"control": {"what", "tests"}, "gap": {"what", "why"}, "clinic": {"what"}}


def read(path: Path = SOURCE) -> dict[str, Any]:
    """The file as it stands, not judged."""
    return tomllib.loads(path.read_text("utf-8"))


def faults(log: dict[str, Any], root: Path = ROOT) -> list[str]:
    """What is wrong with the log, a line each; nothing if it holds."""
    found: list[str] = []
    ids = [hazard.get("id") for hazard in log["hazard"]]
    found += [f"{one}: twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    for hazard in log["hazard"]:
        found += [f"{hazard.get('id')}: {fault}" for fault in _faults_of(hazard, log, root)]
    return found


def _faults_of(hazard: dict[str, Any], log: dict[str, Any], root: Path) -> list[str]:
    found = [f"{name} is missing" for name in sorted(FIELDS - hazard.keys())]
    found += [f"{name} is not known" for name in sorted(hazard.keys() - FIELDS - LISTS.keys())]
    if hazard.get("severity") not in log["matrix"]:
        found.append(f"severity is one of {', '.join(log['matrix'])}")
    for name in ("likelihood", "residual_likelihood"):
        if hazard.get(name) not in LIKELIHOODS:
            found.append(f"{name} is one of {', '.join(LIKELIHOODS)}")
    if not hazard.get("control") and not hazard.get("gap"):
        found.append("has neither a control nor an open gap")
    for name, keys in LISTS.items():
        for entry in hazard.get(name, []):
            if entry.keys() != keys or not all(entry.values()):
                found.append(f"{name}: needs {' and '.join(sorted(keys))}")
    for control in hazard.get("control", []):
        found += [f"no test {one}" for one in control.get("tests", []) if not is_test(one, root)]
    return found


def is_test(node: str, root: Path = ROOT) -> bool:
    """Whether ``path::function`` is a test of this tree; one case of it (``[...]``) counts."""
    path, separator, function = node.partition("::")
    function = function.partition("[")[0]
    file = root / path
    if not separator or not function.startswith("test_") or not file.is_file():
        return False
    if not file.name.startswith("test_") or file.suffix != ".py":
        return False  # pytest would not collect it
    return function in _functions(file)


@cache
def _functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef))


def risk(log: dict[str, Any], severity: str, likelihood: str) -> int:
    """1 to 5, from the matrix."""
    return int(log["matrix"][severity][LIKELIHOODS.index(likelihood)])


def page(log: dict[str, Any]) -> str:
    """The whole page, as Markdown."""
    hazards = log["hazard"]
    controls = sum(len(one.get("control", [])) for one in hazards)
    gaps = sum(len(one.get("gap", [])) for one in hazards)
    lines = [
        "# Hazard log",
        "",
        "Printed from `hazards.toml` by `scripts/hazard_log.py`; a test keeps it fresh.",
        f"**{log['status']}** Severities, likelihoods and residual risks are",
        "proposals.",
        "",
        f"{len(hazards)} hazards, {controls} controls that tests prove, {gaps} open gaps.",
        "",
        "| id | hazard | severity | risk before | risk now (proposal) | controls | open gaps |",
        "|---|---|---|---|---|---|---|",
        *(_row(log, one) for one in hazards),
        "",
        "Risk by severity, for likelihood " + ", ".join(_words(one) for one in LIKELIHOODS) + ":",
        "",
        *(f"- {name}: {', '.join(map(str, risks))}" for name, risks in log["matrix"].items()),
        "",
    ]
    for hazard in hazards:
        lines += _section(log, hazard)
    return "\n".join(lines)


def _row(log: dict[str, Any], one: dict[str, Any]) -> str:
    before = risk(log, one["severity"], one["likelihood"])
    now = risk(log, one["severity"], one["residual_likelihood"])
    counts = f"{len(one.get('control', []))} | {len(one.get('gap', []))}"
    link = f"[{one['id']}](#{one['id'].lower()})"
    return f"| {link} | {one['hazard']} | {one['severity']} | {before} | {now} | {counts} |"


def _section(log: dict[str, Any], one: dict[str, Any]) -> list[str]:
    before = risk(log, one["severity"], one["likelihood"])
    now = risk(log, one["severity"], one["residual_likelihood"])
    lines = [
        f'## <a id="{one["id"].lower()}"></a>{one["id"]} {one["hazard"]}',
        "",
        f"- Cause: {one['cause']}",
        f"- Effect: {one['effect']}",
        f"- Before: {one['severity']}, likelihood {_words(one['likelihood'])}, risk {before}",
        f"- Now, as a proposal: likelihood {_words(one['residual_likelihood'])}, risk {now}",
        "",
    ]
    for control in one.get("control", []):
        lines.append(f"- **Control.** {control['what']}")
        lines += [f"  - `{test}`" for test in control["tests"]]
    lines += [f"- **Open gap.** {gap['what']} {gap['why']}" for gap in one.get("gap", [])]
    lines += [f"- **For the clinic.** {entry['what']}" for entry in one.get("clinic", [])]
    return [*lines, ""]


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> int:
    """Write the page; 1 and the faults if the log does not hold."""
    log = read()
    found = faults(log)
    if found:
        print("\n".join(found), file=sys.stderr)
        return 1
    PAGE.write_text(page(log), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
