"""What the care team's inbox lists: alerts that wait, watch-level answers, what was closed.

Columns, not rows of models: the inbox is read again every half minute by everyone on duty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Subquery, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from patient_portal.domain.delivery import LOST
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date, therapy_day
from patient_portal.models import (
    Alert,
    AlertState,
    CheckIn,
    CheckInState,
    Clinic,
    Heartbeat,
    Message,
    MessageKind,
    OnCall,
    Patient,
    Position,
    StaffMember,
)
from patient_portal.services.audit import Actor, record
from patient_portal.services.tracking import Texted, Trouble, trouble_of

# A watch-level answer that nobody has read stays on the list for this long.
WATCH_IS_SHOWN = timedelta(days=7)
# A form that is being filled in may still become urgent; it is listed when it was sent or left.
STILL_ANSWERING = timedelta(minutes=30)
CLOSED_IS_SHOWN = timedelta(hours=24)
MOST_CLOSED = 20
MOST_WATCH = 200


class NoSuchCheckIn(LookupError):
    """There is no such check-in in this clinic."""


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as the lists show them."""

    id: str
    first_name: str
    last_name: str
    birth_year: int
    language: str
    phone: str
    drug: str
    day: int | None  # of therapy, today in the patient's zone

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert of the list."""

    ref: str
    level: TriageLevel
    state: AlertState
    person: Person
    reasons: Sequence[dict[str, Any]]
    inputs: dict[str, Any]  # the answers and the earlier weights that the rules saw
    opened_at: datetime
    since: datetime  # when the running ladder started
    owner: str | None
    taken_at: datetime | None
    contacted_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    phone_recognised: bool
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class WatchLine:
    """One watch-level check-in that nobody has read."""

    check_in_id: str
    person: Person
    reasons: Sequence[dict[str, Any]]
    inputs: dict[str, Any]
    given_at: datetime
    is_finished: bool


@dataclass(frozen=True)
class Duty:
    """The clinic of a page, who of it is on call now, and the worker's last sign of life."""

    clinic: Clinic
    on_call: dict[Position, tuple[StaffMember, ...]]
    last_beat: datetime | None


def duty(session: Session, clinic_id: str) -> Duty:
    """The clinic, and who holds each position of the ladder. Raises NoResultFound."""
    last_beat = select(func.max(Heartbeat.beat_at)).scalar_subquery()
    rows = session.execute(
        select(Clinic, OnCall.position, StaffMember, last_beat)
        .outerjoin(OnCall, OnCall.clinic_id == Clinic.id)
        .outerjoin(
            StaffMember,
            and_(StaffMember.id == OnCall.staff_id, StaffMember.disabled_at.is_(None)),
        )
        .where(Clinic.id == clinic_id)
        .order_by(StaffMember.name)
    ).all()
    people: dict[Position, tuple[StaffMember, ...]] = {}
    for _, position, member, _ in rows:
        if member is not None:
            people[position] = (*people.get(position, ()), member)
    if not rows:
        return Duty(session.get_one(Clinic, clinic_id), {}, None)
    return Duty(rows[0][0], people, rows[0][3])


def count_open(session: Session, clinic_id: str) -> int:
    """How many alerts of the clinic are not closed."""
    return session.execute(
        select(func.count()).where(Alert.clinic_id == clinic_id, Alert.state != AlertState.CLOSED)
    ).scalar_one()


def open_alerts(session: Session, clinic_id: str, now: datetime) -> list[AlertLine]:
    """Every alert that is not closed: worst level first, then those nobody has, oldest first."""
    texted = _texted_of_open(clinic_id)
    rows = session.execute(
        select(
            *_ALERT_COLUMNS,
            func.coalesce(texted.c.total, 0).label("total"),
            func.coalesce(texted.c.accepted, 0).label("accepted"),
            func.coalesce(texted.c.dead, 0).label("dead"),
        )
        .join(Patient, Patient.id == Alert.patient_id)
        .outerjoin(StaffMember, StaffMember.id == Alert.taken_by)
        .outerjoin(texted, texted.c.alert_id == Alert.id)
        .where(Alert.clinic_id == clinic_id, Alert.state != AlertState.CLOSED)
    )
    lines = [_alert_line(row, now, _trouble(row, now)) for row in rows]
    lines.sort(key=lambda line: (-line.level, line.state is AlertState.TAKEN, line.opened_at))
    return lines


def closed_alerts(session: Session, clinic_id: str, now: datetime) -> list[AlertLine]:
    """Alerts closed in the last day, the latest first."""
    rows = session.execute(
        select(*_ALERT_COLUMNS)
        .join(Patient, Patient.id == Alert.patient_id)
        .outerjoin(StaffMember, StaffMember.id == Alert.closed_by)
        .where(
            Alert.clinic_id == clinic_id,
            Alert.state == AlertState.CLOSED,
            Alert.closed_at >= now - CLOSED_IS_SHOWN,
        )
        .order_by(Alert.closed_at.desc())
        .limit(MOST_CLOSED)
    )
    return [_alert_line(row, now, None) for row in rows]


