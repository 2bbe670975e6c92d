"""Numbers, dates and times for a reader: words by language, form by country.

Digits are always 0 to 9, because a number that is read out to a dispatcher or compared with
a scale must look like the one on the device. Reading numbers is `domain.measures`, never this.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates

# Countries that write the time of day with twelve hours (CLDR timeData, preferred "h").
_TWELVE_HOURS = frozenset(
    {
        "US", "CA", "AU", "NZ", "IN", "PK", "BD", "LK", "PH", "MY", "SG", "EG",
        "SA", "AE", "JO", "IQ", "KW", "QA", "BH", "OM", "YE", "SY", "LB", "SD",
        "LY", "DZ", "MA", "TN", "MX", "CO", "VE", "DO", "PR", "PA", "NI", "HN",
        "SV", "GT", "KR", "TW", "HK", "NG", "GH", "KE", "ZA", "ET", "JM", "TT",
    }
)  # fmt: skip


@lru_cache(maxsize=256)
def _locale(language: str, country: str | None) -> Locale:
    if country:
        try:
            return Locale.parse(f"{language}_{country}")
        except (UnknownLocaleError, ValueError):
            pass  # CLDR knows no such pair, for instance French in Japan
    return Locale.parse(language)


def format_number(
    value: Decimal | int | float,
    language: str,
    country: str | None = None,
    places: int | None = None,
) -> str:
    """Write a number with the reader's decimal separator, without grouping.

    `places` fixes the digits after the separator; None keeps those the value has.
    """
    number = Decimal(str(value))
    text = f"{number:f}" if places is None else f"{number:.{places}f}"
    symbols = _locale(language, country).number_symbols.get("latn", {})
    return text.replace(".", str(symbols.get("decimal", ".")))


def format_time(moment: datetime, zone: ZoneInfo, language: str, country: str | None = None) -> str:
    """Write the time of day in `zone`, twelve or twenty-four hours as the country does."""
    locale = _locale(language, country)
    if not country:
        return _plain(dates.format_time(moment, format="short", tzinfo=zone, locale=locale))
    skeleton = "hm" if country in _TWELVE_HOURS else "Hm"
    return _plain(dates.format_skeleton(skeleton, moment, tzinfo=zone, locale=locale))


def format_date(day: date, language: str, country: str | None = None, style: str = "long") -> str:
    """Write a day with the month in words.

    `style` is "medium", "long", "full" (with the weekday), "day" (no year), "short" (weekday and
    day, shortened) or "weekday" (its name alone).
    """
    locale = _locale(language, country)
    if style in ("long", "full"):
        return _plain(dates.format_date(day, format=style, locale=locale))
    # CLDR's own "medium" is digits only in some languages, where 4/11 is read two ways.
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    skeletons = {"medium": "yMMMd", "day": "MMMMd", "short": "MMMEd", "weekday": "EEEE"}
    skeleton = skeletons[style]
    if style == "weekday":  # not every locale lists it among its skeletons
        return _plain(dates.format_datetime(noon, skeleton, locale=locale))
    return _plain(dates.format_skeleton(skeleton, noon, locale=locale))


def format_datetime(
    moment: datetime, zone: ZoneInfo, language: str, country: str | None = None
) -> str:
    """Write day and time in `zone`."""
    local_day = moment.astimezone(zone).date()
    day = format_date(local_day, language, country, "medium")
    return f"{day}, {format_time(moment, zone, language, country)}"


def _plain(text: str) -> str:
    # CLDR sets narrow and no-break spaces; they would push a text out of GSM-7. Some Arabic
    # locales carry digits of their own.
    for space in ("\u202f", "\u00a0"):
        text = text.replace(space, " ")
    return "".join(
        str(int(sign)) if sign.isdecimal() and not sign.isascii() else sign for sign in text
    )
