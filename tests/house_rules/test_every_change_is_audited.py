"""Who changes a row writes into the audit log, in the same transaction.

The test reads the services: a public function that changes rows, itself or by what it calls, must
reach ``record``. What is exempt is named here, each with its reason. What requests really write is
watched by ``tests/support/watching.py``.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import patient_portal
from patient_portal.web.care_team.audit_words import ACTION_WORDS

ROOT = Path(patient_portal.__file__).parent
SERVICES = ROOT / "services"
_WRITING_CALLS = {"insert_once", "insert_missing", "insert", "update", "delete", "adopt"}
_SESSION_WRITES = {"add", "add_all", "delete", "merge"}

# Why a change is none that anybody has to answer for, and the functions of which that holds.
_SEEN = "notes that a phone or a session was used; where it began and ended is in the log"
_TEXTS = "queues, sends or stops a text: its row is kept, with what became of it and when"
_TIMERS = "moves a timer of the alarm; what the alarm does when it rings is in the log"
_COUNTS = "counts tries; a refused try is in the log"
_PART = "a part of an act that its only caller records"
_WATCH = "notes once that somebody was told of a gap or a fault of the way"
EXEMPT: dict[str, str] = {
    **dict.fromkeys(("accounts.touch", "devices.touch"), _SEEN),
    **dict.fromkeys(
        (
            "answering.danger", "answering.passive", "answering.staff", "answering.stranger",
            "budget.within", "bundles.follow", "bundles.give_up_empty", "bundles.queue_pages",
            "duty.ask_weekly", "duty.new_check", "duty.send", "leads.text_leads",
            "messages.claim", "messages.claim_next", "messages.queue", "messages.queue_all",
            "messages.stop_due", "outcomes.expire_overdue", "outcomes.record_accepted",
            "paging.page", "paging.tell_owner", "paging.text_owner", "paging.text_rung",
            "patient_texts.tell_risen", "patient_texts.tell_untaken", "reconcile.begin",
            "standing_down.stop_unsent", "standing_down.tell_closed", "standing_down.tell_taken",
            "turns.hand_over",
        ),
        _TEXTS,
    ),
    **dict.fromkeys(
        (
            "ladder.look_again", "ladder.rebuild", "paging.go_on", "paging.set_timer",
            "paging.start_ladder", "reminders.plan", "reminders.plan_missing",
        ),
        _TIMERS,
    ),
    **dict.fromkeys(("rates.forget", "rates.sweep"), _COUNTS),
    **dict.fromkeys(
        ("checkins.verdicts.weigh", "enrolment.new_link", "rota.take_off_call"), _PART
    ),
    **dict.fromkeys(
        (
            "gateway_faults.begin_trial", "gateway_faults.note_answer", "losses.note_fault",
            "notices.is_first", "rota_watch.look", "rota_watch.tell_near_gaps",
            "rota_watch.tell_new_gaps",
        ),
        _WATCH,
    ),
}  # fmt: skip


@dataclass
class Function:
    """What one function of the services does."""

    name: str
    is_public: bool
    writes: bool = False
    calls: set[str] = field(default_factory=set)


def _built_once(tree: ast.Module) -> Iterator[str]:
    """Names of a module that hold a statement which changes rows."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            calls = [each.func for each in ast.walk(node.value) if isinstance(each, ast.Call)]
            if any(isinstance(each, ast.Name) and each.id in _WRITING_CALLS for each in calls):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