def watch(session: Session, clinic: Clinic, now: datetime) -> list[WatchLine]:
    """Watch-level check-ins that nobody has read, the oldest first."""
    since = local_date(now, clinic.zone) - WATCH_IS_SHOWN
    rows = session.execute(
        select(*_WATCH_COLUMNS)
        .join(Patient, Patient.id == CheckIn.patient_id)
        .where(
            CheckIn.clinic_id == clinic.id,
            CheckIn.local_date >= since,
            CheckIn.level == int(TriageLevel.WATCH),
            CheckIn.read_at.is_(None),
            or_(
                CheckIn.state != CheckInState.OPEN,
                CheckIn.started_at < now - STILL_ANSWERING,
            ),
        )
        .order_by(CheckIn.started_at)
        .limit(MOST_WATCH)
    )
    return [
        WatchLine(
            check_in_id=row.check_in_id,
            person=person_of(row, now),
            reasons=row.reasons,
            inputs={"answers": row.answers},
            given_at=row.started_at,
            is_finished=row.state is CheckInState.SENT,
        )
        for row in rows
    ]


def mark_read(session: Session, by: StaffMember, check_in_id: str, now: datetime) -> None:
    """Note that ``by`` has seen a watch-level check-in; the first who does is kept.

    Raises NoSuchCheckIn, also for another clinic's.
    """
    found = session.scalars(
        update(CheckIn)
        .where(
            CheckIn.id == check_in_id,
            CheckIn.clinic_id == by.clinic_id,
            CheckIn.read_at.is_(None),
        )
        .values(read_at=now, read_by=by.id)
        .returning(CheckIn.id)
        .execution_options(synchronize_session=False)
    ).first()
    if found is not None:
        record(
            session, Actor("staff", by.id, by.clinic_id), "check_in.read", "check_in",
            check_in_id, now=now,
        )  # fmt: skip
        return
    known = select(CheckIn.id).where(CheckIn.id == check_in_id, CheckIn.clinic_id == by.clinic_id)
    if session.scalars(known).first() is None:
        raise NoSuchCheckIn(check_in_id)


# ---- rows to lines


_PERSON_COLUMNS = (
    Patient.id.label("patient_id"),
    Patient.first_name,
    Patient.last_name,
    Patient.birth_year,
    Patient.language,
    Patient.phone,
    Patient.drug,
    Patient.first_dose_on,
    Patient.zone,
)
_ALERT_COLUMNS = (
    Alert.ref,
    Alert.level,
    Alert.state,
    Alert.reasons,
    Alert.inputs,
    Alert.opened_at,
    Alert.ladder_started_at,
    Alert.taken_at,
    Alert.contacted_at,
    Alert.closed_at,
    Alert.outcome,
    Alert.phone_recognised,
    StaffMember.name.label("owner"),
    *_PERSON_COLUMNS,
)
_WATCH_COLUMNS = (
    CheckIn.id.label("check_in_id"),
    CheckIn.reasons,
    CheckIn.answers,
    CheckIn.started_at,
    CheckIn.state,
    *_PERSON_COLUMNS,
)


def person_of(row: Any, now: datetime) -> Person:
    """The patient of a row that has the person's columns."""
    today: date = local_date(now, row.zone)
    return Person(
        id=row.patient_id,
        first_name=row.first_name,
        last_name=row.last_name,
        birth_year=row.birth_year,
        language=row.language,
        phone=row.phone,
        drug=row.drug,
        day=therapy_day(row.first_dose_on, today),
    )


def _alert_line(row: Row[*tuple[Any, ...]], now: datetime, trouble: Trouble | None) -> AlertLine:
    return AlertLine(
        ref=row.ref,
        level=TriageLevel(row.level),
        state=row.state,
        person=person_of(row, now),
        reasons=row.reasons,
        inputs=row.inputs,
        opened_at=row.opened_at,
        since=row.ladder_started_at,
        owner=row.owner,
        taken_at=row.taken_at,
        contacted_at=row.contacted_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
        phone_recognised=row.phone_recognised,
        trouble=trouble,
    )


def _trouble(row: Row[*tuple[Any, ...]], now: datetime) -> Trouble | None:
    if row.state is not AlertState.OPEN:
        return None
    texted = Texted(total=row.total, accepted=row.accepted, dead=row.dead)
    return trouble_of(texted, row.ladder_started_at, now)


def _texted_of_open(clinic_id: str) -> Subquery:
    """The texts of each open alert's running ladder, counted in one pass."""
    return (
        select(
            Message.alert_id,
            func.count().label("total"),
            func.count(Message.accepted_at).label("accepted"),
            func.sum(case((Message.state.in_(LOST), 1), else_=0)).label("dead"),
        )
        .join(Alert, Alert.id == Message.alert_id)
        .where(
            Alert.clinic_id == clinic_id,
            Alert.state == AlertState.OPEN,
            Message.kind == MessageKind.STAFF_ALERT,
            Message.created_at >= Alert.ladder_started_at,
        )
        .group_by(Message.alert_id)
        .subquery()
    )
