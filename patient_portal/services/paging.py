"""Whom an alert texts: the steps of the ladder, the people of a step, their texts in the outbox."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from patient_portal.domain.delivery import LOST
from patient_portal.domain.escalation import LADDER
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    AlertState,
    Clinic,
    Lane,
    Message,
    MessageKind,
    MessageState,
    Position,
    Role,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import messages, rota
from patient_portal.services.site import Site
from patient_portal.sms import texts
from patient_portal.words import Words

# How long an unsent alert text is worth sending. After an outage it still goes out: an alert that
# is late is better than none, and taking the alert stands its unsent texts down. (Once the gateway
# has a text it gets 300 seconds to deliver it; see ``sms.gateway``.)
ALERT_TEXT_LIVES = timedelta(hours=24)
STAFF_KINDS = (MessageKind.STAFF_ALERT, MessageKind.STAFF_WORSE)

_PHONES = (
    select(StaffMember.id, StaffPhone.id.label("phone_id"), StaffPhone.number)
    .join(StaffPhone, StaffPhone.staff_id == StaffMember.id)
    .where(
        StaffMember.clinic_id == bindparam("clinic"),
        StaffMember.disabled_at.is_(None),
        StaffPhone.stopped_at.is_(None),
        StaffPhone.bad_at.is_(None),
    )
    .order_by(StaffMember.name, StaffMember.id, StaffPhone.rank)
)
_CLINIC = select(Clinic.name, Clinic.language).where(Clinic.id == bindparam("clinic"))
# Auditors look at records and may not act on an alert.
_EVERYONE = _PHONES.where(StaffMember.role != Role.AUDITOR)
_THESE = _PHONES.where(StaffMember.id.in_(bindparam("people", expanding=True)))


def start_ladder(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Text the first step that has somebody with a phone; a step with nobody is skipped at once.

    Where no step has anybody, everyone of the clinic who has a phone is texted. If there is
    nobody at all, the alert says so wherever it is shown: it has no text of this ladder.
    """
    rung = first_rung(session, alert.clinic_id, TriageLevel(alert.level), now)
    alert.ladder_started_at = now
    alert.step = rung.number
    alert.next_action_at = now + rung.wait
    text_staff(session, site, alert, rung.people, MessageKind.STAFF_ALERT, now)


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: its number from 1, whom it texts, how long it waits for them."""

    number: int
    people: Sequence["Pager"]
    wait: timedelta


def first_rung(session: Session, clinic_id: str, level: TriageLevel, now: datetime) -> Rung:
    """The first step that has somebody with a phone; the last with everyone if none has."""
    steps = LADDER[level]
    for number, step in enumerate(steps, start=1):
        people = reachable(session, clinic_id, step.positions, now)
        if people:
            return Rung(number, people, step.wait)
    return Rung(len(steps), reachable(session, clinic_id, ("everyone",), now), steps[-1].wait)


def tell_owner(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Text the owner that there are new answers; the first step if the owner has no phone."""
    people = pagers(session, alert.clinic_id, [alert.taken_by] if alert.taken_by else [])
    if not people:
        first = LADDER[TriageLevel(alert.level)][0].positions
        people = reachable(session, alert.clinic_id, first, now) or reachable(
            session, alert.clinic_id, ("everyone",), now
        )
    text_staff(session, site, alert, people, MessageKind.STAFF_WORSE, now)


@dataclass(frozen=True)
class Pager:
    """The phone (E.164) of a member of staff that is texted first."""

    id: str
    phone: str
    phone_id: str


def reachable(
    session: Session, clinic_id: str, positions: Sequence[str], now: datetime
) -> list[Pager]:
    """Staff of the clinic who hold one of these positions now and can be texted, each once.

    "everyone" leaves out auditors: they look at records and may not act on an alert.
    """
    if "everyone" in positions:
        return _first_phones(session.execute(_EVERYONE, {"clinic": clinic_id}))
    holding = rota.on_call(session, clinic_id, now)
    people = [person for position in positions for person in holding[Position(position)]]
    return pagers(session, clinic_id, people)


def pagers(session: Session, clinic_id: str, people: Sequence[str]) -> list[Pager]:
    """Those of these people who can be texted, by their first number that can be."""
    if not people:
        return []
    found = session.execute(_THESE, {"clinic": clinic_id, "people": list(people)})
    return _first_phones(found)


def _first_phones(rows: Iterable[Any]) -> list[Pager]:
    first: dict[str, Pager] = {}
    for row in rows:
        first.setdefault(row.id, Pager(row.id, row.number, row.phone_id))
    return list(first.values())


def text_staff(
    session: Session,
    site: Site,
    alert: Alert,
    people: Sequence[Pager],
    kind: MessageKind,
    now: datetime,
) -> None:
    """Queue one text about this alert for each of these people, in the clinic's language."""
    name, language = session.execute(_CLINIC, {"clinic": alert.clinic_id}).one()
    body = texts.staff_alert(
        Words(language),
        clinic=name,
        ref=alert.ref,
        level=TriageLevel(alert.level),
        url=f"{site.base_url}/staff/alerts/{alert.ref}",
        worse=kind is MessageKind.STAFF_WORSE,
    )
    round_key = f"{now:%Y%m%dT%H%M%S%f}"
    drafts = [
        messages.Draft(
            clinic_id=alert.clinic_id,
            to_number=person.phone,
            kind=kind,
            lane=Lane.ALERT,
            body=body,
            once_key=f"{kind.value}:{alert.id}:{round_key}:{person.id}",
            lives_for=ALERT_TEXT_LIVES,
            staff_id=person.id,
            phone_id=person.phone_id,
            alert_id=alert.id,
        )
        for person in people
    ]
    messages.queue_all(session, drafts, now)


def go_on(session: Session, alert: Alert, now: datetime) -> bool:
    """Let the ladder go on at once, unless a text of its running step has arrived or still may.

    True if it does. Called when a text was lost for good: nobody waits out a step in vain.
    """
    since = alert.step_started_at or alert.ladder_started_at
    living = session.scalars(
        select(Message.id)
        .where(
            Message.alert_id == alert.id,
            Message.kind.in_((MessageKind.STAFF_ALERT, MessageKind.STAFF_BUNDLE)),
            Message.created_at >= since,
            Message.state.not_in(LOST),
        )
        .limit(1)
    ).first()
    if living is not None or alert.state is not AlertState.OPEN:
        return False
    if alert.next_action_at is None or alert.next_action_at > now:
        alert.next_action_at = now
    return True


def stand_down(session: Session, alert: Alert) -> None:
    """Staff texts of this alert that no worker has claimed yet are not sent any more."""
    session.execute(
        update(Message)
        .where(
            Message.alert_id == alert.id,
            Message.kind.in_(STAFF_KINDS),
            Message.state == MessageState.DUE,
        )
        .values(state=MessageState.EXPIRED)
    )
