"""The form that invites a patient: what was typed, read without guessing."""

import re
from collections.abc import Callable
from datetime import date
from typing import TypeVar
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from patient_portal.domain.measures import PLAUSIBLE, Doubt, Measure
from patient_portal.domain.new_patient import (
    Slip,
    all_listed,
    first_dose_in_reach,
    listed,
    meant_instead,
    new_birth_year,
    new_first_dose,
    new_name,
    new_phone,
    new_record_number,
    new_weight,
    usual_items,
)
from patient_portal.domain.places import PLACES, default_units
from patient_portal.domain.typed import NotReadable, date_of_parts
from patient_portal.services.enrolment import Invitation
from patient_portal.web.context import portal
from patient_portal.web.language import current_words, language_choices
from patient_portal.words import mark_message

FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16}")

_SENTENCES = {
    "name": mark_message("A name has at most 60 letters."),
    "record_number": mark_message("A record number has at most 30 characters."),
    "birth_year": mark_message("Type the year with four digits, like 1959."),
    "too_young": mark_message("This portal is for adults from 18 years."),
    "phone": mark_message(
        "This is no phone number. Type all digits, with + and the country code "
        "if it is from abroad."
    ),
    "not_listed": mark_message("Choose from the list."),
    "date": mark_message("Type day, month and year with digits, like 4 11 2026."),
    "date_far": mark_message("This date is too far away. Please check it."),
    "unit": mark_message("Choose kilograms or pounds."),
    "unit_differs": mark_message(
        "The unit you typed is not the one that is chosen. Please check it."
    ),
    "weight": mark_message("Type the weight with digits, like 72.4."),
}
Read = TypeVar("Read")


class InviteForm(FlaskForm):
    """Fields as text, checked by methods of this class; ``invitation`` is what they mean."""

    key = StringField()
    first_name = StringField()
    last_name = StringField()
    birth_year = StringField()
    record_number = StringField()
    phone = StringField()
    language = StringField()
    country = StringField()
    zone = StringField()
    drug = StringField()
    first_dose = StringField()
    first_dose_day = StringField()
    first_dose_month = StringField()
    first_dose_year = StringField()
    baseline_weight = StringField()
    baseline_weight_unit = StringField()
    usual = SelectMultipleField(validate_choice=False)
    consent = BooleanField()

    today: date
    home_country: str
    _birth_year = 0
    _phone = ""
    _first_dose: date | None = None
    _weight: Measure | None = None

    def validate_key(self, field: StringField) -> None:
        """The form's own key, made when it was shown."""
        if not FORM_KEY.fullmatch(field.data or ""):
            raise ValidationError(_say().message("This form is broken. Please open it again."))

    def validate_first_name(self, field: StringField) -> None:
        """A name that can be shown."""
        _checked(lambda: new_name(field.data or ""), _say().message("Type the first name."))

    def validate_last_name(self, field: StringField) -> None:
        """A name that can be shown."""
        _checked(lambda: new_name(field.data or ""), _say().message("Type the last name."))

    def validate_record_number(self, field: StringField) -> None:
        """The hospital's own number, which may be left out."""
        _checked(lambda: new_record_number(field.data or ""))

    def validate_birth_year(self, field: StringField) -> None:
        """Four digits, of an adult."""
        self._birth_year = _checked(lambda: new_birth_year(field.data or "", self.today))

    def validate_phone(self, field: StringField) -> None:
        """A number that can be texted; without country code it is the clinic's country."""
        self._phone = _checked(lambda: new_phone(field.data or "", self.home_country))

    def validate_language(self, field: StringField) -> None:
        """A language that is offered."""
        offered = {choice.code for choice in language_choices()}
        _checked(lambda: listed(field.data or "", offered))

    def validate_country(self, field: StringField) -> None:
        """A country whose emergency number was checked."""
        _checked(lambda: listed(field.data or "", PLACES))

    def validate_zone(self, field: StringField) -> None:
        """An IANA zone."""
        _checked(
            lambda: listed(field.data or "", available_timezones()),
            not_listed=_say().message("Type a time zone like America/New_York, or choose one."),
        )

    def validate_drug(self, field: StringField) -> None:
        """A medicine of the protocol."""
        known = {drug.code for drug in portal().site.protocol.drugs}
        _checked(lambda: listed(field.data or "", known))

    def validate_first_dose(self, field: StringField) -> None:
        """A date in three fields, or year-month-day; empty when nobody knows."""
        parts = [
            (part.data or "").strip()
            for part in (self.first_dose_day, self.first_dose_month, self.first_dose_year)
        ]
        typed = (field.data or "").strip()
        if typed:
            self._first_dose = _checked(lambda: new_first_dose(typed, self.today))
        elif any(parts):
            self._first_dose = _checked(lambda: _dose_of_parts(parts, self.today))

    def validate_baseline_weight(self, field: StringField) -> None:
        """One number in the chosen unit; empty when it was not taken."""
        text, unit = (field.data or "").strip(), self.baseline_weight_unit.data
        try:
            self._weight = new_weight(text, unit or "")
        except Slip as slip:
            if slip.code != "unit":  # said beside the unit's own field
                raise ValidationError(slip_sentence(slip)) from None

    def validate_baseline_weight_unit(self, field: StringField) -> None:
        """Kilograms or pounds."""
        try:
            new_weight(self.baseline_weight.data or "", field.data or "")
        except Slip as slip:
            if slip.code == "unit":
                raise ValidationError(slip_sentence(slip)) from None

    def validate_usual(self, field: SelectMultipleField) -> None:
        """Symptoms that the protocol allows to be long-standing."""
        known = {key for key, _ in usual_items(portal().site.protocol)}
        _checked(lambda: all_listed(field.data or [], known))

    def validate_consent(self, field: BooleanField) -> None:
        """No text without consent."""
        if not field.data:
            raise ValidationError(_say().message("Ask for consent first, then tick the box."))

    def first_errors(self) -> dict[str, str]:
        """Field name to its first sentence, in the order of the fields."""
        return {name: str(field.errors[0]) for name, field in self._fields.items() if field.errors}

    def invitation(self) -> Invitation:
        """What the checked fields mean. Call it after ``validate``."""
        units = default_units(self.country.data)
        weight = self._weight
        return Invitation(
            key=_text(self.key),
            first_name=_text(self.first_name),
            last_name=_text(self.last_name),
            birth_year=self._birth_year,
            phone=self._phone,
            language=_text(self.language),
            country=_text(self.country),
            zone=_text(self.zone),
            drug=_text(self.drug),
            first_dose_on=self._first_dose,
            baseline_weight=weight.value if weight else None,
            baseline_weight_unit=weight.unit if weight else None,
            usual=tuple(self.usual.data or ()),
            record_number=_text(self.record_number) or None,
            temperature_unit=units[0],
            weight_unit=weight.unit if weight else units[1],
        )


