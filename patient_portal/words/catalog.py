"""Compiled gettext catalogs, read once a process."""

from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path

from babel.support import Translations

from patient_portal.paths import shipped

DOMAINS = ("safety", "messages", "learn")
SOURCE_LANGUAGE = "en"


@lru_cache(maxsize=1)
def translations_directory() -> Path:
    """Return the absolute folder of the shipped catalogs."""
    return shipped("translations")


@lru_cache(maxsize=128)
def translations(language: str, domain: str, directory: Path | None = None) -> NullTranslations:
    """Return the catalog of one language and domain; English and unknown languages have none.

    Looked up by exact folder name: which language to use is decided by `negotiate`, and a
    silent walk from zh_Hant to zh would show a script the person may not read.
    """
    folder = directory or translations_directory()
    compiled = folder / language / "LC_MESSAGES" / f"{domain}.mo"
    if not compiled.is_file():
        return NullTranslations()
    with compiled.open("rb") as stream:
        return Translations(stream, domain=domain)


def known_languages(directory: Path | None = None) -> tuple[str, ...]:
    """Return the languages that exist in the tree, English first. Not all are offered."""
    folder = directory or translations_directory()
    found = sorted(entry.parent.name for entry in folder.glob("*/LC_MESSAGES"))
    return (SOURCE_LANGUAGE, *(name for name in found if name != SOURCE_LANGUAGE))
