"""Proof that the phones of those on call are answered: tests, the weekly answer, silence.

Each is a text with a reference of its own, and the answer by text proves the phone it came from.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from patient_portal.database import insert_once, new_id
from patient_portal.domain.rota import Position
from patient_portal.models import (
    Alert,
    CheckKind,
    Clinic,
    DutyCheck,
    Lane,
    MessageKind,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import leads, messages, notices, phones
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.refs import new_ref
from patient_portal.services.rota_plan import Board
from patient_portal.sms import duty_texts
from patient_portal.words import Words

# A test that was just sent is not sent again: the person waits for it.
TEST_AGAIN_AFTER = timedelta(minutes=1)
TESTS_A_DAY = 20
TEST_DUE = timedelta(minutes=5)
WEEKLY_DUE = timedelta(hours=24)
WEEKLY_EVERY = timedelta(days=7)
# An answer proves a phone for this long after the text; later it proves nothing of that text.
ANSWERS_COUNT_FOR = timedelta(hours=48)
CHECK_LIVES = timedelta(minutes=30)


class TooManyTests(ValueError):
    """This phone was tested often today already."""


@dataclass(frozen=True)
class Answered:
    """What an answer was to. ``is_first`` is False when it had been answered before."""

    kind: CheckKind
    is_first: bool


def send_test(session: Session, phone: StaffPhone, actor: Actor, now: datetime) -> DutyCheck:
    """Text a test to this number; within a minute of the last one, that one is given back.

    Raises TooManyTests.
    """
    recent = session.scalars(
        select(DutyCheck)
        .where(
            DutyCheck.phone_id == phone.id, DutyCheck.kind == CheckKind.TEST,
            DutyCheck.created_at > now - timedelta(days=1),
        )
        .order_by(DutyCheck.created_at.desc())
    ).all()  # fmt: skip
    if recent and recent[0].created_at > now - TEST_AGAIN_AFTER and not recent[0].answered_at:
        return recent[0]
    if len(recent) >= TESTS_A_DAY:
        raise TooManyTests
    person = session.get_one(StaffMember, phone.staff_id)
    clinic = session.get_one(Clinic, person.clinic_id)
    check = new_check(session, new_id(), person, phone, CheckKind.TEST, TEST_DUE, now)
    if check is None:  # its identity is random
        raise AssertionError("a new test cannot be there already")
    body = duty_texts.test(Words(clinic.language), clinic=clinic.name, ref=check.ref)
    send(session, check, phone, body, now)
    record(
        session, actor, "staff.phone_tested", "staff_member", person.id, now=now,
        clinic_id=clinic.id, phone_id=phone.id,
    )  # fmt: skip
    return check


def answer(session: Session, phone: StaffPhone, ref: str, now: datetime) -> Answered | None:
    """Take ``ref``, texted from this number, as the answer to a test, hand-over or weekly text.

    None when no such text went to the person whose number this is, or when it is too old. The
    number is proven only if it is the one that was texted; a test of another number is not
    answered by this one.
    """
    check = session.scalars(
        select(DutyCheck).where(DutyCheck.ref == ref, DutyCheck.staff_id == phone.staff_id)
    ).first()
    if check is None or check.created_at < now - ANSWERS_COUNT_FOR:
        return None
    is_its_own = check.phone_id == phone.id
    if check.kind is CheckKind.TEST and not is_its_own:
        return None
    answered = session.execute(
        update(DutyCheck)
        .where(DutyCheck.id == check.id, DutyCheck.answered_at.is_(None))
        .values(answered_at=now)
        .returning(DutyCheck.id)
    ).first()
    if answered is None:
        return Answered(check.kind, is_first=False)
    if is_its_own:
        phones.mark_verified(session, phone, now)
    record(
        session, Actor("staff", phone.staff_id, check.clinic_id), "staff.check_answered",
        "staff_member", phone.staff_id, now=now, clinic_id=check.clinic_id, kind=check.kind.value,
    )  # fmt: skip
    return Answered(check.kind, is_first=True)


def answered_within_a_week(session: Session, clinic_id: str, now: datetime) -> set[str]:
    """The people (ids) of a clinic who answered a text of these in the last seven days."""
    found = select(DutyCheck.staff_id).where(
        DutyCheck.clinic_id == clinic_id, DutyCheck.answered_at > now - WEEKLY_EVERY
    )
    return set(session.scalars(found))


# ---- once a week


def ask_weekly(session: Session, board: Board, now: datetime) -> int:
    """Text everyone of the rota who answered nothing for a week. Returns how many."""
    proven = answered_within_a_week(session, board.clinic.id, now)
    asked = set(
        session.scalars(
            select(DutyCheck.staff_id).where(
                DutyCheck.clinic_id == board.clinic.id,
                DutyCheck.kind == CheckKind.WEEKLY,
                DutyCheck.created_at > now - WEEKLY_EVERY + WEEKLY_DUE,
            )
        )
    )
    count = 0
    for person_id in sorted(on_rota(board, now) - proven - asked):
        phone = board.people[person_id].phone
        if phone is not None:
            count += _ask(session, board, person_id, phone, now)
    return count


def _ask(session: Session, board: Board, person_id: str, phone: StaffPhone, now: datetime) -> bool:
    day = now.astimezone(board.zone).date().isoformat()
    key = notices.id_of("weekly", board.clinic.id, person_id, day)
    person = session.get_one(StaffMember, person_id)
    check = new_check(session, key, person, phone, CheckKind.WEEKLY, WEEKLY_DUE, now)
    if check is None:
        return False
    words = Words(board.clinic.language)
    body = duty_texts.weekly(words, clinic=board.clinic.name, ref=check.ref)
    send(session, check, phone, body, now)
    return True


def on_rota(board: Board, now: datetime) -> set[str]:
    """Everyone (ids) with a turn in the next 14 days whose account is open."""
    lines = board.plan.lines(now, now + timedelta(days=14))
    named = {person for spans in lines.values() for span in spans for person in span.people}
    return {each for each in named if each in board.people and not board.people[each].is_disabled}


# ---- no answer


def _is_silent(now: datetime) -> ColumnElement[bool]:
    return and_(
        DutyCheck.kind.in_((CheckKind.HANDOVER, CheckKind.WEEKLY)),
        DutyCheck.due_at <= now,
        DutyCheck.answered_at.is_(None),
        DutyCheck.lead_told_at.is_(None),
    )


def is_silence_due(session: Session, now: datetime) -> bool:
    """Whether there is a text that nobody answered in time. Only a look."""
    return session.scalars(select(DutyCheck.id).where(_is_silent(now)).limit(1)).first() is not None


def tell_of_silence(session: Session, now: datetime) -> int:
    """Tell the lead of hand-overs and weekly texts that were not answered in time; how many.

    One statement takes them, so each is told once, whatever the number of workers.
    """
    late = session.execute(
        update(DutyCheck)
        .where(_is_silent(now))
        .values(lead_told_at=now)
        .returning(DutyCheck.id, DutyCheck.clinic_id, DutyCheck.staff_id, DutyCheck.kind)
        .execution_options(synchronize_session=False)
    ).all()
    for check_id, clinic_id, staff_id, kind in late:
        name = session.get_one(StaffMember, staff_id).name
        _tell_silence(session, check_id, clinic_id, staff_id, name, kind, now)
    return len(late)


def _tell_silence(
    session: Session, check_id: str, clinic_id: str, staff_id: str, name: str, kind: CheckKind,
    now: datetime,
) -> None:  # fmt: skip
    leads.text_leads(
        session, clinic_id, f"silent:{check_id}",
        lambda words, clinic: duty_texts.not_answered(
            words, clinic=clinic.name, name=name, on_call=kind is CheckKind.HANDOVER
        ),
        now, but_not=staff_id,
    )  # fmt: skip
    record(
        session, SYSTEM, "staff.check_unanswered", "staff_member", staff_id, now=now,
        clinic_id=clinic_id, kind=kind.value,
    )  # fmt: skip


# ---- rows


def new_check(
    session: Session, check_id: str, person: StaffMember, phone: StaffPhone, kind: CheckKind,
    due: timedelta, now: datetime, position: Position | None = None,
    turn_starts_at: datetime | None = None,
) -> DutyCheck | None:  # fmt: skip
    """Note that a text is about to ask for an answer; None if this identity is there already."""
    row = {
        "id": check_id,
        "ref": _free_ref(session),
        "clinic_id": person.clinic_id,
        "staff_id": person.id,
        "phone_id": phone.id,
        "kind": kind,
        "position": position,
        "turn_starts_at": turn_starts_at,
        "created_at": now,
        "due_at": now + due,
    }
    if not insert_once(session, DutyCheck.__table__, row, unique=["id"]):  # type: ignore[arg-type]
        return None
    return session.get_one(DutyCheck, check_id)


def _free_ref(session: Session) -> str:
    """A reference that neither an alert nor another text of these bears."""
    while True:
        ref = new_ref()
        taken = session.scalars(select(DutyCheck.id).where(DutyCheck.ref == ref)).first()
        if taken or session.scalars(select(Alert.id).where(Alert.ref == ref)).first():
            continue
        return ref


def send(session: Session, check: DutyCheck, phone: StaffPhone, body: str, now: datetime) -> None:
    """Queue the text that asks for the answer."""
    draft = messages.Draft(
        clinic_id=check.clinic_id,
        to_number=phone.number,
        kind=MessageKind.STAFF_CHECK,
        lane=Lane.ALERT,  # it proves the way that alerts take
        body=body,
        once_key=f"check:{check.id}",
        lives_for=CHECK_LIVES,
        staff_id=check.staff_id,
        phone_id=phone.id,
    )
    messages.queue(session, draft, now)
