"""Check-ins: every answer is kept as it is given, triaged at once, and alerts if it is red.

``record_answers`` is the way of each step of the form, ``send`` of its last. Both are idempotent:
the form's own key makes a repeated request the same check-in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from patient_portal.database import adopt, insert_once, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.schedule import local_date, readable_zone, therapy_day
from patient_portal.domain.triage import TriageResult
from patient_portal.models import (
    Alert,
    AlertState,
    Answer,
    CheckIn,
    CheckInState,
    MessageKind,
    Patient,
)
from patient_portal.services import alerts, messages
from patient_portal.services.audit import Actor, record
from patient_portal.services.courses import course_for as course_for
from patient_portal.services.courses import weight_of as weight_of
from patient_portal.services.judging import Judged, judge
from patient_portal.services.site import Site

# A form that was started can be sent for this long.
FORM_LIVES = timedelta(hours=36)

# Statements of every answer, built once: building one costs as much as running it.
_BY_KEY = select(CheckIn).where(CheckIn.form_key == bindparam("key"))
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


class FormExpired(LookupError):
    """The form was started too long ago to be changed or sent."""


@dataclass(frozen=True)
class Form:
    """Who sends which form: ``key`` is the form's own random key, made when it was first shown."""

    patient: Patient
    key: str
    reporter: Actor
    phone_recognised: bool = True
    is_new: bool = False  # the caller looked, and found no answer of it yet


