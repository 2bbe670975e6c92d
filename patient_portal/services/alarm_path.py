"""Whether the way of an alert to a nurse's phone is proven, worked out whenever somebody reads it.

Everything here comes from rows and the present moment. No job writes "all is well", so a process
that died cannot go on saying so. Who shows it: the care team's and the patients' banners, deep
health, metrics, ``doctor``, and the auditor that pings the outside heartbeat.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from patient_portal.database import UtcDateTime
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.rota import holders
from patient_portal.domain.rota_check import Trouble as RotaTrouble
from patient_portal.domain.rota_check import look_ahead
from patient_portal.models import (
    Alert,
    AlertState,
    Clinic,
    Drill,
    Heartbeat,
    Lane,
    Message,
    MessageState,
    Role,
    StaffMember,
    StaffPhone,
)
from patient_portal.services.gateway_faults import gateway_troubles
from patient_portal.services.machine import Machine
from patient_portal.services.rota_plan import read_board

# The worker gives a sign of life every ten seconds.
WORKER_SILENT_AFTER = timedelta(seconds=60)
MUST_BE_ACCEPTED_IN = timedelta(seconds=120)
TIMER_MAY_BE_LATE = timedelta(minutes=2)
ROTA_LOOKS_AHEAD = timedelta(hours=24)
DRILL_IS_GOOD_FOR = timedelta(hours=26)  # a day, and the time that a late one may take
CLOCK_MAY_BE_OFF = timedelta(seconds=30)
LEAST_FREE = 0.10  # of a disk
# Nobody has taken an alert when its whole ladder has had its turn.
LADDER_IS_OVER_AFTER: Mapping[TriageLevel, timedelta] = {
    TriageLevel.EMERGENCY: timedelta(minutes=20),
    TriageLevel.URGENT: timedelta(minutes=45),
}
WRONG_VERSION = "version"  # a worker's note: the tables are another version's


class Trouble(StrEnum):
    """What is not as it must be; the worst first. The values are the codes of deep health."""

    WORKER_SILENT = "worker_silent"
    WORKER_VERSION = "worker_version"
    GATEWAY_DOWN = "gateway_down"
    NOBODY = "nobody_reachable"
    TEXTS_LATE = "texts_late"
    TIMERS_LATE = "timers_late"
    UNTAKEN = "alert_untaken"
    DISK = "disk_low"
    CLOCK = "clock_skew"
    GATEWAY = "gateway_trouble"
    DRILL_FAILED = "drill_failed"
    DRILL_OLD = "drill_old"
    ROTA_GAP = "rota_gap"
    PHONE_STOPPED = "phone_stopped"
    COVER = "cover_not_confirmed"


# Alerts may reach nobody at this moment: a banner in red, on every page of the care team.
BROKEN = frozenset(
    {
        Trouble.WORKER_SILENT, Trouble.WORKER_VERSION, Trouble.GATEWAY_DOWN, Trouble.NOBODY,
        Trouble.TEXTS_LATE, Trouble.TIMERS_LATE, Trouble.DISK,
    }
)  # fmt: skip
# What a patient must know: the text may not leave, or nobody is there to get it.
TOLD_TO_PATIENTS = frozenset(
    {Trouble.WORKER_SILENT, Trouble.WORKER_VERSION, Trouble.GATEWAY_DOWN, Trouble.NOBODY}
)
# A promise that is still to be given, and no fault of the path.
NO_FAULT = frozenset({Trouble.COVER})


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: since or from when, how many rows, of which clinic (id)."""

    trouble: Trouble
    at: datetime | None = None
    count: int = 1
    clinic_id: str | None = None

    @property
    def is_broken(self) -> bool:
        """Whether alerts may reach nobody at this moment."""
        return self.trouble in BROKEN


def look(session: Session, now: datetime, clinic_id: str, machine: Machine) -> list[Finding]:
    """Everything that is wrong for one clinic, the worst first."""
    return in_order([*quick(session, now, clinic_id), *slow(session, now, clinic_id, machine)])


def look_everywhere(session: Session, now: datetime, machine: Machine) -> list[Finding]:
    """Everything that is wrong for any clinic that is live, and with the portal as a whole."""
    found = [*_of_all(session, now), *of_machine(machine)]
    for clinic in session.scalars(select(Clinic).where(Clinic.live_at.is_not(None))):
        found += [*_of_clinic(session, now, clinic), *of_rota(session, now, clinic)]
    return in_order(found)


def quick(session: Session, now: datetime, clinic_id: str) -> list[Finding]:
    """What must be true at each moment, in a few short statements."""
    clinic = session.get_one(Clinic, clinic_id)
    return in_order([*_of_all(session, now, clinic_id), *_of_clinic(session, now, clinic)])


