"""What the care team's inbox lists: alerts that wait, watch-level answers, what was closed.

Columns, not rows of models: the inbox is read again every half minute by everyone on duty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Date,
    String,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from patient_portal.database import UtcDateTime
from patient_portal.domain.delivery import LOST
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import (
    Alert,
    AlertState,
    CheckIn,
    CheckInState,
    Clinic,
    Message,
    MessageKind,
    Patient,
    Position,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import rota
from patient_portal.services.audit import Actor, record
from patient_portal.services.courses import Taking, days_of
from patient_portal.services.rungs import LadderNow, ladder_now, read_roster, texted_names
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


class Person(NamedTuple):
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


class AlertLine(NamedTuple):
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
    ladder: LadderNow | None  # while nobody has it


class WatchLine(NamedTuple):
    """One watch-level check-in that nobody has read."""

    check_in_id: str
    person: Person
    reasons: Sequence[dict[str, Any]]
    inputs: dict[str, Any]
    given_at: datetime
    is_finished: bool


class OnDuty(NamedTuple):
    """Somebody on call, and the number (E.164) that is texted first."""

    id: str
    name: str
    phone: str | None


@dataclass(frozen=True)
class Duty:
    """The clinic of a page, and who of it is on call now."""

    clinic: Clinic
    on_call: dict[Position, tuple[OnDuty, ...]]


def duty(session: Session, clinic_id: str, now: datetime) -> Duty:
    """The clinic, and who holds each position of the ladder. Raises NoResultFound."""
    clinic = session.scalars(_DUTY, {"clinic": clinic_id}).one()
    holding = rota.on_call(session, clinic_id, now)
    ids = {person for people in holding.values() for person in people}
    members = {
        row.id: OnDuty(row.id, row.name, row.number)
        for row in session.execute(_MEMBERS, {"people": list(ids)})
    }
    people = {
        position: tuple(members[person] for person in found if person in members)
        for position, found in holding.items()
    }
    return Duty(clinic, people)


def count_open(session: Session, clinic_id: str) -> int:
    """How many alerts of the clinic are not closed."""
    return session.execute(_COUNT_OPEN, {"clinic": clinic_id}).scalar_one()


def open_alerts(session: Session, clinic_id: str, now: datetime) -> list[AlertLine]:
    """Every alert that is not closed: worst level first, then those nobody has, oldest first."""
    rows = session.execute(_OPEN_ALERTS, {"clinic": clinic_id}).all()
    days = _days(session, rows, now)
    ladders = _ladders(session, clinic_id, rows, now)
    lines = [_alert_line(row, days, _trouble(row, now), ladders.get(row.ref)) for row in rows]
    lines.sort(key=lambda line: (-line.level, line.state is AlertState.TAKEN, line.opened_at))
    return lines


def closed_alerts(session: Session, clinic_id: str, now: datetime) -> list[AlertLine]:
    """Alerts closed in the last day, the latest first."""
    asked = {"clinic": clinic_id, "since": now - CLOSED_IS_SHOWN}
    rows = session.execute(_CLOSED_ALERTS, asked).all()
    days = _days(session, rows, now)
    return [_alert_line(row, days, None, None) for row in rows]


def watch(session: Session, clinic: Clinic, now: datetime) -> list[WatchLine]:
    """Watch-level check-ins that nobody has read, the oldest first."""
    asked = {
        "clinic": clinic.id,
        "since": local_date(now, readable_zone(clinic.zone)) - WATCH_IS_SHOWN,
        "answering_since": now - STILL_ANSWERING,
    }
    rows = session.execute(_WATCH, asked).all()
    days = _days(session, rows, now)
    return [
        WatchLine(
            check_in_id=row.check_in_id,
            person=_person(row, days),
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


_DaysOf = dict[str, int | None]


def _days(session: Session, rows: Sequence[Any], now: datetime) -> _DaysOf:
    """The day of therapy of each row's patient; no statement without rows."""
    people = {
        row.patient_id: Taking(row.patient_id, row.first_dose_on, row.zone, row.drug)
        for row in rows
    }
    return days_of(session, people.values(), now)


def _person(row: Any, days: _DaysOf) -> Person:
    return Person(
        id=row.patient_id,
        first_name=row.first_name,
        last_name=row.last_name,
        birth_year=row.birth_year,
        language=row.language,
        phone=row.phone,
        drug=row.drug,
        day=days[row.patient_id],
    )


def _alert_line(
    row: Any, days: _DaysOf, trouble: Trouble | None, ladder: LadderNow | None
) -> AlertLine:
    return AlertLine(
        ref=row.ref,
        level=TriageLevel(row.level),
        state=row.state,
        person=_person(row, days),
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
        ladder=ladder,
    )


def _ladders(
    session: Session, clinic_id: str, rows: Sequence[Any], now: datetime
) -> dict[str, LadderNow]:
    """Where the ladder of each open alert (by reference) stands; no statement without one."""
    waiting = [row for row in rows if row.state is AlertState.OPEN]
    if not waiting:
        return {}
    roster = read_roster(session, clinic_id, now)
    names = texted_names(session, clinic_id)
    return {row.ref: ladder_now(roster, row, names.get(row.alert_id, ())) for row in waiting}


