"""Whom an alert texts: the steps of the ladder, the people of a step, their texts in the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from patient_portal.domain.escalation import LADDER
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    Clinic,
    Lane,
    Message,
    MessageKind,
    MessageState,
    OnCall,
    Role,
    StaffMember,
)
from patient_portal.services import messages
from patient_portal.services.site import Site
from patient_portal.sms import texts
from patient_portal.words import Words

# How long an unsent alert text is worth sending. After an outage it still goes out: an alert that
# is late is better than none, and taking the alert stands its unsent texts down. (Once the gateway
# has a text it gets 300 seconds to deliver it; see ``sms.gateway``.)
ALERT_TEXT_LIVES = timedelta(hours=24)
STAFF_KINDS = (MessageKind.STAFF_ALERT, MessageKind.STAFF_WORSE)

_WITH_A_PHONE = (
    select(StaffMember.id, StaffMember.phone)
    .where(
        StaffMember.clinic_id == bindparam("clinic"),
        StaffMember.disabled_at.is_(None),
        StaffMember.phone.is_not(None),
    )
    .order_by(StaffMember.name)
)
_CLINIC = select(Clinic.name, Clinic.language).where(Clinic.id == bindparam("clinic"))
_EVERYONE = _WITH_A_PHONE.where(StaffMember.role != Role.AUDITOR)
_ON_CALL = _WITH_A_PHONE.join(OnCall, OnCall.staff_id == StaffMember.id).where(
    OnCall.clinic_id == bindparam("clinic"),
    OnCall.position.in_(bindparam("positions", expanding=True)),
)


def start_ladder(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Text the first step that has somebody with a phone; a step with nobody is skipped at once.

    Where no step has anybody, everyone of the clinic who has a phone is texted. If there is
    nobody at all, the alert says so wherever it is shown: it has no text of this ladder.
    """
    rung = first_rung(session, alert.clinic_id, TriageLevel(alert.level))
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


def first_rung(session: Session, clinic_id: str, level: TriageLevel) -> Rung:
    """The first step that has somebody with a phone; the last with everyone if none has."""
    steps = LADDER[level]
    for number, step in enumerate(steps, start=1):
        people = reachable(session, clinic_id, step.positions)
        if people:
            return Rung(number, people, step.wait)
    return Rung(len(steps), reachable(session, clinic_id, ("everyone",)), steps[-1].wait)


def tell_owner(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    """Text the owner that there are new answers; the first step if the owner has no phone."""
    owner = session.get(StaffMember, alert.taken_by) if alert.taken_by else None
    if owner is not None and owner.phone is not None and owner.disabled_at is None:
        people = [Pager(owner.id, owner.phone)]
    else:
        first = LADDER[TriageLevel(alert.level)][0].positions
        people = reachable(session, alert.clinic_id, first) or reachable(
            session, alert.clinic_id, ("everyone",)
        )
    text_staff(session, site, alert, people, MessageKind.STAFF_WORSE, now)


@dataclass(frozen=True)
class Pager:
    """The phone (E.164) of a member of staff."""

    id: str
    phone: str


def reachable(session: Session, clinic_id: str, positions: Sequence[str]) -> list[Pager]:
    """Staff of the clinic who hold one of these positions now and have a phone, each once.

    "everyone" leaves out auditors: they look at records and may not act on an alert.
    """
    if "everyone" in positions:
        found = session.execute(_EVERYONE, {"clinic": clinic_id})
    else:
        found = session.execute(_ON_CALL, {"clinic": clinic_id, "positions": list(positions)})
    return [Pager(row.id, row.phone) for row in found.unique()]


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
            alert_id=alert.id,
        )
        for person in people
    ]
    messages.queue_all(session, drafts, now)


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