def slow(session: Session, now: datetime, clinic_id: str, machine: Machine) -> list[Finding]:
    """What changes within hours: the rota of the next day, this machine's disk and clock."""
    clinic = session.get_one(Clinic, clinic_id)
    return in_order([*of_rota(session, now, clinic), *of_machine(machine)])


def for_patients(session: Session, now: datetime, clinic_id: str) -> bool:
    """Whether patients of this clinic must be told that an alert may be slow. Two statements."""
    found = [
        *of_worker(session, now),
        *_of_gateway(session, now),
        *_of_nobody(session, clinic_id),
    ]
    return any(each.trouble in TOLD_TO_PATIENTS for each in found)


def in_order(found: list[Finding]) -> list[Finding]:
    """The worst first."""
    order = list(Trouble)
    return sorted(found, key=lambda each: order.index(each.trouble))


# ---- of the portal as a whole


def _of_all(session: Session, now: datetime, clinic_id: str | None = None) -> Iterator[Finding]:
    yield from of_worker(session, now)
    yield from _of_gateway(session, now)
    yield from _counted(session, now, clinic_id)


def of_worker(session: Session, now: datetime) -> Iterator[Finding]:
    """Whether a worker of this version gave a sign of life within a minute."""
    working, refusing = _last_beats(session)
    if working is not None and now - working <= WORKER_SILENT_AFTER:
        return
    if refusing is not None and now - refusing <= WORKER_SILENT_AFTER:
        yield Finding(Trouble.WORKER_VERSION, working)
    else:
        yield Finding(Trouble.WORKER_SILENT, working)


def _last_beats(session: Session) -> tuple[datetime | None, datetime | None]:
    """Of the workers that work, and of those that refuse this database."""
    row = session.execute(_BEATS).one()
    return row[0], row[1]


_BEATS = select(
    func.max(Heartbeat.beat_at).filter(Heartbeat.note.is_(None)),
    func.max(Heartbeat.beat_at).filter(Heartbeat.note == WRONG_VERSION),
)


def _of_gateway(session: Session, now: datetime) -> Iterator[Finding]:
    for trouble in gateway_troubles(session, now):
        kind = Trouble.GATEWAY_DOWN if trouble.is_down else Trouble.GATEWAY
        yield Finding(kind, trouble.since, trouble.count)
        return  # the worst says enough


# Conditions over moments that are bound when the statement runs.
IS_LATE = and_(
    Message.lane == Lane.ALERT,
    Message.state.in_((MessageState.DUE, MessageState.SENDING)),
    Message.created_at <= bindparam("texts_since", type_=UtcDateTime),
)
IS_OVERDUE = and_(
    Alert.state != AlertState.CLOSED,
    or_(
        Alert.next_action_at.is_(None),
        Alert.next_action_at < bindparam("timers_since", type_=UtcDateTime),
    ),
)
IS_UNTAKEN = and_(
    Alert.state == AlertState.OPEN,
    Alert.is_test.is_(False),
    or_(
        *(
            and_(
                Alert.level == int(level),
                Alert.ladder_started_at <= bindparam(level.code, type_=UtcDateTime),
            )
            for level in LADDER_IS_OVER_AFTER
        )
    ),
)


def moments(now: datetime) -> dict[str, datetime]:
    """What the conditions above are bound to at this moment."""
    return {
        "texts_since": now - MUST_BE_ACCEPTED_IN,
        "timers_since": now - TIMER_MAY_BE_LATE,
        **{level.code: now - wait for level, wait in LADDER_IS_OVER_AFTER.items()},
    }


_COUNTED: Mapping[Trouble, tuple[type[Message] | type[Alert], ColumnElement[bool]]] = {
    Trouble.TEXTS_LATE: (Message, IS_LATE),
    Trouble.TIMERS_LATE: (Alert, IS_OVERDUE),
    Trouble.UNTAKEN: (Alert, IS_UNTAKEN),
}
_CLINIC: BindParameter[str] = bindparam("clinic", type_=String)


def _counts(*, of_clinic: bool) -> Select[Any]:
    """One statement that counts the rows of each."""

    def counted(table: type[Message] | type[Alert], condition: ColumnElement[bool]) -> Any:
        query = select(func.count(table.id)).where(condition)
        return (query.where(table.clinic_id == _CLINIC) if of_clinic else query).scalar_subquery()

    return select(*(counted(table, condition) for table, condition in _COUNTED.values()))


