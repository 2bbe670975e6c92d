"""Whether an alert has reached anybody, derived from rows and clock whenever it is read.

Nothing here is written by a job, so a stopped worker cannot hide that a text never left.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from patient_portal.domain.delivery import LOST
from patient_portal.domain.escalation import TELL_PATIENT_AFTER as TELL_PATIENT_AFTER
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    CheckIn,
    Message,
    MessageKind,
    MessageState,
    StaffMember,
)

# Without proof that the gateway took a text by now, the alert path counts as failing.
MUST_BE_ACCEPTED_IN = timedelta(seconds=120)


class Trouble(StrEnum):
    """Why an open alert may not have reached anybody."""

    NOBODY = "nobody"  # there was nobody to text
    ALL_FAILED = "all_failed"
    NOT_SENT = "not_sent"  # the gateway has taken no text for 120 seconds
    SOME_FAILED = "some_failed"


@dataclass(frozen=True)
class Texted:
    """The staff texts of an alert's running ladder, counted. ``accepted`` without the lost ones."""

    total: int
    accepted: int
    dead: int

    @classmethod
    def of(cls, texts: Iterable[tuple[MessageState, datetime | None]]) -> "Texted":
        """Count texts, given as their state and when the gateway took them."""
        found = list(texts)
        return cls(
            total=len(found),
            # A text that the gateway took and then lost proves nothing of the others.
            accepted=sum(at is not None and state not in LOST for state, at in found),
            dead=sum(state in LOST for state, _ in found),
        )


def trouble_of(texted: Texted, since: datetime, now: datetime) -> Trouble | None:
    """What is wrong with an open alert's texts, from rows and clock alone."""
    if texted.total == 0:
        return Trouble.NOBODY
    if texted.dead == texted.total:
        return Trouble.ALL_FAILED
    if not texted.accepted and now > since + MUST_BE_ACCEPTED_IN:
        return Trouble.NOT_SENT
    return Trouble.SOME_FAILED if texted.dead else None


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


def has_living_text(session: Session, alert: Alert) -> bool:
    """Whether the running ladder has a text that has arrived or still may."""
    found = session.execute(
        select(Message.id)
        .where(
            Message.alert_id == alert.id,
            Message.kind == MessageKind.STAFF_ALERT,
            Message.created_at >= alert.ladder_started_at,
            Message.state.not_in(LOST),
        )
        .limit(1)
    )
    return found.first() is not None


def waiting_answers(session: Session, patient_id: str) -> CheckIn | None:
    """The latest red check-in about which nobody has called since, nor closed its alert."""
    return session.scalars(
        select(CheckIn)
        .join(Alert, CheckIn.alert_id == Alert.id)
        .where(
            Alert.patient_id == patient_id,
            Alert.state != AlertState.CLOSED,
            or_(Alert.contacted_at.is_(None), CheckIn.started_at > Alert.contacted_at),
            CheckIn.level >= int(TriageLevel.URGENT),
        )
        .order_by(CheckIn.started_at.desc())
        .limit(1)
    ).first()


@dataclass(frozen=True)
class StaffText:
    """One text about the alert to a member of staff, as far as the patient's page needs it."""

    kind: MessageKind
    state: MessageState
    created_at: datetime
    accepted_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True)
class AlertNow:
    """The alert's row, as far as the patient's page needs it."""

    level: TriageLevel
    state: AlertState
    opened_at: datetime
    ladder_started_at: datetime
    taken_at: datetime | None
    taken_by: str | None  # the name


def tracker(
    session: Session, alert: Alert, now: datetime, *, answered_at: datetime | None = None
) -> Tracker:
    """The alert as its patient may see it, derived from rows and clock whenever it is read.

    ``answered_at``: when the answers were given that the patient asks about.
    """
    rows = session.execute(
        select(
            Message.kind,
            Message.state,
            Message.created_at,
            Message.accepted_at,
            Message.delivered_at,
        ).where(
            Message.alert_id == alert.id,
            Message.kind.in_((MessageKind.STAFF_ALERT, MessageKind.STAFF_WORSE)),
            Message.staff_id.is_not(None),  # the clinic's own number is nobody's phone
        )
    )
    taker = session.get(StaffMember, alert.taken_by) if alert.taken_by else None
    standing = AlertNow(
        level=TriageLevel(alert.level),
        state=alert.state,
        opened_at=alert.opened_at,
        ladder_started_at=alert.ladder_started_at,
        taken_at=alert.taken_at,
        taken_by=taker.name if taker else None,
    )
    return track(standing, [StaffText(*row) for row in rows], now, answered_at=answered_at)


def track(
    alert: AlertNow,
    texts: Sequence[StaffText],
    now: datetime,
    *,
    answered_at: datetime | None = None,
) -> Tracker:
    """What may be told, from the alert's state alone.

    Texts of a ladder that was started anew say nothing of the present one. A text that reached a
    phone after the answers were given comes before an earlier one; only the owner's own text says
    that new answers have reached somebody after the alert was taken.
    """
    running = [text for text in texts if text.created_at >= alert.ladder_started_at]
    pages = [text for text in running if text.kind is MessageKind.STAFF_ALERT]
    is_open = alert.state is AlertState.OPEN
    texted = Texted.of((text.state, text.accepted_at) for text in pages)
    trouble = trouble_of(texted, alert.ladder_started_at, now) if is_open else None
    reached = sorted(
        text.delivered_at
        for text in running
        if text.delivered_at is not None and text.delivered_at <= now
    )
    since_then = (at for at in reached if answered_at is None or at >= answered_at)
    return Tracker(
        level=alert.level,
        saved_at=alert.opened_at,
        reached_at=next(since_then, reached[0] if reached else None),
        taken_at=alert.taken_at,
        taken_by=alert.taken_by,
        is_closed=alert.state is AlertState.CLOSED,
        is_failing=trouble not in (None, Trouble.SOME_FAILED),
        nobody_took_it=is_open and now >= alert.ladder_started_at + TELL_PATIENT_AFTER[alert.level],
    )


def raised_since(session: Session, check_in: CheckIn) -> Alert | None:
    """The patient's alert that somebody else's answers opened or raised after this check-in.

    None once somebody has spoken with the patient: then they know more than a page can say.
    """
    return session.scalars(
        select(Alert).where(
            Alert.patient_id == check_in.patient_id,
            Alert.state != AlertState.CLOSED,
            Alert.contacted_at.is_(None),
            Alert.level > check_in.level,
            Alert.ladder_started_at >= check_in.started_at,
        )
    ).first()
