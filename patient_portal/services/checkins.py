"""Check-ins: every answer is kept as it is given, triaged at once, and alerts if it is red.

``record_answers`` is the way of each step of the form, ``send`` of its last. Both are idempotent:
the form's own key makes a repeated request the same check-in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.schedule import local_date, therapy_day
from patient_portal.domain.triage import Course, triage
from patient_portal.models import Alert, Answer, CheckIn, CheckInState, Patient
from patient_portal.services import alerts
from patient_portal.services.audit import Actor, record
from patient_portal.services.site import Site

# Weights this far back can matter to a rule (gain in seven days).
WEIGHTS_LOOK_BACK = timedelta(days=8)
# A form that was started can be sent for this long.
FORM_LIVES = timedelta(hours=36)


class FormExpired(LookupError):
    """The form was started too long ago to be changed or sent."""


@dataclass(frozen=True)
class Form:
    """Who sends which form: ``key`` is the form's own random key, made when it was first shown."""

    patient: Patient
    key: str
    reporter: Actor
    phone_recognised: bool = True


@dataclass(frozen=True)
class Step:
    """One step's answers, validated, in the protocol's keys; ``keys`` are all the step could give.

    A key that the step could give and did not is taken out of the present view (an unticked box).
    """

    name: str
    given: Mapping[str, Any]
    keys: Sequence[str]


@dataclass(frozen=True)
class Recorded:
    """What came of it. ``level`` is the highest this check-in ever reached."""

    check_in_id: str
    level: TriageLevel
    alert_id: str | None
    raised: bool


def find(session: Session, patient_id: str, key: str) -> CheckIn | None:
    """The check-in of this form, if its first answer has come."""
    return session.scalars(
        select(CheckIn).where(CheckIn.patient_id == patient_id, CheckIn.form_key == key)
    ).first()


def find_by_key(session: Session, key: str) -> CheckIn | None:
    """The check-in with this form key; the key is 128 random bits that only the form knows."""
    return session.scalars(select(CheckIn).where(CheckIn.form_key == key)).first()


def of_day(session: Session, patient_id: str, day: date) -> list[CheckIn]:
    """All check-ins of a local day, oldest first."""
    return list(
        session.scalars(
            select(CheckIn)
            .where(CheckIn.patient_id == patient_id, CheckIn.local_date == day)
            .order_by(CheckIn.started_at)
        )
    )


def record_answers(session: Session, site: Site, form: Form, step: Step, now: datetime) -> Recorded:
    """Keep one step's answers, triage what is known so far, and alert if it is red.

    Raises:
        FormExpired: the form's first answer is more than 36 hours old. The answers are triaged
            by the caller all the same; an emergency must never wait for a new form.
    """
    check_in = _open(session, site, form, now)
    if now - check_in.started_at > FORM_LIVES:
        raise FormExpired(form.key)
    given = _plain(step.given)
    kept = {key: value for key, value in check_in.answers.items() if key not in step.keys}
    check_in.answers = {**kept, **given}
    session.execute(
        insert(Answer.__table__).values(  # type: ignore[arg-type]
            id=new_id(),
            check_in_id=check_in.id,
            number=_next_number(session, check_in.id),
            step=step.name,
            given=given,
            given_at=now,
        )
    )
    return _judge(session, site, form, check_in, now)


def send(session: Session, site: Site, form: Form, now: datetime) -> Recorded | None:
    """Mark the check-in as sent. None if nothing was ever answered; sending twice is once."""
    check_in = find(session, form.patient.id, form.key)
    if check_in is None:
        return None
    if check_in.state is not CheckInState.SENT:
        check_in.state = CheckInState.SENT
        check_in.sent_at = now
        record(
            session, form.reporter, "check_in.sent", "check_in", check_in.id,
            now=now, clinic_id=check_in.clinic_id,
        )  # fmt: skip
        return _judge(session, site, form, check_in, now)
    return Recorded(check_in.id, TriageLevel(check_in.level), check_in.alert_id, raised=False)


def _open(session: Session, site: Site, form: Form, now: datetime) -> CheckIn:
    """The form's check-in, made with its first answer. Locked against a parallel answer."""
    patient = form.patient
    found = _locked(session, form)
    if found is not None:
        return found
    today = local_date(now, patient.zone)
    row = {
        "id": new_id(),
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "form_key": form.key,
        "local_date": today,
        "state": CheckInState.OPEN,
        "reporter": form.reporter.kind,
        "reporter_id": form.reporter.id,
        "phone_recognised": form.phone_recognised,
        "drug": patient.drug,
        "day_of_therapy": therapy_day(patient.first_dose_on, today),
        "answers": {},
        "level": int(TriageLevel.NONE),
        "reasons": [],
        "protocol": site.protocol.id,
        "started_at": now,
    }
    insert_once(session, CheckIn.__table__, row, unique=["patient_id", "form_key"])  # type: ignore[arg-type]
    opened = _locked(session, form)
    assert opened is not None  # noqa: S101 - written above, by us or by the parallel request
    return opened


