"""The audit log's chain: each row carries a hash over itself and over the row before it.

A row that is changed, taken out, put in or moved breaks the chain from there on. The form that is
hashed is written down here and in ``docs/security/audit.md``; it may never change for rows that
exist, so another form would get another name and stand beside this one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

FORM = "patient-portal-audit-1"
NO_CLINIC = "-"  # the chain of rows that belong to no clinic
START = "0" * 64  # what stands where the first row would name the one before it


@dataclass(frozen=True)
class Link:
    """A place in a chain: the row's number, from 1, and its hash."""

    seq: int
    hash: str


BEGINNING = Link(0, START)


def chain_of(clinic_id: str | None) -> str:
    """The chain that a row of this clinic belongs to."""
    return clinic_id or NO_CLINIC


def canonical(row: Mapping[str, Any]) -> bytes:
    """The row as it is hashed: a JSON list of every column but ``id`` and ``hash``, in UTF-8.

    Keys sorted, no spaces, signs beyond ASCII escaped, the time in UTC with six decimals. A
    number is written the same whether an engine gives it back as 2, 2.0 or 2e0.
    """
    parts = [
        FORM,
        row["chain"],
        row["seq"],
        row["prev_hash"],
        _moment(row["at"]),
        row["clinic_id"],
        row["actor_kind"],
        row["actor_id"],
        row["action"],
        row["subject_kind"],
        row["subject_id"],
        plain(row["detail"]),
    ]
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def hash_of(row: Mapping[str, Any]) -> str:
    """SHA-256 of the row's canonical form, in hexadecimal."""
    return sha256(canonical(row)).hexdigest()


def linked(given: Mapping[str, Any], chain: str, after: Link) -> tuple[dict[str, Any], Link]:
    """The row as the next one of a chain, and the place that it takes."""
    row = {**given, "chain": chain, "seq": after.seq + 1, "prev_hash": after.hash}
    row["hash"] = hash_of(row)
    return row, Link(row["seq"], row["hash"])


def fault(row: Mapping[str, Any], before: Link, id_before: int) -> str:
    """What is wrong with a row that should follow ``before``; empty if nothing is."""
    if row["seq"] != before.seq + 1:
        return f"number {before.seq + 1} is missing"
    if row["chain"] != chain_of(row["clinic_id"]):
        return "it stands in another clinic's chain"
    if row["prev_hash"] != before.hash:
        return "it does not follow the row before it"
    if row["id"] <= id_before:
        return "it was moved"
    if row["hash"] != hash_of(row):
        return "it was changed"
    return ""


def plain(value: Any) -> Any:
    """Values of JSON as both engines give them back; a whole number loses its decimals."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
