"""What must always hold on an alert's way to a person: its timer, its texts, who took it, drills.

What no query can state is shown by tests instead: guidance before everything else (I10), words
that are a function of the state (I11), time (I12), no waiting behind others (I13), restores (I17),
mixed versions (I19). The alarm path itself (I3, I21) is worked out by ``services.alarm_path``.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, extract, func, or_, select
from sqlalchemy.orm import aliased

from patient_portal.domain.delivery import MessageState
from patient_portal.domain.escalation import LEAD_TOLD_EVERY
from patient_portal.domain.ladders import LONGEST_WAIT
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    Clinic,
    Drill,
    Heartbeat,
    InboundText,
    Message,
    MessageKind,
    Patient,
    Role,
    StaffMember,
    StaffPhone,
)
from patient_portal.services.invariant import Invariant

SLACK = timedelta(minutes=5)
_UNSENT = (MessageState.DUE, MessageState.SENDING)
# Texts that put somebody on an alert's ladder.
_PAGES = (
    MessageKind.STAFF_ALERT, MessageKind.STAFF_WORSE, MessageKind.STAFF_REPAGE,
    MessageKind.STAFF_BUNDLE,
)  # fmt: skip


def _longer(later: Any, earlier: Any, span: timedelta) -> ColumnElement[bool]:
    apart = extract("epoch", later) - extract("epoch", earlier)
    return apart > (span + SLACK).total_seconds()


def _waits_for_nothing() -> Select[Any]:
    return select(Alert.id).where(Alert.state != AlertState.CLOSED, Alert.next_action_at.is_(None))


def _waits_too_long() -> Select[Any]:
    began = func.coalesce(Alert.step_started_at, Alert.ladder_started_at)
    acted = func.coalesce(Alert.lead_told_at, Alert.taken_at)
    longest = max(LONGEST_WAIT.values())
    return select(Alert.id).where(
        or_(
            and_(Alert.state == AlertState.OPEN, _longer(Alert.next_action_at, began, longest)),
            and_(
                Alert.state == AlertState.TAKEN,
                _longer(Alert.next_action_at, acted, LEAD_TOLD_EVERY),
            ),
        )
    )


def _same_gateway_id() -> Select[Any]:
    return (
        select(Message.gateway_id)
        .where(Message.gateway_id.is_not(None), Message.carried_by.is_(None))
        .group_by(Message.gateway_id)
        .having(func.count() > 1)
    )


def _paged_after_taking() -> Select[Any]:
    return (
        select(Message.id)
        .join(Alert, Alert.id == Message.alert_id)
        .where(
            Message.kind == MessageKind.STAFF_ALERT,
            or_(
                and_(Alert.state == AlertState.TAKEN, Message.created_at > Alert.taken_at),
                and_(Alert.state == AlertState.CLOSED, Message.created_at > Alert.closed_at),
            ),
        )
    )


def _status_went_back() -> Select[Any]:
    is_delivered = Message.state == MessageState.DELIVERED
    return select(Message.id).where(
        or_(
            and_(is_delivered, Message.delivered_at.is_(None)),
            and_(Message.state.in_(_UNSENT), Message.delivered_at.is_not(None)),
        )
    )


def _taken_by_text_of_a_stranger() -> Select[Any]:
    """By text, without a text that names it, from somebody who was texted about it."""
    wrote = exists().where(
        InboundText.alert_id == AuditEntry.subject_id, InboundText.staff_id == AuditEntry.actor_id
    )
    was_texted = exists().where(
        Message.alert_id == AuditEntry.subject_id,
        Message.staff_id == AuditEntry.actor_id,
        Message.kind.in_(_PAGES),
    )
    return select(AuditEntry.id).where(
        AuditEntry.subject_kind == "alert",
        AuditEntry.action == "alert.taken",
        AuditEntry.detail["channel"].as_string() == "text",
        ~(wrote & was_texted),
    )


def _taken_by_nobody() -> Select[Any]:
    return select(Alert.id).where(
        Alert.state == AlertState.TAKEN, or_(Alert.taken_by.is_(None), Alert.taken_at.is_(None))
    )


def _owner_never_took_it() -> Select[Any]:
    took = exists().where(
        AuditEntry.subject_kind == "alert",
        AuditEntry.subject_id == Alert.id,
        AuditEntry.action == "alert.taken",
        AuditEntry.actor_id == Alert.taken_by,
    )
    return select(Alert.id).where(
        Alert.state == AlertState.TAKEN, Alert.taken_by.is_not(None), ~took
    )


def _closed_by_nobody() -> Select[Any]:
    by_nobody = and_(Alert.closed_by.is_(None), Alert.is_test.is_(False))
    return select(Alert.id).where(
        Alert.state == AlertState.CLOSED,
        or_(by_nobody, Alert.closed_at.is_(None), Alert.outcome.is_(None)),
    )


def _end_not_audited() -> Select[Any]:
    ended = exists().where(
        AuditEntry.subject_kind == "alert",
        AuditEntry.subject_id == Alert.id,
        AuditEntry.action.in_(("alert.closed", "alert.test_ended")),
    )
    return select(Alert.id).where(
        Alert.state == AlertState.CLOSED, Alert.closed_at.is_not(None), ~ended
    )


def _sent_to_another_clinic() -> Select[Any]:
    staff_clinic = (
        select(StaffMember.clinic_id).where(StaffMember.id == Message.staff_id).scalar_subquery()
    )
    return (
        select(Message.id)
        .join(Alert, Alert.id == Message.alert_id)
        .where(or_(Message.clinic_id != Alert.clinic_id, staff_clinic != Alert.clinic_id))
    )


def _alert_of_another_clinic() -> Select[Any]:
    return (
        select(Alert.id)
        .join(Patient, Patient.id == Alert.patient_id)
        .where(Patient.clinic_id != Alert.clinic_id, Alert.state != AlertState.CLOSED)
    )


def _nobody_to_text() -> Select[Any]:
    somebody = exists().where(
        StaffMember.clinic_id == Clinic.id,
        StaffMember.disabled_at.is_(None),
        StaffMember.role != Role.AUDITOR,
        StaffPhone.staff_id == StaffMember.id,
        StaffPhone.stopped_at.is_(None),
        StaffPhone.bad_at.is_(None),
    )
    return select(Clinic.id).where(
        Clinic.live_at.is_not(None), Clinic.catch_all.is_(None), ~somebody
    )


def _live_without_a_line() -> Select[Any]:
    return select(Clinic.id).where(Clinic.live_at.is_not(None), Clinic.line == "")


def _beat_ahead() -> Select[Any]:
    """A sign of life that lies a day after all others was written by a clock that is off."""
    other = aliased(Heartbeat)
    latest_other = (
        select(func.max(other.beat_at)).where(other.worker != Heartbeat.worker).scalar_subquery()
    )
    return select(Heartbeat.worker).where(
        _longer(Heartbeat.beat_at, latest_other, timedelta(days=2))
    )


def _carried_differs() -> Select[Any]:
    carrier = aliased(Message)
    return (
        select(Message.id)
        .join(carrier, carrier.id == Message.carried_by)
        .where(Message.state != carrier.state, Message.state != MessageState.EXPIRED)
    )


def _carried_was_claimed() -> Select[Any]:
    return select(Message.id).where(
        Message.carried_by.is_not(None),
        or_(Message.lease_by.is_not(None), Message.attempts > 0),
    )


def _drill_with_a_patient() -> Select[Any]:
    return (
        select(Alert.id)
        .join(Patient, Patient.id == Alert.patient_id)
        .where(Patient.is_test != Alert.is_test)
    )


def _drill_goes_on() -> Select[Any]:
    return (
        select(Drill.id)
        .join(Alert, Alert.id == Drill.alert_id)
        .where(Drill.ended_at.is_not(None), Alert.state != AlertState.CLOSED)
    )


def _drill_answered_by_nobody() -> Select[Any]:
    return (
        select(Drill.id)
        .join(Alert, Alert.id == Drill.alert_id)
        .where(Drill.answered_at.is_not(None), Alert.taken_by.is_(None))
    )


ALL = (
    Invariant("I4", "alerts not closed that wait for nothing", _waits_for_nothing),
    Invariant("I4", "alerts that wait longer than any step", _waits_too_long),
    Invariant("I5", "texts that share the gateway's id", _same_gateway_id),
    Invariant("I6", "pages queued after somebody had the alert", _paged_after_taking),
    Invariant("I7", "texts whose state went back", _status_went_back),
    Invariant("I8", "alerts taken by a text of nobody on their ladder",
              _taken_by_text_of_a_stranger),
    Invariant("I9", "alerts taken by nobody", _taken_by_nobody),
    Invariant("I9", "alerts whose owner never took them", _owner_never_took_it),
    Invariant("I9", "alerts closed by nobody or without outcome", _closed_by_nobody),
    Invariant("I15", "alerts whose end is not in the audit log", _end_not_audited),
    Invariant("I16", "alert texts to another clinic", _sent_to_another_clinic),
    Invariant("I16", "open alerts of another clinic's patient", _alert_of_another_clinic),
    Invariant("I20", "live clinics with nobody to text", _nobody_to_text),
    Invariant("I20", "live clinics without a line", _live_without_a_line),
    Invariant("I21", "signs of life far ahead of all others", _beat_ahead),
    Invariant("-", "bundled texts that do not follow their bundle", _carried_differs),
    Invariant("-", "bundled texts that were sent by themselves", _carried_was_claimed),
    Invariant("-", "drills that bother a patient, or patients' alerts as drills",
              _drill_with_a_patient),
    Invariant("-", "drills that ended and whose alert goes on", _drill_goes_on),
    Invariant("-", "drills answered by nobody", _drill_answered_by_nobody),
)  # fmt: skip
