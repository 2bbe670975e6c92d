"""Alerts: opened by a red answer, taken and closed by a person.

An alert and its first texts are rows of the red answer's own transaction. There is at most one
alert a patient that is not closed; further red answers join it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.escalation import (
    LADDER,
    Act,
    AlertState,
    NotAllowed,
    Standing,
    after,
    restarts_ladder,
)
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    Clinic,
    Lane,
    Message,
    MessageKind,
    MessageState,
    OnCall,
    Patient,
    StaffMember,
)
from patient_portal.models.alert import ONE_OPEN_ALERT
from patient_portal.services import messages
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.refs import new_ref
from patient_portal.services.site import Site
from patient_portal.sms import texts
from patient_portal.words import Words

# How long an unsent alert text is worth sending. After an outage it still goes out: an alert that
# is late is better than none, and taking the alert stands its unsent texts down. (Once the gateway
# has a text it gets 300 seconds to deliver it; see ``sms.gateway``.)
ALERT_TEXT_LIVES = timedelta(hours=24)
# Without proof that the gateway took a text by now, the alert path counts as failing.
MUST_BE_ACCEPTED_IN = timedelta(seconds=120)
OUTCOMES = (
    "sent_to_emergency", "admitted", "same_day_visit", "advised", "steroid_started", "not_ds",
    "false_alarm", "unreachable", "duplicate", "test",
)  # fmt: skip


class NoSuchAlert(LookupError):
    """There is no such alert in this clinic."""


class AlreadyTaken(NotAllowed):
    """Somebody else has taken the alert; ``by`` and ``at`` say who and when."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__("already taken")
        self.by = by
        self.at = at


@dataclass(frozen=True)
class RedAnswer:
    """What a red check-in hands over to its alert."""

    check_in_id: str
    level: TriageLevel
    reasons: Sequence[dict[str, Any]]
    inputs: dict[str, Any]
    phone_recognised: bool


def raise_alert(
    session: Session, site: Site, patient: Patient, red: RedAnswer, now: datetime
) -> Alert:
    """Open an alert for a red answer, or join it to the one that is not closed yet.

    Queues the texts of the ladder's first step in the same transaction.
    """
    alert = _standing_alert(session, patient.id)
    if alert is None and _insert(session, site, patient, red, now):
        alert = _standing_alert(session, patient.id)
        assert alert is not None  # noqa: S101 - just written, and this transaction holds it
        record(
            session, SYSTEM, "alert.opened", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
            level=red.level.code, ref=alert.ref, check_in=red.check_in_id,
        )  # fmt: skip
        _start_ladder(session, site, alert, now)
        return alert
    alert = alert or _standing_alert(session, patient.id)
    if alert is None:  # closed between the two looks, by another transaction: look once more
        return raise_alert(session, site, patient, red, now)
    _join(session, site, alert, red, now)
    return alert


def _standing_alert(session: Session, patient_id: str) -> Alert | None:
    return session.scalars(
        select(Alert)
        .where(Alert.patient_id == patient_id, Alert.state != AlertState.CLOSED)
        .with_for_update()
    ).first()


def _insert(session: Session, site: Site, patient: Patient, red: RedAnswer, now: datetime) -> bool:
    previous = session.scalars(
        select(Alert.id)
        .where(Alert.patient_id == patient.id)
        .order_by(Alert.opened_at.desc())
        .limit(1)
    ).first()
    return insert_once(
        session,
        Alert.__table__,  # type: ignore[arg-type]
        {
            "id": new_id(),
            "ref": _free_ref(session),
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
            "step": 0,
            "next_action_at": now,
            "previous_id": previous,
        },
        unique=["patient_id"],
        where=ONE_OPEN_ALERT,
    )


def _free_ref(session: Session) -> str:
    while True:
        ref = new_ref()
        if session.scalars(select(Alert.id).where(Alert.ref == ref)).first() is None:
            return ref