def _locked(session: Session, form: Form) -> CheckIn | None:
    return session.scalars(
        select(CheckIn)
        .where(CheckIn.patient_id == form.patient.id, CheckIn.form_key == form.key)
        .with_for_update()
    ).first()


def _next_number(session: Session, check_in_id: str) -> int:
    last = session.execute(
        select(func.max(Answer.number)).where(Answer.check_in_id == check_in_id)
    ).scalar_one()
    return (last or 0) + 1


def _judge(session: Session, site: Site, form: Form, check_in: CheckIn, now: datetime) -> Recorded:
    """Triage the answers so far; raise the check-in's level and its alert, never lower them."""
    course = course_for(session, form.patient, check_in.local_date, drug=check_in.drug)
    result = triage(site.protocol, check_in.answers, course)
    before = TriageLevel(check_in.level)
    known = {reason["rule"] for reason in check_in.reasons}
    fresh = [
        {"rule": reason.rule, "level": reason.level.code}
        for reason in result.reasons
        if reason.rule not in known and reason.level is not TriageLevel.NONE
    ]
    check_in.reasons = [*check_in.reasons, *fresh]
    check_in.level = max(before, result.level)
    record(
        session, form.reporter, "check_in.answered", "check_in", check_in.id,
        now=now, clinic_id=check_in.clinic_id, level=TriageLevel(check_in.level).code,
    )  # fmt: skip
    level = TriageLevel(check_in.level)
    if level.is_red:
        alert = alerts.raise_alert(
            session, site, form.patient, _red(check_in, level, course, form), now
        )
        check_in.alert_id = alert.id
    return Recorded(check_in.id, level, check_in.alert_id, raised=level > before)


def _red(check_in: CheckIn, level: TriageLevel, course: Course, form: Form) -> alerts.RedAnswer:
    return alerts.RedAnswer(
        check_in_id=check_in.id,
        level=level,
        reasons=[r for r in check_in.reasons if TriageLevel.from_code(r["level"]).is_red],
        inputs={
            "drug": course.drug,
            "day_of_therapy": course.day_of_therapy,
            "answers": check_in.answers,
            "weights": [[day, str(m.value), m.unit] for day, m in course.weights],
        },
        phone_recognised=form.phone_recognised,
    )


def course_for(session: Session, patient: Patient, on: date, *, drug: str | None = None) -> Course:
    """What the rules need to know beside today's answers: medicine, day, weights, baseline."""
    rows = session.execute(
        select(CheckIn.local_date, CheckIn.answers)
        .where(
            CheckIn.patient_id == patient.id,
            CheckIn.local_date >= on - WEIGHTS_LOOK_BACK,
            CheckIn.local_date < on,
        )
        .order_by(CheckIn.local_date, CheckIn.started_at)
    )
    weights: dict[int, Measure] = {}
    for day, answers in rows:
        measure = weight_of(answers)
        if measure is not None:
            weights[(day - on).days] = measure
    baseline = (
        Measure(patient.baseline_weight, patient.baseline_weight_unit or "kg")
        if patient.baseline_weight is not None
        else None
    )
    return Course(
        drug=drug or patient.drug,
        day_of_therapy=therapy_day(patient.first_dose_on, on),
        weights=tuple(sorted(weights.items())),
        baseline=baseline,
        usual=tuple(patient.usual),
    )


def weight_of(answers: Mapping[str, Any]) -> Measure | None:
    """The weight among stored answers, as entered; None when it was not measured."""
    value, unit = answers.get("weight"), answers.get("weight_unit")
    if value in (None, "not_measured") or unit not in ("kg", "lb"):
        return None
    return Measure(Decimal(str(value)), str(unit))


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answers as JSON keeps them; a decimal stays exact as its text."""
    return {
        key: str(value) if isinstance(value, Decimal) else value for key, value in given.items()
    }


def close_yesterdays(session: Session, now: datetime, limit: int = 200) -> int:
    """Close forms whose local day is over and that nobody sent: they count as partial."""
    stale = (
        session.execute(
            select(CheckIn.id)
            .where(CheckIn.state == CheckInState.OPEN, CheckIn.started_at < now - FORM_LIVES)
            .limit(limit)
        )
        .scalars()
        .all()
    )
    if stale:
        session.execute(
            update(CheckIn).where(CheckIn.id.in_(stale)).values(state=CheckInState.PARTIAL)
        )
    return len(stale)


def alert_of(session: Session, check_in: CheckIn) -> Alert | None:
    """The alert that this check-in opened or joined."""
    return session.get(Alert, check_in.alert_id) if check_in.alert_id else None
