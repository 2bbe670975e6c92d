"""Proof that the audit log is whole, and the one way by which old rows may leave it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from patient_portal.domain.audit_chain import BEGINNING, NO_CLINIC, Link, fault
from patient_portal.models import AuditEntry, AuditHead
from patient_portal.services.audit import Actor, record

_AT_ONCE = 500
_ROWS = AuditEntry.__table__


@dataclass(frozen=True)
class Proof:
    """What became of checking a chain: how many rows, where it ends, and the first bad place."""

    chain: str
    rows: int
    end: Link
    bad_seq: int | None = None
    bad: str = ""


def chains(session: Session) -> list[str]:
    """Every chain there is, also one whose end was taken away."""
    known = set(session.scalars(select(AuditHead.chain)))
    return sorted(known | set(session.scalars(select(AuditEntry.chain).distinct())))


def count_rows(session: Session) -> int:
    """How many rows the whole log has."""
    return session.execute(select(func.count()).select_from(_ROWS)).scalar_one()


def verify(
    session: Session,
    chain: str,
    *,
    kept: Mapping[int, str] | None = None,
    on_row: Callable[[], None] = lambda: None,
) -> Proof:
    """Check a chain from its first row to its end, a few hundred rows in memory at a time.

    ``kept`` holds places (number and hash) that were noted outside the database; a chain that was
    made anew, or cut at its end together with the note of that end, differs from them.
    """
    head = session.get(AuditHead, chain)
    wanted = dict(kept or {})
    before, last_id, count = BEGINNING, 0, 0
    if head is not None:
        before = Link(head.dropped_seq, head.dropped_hash)
        if wanted.pop(before.seq, before.hash) != before.hash:
            return Proof(chain, count, before, before.seq, "it is not the row that was noted")
    asked = select(_ROWS).where(AuditEntry.chain == chain).order_by(AuditEntry.seq)
    with session.execute(asked.execution_options(yield_per=_AT_ONCE)) as found:
        for row in found.mappings():
            wrong = fault({each.name: row[each] for each in _ROWS.columns}, before, last_id)
            if not wrong and wanted.pop(row["seq"], row["hash"]) != row["hash"]:
                wrong = "it is not the row that was noted"
            if wrong:
                return Proof(chain, count, before, row["seq"], wrong)
            before, last_id, count = Link(row["seq"], row["hash"]), row["id"], count + 1
            on_row()
    return _ended(chain, count, before, head, wanted)


def _ended(
    chain: str, count: int, end: Link, head: AuditHead | None, unseen: Mapping[int, str]
) -> Proof:
    noted = max(unseen, default=0)
    if head is None:
        return Proof(chain, count, end, end.seq, "the note of its end is missing")
    if head.seq > end.seq or noted > end.seq:
        return Proof(chain, count, end, end.seq + 1, f"rows up to {max(head.seq, noted)} are gone")
    if (head.seq, head.hash) != (end.seq, end.hash):
        return Proof(chain, count, end, end.seq, "the note of its end is another")
    return Proof(chain, count, end)


class CannotLetGo(ValueError):
    """The row does not exist, or is the last one: a chain keeps its end."""


def let_go(session: Session, chain: str, through: int, actor: Actor, now: datetime) -> int:
    """Delete the rows of a chain up to a number, as a retention rule may. Returns how many.

    What stays is still provable: the last deleted row's hash is kept. On PostgreSQL only the
    owner's role may do this.

    Raises:
        CannotLetGo: there is no such row, or no row would stay.
    """
    head = session.get_one(AuditHead, chain, with_for_update=True)
    last = session.scalars(
        select(AuditEntry.hash).where(AuditEntry.chain == chain, AuditEntry.seq == through)
    ).first()
    if last is None or through >= head.seq:
        raise CannotLetGo(f"{chain}: {through}")
    session.execute(
        update(AuditHead)
        .where(AuditHead.chain == chain)
        .values(dropped_seq=through, dropped_hash=last)
    )
    gone = session.execute(
        delete(AuditEntry)
        .where(AuditEntry.chain == chain, AuditEntry.seq <= through)
        .returning(AuditEntry.id)
    ).all()
    clinic_id = None if chain == NO_CLINIC else chain
    record(
        session, actor, "audit.let_go", "audit", None,
        now=now, clinic_id=clinic_id, through=through, rows=len(gone),
    )  # fmt: skip
    return len(gone)


_MAY_CHANGE = text(
    "SELECT bool_or(pg_has_role(relowner, 'USAGE')) AS owns, "
    "bool_or(has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE')) AS may, "
    "(SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') "
    " AND tgname LIKE 'audit%' AND tgrelid IN ('audit_entry'::regclass, 'audit_head'::regclass)) "
    "AS guards FROM pg_class WHERE oid IN ('audit_entry'::regclass, 'audit_head'::regclass)"
)
_GUARDS = text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'")
GUARDS = 5  # triggers, on either engine


class Weakness(StrEnum):
    """What would let this process change the audit log."""

    OWNS = "owns"  # the role owns the tables, so it can take every guard away
    MAY_CHANGE = "may_change"  # the role was given the right to
    NO_GUARDS = "no_guards"  # triggers are missing or switched off


def weaknesses(session: Session) -> list[Weakness]:
    """What would let the role that asks change the audit log; empty if nothing would.

    An SQLite file has no roles: whoever can write the file can change everything in it, and only
    what was kept outside tells.
    """
    if session.get_bind().dialect.name == "sqlite":
        return [] if session.scalar(_GUARDS) == GUARDS else [Weakness.NO_GUARDS]
    found = session.execute(_MAY_CHANGE).one()
    are_so = ((Weakness.OWNS, found.owns), (Weakness.MAY_CHANGE, found.may and not found.owns),
              (Weakness.NO_GUARDS, found.guards != GUARDS))  # fmt: skip
    return [weakness for weakness, is_so in are_so if is_so]
