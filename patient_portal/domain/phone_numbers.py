"""Phone numbers as people type them, kept in one form: E.164."""

import phonenumbers

from patient_portal.domain.typed import NotReadable, with_latin_digits

_LONGEST = 40


class NotAPhoneNumber(ValueError):
    """The text cannot be a phone number of this country, nor an international one."""


def read_phone(text: str, country: str) -> str:
    """The number in E.164. ``country`` (ISO 3166) is meant when no country code is typed.

    Digits of every script count, and the marks that phones paste around numbers are dropped.

    Raises:
        NotAPhoneNumber: nothing that could be called.
    """
    if len(text) > _LONGEST:
        raise NotAPhoneNumber(text[:_LONGEST])
    try:
        plain = with_latin_digits(text)
    except NotReadable:
        raise NotAPhoneNumber(text) from None
    # Letters are not turned into keypad digits: 1-800-FLOWERS is a slip here, not a phone.
    if any(char.isalpha() for char in plain):
        raise NotAPhoneNumber(plain)
    try:
        number = phonenumbers.parse(plain, country)
    except phonenumbers.NumberParseException:
        raise NotAPhoneNumber(plain) from None
    # "Possible", not "valid": number plans change faster than libraries, and a nurse who
    # holds the phone in her hand must be able to enter it.
    is_possible = phonenumbers.is_possible_number_with_reason(number)
    if is_possible != phonenumbers.ValidationResult.IS_POSSIBLE or number.extension:
        raise NotAPhoneNumber(plain)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of(number: str) -> str | None:
    """The country (ISO 3166) of a number in E.164; None where the number does not say.

    Where countries share a code and the number is of none of them, the largest is meant.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    found = phonenumbers.region_code_for_number(parsed)
    found = found or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return found if found and found.isalpha() and found != "ZZ" else None
