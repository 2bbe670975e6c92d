"""The on-call page, ready to be shown: the two weeks, who is on call now, what must be mended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.ladders import Ladder, ladder_of
from patient_portal.domain.rota import Position, Span, until_when
from patient_portal.domain.rota_check import Finding, Trouble, look_ahead
from patient_portal.domain.schedule import at_wall_time, local_date
from patient_portal.models import (
    CheckKind,
    Clinic,
    DutyCheck,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import duty, turns
from patient_portal.services.rota_edit import MAY_BE_ON_CALL, MAY_CHANGE
from patient_portal.services.rota_plan import Board, read_board
from patient_portal.web.care_team.rota_lists import (
    ChangeRow,
    PersonRow,
    TurnRow,
    change_rows,
    person_row,
    trouble_words,
    turn_rows,
)
from patient_portal.web.care_team.rota_weeks import Reader, Week, week
from patient_portal.web.care_team.rota_words import RotaWords
from patient_portal.web.language import current_words

DAYS = 14
_DAY = timedelta(days=1)
# These are said without alarm: nothing has to be mended.
_NOTES = frozenset({Trouble.OVERLAP, Trouble.CLOCK_CHANGE})


@dataclass(frozen=True)
class Now:
    """Who holds a position at this moment, until when, and whether texts reach them."""

    position: str
    name: str
    until: str
    trouble: str


@dataclass(frozen=True)
class Said:
    """A finding in words; ``more`` others are alike."""

    words: str
    more: int
    is_note: bool


@dataclass
class Sheet:
    """Everything the page shows."""

    board: Board
    me: StaffMember
    say: RotaWords
    now: datetime
    weeks: list[Week] = field(default_factory=list)
    on_now: list[Now] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    checklist: list[tuple[str, str, bool]] = field(default_factory=list)
    turns: list[TurnRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    people: list[PersonRow] = field(default_factory=list)
    my_phones: list[StaffPhone] = field(default_factory=list)
    my_test: DutyCheck | None = None
    my_turn: str = ""

    @property
    def clinic(self) -> Clinic:
        """The clinic."""
        return self.board.clinic

    @property
    def ladder(self) -> Ladder:
        """The ladder in force."""
        return ladder_of(self.clinic.ladder)

    @property
    def may_change(self) -> bool:
        """Whether the reader may change the rota."""
        return self.me.role in MAY_CHANGE

    @property
    def is_called(self) -> bool:
        """Whether the reader may be on call, and so has phones here."""
        return self.me.role in MAY_BE_ON_CALL

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Who may be put on call, by id and name."""
        fit = (each for each in self.board.people.values() if not each.is_disabled)
        return [(each.id, each.name) for each in fit if each.role in MAY_BE_ON_CALL]

    @property
    def today(self) -> date:
        """The date on the clinic's calendar."""
        return local_date(self.now, self.board.plan.zone)


def read_sheet(session: Session, me: StaffMember, now: datetime) -> Sheet:
    """Read the page of a member of staff, in a view's own transaction."""
    board = read_board(session, session.get_one(Clinic, me.clinic_id), now)
    sheet = Sheet(board, me, RotaWords(current_words(), board), now)
    start = at_wall_time(sheet.today, time(), board.plan.zone)
    lines = board.plan.lines(start - _DAY, start + (DAYS + 1) * _DAY)
    findings = look_ahead(board.plan, now)
    proven = duty.answered_within_a_week(session, board.clinic.id, now)
    on_rota = duty.on_rota(board, now)
    reader = Reader(me.id, now, sheet.today)
    sheet.weeks = [week(sheet.say, reader, lines, first) for first in (0, 7)]
    sheet.on_now = list(_on_now(sheet, lines))
    sheet.said = _said(sheet, findings)
    sheet.checklist = _checklist(sheet, findings, len(on_rota & proven), len(on_rota))
    sheet.turns = turn_rows(sheet.say, session, sheet.today)
    sheet.changes = change_rows(sheet.say, session, now)
    sheet.people = [person_row(sheet.say, board.people[each], proven) for each, _ in sheet.choices]
    sheet.my_phones = list(board.people[me.id].phones) if me.id in board.people else []
    sheet.my_test = _my_test(session, me, now)
    sheet.my_turn = _my_turn(sheet, lines)
    return sheet


