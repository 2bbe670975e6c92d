"""Who would be texted at a moment: the clinic's people and numbers, its ladder's steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.orm import Session

from patient_portal.domain.escalation import EVERYONE, Ladder, Step, ladder_of
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.schedule import readable_zone
from patient_portal.models import (
    Alert,
    AlertState,
    Clinic,
    Message,
    MessageKind,
    MessageState,
    Position,
    Role,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import rota

_CLINIC = select(
    Clinic.name, Clinic.language, Clinic.zone, Clinic.ladder, Clinic.catch_all
).where(Clinic.id == bindparam("clinic"))  # fmt: skip
_PHONES = (
    select(
        StaffMember.id,
        StaffMember.name,
        StaffMember.role,
        StaffPhone.id.label("phone_id"),
        StaffPhone.number,
    )
    .join(StaffPhone, StaffPhone.staff_id == StaffMember.id)
    .where(
        StaffMember.clinic_id == bindparam("clinic"),
        StaffMember.disabled_at.is_(None),
        StaffPhone.stopped_at.is_(None),
        StaffPhone.bad_at.is_(None),
    )
    .order_by(StaffMember.name, StaffMember.id, StaffPhone.rank)
)


# A text that failed or ran out is neither: the alert's trouble says so.
_LEFT = (
    MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED,
)  # fmt: skip
_TEXTED = (
    select(
        Message.alert_id,
        StaffMember.name,
        func.max(case((Message.state.in_(_LEFT), 1), else_=0)).label("has_left"),
    )
    .join(Alert, Alert.id == Message.alert_id)
    .join(StaffMember, StaffMember.id == Message.staff_id)
    .where(
        Alert.clinic_id == bindparam("clinic"),
        Alert.state == AlertState.OPEN,
        Message.kind == MessageKind.STAFF_ALERT,
        Message.step == Alert.step,
        Message.round == Alert.round,
        Message.created_at >= Alert.ladder_started_at,
        Message.state.in_((MessageState.DUE, MessageState.SENDING, *_LEFT)),
    )
    .group_by(Message.alert_id, StaffMember.name)
    .order_by(StaffMember.name)
)


@dataclass(frozen=True)
class Pager:
    """A phone (E.164) of a member of staff; without ``id`` the clinic's own catch-all number."""

    id: str | None
    phone: str
    phone_id: str | None
    name: str = ""

    @property
    def key(self) -> str:
        """What tells this phone from others in the key of a text."""
        return self.phone_id or "catch_all"


@dataclass(frozen=True)
class Rung:
    """A step of the ladder: its number from 1, whom it texts, how it waits for them."""

    number: int
    people: Sequence[Pager]
    step: Step


@dataclass(frozen=True)
class Roster:
    """A clinic as its alerts see it: who is on call, which numbers can be texted, its ladder."""

    clinic_id: str
    clinic: str  # its name, as texts say it
    language: str
    zone: ZoneInfo
    ladder: Ladder
    catch_all: str | None
    holding: Mapping[Position, tuple[str, ...]]
    numbers: Mapping[str, tuple[Pager, ...]]  # of each person, the first choice first
    everyone: tuple[str, ...]  # auditors look at records and may not act on an alert

    def steps(self, level: TriageLevel) -> tuple[Step, ...]:
        """The ladder's steps at a level."""
        return self.ladder[level]

    def people(self, positions: Iterable[str]) -> list[Pager]:
        """Those who hold one of these positions and can be texted, each once, by first number."""
        found: list[str] = []
        for position in positions:
            found += self.everyone if position == EVERYONE else self.holding[Position(position)]
        return self.pagers(found)

    def pagers(self, people: Iterable[str]) -> list[Pager]:
        """Those of these people who can be texted, each once, by the first number that can be."""
        ids = dict.fromkeys(people)
        return [self.numbers[each][0] for each in ids if each in self.numbers]

    def still_reaches(self, phone_id: str | None, number: str) -> bool:
        """Whether a phone that was texted is still one of somebody who can act.

        It is not once it has stopped texts, was refused by the network, or is its person's no
        more; nor when the person has left.
        """
        return phone_id is None or any(
            (each.phone_id, each.phone) == (phone_id, number)
            for theirs in self.numbers.values()
            for each in theirs
        )

    def second(self, staff_id: str, texted: Iterable[str]) -> Pager | None:
        """The person's next number after those (ids) that were texted, if there is one."""
        before = set(texted)
        numbers = self.numbers.get(staff_id, ())
        return next((each for each in numbers if each.phone_id not in before), None)

    def first_rung(self, level: TriageLevel) -> Rung:
        """The first step that has somebody."""
        return self.rung(level, 1, 1)

    def rung(self, level: TriageLevel, first: int, last: int) -> Rung:
        """The steps from ``first`` to ``last`` as one, or the next one that has somebody.

        A step with nobody is skipped at once. Where no step has anybody, everyone who has a phone
        is texted. The clinic's own number joins the last step, and whatever has nobody else.
        """
        steps = self.steps(level)
        people = self.people(
            position for step in steps[first - 1 : last] for position in step.positions
        )
        number = last
        while not people and number < len(steps):
            number += 1
            people = self.people(steps[number - 1].positions)
        people = people or self.people((EVERYONE,))
        if self.catch_all and (number == len(steps) or not people):
            people = [*people, Pager(None, self.catch_all, None)]
        return Rung(number, people, steps[number - 1])

    def after(self, level: TriageLevel, number: int) -> Rung:
        """The step that follows; after the last one the same again."""
        following = min(number + 1, len(self.steps(level)))
        return self.rung(level, following, following)


