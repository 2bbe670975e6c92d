"""Mutation testing of patient_portal/domain: change one thing, and a test must notice.

Every mutant runs in a fork of this process, with the changed module put in its place before
anything imports it; no file is written. What no test kills must stand in docs/protocol/mutants.md
with the reason why it may live; otherwise, or if the list names one that is gone, the exit is 1.

    python scripts/mutate.py [--only MODULE ...] [--jobs 2] [--list]
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import importlib
import importlib.abc
import importlib.machinery
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = ROOT / "patient_portal" / "domain"
KEPT = ROOT / "docs" / "protocol" / "mutants.md"
CPU_SECONDS_PER_MUTANT = 120

# Which tests must notice a change of which module, the quickest first.
# The properties at the end are slow and only for what the others let live.
RULES = (
    "tests/domain/test_together.py", "tests/domain/test_cells.py", "tests/domain/test_weights.py",
    "tests/domain/proof/test_boundaries.py", "tests/domain/test_replay.py",
    "tests/domain/test_properties_of_history.py",
)  # fmt: skip
READING = (
    "tests/domain/test_answers.py", "tests/domain/test_cases.py", "tests/domain/test_measures.py",
    "tests/cli/test_triage.py",
)  # fmt: skip
NAMED: dict[str, tuple[str, ...]] = {
    "answers": READING,
    "cases": ("tests/domain/test_cases.py", *READING),
    "combined": RULES,
    "combining": RULES,
    "course": ("tests/domain/test_course.py", "tests/domain/test_windows.py", *RULES),
    "escalation": ("tests/domain/test_timers.py", "tests/domain/test_escalation.py"),
    "facts": ("tests/domain/test_facts.py", *RULES),
    "gateway_policy": ("tests/domain/test_gateway_errors.py",),
    "levels": ("tests/domain/test_answers.py", *RULES),
    "measures": ("tests/domain/test_measures.py", "tests/domain/test_answers.py"),
    "past": RULES,
    "phone_numbers": ("tests/domain/test_typed.py",),
    "plan": (*RULES, "tests/domain/test_facts.py"),
    "protocol": (
        "tests/domain/test_protocol.py",
        *RULES,
        "tests/protocols/test_library.py",
        "tests/protocols/test_beyond.py",
    ),
    "rota": ("tests/domain/test_holders.py", "tests/domain/test_rota.py"),
    "staffing": ("tests/domain/test_places.py",),
    "triage": RULES,
    "weights": RULES,
}

# A module that is not named has a file of tests with its own name.
TESTS: dict[str, tuple[str, ...]] = {
    path.stem: (f"tests/domain/test_{path.stem}.py",) for path in DOMAIN.glob("[a-z]*.py")
}
TESTS |= NAMED

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
}  # fmt: skip
CALLS = {"max": "min", "min": "max", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One change: the module, which of its places, the line of the original, and both texts."""

    module: str
    number: int
    line: int
    before: str
    after: str

    @property
    def key(self) -> str:
        """What the kept list names it by; without a line number, which moves."""
        return f"{self.module}: `{self.before}` -> `{self.after}`"


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of the file; the same change twice has a number."""
    source = _source(module)
    seen: dict[str, int] = {}
    for number, (line, _) in enumerate(_places(ast.parse(source))):
        tree = ast.parse(source)
        node = _places(tree)[number][1]
        holder = _statement_at(tree, line)
        before = _short(ast.unparse(holder))
        _change(node)
        after = _short(ast.unparse(holder))
        if after == before:
            continue
        key = f"{before} -> {after}"
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            after += f" ({seen[key]})"
        yield Mutant(module, number, line, before, after)


def changed(mutant: Mutant) -> ast.Module:
    """The module with the change. Made when it is run: a thousand of them slow every fork."""
    tree = ast.parse(_source(mutant.module))
    _change(_places(tree)[mutant.number][1])
    return ast.fix_missing_locations(tree)


@cache
def _source(module: str) -> str:
    return (DOMAIN / f"{module}.py").read_text("utf-8")


def _places(tree: ast.Module) -> list[tuple[int, ast.AST]]:
    """The nodes that can be changed, with the line of their statement."""
    found: list[tuple[int, ast.AST]] = []

    def walk(node: ast.AST, line: int) -> None:
        if isinstance(node, ast.stmt):
            line = node.lineno
        if _can_change(node):
            found.append((line, node))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            if isinstance(node, ast.Raise):
                continue  # the words of an error
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    walk(child, line)

    walk(tree, 1)
    return found


def _can_change(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):
        return type(node.ops[0]) in SWAPS
    if isinstance(node, ast.BoolOp | ast.BinOp):
        return type(node.op) in SWAPS
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not | ast.USub)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool | int)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in CALLS
    if isinstance(node, ast.comprehension):
        return bool(node.ifs)
    return isinstance(node, ast.If | ast.IfExp | ast.Continue | ast.Break)


def _change(node: ast.AST) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = SWAPS[type(node.ops[0])]()  # type: ignore[call-overload]
    elif isinstance(node, ast.BoolOp | ast.BinOp):
        node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
        if isinstance(node.op, ast.Not):
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else int(node.value) + 1  # type: ignore[arg-type]
    elif isinstance(node, ast.Call):
        node.func = ast.Name(CALLS[ast.unparse(node.func)], ast.Load())
    elif isinstance(node, ast.comprehension):
        node.ifs = []
    elif isinstance(node, ast.If | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), copy.deepcopy(node.test))
    else:
        node.__class__ = ast.Pass


def _statement_at(tree: ast.Module, line: int) -> ast.AST:
    """The smallest statement that begins on this line, without its body."""
    found = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and n.lineno == line]
    return found[-1]


def _short(text: str) -> str:
    first = text.split("\n")[0] if text.startswith(("def ", "class ", "if ", "for ")) else text
    return re.sub(r"\s+", " ", first)[:160]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Puts the mutant in the place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = f"patient_portal.domain.{mutant.module}"
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        file = str(DOMAIN / f"{self.mutant.module}.py")
        return importlib.machinery.ModuleSpec(fullname, self, origin=file)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(changed(self.mutant), self.name, "exec"), module.__dict__)  # noqa: S102


def run(mutant: Mutant | None, tests: Sequence[str]) -> int:
    """Fork, run the tests on the mutant (on the plain code if None); returns the child's id."""
    pid = os.fork()
    if pid:
        return pid
    code = 3
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        # A loop without end is noticed, too; a busy machine is no such loop.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS_PER_MUTANT)
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        import pytest

        # The domain's tests need no fixture of the app, and no plugin: most of a run was those.
        bare = ["-x", "-q", "--noconftest", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        for test in tests:  # one file after another: most mutants end at the first
            code = int(pytest.main([*bare, test]))
            if code:
                break
    except BaseException:
        code = 3
    finally:
        os._exit(code)


def kept() -> dict[str, str]:
    """The mutants that may live, with why."""
    found = {}
    for line in KEPT.read_text("utf-8").splitlines() if KEPT.exists() else []:
        row = re.fullmatch(r"- (\w+: `.*` -> `.*`): (.+)", line)
        if row:
            found[row[1]] = row[2]
    return found


def main() -> int:
    """Run them all; 0 when every one is killed or explained."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=sorted(TESTS), default=sorted(TESTS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="only list them")
    options = parser.parse_args()
    lost = {test for module in options.only for test in TESTS[module] if not (ROOT / test).exists()}
    if lost:  # a mutant that no test meets would count as killed
        print(f"not there: {', '.join(sorted(lost))}", file=sys.stderr)
        return 1
    os.chdir(ROOT)
    os.environ |= {"HISTORY_EXAMPLES": "25", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sys.path.insert(0, str(ROOT))
    # Loaded once, so that every fork has them; nothing of the portal is.
    for name in ("click.testing", "hypothesis.strategies", "hypothesis.stateful", "pytest"):
        importlib.import_module(name)

    _calm_hypothesis()
    waiting = [mutant for module in options.only for mutant in mutants(module)]
    if options.list:
        print("\n".join(f"{mutant.line}: {mutant.key}" for mutant in waiting))
        return 0
    every = sorted({test for module in options.only for test in TESTS[module]})
    if os.waitstatus_to_exitcode(os.waitpid(run(None, every), 0)[1]) != 0:
        print("the tests fail without any change", file=sys.stderr)
        return 1
    gc.freeze()  # what is here stays shared by all forks
    alive = _run_all(waiting, options.jobs)
    return _judge(alive, waiting, options.only)


def _calm_hypothesis() -> None:
    """The same examples each time, and no deadline: a busy machine would kill what lives."""
    from hypothesis import HealthCheck, settings

    too_slow = [HealthCheck.too_slow]
    settings.register_profile(
        "mutation", deadline=None, derandomize=True, database=None, suppress_health_check=too_slow
    )
    settings.load_profile("mutation")


def _run_all(waiting: list[Mutant], jobs: int) -> list[Mutant]:
    running: dict[int, Mutant] = {}
    alive: list[Mutant] = []
    began, done = time.monotonic(), 0
    queue = list(reversed(waiting))
    while queue or running:
        while queue and len(running) < jobs:
            mutant = queue.pop()
            running[run(mutant, TESTS[mutant.module])] = mutant
        pid, status = os.wait()
        mutant = running.pop(pid)
        done += 1
        if os.waitstatus_to_exitcode(status) == 0:
            alive.append(mutant)
            print(f"ALIVE {mutant.line}: {mutant.key}", flush=True)
        if done % 50 == 0:
            left = (time.monotonic() - began) / done * (len(waiting) - done)
            print(f"{done} of {len(waiting)}, {left / 60:.0f} min left", file=sys.stderr)
    return alive


def _judge(alive: list[Mutant], every: list[Mutant], modules: Sequence[str]) -> int:
    known = {key: why for key, why in kept().items() if key.split(":")[0] in modules}
    keys = {mutant.key for mutant in alive}
    new = sorted(keys - known.keys())
    gone = sorted(known.keys() - keys)
    for module in [*modules, ""]:  # the last line is the sum
        made = sum(mutant.module == module or not module for mutant in every)
        lives = {mutant.key for mutant in alive if mutant.module == module or not module}
        print(f"{module or 'all'}: {made} mutants, {made - len(lives)} killed,"
              f" {len(lives)} alive, {len(lives & known.keys())} of them explained")  # fmt: skip
    for key in new:
        print(f"not explained: {key}")
    for key in gone:
        print(f"listed, but killed or gone: {key}")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
