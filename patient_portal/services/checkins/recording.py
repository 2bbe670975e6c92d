"""Recording answers: each step of the form, its last, and a tap by mistake."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from patient_portal.database import adopt, insert_once, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import local_date, readable_zone, therapy_day
from patient_portal.failpoints import passing
from patient_portal.models import Answer, CheckIn, CheckInState
from patient_portal.services import messages, steroids
from patient_portal.services.audit import record
from patient_portal.services.checkins.forms import FORM_LIVES, Form, FormExpired, Recorded, Step
from patient_portal.services.checkins.verdicts import Verdict, act_on, weigh
from patient_portal.services.pauses import ASKING
from patient_portal.services.site import Site

# Statements of every answer, built once: building one costs as much as running it.
_OF_FORM = (
    select(CheckIn)
    .where(CheckIn.patient_id == bindparam("patient"), CheckIn.form_key == bindparam("key"))
    .with_for_update()
    # A row that this session has seen before is read again: only then is the lock worth it.
    .execution_options(populate_existing=True)
)
_LAST_NUMBER = select(func.max(Answer.number)).where(Answer.check_in_id == bindparam("check_in"))
_INSERT_ANSWER = insert(Answer.__table__).inline()  # type: ignore[arg-type]
_SET_ALERT = (
    update(CheckIn.__table__)  # type: ignore[arg-type]
    .where(CheckIn.id == bindparam("check_in"))
    .values(alert_id=bindparam("alert"))
)
_COLUMNS = tuple(column.key for column in CheckIn.__table__.columns)


def record_answers(session: Session, site: Site, form: Form, step: Step, now: datetime) -> Recorded:
    """Keep one step's answers, triage what is known so far, and alert if it is red.

    Raises:
        FormExpired: the form's first answer is more than 36 hours old. The answers are triaged
            by the caller all the same; an emergency must never wait for a new form.
    """
    # One write of the row at the end, not one before each look at another table.
    with session.no_autoflush:
        found = None if form.is_new else _locked(session, form)
        recorded = (
            _first_answer(session, site, form, step, now)
            if found is None
            else _further_answer(session, site, form, step, found, now)
        )
    session.flush()
    return recorded


def _first_answer(session: Session, site: Site, form: Form, step: Step, now: datetime) -> Recorded:
    """Make the check-in with its first answer, complete but for its alert."""
    check_in = _blank(site, form, now)
    verdict = _take_in(session, site, form, check_in, step, now)
    row = {column: getattr(check_in, column) for column in _COLUMNS}
    if not insert_once(session, CheckIn.__table__, row, unique=["patient_id", "form_key"]):  # type: ignore[arg-type]
        found = _locked(session, form)
        assert found is not None  # noqa: S101 - written by the parallel request that was first
        return _further_answer(session, site, form, step, found, now)
    _keep_answer(session, check_in, step, 1, now)
    passing("checkin.before_alert")
    recorded = act_on(session, site, form, check_in, verdict, now)
    if recorded.alert_id is not None:
        session.execute(_SET_ALERT, {"check_in": check_in.id, "alert": recorded.alert_id})
    # Held, so that this transaction need not read it again.
    session.info["check_in"] = adopt(session, check_in)
    return recorded


def _further_answer(
    session: Session, site: Site, form: Form, step: Step, check_in: CheckIn, now: datetime
) -> Recorded:
    """Take an answer into the check-in that this transaction has locked."""
    session.info["check_in"] = check_in  # held, as above
    if now - check_in.started_at > FORM_LIVES:
        raise FormExpired(form.key)
    before, was_answered = check_in.answers, step.name in check_in.progress.get("done", ())
    verdict = _take_in(session, site, form, check_in, step, now)
    _keep_answer(session, check_in, step, _next_number(session, check_in.id), now)
    found = act_on(session, site, form, check_in, verdict, now)
    # The same answer sent again (a second tap) must show the emergency again.
    again = was_answered and check_in.answers == before
    return replace(found, stops=found.stops or (again and found.level is TriageLevel.EMERGENCY))


def _take_in(
    session: Session, site: Site, form: Form, check_in: CheckIn, step: Step, now: datetime
) -> Verdict:
    """Change the present view by one step's answers, and triage it."""
    kept = {key: value for key, value in check_in.answers.items() if key not in step.keys}
    check_in.answers = {**_plain(step.defaults), **kept, **_plain(step.given)}
    check_in.progress = step.moves(check_in.progress)
    if step.steroid is not None:
        check_in.steroid = step.steroid
        on = check_in.local_date
        steroids.tell(session, form.patient, step.steroid, on, form.reporter, now)
    return weigh(session, site, form, check_in, now, [*step.keys, *step.defaults])