# ---- now, and what is to be mended


def _on_now(sheet: Sheet, lines: dict[Position, list[Span]]) -> Iterable[Now]:
    plan, say = sheet.board.plan, sheet.say
    for position, spans in lines.items():
        people = next((one.people for one in spans if one.starts <= sheet.now < one.ends), ())
        for person in people:
            ends = until_when(plan.turns, plan.changes, position, person, sheet.now, plan.zone)
            until = (
                "" if ends is None else turns.until_words(say.words, sheet.board, ends, sheet.now)
            )
            trouble = sheet.board.people[person].reach.trouble()
            yield Now(
                say.position(position.value), sheet.board.name(person), until,
                trouble_words(sheet.say, trouble),
            )  # fmt: skip
        if not people and position in plan.needed:
            yield Now(say.position(position.value), "", "", "")


def _said(sheet: Sheet, findings: Sequence[Finding]) -> list[Said]:
    """Findings in words: those alike once, with how many more there are."""
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for one in findings:
        alike.setdefault((one.trouble, one.position, one.people), []).append(one)
    return [
        Said(sheet.say.finding(group[0]), len(group) - 1, group[0].trouble in _NOTES)
        for group in alike.values()
    ]


def _checklist(
    sheet: Sheet, findings: Sequence[Finding], proven: int, needed: int
) -> list[tuple[str, str, bool]]:
    """The lines of the look ahead: what, how it stands, whether that is well."""
    words = sheet.say.words
    yes = words.message("yes")
    lines = []
    for position in sheet.board.plan.needed:
        gaps = [one for one in findings if one.trouble is Trouble.GAP and one.position is position]
        state = words.nmessage("%(n)s gap", "%(n)s gaps", len(gaps)) if gaps else yes
        lines.append((sheet.say.position(position.value), state, not gaps))
    same = [one for one in findings if one.trouble is Trouble.SAME_PERSON]
    state = words.message("no, look above") if same else yes
    lines.append((words.message("Nurse and backup differ"), state, not same))
    state = words.message("%(some)s of %(all)s", some=proven, all=needed)
    lines.append((words.message("Answered a text this week"), state, proven == needed))
    clocks = [one for one in findings if one.trouble is Trouble.CLOCK_CHANGE]
    day = sheet.say.day(clocks[0].ends.astimezone(sheet.board.zone).date()) if clocks else ""
    lines.append((words.message("Clock changes"), day or words.message("none"), True))
    return lines


def _my_test(session: Session, me: StaffMember, now: datetime) -> DutyCheck | None:
    """The newest test that waits for an answer."""
    return session.scalars(
        select(DutyCheck)
        .where(
            DutyCheck.staff_id == me.id, DutyCheck.kind == CheckKind.TEST,
            DutyCheck.answered_at.is_(None), DutyCheck.created_at > now - duty.ANSWERS_COUNT_FOR,
        )
        .order_by(DutyCheck.created_at.desc())
    ).first()  # fmt: skip


def _my_turn(sheet: Sheet, lines: dict[Position, list[Span]]) -> str:
    """When the reader is on call, or will be next."""
    say, mine = sheet.say, sheet.me.id
    ahead = [
        (span, position)
        for position, spans in lines.items()
        for span in spans
        if mine in span.people and span.ends > sheet.now
    ]
    if not ahead:
        return say.words.message("You have no turn in the next 14 days.")
    span, position = min(ahead, key=lambda each: each[0].starts)
    name = say.position(position.value)
    if span.starts > sheet.now:
        return say.words.message(
            "%(position)s: your next turn starts %(starts)s.",
            position=name, starts=say.moment(span.starts),
        )  # fmt: skip
    plan = sheet.board.plan
    ends = until_when(plan.turns, plan.changes, position, mine, sheet.now, plan.zone)
    if ends is None:
        return say.words.message("%(position)s: you are on call now.", position=name)
    return say.words.message(
        "%(position)s: you are on call until %(ends)s.",
        position=name, ends=turns.until_words(say.words, sheet.board, ends, sheet.now),
    )  # fmt: skip
