"""The audit log: who did what to whom, and when. Rows are only ever added.

Beyond what the tables say here, the migration that made them chained keeps guards in the
database itself: a row that does not follow its chain's head is refused, and so is changing or
deleting one.
"""

from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Json, Moment

# SQLite counts rows only in a column that it calls INTEGER.
_Whole = BigInteger().with_variant(Integer(), "sqlite")


class AuditEntry(Base):
    """One event. ``actor`` and ``subject`` are kinds with ids, never names."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_subject", "subject_kind", "subject_id"),
        UniqueConstraint("chain", "seq", name="uq_audit_entry_place"),
    )

    id: Mapped[int] = mapped_column(_Whole, primary_key=True, autoincrement=True)
    at: Mapped[Moment]
    clinic_id: Mapped[str | None] = mapped_column(String(16), index=True)
    actor_kind: Mapped[str] = mapped_column(String(12))  # patient, caregiver, staff, system
    actor_id: Mapped[str | None] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str | None] = mapped_column(String(16))
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    chain: Mapped[str] = mapped_column(String(16))  # the clinic's id, or "-"
    seq: Mapped[int] = mapped_column(_Whole)  # from 1, without a hole
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last place of a chain. The database moves it when a row is added; nobody else does."""

    __tablename__ = "audit_head"

    chain: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(_Whole)
    hash: Mapped[str] = mapped_column(String(64))
    # The last row that a retention rule has let go; the chain is checked from there.
    dropped_seq: Mapped[int] = mapped_column(_Whole)
    dropped_hash: Mapped[str] = mapped_column(String(64))
    # Never written: PostgreSQL lets a role lock only rows of which it may change something.
    turn: Mapped[int] = mapped_column(Integer)
