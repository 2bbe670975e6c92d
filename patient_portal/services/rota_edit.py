"""Changing the rota: checked before it is kept, refused with the hour that is the trouble.

Every edit locks the clinic's row first, so two people who edit at once see each other's work. What
would leave a time without anybody is kept only where the clinic has a phone of its own that
catches everything. Each edit is in the audit log, and a new gap is told to the lead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.domain.ladders import as_stored, parse_ladder
from patient_portal.domain.rota import Change, ChangeKind, Position, Turn, span_of, timeline
from patient_portal.domain.rota_check import (
    LOOK_AHEAD,
    Finding,
    Reach,
    Trouble,
    gaps,
    look_ahead,
    overlapping,
    skipped_ahead,
    skipped_hour,
)
from patient_portal.domain.schedule import local_date
from patient_portal.models import Clinic, Role, Shift, ShiftChange, StaffMember
from patient_portal.services import ladder, rota_watch
from patient_portal.services.audit import Actor, record
from patient_portal.services.rota_plan import Board, read_board
from patient_portal.services.site import Site

MAY_CHANGE = frozenset({Role.LEAD, Role.ADMINISTRATOR})
# Who may stand on the ladder: auditors look at records and may not act on an alert.
MAY_BE_ON_CALL = frozenset(Role) - {Role.AUDITOR}
LONGEST_CHANGE = timedelta(days=35)
FURTHEST_AHEAD = timedelta(days=366)
_DAY = timedelta(days=1)


class RotaRefused(ValueError):
    """What was asked cannot be kept; ``code`` says why, the rest what it is about.

    ``person`` (nobody of this clinic who may be on call), ``unproven`` (no number of theirs has
    answered a test), ``unreachable`` (no number can be texted), ``days`` (no weekday), ``order``
    (it ends before it starts), ``past`` (it is over), ``far`` (more than a year ahead),
    ``long`` (more than 35 days), ``skipped`` (an hour that the clocks skip on ``day``; they show
    ``instead``), ``overlap`` (this person has that position then), ``not_on_call`` (nothing to
    take this person out of), ``gap`` and ``nobody`` (with ``finding``), ``zone`` (no such zone),
    ``gone`` (it was ended meanwhile).
    """

    def __init__(
        self,
        code: str,
        *,
        finding: Finding | None = None,
        day: date | None = None,
        at: time | None = None,
        instead: time | None = None,
        staff_id: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.finding, self.staff_id = code, finding, staff_id
        self.day, self.at, self.instead = day, at, instead


@dataclass(frozen=True)
class NewTurns:
    """A weekly turn on some weekdays (Monday = 0); times and dates are the clinic's own."""

    staff_id: str
    position: Position
    weekdays: frozenset[int]
    starts: time
    ends: time
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True)
class NewChange:
    """A dated change; both ends are wall time of the clinic without zone."""

    staff_id: str
    position: Position
    kind: ChangeKind
    starts: datetime
    ends: datetime


@dataclass
class Edit:
    """One edit under way: the clinic, locked, its rota before it, who edits, when."""

    session: Session
    site: Site
    clinic: Clinic
    before: Board
    by: StaffMember
    now: datetime

    @property
    def today(self) -> date:
        """The date on the clinic's calendar."""
        return local_date(self.now, self.before.plan.zone)

    def finish(
        self, action: str, subject: str, subject_id: str, until: datetime | None = None,
        **detail: Any,
    ) -> None:  # fmt: skip
        """Check what the edit left, to ``until`` if that is further ahead; audit it; tell gaps.

        Raises RotaRefused; the caller's transaction then keeps nothing.
        """
        self.session.flush()
        after = read_board(self.session, self.clinic, self.now)
        if self.clinic.catch_all is None:
            _refuse_gaps(after, self.now, until)
        actor = Actor("staff", self.by.id, self.clinic.id)
        record(self.session, actor, action, subject, subject_id, now=self.now, **detail)
        rota_watch.tell_new_gaps(self.session, self.site, after, self.now, editor=self.by)


def begin(session: Session, site: Site, by: StaffMember, now: datetime) -> Edit:
    """Lock the clinic of whoever edits, and read its rota."""
    clinic = session.get_one(Clinic, by.clinic_id, with_for_update={"key_share": True})
    return Edit(session, site, clinic, read_board(session, clinic, now), by, now)


# ---- the weekly pattern


