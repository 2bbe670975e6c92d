"""Alerts: opened by a red answer, taken and closed by a person.

An alert and its first texts are rows of the red answer's own transaction. There is at most one
alert a patient that is not closed; further red answers join it. Every act locks the alert's row
first, so of two people who act at once the second sees what the first has done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from patient_portal.database import adopt, insert_once, new_id
from patient_portal.domain.escalation import (
    CONTACT_WITHIN,
    Act,
    AlertState,
    NotAllowed,
    Standing,
    after,
    restarts_ladder,
)
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.replay import joined_inputs
from patient_portal.models import Alert, AuditEntry, MessageKind, Patient, StaffMember
from patient_portal.services import paging
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.refs import new_ref
from patient_portal.services.resolved import as_stored
from patient_portal.services.site import Site
from patient_portal.services.tracking import Tracker as Tracker
from patient_portal.services.tracking import has_living_text
from patient_portal.services.tracking import tracker as tracker

LONGEST_RECHECK = timedelta(days=14)
LONGEST_NOTE = 2000
TRIES_BEFORE_UNREACHABLE = 3
OUTCOMES = (
    "sent_to_emergency", "admitted", "same_day_visit", "advised", "steroid_started", "not_ds",
    "false_alarm", "unreachable", "duplicate", "test",
)  # fmt: skip


CONTACT_RESULTS = ("reached", "no_answer", "wrong_number", "called_emergency")


class NoSuchAlert(LookupError):
    """There is no such alert in this clinic."""


class AlreadyTaken(NotAllowed):
    """Somebody else has taken the alert; ``by`` and ``at`` say who and when."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__("already taken")
        self.by = by
        self.at = at


class ClosingRefused(NotAllowed):
    """Something is missing to close; ``code`` says what.

    ``outcome`` (none of ``OUTCOMES``), ``reason`` (an emergency that nobody contacted, no note),
    ``recheck`` (advice without a moment to come when to look again), ``tries`` (fewer than three
    calls for "could not reach"), ``note`` (too long), ``over`` (signs that are over, without the
    moment up to which the answers had been seen).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class RedAnswer:
    """What a red check-in hands over to its alert. ``level`` is that check-in's highest.

    ``check_in_id`` is None where nobody answered: silence is what raises the alert.
    """

    check_in_id: str | None
    level: TriageLevel
    reasons: Sequence[dict[str, Any]]
    inputs: dict[str, Any]
    phone_recognised: bool
    known_alert_id: str | None = None  # the alert that this check-in belongs to already


def raise_alert(
    session: Session, site: Site, patient: Patient, red: RedAnswer, now: datetime
) -> Alert:
    """Open an alert for a red answer, or join it to the one that is not closed yet.

    Queues the texts of the ladder's first step in the same transaction.
    """
    newest = _newest_alert(session, patient.id)
    if newest is not None and newest.state is not AlertState.CLOSED:
        _join(session, site, newest, red, now)
        return newest
    rung = paging.first_rung(session, patient.clinic_id, red.level, now)
    alert = _insert(session, site, patient, red, newest, rung, now)
    if alert is None:  # opened meanwhile by another transaction, or the reference is in use
        return raise_alert(session, site, patient, red, now)
    record(
        session, SYSTEM, "alert.opened", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
        level=red.level.code, ref=alert.ref, check_in=red.check_in_id,
    )  # fmt: skip
    paging.text_staff(session, site, alert, rung.people, MessageKind.STAFF_ALERT, now)
    return alert


_NEWEST = (
    select(Alert)
    .where(Alert.patient_id == bindparam("patient"))
    .order_by(Alert.state == AlertState.CLOSED, Alert.opened_at.desc())
    .limit(1)
    .with_for_update()
    # A row that this session has seen before is read again: only then is the lock worth it.
    .execution_options(populate_existing=True)
)


def _newest_alert(session: Session, patient_id: str) -> Alert | None:
    """The patient's alert that stands; else the last one that was closed."""
    return session.scalars(_NEWEST, {"patient": patient_id}).first()


