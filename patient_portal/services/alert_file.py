"""Everything the care team needs to know of one alert, read in a handful of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from patient_portal.domain.protocol import Protocol
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import (
    Alert,
    AlertState,
    AuditEntry,
    Caregiver,
    CaregiverGrant,
    CheckIn,
    Message,
    MessageKind,
    MessageState,
    Patient,
    StaffMember,
)
from patient_portal.services.alerts import NoSuchAlert
from patient_portal.services.courses import YESTERDAY_WITHIN, Notes, notes_of
from patient_portal.services.rungs import LadderNow, ladder_now, read_roster, texted_names
from patient_portal.services.tracking import Texted, Trouble, trouble_of
from patient_portal.services.trends import DAYS, Trend, draw


@dataclass(frozen=True, slots=True)
class Given:
    """A check-in of the alert, who entered it, and the one before it (at most three days back)."""

    check_in: CheckIn
    by: str | None  # a caregiver's or member of staff's name; None = the patient
    before: CheckIn | None


@dataclass(frozen=True, slots=True)
class Sent:
    """One text about the alert."""

    to: str
    kind: MessageKind
    state: MessageState
    created_at: datetime
    accepted_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry of the alert's log; ``by`` is a member of staff's name, if one did it."""

    at: datetime
    action: str
    by: str | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class AlertFile:
    """One alert with its patient and all that belongs to it."""

    alert: Alert
    patient: Patient
    owner: str | None
    closed_by: str | None
    previous_ref: str | None
    given: tuple[Given, ...]  # newest first
    sent: tuple[Sent, ...]
    log: tuple[Logged, ...]
    helpers: tuple[Caregiver, ...]
    trend: Trend
    today: date  # in the patient's zone
    trouble: Trouble | None
    ladder: LadderNow | None  # while nobody has it

    def given_for(self, rule: str) -> Given | None:
        """The latest check-in of this alert in which the rule fired."""
        for given in self.given:
            if any(reason["rule"] == rule for reason in given.check_in.reasons):
                return given
        return None


def read_file(
    session: Session, protocol: Protocol, clinic_id: str, ref: str, now: datetime
) -> AlertFile:
    """The clinic's alert with this reference. Raises NoSuchAlert, also for another clinic's."""
    owner, closer, previous = aliased(StaffMember), aliased(StaffMember), aliased(Alert)
    row = session.execute(
        select(Alert, Patient, owner.name, closer.name, previous.ref)
        .join(Patient, Patient.id == Alert.patient_id)
        .outerjoin(owner, owner.id == Alert.taken_by)
        .outerjoin(closer, closer.id == Alert.closed_by)
        .outerjoin(previous, previous.id == Alert.previous_id)
        .where(Alert.ref == ref.upper(), Alert.clinic_id == clinic_id)
    ).one_or_none()
    if row is None:
        raise NoSuchAlert(ref)
    alert, patient = row[0], row[1]
    helpers = _helpers(session, patient.id)
    sent = _sent(session, alert)
    check_ins, until = _check_ins(session, alert, patient, now)
    return AlertFile(
        alert=alert,
        patient=patient,
        owner=row[2],
        closed_by=row[3],
        previous_ref=row[4],
        given=_given(session, alert, check_ins, helpers),
        sent=sent,
        log=_log(session, alert),
        helpers=helpers,
        trend=_trend(protocol, patient, check_ins, until, notes_of(session, patient)),
        today=local_date(now, readable_zone(patient.zone)),
        trouble=_trouble(alert, sent, now),
        ladder=_ladder(session, alert, now),
    )


def _check_ins(
    session: Session, alert: Alert, patient: Patient, now: datetime
) -> tuple[Sequence[CheckIn], date]:
    """The alert's check-ins and those of the days before it, oldest first; the plot's last day."""
    until = local_date(alert.closed_at or now, readable_zone(patient.zone))
    rows = session.scalars(
        select(CheckIn)
        .where(
            CheckIn.patient_id == patient.id,
            or_(
                CheckIn.local_date.between(until - timedelta(days=DAYS - 1), until),
                CheckIn.alert_id == alert.id,
            ),
        )
        .order_by(CheckIn.local_date, CheckIn.started_at)
    ).all()
    return rows, until