def _join(session: Session, site: Site, alert: Alert, red: RedAnswer, now: datetime) -> None:
    """Unite reasons, raise the level, and restart the ladder where the rules say so."""
    standing = Standing(alert.state, TriageLevel(alert.level), alert.taken_at)
    known = {reason["rule"] for reason in alert.reasons}
    new = [reason for reason in red.reasons if reason["rule"] not in known]
    if not new and red.level <= standing.level and not restarts_ladder(standing, red.level, now):
        return
    alert.reasons = [*alert.reasons, *new]
    alert.inputs = red.inputs
    alert.phone_recognised = alert.phone_recognised and red.phone_recognised
    alert.level = max(alert.level, int(red.level))
    record(
        session, SYSTEM, "alert.joined", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
        level=TriageLevel(alert.level).code, check_in=red.check_in_id,
    )  # fmt: skip
    if restarts_ladder(standing, red.level, now):
        alert.state = AlertState.OPEN
        alert.ladder_started_at = now
        alert.step = 0
        _start_ladder(session, site, alert, now)
    elif standing.state is AlertState.TAKEN and alert.taken_by is not None:
        owner = session.get(StaffMember, alert.taken_by)
        if owner is not None:
            _text_staff(session, site, alert, [owner], MessageKind.STAFF_WORSE, now)


