"""Who is on call: a weekly pattern, dated changes of it, and the proof that a phone answers."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import DateTime, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.domain.rota import ChangeKind, Position
from patient_portal.models.columns import Id, Moment, code_of, ref_to

__all__ = [
    "ChangeKind", "CheckKind", "Drill", "DutyCheck", "Position", "RotaNotice", "Shift",
    "ShiftChange",
]  # fmt: skip


class Shift(Base):
    """A turn that comes back each week, by the clinic's own clocks.

    ``weekday`` counts from Monday = 0. A turn that does not end after it starts ends on the next
    day; equal times are a whole day.
    """

    __tablename__ = "shift"
    __table_args__ = (Index("ix_shift_clinic", "clinic_id"),)

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic")
    position: Mapped[Position] = code_of(Position)
    staff_id: Mapped[str] = ref_to("staff_member")
    weekday: Mapped[int] = mapped_column(SmallInteger)
    starts: Mapped[time]
    ends: Mapped[time]
    valid_from: Mapped[date]  # the first day on which a turn may start
    valid_until: Mapped[date | None]  # the last one
    made_at: Mapped[Moment]


class ShiftChange(Base):
    """A dated change of the weekly pattern: somebody more, instead, or less.

    Times are local wall time without zone. A change is never deleted; it ends.
    """

    __tablename__ = "shift_change"
    __table_args__ = (Index("ix_shift_change_clinic", "clinic_id", "ends_local"),)

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic")
    position: Mapped[Position] = code_of(Position)
    kind: Mapped[ChangeKind] = code_of(ChangeKind)
    staff_id: Mapped[str] = ref_to("staff_member")
    starts_local: Mapped[datetime] = mapped_column(DateTime())
    ends_local: Mapped[datetime] = mapped_column(DateTime())
    made_by: Mapped[str | None] = ref_to("staff_member")
    made_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]


class CheckKind(StrEnum):
    """Why a phone was asked to answer."""

    TEST = "test"  # before somebody goes on call
    HANDOVER = "handover"  # at the start of a turn
    WEEKLY = "weekly"  # everyone of the rota, once a week


class DutyCheck(Base):
    """A text that asks a member of staff to answer with its reference. No patient is in it."""

    __tablename__ = "duty_check"
    __table_args__ = (Index("ix_duty_check_staff", "staff_id", "created_at"),)

    id: Mapped[Id]
    ref: Mapped[str] = mapped_column(String(5), unique=True)  # Crockford base32, as an alert's
    clinic_id: Mapped[str] = ref_to("clinic")
    staff_id: Mapped[str] = ref_to("staff_member")
    phone_id: Mapped[str] = ref_to("staff_phone")
    kind: Mapped[CheckKind] = code_of(CheckKind)
    position: Mapped[Position | None] = code_of(Position)
    turn_starts_at: Mapped[Moment | None]  # of the turn that a hand-over is about
    created_at: Mapped[Moment]
    due_at: Mapped[Moment]  # unanswered after this, the lead is told
    answered_at: Mapped[Moment | None]
    lead_told_at: Mapped[Moment | None]


class RotaNotice(Base):
    """Something of a clinic's rota that was told, or done, and is not to be told again.

    The identity is made from clinic and occasion, so of two workers one writes it.
    """

    __tablename__ = "rota_notice"

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic", index=True)
    occasion: Mapped[str] = mapped_column(String(80))  # such as gap:backup:20261128T2200
    at: Mapped[Moment]


class Drill(Base):
    """A test alert through the real path, and how far it came."""

    __tablename__ = "drill"
    __table_args__ = (Index("ix_drill_clinic", "clinic_id", "started_at"),)

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic")
    alert_id: Mapped[str | None] = ref_to("alert")
    asked_by: Mapped[str | None] = ref_to("staff_member")  # empty: the daily one
    started_at: Mapped[Moment]
    accepted_at: Mapped[Moment | None]
    delivered_at: Mapped[Moment | None]
    answered_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]
