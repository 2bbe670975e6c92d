"""The audit log. Every change of state names its actor and writes here, in the same transaction.

Entries wait in the session and are written as its last work: the end of a clinic's chain is then
held for one insert and the commit, by somebody who waits for nothing else any more. Entries that
cannot be written undo the whole transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from patient_portal.database import before_commit, insert_missing
from patient_portal.domain.audit_chain import BEGINNING, Link, chain_of, linked
from patient_portal.models import AuditEntry, AuditHead


@dataclass(frozen=True)
class Actor:
    """Who acts: a kind (patient, caregiver, staff, system) and an id, never a name."""

    kind: str
    id: str | None = None
    clinic_id: str | None = None


SYSTEM = Actor("system")
_WAITING = "audit entries"
# Built once, and asking for no key back: every change of state writes here.
_INSERT = insert(AuditEntry.__table__).inline()  # type: ignore[arg-type]
_END = (
    select(AuditHead.seq, AuditHead.hash)
    .where(AuditHead.chain == bindparam("chain"))
    .with_for_update(key_share=True)
)


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: str | None,
    *,
    now: datetime,
    clinic_id: str | None = None,
    **detail: Any,
) -> None:
    """Add one entry. ``detail`` holds codes and ids; no names, no free text.

    It can be read in the session after ``write``, elsewhere after the commit.
    """
    session.info.setdefault(_WAITING, []).append(
        {
            "at": now,
            "clinic_id": clinic_id or actor.clinic_id,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "action": action,
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "detail": detail,
        }
    )
    before_commit(session, write)


def write(session: Session) -> None:
    """Chain and insert what was recorded: two statements for a clinic, however many entries.

    Done by itself before the commit; a writer of the same chain waits from here until then.
    """
    waiting = session.info.pop(_WAITING, None)
    if not waiting:
        return
    session.flush()  # other rows first: nobody waits for their locks while holding a chain
    chains = [chain_of(entry["clinic_id"]) for entry in waiting]
    # Everybody takes the chains in the same order; the rows stay in the order of what happened.
    ends = {chain: _end_of(session, chain) for chain in sorted(set(chains))}
    rows = []
    for entry, chain in zip(waiting, chains, strict=True):
        row, ends[chain] = linked(entry, chain, ends[chain])
        rows.append(row)
    session.execute(_INSERT, rows)


def _end_of(session: Session, chain: str) -> Link:
    """The last place of a chain, held until the commit; a new chain begins here."""
    found = session.execute(_END, {"chain": chain}).first()
    if found is None:
        head = {
            "chain": chain, "seq": BEGINNING.seq, "hash": BEGINNING.hash,
            "dropped_seq": BEGINNING.seq, "dropped_hash": BEGINNING.hash, "turn": 0,
        }  # fmt: skip
        insert_missing(session, AuditHead.__table__, [head], ["chain"])  # type: ignore[arg-type]
        found = session.execute(_END, {"chain": chain}).one()
    return Link(found.seq, found.hash)


@contextmanager
def undoable(session: Session) -> Iterator[None]:
    """A savepoint: a block that raises leaves neither rows nor audit entries behind."""
    before = len(session.info.get(_WAITING, ()))
    try:
        with session.begin_nested():
            yield
    except BaseException:
        del session.info.get(_WAITING, [])[before:]
        raise
