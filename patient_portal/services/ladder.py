"""The clock's part of an alert: the next step, the owner's reminder, opening again, telling.

One transaction an alert. What is due is worked out from rows and the present moment, so a worker
that slept or died makes things late, and never loses or repeats one.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from patient_portal.domain.escalation import (
    OPENS_AGAIN_AFTER,
    AlertState,
    Due,
    Facts,
    next_due,
    steps_due,
    what_is_due,
)
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import Alert, MessageKind, StaffMember
from patient_portal.services import alerts, leads, messages, paging, patient_texts
from patient_portal.services.audit import SYSTEM, record
from patient_portal.services.rungs import Roster, read_roster
from patient_portal.services.site import Site
from patient_portal.sms import staff_texts
from patient_portal.words import Words

BATCH = 50


def due(session: Session, now: datetime, limit: int = BATCH) -> list[str]:
    """Alerts (ids) of which the clock asks something, the longest due first. Locks nothing."""
    return list(
        session.scalars(
            select(Alert.id)
            .where(Alert.next_action_at <= now, Alert.state != AlertState.CLOSED)
            .order_by(Alert.next_action_at)
            .limit(limit)
        )
    )


def look_again(session: Session, clinic_id: str, now: datetime) -> None:
    """Work out a clinic's timers anew: what they depend on has changed, and they may be due sooner.

    A phone, a person or the ladder itself. Alerts that somebody is just acting on are left alone.
    """
    query = select(Alert).where(Alert.clinic_id == clinic_id, Alert.next_action_at > now)
    if _bring_forward(session, query.where(Alert.state != AlertState.CLOSED), now):
        messages.wake_workers(session)


def rebuild(session: Session, now: datetime) -> int:
    """Work out every timer anew from rows alone, and mend those that are missing or too late.

    Returns how many were mended. A timer that is early does no harm: it finds nothing due.
    """
    return _bring_forward(session, select(Alert).where(Alert.state != AlertState.CLOSED), now)


def _bring_forward(session: Session, query: Select[Any], now: datetime) -> int:
    """Set these alerts' timers to what their rows say, where that is sooner. Returns how many."""
    changed = 0
    found = query.order_by(Alert.id).with_for_update(skip_locked=True)
    for alert in session.scalars(found.execution_options(populate_existing=True)).all():
        roster = read_roster(session, alert.clinic_id, now)
        due_at = next_due(paging.read_facts(session, roster, alert))
        if due_at is not None and (alert.next_action_at is None or alert.next_action_at > due_at):
            alert.next_action_at = due_at
            changed += 1
    return changed


def advance(session: Session, site: Site, now: datetime, limit: int = BATCH) -> int:
    """Do what is due for up to ``limit`` alerts, in the caller's transaction. Returns how many."""
    return sum(advance_one(session, site, alert_id, now) for alert_id in due(session, now, limit))


def advance_one(session: Session, site: Site, alert_id: str, now: datetime) -> bool:
    """Do what is due for one alert and set its timer.

    False when another worker holds it, or somebody has just taken it.
    """
    alert = session.scalars(
        select(Alert)
        .where(Alert.id == alert_id, Alert.next_action_at <= now, Alert.state != AlertState.CLOSED)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()
    if alert is None:
        return False
    roster = read_roster(session, alert.clinic_id, now)
    facts = paging.read_facts(session, roster, alert)
    asked = what_is_due(facts, now)
    if Due.END_TEST in asked:
        alerts.end_test(session, alert, now)
        return True
    if Due.REOPEN in asked:
        alerts.reopen(session, site, alert, now)
        return True
    if Due.REPAGE in asked:
        _repage(session, site, roster, alert, now)
    if Due.TELL_LEAD in asked:
        _tell_lead(session, site, alert, now)
    if Due.SECOND_NUMBERS in asked:
        _text_second_numbers(session, site, roster, alert, now)
    if Due.TELL_PATIENT in asked:
        _tell_patient(session, alert, now)
    if Due.GO_ON in asked:
        _go_on(session, site, roster, alert, facts, now)
    else:
        paging.set_timer(session, roster, alert)
    return True


def _go_on(
    session: Session, site: Site, roster: Roster, alert: Alert, facts: Facts, now: datetime
) -> None:
    """Text the step whose turn it is. Steps that were slept through are texted with it, once."""
    first, last = steps_due(facts, now)
    before = facts.step
    paging.text_rung(session, site, roster, alert, roster.rung(facts.level, first, last), now)
    record(
        session, SYSTEM, "alert.went_on", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
        ref=alert.ref, step=alert.step, round=alert.round, came_from=before,
        without_proof=not facts.has_proof,
    )  # fmt: skip


def _text_second_numbers(
    session: Session, site: Site, roster: Roster, alert: Alert, now: datetime
) -> None:
    texts = paging.texts_of_step(session, alert)
    numbers = [number for number, _ in paging.unheard_people(roster, texts)]
    paging.page(session, site, roster, alert, numbers, now)


def _repage(session: Session, site: Site, roster: Roster, alert: Alert, now: datetime) -> None:
    """Text the owner: no call is noted, and the alert will open again."""
    taken = alert.taken_at or now
    opens_at = taken + OPENS_AGAIN_AFTER[TriageLevel(alert.level)]
    body = staff_texts.repage(
        Words(roster.language), clinic=roster.clinic, ref=alert.ref, waited=now - taken,
        opens_at=opens_at.astimezone(roster.zone), url=paging.address_of(site, alert),
    )  # fmt: skip
    alert.repaged_at = now
    paging.text_owner(session, roster, alert, MessageKind.STAFF_REPAGE, body, now)
    record(
        session, SYSTEM, "alert.repaged", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
        ref=alert.ref, owner=alert.taken_by,
    )  # fmt: skip


def _tell_lead(session: Session, site: Site, alert: Alert, now: datetime) -> None:
    owner = session.get_one(StaffMember, alert.taken_by).name
    waited = now - (alert.taken_at or now)
    leads.text_leads(
        session, alert.clinic_id, f"not_closed:{alert.id}:{now:%Y%m%dT%H%M}",
        lambda words, clinic: staff_texts.not_closed(
            words, clinic=clinic.name, ref=alert.ref, who=owner, waited=waited,
            url=paging.address_of(site, alert),
        ),
        now,
    )  # fmt: skip
    alert.lead_told_at = now
    record(
        session, SYSTEM, "alert.lead_told", "alert", alert.id, now=now, clinic_id=alert.clinic_id,
        ref=alert.ref,
    )  # fmt: skip


def _tell_patient(session: Session, alert: Alert, now: datetime) -> None:
    patient_texts.tell_untaken(session, alert, now)
    alert.patient_told_at = now
    record(
        session, SYSTEM, "alert.patient_told", "alert", alert.id, now=now,
        clinic_id=alert.clinic_id, ref=alert.ref,
    )  # fmt: skip