def _keep_answer(
    session: Session, check_in: CheckIn, step: Step, number: int, now: datetime
) -> None:
    session.execute(
        _INSERT_ANSWER,
        {
            "id": new_id(),
            "check_in_id": check_in.id,
            "number": number,
            "step": step.name,
            "given": _plain(step.as_given),
            "given_at": now,
        },
    )


def send(session: Session, site: Site, form: Form, now: datetime) -> Recorded | None:
    """Mark the check-in as sent. None if nothing was ever answered; sending twice is once.

    Raises FormExpired as ``record_answers`` does; every answer was triaged when it was given.
    """
    check_in = _locked(session, form)
    if check_in is None:
        return None
    if check_in.state is not CheckInState.SENT:
        if now - check_in.started_at > FORM_LIVES:
            raise FormExpired(form.key)
        check_in.state = CheckInState.SENT
        check_in.sent_at = now
        # Today's text, if it still waits for its turn, would ask for what is done.
        messages.stop_due(session, check_in.patient_id, ASKING)
        record(
            session, form.reporter, "check_in.sent", "check_in", check_in.id,
            now=now, clinic_id=check_in.clinic_id,
        )  # fmt: skip
        verdict = weigh(session, site, form, check_in, now)
        return act_on(session, site, form, check_in, verdict, now)
    return Recorded(check_in.id, TriageLevel(check_in.level), check_in.alert_id, raised=False)


def take_back(session: Session, form: Form, first_page: str, now: datetime) -> CheckIn | None:
    """Note that the person tapped by mistake, and ask everything after ``first_page`` again.

    Level and alert stand: only a member of staff, having spoken with the person, ends an alert.
    """
    check_in = _locked(session, form)
    if check_in is None:
        return None
    check_in.progress = {**check_in.progress, "done": [first_page]}
    record(
        session, form.reporter, "check_in.taken_back", "check_in", check_in.id,
        now=now, clinic_id=check_in.clinic_id,
    )  # fmt: skip
    if check_in.alert_id is not None:
        record(
            session, form.reporter, "alert.taken_back", "alert", check_in.alert_id,
            now=now, clinic_id=check_in.clinic_id, check_in=check_in.id,
        )  # fmt: skip
    return check_in


def _blank(site: Site, form: Form, now: datetime) -> CheckIn:
    """A check-in without answers, known to no session yet."""
    patient = form.patient
    today = local_date(now, readable_zone(patient.zone))
    return CheckIn(
        id=new_id(),
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        form_key=form.key,
        local_date=today,
        state=CheckInState.OPEN,
        reporter=form.reporter.kind,
        reporter_id=form.reporter.id,
        phone_recognised=form.phone_recognised,
        drug=patient.drug,
        day_of_therapy=therapy_day(patient.first_dose_on, today),
        answers={},
        progress={},
        steroid=None,
        level=int(TriageLevel.NONE),
        reasons=[],
        protocol=site.protocol.id,
        alert_id=None,
        started_at=now,
        sent_at=None,
    )


def _locked(session: Session, form: Form) -> CheckIn | None:
    return session.scalars(_OF_FORM, {"patient": form.patient.id, "key": form.key}).first()


def _next_number(session: Session, check_in_id: str) -> int:
    last = session.execute(_LAST_NUMBER, {"check_in": check_in_id}).scalar_one()
    return (last or 0) + 1


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answers as JSON keeps them; a decimal stays exact as its text."""
    return {
        key: str(value) if isinstance(value, Decimal) else value for key, value in given.items()
    }