class _Module:
    """One module's names, as far as they lead to functions of the services."""

    def __init__(self, path: Path) -> None:
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.tree = ast.parse(path.read_text())
        self.names: dict[str, str] = {}
        self.methods: dict[str, str] = {}
        self.statements = set(_built_once(self.tree))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    self.names[each.asname or each.name] = f"{node.module}.{each.name}"

    def functions(self) -> Iterator[Function]:
        """Every function and method, each with what it calls."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                self.names[node.name] = f"{self.name}.{node.name}"
            elif isinstance(node, ast.ClassDef):
                for method in (each for each in node.body if isinstance(each, ast.FunctionDef)):
                    self.methods[method.name] = f"{self.name}.{node.name}.{method.name}"
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                yield self._read(node, f"{self.name}.{node.name}", "")
            elif isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.FunctionDef):
                        yield self._read(part, f"{self.name}.{node.name}.{part.name}", node.name)

    def _read(self, node: ast.FunctionDef, name: str, owner: str) -> Function:
        hidden = node.name.startswith("_") or owner.startswith("_")
        found = Function(name, is_public=not hidden)
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                self._call(found, part, owner)
            elif isinstance(part, ast.Name) and part.id in self.statements:
                found.writes = True
            elif isinstance(part, ast.Name) and part.id in self.names:
                found.calls.add(self.names[part.id])  # handed on as a value
            elif isinstance(part, ast.Assign | ast.AugAssign):
                targets = part.targets if isinstance(part, ast.Assign) else [part.target]
                for target in (each for t in targets for each in ast.walk(t)):
                    if isinstance(target, ast.Attribute) and isinstance(target.ctx, ast.Store):
                        of = target.value
                        found.writes |= not (isinstance(of, ast.Name) and of.id in ("self", "g"))
        return found

    def _call(self, found: Function, call: ast.Call, owner: str) -> None:
        to = call.func
        if isinstance(to, ast.Name):
            found.writes |= to.id in _WRITING_CALLS
            found.calls.add(self.names.get(to.id, to.id))
        elif isinstance(to, ast.Attribute) and isinstance(to.value, ast.Name):
            base = to.value.id
            if base in ("session", "db"):
                found.writes |= to.attr in _SESSION_WRITES
            elif base == "self":
                found.calls.add(f"{self.name}.{owner}.{to.attr}")
            elif base not in self.names and to.attr in self.methods:
                found.calls.add(self.methods[to.attr])
            else:
                found.calls.add(f"{self.names.get(base, base)}.{to.attr}")
        elif isinstance(to, ast.Attribute) and isinstance(to.value, ast.Attribute):
            is_session = to.value.attr == "session"  # self.session.add(...)
            found.writes |= is_session and to.attr in _SESSION_WRITES


def _functions() -> dict[str, Function]:
    modules = [_Module(path) for path in sorted(SERVICES.rglob("*.py"))]
    found = {one.name: one for module in modules for one in module.functions()}
    # A package passes names of its modules on.
    passed_on = {
        f"{module.name}.{name}": target
        for module in modules
        for name, target in module.names.items()
    }
    for one in found.values():
        one.calls = {_final(call, passed_on) for call in one.calls}
    return found


def _final(name: str, passed_on: dict[str, str]) -> str:
    seen: set[str] = set()
    while name in passed_on and name not in seen:
        seen.add(name)
        name = passed_on[name]
    return name


def _reaches(start: str, functions: dict[str, Function]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in functions:
            waiting += functions[name].calls
    return seen


RECORD = "patient_portal.services.audit.record"


def _silent(functions: dict[str, Function]) -> set[str]:
    assert RECORD in functions
    found = set()
    for name, one in functions.items():
        if not one.is_public or name.startswith("patient_portal.services.audit."):
            continue
        reached = _reaches(name, functions)
        writes = any(each in functions and functions[each].writes for each in reached
                     if each not in (RECORD,) and not each.startswith(RECORD[:-6]))  # fmt: skip
        if writes and RECORD not in reached:
            found.add(name.removeprefix("patient_portal.services."))
    return found


def test_services_that_change_rows_reach_the_audit_log() -> None:
    functions = _functions()
    assert _silent(functions) - set(EXEMPT) == set()
    known = {name.removeprefix("patient_portal.services.") for name in functions}
    assert set(EXEMPT) - known == set(), "exempt, and no longer there"


def test_an_act_without_an_entry_would_be_seen() -> None:
    """The rule itself: without the calls to ``record``, dozens of functions are found."""
    functions = _functions()
    for one in functions.values():
        one.calls.discard(RECORD)
    assert len(_silent(functions)) > 2 * len(EXEMPT)


# ---- words

_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
_LOGS = ("debug", "info", "warning", "error")


def _recorded() -> set[str]:
    """Every code of an action that the code hands to anything but the ordinary log."""
    kinds = {action.partition(".")[0] for action in ACTION_WORDS}
    found: set[str] = set()
    for path in [*SERVICES.rglob("*.py"), *(ROOT / "demo").rglob("*.py"), ROOT / "web/refusals.py"]:
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call):
                continue
            if isinstance(call.func, ast.Attribute) and call.func.attr in _LOGS:
                continue
            given = [each for argument in call.args for each in ast.walk(argument)]
            said = [str(each.value) for each in given if isinstance(each, ast.Constant)]
            found |= {each for each in said if _ACTION.fullmatch(each)}
    return {each for each in found if each.partition(".")[0] in kinds}


def test_every_action_has_words_on_the_page_and_no_words_are_left_over() -> None:
    by_variable = {"override.set", "override.approved", "override.declined"}
    assert _recorded() | by_variable == set(ACTION_WORDS)
