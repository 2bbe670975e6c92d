"""Doors: links in texts, codes by text, remembered phones, and how often one may try."""

from datetime import date
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Id, Moment, code_of, ref_to


class LinkKind(StrEnum):
    """What a link in a text is for."""

    INVITE = "invite"
    DAILY = "daily"


class Link(Base):
    """An address in a text: a pointer to a page, never a right to read. Only a hash is kept."""

    __tablename__ = "link"

    id: Mapped[Id]
    patient_id: Mapped[str] = ref_to("patient", index=True)
    kind: Mapped[LinkKind] = code_of(LinkKind)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    for_date: Mapped[date | None]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]


class SignInCode(Base):
    """Six digits sent by text, bound to the browser that asked for them.

    A row without a person stands for a number that we do not know: the same is done and said.
    """

    __tablename__ = "sign_in_code"

    id: Mapped[Id]
    patient_id: Mapped[str | None] = ref_to("patient", index=True)
    caregiver_id: Mapped[str | None] = ref_to("caregiver", index=True)
    number_key: Mapped[str] = mapped_column(String(64), index=True)  # keyed digest of the number
    challenge_hash: Mapped[str] = mapped_column(String(64), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class Device(Base):
    """A phone that is remembered, of a patient or of a caregiver. Only its token's hash is kept."""

    __tablename__ = "device"

    id: Mapped[Id]
    patient_id: Mapped[str | None] = ref_to("patient", index=True)
    caregiver_id: Mapped[str | None] = ref_to("caregiver", index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    is_shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Moment]
    last_used_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]


class RateWindow(Base):
    """How often something was tried in a span of time, counted by the database."""

    __tablename__ = "rate_window"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    starts_at: Mapped[Moment]
    count: Mapped[int] = mapped_column(default=1)
