"""The care team and their sessions."""

from enum import StrEnum

from sqlalchemy import Index, SmallInteger, String
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
    password_hash: Mapped[str] = mapped_column(String(200))  # argon2id
    created_at: Mapped[Moment]
    disabled_at: Mapped[Moment | None]


class StaffPhone(Base):
    """A number of a member of staff. The first rank is texted first, the second where it fails.

    ``verified_at``: the person has answered a test text from it. A number that was stopped, or
    that the network refuses, is texted no more until it is mended.
    """

    __tablename__ = "staff_phone"
    __table_args__ = (Index("uq_staff_phone_rank", "staff_id", "rank", unique=True),)

    id: Mapped[Id]
    staff_id: Mapped[str] = ref_to("staff_member")
    rank: Mapped[int] = mapped_column(SmallInteger, default=1)  # 1 or 2
    number: Mapped[str] = mapped_column(String(20), index=True)  # E.164
    verified_at: Mapped[Moment | None]
    stopped_at: Mapped[Moment | None]  # it answered STOP, or the network says that it did
    bad_at: Mapped[Moment | None]
    bad_code: Mapped[str | None] = mapped_column(String(10))  # the gateway's own error
    added_at: Mapped[Moment]


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