def add_turns(edit: Edit, new: NewTurns) -> list[str]:
    """Add a weekly turn on each of the days; their ids. Raises RotaRefused."""
    _check_person(edit, new.staff_id)
    if not new.weekdays or not new.weekdays <= set(range(7)):
        raise RotaRefused("days")
    if new.valid_until is not None and new.valid_until < new.valid_from:
        raise RotaRefused("order")
    if new.valid_until is not None and new.valid_until < edit.today:
        raise RotaRefused("past")
    if new.valid_from > edit.today + FURTHEST_AHEAD:
        raise RotaRefused("far")
    _check_weekly_hours(edit, new)
    turns = [_turn(new, weekday) for weekday in sorted(new.weekdays)]
    if any(overlapping(one, other) for one in turns for other in edit.before.plan.turns) or any(
        overlapping(one, other) for one in turns for other in turns if one is not other
    ):
        raise RotaRefused("overlap", staff_id=new.staff_id)
    ids = [_keep_turn(edit, turn) for turn in turns]
    edit.finish(
        "rota.turns_added", "staff_member", new.staff_id, position=new.position.value,
        weekdays=sorted(new.weekdays), starts=f"{new.starts:%H:%M}", ends=f"{new.ends:%H:%M}",
        valid_from=new.valid_from.isoformat(),
        valid_until=new.valid_until.isoformat() if new.valid_until else None,
    )  # fmt: skip
    return ids


def _check_weekly_hours(edit: Edit, new: NewTurns) -> None:
    """No weekly turn begins or ends at an hour that some day of the coming year lacks."""
    zone, since = edit.before.plan.zone, max(new.valid_from, edit.today)
    over = 0 if new.ends > new.starts else 1
    for at, shift in ((new.starts, 0), (new.ends, over)):
        days = {(weekday + shift) % 7 for weekday in new.weekdays}
        last = new.valid_until + shift * _DAY if new.valid_until else None
        found = skipped_ahead(days, at, since, last, zone)
        if found is not None:
            raise RotaRefused("skipped", day=found[0], at=at, instead=found[1])


def _turn(new: NewTurns, weekday: int) -> Turn:
    return Turn(
        new.staff_id, new.position, weekday, new.starts, new.ends, new.valid_from, new.valid_until
    )


def _keep_turn(edit: Edit, turn: Turn) -> str:
    row = Shift(
        id=new_id(), clinic_id=edit.clinic.id, position=turn.position, staff_id=turn.person,
        weekday=turn.weekday, starts=turn.starts, ends=turn.ends, valid_from=turn.valid_from,
        valid_until=turn.valid_until, made_at=edit.now,
    )  # fmt: skip
    edit.session.add(row)
    return row.id


def end_turns(edit: Edit, turn_id: str, weekday: int | None = None) -> None:
    """End a weekly turn: on all its days, or on one weekday. What runs now runs to its end.

    ``turn_id`` names one of the rows that were entered together. Raises RotaRefused.
    """
    for row in _together(edit, turn_id):
        if weekday is not None and row.weekday != weekday:
            continue
        last = edit.today if _has_begun_today(row, edit) else edit.today - _DAY
        if row.valid_until is not None and row.valid_until <= last:
            continue
        if row.valid_from > last:
            edit.session.delete(row)
        else:
            row.valid_until = last
    first = edit.session.get(Shift, turn_id)
    staff_id = first.staff_id if first else edit.by.id
    edit.finish("rota.turns_ended", "staff_member", staff_id, weekday=weekday)


def _together(edit: Edit, turn_id: str) -> Sequence[Shift]:
    one = edit.session.get(Shift, turn_id)
    if one is None or one.clinic_id != edit.clinic.id:
        raise RotaRefused("gone")
    until = Shift.valid_until
    same_end = until.is_(None) if one.valid_until is None else until == one.valid_until
    return edit.session.scalars(
        select(Shift).where(
            Shift.clinic_id == one.clinic_id, Shift.staff_id == one.staff_id,
            Shift.position == one.position, Shift.starts == one.starts, Shift.ends == one.ends,
            Shift.valid_from == one.valid_from, same_end,
        )
    ).all()  # fmt: skip


def _has_begun_today(row: Shift, edit: Edit) -> bool:
    turn = Turn(row.staff_id, row.position, row.weekday, row.starts, row.ends, row.valid_from)
    lines = timeline([turn], [], row.position, edit.now, edit.now + _DAY, edit.before.plan.zone)
    return row.weekday == edit.today.weekday() and bool(lines[0].people)


# ---- dated changes


