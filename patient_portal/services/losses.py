"""What follows when a text failed: for the number, for the ladder, for those who must know."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from patient_portal.domain.escalation import AlertState
from patient_portal.domain.gateway_policy import Act, Fault, Number, Policy, policy_of
from patient_portal.models import Alert, Lane, Message, MessageKind, StaffPhone
from patient_portal.services import gateway_faults, leads, messages, opt_out, paging, phones
from patient_portal.sms import alarm_texts

# No text can tell of these: nothing leaves. Pages and logs do (``gateway_faults``).
_NO_TEXT_HELPS = (Fault.DOWN, Fault.AWAY)


def note_fault(
    session: Session, message: Message, code: str, now: datetime, *, is_live: bool
) -> None:
    """Note what a failed text says of the gateway, and tell the lead once a day.

    ``is_live``: the gateway has just answered so, as against word of an old text.
    """
    fault = gateway_faults.note_answer(session, code, now, is_live=is_live)
    if fault is None or fault in _NO_TEXT_HELPS or message.kind is MessageKind.STAFF_ALARM:
        return
    leads.text_leads(
        session, message.clinic_id, f"gateway:{fault}:{now:%Y%m%d}",
        lambda words, clinic: alarm_texts.gateway_trouble(words, clinic=clinic.name, code=code),
        now,
    )  # fmt: skip


def on_lost(session: Session, message: Message, now: datetime) -> None:
    """A text was given up or lost for good: mend what can be mended, now.

    The number is noted as bad or stopped, an alert's text is sent once more where that may help,
    and the ladder goes on at once when no text of its running step can still arrive.
    """
    row = policy_of(message.error_code)
    alert = None
    if message.alert_id is not None:
        session.flush()
        # Locked: the clock's own step of the same alert must not overwrite what is decided here.
        # And first, for what is noted of the number takes further alerts, if nobody holds them.
        alert = session.get_one(
            Alert, message.alert_id, with_for_update=True, populate_existing=True
        )
    _note_number(session, message, row, now)
    if alert is None or alert.state is not AlertState.OPEN:
        return
    if message.kind is MessageKind.STAFF_ALERT:
        # First the ladder: the further text may be as slow as the one that was lost.
        paging.go_on(session, alert, now)
    if row.lost is Act.ONCE_MORE and message.accepted_at is not None:
        _send_once_more(session, message, now)


def hold_alerts(session: Session, carrier_id: str) -> None:
    """Lock the alerts whose texts go out in this one, before any of their rows changes.

    Somebody who takes one of them locks it first and its texts then; so does this.
    """
    session.scalars(
        select(Alert.id)
        .where(Alert.id.in_(select(Message.alert_id).where(Message.carried_by == carrier_id)))
        .order_by(Alert.id)
        .with_for_update()
    ).all()


def _note_number(session: Session, message: Message, row: Policy, now: datetime) -> None:
    if row.number is Number.STOPPED:
        opt_out.stop_number(session, message.to_number, now, code=row.code)
    elif row.number is Number.BAD:
        found = select(StaffPhone).where(StaffPhone.number == message.to_number)
        for phone in session.scalars(found):
            phones.mark_bad(session, phone, row.code, now)


def _send_once_more(session: Session, message: Message, now: datetime) -> None:
    """Queue an alert's lost text again, once. It carries the error, which may ask for our other
    sender.
    """
    if (
        message.carried_by is not None
        or message.lane is not Lane.ALERT
        or message.once_key.startswith(messages.AGAIN)
        or message.expires_at <= now
    ):
        return
    again = messages.Draft(
        clinic_id=message.clinic_id,
        to_number=message.to_number,
        kind=message.kind,
        lane=message.lane,
        body=message.body,
        once_key=f"{messages.AGAIN}{message.id}",
        lives_for=message.expires_at - now,
        patient_id=message.patient_id,
        staff_id=message.staff_id,
        alert_id=message.alert_id,
        phone_id=message.phone_id,
        step=message.step,
        round=message.round,
        secret_of=message.secret_of,
    )
    if messages.queue(session, again, now):
        session.execute(
            update(Message)
            .where(Message.once_key == again.once_key)
            .values(error_code=message.error_code)
            .execution_options(synchronize_session=False)
        )
