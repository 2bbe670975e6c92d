"""Catalogs made at test time: single sentences, and the pseudo-locale en_ZZ."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog

from patient_portal.words import DOMAINS
from patient_portal.words.catalog_files import compile_all, rendered, template
from patient_portal.words.sources import Sentence

Text = str | tuple[str, ...]
Texts = Mapping[str, Text] | Mapping[tuple[str, str], Text] | Mapping[str, str]
_KEPT = re.compile(r"(%\(\w+\)s|%%|</?b>|\*\*)")
_ACCENTED = str.maketrans("aceinouyACEINOUY", "áçéíñóúýÁÇÉÍÑÓÚÝ")


def write_catalog(
    folder: Path,
    language: str,
    domain: str,
    texts: Texts | Mapping[tuple[str, str], tuple[str, ...]],
    *,
    fuzzy: frozenset[str] = frozenset(),
) -> None:
    """Write and compile one language whose other domains are empty."""
    for each in DOMAINS:
        catalog = Catalog(locale=language, domain=each, fuzzy=False)
        for msgid, text in texts.items() if each == domain else ():
            catalog.add(msgid, text, flags=["fuzzy"] if msgid in fuzzy else [])
        _save(folder, language, each, catalog)
    compile_all(folder)


def write_pseudo(folder: Path, sentences: Iterable[Sentence], language: str = "en_ZZ") -> None:
    """Write the language in which every translated sentence shows brackets and accents."""
    sentences = list(sentences)
    for domain in DOMAINS:
        catalog = template(sentences, domain)
        filled = Catalog(locale=language, domain=domain, fuzzy=False)
        for message in catalog:
            if isinstance(message.id, tuple):
                filled.add(message.id, tuple(pseudo(str(text)) for text in message.id))
            elif message.id:
                filled.add(message.id, pseudo(str(message.id)))
        _save(folder, language, domain, filled)
    compile_all(folder)


def pseudo(text: str) -> str:
    """Return the text accented, longer, in brackets; placeholders and tags stay."""
    parts = _KEPT.split(text)
    accented = [part if n % 2 else part.translate(_ACCENTED) for n, part in enumerate(parts)]
    return f"[{''.join(accented)}{' ~' * (1 + len(text) // 8)}]"


def _save(folder: Path, language: str, domain: str, catalog: Catalog) -> None:
    path = folder / language / "LC_MESSAGES" / f"{domain}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rendered(catalog))
