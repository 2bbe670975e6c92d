"""Watches what requests write: a transaction that changes a row writes into the audit log too.

It looks at the statements themselves, so nothing can be forgotten in a list of functions: every
test that asks a page for something is watched.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import has_request_context, request
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

_CHANGE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?(.*)', re.DOTALL)
# PostgreSQL is told the type beside the value.
_SEEN = re.compile(r'\s*SET last_(used|seen)_at=\S+( WITH TIME ZONE)? WHERE "?\w+', re.DOTALL)
# Why a request may change these without an entry.
FREE = {
    "message": "a text: its row is kept, with what became of it and when",
    "link": "comes with the text that it is for, or with the invitation that is in the log",
    "rate_window": "counts tries",
    "sign_in_code": "counts tries; asking and failing are in the log where a person is known",
    "inbound_text": "a text that came: its row is kept",
    "gateway_fault": "a note about the text service",
    "audit_head": "the end of a chain",
    "rota_notice": "notes once that somebody was told of a gap",
    "clock_shift": "the demo's clock",
}


@contextmanager
def watched_requests() -> Iterator[list[str]]:
    """Collects, while the block runs, what was changed by a request without an audit entry."""
    found: list[str] = []
    changed: dict[int, set[str]] = {}

    def note(connection: Connection, cursor: Any, statement: str, *_more: Any) -> None:
        matched = _CHANGE.match(statement)
        if matched is None or not has_request_context() or request.path.startswith("/demo"):
            return
        # What found no row changed none. An insert that may find its row there already does not
        # tell on one of the engines; the house rule that reads the services covers those.
        if cursor.rowcount == 0 or "ON CONFLICT" in statement:
            return
        verb, table, rest = matched.groups()
        is_use = verb == "UPDATE" and _SEEN.match(rest) is not None
        if table not in FREE and not is_use:
            changed.setdefault(id(connection), set()).add(table)

    def committed(connection: Connection) -> None:
        tables = changed.pop(id(connection), set())
        if tables and "audit_entry" not in tables:
            found.append(f"{request.method} {request.path} changed {', '.join(sorted(tables))}")

    def undone(connection: Connection) -> None:
        changed.pop(id(connection), None)

    listeners = (("after_cursor_execute", note), ("commit", committed), ("rollback", undone))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    try:
        yield found
    finally:
        for name, listener in listeners:
            event.remove(Engine, name, listener)
