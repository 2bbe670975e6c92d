"""A clinic, and how it wants its alerts to climb."""

from datetime import date, time
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Id, Json, Moment


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
    # Steps by level; empty = the ladder of ``domain.escalation``.
    ladder: Mapped[dict[str, Any] | None] = mapped_column(Json)
    # A phone of the clinic itself, E.164: the step that nobody can empty.
    catch_all: Mapped[str | None] = mapped_column(String(20))
    # Somebody has rung ``line`` at night and says that it is answered; without it no going live.
    cover_rung_on: Mapped[date | None]  # the local day of that night
    cover_confirmed_at: Mapped[Moment | None]
    cover_confirmed_by: Mapped[str | None] = mapped_column(String(16))  # a member of staff
    live_at: Mapped[Moment | None]  # from then on patients can be invited
    created_at: Mapped[Moment]
