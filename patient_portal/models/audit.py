"""The audit log: who did what to whom, and when. Rows are only ever added."""

from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Json, Moment


class AuditEntry(Base):
    """One event. ``actor`` and ``subject`` are kinds with ids, never names."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_subject", "subject_kind", "subject_id"),)

    # SQLite counts rows only in a column that it calls INTEGER.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[Moment]
    clinic_id: Mapped[str | None] = mapped_column(String(16), index=True)
    actor_kind: Mapped[str] = mapped_column(String(12))  # patient, caregiver, staff, system
    actor_id: Mapped[str | None] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str | None] = mapped_column(String(16))
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