def _insert(
    session: Session,
    site: Site,
    patient: Patient,
    red: RedAnswer,
    previous: Alert | None,
    rung: paging.Rung,
    now: datetime,
) -> Alert | None:
    """The new alert, or None if the database refused a second one or the reference."""
    row: dict[str, Any] = {
        "id": new_id(),
        "ref": new_ref(),
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "state": AlertState.OPEN,
        "level": int(red.level),
        "reasons": list(red.reasons),
        "protocol": site.protocol.id,
        "inputs": red.inputs,
        "phone_recognised": red.phone_recognised,
        "opened_at": now,
        "ladder_started_at": now,
        "step": rung.number,
        "next_action_at": now + rung.wait,
        "taken_at": None,
        "taken_by": None,
        "contacted_at": None,
        "previous_id": previous.id if previous else None,
    }
    went_in = insert_once(session, Alert.__table__, row, unique=[])  # type: ignore[arg-type]
    return adopt(session, Alert(**row)) if went_in else None


def _join(session: Session, site: Site, alert: Alert, red: RedAnswer, now: datetime) -> None:
    """Unite reasons, raise the level, and restart the ladder where the rules say so."""
    standing = Standing(alert.state, TriageLevel(alert.level), alert.taken_at)
    known = {reason["rule"] for reason in alert.reasons}
    new = [reason for reason in red.reasons if reason["rule"] not in known]
    restarts = restarts_ladder(standing, red.level, now)
    is_news = bool(new) or red.known_alert_id != alert.id
    if not is_news and not restarts:
        return
    # No text of the running ladder can reach anybody: a new red answer must not join that silence.
    is_unheard = standing.state is AlertState.OPEN and not has_living_text(session, alert)
    restarts = restarts or is_unheard
    alert.reasons = [*alert.reasons, *new]
    alert.inputs = joined_inputs(alert.inputs, red.inputs)
    alert.phone_recognised = alert.phone_recognised and red.phone_recognised
    alert.level = max(alert.level, int(red.level))
    record(
        session, SYSTEM, "alert.worsened" if restarts else "alert.joined", "alert", alert.id,
        now=now, clinic_id=alert.clinic_id, level=TriageLevel(alert.level).code,
        check_in=red.check_in_id, rules=[reason["rule"] for reason in new],
    )  # fmt: skip
    if restarts:
        _restart(session, site, alert, now)
    elif standing.state is AlertState.TAKEN:
        paging.tell_owner(session, site, alert, now)


