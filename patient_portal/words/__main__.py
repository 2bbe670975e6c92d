"""Work on the catalogs of a checkout: `python -m patient_portal.words compile`, and so on."""

import sys
from pathlib import Path

from patient_portal.paths import PACKAGE
from patient_portal.words.blocks import PageError
from patient_portal.words.catalog import DOMAINS
from patient_portal.words.catalog_files import (
    catalog_paths,
    compile_all,
    read,
    rendered,
    replace,
    template,
    updated,
)
from patient_portal.words.checks import coverage, problems
from patient_portal.words.sources import NotLiteral, find_sentences

USAGE = """python -m patient_portal.words COMMAND
  extract       write the .pot files from code, templates, protocols and pages
  update        bring every .po file up to the .pot files
  add LANGUAGE  begin a language (folder name, for instance pt_BR)
  compile       write the .mo files that are missing or old
  check         look for what would harm a reader; exit 1 if there is anything
"""


def main(arguments: list[str]) -> int:
    """Run one command; return 0 done, 1 found something wrong, 2 used wrongly."""
    root = PACKAGE.parent
    folder = root / "translations"
    try:
        match arguments:
            case ["extract"]:
                return _extract(root, folder)
            case ["update"]:
                return _update(folder)
            case ["add", language]:
                for domain in DOMAINS:
                    _write(folder, language, domain)
                return 0
            case ["compile"]:
                print(f"compiled {compile_all(folder)} catalogs")
                return 0
            case ["check"]:
                return _check(root, folder)
            case ["--help"]:
                print(USAGE)
                return 0
    except (NotLiteral, PageError) as error:
        print(error, file=sys.stderr)
        return 1
    print(USAGE, file=sys.stderr)
    return 2


def _extract(root: Path, folder: Path) -> int:
    sentences = list(find_sentences(root))
    for domain in DOMAINS:
        catalog = template(sentences, domain)
        replace(folder / f"{domain}.pot", rendered(catalog))
        print(f"{domain}.pot: {len(catalog)} sentences")
    return 0


def _update(folder: Path) -> int:
    for language in sorted({language for language, _, _ in catalog_paths(folder)}):
        for domain in DOMAINS:
            _write(folder, language, domain)
    return 0


def _write(folder: Path, language: str, domain: str) -> None:
    path = folder / language / "LC_MESSAGES" / f"{domain}.po"
    replace(path, updated(path, language, domain, read(folder / f"{domain}.pot")))
    usable, fuzzy, total = coverage(read(path, language))
    print(f"{language}/{domain}.po: {usable} of {total} translated, {fuzzy} stale")


def _check(root: Path, folder: Path) -> int:
    found = list(problems(folder, list(find_sentences(root))))
    for line in found:
        print(line)
    for language, domain, path in catalog_paths(folder):
        usable, fuzzy, total = coverage(read(path, language))
        print(f"{language}/{domain}: {usable} of {total}, {fuzzy} stale", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
