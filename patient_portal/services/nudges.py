"""What follows the day's text while nobody answers: the text once more, then one to a helper.

The hours are the protocol's. A text is one row for its patient, kind and local day, so no worker
sends it twice; one that could not leave by the cut-off is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import String, bindparam, insert, select
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.domain.missed import SilenceTimes, silence_times
from patient_portal.domain.places import emergency_number
from patient_portal.domain.schedule import (
    at_wall_time,
    is_waking_hour,
    local_date,
    reminder_lives_for,
)
from patient_portal.logs import get_logger
from patient_portal.models import (
    Caregiver,
    CaregiverGrant,
    Clinic,
    Lane,
    Link,
    LinkKind,
    Message,
    MessageKind,
    Patient,
)
from patient_portal.services import messages, reminders
from patient_portal.services.enrolment import LINK_LIVES
from patient_portal.services.missed import last_day_of
from patient_portal.services.pauses import MAY_REMIND, is_paused
from patient_portal.services.site import Site
from patient_portal.services.tokens import digest, link_token
from patient_portal.sms import texts
from patient_portal.words import Words

# So many texts are queued in one transaction; the rest waits for the next look.
MOST = 500
_KEYS_AT_ONCE = 1000
_log = get_logger()

_CLINIC = bindparam("clinic", type_=String)
_PEOPLE = (
    select(
        Patient.id, Patient.phone, Patient.language, Patient.country, Patient.zone,
        Patient.reminder_at, Patient.enrolled_at, Patient.paused_from, Patient.paused_until,
        Patient.resumed_at, last_day_of(Patient.id).label("last_on"),
    )
    .where(
        Patient.clinic_id == _CLINIC,
        Patient.enrolled_at.is_not(None),
        Patient.ended_at.is_(None),
        Patient.texts_stopped_at.is_(None),
    )
    .order_by(Patient.id)
)  # fmt: skip
_QUEUED = select(Message.once_key, Message.created_at).where(
    Message.once_key.in_(bindparam("keys", type_=String, expanding=True))
)
_HELPERS = (
    select(
        CaregiverGrant.patient_id, CaregiverGrant.scopes, Caregiver.id, Caregiver.phone,
        Caregiver.language,
    )
    .join(Caregiver, Caregiver.id == CaregiverGrant.caregiver_id)
    .where(
        CaregiverGrant.patient_id.in_(bindparam("patients", type_=String, expanding=True)),
        CaregiverGrant.ended_at.is_(None),
    )
)  # fmt: skip


@dataclass(frozen=True)
class _Waiting:
    """Somebody of whom nothing was heard today, and what the hour says about it."""

    patient: Any
    day: date
    times: SilenceTimes


def queue_due(session: Session, site: Site, clinic_id: str, now: datetime) -> int:
    """Queue the texts of one clinic that are due. Returns how many."""
    rows = session.execute(_PEOPLE, {"clinic": clinic_id}).all()
    waiting = [one for row in rows if (one := _waiting(site, row, now)) is not None]
    if not waiting:
        return 0
    queued = _queued(session, [reminders.once_key(one.patient.id, one.day) for one in waiting])
    waiting = [_since_sent(site, one, queued) for one in waiting]
    clinic = session.get_one(Clinic, clinic_id)
    pairs = [
        *_repeats(site, clinic, waiting, now),
        *_to_helpers(session, clinic, waiting, now),
    ]
    known = _queued(session, [draft.once_key for draft, _ in pairs])
    fresh = [pair for pair in pairs if pair[0].once_key not in known][:MOST]
    _insert(session, fresh, now)
    return len(fresh)


def _waiting(site: Site, patient: Any, now: datetime) -> _Waiting | None:
    """None unless the first of the two texts may be due by now."""
    try:
        day = local_date(now, patient.zone)
        if (
            patient.last_on == day
            or is_paused(patient, day)
            or not is_waking_hour(now, patient.zone)
        ):
            return None
        # Nobody has had a text on the day they joined.
        if local_date(patient.enrolled_at, patient.zone) == day:
            return None
        planned = at_wall_time(day, patient.reminder_at, patient.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        _log.error("nudge.unreadable", patient_id=patient.id, exc_info=error)
        return None
    times = silence_times(site.protocol.beyond.silence, planned, patient.zone)
    return _Waiting(patient, day, times) if times.repeat_at <= now < times.cut_off_at else None


def _queued(session: Session, keys: Sequence[str]) -> dict[str, datetime]:
    """When the texts with these keys were queued; those that were not are left out."""
    found: dict[str, datetime] = {}
    for first in range(0, len(keys), _KEYS_AT_ONCE):
        asked = {"keys": list(keys[first : first + _KEYS_AT_ONCE])}
        found.update({row.once_key: row.created_at for row in session.execute(_QUEUED, asked)})
    return found


def _since_sent(site: Site, one: _Waiting, queued: Mapping[str, datetime]) -> _Waiting:
    """Counted from the moment the day's text was queued, where it was late."""
    at = queued.get(reminders.once_key(one.patient.id, one.day))
    if at is None:
        return one
    times = silence_times(site.protocol.beyond.silence, at, one.patient.zone)
    return _Waiting(one.patient, one.day, times)


