"""Check-ins: every answer as it was given, and what came of them."""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.domain.steroid import SteroidTablets
from patient_portal.models.columns import Id, Json, Moment, code_of, ref_to


class CheckInState(StrEnum):
    """Whether the person pressed Send, or the day ended before."""

    OPEN = "open"
    SENT = "sent"
    PARTIAL = "partial"


# Forms that nobody has sent yet: few at any time, and looked for every few minutes.
UNSENT = text("state = 'open'")


class CheckIn(Base):
    """One form of one person. ``level`` only ever rises: a later answer never calms an earlier one.

    ``answers`` is the present view in the protocol's keys; ``Answer`` rows hold what was given.
    """

    __tablename__ = "check_in"
    __table_args__ = (
        UniqueConstraint("patient_id", "form_key", name="uq_check_in_patient_form"),
        Index("ix_check_in_patient_date", "patient_id", "local_date"),
        Index("ix_check_in_clinic_date", "clinic_id", "local_date"),
        Index("ix_check_in_unsent", "local_date", sqlite_where=UNSENT, postgresql_where=UNSENT),
    )

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic")
    patient_id: Mapped[str] = ref_to("patient")
    form_key: Mapped[str] = mapped_column(String(32), index=True)  # the form's own random key
    local_date: Mapped[date]  # of the first answer, in the patient's zone
    state: Mapped[CheckInState] = code_of(CheckInState)
    reporter: Mapped[str] = mapped_column(String(12))  # patient, caregiver, staff
    reporter_id: Mapped[str | None] = mapped_column(String(16))
    phone_recognised: Mapped[bool] = mapped_column(default=True)
    drug: Mapped[str] = mapped_column(String(24))  # as the rules saw it
    day_of_therapy: Mapped[int | None]
    answers: Mapped[dict[str, Any]] = mapped_column(Json)
    # Pages that were answered and rows that were ticked: {"done": […], "ticks": […]}.
    progress: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    steroid: Mapped[SteroidTablets | None] = code_of(SteroidTablets)  # asked once a week
    level: Mapped[int] = mapped_column(SmallInteger)  # TriageLevel
    reasons: Mapped[list[Any]] = mapped_column(Json)  # [{"rule": …, "level": …}, …]
    protocol: Mapped[str] = mapped_column(String(20))
    alert_id: Mapped[str | None] = ref_to("alert", index=True)
    started_at: Mapped[Moment]
    sent_at: Mapped[Moment | None]
    read_at: Mapped[Moment | None]  # a member of staff has seen this watch-level check-in
    read_by: Mapped[str | None] = ref_to("staff_member")


class Answer(Base):
    """What one step of a form was answered with, in order. Rows are never changed."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("check_in_id", "number", name="uq_answer_number"),)

    id: Mapped[Id]
    check_in_id: Mapped[str] = ref_to("check_in")
    number: Mapped[int] = mapped_column(SmallInteger)  # 1, 2, 3 … within the check-in
    step: Mapped[str] = mapped_column(String(24))
    given: Mapped[dict[str, Any]] = mapped_column(Json)  # key -> value, as validated
    given_at: Mapped[Moment]
