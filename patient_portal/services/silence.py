"""What silence sets off: it pages the care team, once for each run of missed days.

The page goes the one way of every alert, so it joins an alert that is not closed. A mark for the
run, the level and the patient is written in the same transaction; its unique rule lets one worker
alone page, and a worker that dies leaves neither mark nor alert.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, select
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.missed import may_page
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.replay import inputs_of_silence
from patient_portal.models import (
    Alert,
    AlertState,
    Clinic,
    Patient,
    SilenceMark,
    SilenceMarkKind,
    StaffMember,
)
from patient_portal.services import alerts, missed
from patient_portal.services.accounts import actor_of
from patient_portal.services.audit import record
from patient_portal.services.missed import Silent
from patient_portal.services.site import Site

_MARKS = (
    select(
        SilenceMark.patient_id, SilenceMark.since, SilenceMark.kind, SilenceMark.level,
        Alert.state.label("alert_state"),
    )
    .outerjoin(Alert, Alert.id == SilenceMark.alert_id)
    .where(SilenceMark.patient_id.in_(bindparam("patients", type_=String, expanding=True)))
)  # fmt: skip


class NotSilent(LookupError):
    """There is no such row any more: they have checked in, or are another clinic's."""


class Done(NamedTuple):
    """What was done about a run: the highest level that was paged, and read; 0 for neither.

    ``is_open``: the alert that the page opened or joined is not closed.
    """

    paged: int = 0
    read: int = 0
    is_open: bool = False


def done_about(session: Session, people: Iterable[Silent]) -> dict[str, Done]:
    """What was done about each one's run, by patient; one statement."""
    runs = {one.person.id: one.counted_from for one in people}
    found: dict[str, Done] = dict.fromkeys(runs, Done())
    if not runs:
        return found
    for mark in session.execute(_MARKS, {"patients": list(runs)}):
        if mark.since == runs[mark.patient_id]:
            found[mark.patient_id] = _with(found[mark.patient_id], mark)
    return found


def _with(done: Done, mark: Any) -> Done:
    if mark.kind is SilenceMarkKind.READ:
        return done._replace(read=max(done.read, mark.level))
    return done._replace(
        paged=max(done.paged, mark.level),
        is_open=done.is_open or mark.alert_state is not AlertState.CLOSED,
    )


def listed(session: Session, protocol: Protocol, clinic_id: str, now: datetime) -> list[Silent]:
    """The rows of the inbox: who is silent, without those who are read or listed as an alert.

    One that was read returns when its run reaches a higher level.
    """
    found = missed.silent(session, protocol, clinic_id, now)
    done = done_about(session, found)
    return [one for one in found if _is_listed(one, done[one.person.id])]


def _is_listed(one: Silent, done: Done) -> bool:
    return one.rule.level > done.read and not (done.is_open and one.rule.level <= done.paged)


# ---- paging


def clinics(session: Session) -> list[str]:
    """Every clinic, for one look each."""
    return list(session.scalars(select(Clinic.id)))


def to_page(session: Session, protocol: Protocol, clinic_id: str, now: datetime) -> list[Silent]:
    """Who must be paged about now; the worst and longest first."""
    times = protocol.beyond.silence
    found = [
        one
        for one in missed.silent(session, protocol, clinic_id, now)
        if one.rule.level.is_red and may_page(times, now, one.zone, open_red=one.has_red_open)
    ]
    done = done_about(session, found)
    return [one for one in found if one.rule.level > done[one.person.id].paged]


def page(
    session: Session, site: Site, clinic_id: str, patient_id: str, now: datetime
) -> Alert | None:
    """Page for one silent patient, in a transaction of their own.

    None if there is nothing to page for any more: they have checked in, it is night, or another
    worker was first.
    """
    one = missed.silent_one(session, site.protocol, clinic_id, patient_id, now)
    if one is None or not one.rule.level.is_red:
        return None
    if not may_page(site.protocol.beyond.silence, now, one.zone, open_red=one.has_red_open):
        return None
    if one.rule.level <= done_about(session, [one])[patient_id].paged:
        return None
    mark = _mark(session, clinic_id, one, SilenceMarkKind.PAGED, now)
    if mark is None:
        return None
    patient = session.get_one(Patient, patient_id)
    alert = alerts.raise_alert(session, site, patient, _red(one), now)
    session.get_one(SilenceMark, mark).alert_id = alert.id
    session.flush()
    return alert


def _red(one: Silent) -> alerts.RedAnswer:
    return alerts.RedAnswer(
        check_in_id=None,
        level=one.rule.level,
        reasons=[{"rule": one.rule.id, "level": one.rule.level.code}],
        inputs=inputs_of_silence(one.days, one.after, one.course),
        phone_recognised=True,
    )


def _mark(
    session: Session,
    clinic_id: str,
    one: Silent,
    kind: SilenceMarkKind,
    now: datetime,
    by: StaffMember | None = None,
) -> str | None:
    """Write the mark; its id, or None if it stands already."""
    row = {
        "id": new_id(),
        "clinic_id": clinic_id,
        "patient_id": one.person.id,
        "since": one.counted_from,
        "kind": kind,
        "level": int(one.rule.level),
        "rule": one.rule.id,
        "days": one.days,
        "alert_id": None,
        "staff_id": by.id if by else None,
        "at": now,
    }
    unique = ["patient_id", "since", "kind", "level"]
    went_in = insert_once(session, SilenceMark.__table__, row, unique=unique)  # type: ignore[arg-type]
    return str(row["id"]) if went_in else None


# ---- reading


def mark_read(
    session: Session,
    protocol: Protocol,
    by: StaffMember,
    patient_id: str,
    level: TriageLevel,
    now: datetime,
) -> None:
    """Note that ``by`` has read a row of this level; it goes for this run of days.

    A row that has become worse since it was shown stays: that has not been read. Raises NotSilent.
    """
    one = missed.silent_one(session, protocol, by.clinic_id, patient_id, now)
    if one is None:
        raise NotSilent(patient_id)
    if one.rule.level > level:
        return
    if _mark(session, by.clinic_id, one, SilenceMarkKind.READ, now, by) is not None:
        record(
            session, actor_of(by), "silence.read", "patient", patient_id, now=now,
            rule=one.rule.id, days=one.days, since=one.counted_from.isoformat(),
        )  # fmt: skip
