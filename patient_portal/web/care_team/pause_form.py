"""A patient's pause on the care team's page: what was typed, and what holds, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import request

from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.domain.typed import NotReadable, read_date
from patient_portal.models import Patient, PauseReason, StaffMember
from patient_portal.services import pauses
from patient_portal.web.care_team import showing
from patient_portal.web.language import current_words
from patient_portal.words import mark_message

REASON_WORDS: Mapping[PauseReason, str] = {
    PauseReason.HOSPITAL: mark_message("In hospital"),
    PauseReason.TREATMENT_BREAK: mark_message("Break in treatment"),
    PauseReason.AWAY: mark_message("Away"),
    PauseReason.OTHER: mark_message("Another reason"),
}
# Refused pauses: the field it is said at, and the sentence.
REFUSED_WORDS: Mapping[str, tuple[str, str]] = {
    "order": ("pause_last", mark_message("The last day is before the first. Please check both.")),
    "over": ("pause_last", mark_message("This day is over. Choose today or a later day.")),
    "long": ("pause_last", mark_message("A pause is 30 days at most. Choose an earlier day.")),
    "old": ("pause_first", mark_message("This day is too long ago. Please check it.")),
    "ahead": ("pause_first", mark_message("This day is too far ahead. Please check it.")),
}
_LONGEST = 20


@dataclass
class PauseForm:
    """A pause as it was typed, and what is wrong with it."""

    first: str = ""
    last: str = ""
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    def read(self) -> tuple[date, date, PauseReason] | None:
        """What was meant; None with ``errors`` filled."""
        first, last = (self._date(name) for name in ("first", "last"))
        try:
            reason = PauseReason(self.reason)
        except ValueError:
            self.errors["pause_reason"] = current_words().message("Choose a reason.")
            return None
        return None if first is None or last is None else (first, last, reason)

    def _date(self, name: str) -> date | None:
        try:
            return read_date(getattr(self, name))
        except NotReadable:
            words = current_words().message("Type the day like 2026-04-11.")
            self.errors[f"pause_{name}"] = words
            return None

    def refuse(self, code: str) -> bool:
        """Say what is wrong with it; False for what no field can mend."""
        if code not in REFUSED_WORDS:
            return False
        name, sentence = REFUSED_WORDS[code]
        self.errors[name] = current_words().message(sentence)
        return True


@dataclass(frozen=True)
class PauseSheet:
    """What holds, in words (empty without a pause), and the form for another."""

    stands: str
    may_pause: bool
    form: PauseForm
    reasons: list[tuple[str, str]]


def pause_form() -> PauseForm:
    """The pause that was sent."""
    first, last, reason = (
        request.form.get(f"pause_{name}", "").replace("\0", "")[:_LONGEST]
        for name in ("first", "last", "reason")
    )
    return PauseForm(first, last, reason)


def pause_sheet(
    patient: Patient, me: StaffMember, now: datetime, typed: PauseForm | None = None
) -> PauseSheet:
    """Word the pause that stands; with the form as it was typed, if it was."""
    words = current_words()
    today = local_date(now, readable_zone(patient.zone))
    return PauseSheet(
        stands=_stands(patient, now),
        may_pause=me.role in pauses.MAY_PAUSE,
        form=typed or PauseForm(first=today.isoformat()),
        reasons=[(reason.value, words.message(said)) for reason, said in REASON_WORDS.items()],
    )


def _stands(patient: Patient, now: datetime) -> str:
    pause = pauses.standing_pause(patient, now)
    if pause is None:
        return ""
    words = current_words()
    return words.message(
        "Paused from %(first)s to %(last)s (%(why)s). "
        "No reminders and no missed days. Answers still count and still alert you.",
        first=showing.long_date(pause.first),
        last=showing.long_date(pause.last),
        why=words.message(REASON_WORDS[patient.pause_reason or PauseReason.OTHER]),
    )
