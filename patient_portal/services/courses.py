"""What the rules need to know of a patient beside the answers: built from stored check-ins."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.answers import with_unticked
from patient_portal.domain.course import PATIENT, Course, Earlier
from patient_portal.domain.facts import weights_in
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.pages import OTHER
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.schedule import therapy_day
from patient_portal.models import Alert, AlertState, CheckIn, Patient

# Check-ins this far back can matter to a rule: a sign of six days ago may rest on a weight of seven
# days before it.
LOOK_BACK = timedelta(days=13)
# "Yesterday" is the last earlier local date with a check-in, at most this far back.
YESTERDAY_WITHIN = timedelta(days=3)


def told_by(
    protocol: Protocol, answers: Mapping[str, Any], progress: Mapping[str, Any]
) -> dict[str, object]:
    """Answers as the rules take them: a row of the list that was seen and not ticked is a no."""
    seen = OTHER in progress.get("done", ())
    return with_unticked(protocol, answers, progress.get("ticks", ()) if seen else None)


def course_for(
    session: Session,
    patient: Patient,
    on: date,
    *,
    drug: str | None = None,
    now: datetime | None = None,
    protocol: Protocol | None = None,
) -> Course:
    """What the rules need to know beside the answers of the first check-in on this date.

    Without `now` no recheck counts as still to come. With `protocol`, rows of the list that were
    seen and not ticked count as "no" on earlier days.
    """
    return course_with(session, patient, on, drug or patient.drug, now=now, protocol=protocol)


def course_with(
    session: Session,
    patient: Patient,
    on: date,
    drug: str,
    *,
    now: datetime | None,
    same_day_but: str | None = None,
    reporter: str = PATIENT,
    protocol: Protocol | None = None,
) -> Course:
    """The course of one check-in. `same_day_but` is its own id: then others of its day count."""
    history = tuple(
        earlier_of(row, on, now=now, protocol=protocol)
        for row in _earlier(session, patient.id, on)
        if row.local_date < on or same_day_but not in (None, row.id)
    )
    return course_of(patient, on, history, drug=drug, reporter=reporter)


def course_of(
    patient: Patient,
    on: date,
    history: tuple[Earlier, ...],
    *,
    drug: str,
    reporter: str = PATIENT,
) -> Course:
    """The course of a patient on a date, with these earlier check-ins."""
    baseline = (
        Measure(patient.baseline_weight, patient.baseline_weight_unit or "kg")
        if patient.baseline_weight is not None
        else None
    )
    owned = {"scale": patient.has_scale, "thermometer": patient.has_thermometer}
    return Course(
        drug=drug,
        day_of_therapy=therapy_day(patient.first_dose_on, on),
        weights=weights_in(history),
        baseline=baseline,
        usual=tuple(patient.usual),
        owns=tuple(device for device, is_owned in owned.items() if is_owned),
        history=history,
        reporter=reporter,
    )


def earlier_of(
    row: Any, on: date, *, now: datetime | None = None, protocol: Protocol | None = None
) -> Earlier:
    """A stored check-in as the rules see it on a later date; ``row`` is of ``EARLIER_COLUMNS``."""
    answers = row.answers if protocol is None else told_by(protocol, row.answers, row.progress)
    is_closed = row.alert_state is AlertState.CLOSED
    return Earlier(
        days_ago=(on - row.local_date).days,
        answers=answers,
        level=TriageLevel(row.level),
        is_closed=is_closed,
        recheck=is_closed and now is not None and (row.recheck_at or now) > now,
        reporter=row.reporter,
    )


EARLIER_COLUMNS = (
    CheckIn.id,
    CheckIn.local_date,
    CheckIn.answers,
    CheckIn.progress,
    CheckIn.level,
    CheckIn.reporter,
    Alert.state.label("alert_state"),
    Alert.recheck_at,
)


def _earlier(session: Session, patient_id: str, on: date) -> Sequence[Any]:
    """The check-ins that can matter to the rules on this date, its own too, oldest first."""
    return session.execute(
        select(*EARLIER_COLUMNS)
        .outerjoin(Alert, Alert.id == CheckIn.alert_id)
        .where(
            CheckIn.patient_id == patient_id,
            CheckIn.local_date >= on - LOOK_BACK,
            CheckIn.local_date <= on,
        )
        .order_by(CheckIn.local_date, CheckIn.started_at)
    ).all()


def weight_of(answers: Mapping[str, Any]) -> Measure | None:
    """The weight among stored answers, as entered; None when it was not measured."""
    value, unit = answers.get("weight"), answers.get("weight_unit")
    if value in (None, "not_measured") or unit not in ("kg", "lb"):
        return None
    return Measure(Decimal(str(value)), str(unit))
