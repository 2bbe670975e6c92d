"""What was typed into the log of medicines and the personal limits, read without guessing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from flask import request

from patient_portal.domain.measures import Measure, Reask, check_weight, read_measure
from patient_portal.domain.new_patient import usual_items
from patient_portal.domain.overrides import FEVER_LINES, Overrides
from patient_portal.domain.typed import NotReadable, read_date, read_whole
from patient_portal.models import MedicineKind
from patient_portal.web.care_team.invite_form import weight_doubt, weight_wanted
from patient_portal.web.context import portal
from patient_portal.web.language import current_words
from patient_portal.words import mark_message

KIND_WORDS: Mapping[MedicineKind, str] = {
    MedicineKind.STARTED: mark_message("Leukemia medicine: first dose"),
    MedicineKind.STOPPED: mark_message("Leukemia medicine: last dose"),
    MedicineKind.RESTARTED: mark_message("Leukemia medicine: first dose after a break"),
    MedicineKind.STEROID_STARTED: mark_message("Steroid: first dose"),
    MedicineKind.STEROID_REDUCED: mark_message("Steroid: smaller dose"),
    MedicineKind.STEROID_STOPPED: mark_message("Steroid: last dose"),
    MedicineKind.SYNDROME: mark_message("Differentiation syndrome"),
}
# What only patients and helpers tell.
TOLD_WORDS: Mapping[MedicineKind, str] = {
    MedicineKind.STEROID_NONE: mark_message("Says: no steroid tablets. Please ask."),
}
LAST_DAY_AT_MOST = 3660
_LONGEST = 40
_LINES = {str(line): line for line in FEVER_LINES}


@dataclass
class MedicineForm:
    """One entry of the log as it was typed, and what is wrong with it."""

    kind: str = ""
    on: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    def read(self) -> tuple[MedicineKind, date] | None:
        """What was meant; None with ``errors`` filled."""
        words = current_words()
        try:
            kind = MedicineKind(self.kind)
        except ValueError:
            kind = MedicineKind.TAKEN_BACK
        if kind not in KIND_WORDS:
            self.errors["medicine_kind"] = words.message("Choose what happened.")
        try:
            on = read_date(self.on)
        except NotReadable:
            self.errors["medicine_on"] = words.message("Type the day like 2026-04-11.")
        return None if self.errors else (kind, on)


@dataclass
class LimitsForm:
    """The personal limits as they were typed, or as they hold, and what is wrong with them."""

    seen: str = ""
    fever: str = ""
    steroid: str = ""
    window: str = ""
    weight: str = ""
    unit: str = ""
    usual: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def read(self) -> Overrides | None:
        """What was meant; None with ``errors`` filled."""
        words = current_words()
        if self.fever not in ("", *_LINES):
            self.errors["limit_fever"] = words.message("Choose from the list.")
        if self.steroid not in ("yes", "no"):
            self.errors["limit_steroid"] = words.message("Choose yes or no.")
        last_day = self._last_day()
        baseline = self._baseline()
        if not set(self.usual) <= {key for key, _ in usual_items(portal().site.protocol)}:
            self.errors["limit_usual"] = words.message("Choose from the list.")
        if self.errors:
            return None
        return Overrides(
            fever_line=_LINES.get(self.fever),
            on_steroid=self.steroid == "yes",
            window_last_day=last_day,
            usual=frozenset(self.usual),
            baseline=baseline,
        )

    def _last_day(self) -> int | None:
        if not self.window.strip():
            return None
        try:
            return read_whole(self.window.strip(), 1, LAST_DAY_AT_MOST)
        except NotReadable:
            self.errors["limit_window"] = current_words().message(
                "Type a day of treatment from 1 to %(most)s, like 60.", most=LAST_DAY_AT_MOST
            )
            return None

    def _baseline(self) -> Measure | None:
        if not self.weight.strip():
            return None
        if self.unit not in ("kg", "lb"):
            self.errors["limit_unit"] = current_words().message("Choose kilograms or pounds.")
            return None
        try:
            measure = read_measure(self.weight.strip(), self.unit)
        except Reask as error:
            self.errors["limit_weight"] = weight_wanted(error.reason_code)
            return None
        doubt = check_weight(measure)
        if doubt is not None:
            self.errors["limit_weight"] = weight_doubt(measure, doubt)
        return measure


def medicine_form() -> MedicineForm:
    """The entry that was sent."""
    return MedicineForm(kind=_sent("medicine_kind"), on=_sent("medicine_on"))


def limits_form() -> LimitsForm:
    """The limits that were sent."""
    return LimitsForm(
        seen=_sent("seen"),
        fever=_sent("limit_fever"),
        steroid=_sent("limit_steroid"),
        window=_sent("limit_window"),
        weight=_sent("limit_weight"),
        unit=_sent("limit_unit"),
        usual=[key[:_LONGEST] for key in request.form.getlist("limit_usual")[:40]],
    )


def limits_as_they_hold(limits: Overrides, seen: str) -> LimitsForm:
    """The form filled with what holds."""
    baseline = limits.baseline
    return LimitsForm(
        seen=seen,
        fever=str(limits.fever_line or ""),
        steroid="yes" if limits.on_steroid else "no",
        window=str(limits.window_last_day or ""),
        weight=plain(baseline.value) if baseline else "",
        unit=baseline.unit if baseline else "",
        usual=sorted(limits.usual),
    )


def plain(value: Decimal) -> str:
    """A number without the zeros that the database adds."""
    return f"{value.normalize():f}"


def _sent(name: str) -> str:
    return request.form.get(name, "").replace("\0", "")[: _LONGEST + 1]