_Pair = tuple[messages.Draft, dict[str, Any] | None]  # a text, and the link in it


def _repeats(
    site: Site,
    clinic: Clinic,
    waiting: Iterable[_Waiting],
    now: datetime,
) -> list[_Pair]:
    """The day's text once more, with a link of its own."""
    return [_repeat(site, clinic, one, now) for one in waiting if now >= one.times.repeat_at]


def _repeat(site: Site, clinic: Clinic, one: _Waiting, now: datetime) -> _Pair:
    patient, link_id = one.patient, new_id()
    body = texts.repeat(
        Words(patient.language),
        clinic=clinic.name,
        base_url=site.base_url,
        number=emergency_number(patient.country),
    )
    link = {
        "id": link_id,
        "patient_id": patient.id,
        "kind": LinkKind.DAILY,
        "token_hash": digest(link_token(site.pepper, link_id)),
        "for_date": one.day,
        "created_at": now,
        "expires_at": now + LINK_LIVES[LinkKind.DAILY],
    }
    draft = messages.Draft(
        clinic_id=clinic.id,
        to_number=patient.phone,
        kind=MessageKind.REPEAT,
        lane=Lane.REMINDER,
        body=body,
        once_key=f"repeat:{patient.id}:{one.day.isoformat()}",
        lives_for=reminder_lives_for(now, patient.zone),
        patient_id=patient.id,
        secret_of=f"link:{link_id}",
    )
    return draft, link


def _to_helpers(
    session: Session, clinic: Clinic, waiting: Iterable[_Waiting], now: datetime
) -> list[_Pair]:
    """One text to each helper who may remind; it names nobody and carries no link."""
    late = {one.patient.id: one for one in waiting if now >= one.times.caregiver_at}
    if not late:
        return []
    helpers = session.execute(_HELPERS, {"patients": list(late)})
    return [
        (_ask(clinic, late[helper.patient_id], helper, now), None)
        for helper in helpers
        if MAY_REMIND in helper.scopes
    ]


def _ask(clinic: Clinic, one: _Waiting, helper: Any, now: datetime) -> messages.Draft:
    body = texts.ask_helper(
        Words(helper.language), clinic=clinic.name, number=emergency_number(one.patient.country)
    )
    return messages.Draft(
        clinic_id=clinic.id,
        to_number=helper.phone,
        kind=MessageKind.ASK_HELPER,
        lane=Lane.REMINDER,
        body=body,
        once_key=f"ask_helper:{one.patient.id}:{one.day.isoformat()}:{helper.id}",
        lives_for=reminder_lives_for(now, one.patient.zone),
        patient_id=one.patient.id,
    )


def _insert(session: Session, pairs: Sequence[_Pair], now: datetime) -> None:
    """Insert texts and links; one that another worker queued meanwhile stays the only one."""
    links = [link for _, link in pairs if link is not None]
    if links:
        session.execute(insert(Link.__table__), links)  # type: ignore[arg-type]
    messages.queue_all(session, [draft for draft, _ in pairs], now)
