"""Write and read catalog files: templates (.pot), translations (.po) and compiled ones (.mo).

No dates, tool versions or line numbers are written, so a diff shows words and nothing else.
"""

import io
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from patient_portal.words.catalog import DOMAINS
from patient_portal.words.sources import Sentence, by_domain

_HEADER = "# The words of the patient portal, domain {domain}.{language}\n#"
_QUIET = re.compile(
    rb'^"(?:POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    rb'|Generated-By|Report-Msgid-Bugs-To|Project-Id-Version):.*\\n"\n',
    re.MULTILINE,
)


def template(sentences: Iterable[Sentence], domain: str) -> Catalog:
    """Return the catalog of the English sentences of one domain, nothing translated."""
    catalog = Catalog(domain=domain, header_comment=_header(domain), fuzzy=False)
    for found in by_domain(sentences, domain):
        identity = (found.msgid, found.plural) if found.plural else found.msgid
        notes = [found.note] if found.note else []
        catalog.add(identity, locations=[(found.path, 0)], auto_comments=notes)
    return catalog


def _header(domain: str, language: str = "") -> str:
    return _HEADER.format(domain=domain, language=f" Language: {language}." if language else "")


def rendered(catalog: Catalog) -> bytes:
    """Return the text of a catalog file."""
    stream = io.BytesIO()
    write_po(stream, catalog, width=96, ignore_obsolete=True, include_lineno=False)
    return _QUIET.sub(b"", stream.getvalue())


def read(path: Path, language: str | None = None) -> Catalog:
    """Read a .pot or .po file."""
    with path.open("rb") as stream:
        return read_po(stream, locale=language, domain=path.stem)


def replace(path: Path, content: bytes) -> bool:
    """Write a file whole or not at all; return whether anything changed."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
    return True


def catalog_paths(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield language, domain and path of every .po file there is."""
    for path in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        if path.stem in DOMAINS:
            yield path.parent.parent.name, path.stem, path


def updated(path: Path, language: str, domain: str, source: Catalog) -> bytes:
    """Return the .po file with today's English sentences.

    A sentence whose English changed keeps its old translation as a fuzzy suggestion, which is
    never shown to anybody.
    """
    if path.is_file():
        catalog = read(path, language)
    else:
        catalog = Catalog(locale=language, domain=domain, fuzzy=False)
    catalog.header_comment = _header(domain, language)
    catalog.update(source)
    return rendered(catalog)


def is_usable(message: Message) -> bool:
    """Say whether a translation may be shown: there, not fuzzy, every plural form filled."""
    forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return bool(message.id) and not message.fuzzy and bool(forms) and all(forms)


def compiled(path: Path, language: str) -> bytes:
    """Return the binary form of a .po file.

    Babel would fill a missing plural form with English and so mix two languages in one
    catalog; an incomplete sentence is left out whole instead.
    """
    catalog = read(path, language)
    for message in list(catalog):
        if message.id and not is_usable(message):
            catalog.delete(message.id, message.context)
    stream = io.BytesIO()
    write_mo(stream, catalog, use_fuzzy=False)
    return stream.getvalue()


def compile_all(folder: Path) -> int:
    """Write every .mo file that is missing or older than its .po; return how many."""
    count = 0
    for language, _domain, path in catalog_paths(folder):
        target = path.with_suffix(".mo")
        if target.is_file() and target.stat().st_mtime_ns > path.stat().st_mtime_ns:
            continue
        replace(target, compiled(path, language))
        target.touch()
        count += 1
    return count