def _start_ladder(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Text the first step that has somebody with a phone; a step with nobody is skipped at once."""
    steps = LADDER[TriageLevel(alert.level)]
    for number, step in enumerate(steps, start=1):
        people = _people(session, alert.clinic_id, step.positions)
        if people:
            _text_staff(session, site, alert, people, MessageKind.STAFF_ALERT, now)
            alert.step = number
            alert.next_action_at = now + step.wait
            return
    everyone = _people(session, alert.clinic_id, ("everyone",))
    _text_staff(session, site, alert, everyone, MessageKind.STAFF_ALERT, now)
    alert.step = len(steps)
    alert.next_action_at = now + steps[-1].wait


def _people(session: Session, clinic_id: str, positions: Sequence[str]) -> list[StaffMember]:
    query: Select[StaffMember] = (
        select(StaffMember)
        .where(
            StaffMember.clinic_id == clinic_id,
            StaffMember.disabled_at.is_(None),
            StaffMember.phone.is_not(None),
        )
        .order_by(StaffMember.name)
    )
    if "everyone" not in positions:
        query = query.join(OnCall, OnCall.staff_id == StaffMember.id).where(
            OnCall.clinic_id == clinic_id, OnCall.position.in_(positions)
        )
    return list(session.scalars(query).unique())


def _text_staff(
    session: Session,
    site: Site,
    alert: Alert,
    people: Sequence[StaffMember],
    kind: MessageKind,
    now: datetime,
) -> None:
    clinic = session.get_one(Clinic, alert.clinic_id)
    words = Words(clinic.language)
    body = texts.staff_alert(
        words,
        clinic=clinic.name,
        ref=alert.ref,
        level=TriageLevel(alert.level),
        url=f"{site.base_url}/staff/alerts/{alert.ref}",
        worse=kind is MessageKind.STAFF_WORSE,
    )
    round_key = f"{now:%Y%m%dT%H%M%S%f}"
    for person in people:
        assert person.phone is not None  # noqa: S101 - the query asked for a phone
        messages.queue(
            session,
            messages.Draft(
                clinic_id=alert.clinic_id,
                to_number=person.phone,
                kind=kind,
                lane=Lane.ALERT,
                body=body,
                once_key=f"{kind.value}:{alert.id}:{round_key}:{person.id}",
                lives_for=ALERT_TEXT_LIVES,
                staff_id=person.id,
                alert_id=alert.id,
            ),
            now,
        )


def of_clinic(session: Session, clinic_id: str, ref: str, *, lock: bool = False) -> Alert:
    """The clinic's alert with this reference. Raises NoSuchAlert, also for another clinic's."""
    query = select(Alert).where(Alert.ref == ref.upper(), Alert.clinic_id == clinic_id)
    alert = session.scalars(query.with_for_update() if lock else query).first()
    if alert is None:
        raise NoSuchAlert(ref)
    return alert


def take(session: Session, alert: Alert, by: StaffMember, now: datetime) -> None:
    """Make ``by`` the owner: the ladder stops. The first who takes it has it.

    Taking twice by the same person is no error. Raises AlreadyTaken, or NotAllowed when closed.
    """
    if (
        alert.state is AlertState.TAKEN
        and alert.taken_by is not None
        and alert.taken_at is not None
    ):
        if alert.taken_by == by.id:
            return
        raise AlreadyTaken(session.get_one(StaffMember, alert.taken_by).name, alert.taken_at)
    alert.state = after(alert.state, Act.TAKE)
    alert.taken_at, alert.taken_by = now, by.id
    _stand_down(session, alert)
    _note(session, alert, by, "alert.taken", now)


def release(session: Session, alert: Alert, by: StaffMember, site: Site, now: datetime) -> None:
    """Give the alert back: it is open again and its ladder starts over."""
    alert.state = after(alert.state, Act.RELEASE)
    alert.taken_at = alert.taken_by = None
    alert.ladder_started_at, alert.step = now, 0
    _note(session, alert, by, "alert.released", now)
    _start_ladder(session, site, alert, now)


def contact(session: Session, alert: Alert, by: StaffMember, reached: str, now: datetime) -> None:
    """Note a call: ``reached``, ``no_answer``, ``wrong_number`` or ``called_emergency``."""
    alert.state = after(alert.state, Act.CONTACT)
    if reached in {"reached", "called_emergency"}:
        alert.contacted_at = alert.contacted_at or now
    _note(session, alert, by, "alert.contact", now, result=reached)


@dataclass(frozen=True)
class Closing:
    """How an alert ended: an outcome of ``OUTCOMES``, whether it was useful, and a note."""

    outcome: str
    useful: bool | None
    note: str
    recheck_at: datetime | None = None


def close(session: Session, alert: Alert, by: StaffMember, closing: Closing, now: datetime) -> None:
    """End the alert. Raises NotAllowed when an emergency that nobody contacted has no note."""
    if closing.outcome not in OUTCOMES:
        raise NotAllowed(f"{closing.outcome!r} is no outcome")
    uncontacted = alert.level == TriageLevel.EMERGENCY and alert.contacted_at is None
    if uncontacted and not closing.note.strip():
        raise NotAllowed("an emergency that nobody contacted needs a reason")
    alert.state = after(alert.state, Act.CLOSE)
    alert.closed_at, alert.closed_by = now, by.id
    alert.outcome, alert.useful = closing.outcome, closing.useful
    alert.note, alert.recheck_at = closing.note.strip() or None, closing.recheck_at
    alert.next_action_at = None
    _stand_down(session, alert)
    _note(session, alert, by, "alert.closed", now, outcome=closing.outcome)


def _stand_down(session: Session, alert: Alert) -> None:
    """Texts of this alert that no worker has claimed yet are not sent any more."""
    session.execute(
        update(Message)
        .where(Message.alert_id == alert.id, Message.state == MessageState.DUE)
        .values(state=MessageState.EXPIRED)
    )


def _note(
    session: Session, alert: Alert, by: StaffMember, action: str, now: datetime, **detail: Any
) -> None:
    actor = Actor("staff", by.id, by.clinic_id)
    record(session, actor, action, "alert", alert.id, now=now, ref=alert.ref, **detail)


@dataclass(frozen=True)
class Tracker:
    """What may be told to a patient about their alert: only what is known to be true."""

    level: TriageLevel
    saved_at: datetime
    reached_at: datetime | None
    taken_at: datetime | None
    taken_by: str | None
    is_closed: bool
    is_failing: bool
    nobody_took_it: bool


# After this long without anybody taking it, the patient is told so and told to call.
TELL_PATIENT_AFTER = {
    TriageLevel.EMERGENCY: timedelta(minutes=5),
    TriageLevel.URGENT: timedelta(minutes=15),
}


def tracker(session: Session, alert: Alert, now: datetime) -> Tracker:
    """The alert as its patient may see it, derived from rows and clock whenever it is read.

    Nothing here is written by a job, so a stopped worker cannot hide that a text never left.
    """
    sent = list(
        session.execute(
            select(Message.accepted_at, Message.delivered_at).where(
                Message.alert_id == alert.id, Message.kind == MessageKind.STAFF_ALERT
            )
        )
    )
    delivered = [row.delivered_at for row in sent if row.delivered_at is not None]
    accepted = any(row.accepted_at is not None for row in sent)
    untaken = alert.state is AlertState.OPEN
    level = TriageLevel(alert.level)
    taker = session.get(StaffMember, alert.taken_by) if alert.taken_by else None
    return Tracker(
        level=level,
        saved_at=alert.opened_at,
        reached_at=min(delivered, default=None),
        taken_at=alert.taken_at,
        taken_by=taker.name if taker else None,
        is_closed=alert.state is AlertState.CLOSED,
        is_failing=untaken and not accepted and now > alert.ladder_started_at + MUST_BE_ACCEPTED_IN,
        nobody_took_it=untaken and now >= alert.ladder_started_at + TELL_PATIENT_AFTER[level],
    )
