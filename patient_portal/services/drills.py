"""Drills: a test alert through the real path, from a red answer to a nurse's reply.

The clinic's test patient answers with a fever. Everything after that is what any red answer sets
off; the alert is marked as a test, so it says TEST, names nobody and ends by itself.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.escalation import AlertState
from patient_portal.domain.schedule import at_wall_time, readable_zone
from patient_portal.models import Alert, Clinic, Drill, Message, MessageKind, Patient
from patient_portal.services import alerts, checkins, notices
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.leads import text_leads
from patient_portal.services.site import Site
from patient_portal.sms import alarm_texts

ANSWER_WITHIN = timedelta(minutes=15)
# The day's drill is started this long after its hour at most; a worker that was away leaves it out.
MAY_BE_LATE = timedelta(hours=2)
_FEVER = {"temperature": Decimal("38.5"), "temperature_unit": "c"}
_KEYS = ("temperature", "temperature_unit")


class DrillRuns(ValueError):
    """A drill of this clinic is under way; there is one at a time."""


@dataclass(frozen=True)
class Result:
    """How far a drill came. Durations are since its start; None is a step that did not come."""

    started_at: datetime
    ended_at: datetime | None
    accepted_after: timedelta | None
    delivered_after: timedelta | None
    answered_after: timedelta | None

    @property
    def is_running(self) -> bool:
        """Whether an answer may still come."""
        return self.ended_at is None

    @property
    def is_proven(self) -> bool:
        """Whether somebody answered in time."""
        return self.ended_at is not None and self.answered_after is not None


def start(session: Session, site: Site, clinic: Clinic, actor: Actor, now: datetime) -> Drill:
    """Let the clinic's test patient give a red answer, and note the drill.

    Raises DrillRuns.
    """
    # The clinic's row is the queue: of two who start at once the second sees the first's drill.
    session.execute(select(Clinic.id).where(Clinic.id == clinic.id).with_for_update())
    if running(session, clinic.id) is not None:
        raise DrillRuns(clinic.id)
    patient = _test_patient(session, clinic, now)
    form = checkins.Form(patient, new_id(), Actor("system", None, clinic.id), is_new=True)
    step = checkins.Step("temperature", _FEVER, _KEYS)
    recorded = checkins.record_answers(session, site, form, step, now)
    checkins.send(session, site, form, now)
    drill = Drill(
        id=new_id(), clinic_id=clinic.id, alert_id=recorded.alert_id, started_at=now,
        asked_by=actor.id if actor.kind == "staff" else None,
    )  # fmt: skip
    session.add(drill)
    session.flush()
    record(session, actor, "drill.started", "drill", drill.id, now=now, clinic_id=clinic.id)
    return drill


def running(session: Session, clinic_id: str) -> Drill | None:
    """The clinic's drill that has not ended."""
    return session.scalars(
        select(Drill).where(Drill.clinic_id == clinic_id, Drill.ended_at.is_(None)).limit(1)
    ).first()


def result(session: Session, drill: Drill) -> Result:
    """How far the drill came, from the alert's own rows as they are now."""
    alert = session.get(Alert, drill.alert_id) if drill.alert_id else None
    accepted, delivered = session.execute(
        select(func.min(Message.accepted_at), func.min(Message.delivered_at)).where(
            Message.alert_id == drill.alert_id, Message.kind == MessageKind.STAFF_ALERT
        )
    ).one()
    taken = alert.taken_at if alert else None

    def since(moment: datetime | None) -> timedelta | None:
        return None if moment is None else moment - drill.started_at

    return Result(drill.started_at, drill.ended_at, since(accepted), since(delivered), since(taken))


def settle(session: Session, drill: Drill, now: datetime) -> bool:
    """End the drill if it was answered, or if it was not in time. True if it ended now.

    Tells the lead of one that failed. Its alert ends with it: nobody need close it.
    """
    session.refresh(drill, with_for_update=True)
    alert = session.get(Alert, drill.alert_id, with_for_update=True) if drill.alert_id else None
    found = result(session, drill)
    is_over = found.answered_after is not None or now >= drill.started_at + ANSWER_WITHIN
    is_over = is_over or (alert is not None and alert.state is AlertState.CLOSED)
    if drill.ended_at is not None or not is_over:
        return False
    drill.ended_at = now
    drill.accepted_at = _moment(drill, found.accepted_after)
    drill.delivered_at = _moment(drill, found.delivered_after)
    drill.answered_at = _moment(drill, found.answered_after)
    if alert is not None and alert.state is not AlertState.CLOSED:
        alerts.end_test(session, alert, now)
    if drill.answered_at is None:
        _tell_lead(session, drill, now)
    record(
        session, SYSTEM, "drill.ended", "drill", drill.id, now=now, clinic_id=drill.clinic_id,
        answered=drill.answered_at is not None,
    )  # fmt: skip
    return True


