"""Silence: who has not checked in, and what that means. Derived when it is read, kept nowhere.

A day counts as missed from its cut-off on, the moment that the protocol sets after the day's text.
A form that nobody sent counts as no check-in, unless it is red. Days of a pause are not missed.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import String, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from patient_portal.domain.course import Course
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.missed import is_in_window, missed_level, silence_times
from patient_portal.domain.protocol import Protocol, Rule
from patient_portal.domain.schedule import at_wall_time, local_date, readable_zone
from patient_portal.models import Alert, AlertState, CheckIn, CheckInState, Patient
from patient_portal.services.courses import Taking, windows_of
from patient_portal.services.inbox import Person
from patient_portal.services.pauses import pause_of

# No rule asks for more days than this; whoever is silent for longer is shown as silent so long.
LOOKED_BACK = timedelta(days=30)


class Silent(NamedTuple):
    """Somebody who has not checked in, and the rule that says what it means."""

    person: Person
    zone: str
    since: date | None  # of the last check-in; None if there never was one
    counted_from: date  # the day before the first that counts; names this run of missed days
    days: int  # missed, running
    rule: Rule
    after: TriageLevel  # of the last check-in
    course: Course  # day of therapy and window
    has_red_open: bool  # a red check-in whose alert nobody has closed


def counting(check_in: Any) -> Any:
    """The condition that a check-in ends a silence: it was sent, or is red."""
    return or_(check_in.state == CheckInState.SENT, check_in.level >= int(TriageLevel.URGENT))


# Columns of a patient that silence is judged by and shown with, not the whole row; and the
# statement built once: the inbox asks this each time somebody looks, the worker each minute.
_COLUMNS = (
    Patient.id, Patient.first_name, Patient.last_name, Patient.birth_year, Patient.language,
    Patient.phone, Patient.drug, Patient.first_dose_on, Patient.zone, Patient.reminder_at,
    Patient.enrolled_at, Patient.paused_from, Patient.paused_until, Patient.resumed_at,
    Patient.free_until,
)  # fmt: skip
_CLINIC = bindparam("clinic", type_=String)


def last_day_of(patient_id: Any) -> Any:
    """The local date of a patient's last check-in that counts, as a column of a statement.

    The index on patient and date is read from its end: however long the silence, it is one step.
    """
    last = aliased(CheckIn)
    return (
        select(last.local_date)
        .where(last.patient_id == patient_id, counting(last))
        .order_by(last.local_date.desc())
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


_LAST_ON = last_day_of(Patient.id)
_worst = aliased(CheckIn)
_WORST = (
    select(func.max(_worst.level))
    .where(_worst.patient_id == Patient.id, _worst.local_date == _LAST_ON, counting(_worst))
    .correlate(Patient)
    .scalar_subquery()
)
_red = aliased(CheckIn)
_RED_OPEN = (
    select(_red.id)
    .join(Alert, Alert.id == _red.alert_id)
    .where(Alert.patient_id == Patient.id, Alert.state != AlertState.CLOSED)
    .correlate(Patient)
    .exists()
)
_EVERYBODY = select(
    *_COLUMNS, _LAST_ON.label("last_on"), _WORST.label("worst"), _RED_OPEN.label("red_open")
).where(
    and_(
        Patient.clinic_id == _CLINIC,
        Patient.enrolled_at.is_not(None),
        Patient.ended_at.is_(None),
    )
)
_ONE = _EVERYBODY.where(Patient.id == bindparam("patient"))


def silent(session: Session, protocol: Protocol, clinic_id: str, now: datetime) -> list[Silent]:
    """The clinic's people who are silent for long enough to matter, the longest first.

    Only those who are enrolled, not paused, and whose reports have not ended. Three statements.
    """
    rows = session.execute(_EVERYBODY, {"clinic": clinic_id}).all()
    found = _judged(session, protocol, rows, now)
    found.sort(key=lambda one: (-one.rule.level, -one.days, one.person.last_name))
    return found


def silent_one(
    session: Session, protocol: Protocol, clinic_id: str, patient_id: str, now: datetime
) -> Silent | None:
    """The same of one patient; None if there is nothing to say."""
    rows = session.execute(_ONE, {"clinic": clinic_id, "patient": patient_id}).all()
    return next(iter(_judged(session, protocol, rows, now)), None)


def _judged(
    session: Session, protocol: Protocol, rows: Sequence[Any], now: datetime
) -> list[Silent]:
    missing = []
    for row in rows:
        start = counted_from(row, row.last_on, now)
        days = missed_days(protocol, row, start, now)
        if days:
            missing.append((row, start, days))
    people = [Taking(row.id, row.first_dose_on, row.zone, row.drug) for row, *_ in missing]
    courses = windows_of(session, protocol, people, now)
    judged = (_silent(protocol, *one, courses[one[0].id]) for one in missing)
    return [one for one in judged if one is not None]


def _silent(
    protocol: Protocol, patient: Any, start: date, days: int, course: Course
) -> Silent | None:
    after = TriageLevel.NONE if patient.worst is None else TriageLevel(patient.worst)
    rule = missed_level(protocol, days, in_window=is_in_window(protocol, course), after=after)
    if rule is None:
        return None
    return Silent(
        person=_person(patient, course),
        zone=readable_zone(patient.zone),
        since=patient.last_on,
        counted_from=start,
        days=days,
        rule=rule,
        after=after,
        course=course,
        has_red_open=bool(patient.red_open),
    )


def _person(patient: Any, course: Course) -> Person:
    return Person(
        id=patient.id,
        first_name=patient.first_name,
        last_name=patient.last_name,
        birth_year=patient.birth_year,
        language=patient.language,
        phone=patient.phone,
        drug=patient.drug,
        day=course.day_of_therapy,
    )


def counted_from(patient: Any, last_on: date | None, now: datetime) -> date:
    """The last day that is not held against a patient: of a check-in, of joining, of a pause."""
    zone = readable_zone(patient.zone)
    today = local_date(now, zone)
    joined = today if patient.enrolled_at is None else local_date(patient.enrolled_at, zone)
    days = [joined, last_on or joined, patient.free_until or joined]
    pause = pause_of(patient)
    if pause is not None and pause.first <= today:
        days.append(min(pause.free_until, today))
    return max(days)


def missed_days(protocol: Protocol, patient: Any, start: date, now: datetime) -> int:
    """How many days running after ``start`` are past their cut-off, up to today."""
    zone = readable_zone(patient.zone)
    today = local_date(now, zone)
    from_ = max(start, today - LOOKED_BACK)
    open_days = (today - from_).days
    while open_days > 0:
        sent_at = at_wall_time(from_ + timedelta(days=open_days), patient.reminder_at, zone)
        if silence_times(protocol.beyond.silence, sent_at, zone).cut_off_at <= now:
            break
        open_days -= 1
    return open_days