@dataclass(frozen=True)
class Step:
    """One step's answers, validated, in the protocol's keys; ``keys`` are all the step could give.

    A key that the step could give and did not is taken out of the present view (an unticked box).
    ``defaults`` stand only where no answer stands yet: what a tick says before it is graded.
    ``name`` is the page that was answered, ``reopens`` the pages that must be asked again.
    """

    name: str
    given: Mapping[str, Any]
    keys: Sequence[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ticks: Sequence[str] | None = None
    reopens: Sequence[str] = ()

    def moves(self, progress: Mapping[str, Any]) -> dict[str, Any]:
        """Where the form stands once this step is answered."""
        asked_again = {self.name, *self.reopens}
        done = [page for page in progress.get("done", ()) if page not in asked_again]
        ticks = progress.get("ticks", []) if self.ticks is None else list(self.ticks)
        return {"done": [*done, self.name], "ticks": ticks}


@dataclass(frozen=True)
class Recorded:
    """What came of it. ``level`` is the highest this check-in ever reached.

    ``stops``: this very answer is an emergency, so no further question may come before the call.
    """

    check_in_id: str
    level: TriageLevel
    alert_id: str | None
    raised: bool
    stops: bool = False


def find(session: Session, patient_id: str, key: str) -> CheckIn | None:
    """The check-in of this form, if its first answer has come."""
    return session.scalars(
        select(CheckIn).where(CheckIn.patient_id == patient_id, CheckIn.form_key == key)
    ).first()


def find_by_key(session: Session, key: str) -> CheckIn | None:
    """The check-in with this form key; the key is 128 random bits that only the form knows."""
    return session.scalars(_BY_KEY, {"key": key}).first()


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
    recorded = _act(session, site, form, check_in, verdict, now)
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
    found = _act(session, site, form, check_in, verdict, now)
    # The same answer sent again (a second tap) must show the emergency again.
    again = was_answered and check_in.answers == before
    return replace(found, stops=found.stops or (again and found.level is TriageLevel.EMERGENCY))


def _take_in(
    session: Session, site: Site, form: Form, check_in: CheckIn, step: Step, now: datetime
) -> "_Verdict":
    """Change the present view by one step's answers, and triage it."""
    kept = {key: value for key, value in check_in.answers.items() if key not in step.keys}
    check_in.answers = {**_plain(step.defaults), **kept, **_plain(step.given)}
    check_in.progress = step.moves(check_in.progress)
    return _judge(session, site, form, check_in, now, [*step.keys, *step.defaults])


def _keep_answer(
    session: Session, check_in: CheckIn, step: Step, number: int, now: datetime
) -> None:
    given = _plain(step.given)
    session.execute(
        _INSERT_ANSWER,
        {
            "id": new_id(),
            "check_in_id": check_in.id,
            "number": number,
            "step": step.name,
            "given": given if step.ticks is None else {**given, "other": list(step.ticks)},
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
        messages.stop_due(session, check_in.patient_id, (MessageKind.REMINDER,))
        record(
            session, form.reporter, "check_in.sent", "check_in", check_in.id,
            now=now, clinic_id=check_in.clinic_id,
        )  # fmt: skip
        verdict = _judge(session, site, form, check_in, now)
        return _act(session, site, form, check_in, verdict, now)
    return Recorded(check_in.id, TriageLevel(check_in.level), check_in.alert_id, raised=False)


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


@dataclass(frozen=True)
class _Verdict:
    """What the rules say of the answers so far, and what of it is new."""

    judged: Judged
    before: TriageLevel
    fresh: Sequence[dict[str, Any]]
    of_this_step: TriageLevel


def _judge(
    session: Session,
    site: Site,
    form: Form,
    check_in: CheckIn,
    now: datetime,
    answered: Sequence[str] = (),
) -> _Verdict:
    """Triage the answers so far; raise the check-in's level and reasons, never lower them."""
    judged = judge(session, site.protocol, form.patient, check_in, now)
    check_in.day_of_therapy = judged.course.day_of_therapy  # a restart counts anew
    before = TriageLevel(check_in.level)
    fresh = _fresh(check_in, judged.result)
    check_in.reasons = [*check_in.reasons, *fresh]
    check_in.level = int(max(before, judged.result.level))
    of_this_step = _answered(site.protocol, judged.own, answered)
    return _Verdict(judged, before, fresh, of_this_step)


def _act(
    session: Session, site: Site, form: Form, check_in: CheckIn, verdict: _Verdict, now: datetime
) -> Recorded:
    """Write what was found into the audit log, and raise the alert if there is a red answer."""
    level = TriageLevel(check_in.level)
    record(
        session, form.reporter, "check_in.answered", "check_in", check_in.id,
        now=now, clinic_id=check_in.clinic_id, level=level.code,
    )  # fmt: skip
    if level.is_red and not _is_news(check_in, verdict) and check_in.alert_id is None:
        # Red only because the day already was, and that was told: it joins in silence.
        check_in.alert_id = _alert_of_same_day(session, check_in)
    if level.is_red and (check_in.alert_id is None or _is_news(check_in, verdict)):
        red = _red(check_in, level, verdict.judged.inputs, form)
        check_in.alert_id = alerts.raise_alert(session, site, form.patient, red, now).id
    raised = level > verdict.before
    is_emergency = raised or verdict.of_this_step is TriageLevel.EMERGENCY
    return Recorded(
        check_in.id,
        level,
        check_in.alert_id,
        raised=raised,
        stops=is_emergency and level is TriageLevel.EMERGENCY,
    )


def _is_news(check_in: CheckIn, verdict: _Verdict) -> bool:
    """Whether a red check-in has something to tell that its day has not told."""
    news = verdict.judged.news
    return (
        verdict.of_this_step >= TriageLevel.URGENT
        or (check_in.alert_id is None and bool(news))
        or any(reason["rule"] in news for reason in verdict.fresh)
    )


def _fresh(check_in: CheckIn, result: TriageResult) -> list[dict[str, str]]:
    """The reasons that are new, or of a higher level than they had."""
    known = {
        (reason["rule"], TriageLevel.from_code(reason["level"])) for reason in check_in.reasons
    }
    highest = {rule: max(level for r, level in known if r == rule) for rule, _ in known}
    return [
        {"rule": reason.rule, "level": reason.level.code}
        for reason in result.reasons
        if reason.level > highest.get(reason.rule, TriageLevel.NONE)
    ]


def _alert_of_same_day(session: Session, check_in: CheckIn) -> str | None:
    """The alert, not closed, of another check-in of the same day."""
    return session.scalars(
        select(Alert.id)
        .join(CheckIn, CheckIn.alert_id == Alert.id)
        .where(
            CheckIn.patient_id == check_in.patient_id,
            CheckIn.local_date == check_in.local_date,
            CheckIn.id != check_in.id,
            Alert.state != AlertState.CLOSED,
        )
        .limit(1)
    ).first()


def _answered(protocol: Protocol, result: TriageResult, answered: Sequence[str]) -> TriageLevel:
    """The level of the step just answered, by itself.

    A calm answer to a later question of a red form is no new red answer: it must neither page
    again nor open a second alert after the first was closed.
    """
    levels = (
        reason.level for reason in result.reasons if protocol.rule(reason.rule).item in answered
    )
    return max(levels, default=TriageLevel.NONE)


def _red(
    check_in: CheckIn, level: TriageLevel, inputs: dict[str, Any], form: Form
) -> alerts.RedAnswer:
    return alerts.RedAnswer(
        check_in_id=check_in.id,
        level=level,
        reasons=[r for r in check_in.reasons if TriageLevel.from_code(r["level"]).is_red],
        inputs=inputs,
        phone_recognised=form.phone_recognised,
        known_alert_id=check_in.alert_id,
    )


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answers as JSON keeps them; a decimal stays exact as its text."""
    return {
        key: str(value) if isinstance(value, Decimal) else value for key, value in given.items()
    }


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


def close_yesterdays(session: Session, now: datetime, limit: int = 200) -> int:
    """Close forms whose local day is over and that nobody sent: they count as partial.

    They can still be sent until they are 36 hours old. Returns how many were closed.
    """
    # No place on earth is more than 14 hours ahead, so nothing else can be over.
    candidates = session.execute(
        select(CheckIn.id, CheckIn.local_date, Patient.zone)
        .join(Patient, Patient.id == CheckIn.patient_id)
        .where(
            CheckIn.state == CheckInState.OPEN,
            CheckIn.local_date < (now + timedelta(hours=14)).date(),
        )
        .order_by(CheckIn.local_date)
        .limit(limit)
    )
    over = [
        row.id for row in candidates if row.local_date < local_date(now, readable_zone(row.zone))
    ]
    if not over:
        return 0
    closed = session.scalars(
        update(CheckIn)
        # Asked again: the form may have been sent since it was looked up.
        .where(CheckIn.id.in_(over), CheckIn.state == CheckInState.OPEN)
        .values(state=CheckInState.PARTIAL)
        .returning(CheckIn.id)
    )
    return len(closed.all())


def alert_of(session: Session, check_in: CheckIn) -> Alert | None:
    """The alert that this check-in opened or joined."""
    return session.get(Alert, check_in.alert_id) if check_in.alert_id else None
