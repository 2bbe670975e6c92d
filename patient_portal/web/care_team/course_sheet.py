"""A patient's medicines and personal limits in words, as the care team's page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.course import Course, in_window, known_day
from patient_portal.domain.new_patient import usual_items
from patient_portal.domain.overrides import FEVER_LINES
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import MedicineKind, Override, OverrideKind, Patient, StaffMember
from patient_portal.services import courses, medicines, overrides
from patient_portal.services.courses import Notes
from patient_portal.services.medicines import Entry
from patient_portal.web.care_team import showing
from patient_portal.web.care_team.course_form import (
    KIND_WORDS,
    TOLD_WORDS,
    LimitsForm,
    MedicineForm,
    limits_as_they_hold,
)
from patient_portal.web.context import portal
from patient_portal.web.language import current_words
from patient_portal.words import mark_message

LIMIT_WORDS: Mapping[OverrideKind, str] = {
    OverrideKind.FEVER_LINE: mark_message("Fever counts from"),
    OverrideKind.ON_STEROID: mark_message("Steroid tablets, beside the log"),
    OverrideKind.WINDOW_LAST_DAY: mark_message("Last day of the risk window"),
    OverrideKind.USUAL: mark_message("Usual for this patient"),
    OverrideKind.BASELINE: mark_message("Baseline weight"),
}


@dataclass(frozen=True)
class EntryLine:
    """One entry of the log of medicines."""

    id: str
    on: date
    what: str
    by: str
    at: datetime
    is_void: bool
    may_take_back: bool


@dataclass(frozen=True)
class LimitLine:
    """A limit; ``by`` and ``at`` say who set it, empty where it came with the invitation."""

    what: str
    value: str
    id: str = ""
    by: str = ""
    at: datetime | None = None
    second: str = ""
    may_approve: bool = False
    may_decline: bool = False


@dataclass
class Sheet:
    """All of it, with the two forms."""

    day: int | None
    stands: str
    is_masked: bool
    entries: list[EntryLine]
    holding: list[LimitLine]
    waiting: list[LimitLine]
    may_write: bool
    medicine: MedicineForm
    limits: LimitsForm
    today: str
    fever_lines: list[tuple[str, str]] = field(default_factory=list)
    kinds: list[tuple[str, str]] = field(default_factory=list)
    usual: list[tuple[str, str]] = field(default_factory=list)

    @property
    def errors(self) -> dict[str, str]:
        """Field to sentence, of both forms."""
        return {**self.medicine.errors, **self.limits.errors}


def sheet_for(
    db: Session,
    patient: Patient,
    me: StaffMember,
    now: datetime,
    medicine: MedicineForm | None = None,
    limits: LimitsForm | None = None,
) -> Sheet:
    """Read and word everything; with the forms as they were typed, if they were."""
    words, protocol = current_words(), portal().site.protocol
    today = local_date(now, readable_zone(patient.zone))
    notes = courses.notes_of(db, patient)
    rows = overrides.open_rows(db, patient)
    people = _people(db, patient)
    course = courses.course_of(
        patient, today, (), drug=patient.drug, notes=notes, protocol=protocol
    )
    held = overrides.standing_of(patient, notes.limits)
    seen = overrides.state_of(patient, rows)
    if limits is not None:
        limits.seen = seen  # what holds now is on the same page
    return Sheet(
        day=course.day_of_therapy,
        stands=_stands(course, _why(patient, today, notes, course)),
        is_masked=course.on_steroid,
        entries=_entries(notes.entries, me, people),
        holding=[_holding(kind, held, rows, people) for kind in OverrideKind],
        waiting=[_waiting(row, me, people) for row in rows if overrides.waits(row)],
        may_write=me.role in overrides.MAY_SET,
        medicine=medicine or MedicineForm(),
        limits=limits or limits_as_they_hold(held, seen),
        today=today.isoformat(),
        fever_lines=[(str(line), showing.quantity(line, "c")) for line in FEVER_LINES],
        kinds=[(kind.value, words.message(said)) for kind, said in KIND_WORDS.items()],
        usual=[(key, words.safety(label)) for key, label in usual_items(protocol)],
    )


def _people(db: Session, patient: Patient) -> dict[str, str]:
    found = db.execute(
        select(StaffMember.id, StaffMember.name).where(StaffMember.clinic_id == patient.clinic_id)
    )
    return {row.id: row.name for row in found}


def _why(patient: Patient, today: date, notes: Notes, course: Course) -> tuple[str, ...]:
    return courses.standing_on(
        patient, today, notes, portal().site.protocol, course.drug, course.window_last_day
    ).why


def _stands(course: Course, why: tuple[str, ...]) -> str:
    """Where the patient stands today, in a sentence."""
    words, protocol = current_words(), portal().site.protocol
    try:
        drug = protocol.drug(course.drug)
    except KeyError:
        drug = protocol.drug("unknown")
    day = known_day(course)
    if day is None:
        return words.message("No known day of treatment: counted as inside the risk window.")
    if drug.window is None:
        return words.message("Inside the risk window: for this medicine every day counts.")
    last = course.window_last_day or drug.window[1]
    if in_window(drug, replace(course, window_extended=False)):
        return words.message("Inside the risk window, which ends on day %(last)s.", last=last)
    if "steroid_cut" in why:
        return words.message("Inside the risk window: it is open because a steroid dose went down.")
    if "last_dose" in why:
        return words.message("Inside the risk window: it stays open after the last dose.")
    return words.message("After the risk window, which ended on day %(last)s.", last=last)


def _entries(entries: Any, me: StaffMember, people: Mapping[str, str]) -> list[EntryLine]:
    words = current_words()
    standing = {one.id for one in medicines.in_force(entries)}

    def line(one: Entry) -> EntryLine:
        is_mine = one.entered_by == me.id and me.role in medicines.MAY_WRITE
        return EntryLine(
            id=one.id,
            on=one.on_date,
            what=words.message({**KIND_WORDS, **TOLD_WORDS}[one.kind]),
            by=_who(one, people),
            at=one.entered_at,
            is_void=one.id not in standing,
            may_take_back=one.id in standing and (is_mine or me.role in medicines.MAY_CORRECT),
        )

    shown = [one for one in entries if one.kind is not MedicineKind.TAKEN_BACK]
    return [line(one) for one in sorted(shown, key=lambda one: (one.on_date, one.entered_at))]


def _who(one: Entry, people: Mapping[str, str]) -> str:
    words = current_words()
    if one.entered_by is not None:
        return people.get(one.entered_by, "")
    if one.told_by == "caregiver":
        return words.message("Told by a helper in a check-in")
    return words.message("Told by the patient in a check-in")


def _holding(
    kind: OverrideKind, held: Any, rows: list[Override], people: Mapping[str, str]
) -> LimitLine:
    row = next((one for one in rows if one.what is kind and not overrides.waits(one)), None)
    return LimitLine(
        what=current_words().message(LIMIT_WORDS[kind]),
        value=_value(kind, getattr(held, kind.value)),
        by=people.get(row.set_by, "") if row else "",
        at=row.set_at if row else None,
        second=people.get(row.approved_by or "", "") if row else "",
    )


def _waiting(row: Override, me: StaffMember, people: Mapping[str, str]) -> LimitLine:
    is_second = me.role in overrides.MAY_APPROVE
    return LimitLine(
        what=current_words().message(LIMIT_WORDS[row.what]),
        value=_value(row.what, overrides.read_value(row.what, row.value)),
        id=row.id,
        by=people.get(row.set_by, ""),
        at=row.set_at,
        may_approve=is_second and row.set_by != me.id,
        may_decline=is_second or (row.set_by == me.id and me.role in overrides.MAY_SET),
    )


def _value(kind: OverrideKind, value: Any) -> str:
    words = current_words()
    match kind:
        case OverrideKind.FEVER_LINE if value is not None:
            return showing.quantity(value, "c")
        case OverrideKind.FEVER_LINE:
            return words.message("as in the whole clinic")
        case OverrideKind.ON_STEROID:
            return words.message("Yes") if value else words.message("No")
        case OverrideKind.WINDOW_LAST_DAY:
            if value is None:
                return words.message("as for the medicine")
            return words.message("day %(n)s", n=value)
        case OverrideKind.USUAL:
            labels = dict(usual_items(portal().site.protocol))
            told = ", ".join(words.safety(labels[key]) for key in sorted(value) if key in labels)
            return told or words.message("nothing")
        case OverrideKind.BASELINE:
            if value is None:
                return words.message("not known")
            return showing.quantity(value.value, value.unit)
