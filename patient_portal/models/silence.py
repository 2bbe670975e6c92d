"""What was done about a patient's silence: nothing is asked or told twice for the same days."""

from datetime import date
from enum import StrEnum

from sqlalchemy import SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Id, Moment, code_of, ref_to


class SilenceMarkKind(StrEnum):
    """What was done: an alert was opened or joined, or a person has read the row."""

    PAGED = "paged"
    READ = "read"


class SilenceMark(Base):
    """Something done about one run of missed days, at the level the run had reached.

    ``since`` is the day the run is counted from: the last check-in, the day of joining, or the
    last day of a pause. The unique rule, not a look beforehand, keeps two workers from doing it
    twice.
    """

    __tablename__ = "silence_mark"
    __table_args__ = (
        UniqueConstraint("patient_id", "since", "kind", "level", name="uq_silence_mark_run"),
    )

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic")
    patient_id: Mapped[str] = ref_to("patient")
    since: Mapped[date]
    kind: Mapped[SilenceMarkKind] = code_of(SilenceMarkKind)
    level: Mapped[int] = mapped_column(SmallInteger)  # TriageLevel of the rule
    rule: Mapped[str] = mapped_column(String(20))
    days: Mapped[int] = mapped_column(SmallInteger)  # missed, when it was done
    alert_id: Mapped[str | None] = ref_to("alert")
    staff_id: Mapped[str | None] = ref_to("staff_member")
    at: Mapped[Moment]
