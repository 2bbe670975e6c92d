"""Emergency numbers and usual units by country of stay, never by language or network address.

A country is listed only when its number was checked (``read`` at an official or named source, or
in ``two lists`` kept by vendors). For any other country the clinic types the number itself.
Last checked on 20 November 2026; to be checked again every six months and before each release.
"""

from dataclasses import dataclass

READ = "read"
TWO_LISTS = "two lists"


@dataclass(frozen=True, slots=True)
class Place:
    """What help means in one country. ``others`` reach help too; ``uneven`` = not everywhere.

    ``country`` is ISO 3166; it is empty for the fallback, which must not be taken for checked.
    """

    country: str
    number: str
    others: tuple[str, ...] = ()
    uneven: bool = False
    source: str = READ

    @property
    def is_checked(self) -> bool:
        """Whether the number belongs to a known country."""
        return bool(self.country)


# On most mobile phones 112 connects to the local service or is sent on to it, but not everywhere.
FALLBACK = Place("", "112", source="")


def _places() -> dict[str, Place]:
    found = [
        Place("US", "911"),
        *(Place(code, "911") for code in ("AS", "GU", "MP", "PR", "VI")),
        Place("GB", "999", ("112",)),
        Place("IN", "112", ("108",)),
        Place("MX", "911"),
        Place("BR", "192"),
        Place("BD", "999"),
        Place("EG", "123", source=TWO_LISTS),
        Place("ID", "119", ("112",), uneven=True),
        Place("PK", "1122", uneven=True),
        Place("NG", "112", ("199",), uneven=True),
        Place("PH", "911", source=TWO_LISTS),
        Place("FR", "15", ("112",), source=TWO_LISTS),
        Place("RU", "103", ("112",), source=TWO_LISTS),
        Place("IE", "112", ("999",)),
        Place("IT", "112", ("118",)),
        Place("PL", "112", ("999",)),
        Place("AT", "144", ("112",), source=TWO_LISTS),
        Place("GR", "166", ("112",), source=TWO_LISTS),
        Place("HU", "104", ("112",), source=TWO_LISTS),
        Place("CZ", "155", ("112",), source=TWO_LISTS),
        Place("ES", "112"),
        # 112 works in every member state of the European Union.
        *(
            Place(code, "112")
            for code in (
                "BE", "BG", "CY", "DE", "DK", "EE", "FI", "HR", "LT", "LU", "LV", "MT", "NL",
                "PT", "RO", "SE", "SI", "SK",
            )
        ),
        *(
            Place(code, number, source=TWO_LISTS)
            for code, number in (
                ("CA", "911"), ("CN", "120"), ("JP", "119"), ("VN", "115"), ("TR", "112"),
                ("TH", "1669"), ("IS", "112"), ("NO", "113"), ("CH", "144"), ("UA", "103"),
                ("IL", "101"), ("SA", "997"), ("AE", "998"), ("JO", "911"), ("NP", "102"),
                ("HK", "999"), ("MO", "999"), ("TW", "119"), ("KR", "119"), ("SG", "995"),
                ("MY", "999"), ("AU", "000"), ("NZ", "111"), ("AR", "107"), ("CO", "123"),
                ("CL", "131"), ("EC", "911"), ("CR", "911"), ("PA", "911"), ("DO", "911"),
                ("UY", "911"), ("VE", "911"), ("ZA", "10177"), ("LK", "110"),
            )
        ),
        *(
            Place(code, number, uneven=True, source=TWO_LISTS)
            for code, number in (("BO", "118"), ("GH", "193"), ("KE", "999"), ("MA", "150"))
        ),
    ]  # fmt: skip
    return {place.country: place for place in found}


PLACES = _places()

# Where people read Fahrenheit and pounds; everywhere else Celsius and kilograms.
_IMPERIAL = frozenset({"US", "AS", "GU", "MP", "PR", "VI", "BS", "FM", "KY", "LR", "MH", "PW"})


def place_of(country: str | None) -> Place:
    """The place with this ISO 3166 code, in either case; FALLBACK when it is not listed."""
    return PLACES.get((country or "").upper(), FALLBACK)


def emergency_number(country: str | None) -> str:
    """The number to call in an emergency; 112 where the country is not listed."""
    return place_of(country).number


def default_units(country: str | None) -> tuple[str, str]:
    """Units of temperature and weight that scales and thermometers there show: (c|f, kg|lb)."""
    return ("f", "lb") if (country or "").upper() in _IMPERIAL else ("c", "kg")


_SPOKEN = {
    "en": ("US", "AS", "GU", "MP", "VI", "GB", "IE", "CA", "AU", "NZ", "NG", "GH", "KE", "ZA",
           "PH", "SG"),
    "es": ("MX", "ES", "PR", "AR", "CO", "CL", "EC", "CR", "PA", "DO", "UY", "VE", "BO"),
}  # fmt: skip
_SPOKEN_IN = {country: language for language, countries in _SPOKEN.items() for country in countries}


def main_language(country: str | None) -> str | None:
    """The language that emergency operators answer in, where one is sure; None elsewhere."""
    return _SPOKEN_IN.get((country or "").upper())