def add_change(edit: Edit, new: NewChange) -> str:
    """Add, replace or take out somebody from one moment to another; its id. Raises RotaRefused."""
    if new.kind is not ChangeKind.REMOVE:
        _check_person(edit, new.staff_id)
    elif new.staff_id not in edit.before.people:
        raise RotaRefused("person")
    zone = edit.before.plan.zone
    if new.ends <= new.starts:
        raise RotaRefused("order")
    if new.ends - new.starts > LONGEST_CHANGE:
        raise RotaRefused("long")
    for moment in (new.starts, new.ends):
        instead = skipped_hour(moment.date(), moment.time(), zone)
        if instead is not None:
            raise RotaRefused("skipped", day=moment.date(), at=moment.time(), instead=instead)
    change = Change(new.staff_id, new.position, new.kind, new.starts, new.ends, edit.now)
    starts, ends = span_of(change, zone)
    if ends <= edit.now:
        raise RotaRefused("past")
    if starts > edit.now + FURTHEST_AHEAD:
        raise RotaRefused("far")
    _check_against_rota(edit, change, starts, ends)
    row = ShiftChange(
        id=new_id(), clinic_id=edit.clinic.id, position=new.position, kind=new.kind,
        staff_id=new.staff_id, starts_local=new.starts, ends_local=new.ends, made_by=edit.by.id,
        made_at=edit.now,
    )  # fmt: skip
    edit.session.add(row)
    edit.finish(
        "rota.change_added", "shift_change", row.id, until=ends, staff_id=new.staff_id,
        kind=new.kind.value, position=new.position.value, starts=new.starts.isoformat(),
        ends=new.ends.isoformat(),
    )  # fmt: skip
    return row.id


def _check_against_rota(edit: Edit, change: Change, starts: datetime, ends: datetime) -> None:
    plan = edit.before.plan
    held = timeline(plan.turns, plan.changes, change.position, starts, ends, plan.zone)
    if change.kind is ChangeKind.REMOVE:
        if not any(change.person in span.people for span in held):
            raise RotaRefused("not_on_call", staff_id=change.person)
    elif change.kind is ChangeKind.ADD and any(change.person in span.people for span in held):
        raise RotaRefused("overlap", staff_id=change.person)


def end_change(edit: Edit, change_id: str) -> None:
    """Take a dated change back, or end one that runs. Raises RotaRefused."""
    row = edit.session.get(ShiftChange, change_id)
    if row is None or row.clinic_id != edit.clinic.id or row.ended_at is not None:
        raise RotaRefused("gone")
    row.ended_at = edit.now
    edit.finish("rota.change_ended", "shift_change", row.id, staff_id=row.staff_id)


# ---- the clinic's own


def set_place(edit: Edit, catch_all: str, zone: str) -> None:
    """The clinic's own phone (E.164), which nobody can empty, and its zone. Raises RotaRefused."""
    if zone not in available_timezones():
        raise RotaRefused("zone")
    was_zone = edit.clinic.zone
    edit.clinic.catch_all, edit.clinic.zone = catch_all, zone
    edit.finish("rota.place_changed", "clinic", edit.clinic.id, zone=zone, zone_before=was_zone)


def set_ladder(edit: Edit, stored: object) -> None:
    """The clinic's own ladder. Raises LadderRefused or RotaRefused."""
    edit.clinic.ladder = as_stored(parse_ladder(stored))
    edit.finish("rota.ladder_changed", "clinic", edit.clinic.id, ladder=edit.clinic.ladder)
    ladder.look_again(edit.session, edit.clinic.id, edit.now)


# ---- checks


def _check_person(edit: Edit, staff_id: str) -> None:
    person = edit.before.people.get(staff_id)
    if person is None or person.is_disabled or person.role not in MAY_BE_ON_CALL:
        raise RotaRefused("person")
    reach: Reach = person.reach
    if not reach.is_reachable:
        raise RotaRefused("unreachable", staff_id=staff_id)
    if not reach.is_proven:
        raise RotaRefused("unproven", staff_id=staff_id)


def _refuse_gaps(board: Board, now: datetime, until: datetime | None) -> None:
    ends = max(now + LOOK_AHEAD, until or now)
    lines = board.plan.lines(now, ends)
    for gap in sorted(gaps(board.plan, lines), key=lambda one: one.starts):
        raise RotaRefused("gap", finding=gap)
    for finding in look_ahead(board.plan, now, ends):
        if finding.trouble is Trouble.NOBODY:
            raise RotaRefused("nobody", finding=finding)
