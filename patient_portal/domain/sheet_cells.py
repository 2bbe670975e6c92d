"""Text for a cell of a spreadsheet, where some first characters would make it a formula.

A name such as ``=HYPERLINK(...)`` is data to us and a program to a spreadsheet (OWASP, "CSV
Injection"). An apostrophe in front makes it text again; control characters are left out.
"""

import csv
import io
from collections.abc import Iterable, Sequence

# Also their full-width forms, which some programs read alike.
_FORMULA = tuple("=+-@|%\uff1d\uff0b\uff0d\uff20")


def cell(text: str) -> str:
    """The text as a cell that is never taken for a formula."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return f"'{plain}" if starts_formula(plain) else plain


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet would take the text for a formula."""
    starts = text.lstrip()[:1]
    return bool(starts) and starts in _FORMULA


def sheet(rows: Iterable[Sequence[str]]) -> str:
    """The rows as comma-separated values (RFC 4180), every cell safe."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cell(each) for each in row])
    return out.getvalue()