def _restart(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Page again, from the first step. Who had taken it hears of it, and has it no more."""
    if alert.state is AlertState.TAKEN:
        paging.tell_owner(session, site, alert, now)
    alert.state = after(alert.state, Act.WORSEN)
    # The call of before was about a milder state, and the patient must not read that somebody
    # has this in hand. The audit log keeps who had taken it.
    alert.taken_at = alert.taken_by = alert.contacted_at = None
    paging.start_ladder(session, site, alert, now)


def of_clinic(session: Session, clinic_id: str, ref: str) -> Alert:
    """The clinic's alert with this reference. Raises NoSuchAlert, also for another clinic's."""
    alert = session.scalars(
        select(Alert).where(Alert.ref == ref.upper(), Alert.clinic_id == clinic_id)
    ).first()
    if alert is None:
        raise NoSuchAlert(ref)
    return alert


def _begin(session: Session, alert: Alert, by: StaffMember) -> None:
    """Lock the alert and read it again; nobody acts on another clinic's alert."""
    if by.clinic_id != alert.clinic_id:
        raise NoSuchAlert(alert.ref)
    session.refresh(alert, with_for_update=True)


def take(session: Session, alert: Alert, by: StaffMember, now: datetime) -> None:
    """Make ``by`` the owner: the ladder stops. The first who takes it has it.

    Taking twice by the same person is no error. Raises AlreadyTaken, or NotAllowed when closed.
    """
    _begin(session, alert, by)
    if alert.state is AlertState.TAKEN and alert.taken_by and alert.taken_at:
        if alert.taken_by == by.id:
            return
        raise AlreadyTaken(session.get_one(StaffMember, alert.taken_by).name, alert.taken_at)
    alert.state = after(alert.state, Act.TAKE)
    alert.taken_at, alert.taken_by = now, by.id
    alert.next_action_at = now + CONTACT_WITHIN[TriageLevel(alert.level)]
    paging.stand_down(session, alert)
    _note(session, alert, by, "alert.taken", now)


def release(session: Session, alert: Alert, by: StaffMember, site: Site, now: datetime) -> None:
    """Give the alert back: it is open again and its ladder starts over.

    Anybody of the clinic may do so, for an owner who has fallen out must not hold an alert.
    Raises NotAllowed when nobody has taken it.
    """
    _begin(session, alert, by)
    alert.state = after(alert.state, Act.RELEASE)
    alert.taken_at = alert.taken_by = None
    _note(session, alert, by, "alert.released", now)
    paging.start_ladder(session, site, alert, now)


def contact(session: Session, alert: Alert, by: StaffMember, result: str, now: datetime) -> None:
    """Note a call to the patient; ``result`` is one of ``CONTACT_RESULTS``.

    Raises NotAllowed when nobody has taken the alert, or for another result.
    """
    if result not in CONTACT_RESULTS:
        raise NotAllowed(f"{result!r} is no result of a call")
    _begin(session, alert, by)
    alert.state = after(alert.state, Act.CONTACT)
    if result in {"reached", "called_emergency"}:
        alert.contacted_at = alert.contacted_at or now
    _note(session, alert, by, "alert.contact", now, result=result)


@dataclass(frozen=True)
class Closing:
    """How an alert ended: an outcome of ``OUTCOMES``, whether it was useful, and a note.

    ``over`` are ids of the patient's signs that are over, by what had been told up to ``seen_at``.
    """

    outcome: str
    useful: bool | None
    note: str
    recheck_at: datetime | None = None
    over: tuple[str, ...] = ()
    seen_at: datetime | None = None


def close(session: Session, alert: Alert, by: StaffMember, closing: Closing, now: datetime) -> None:
    """End the alert. Raises ClosingRefused for what is missing, NotAllowed when it is closed."""
    _begin(session, alert, by)
    state = after(alert.state, Act.CLOSE)
    _check_closing(session, alert, closing, now)
    alert.state = state
    alert.closed_at, alert.closed_by = now, by.id
    alert.outcome, alert.useful = closing.outcome, closing.useful
    alert.note, alert.recheck_at = closing.note.strip() or None, closing.recheck_at
    if closing.over and closing.seen_at is not None:
        alert.resolved = as_stored(closing.over, closing.seen_at)
    alert.next_action_at = None
    paging.stand_down(session, alert)
    _note(session, alert, by, "alert.closed", now, outcome=closing.outcome, over=list(closing.over))


def _check_closing(session: Session, alert: Alert, closing: Closing, now: datetime) -> None:
    if closing.outcome not in OUTCOMES:
        raise ClosingRefused("outcome")
    note = closing.note.strip()
    if len(note) > LONGEST_NOTE:
        raise ClosingRefused("note")
    if alert.level == TriageLevel.EMERGENCY and alert.contacted_at is None and not note:
        raise ClosingRefused("reason")
    if closing.recheck_at is None:
        if closing.outcome == "advised":
            raise ClosingRefused("recheck")
    elif not now < closing.recheck_at <= now + LONGEST_RECHECK:
        raise ClosingRefused("recheck")
    if closing.outcome == "unreachable" and _tries(session, alert) < TRIES_BEFORE_UNREACHABLE:
        raise ClosingRefused("tries")
    if closing.over and not (closing.seen_at and alert.opened_at <= closing.seen_at <= now):
        raise ClosingRefused("over")


def _tries(session: Session, alert: Alert) -> int:
    """How often somebody has noted a call for this alert."""
    return session.execute(
        select(func.count())
        .select_from(AuditEntry)
        .where(
            AuditEntry.subject_kind == "alert",
            AuditEntry.subject_id == alert.id,
            AuditEntry.action == "alert.contact",
        )
    ).scalar_one()


def _note(
    session: Session, alert: Alert, by: StaffMember, action: str, now: datetime, **detail: Any
) -> None:
    actor = Actor("staff", by.id, by.clinic_id)
    record(session, actor, action, "alert", alert.id, now=now, ref=alert.ref, **detail)
