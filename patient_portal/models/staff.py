"""The care team and their sessions."""

from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Id, Moment, code_of, ref_to


class Role(StrEnum):
    """What a member of staff is there for."""

    NURSE = "nurse"
    PHYSICIAN = "physician"
    LEAD = "lead"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class StaffMember(Base):
    """A member of the care team. ``name`` is short ("N. Silva"): patients may read it."""

    __tablename__ = "staff_member"

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic", index=True)
    name: Mapped[str] = mapped_column(String(60))
    role: Mapped[Role] = code_of(Role)
    email: Mapped[str] = mapped_column(String(120), unique=True)  # lower case; the sign-in name
    phone: Mapped[str | None] = mapped_column(String(20))  # E.164
    password_hash: Mapped[str] = mapped_column(String(200))  # argon2id
    created_at: Mapped[Moment]
    disabled_at: Mapped[Moment | None]


class StaffSession(Base):
    """One signed-in browser of a member of staff; only the token's hash is kept.

    ``factors`` counts what was proven. A second factor raises it; pages may ask for two.
    """

    __tablename__ = "staff_session"

    id: Mapped[Id]
    staff_id: Mapped[str] = ref_to("staff_member", index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    factors: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