# Built once: building them costs more than running them.
_COUNTS, _COUNTS_EVERYWHERE = _counts(of_clinic=True), _counts(of_clinic=False)


def _counted(session: Session, now: datetime, clinic_id: str | None) -> Iterator[Finding]:
    """Rows that should not be there, counted by one statement."""
    statement = _COUNTS_EVERYWHERE if clinic_id is None else _COUNTS
    asked = moments(now) if clinic_id is None else {**moments(now), "clinic": clinic_id}
    row = session.execute(statement, asked).one()
    for trouble, count in zip(_COUNTED, row, strict=True):
        if count:
            yield Finding(trouble, count=count, clinic_id=clinic_id)


def of_machine(machine: Machine) -> Iterator[Finding]:
    """This machine's disks and its clock."""
    if machine.least_free is not None and machine.least_free < LEAST_FREE:
        yield Finding(Trouble.DISK, count=int(machine.least_free * 100))
    if abs(machine.clock_is_off) > CLOCK_MAY_BE_OFF:
        yield Finding(Trouble.CLOCK, count=int(abs(machine.clock_is_off).total_seconds()))


# ---- of one clinic


def _of_clinic(session: Session, now: datetime, clinic: Clinic) -> Iterator[Finding]:
    yield from _of_nobody(session, clinic.id)
    stopped = session.execute(_STOPPED, {"clinic": clinic.id}).scalar_one()
    if stopped:
        yield Finding(Trouble.PHONE_STOPPED, count=stopped, clinic_id=clinic.id)
    if clinic.live_at is None:
        return
    yield from of_drills(session, now, clinic.id)
    if clinic.cover_confirmed_at is None:
        yield Finding(Trouble.COVER, clinic_id=clinic.id)


def _of_nobody(session: Session, clinic_id: str) -> Iterator[Finding]:
    if session.execute(_NOBODY, {"clinic": clinic_id}).first() is not None:
        yield Finding(Trouble.NOBODY, clinic_id=clinic_id)


# No phone that could be texted: the ladder would fall through to nothing.
_NOBODY = select(Clinic.id).where(
    Clinic.id == _CLINIC,
    Clinic.catch_all.is_(None),
    ~exists().where(
        StaffMember.clinic_id == Clinic.id,
        StaffMember.disabled_at.is_(None),
        StaffMember.role != Role.AUDITOR,
        StaffPhone.staff_id == StaffMember.id,
        StaffPhone.stopped_at.is_(None),
        StaffPhone.bad_at.is_(None),
    ),
)


_STOPPED = (
    select(func.count(StaffPhone.id))
    .join(StaffMember, StaffMember.id == StaffPhone.staff_id)
    .where(
        StaffMember.clinic_id == _CLINIC,
        StaffMember.disabled_at.is_(None),
        StaffPhone.stopped_at.is_not(None),
    )
)
_LAST_DRILL = (
    select(Drill.started_at, Drill.answered_at)
    .where(Drill.clinic_id == _CLINIC, Drill.ended_at.is_not(None))
    .order_by(Drill.started_at.desc())
    .limit(1)
)


def of_drills(session: Session, now: datetime, clinic_id: str) -> Iterator[Finding]:
    """Whether the last test of the alarm was answered, and is not older than a day or so."""
    last = session.execute(_LAST_DRILL, {"clinic": clinic_id}).first()
    if last is None:
        yield Finding(Trouble.DRILL_OLD, clinic_id=clinic_id)
    elif last.answered_at is None:
        yield Finding(Trouble.DRILL_FAILED, last.started_at, clinic_id=clinic_id)
    elif now - last.answered_at > DRILL_IS_GOOD_FOR:
        yield Finding(Trouble.DRILL_OLD, last.answered_at, clinic_id=clinic_id)


def of_rota(session: Session, now: datetime, clinic: Clinic) -> Iterator[Finding]:
    """The first stretch of the next day in which a position of the ladder is held by nobody."""
    plan = read_board(session, clinic, now).plan
    missing = (RotaTrouble.GAP, RotaTrouble.NOBODY)
    ahead = look_ahead(plan, now, now + ROTA_LOOKS_AHEAD)
    found = [each for each in ahead if each.trouble in missing]
    if found:
        yield Finding(Trouble.ROTA_GAP, min(each.starts for each in found), len(found), clinic.id)


def has_gap_now(session: Session, now: datetime, clinic: Clinic) -> bool:
    """Whether a position that the clinic's ladder needs is held by nobody at this moment."""
    plan = read_board(session, clinic, now).plan
    return any(
        not holders(plan.turns, plan.changes, position, now, plan.zone) for position in plan.needed
    )