_say = current_words


def _text(field: StringField) -> str:
    return (field.data or "").strip()


def _dose_of_parts(parts: list[str], today: date) -> date:
    try:
        day = date_of_parts(*parts)
    except NotReadable:
        raise Slip("date") from None
    return first_dose_in_reach(day, today)


def _checked(read: Callable[[], Read], missing: str = "", not_listed: str = "") -> Read:
    """What ``read`` finds; its slip becomes the sentence beside the field."""
    try:
        return read()
    except Slip as slip:
        own = {"missing": missing, "not_listed": not_listed}.get(slip.code)
        raise ValidationError(own or slip_sentence(slip)) from None


def slip_sentence(slip: Slip) -> str:
    """What to type instead."""
    if slip.measure is not None and slip.doubt is not None:
        return weight_doubt(slip.measure, slip.doubt)
    return _say().message(_SENTENCES[slip.code])


def weight_wanted(reason: str) -> str:
    """What to type, for a weight that cannot be read as one number."""
    return _say().message(_SENTENCES["unit_differs" if reason == "unit_differs" else "weight"])


def weight_doubt(measure: Measure, doubt: Doubt) -> str:
    """Why a weight is asked again, with what may have been meant."""
    low, high = PLAUSIBLE[measure.unit]
    values = {"low": low, "high": high, "unit": measure.unit, "typed": measure.value}
    meant = meant_instead(doubt)
    if not meant:
        return _say().message(
            "A weight is between %(low)s and %(high)s %(unit)s. You typed %(typed)s.", **values
        )
    return _say().message(
        "A weight is between %(low)s and %(high)s %(unit)s. You typed %(typed)s. "
        "Did you mean %(meant)s?",
        meant=meant,
        **values,
    )
