"""The form that invites a patient: what was typed, read without guessing."""

import re
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from patient_portal.domain.measures import (
    PLAUSIBLE,
    Doubt,
    Measure,
    Reask,
    check_weight,
    read_measure,
)
from patient_portal.domain.phone_numbers import NotAPhoneNumber, read_phone
from patient_portal.domain.places import PLACES, default_units
from patient_portal.domain.protocol import USUAL, Protocol
from patient_portal.domain.typed import (
    NotReadable,
    date_of_parts,
    read_birth_year,
    read_date,
)
from patient_portal.services.enrolment import Invitation
from patient_portal.web.context import portal
from patient_portal.web.language import current_words, language_choices

FORM_KEY = re.compile(r"[A-Za-z0-9_-]{16}")
YOUNGEST = 18  # the rules are written for adults
_LONGEST_NAME = 60
_LONGEST_RECORD = 30
_OLDEST_DOSE = timedelta(days=3660)
_LATEST_DOSE = timedelta(days=90)


def usual_items(protocol: Protocol) -> list[tuple[str, str]]:
    """The symptoms that can be long-standing: key and English label (domain ``safety``)."""
    return [(item.key, item.label) for item in protocol.items if USUAL in item.values]


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
        _name(field, _say().message("Type the first name."))

    def validate_last_name(self, field: StringField) -> None:
        """A name that can be shown."""
        _name(field, _say().message("Type the last name."))

    def validate_record_number(self, field: StringField) -> None:
        """The hospital's own number, which may be left out."""
        text = (field.data or "").strip()
        if len(text) > _LONGEST_RECORD or not text.isprintable():
            raise ValidationError(_say().message("A record number has at most 30 characters."))

    def validate_birth_year(self, field: StringField) -> None:
        """Four digits, of an adult."""
        try:
            self._birth_year = read_birth_year(field.data or "", self.today.year)
        except NotReadable:
            raise ValidationError(
                _say().message("Type the year with four digits, like 1959.")
            ) from None
        if self._birth_year > self.today.year - YOUNGEST:
            raise ValidationError(_say().message("This portal is for adults from 18 years."))

    def validate_phone(self, field: StringField) -> None:
        """A number that can be texted; without country code it is the clinic's country."""
        try:
            self._phone = read_phone(field.data or "", self.home_country)
        except NotAPhoneNumber:
            raise ValidationError(
                _say().message(
                    "This is no phone number. Type all digits, with + and the country code "
                    "if it is from abroad."
                )
            ) from None

    def validate_language(self, field: StringField) -> None:
        """A language that is offered."""
        _one_of(field, {choice.code for choice in language_choices()})

    def validate_country(self, field: StringField) -> None:
        """A country whose emergency number was checked."""
        _one_of(field, set(PLACES))

    def validate_zone(self, field: StringField) -> None:
        """An IANA zone."""
        if (field.data or "") not in available_timezones():
            raise ValidationError(
                _say().message("Type a time zone like America/New_York, or choose one.")
            )

    def validate_drug(self, field: StringField) -> None:
        """A medicine of the protocol."""
        _one_of(field, {drug.code for drug in portal().site.protocol.drugs})

    def validate_first_dose(self, field: StringField) -> None:
        """A date in three fields, or year-month-day; empty when nobody knows."""
        parts = [
            (part.data or "").strip()
            for part in (self.first_dose_day, self.first_dose_month, self.first_dose_year)
        ]
        typed = (field.data or "").strip()
        if not typed and not any(parts):
            return
        try:
            found = read_date(typed) if typed else date_of_parts(*parts)
        except NotReadable:
            raise ValidationError(
                _say().message("Type day, month and year with digits, like 4 11 2026.")
            ) from None
        if not self.today - _OLDEST_DOSE <= found <= self.today + _LATEST_DOSE:
            raise ValidationError(_say().message("This date is too far away. Please check it."))
        self._first_dose = found

    def validate_baseline_weight(self, field: StringField) -> None:
        """One number in the chosen unit; empty when it was not taken."""
        text, unit = (field.data or "").strip(), self.baseline_weight_unit.data
        if not text or unit not in ("kg", "lb"):
            return
        try:
            measure = read_measure(text, unit)
        except Reask as error:
            raise ValidationError(weight_wanted(error.reason_code)) from None
        doubt = check_weight(measure)
        if doubt is not None:
            raise ValidationError(weight_doubt(measure, doubt))
        self._weight = measure

    def validate_baseline_weight_unit(self, field: StringField) -> None:
        """Kilograms or pounds."""
        if (self.baseline_weight.data or "").strip() or field.data:
            _one_of(field, {"kg", "lb"}, _say().message("Choose kilograms or pounds."))

    def validate_usual(self, field: SelectMultipleField) -> None:
        """Symptoms that the protocol allows to be long-standing."""
        known = {key for key, _ in usual_items(portal().site.protocol)}
        if not set(field.data or []) <= known:
            raise ValidationError(_say().message("Choose from the list."))

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


def _name(field: StringField, missing: str) -> None:
    text = _text(field)
    if not text:
        raise ValidationError(missing)
    if len(text) > _LONGEST_NAME or not text.isprintable():
        raise ValidationError(_say().message("A name has at most 60 letters."))


def _one_of(field: StringField, known: set[str], sentence: str = "") -> None:
    if (field.data or "") not in known:
        raise ValidationError(sentence or _say().message("Choose from the list."))


def weight_wanted(reason: str) -> str:
    """What to type, for a weight that cannot be read as one number."""
    if reason == "unit_differs":
        return _say().message("The unit you typed is not the one that is chosen. Please check it.")
    return _say().message("Type the weight with digits, like 72.4.")


def weight_doubt(measure: Measure, doubt: Doubt) -> str:
    """Why a weight is asked again, with what may have been meant."""
    low, high = PLAUSIBLE[measure.unit]
    values = {"low": low, "high": high, "unit": measure.unit, "typed": measure.value}
    if doubt.suggestion is None:
        return _say().message(
            "A weight is between %(low)s and %(high)s %(unit)s. You typed %(typed)s.", **values
        )
    meant = f"{_plain(doubt.suggestion.value)} {doubt.suggestion.unit}"
    return _say().message(
        "A weight is between %(low)s and %(high)s %(unit)s. You typed %(typed)s. "
        "Did you mean %(meant)s?",
        meant=meant,
        **values,
    )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
