"""What is wrong in a file of patients, in words: where, what stands there, and how to mend it."""

from patient_portal.domain.patient_sheet import COLUMNS, LONGEST_CELL, LONGEST_FILE, Finding

_LONGEST_SHOWN = 40
# Shown with the finding's own detail and with the words that the column may hold.
_HOW = {
    "file_too_long": f"the file is longer than {LONGEST_FILE // 1_000_000} MB. Split it.",
    "empty": "there are no patients in the file. Row 1 names the columns: "
    "patient-portal patients template",
    "encoding": 'from here the file is not UTF-8. Save it as "CSV UTF-8".',
    "quotes": "from here the rows cannot be read: a quotation mark opens or ends in a wrong place.",
    "too_many_rows": "a file has at most {detail} patients. Put the rows from here into another.",
    "too_many_cells": "the row has more cells than row 1 has names ({detail}). Put quotation "
    "marks around a value that has the separator in it.",
    "column_missing": "the column is missing in row 1. It is needed.",
    "column_repeated": "the column is there twice. Take one away.",
    "column_unknown": "no column has this name. {detail}Take it away or rename it. Known: "
    f"{', '.join(COLUMNS)}.",
    "cell_too_long": f"a cell has at most {LONGEST_CELL} signs.",
    "control": "there is a line break or a hidden control sign in it. Type it again.",
    "formula": "this begins like a formula. Type the value itself.",
    "missing": "type the name.",
    "name": "a name has at most 60 letters, and no hidden signs. Type it again.",
    "record_number": "a record number has at most 30 signs, and no hidden ones.",
    "birth_year": "type the year with four digits, like 1959.",
    "too_young": "this portal is for adults from 18 years.",
    "phone": "this is no phone number. Type all digits, with + and the country code if it is "
    "from abroad. Format the column as text, so that no program rounds it.",
    "not_listed": "this is not one of: {known}.",
    "date": "write the day as year-month-day, like 2026-11-04: 4/11 could be two days. Format "
    "the column as text, so that no program changes it.",
    "date_far": "this day is too far away: at most ten years ago and 90 days ahead.",
    "unit": "write kg or lb in the column weight_unit, and nothing if there is no weight.",
    "unit_differs": "the unit beside the number is not the one in the column weight_unit.",
    "weight": "type the weight with digits, like 72.4 or 72,4.",
    "weight_doubt": "a weight is {detail}",
    "consent": "ask for consent first, then write yes.",
    "person_twice": "phone, birth year and last name are the same as in row {detail}. "
    "Keep one of the two.",
    "record_twice": "row {detail} has the same record number. Keep one, or mend the number.",
    "person_known": "the clinic has a patient with this phone, birth year and last name: "
    "/staff/patients/{detail}. Take the row away.",
    "record_known": "the clinic has a patient with this record number: "
    "/staff/patients/{detail}. Take the row away, or mend the number.",
}


def finding_line(finding: Finding, known: dict[str, list[str]]) -> str:
    """One finding as a line. ``known`` holds the words that each listed column may hold."""
    detail = finding.detail
    if finding.code == "column_unknown":
        detail = f"Is it {detail}? " if detail else ""
    how = _HOW[finding.code].format(detail=detail, known=_known(known.get(finding.column, [])))
    where = [f"row {finding.row}"] if finding.row else []
    where += [finding.column] if finding.column else []
    where += [shown(finding.value)] if finding.value else []
    return f"{', '.join(where) or 'file'}: {how}"


def _known(words: list[str]) -> str:
    if len(words) > 40:
        return f"{', '.join(words[:5])}, and {len(words) - 5} others"
    return ", ".join(words)


def shown(value: str) -> str:
    """A value for a terminal: short, and with hidden signs as escapes."""
    cut = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
    return repr(cut)
