"""What the rules need to know of a patient beside the answers: built from stored check-ins."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session

from patient_portal import protocols
from patient_portal.domain.answers import with_unticked
from patient_portal.domain.course import PATIENT, Course, Earlier
from patient_portal.domain.facts import weights_in
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.overrides import Overrides
from patient_portal.domain.pages import OTHER
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.schedule import local_date, readable_zone, therapy_day
from patient_portal.domain.windows import Standing, standing
from patient_portal.logs import get_logger
from patient_portal.models import (
    Alert,
    AlertState,
    Answer,
    CheckIn,
    Clinic,
    Override,
    OverrideKind,
    Patient,
)
from patient_portal.services import medicines, overrides
from patient_portal.services.medicines import Entry
from patient_portal.services.resolved import Resolved, read_resolved

_log = get_logger()

# Check-ins this far back can matter to a rule: a sign of six days ago may rest on a weight of seven
# days before it.
LOOK_BACK = timedelta(days=13)
_LIMITS = (
    select(Clinic.uk_lines, Override.what, Override.value, Alert.resolved)
    .select_from(Clinic)
    .outerjoin(Override, and_(Override.patient_id == bindparam("patient"), overrides.STANDS))
    .outerjoin(Alert, and_(Alert.patient_id == bindparam("patient"), Alert.resolved.is_not(None)))
    .where(Clinic.id == bindparam("clinic"))
)
# "Yesterday" is the last earlier local date with a check-in, at most this far back.
YESTERDAY_WITHIN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Notes:
    """What the team has noted for a patient.

    The log of medicines, limits, the clinic's lines, and which signs were over by what moment.
    """

    entries: Sequence[Entry] = ()
    limits: Sequence[tuple[OverrideKind, Any]] = ()
    uk_lines: bool = False
    resolved: Sequence[Resolved] = ()

    @property
    def window_last_day(self) -> int | None:
        """The last day of the window set for this person; None too where it cannot be read."""
        stored = dict(self.limits).get(OverrideKind.WINDOW_LAST_DAY)
        try:
            return overrides.last_day_of(stored)
        except (KeyError, TypeError, ValueError):
            return None


NO_NOTES = Notes()


def notes_of(session: Session, patient: Patient) -> Notes:
    """Read the notes of a patient; two statements."""
    rows = session.execute(_LIMITS, {"patient": patient.id, "clinic": patient.clinic_id}).all()
    return Notes(
        entries=medicines.entries_of(session, patient.id),
        limits=[(row.what, row.value) for row in rows if row.what is not None],
        uk_lines=any(row.uk_lines for row in rows),
        resolved=read_resolved(row.resolved for row in rows if row.resolved is not None),
    )


class Taking(NamedTuple):
    """What the day of therapy is counted from, for lists that read no whole patient."""

    id: str
    first_dose_on: date | None
    zone: str
    drug: str


_LAST_DAYS = select(Override.patient_id, Override.value).where(
    Override.patient_id.in_(bindparam("patients", expanding=True)),
    Override.what == OverrideKind.WINDOW_LAST_DAY,
    overrides.STANDS,
)


def days_of(session: Session, people: Collection[Taking], now: datetime) -> dict[str, int | None]:
    """Each one's day of therapy today, as the rules count it: from the last restart.

    One statement, however many they are.
    """
    entries = medicines.entries_of_many(session, {one.id for one in people})
    protocol = protocols.current()
    return {one.id: _standing_now(one, entries, protocol, now).day_of_therapy for one in people}


def windows_of(
    session: Session, protocol: Protocol, people: Collection[Taking], now: datetime
) -> dict[str, Course]:
    """Day of therapy and window of each today, without answers; two statements.

    What cannot be read counts as no known day, which is inside the window.
    """
    ids = {one.id for one in people}
    entries = medicines.entries_of_many(session, ids)
    rows = session.execute(_LAST_DAYS, {"patients": list(ids)}) if ids else ()
    last_days = {row.patient_id: row.value for row in rows}
    found = {}
    for one in people:
        try:
            last_day = overrides.last_day_of(last_days.get(one.id))
            stands = _standing_now(one, entries, protocol, now, last_day)
        except (KeyError, TypeError, ValueError) as error:
            _log.error("limits.unreadable", patient_id=one.id, exc_info=error)
            last_day, stands = None, Standing(None, True)
        found[one.id] = _window(one.drug, stands, last_day)
    return found


def window_on(patient: Patient, on: date, notes: Notes, protocol: Protocol) -> Course:
    """Day of therapy and window of a patient on a date, without answers."""
    last_day = notes.window_last_day
    stands = standing_on(patient, on, notes, protocol, patient.drug, last_day)
    return _window(patient.drug, stands, last_day)


def _window(drug: str, stands: Standing, last_day: int | None) -> Course:
    return Course(
        drug=drug,
        day_of_therapy=stands.day_of_therapy,
        window_extended=stands.is_extended,
        window_last_day=last_day,
    )


def _standing_now(
    one: Taking,
    entries: Mapping[str, Sequence[Entry]],
    protocol: Protocol,
    now: datetime,
    last_day: int | None = None,
) -> Standing:
    today = local_date(now, readable_zone(one.zone))
    noted = entries.get(one.id)
    if not noted:  # most people: nothing to put together
        return Standing(therapy_day(one.first_dose_on, today), False)
    return standing_on(one, today, Notes(noted), protocol, one.drug, last_day)


def standing_on(
    patient: Patient | Taking,
    on: date,
    notes: Notes,
    protocol: Protocol,
    drug: str,
    window_last_day: int | None = None,
) -> Standing:
    """The day of therapy and whether the window is kept open, from the log of medicines.

    A log that contradicts itself counts as no known day, which is inside the window.
    """
    try:
        log = medicines.log_of(patient.first_dose_on, notes.entries)
    except ValueError as error:
        _log.error("medicines.unreadable", patient_id=patient.id, exc_info=error)
        return Standing(None, True)
    try:
        medicine = protocol.drug(drug)
    except KeyError:
        medicine = protocol.drug("unknown")
    found = standing(protocol, medicine, log, on, window_last_day=window_last_day)
    if found.day_of_therapy is None:  # before the first dose the days are counted back from it
        return replace(found, day_of_therapy=therapy_day(patient.first_dose_on, on))
    return found


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
    notes = notes_of(session, patient)
    history = tuple(
        earlier_of(row, on, notes=notes, now=now, protocol=protocol)
        for row in _earlier(session, patient.id, on)
        if row.local_date < on or same_day_but not in (None, row.id)
    )
    return course_of(
        patient, on, history, drug=drug, reporter=reporter, notes=notes,
        protocol=protocol or protocols.current(),
    )  # fmt: skip


def course_of(
    patient: Patient,
    on: date,
    history: tuple[Earlier, ...],
    *,
    drug: str,
    notes: Notes,
    protocol: Protocol,
    reporter: str = PATIENT,
) -> Course:
    """The course of a patient on a date, with these earlier check-ins and notes of the team."""
    limits: Overrides = overrides.standing_of(patient, notes.limits)
    stands = standing_on(patient, on, notes, protocol, drug, limits.window_last_day)
    owned = {"scale": patient.has_scale, "thermometer": patient.has_thermometer}
    return Course(
        drug=drug,
        day_of_therapy=stands.day_of_therapy,
        window_extended=stands.is_extended,
        window_last_day=limits.window_last_day,
        fever_line=limits.fever_line,
        on_steroid=limits.on_steroid or medicines.is_on_steroid(notes.entries, on),
        uk_lines=notes.uk_lines,
        weights=weights_in(history),
        baseline=limits.baseline,
        usual=tuple(patient.usual),
        owns=tuple(device for device, is_owned in owned.items() if is_owned),
        history=history,
        reporter=reporter,
    )


def earlier_of(
    row: Any,
    on: date,
    *,
    notes: Notes,
    now: datetime | None = None,
    protocol: Protocol | None = None,
) -> Earlier:
    """A stored check-in as the rules see it on a later date; ``row`` is of ``EARLIER_COLUMNS``."""
    # An answer given after the closing was not before the eyes of whoever closed.
    told_at = row.told_at or row.started_at
    resolved = {sign for one in notes.resolved if told_at <= one.until for sign in one.signs}
    answers = row.answers if protocol is None else told_by(protocol, row.answers, row.progress)
    is_closed = row.alert_state is AlertState.CLOSED
    return Earlier(
        days_ago=(on - row.local_date).days,
        answers=answers,
        level=TriageLevel(row.level),
        is_closed=is_closed,
        resolved=tuple(sorted(resolved)),
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
    CheckIn.started_at,
    # Of the last answer.
    select(func.max(Answer.given_at))
    .where(Answer.check_in_id == CheckIn.id)
    .scalar_subquery()
    .label("told_at"),
    Alert.state.label("alert_state"),
    Alert.recheck_at,
)


# Built once: every answer asks this.
_EARLIER = (
    select(*EARLIER_COLUMNS)
    .outerjoin(Alert, Alert.id == CheckIn.alert_id)
    .where(
        CheckIn.patient_id == bindparam("patient"),
        CheckIn.local_date >= bindparam("since"),
        CheckIn.local_date <= bindparam("on"),
    )
    .order_by(CheckIn.local_date, CheckIn.started_at)
)


def _earlier(session: Session, patient_id: str, on: date) -> Sequence[Any]:
    """The check-ins that can matter to the rules on this date, its own too, oldest first."""
    asked = {"patient": patient_id, "since": on - LOOK_BACK, "on": on}
    return session.execute(_EARLIER, asked).all()


def weight_of(answers: Mapping[str, Any]) -> Measure | None:
    """The weight among stored answers, as entered; None when it was not measured."""
    value, unit = answers.get("weight"), answers.get("weight_unit")
    if value in (None, "not_measured") or unit not in ("kg", "lb"):
        return None
    return Measure(Decimal(str(value)), str(unit))
