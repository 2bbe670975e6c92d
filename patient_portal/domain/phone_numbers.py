"""Phone numbers as people type them, kept in one form: E.164."""

import unicodedata

import phonenumbers

_LONGEST = 40
# Marks of direction and width that phones paste around a number.
_INVISIBLE = dict.fromkeys(
    [0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
)


class NotAPhoneNumber(ValueError):
    """The text cannot be a phone number of this country, nor an international one."""


def read_phone(text: str, country: str) -> str:
    """The number in E.164. ``country`` (ISO 3166) is meant when no country code is typed.

    Digits of every script count, and the marks that phones paste around numbers are dropped.

    Raises:
        NotAPhoneNumber: nothing that could be called.
    """
    if not 0 < len(text) <= _LONGEST:
        raise NotAPhoneNumber(text[:_LONGEST])
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).strip()
    plain = "".join(
        str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char
        for char in plain
    )
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


def show_phone(number: str, country: str | None = None) -> str:
    """An E.164 number as people of ``country`` write it; international for everybody else."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    if country and phonenumbers.country_code_for_region(country) == parsed.country_code:
        style = phonenumbers.PhoneNumberFormat.NATIONAL
    else:
        style = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)
