"""Alerts: opened by a red answer, taken and closed by a person.

An alert and its first texts are rows of the red answer's own transaction. There is at most one
alert a patient that is not closed; further red answers join it. Every act locks the alert's row
first, so of two people who act at once the second sees what the first has done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    next_due,
    restarts_ladder,
)
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.replay import joined_inputs
from patient_portal.models import Alert, AuditEntry, Patient, StaffMember
from patient_portal.services import paging, patient_texts, standing_down
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.refs import new_ref
from patient_portal.services.resolved import as_stored
from patient_portal.services.rungs import Roster, Rung, read_roster
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


class NobodyFurther(NotAllowed):
    """The ladder's last step is running: there is nobody further to pass an alert on to."""


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
    by_patient: bool = True  # who then has the page before them that says what to do

    @property
    def is_silence(self) -> bool:
        """Whether nobody answered anything."""
        return self.check_in_id is None


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
    roster = read_roster(session, patient.clinic_id, now)
    rung = roster.first_rung(red.level)
    alert = _insert(session, _row(site, patient, red, newest, rung.number, now), roster, rung)
    if alert is None:  # opened meanwhile by another transaction, or the reference is in use
        return raise_alert(session, site, patient, red, now)
    record(
        session, SYSTEM, "alert.opened", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
        level=red.level.code, ref=alert.ref, check_in=red.check_in_id,
    )  # fmt: skip
    paging.page(session, site, roster, alert, rung.people, now)
    if not red.by_patient:
        patient_texts.tell_risen(session, alert, now)
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


def _row(
    site: Site, patient: Patient, red: RedAnswer, previous: Alert | None, step: int, now: datetime
) -> dict[str, Any]:
    return {
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
        "step": step,
        "round": 0,
        "step_started_at": now,
        "taken_at": None,
        "taken_by": None,
        "repaged_at": None,
        "lead_told_at": None,
        "patient_told_at": None,
        "contacted_at": None,
        "previous_id": previous.id if previous else None,
        "is_test": patient.is_test,
    }


def _insert(session: Session, row: dict[str, Any], roster: Roster, rung: Rung) -> Alert | None:
    """The new alert, or None if the database refused a second one or the reference."""
    row["next_action_at"] = next_due(paging.facts_at_start(roster, Alert(**row), rung))
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
    has_risen = red.level > standing.level
    if restarts:
        _restart(session, site, alert, now, has_risen=has_risen, is_silence=red.is_silence)
    elif standing.state is AlertState.TAKEN:
        paging.tell_owner(session, site, alert, now, is_silence=red.is_silence)
    if has_risen and not red.by_patient:
        patient_texts.tell_risen(session, alert, now)


def _restart(
    session: Session, site: Site, alert: Alert, now: datetime, *, has_risen: bool, is_silence: bool
) -> None:
    """Page again, from the first step. Who had taken it hears of it, and has it no more."""
    if alert.state is AlertState.TAKEN:
        paging.tell_owner(session, site, alert, now, has_risen=has_risen, is_silence=is_silence)
    _open_again(alert, Act.WORSEN)
    paging.start_ladder(session, site, alert, now)


def _open_again(alert: Alert, act: Act) -> None:
    """Nobody has it. The audit log keeps who had.

    A call that was made before is forgotten too: it was about a milder state, or did not help,
    and the patient must not read that somebody has this in hand.
    """
    alert.state = after(alert.state, act)
    alert.taken_at = alert.taken_by = alert.contacted_at = None
    alert.repaged_at = alert.lead_told_at = None


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


def take(
    session: Session, alert: Alert, by: StaffMember, now: datetime, *, by_text: bool = False
) -> None:
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
    alert.repaged_at = alert.lead_told_at = None
    alert.next_action_at = now + CONTACT_WITHIN[TriageLevel(alert.level)]
    standing_down.stop_unsent(session, alert)
    standing_down.tell_taken(session, alert, by, now)
    _note(session, alert, by, "alert.taken", now, **_channel(by_text))
    if alert.is_test:
        end_test(session, alert, now)  # it was there to be answered, and it was


def release(session: Session, alert: Alert, by: StaffMember, site: Site, now: datetime) -> None:
    """Give the alert back: it is open again and its ladder starts over.

    Anybody of the clinic may do so, for an owner who has fallen out must not hold an alert.
    Raises NotAllowed when nobody has taken it.
    """
    _begin(session, alert, by)
    _open_again(alert, Act.RELEASE)
    _note(session, alert, by, "alert.released", now)
    paging.start_ladder(session, site, alert, now)


def pass_on(
    session: Session,
    alert: Alert,
    by: StaffMember,
    site: Site,
    now: datetime,
    *,
    by_text: bool = False,
) -> None:
    """Let the next step of the ladder be texted now; whoever had the alert has it no more.

    Raises NotAllowed when it is closed, NobodyFurther when it is open and the last step runs: that
    comes again at its own pace, and nobody can text everyone over and over.
    """
    _begin(session, alert, by)
    was_taken = alert.state is AlertState.TAKEN
    roster = read_roster(session, alert.clinic_id, now)
    level = TriageLevel(alert.level)
    if alert.state is AlertState.OPEN and alert.step >= len(roster.steps(level)):
        raise NobodyFurther("the last step runs")
    _open_again(alert, Act.PASS_ON)
    _note(session, alert, by, "alert.passed_on", now, **_channel(by_text))
    if was_taken:
        # The patient has waited for a person who will not come: their own timer starts again.
        alert.ladder_started_at, alert.patient_told_at = now, None
    rung = roster.after(level, alert.step)
    others = [each for each in rung.people if each.id != by.id]
    if others:
        rung = replace(rung, people=others)
    paging.text_rung(session, site, roster, alert, rung, now)


def reopen(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Open an alert again that was taken, and no call noted. The caller holds the row's lock."""
    had = alert.taken_by
    _open_again(alert, Act.REOPEN)
    record(
        session, SYSTEM, "alert.reopened", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
        ref=alert.ref, had=had,
    )  # fmt: skip
    paging.start_ladder(session, site, alert, now)


def end_test(session: Session, alert: Alert, now: datetime) -> None:
    """End a test alert; nobody need close it. The caller holds the row's lock.

    Raises NotAllowed for a patient's alert: only a person closes that.
    """
    if not alert.is_test:
        raise NotAllowed("only a test ends by itself")
    alert.state = after(alert.state, Act.END_TEST)
    alert.closed_at, alert.closed_by, alert.outcome = now, alert.taken_by, "test"
    alert.next_action_at = None
    standing_down.stop_unsent(session, alert)
    record(
        session, SYSTEM, "alert.test_ended", "alert", alert.id, now=now,
        clinic_id=alert.clinic_id, ref=alert.ref,
    )  # fmt: skip


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
        roster = read_roster(session, alert.clinic_id, now)
        alert.next_action_at = next_due(paging.facts_of(roster, alert))
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
    standing_down.stop_unsent(session, alert)
    standing_down.tell_closed(session, alert, by, now)
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


def _channel(by_text: bool) -> dict[str, str]:
    """How somebody acted, where it was not by the page."""
    return {"channel": "text"} if by_text else {}


def _note(
    session: Session, alert: Alert, by: StaffMember, action: str, now: datetime, **detail: Any
) -> None:
    actor = Actor("staff", by.id, by.clinic_id)
    record(session, actor, action, "alert", alert.id, now=now, ref=alert.ref, **detail)