def _trend(
    protocol: Protocol, patient: Patient, rows: Sequence[CheckIn], until: date, notes: Notes
) -> Trend:
    first = until - timedelta(days=DAYS - 1)
    near = [(row.local_date, row.answers, row.reporter) for row in rows if row.local_date >= first]
    return draw(protocol, patient, near, first, until, notes)


def _given(
    session: Session, alert: Alert, check_ins: Sequence[CheckIn], helpers: Sequence[Caregiver]
) -> tuple[Given, ...]:
    names = {helper.id: helper.first_name for helper in helpers}
    found: list[Given] = []
    for index, check_in in enumerate(check_ins):
        if check_in.alert_id != alert.id:
            continue
        earlier = [row for row in check_ins[:index] if row.local_date < check_in.local_date]
        before = earlier[-1] if earlier else None
        if before is not None and check_in.local_date - before.local_date > YESTERDAY_WITHIN:
            before = None
        by = None
        if check_in.reporter != "patient" and check_in.reporter_id is not None:
            by = names.get(check_in.reporter_id) or _name_of(session, check_in)
        found.append(Given(check_in, by, before))
    return tuple(reversed(found))


def _name_of(session: Session, check_in: CheckIn) -> str | None:
    """The name of somebody who reported and no longer helps, or of a member of staff."""
    if check_in.reporter == "caregiver":
        helper = session.get(Caregiver, check_in.reporter_id)
        return helper.first_name if helper else None
    member = session.get(StaffMember, check_in.reporter_id)
    return member.name if member else None


def _helpers(session: Session, patient_id: str) -> tuple[Caregiver, ...]:
    return tuple(
        session.scalars(
            select(Caregiver)
            .join(CaregiverGrant, CaregiverGrant.caregiver_id == Caregiver.id)
            .where(CaregiverGrant.patient_id == patient_id, CaregiverGrant.ended_at.is_(None))
            .order_by(Caregiver.first_name)
        )
    )


def _sent(session: Session, alert: Alert) -> tuple[Sent, ...]:
    rows = session.execute(
        select(
            func.coalesce(StaffMember.name, Patient.first_name, Message.to_number),
            Message.kind,
            Message.state,
            Message.created_at,
            Message.accepted_at,
            Message.delivered_at,
            Message.failed_at,
        )
        .outerjoin(StaffMember, StaffMember.id == Message.staff_id)
        .outerjoin(Patient, Patient.id == Message.patient_id)
        .where(Message.alert_id == alert.id)
        .order_by(Message.created_at, StaffMember.name)
    )
    return tuple(Sent(*row) for row in rows)


def _log(session: Session, alert: Alert) -> tuple[Logged, ...]:
    rows = session.execute(
        select(AuditEntry.at, AuditEntry.action, StaffMember.name, AuditEntry.detail)
        .outerjoin(
            StaffMember,
            (StaffMember.id == AuditEntry.actor_id) & (AuditEntry.actor_kind == "staff"),
        )
        .where(AuditEntry.subject_kind == "alert", AuditEntry.subject_id == alert.id)
        .order_by(AuditEntry.id)
    )
    return tuple(Logged(*row) for row in rows)


def _ladder(session: Session, alert: Alert, now: datetime) -> LadderNow | None:
    if alert.state is not AlertState.OPEN:
        return None
    names = texted_names(session, alert.clinic_id).get(alert.id, ())
    return ladder_now(read_roster(session, alert.clinic_id, now), alert, names)


def _trouble(alert: Alert, sent: Sequence[Sent], now: datetime) -> Trouble | None:
    if alert.state is not AlertState.OPEN:
        return None
    texted = Texted.of(
        (text.state, text.accepted_at)
        for text in sent
        if text.kind is MessageKind.STAFF_ALERT and text.created_at >= alert.ladder_started_at
    )
    return trouble_of(texted, alert.ladder_started_at, now)
