"""Which language a tag means, and how a language names itself."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from babel import Locale

from patient_portal.words.catalog import SOURCE_LANGUAGE

# Chinese is told apart by script. A reader of one script never gets the other silently.
_TRADITIONAL_REGIONS = frozenset({"TW", "HK", "MO"})
# Old or alternative codes that phones still send.
_ALIASES = {"iw": "he", "in": "id", "ji": "yi", "fil": "tl"}
# One written form serves every country of the language until another one is in the tree.
_STAND_INS = {"pt": ("pt_BR", "pt_PT")}


def _parts(language_tag: str) -> tuple[str, str, str]:
    language, *rest = language_tag.replace("_", "-").split("-")
    script = next((part.title() for part in rest if len(part) == 4 and part.isalpha()), "")
    region = next(
        (
            part.upper()
            for part in rest
            if (len(part) == 2 and part.isalpha()) or (len(part) == 3 and part.isdigit())
        ),
        "",
    )
    return _ALIASES.get(language.lower(), language.lower()), script, region


def _candidates(language_tag: str) -> Iterator[str]:
    language, script, region = _parts(language_tag)
    if language == "zh":
        if not script:
            script = "Hant" if region in _TRADITIONAL_REGIONS else "Hans"
        yield f"zh_{script}_{region}"
        yield f"zh_{script}"
        return
    yield f"{language}_{script}_{region}"
    yield f"{language}_{script}"
    yield f"{language}_{region}"
    yield language
    yield from _STAND_INS.get(language, ())


def negotiate(tags: Sequence[str], offered: Collection[str], default: str = SOURCE_LANGUAGE) -> str:
    """Return the offered language that fits the first possible tag, else `default`.

    Tags are what browsers send ("zh-CN", "es-MX"), best first; offered are folder names.
    """
    for language_tag in tags:
        for candidate in _candidates(language_tag):
            if candidate in offered:
                return candidate
    return default


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(language)


def direction(language: str) -> str:
    """Return "ltr" or "rtl", the value of the HTML attribute `dir`."""
    return _locale(language).text_direction


def tag(language: str) -> str:
    """Return the BCP 47 tag of a folder name: "zh_Hans" gives "zh-Hans"."""
    return language.replace("_", "-")


def own_name(language: str) -> str:
    """Return the name of the language in the language itself, with a capital letter."""
    name = _locale(language).get_display_name(language) or language
    return name[:1].upper() + name[1:]
