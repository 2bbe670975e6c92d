"""The lists of danger words: one file a language in `danger/`, read once and checked."""

import tomllib
from functools import lru_cache
from pathlib import Path

from patient_portal.domain.danger import DangerWords, DangerWordsUnusable, danger_words

FOLDER = Path(__file__).with_name("danger")


@lru_cache(maxsize=1)
def current() -> tuple[DangerWords, ...]:
    """Every list of the tree, by language. Raises DangerWordsUnusable."""
    return read_folder(FOLDER)


def read_folder(folder: Path) -> tuple[DangerWords, ...]:
    """The lists of a folder. Raises DangerWordsUnusable, naming the file."""
    found = tuple(_read(path) for path in sorted(folder.glob("*.toml")))
    if not found:
        raise DangerWordsUnusable("there is no list of danger words")
    return found


def _read(path: Path) -> DangerWords:
    try:
        with path.open("rb") as stream:
            data = tomllib.load(stream)
        return danger_words(
            path.stem,
            _phrases(data["emergency"]),
            _phrases(data["urgent"]),
            spaced=bool(data.get("spaced", True)),
        )
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError, DangerWordsUnusable) as error:
        raise DangerWordsUnusable(f"{path.name}: {error}") from error


def _phrases(given: object) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise DangerWordsUnusable("a list of phrases is needed")
    return given