def _trouble(row: Any, now: datetime) -> Trouble | None:
    if row.state is not AlertState.OPEN:
        return None
    texted = Texted(total=row.total or 0, accepted=row.accepted or 0, dead=row.dead or 0)
    return trouble_of(texted, row.ladder_started_at, now)


# ---- statements, made once: building them costs more than running them

_alert, _patient, _staff = Alert.__table__, Patient.__table__, StaffMember.__table__
_message, _check_in = Message.__table__, CheckIn.__table__
_CLINIC: BindParameter[str] = bindparam("clinic", type_=String)

_PERSON_COLUMNS = (
    _patient.c.id.label("patient_id"),
    _patient.c.first_name,
    _patient.c.last_name,
    _patient.c.birth_year,
    _patient.c.language,
    _patient.c.phone,
    _patient.c.drug,
    _patient.c.first_dose_on,
    _patient.c.zone,
)
_ALERT_COLUMNS = (
    _alert.c.id.label("alert_id"),
    _alert.c.ref,
    _alert.c.step,
    _alert.c.round,
    _alert.c.step_started_at,
    _alert.c.level,
    _alert.c.state,
    _alert.c.reasons,
    _alert.c.inputs,
    _alert.c.opened_at,
    _alert.c.ladder_started_at,
    _alert.c.taken_at,
    _alert.c.contacted_at,
    _alert.c.closed_at,
    _alert.c.outcome,
    _alert.c.phone_recognised,
    _staff.c.name.label("owner"),
    *_PERSON_COLUMNS,
)
# The texts of each open alert's running ladder, counted in one pass.
_texted = (
    select(
        _message.c.alert_id,
        func.count().label("total"),
        func.count(case((_message.c.state.not_in(LOST), _message.c.accepted_at))).label("accepted"),
        func.sum(case((_message.c.state.in_(LOST), 1), else_=0)).label("dead"),
    )
    .join(_alert, _alert.c.id == _message.c.alert_id)
    .where(
        _alert.c.clinic_id == _CLINIC,
        _alert.c.state == AlertState.OPEN,
        _message.c.kind == MessageKind.STAFF_ALERT,
        _message.c.created_at >= _alert.c.ladder_started_at,
    )
    .group_by(_message.c.alert_id)
    .subquery()
)
_OPEN_ALERTS = (
    select(*_ALERT_COLUMNS, _texted.c.total, _texted.c.accepted, _texted.c.dead)
    .join(_patient, _patient.c.id == _alert.c.patient_id)
    .outerjoin(_staff, _staff.c.id == _alert.c.taken_by)
    .outerjoin(_texted, _texted.c.alert_id == _alert.c.id)
    .where(
        _alert.c.clinic_id == _CLINIC,
        _alert.c.state != AlertState.CLOSED,
        _alert.c.is_test.is_(False),
    )
)
_CLOSED_ALERTS = (
    select(*_ALERT_COLUMNS)
    .join(_patient, _patient.c.id == _alert.c.patient_id)
    .outerjoin(_staff, _staff.c.id == _alert.c.closed_by)
    .where(
        _alert.c.clinic_id == _CLINIC,
        _alert.c.state == AlertState.CLOSED,
        _alert.c.is_test.is_(False),
        _alert.c.closed_at >= bindparam("since", type_=UtcDateTime),
    )
    .order_by(_alert.c.closed_at.desc())
    .limit(MOST_CLOSED)
)
_WATCH = (
    select(
        _check_in.c.id.label("check_in_id"),
        _check_in.c.reasons,
        _check_in.c.answers,
        _check_in.c.started_at,
        _check_in.c.state,
        *_PERSON_COLUMNS,
    )
    .join(_patient, _patient.c.id == _check_in.c.patient_id)
    .where(
        _check_in.c.clinic_id == _CLINIC,
        _check_in.c.local_date >= bindparam("since", type_=Date),
        _check_in.c.level == int(TriageLevel.WATCH),
        _check_in.c.read_at.is_(None),
        or_(
            _check_in.c.state != CheckInState.OPEN,
            _check_in.c.started_at < bindparam("answering_since", type_=UtcDateTime),
        ),
    )
    .order_by(_check_in.c.started_at)
    .limit(MOST_WATCH)
)
_COUNT_OPEN = select(func.count()).where(
    _alert.c.clinic_id == _CLINIC,
    _alert.c.state != AlertState.CLOSED,
    _alert.c.is_test.is_(False),
)
_DUTY = select(Clinic).where(Clinic.id == _CLINIC)
_MEMBERS = (
    select(StaffMember.id, StaffMember.name, StaffPhone.number)
    .outerjoin(StaffPhone, and_(StaffPhone.staff_id == StaffMember.id, StaffPhone.rank == 1))
    .where(
        StaffMember.id.in_(bindparam("people", expanding=True)),
        StaffMember.disabled_at.is_(None),
    )
)
