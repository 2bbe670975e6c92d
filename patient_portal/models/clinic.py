"""A clinic, and who of it is on call."""

from datetime import time
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Id, Moment, code_of, ref_to


class Position(StrEnum):
    """Where a person stands on the escalation ladder."""

    NURSE = "nurse"
    BACKUP = "backup"
    PHYSICIAN = "physician"
    LEAD = "lead"


class Clinic(Base):
    """A clinic. Its name stands in texts, so it must say nothing of what it treats."""

    __tablename__ = "clinic"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(40))
    country: Mapped[str] = mapped_column(String(2))  # ISO 3166; gives the emergency number
    zone: Mapped[str] = mapped_column(String(40))  # IANA
    language: Mapped[str] = mapped_column(String(12))  # of the staff's pages and texts
    line: Mapped[str] = mapped_column(String(20))  # E.164, answered 24 hours a day
    staffed_from: Mapped[time]  # local; a watch-level answer is read from this hour
    staffed_until: Mapped[time]
    # 37.5 °C and above, and below 36.0 °C, count as urgent, as helplines of the UK do.
    uk_lines: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Moment]


class OnCall(Base):
    """Who holds a position of the ladder now. Shifts and overrides come with the rota."""

    __tablename__ = "on_call"

    clinic_id: Mapped[str] = ref_to("clinic", primary_key=True)
    position: Mapped[Position] = code_of(Position, primary_key=True)
    staff_id: Mapped[str] = ref_to("staff_member", primary_key=True)
    since: Mapped[Moment]
