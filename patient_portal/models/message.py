"""Texts: the message row is the outbox, written in the transaction of what it tells."""

from enum import StrEnum

from sqlalchemy import Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from patient_portal.database import Base
from patient_portal.domain.delivery import MessageState
from patient_portal.models.columns import Id, Moment, code_of, ref_to

__all__ = ["InboundText", "Lane", "Message", "MessageKind", "MessageState"]


class Lane(StrEnum):
    """Alerts never wait behind reminders: each lane is claimed on its own."""

    ALERT = "alert"
    PATIENT = "patient"  # codes and answers to a person who waits
    REMINDER = "reminder"


class MessageKind(StrEnum):
    """What a text is for."""

    STAFF_ALERT = "staff_alert"
    STAFF_WORSE = "staff_worse"
    STAFF_REPAGE = "staff_repage"  # to the owner: nobody has been called yet
    STAFF_BUNDLE = "staff_bundle"  # several alerts in one text
    STAFF_STOOD_DOWN = "staff_stood_down"  # somebody else has it
    STAFF_REPLY = "staff_reply"  # an answer to a text of theirs
    STAFF_CHECK = "staff_check"  # a test, a hand-over, the weekly answer
    STAFF_ALARM = "staff_alarm"  # the alarm path itself is in trouble
    CALL_NOW = "call_now"
    HELPER_CALL_NOW = "helper_call_now"
    INVITE = "invite"
    CODE = "code"
    REMINDER = "reminder"
    REPEAT = "repeat"  # of the day's reminder
    ASK_HELPER = "ask_helper"  # to a helper: no check-in yet today
    REPLY = "reply"


class Message(Base):
    """A text to one phone. ``body`` may hold ``{secret}``: the worker fills it when it sends.

    ``secret_of`` names what the secret is derived from (``link:<id>`` or ``code:<id>``), so that
    neither a link nor a code lies in the database.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_due", "lane", "state", "due_at"),
        Index("ix_message_to", "to_number", "created_at"),
    )

    id: Mapped[Id]
    clinic_id: Mapped[str] = ref_to("clinic")
    kind: Mapped[MessageKind] = code_of(MessageKind)
    lane: Mapped[Lane] = code_of(Lane)
    to_number: Mapped[str] = mapped_column(String(20))  # E.164
    patient_id: Mapped[str | None] = ref_to("patient", index=True)
    staff_id: Mapped[str | None] = ref_to("staff_member")
    alert_id: Mapped[str | None] = ref_to("alert", index=True)
    phone_id: Mapped[str | None] = ref_to("staff_phone")
    step: Mapped[int | None] = mapped_column(SmallInteger)  # of the ladder, and its repeat
    round: Mapped[int | None] = mapped_column(SmallInteger)
    # Folded into that text: never sent by itself, and its state follows the other's.
    carried_by: Mapped[str | None] = ref_to("message", index=True)
    body: Mapped[str] = mapped_column(String(700))
    secret_of: Mapped[str | None] = mapped_column(String(24))
    once_key: Mapped[str] = mapped_column(String(120), unique=True)  # what makes it one text
    state: Mapped[MessageState] = code_of(MessageState)
    due_at: Mapped[Moment]
    expires_at: Mapped[Moment]  # not sent any more after this moment
    lease_until: Mapped[Moment | None]
    lease_by: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    gateway_id: Mapped[str | None] = mapped_column(String(40), index=True)
    error_code: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[Moment]
    accepted_at: Mapped[Moment | None]
    delivered_at: Mapped[Moment | None]
    failed_at: Mapped[Moment | None]
    checked_at: Mapped[Moment | None]  # when we last asked the gateway what became of it


class InboundText(Base):
    """A text that somebody sent us, kept before it is understood."""

    __tablename__ = "inbound_text"

    id: Mapped[Id]
    gateway_id: Mapped[str] = mapped_column(String(40), unique=True)
    from_number: Mapped[str] = mapped_column(String(20), index=True)
    body: Mapped[str] = mapped_column(String(1600))
    received_at: Mapped[Moment]
    handled_as: Mapped[str | None] = mapped_column(String(24))
    # Whose text it was taken for, and who of the care team has read it.
    clinic_id: Mapped[str | None] = ref_to("clinic")
    patient_id: Mapped[str | None] = ref_to("patient")
    caregiver_id: Mapped[str | None] = ref_to("caregiver")
    staff_id: Mapped[str | None] = ref_to("staff_member")
    alert_id: Mapped[str | None] = ref_to("alert")
    read_at: Mapped[Moment | None]
    read_by: Mapped[str | None] = ref_to("staff_member")
