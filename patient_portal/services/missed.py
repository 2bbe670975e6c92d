"""Silence: who has not checked in, as the inbox shows it. Derived when it is read, kept nowhere.

A day counts as missed from its cut-off on, the moment that the protocol sets after the day's text.
A form that nobody sent counts as no check-in, unless it is red.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from patient_portal.domain.course import Course, in_window
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.missed import missed_level, silence_times
from patient_portal.domain.protocol import UNKNOWN_DRUG, Protocol, Rule
from patient_portal.domain.schedule import at_wall_time, local_date, readable_zone, therapy_day
from patient_portal.models import CheckIn, CheckInState, Patient
from patient_portal.services.inbox import Person

# No rule asks for more days than this; whoever is silent for longer is shown as silent so long.
LOOKED_BACK = timedelta(days=30)
_COUNTS = or_(CheckIn.state == CheckInState.SENT, CheckIn.level >= int(TriageLevel.URGENT))


class Silent(NamedTuple):
    """Somebody who has not checked in, and the rule that says what it means."""

    person: Person
    since: date | None  # of the last check-in; None if there is none in the days looked back on
    days: int  # missed, running
    rule: Rule


# Columns of a patient that silence is judged by and shown with, not the whole row; and the
# statement built once: the inbox asks this each time somebody looks.
_COLUMNS = (
    Patient.id, Patient.first_name, Patient.last_name, Patient.birth_year, Patient.language,
    Patient.phone, Patient.drug, Patient.first_dose_on, Patient.zone, Patient.reminder_at,
    Patient.enrolled_at,
)  # fmt: skip
_LAST = (
    select(CheckIn.patient_id, func.max(CheckIn.local_date).label("day"))
    .where(
        CheckIn.clinic_id == bindparam("clinic"),
        CheckIn.local_date >= bindparam("since"),
        _COUNTS,
    )
    .group_by(CheckIn.patient_id)
    .subquery()
)
_WORST = (
    select(func.max(CheckIn.level))
    .where(CheckIn.patient_id == Patient.id, CheckIn.local_date == _LAST.c.day, _COUNTS)
    .scalar_subquery()
)
_EVERYBODY = (
    select(*_COLUMNS, _LAST.c.day.label("last_on"), _WORST.label("worst"))
    .outerjoin(_LAST, _LAST.c.patient_id == Patient.id)
    .where(
        and_(
            Patient.clinic_id == bindparam("clinic"),
            Patient.enrolled_at.is_not(None),
            Patient.ended_at.is_(None),
        )
    )
)


def silent(session: Session, protocol: Protocol, clinic_id: str, now: datetime) -> list[Silent]:
    """The clinic's people who are silent for long enough to matter, the longest first.

    Only those who are enrolled and whose reports have not ended.
    """
    rows = session.execute(
        _EVERYBODY, {"clinic": clinic_id, "since": (now - LOOKED_BACK).date()}
    ).all()
    judged = (_silent(protocol, row, row.last_on, row.worst, now) for row in rows)
    found = [one for one in judged if one is not None]
    found.sort(key=lambda one: (-one.rule.level, -one.days, one.person.last_name))
    return found


def _silent(
    protocol: Protocol, patient: Any, since: date | None, level: int | None, now: datetime
) -> Silent | None:
    days = missed_days(protocol, patient, since, now)
    if not days:
        return None
    after = TriageLevel.NONE if level is None else TriageLevel(level)
    rule = missed_level(
        protocol, days, in_window=_is_in_window(protocol, patient, now), after=after
    )
    return None if rule is None else Silent(_person(patient, now), since, days, rule)


def _person(patient: Any, now: datetime) -> Person:
    today = local_date(now, readable_zone(patient.zone))
    return Person(
        id=patient.id,
        first_name=patient.first_name,
        last_name=patient.last_name,
        birth_year=patient.birth_year,
        language=patient.language,
        phone=patient.phone,
        drug=patient.drug,
        day=therapy_day(patient.first_dose_on, today),
    )


def _is_in_window(protocol: Protocol, patient: Any, now: datetime) -> bool:
    """By the first dose alone; a medicine that is not known counts as in the window."""
    known = {drug.code: drug for drug in protocol.drugs}
    drug = known.get(patient.drug, known[UNKNOWN_DRUG])
    today = local_date(now, readable_zone(patient.zone))
    return in_window(drug, Course(drug.code, therapy_day(patient.first_dose_on, today)))


def missed_days(protocol: Protocol, patient: Any, since: date | None, now: datetime) -> int:
    """How many days running are past their cut-off without a check-in, up to today."""
    if patient.enrolled_at is None:
        return 0
    zone = readable_zone(patient.zone)
    today = local_date(now, zone)
    # The day somebody joined is not held against them.
    joined = local_date(patient.enrolled_at, zone)
    from_ = max(since or joined, joined, today - LOOKED_BACK)
    open_days = (today - from_).days
    while open_days > 0:
        sent_at = at_wall_time(from_ + timedelta(days=open_days), patient.reminder_at, zone)
        if silence_times(protocol.beyond.silence, sent_at, zone).cut_off_at <= now:
            break
        open_days -= 1
    return open_days
