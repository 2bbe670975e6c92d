"""Our own written schema of the Messages API, and whether a request keeps to it."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_suffix(".json")


@cache
def schema() -> dict[str, Any]:
    """The schema as it is written."""
    read: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return read


def operation_of(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Which operation a request asks for, with the names in its path; None for no such one."""
    for name, operation in schema()["operations"].items():
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(operation["path"]))
        found = re.fullmatch(pattern, path)
        if found and operation["method"] == method.lower():
            return name, found.groupdict()
    return None


def faults(operation: str, form: Mapping[str, str]) -> list[str]:
    """What a form or a query has that the schema does not allow; nothing of its values."""
    rules = schema()["operations"][operation]["form"]
    said = [f"{name} is missing" for name in rules["required"] if name not in form]
    choice = rules.get("one_of")
    if choice and not any(name in form for name in choice):
        said.append(f"one of {' and '.join(choice)} is needed")
    for name, value in form.items():
        rule = rules["properties"].get(name)
        said += [f"{name} is unknown"] if rule is None else _faults_of(name, value, rule)
    return said


def _faults_of(name: str, value: str, rule: Mapping[str, Any]) -> list[str]:
    if rule["type"] == "integer":
        if not re.fullmatch(r"\d{1,9}", value):
            return [f"{name} is no number"]
        inside = rule["minimum"] <= int(value) <= rule["maximum"]
        return [] if inside else [f"{name} is out of range"]
    if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", 10_000):
        return [f"{name} has a wrong length"]
    if "pattern" in rule and not re.fullmatch(rule["pattern"], value):
        return [f"{name} has a wrong form"]
    return []
