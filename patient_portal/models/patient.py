"""Patients, and the people who help them."""

from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.models.columns import Id, Json, Moment, code_of, ref_to


class PauseReason(StrEnum):
    """Why a patient is not asked for check-ins for a while."""

    HOSPITAL = "hospital"
    TREATMENT_BREAK = "treatment_break"
    AWAY = "away"
    OTHER = "other"


class Patient(Base):
    """A person on differentiation therapy, and how the portal speaks with them."""

    __tablename__ = "patient"
    __table_args__ = (Index("ix_patient_reminder", "reminder_due_at"),)

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic", index=True)
    first_name: Mapped[str] = mapped_column(String(60))
    last_name: Mapped[str] = mapped_column(String(60))
    birth_year: Mapped[int]
    record_number: Mapped[str | None] = mapped_column(String(30))  # the hospital's own number
    phone: Mapped[str] = mapped_column(String(20), index=True)  # E.164
    language: Mapped[str] = mapped_column(String(12))
    country: Mapped[str] = mapped_column(String(2))  # country of stay
    zone: Mapped[str] = mapped_column(String(40))  # IANA; days and reminders are counted in it
    drug: Mapped[str] = mapped_column(String(24))  # code of contract: atra, enasidenib, unknown
    partners: Mapped[list[Any]] = mapped_column(Json, default=list)  # other medicines, shown only
    first_dose_on: Mapped[date | None]
    baseline_weight: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))  # as entered
    baseline_weight_unit: Mapped[str | None] = mapped_column(String(2))  # kg or lb
    usual: Mapped[list[Any]] = mapped_column(Json, default=list)  # items that are long-standing
    temperature_unit: Mapped[str] = mapped_column(String(1), default="c")  # c or f
    weight_unit: Mapped[str] = mapped_column(String(2), default="kg")
    has_scale: Mapped[bool] = mapped_column(default=True)
    has_thermometer: Mapped[bool] = mapped_column(default=True)
    reminder_at: Mapped[time] = mapped_column(default=time(9, 0))  # local wall time
    reminder_due_at: Mapped[Moment | None]  # next reminder, UTC; empty = none planned
    invited_at: Mapped[Moment | None]
    enrolled_at: Mapped[Moment | None]
    consent_version: Mapped[str | None] = mapped_column(String(20))
    texts_stopped_at: Mapped[Moment | None]  # the phone answered STOP
    paused_from: Mapped[date | None]  # first and last local day of the last pause
    paused_until: Mapped[date | None]
    pause_reason: Mapped[PauseReason | None] = code_of(PauseReason)
    resumed_at: Mapped[Moment | None]  # a person ended it before its last day
    free_until: Mapped[date | None]  # last day of the pauses before that one
    ended_at: Mapped[Moment | None]
    # Answers drills for its clinic; no person. Never listed, counted, texted or replayed.
    is_test: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Moment]


class Caregiver(Base):
    """Someone who helps, with a phone and a language of their own."""

    __tablename__ = "caregiver"

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic")
    first_name: Mapped[str] = mapped_column(String(60))
    phone: Mapped[str] = mapped_column(String(20), index=True)
    language: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[Moment]


class CaregiverGrant(Base):
    """What a caregiver may do for a patient. ``scopes`` holds report, status, remind, …"""

    __tablename__ = "caregiver_grant"

    caregiver_id: Mapped[str] = ref_to("caregiver", primary_key=True)
    patient_id: Mapped[str] = ref_to("patient", primary_key=True)
    scopes: Mapped[list[Any]] = mapped_column(Json)
    granted_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
