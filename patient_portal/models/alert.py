"""Alerts: a red answer that somebody must take."""

from typing import Any

from sqlalchemy import Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.domain.escalation import AlertState
from patient_portal.models.columns import Id, Json, Moment, code_of, ref_to

__all__ = ["ONE_OPEN_ALERT", "Alert", "AlertState"]

# One alert a patient that is not closed; both engines keep this by a partial unique index.
ONE_OPEN_ALERT = text("state <> 'closed'")


class Alert(Base):
    """A red check-in's alert. ``ref`` is what staff texts and replies name it by."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_one_open",
            "patient_id",
            unique=True,
            sqlite_where=ONE_OPEN_ALERT,
            postgresql_where=ONE_OPEN_ALERT,
        ),
        Index("ix_alert_clinic_state", "clinic_id", "state"),
        Index("ix_alert_patient", "patient_id", "opened_at"),
        Index("ix_alert_next_action", "next_action_at"),
    )

    id: Mapped[Id]
    ref: Mapped[str] = mapped_column(String(5), unique=True)  # Crockford base32
    clinic_id: Mapped[str] = ref_to("clinic")
    patient_id: Mapped[str] = ref_to("patient")
    state: Mapped[AlertState] = code_of(AlertState)
    level: Mapped[int] = mapped_column(SmallInteger)  # TriageLevel, the highest so far
    reasons: Mapped[list[Any]] = mapped_column(Json)
    protocol: Mapped[str] = mapped_column(String(20))
    inputs: Mapped[dict[str, Any]] = mapped_column(Json)  # answers and course the rules saw
    phone_recognised: Mapped[bool] = mapped_column(default=True)
    opened_at: Mapped[Moment]
    ladder_started_at: Mapped[Moment]
    step: Mapped[int] = mapped_column(SmallInteger, default=0)  # the last step that was texted
    round: Mapped[int] = mapped_column(SmallInteger, default=0)  # repeats of the last step
    step_started_at: Mapped[Moment | None]
    next_action_at: Mapped[Moment | None]  # when the ladder goes on; empty only when closed
    taken_at: Mapped[Moment | None]
    taken_by: Mapped[str | None] = ref_to("staff_member")
    repaged_at: Mapped[Moment | None]  # the owner was texted again: nobody has been called yet
    lead_told_at: Mapped[Moment | None]  # taken long ago and not closed
    patient_told_at: Mapped[Moment | None]  # "nobody has taken it: call now"
    contacted_at: Mapped[Moment | None]
    closed_at: Mapped[Moment | None]
    closed_by: Mapped[str | None] = ref_to("staff_member")
    outcome: Mapped[str | None] = mapped_column(String(24))
    useful: Mapped[bool | None]
    note: Mapped[str | None] = mapped_column(String(2000))
    recheck_at: Mapped[Moment | None]
    # {"signs": […], "until": …}: signs that are over, as far as they were told up to then.
    resolved: Mapped[dict[str, Any] | None] = mapped_column(Json)
    previous_id: Mapped[str | None] = ref_to("alert")
    is_test: Mapped[bool] = mapped_column(default=False)  # a drill's; no patient waits for it
