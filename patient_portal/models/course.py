"""What the team notes about a treatment: the log of medicines, and limits set for one person."""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Id, Json, Moment, code_of, ref_to


class MedicineKind(StrEnum):
    """What happened. ``stopped`` dates the last dose, ``restarted`` the first one after it."""

    STARTED = "started"
    STOPPED = "stopped"
    RESTARTED = "restarted"
    STEROID_STARTED = "steroid_started"
    STEROID_REDUCED = "steroid_reduced"
    STEROID_STOPPED = "steroid_stopped"
    STEROID_NONE = "steroid_none"  # a note only: the patient or a helper says there is none
    SYNDROME = "syndrome"
    TAKEN_BACK = "taken_back"  # the entry that it voids was a mistake


class MedicineEvent(Base):
    """One entry of the log of medicines; never changed or deleted, a later row voids a wrong one.

    ``on_date`` is a local date of the patient's. Who made it is a member of staff, or the patient
    or a helper in a check-in.
    """

    __tablename__ = "medicine_event"
    __table_args__ = (
        CheckConstraint("(entered_by IS NULL) <> (told_by IS NULL)", name="one_source"),
    )

    id: Mapped[Id]
    patient_id: Mapped[str] = ref_to("patient", index=True)
    kind: Mapped[MedicineKind] = code_of(MedicineKind)
    on_date: Mapped[date]
    voids_id: Mapped[str | None] = ref_to("medicine_event", unique=True)
    entered_by: Mapped[str | None] = ref_to("staff_member")
    told_by: Mapped[str | None] = mapped_column(String(12))  # patient, caregiver
    entered_at: Mapped[Moment]


class OverrideKind(StrEnum):
    """What can be set for one person; the names of the fields of the rules' ``Overrides``."""

    FEVER_LINE = "fever_line"
    ON_STEROID = "on_steroid"
    WINDOW_LAST_DAY = "window_last_day"
    USUAL = "usual"
    BASELINE = "baseline"


class Override(Base):
    """A limit set for one person. Without effect while it needs a second clinician's yes.

    ``value`` is {"is": …}, null inside for "as everybody". At most one row of a kind stands and
    one waits; those that a later one replaced have ended.
    """

    __tablename__ = "override"

    id: Mapped[Id]
    patient_id: Mapped[str] = ref_to("patient", index=True)
    what: Mapped[OverrideKind] = code_of(OverrideKind)
    value: Mapped[dict[str, Any]] = mapped_column(Json)
    needs_second: Mapped[bool]
    set_by: Mapped[str] = ref_to("staff_member")
    set_at: Mapped[Moment]
    approved_by: Mapped[str | None] = ref_to("staff_member")
    approved_at: Mapped[Moment | None]
    ended_by: Mapped[str | None] = ref_to("staff_member")
    ended_at: Mapped[Moment | None]
