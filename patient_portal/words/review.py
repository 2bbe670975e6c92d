"""How far a translation has been checked, as recorded in translations/review.toml."""

import tomllib
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from patient_portal.words.catalog import SOURCE_LANGUAGE, translations_directory


class ReviewState(StrEnum):
    """States of a translation, least checked first; `source` is English, translated by nobody."""

    SOURCE = "source"
    DRAFT = "draft"
    TRANSLATED = "translated"
    REVIEWED = "reviewed"
    CLINICALLY_APPROVED = "clinically_approved"


@lru_cache(maxsize=8)
def review_entries(directory: Path | None = None) -> dict[tuple[str, str], dict[str, object]]:
    """Return the entries of review.toml by (language, domain).

    Raises ValueError on a state that does not exist.
    """
    path = (directory or translations_directory()) / "review.toml"
    if not path.is_file():
        return {}
    with path.open("rb") as stream:
        data = tomllib.load(stream)
    entries: dict[tuple[str, str], dict[str, object]] = {}
    for language, domains in data.items():
        for domain, entry in domains.items():
            ReviewState(entry["state"])
            entries[language, domain] = entry
    return entries


def review_state(language: str, domain: str, directory: Path | None = None) -> ReviewState:
    """Return how far one domain of a language has been checked; unrecorded means draft."""
    if language == SOURCE_LANGUAGE:
        return ReviewState.SOURCE
    entry = review_entries(directory).get((language, domain))
    return ReviewState(str(entry["state"])) if entry else ReviewState.DRAFT


def may_offer(language: str, *, drafts: bool, directory: Path | None = None) -> bool:
    """Say whether patients may choose the language.

    Outside a demo (`drafts`) a language needs a clinically approved safety set.
    """
    state = review_state(language, "safety", directory)
    return drafts or state in (ReviewState.SOURCE, ReviewState.CLINICALLY_APPROVED)
