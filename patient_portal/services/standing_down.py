"""What ends when somebody takes or closes an alert: unsent texts, and the waiting of the others."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from patient_portal.domain.delivery import LOST
from patient_portal.models import Alert, Message, MessageKind, MessageState, StaffMember
from patient_portal.services import bundles, messages
from patient_portal.services.paging import draft_for
from patient_portal.services.rungs import Pager, read_roster
from patient_portal.sms import staff_texts
from patient_portal.words import Words

_ABOUT_IT = (MessageKind.STAFF_ALERT, MessageKind.STAFF_WORSE, MessageKind.STAFF_REPAGE)


def stop_unsent(session: Session, alert: Alert) -> None:
    """Staff texts of this alert that no worker has claimed yet are not sent any more.

    A text that goes out inside another one counts as claimed when that one is.
    """
    carrier = aliased(Message)
    is_on_its_way = (
        select(carrier.id)
        .where(carrier.id == Message.carried_by, carrier.state != MessageState.DUE)
        .exists()
    )
    stopped = session.execute(
        update(Message)
        .where(
            Message.alert_id == alert.id,
            Message.kind.in_(_ABOUT_IT),
            Message.state == MessageState.DUE,
            ~is_on_its_way,
        )
        .values(state=MessageState.EXPIRED)
        .returning(Message.carried_by)
        .execution_options(synchronize_session=False)
    )
    for carrier_id in sorted({row.carried_by for row in stopped if row.carried_by}):
        bundles.give_up_empty(session, carrier_id)


def tell_taken(session: Session, alert: Alert, by: StaffMember, now: datetime) -> None:
    """Tell everybody else who was texted that this person has it."""
    _tell_others(session, alert, by, now, is_closed=False)


def tell_closed(session: Session, alert: Alert, by: StaffMember, now: datetime) -> None:
    """Tell everybody who was texted, but the one who closed it, that it is over."""
    _tell_others(session, alert, by, now, is_closed=True)


def _tell_others(
    session: Session, alert: Alert, by: StaffMember, now: datetime, *, is_closed: bool
) -> None:
    told = _phones_to_tell(session, alert, by.id, is_closed=is_closed)
    if not told:
        return
    roster = read_roster(session, alert.clinic_id, now)
    usable = {each.phone_id for numbers in roster.numbers.values() for each in numbers}
    write = staff_texts.closed if is_closed else staff_texts.taken
    body = write(
        Words(roster.language), clinic=roster.clinic, ref=alert.ref, who=by.name,
        at=now.astimezone(roster.zone),
    )  # fmt: skip
    key = f"{'closed' if is_closed else 'taken'}:{alert.id}:{now:%Y%m%dT%H%M%S%f}"
    drafts = [
        draft_for(alert, person, MessageKind.STAFF_STOOD_DOWN, body, f"{key}:{person.key}")
        for person in told
        if person.phone_id in usable
    ]
    messages.queue_all(session, drafts, now)


def _phones_to_tell(session: Session, alert: Alert, by: str, *, is_closed: bool) -> list[Pager]:
    """Each phone that has, or may have, a text about this alert, but for one person's.

    Who was told before that somebody took it, and was not texted since, is not told so again.
    """
    later = aliased(Message)
    was_told = (
        select(later.id)
        .where(
            later.alert_id == alert.id,
            later.kind == MessageKind.STAFF_STOOD_DOWN,
            later.phone_id == Message.phone_id,
            later.created_at > Message.created_at,
        )
        .exists()
    )
    query = (
        select(Message.staff_id, Message.phone_id, Message.to_number)
        .where(
            Message.alert_id == alert.id,
            Message.kind == MessageKind.STAFF_ALERT,
            Message.staff_id.is_not(None),
            Message.staff_id != by,
            Message.state.not_in(LOST),
        )
        .distinct()
        .order_by(Message.to_number)
    )
    rows = session.execute(query if is_closed else query.where(~was_told))
    return [Pager(row.staff_id, row.to_number, row.phone_id) for row in rows]
