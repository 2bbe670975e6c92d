"""What must always hold, each as a query that counts the rows that break it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, exists, extract, func, or_, select
from sqlalchemy.orm import aliased

from patient_portal.domain.delivery import MessageState
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import REMINDERS_APART
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    CheckIn,
    CheckInState,
    MedicineEvent,
    MedicineKind,
    Message,
    MessageKind,
    Override,
    SilenceMark,
    SilenceMarkKind,
)
from patient_portal.services import alert_invariants
from patient_portal.services.invariant import Invariant as Invariant
from patient_portal.services.invariant import count as count

# Sending takes a moment; clocks and commits are not exact to the second.
SLACK = timedelta(minutes=5)
# No local day begins earlier than this before the day in UTC.
FARTHEST_ZONE = timedelta(hours=14)


_TAKEN_BY_GATEWAY = (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED)


def _red_without_alert() -> Select[Any]:
    return select(CheckIn.id).where(
        CheckIn.level >= int(TriageLevel.URGENT), CheckIn.alert_id.is_(None)
    )


def _alert_of_another() -> Select[Any]:
    return (
        select(CheckIn.id)
        .join(Alert, Alert.id == CheckIn.alert_id)
        .where(Alert.patient_id != CheckIn.patient_id)
    )


def _alert_without_text() -> Select[Any]:
    text = exists().where(Message.alert_id == Alert.id, Message.kind == MessageKind.STAFF_ALERT)
    return select(Alert.id).where(~text)


def _two_open() -> Select[Any]:
    return (
        select(Alert.patient_id)
        .where(Alert.state != AlertState.CLOSED)
        .group_by(Alert.patient_id)
        .having(func.count() > 1)
    )


def _calmer_than_answers() -> Select[Any]:
    return (
        select(CheckIn.id)
        .join(Alert, Alert.id == CheckIn.alert_id)
        .where(CheckIn.level > Alert.level)
    )


def _alert_not_audited() -> Select[Any]:
    entry = exists().where(
        AuditEntry.subject_kind == "alert",
        AuditEntry.subject_id == Alert.id,
        AuditEntry.action == "alert.opened",
    )
    return select(Alert.id).where(~entry)


def _page_of_silence_without_alert() -> Select[Any]:
    return select(SilenceMark.id).where(
        SilenceMark.kind == SilenceMarkKind.PAGED, SilenceMark.alert_id.is_(None)
    )


def _sent_at_no_time() -> Select[Any]:
    return select(CheckIn.id).where(CheckIn.state == CheckInState.SENT, CheckIn.sent_at.is_(None))


def _accepted_without_id() -> Select[Any]:
    return select(Message.id).where(
        Message.state.in_(_TAKEN_BY_GATEWAY),
        or_(Message.gateway_id.is_(None), Message.accepted_at.is_(None)),
    )


def _sending_for_ever() -> Select[Any]:
    return select(Message.id).where(
        Message.state == MessageState.SENDING,
        or_(Message.lease_until.is_(None), Message.lease_by.is_(None)),
    )


def _failed_without_reason() -> Select[Any]:
    return select(Message.id).where(
        Message.state.in_((MessageState.FAILED, MessageState.UNDELIVERED)),
        Message.error_code.is_(None),
    )


def _reminders_too_close() -> Select[Any]:
    earlier, later = aliased(Message), aliased(Message)
    apart = extract("epoch", later.created_at) - extract("epoch", earlier.created_at)
    return (
        select(later.id)
        .join(earlier, earlier.patient_id == later.patient_id)
        .where(
            earlier.kind == MessageKind.REMINDER,
            later.kind == MessageKind.REMINDER,
            later.created_at > earlier.created_at,
            apart < (REMINDERS_APART - SLACK).total_seconds(),
        )
    )


def _void_of_another() -> Select[Any]:
    voided = aliased(MedicineEvent)
    return (
        select(MedicineEvent.id)
        .outerjoin(voided, voided.id == MedicineEvent.voids_id)
        .where(
            or_(
                voided.patient_id != MedicineEvent.patient_id,
                voided.kind == MedicineKind.TAKEN_BACK,
                (MedicineEvent.kind == MedicineKind.TAKEN_BACK)
                != MedicineEvent.voids_id.is_not(None),
            )
        )
    )


def _medicine_ahead() -> Select[Any]:
    ahead = extract("epoch", MedicineEvent.on_date) - extract("epoch", MedicineEvent.entered_at)
    return select(MedicineEvent.id).where(ahead > FARTHEST_ZONE.total_seconds())


def _approved_alone() -> Select[Any]:
    return select(Override.id).where(
        or_(
            Override.approved_by == Override.set_by,
            Override.approved_by.is_(None) != Override.approved_at.is_(None),
            Override.approved_by.is_not(None) & Override.needs_second.is_(False),
        )
    )


def _form_sent_twice() -> Select[Any]:
    return (
        select(CheckIn.form_key)
        .group_by(CheckIn.patient_id, CheckIn.form_key)
        .having(func.count() > 1)
    )


ALL = (
    Invariant("I2", "red check-ins without an alert", _red_without_alert),
    Invariant("I2", "check-ins with another patient's alert", _alert_of_another),
    Invariant("I22", "alerts calmer than their check-ins", _calmer_than_answers),
    Invariant("I2", "alerts without a text to the care team", _alert_without_text),
    Invariant("I9", "patients with two alerts not closed", _two_open),
    Invariant("I1", "alerts whose opening is not in the audit log", _alert_not_audited),
    Invariant("I2", "pages about silence without an alert", _page_of_silence_without_alert),
    Invariant("I1", "check-ins sent at no time", _sent_at_no_time),
    Invariant("I3", "texts the gateway took without an id", _accepted_without_id),
    Invariant("I5", "texts being sent by nobody or without end", _sending_for_ever),
    Invariant("I14", "texts that failed without a reason", _failed_without_reason),
    Invariant("-", "reminders less than 20 hours after another", _reminders_too_close),
    Invariant("-", "medicine entries that take back none of their patient's", _void_of_another),
    Invariant("-", "medicine entries of a day that had not come", _medicine_ahead),
    Invariant("-", "limits not approved by a second person", _approved_alone),
    Invariant("I18", "forms that became two check-ins", _form_sent_twice),
    *alert_invariants.ALL,
)
