"""A file of patients as spreadsheets save it: which cells stand in which row and column.

Nothing is guessed: what cannot be read for sure is a ``Finding`` that names its row, its column
and the value. Rows are counted as a spreadsheet shows them; row 1 holds the names of the columns.
"""

import csv
import difflib
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from patient_portal.domain.sheet_cells import starts_formula

REQUIRED = ("first_name", "last_name", "birth_year", "phone", "drug", "consent")
COLUMNS = (
    "first_name", "last_name", "birth_year", "record_number", "phone", "language", "country",
    "zone", "drug", "first_dose", "weight", "weight_unit", "usual", "consent",
)  # fmt: skip
_ALSO_CALLED = {
    "given_name": "first_name", "firstname": "first_name", "forename": "first_name",
    "family_name": "last_name", "lastname": "last_name", "surname": "last_name",
    "year_of_birth": "birth_year", "birthyear": "birth_year", "born": "birth_year",
    "mrn": "record_number", "medical_record_number": "record_number", "record": "record_number",
    "phone_number": "phone", "mobile": "phone", "mobile_phone": "phone", "cell": "phone",
    "time_zone": "zone", "timezone": "zone", "medicine": "drug", "medication": "drug",
    "first_dose_on": "first_dose", "first_dose_date": "first_dose", "start_date": "first_dose",
    "baseline_weight": "weight", "baseline_weight_unit": "weight_unit", "unit": "weight_unit",
    "long_standing": "usual", "usual_symptoms": "usual", "consented": "consent",
}  # fmt: skip
LONGEST_FILE = 16_000_000  # bytes
LONGEST_CELL = 200  # characters
# They are written in one piece, and red answers wait that long; see ``docs/patients-import.md``.
MOST_ROWS = 1_000
_SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True)
class Finding:
    """What is wrong in one place. ``row`` 0 is the whole file; ``detail`` belongs to the code."""

    row: int
    column: str
    value: str
    code: str
    detail: str = ""


def place_of(finding: Finding) -> tuple[int, int]:
    """Where a finding stands in a list: by row, then in the order of the columns."""
    known = finding.column in COLUMNS
    return (finding.row, COLUMNS.index(finding.column) if known else -1)


@dataclass(frozen=True)
class Row:
    """One row: its number, and its cells by column. A column that is not in the file is empty."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass
class Sheet:
    """The rows that could be read, and what was wrong with the others."""

    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_sheet(raw: bytes) -> Sheet:
    """The file's rows. Comma, semicolon or tab is found by itself; UTF-8 with or without mark."""
    sheet = Sheet()
    if len(raw) > LONGEST_FILE:
        sheet.findings.append(Finding(0, "", "", "file_too_long"))
        return sheet
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        sheet.findings.append(Finding(row, "", "", "encoding"))
        return sheet
    if text[:4].casefold() == "sep=":  # a line for one spreadsheet program, which hides it
        text = text.partition("\n")[2]
    if not text.strip():
        sheet.findings.append(Finding(0, "", "", "empty"))
        return sheet
    before = csv.field_size_limit(LONGEST_FILE)  # long cells are findings, not the end
    try:
        _read(text, sheet)
    finally:
        csv.field_size_limit(before)
    return sheet


def _read(text: str, sheet: Sheet) -> None:
    lines = _lines(text, _separator_of(text), sheet)
    _, header = next(lines, (1, []))
    if sheet.findings:
        return
    columns = _columns_of(header, sheet)
    if {finding.code for finding in sheet.findings} & {"column_missing", "column_repeated"}:
        return
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(sheet.rows) == MOST_ROWS:
            sheet.findings.append(Finding(number, "", "", "too_many_rows", str(MOST_ROWS)))
            return
        if any(cell.strip() for cell in cells[len(columns) :]):
            detail = f"{len(cells)}, {len(columns)}"
            sheet.findings.append(Finding(number, "", "", "too_many_cells", detail))
            continue
        row = Row(number, {name: cell for name, cell in zip(columns, cells, strict=False) if name})
        sheet.findings += _odd_cells(row)
        sheet.rows.append(row)
    if not sheet.rows and not sheet.findings:
        sheet.findings.append(Finding(0, "", "", "empty"))


def _lines(text: str, separator: str, sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error:
            sheet.findings.append(Finding(number, "", "", "quotes"))
            return


def _separator_of(text: str) -> str:
    """The sign that makes most known columns of the first line."""
    first = text.splitlines()[0]
    known = {
        sign: sum(column_of(cell.strip('" ')) != "" for cell in first.split(sign))
        for sign in _SEPARATORS
    }
    return max(_SEPARATORS, key=lambda sign: known[sign])


def column_of(header: str) -> str:
    """The column that a header means: case, spaces, hyphens and known synonyms do not matter."""
    name = "_".join("".join(c if c.isalnum() else " " for c in header.casefold()).split())
    name = _ALSO_CALLED.get(name, name)
    return name if name in COLUMNS else ""


def _columns_of(header: Sequence[str], sheet: Sheet) -> list[str]:
    """Each cell's column; empty for one without a name."""
    found: list[str] = []
    for cell in header:
        column = column_of(cell)
        if not column and cell.strip():
            near = difflib.get_close_matches(cell.casefold()[:40], COLUMNS, n=1)
            sheet.findings.append(Finding(1, "", cell, "column_unknown", "".join(near)))
        elif column and column in found:
            sheet.findings.append(Finding(1, column, cell, "column_repeated"))
        found.append(column)
    for column in REQUIRED:
        if column not in found:
            sheet.findings.append(Finding(1, column, "", "column_missing"))
    return found


def _odd_cells(row: Row) -> list[Finding]:
    """Cells that no column may hold."""
    found = []
    for column, cell in row.cells.items():
        if len(cell) > LONGEST_CELL:
            code = "cell_too_long"
        elif any(unicodedata.category(sign) == "Cc" for sign in cell.strip()):
            code = "control"
        elif starts_formula(cell) and not (column == "phone" and cell.lstrip()[0] in "+\uff0b"):
            code = "formula"
        else:
            continue
        found.append(Finding(row.number, column, cell, code))
    return found