def _moment(drill: Drill, after: timedelta | None) -> datetime | None:
    return None if after is None else drill.started_at + after


def _tell_lead(session: Session, drill: Drill, now: datetime) -> None:
    text_leads(
        session, drill.clinic_id, f"drill:{drill.id}",
        lambda words, clinic: alarm_texts.drill_failed(words, clinic=clinic.name), now,
    )  # fmt: skip


# ---- each day


def due(session: Session, at: time, now: datetime) -> list[str]:
    """Live clinics (ids) whose drill of the day is to be started now. Only a look."""
    live = session.scalars(select(Clinic).where(Clinic.live_at.is_not(None)))
    return [clinic.id for clinic in live if is_due(session, clinic, at, now)]


def is_due(session: Session, clinic: Clinic, at: time, now: datetime) -> bool:
    """Whether the clinic's hour has come, and no drill was started since it came."""
    zone = readable_zone(clinic.zone)
    starts = at_wall_time(now.astimezone(ZoneInfo(zone)).date(), at, zone)
    if not starts <= now < starts + MAY_BE_LATE:
        return False
    since = select(Drill.id).where(Drill.clinic_id == clinic.id, Drill.started_at >= starts)
    if session.scalars(since.limit(1)).first() is not None:
        return False
    return not notices.is_known(session, clinic.id, _today(clinic, now))


def start_daily(session: Session, site: Site, clinic_id: str, at: time, now: datetime) -> bool:
    """Start the day's drill, once, whichever of the workers comes first."""
    clinic = session.get_one(Clinic, clinic_id)
    if not is_due(session, clinic, at, now):
        return False
    if not notices.is_first(session, clinic.id, _today(clinic, now), now):
        return False
    if running(session, clinic_id) is not None:
        return False  # one that somebody asked for proves as much
    start(session, site, clinic, SYSTEM, now)
    return True


def _today(clinic: Clinic, now: datetime) -> str:
    return f"drill:{now.astimezone(ZoneInfo(readable_zone(clinic.zone))).date().isoformat()}"


def unsettled(session: Session) -> list[str]:
    """Drills (ids) that have not ended."""
    return list(session.scalars(select(Drill.id).where(Drill.ended_at.is_(None))))


# ---- what was proven


def last(session: Session, clinic_id: str) -> Result | None:
    """The clinic's latest drill, running or over."""
    return _newest(session, clinic_id, only_proven=False)


def last_proven(session: Session, clinic_id: str) -> Result | None:
    """The clinic's latest drill that was answered in time."""
    return _newest(session, clinic_id, only_proven=True)


def _newest(session: Session, clinic_id: str, *, only_proven: bool) -> Result | None:
    query = select(Drill).where(Drill.clinic_id == clinic_id)
    if only_proven:
        query = query.where(Drill.answered_at.is_not(None))
    drill = session.scalars(query.order_by(Drill.started_at.desc()).limit(1)).first()
    return None if drill is None else result(session, drill)


# ---- who answers


def _test_patient(session: Session, clinic: Clinic, now: datetime) -> Patient:
    """The clinic's test patient. Its course has ended, so nobody asks it, lists it or texts it."""
    patient_id = notices.id_of("drill", clinic.id)
    row = {
        "id": patient_id, "clinic_id": clinic.id, "first_name": "Test", "last_name": "Alarm",
        "birth_year": 1900, "phone": "", "language": clinic.language, "country": clinic.country,
        "zone": clinic.zone, "drug": "unknown", "partners": [], "usual": [], "created_at": now,
        "ended_at": now, "is_test": True,
    }  # fmt: skip
    insert_once(session, Patient.__table__, row, unique=["id"])  # type: ignore[arg-type]
    return session.get_one(Patient, patient_id)
