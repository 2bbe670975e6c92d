"""What silence sets off: it pages the care team, and once more if it goes on after that.

The page goes the one way of every alert, so it joins an alert that is not closed. A mark for the
run, the level and the patient is written in the same transaction; its unique rule lets one worker
alone page, and a worker that dies leaves neither mark nor alert.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, select, update
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.missed import is_listed_again, may_page, pages_again
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.replay import inputs_of_silence
from patient_portal.domain.schedule import local_date
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
        SilenceMark.rule, SilenceMark.days, Alert.state.label("alert_state"), Alert.closed_at,
    )
    .outerjoin(Alert, Alert.id == SilenceMark.alert_id)
    .where(SilenceMark.patient_id.in_(bindparam("patients", type_=String, expanding=True)))
)  # fmt: skip


class NotSilent(LookupError):
    """There is no such row any more: they have checked in, or are another clinic's."""


class Done(NamedTuple):
    """What was done about a run: the highest level that was paged, and read; 0 for neither.

    With the days missed at that, the rule that paged, and when its alert was closed. ``is_open``:
    an alert that a page opened or joined is not closed.
    """

    paged: int = 0
    paged_days: int = 0
    paged_rule: str = ""
    closed_at: datetime | None = None
    read: int = 0
    read_days: int = 0
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
        if mark.level < done.read:
            return done
        return done._replace(read=mark.level, read_days=mark.days)
    is_open = done.is_open or mark.alert_state is not AlertState.CLOSED
    if mark.level < done.paged:
        return done._replace(is_open=is_open)
    return done._replace(
        paged=mark.level, paged_days=mark.days, paged_rule=mark.rule, closed_at=mark.closed_at,
        is_open=is_open,
    )  # fmt: skip


def listed(session: Session, protocol: Protocol, clinic_id: str, now: datetime) -> list[Silent]:
    """The rows of the inbox: who is silent, without those who are read or listed as an alert.

    One that was read returns when its run reaches a higher level, and after each further days
    that the protocol names.
    """
    found = missed.silent(session, protocol, clinic_id, now)
    done = done_about(session, found)
    return [one for one in found if _is_listed(protocol, one, done[one.person.id])]


def _is_listed(protocol: Protocol, one: Silent, done: Done) -> bool:
    if done.is_open and one.rule.level <= done.paged:
        return False  # it stands above, as an alert
    if one.rule.level > done.read:
        return True
    return is_listed_again(protocol.beyond.silence, one.days, done.read_days)


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
    return [one for one in found if _is_due(protocol, one, done[one.person.id])]


def _is_due(protocol: Protocol, one: Silent, done: Done) -> bool:
    """Whether a red silence pages: at a level not paged yet, or because it goes on."""
    if one.rule.level > done.paged:
        return True
    if done.is_open or done.closed_at is None:
        return False
    closed_on = (local_date(done.closed_at, one.zone) - one.counted_from).days
    return pages_again(
        protocol, one.days, rule=done.paged_rule, paged_at=done.paged_days, closed_on=closed_on
    )


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
    if not _is_due(site.protocol, one, done_about(session, [one])[patient_id]):
        return None
    mark = _mark(session, clinic_id, one, SilenceMarkKind.PAGED, now)
    if mark is None:
        return None
    patient = session.get_one(Patient, patient_id)
    alert = alerts.raise_alert(session, site, patient, _red(site.protocol, one), now)
    session.get_one(SilenceMark, mark).alert_id = alert.id
    session.flush()
    return alert


def _red(protocol: Protocol, one: Silent) -> alerts.RedAnswer:
    return alerts.RedAnswer(
        check_in_id=None,
        level=one.rule.level,
        reasons=[{"rule": one.rule.id, "level": one.rule.level.code}],
        inputs=inputs_of_silence(one.days, one.after, one.course, protocol=protocol.id),
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
    """Write the mark, or move the one of this level on to today's days; None if it is there."""
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
    if insert_once(session, SilenceMark.__table__, row, unique=unique):  # type: ignore[arg-type]
        return str(row["id"])
    moved = {key: row[key] for key in ("rule", "days", "alert_id", "staff_id", "at")}
    return session.scalars(
        update(SilenceMark)
        .where(*(getattr(SilenceMark, key) == row[key] for key in unique))
        # Of two workers, and of two who read, the second finds it moved.
        .where(SilenceMark.days < one.days)
        .values(**moved)
        .returning(SilenceMark.id)
        .execution_options(synchronize_session=False)
    ).first()


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
    done = done_about(session, [one])[patient_id]
    if not _is_listed(protocol, one, done):
        return
    if _mark(session, by.clinic_id, one, SilenceMarkKind.READ, now, by) is not None:
        record(
            session, actor_of(by), "silence.read", "patient", patient_id, now=now,
            rule=one.rule.id, days=one.days, since=one.counted_from.isoformat(),
        )  # fmt: skip