@dataclass(frozen=True)
class LadderNow:
    """Where an open alert's ladder stands: who was texted last, who is next, and when."""

    step: int
    steps: int
    round: int
    texted: tuple[str, ...]  # names; the clinic's own number has none
    waiting: tuple[str, ...]  # whose text has not left yet
    texted_at: datetime | None
    following: tuple[str, ...]
    goes_on_at: datetime | None


def ladder_now(roster: Roster, alert: Any, texts: Iterable[tuple[str, bool]]) -> LadderNow:
    """Where the ladder of an open alert, or of its columns, stands.

    ``texts`` are the names that the running step texts, and whether a text to them has left.
    """
    level = TriageLevel(alert.level)
    steps = roster.steps(level)
    step = min(max(alert.step, 1), len(steps))
    people, found = roster.after(level, step).people, list(texts)
    started = alert.step_started_at
    return LadderNow(
        step=step,
        steps=len(steps),
        round=alert.round,
        texted=tuple(name for name, has_left in found if has_left),
        waiting=tuple(name for name, has_left in found if not has_left),
        texted_at=started,
        following=tuple(person.name for person in people if person.name),
        goes_on_at=started + steps[step - 1].wait if started else None,
    )


def texted_names(session: Session, clinic_id: str) -> dict[str, list[tuple[str, bool]]]:
    """Of each open alert of a clinic (by id), whom its running step texts, and if a text left."""
    rows = session.execute(_TEXTED, {"clinic": clinic_id})
    found: dict[str, list[tuple[str, bool]]] = {}
    for row in rows:
        found.setdefault(row.alert_id, []).append((row.name, bool(row.has_left)))
    return found


def read_roster(session: Session, clinic_id: str, now: datetime) -> Roster:
    """The clinic's roster at this moment. Raises NoResultFound."""
    clinic = session.execute(_CLINIC, {"clinic": clinic_id}).one()
    numbers, everyone = _numbers(session, clinic_id)
    return Roster(
        clinic_id=clinic_id,
        clinic=clinic.name,
        language=clinic.language,
        zone=ZoneInfo(readable_zone(clinic.zone)),
        ladder=ladder_of(clinic.ladder),
        catch_all=clinic.catch_all,
        holding=rota.on_call(session, clinic_id, now),
        numbers=numbers,
        everyone=everyone,
    )


def first_numbers(session: Session, clinic_id: str, people: Iterable[str]) -> list[Pager]:
    """Those of these people who can be texted, whether on call or not, each once."""
    numbers, _ = _numbers(session, clinic_id)
    return [numbers[each][0] for each in dict.fromkeys(people) if each in numbers]


def _numbers(
    session: Session, clinic_id: str
) -> tuple[dict[str, tuple[Pager, ...]], tuple[str, ...]]:
    """Each person's usable numbers, and those of them who may act on an alert."""
    numbers: dict[str, tuple[Pager, ...]] = {}
    everyone: dict[str, None] = {}
    for row in session.execute(_PHONES, {"clinic": clinic_id}):
        pager = Pager(row.id, row.number, row.phone_id, row.name)
        numbers[row.id] = (*numbers.get(row.id, ()), pager)
        if row.role is not Role.AUDITOR:
            everyone[row.id] = None
    return numbers, tuple(everyone)
