"""Whatever bytes a file of patients holds, its rows are read or its faults are named."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.patient_sheet import (
    COLUMNS,
    LONGEST_FILE,
    Finding,
    column_of,
    place_of,
    read_sheet,
)

HEADER = ",".join(COLUMNS)
CSV_TEXT = st.text(alphabet=st.sampled_from('",;\t\r\n\x00=+-@ a1٣é\u202e\ufeff'), max_size=80)


@given(st.one_of(st.binary(max_size=200), CSV_TEXT.map(str.encode)))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    sheet = read_sheet(raw)
    assert sheet.findings  # nothing like this has the columns that are needed
    assert sheet.rows == []


def test_the_limit_of_other_readers_stays_as_it_was() -> None:
    before = csv.field_size_limit(1_000)
    read_sheet(f"{HEADER}\n{'x' * 5_000}\n".encode())
    assert csv.field_size_limit(before) == 1_000


@given(CSV_TEXT)
def test_rows_under_a_good_header_are_read_or_named(text: str) -> None:
    sheet = read_sheet(f"{HEADER}\n{text}".encode())
    assert sheet.rows or sheet.findings
    numbers = [row.number for row in sheet.rows]
    assert numbers == sorted(set(numbers)) and all(number > 1 for number in numbers)
    assert all(one.row in (0, *range(2, 100)) for one in sheet.findings)
    assert sheet.findings == sorted(sheet.findings, key=place_of)


@pytest.mark.parametrize(
    ("header", "column"),
    [("First Name", "first_name"), (" LAST-NAME ", "last_name"), ("\ufeffphone", "phone"),
     ("MRN", "record_number"), ("Date of birth", ""), ("", ""), ("\u202ephone", "phone")],
)  # fmt: skip
def test_what_a_header_means(header: str, column: str) -> None:
    assert column_of(header) == column


# ---- what is read, and where each fault is said to be

GOOD = "Rosa,Marin,1959,A-1,+12125550123,en,US,,enasidenib,2026-11-01,72,kg,,yes"
ROW = f"{GOOD}\n"


def codes(raw: bytes | str) -> list[tuple[int, str, str]]:
    sheet = read_sheet(raw.encode() if isinstance(raw, str) else raw)
    return [(one.row, one.column, one.code) for one in sheet.findings]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff", "sep=;\n", "SEP=,\r\n"])
def test_a_good_file_is_read_whatever_parts_its_cells(sign: str, start: str) -> None:
    sheet = read_sheet(f"{start}{HEADER}\n\n{GOOD}\n , \n{GOOD}\n".replace(",", sign).encode())
    assert sheet.findings == []
    assert [row.number for row in sheet.rows] == [3, 5]
    assert sheet.rows[0]["phone"] == "+12125550123"
    assert sheet.rows[0]["zone"] == ""


def test_faults_of_the_whole_file_stand_at_row_nought() -> None:
    assert codes("") == codes(" \n ") == codes(f"{HEADER}\n") == [(0, "", "empty")]
    assert codes(f"{HEADER}\n,,\n") == [(0, "", "empty")]
    assert codes(b"x" * (LONGEST_FILE + 1)) == [(0, "", "file_too_long")]
    full = f"{HEADER}\n{GOOD}\n".encode()
    full += b"x" * (LONGEST_FILE - len(full))
    assert codes(full) == [(3, "first_name", "cell_too_long")]  # the longest that is looked into
    assert LONGEST_FILE == 16_000_000


def test_a_sign_that_is_not_utf_8_is_named_by_its_row() -> None:
    assert codes(f"{HEADER}\n{GOOD}\nRos".encode() + b"\xe1,") == [(3, "", "encoding")]


def test_quotes_that_do_not_close_are_named_by_their_row() -> None:
    assert codes(f'{HEADER}\n{GOOD}\n"Rosa,Marin') == [(3, "", "quotes")]
    assert codes(f'{HEADER}\n{GOOD}\n"Ro"sa,Marin\n') == [(3, "", "quotes")]
    assert codes(f'"{HEADER}') == [(1, "", "quotes")]


def test_columns_are_named_once_each_and_the_needed_ones_are_there() -> None:
    assert codes(f"{HEADER},MRN\n{GOOD},\n") == [(1, "record_number", "column_repeated")]
    missing = HEADER.replace("consent", "")
    assert codes(f"{missing}\n{GOOD}\n") == [(1, "consent", "column_missing")]
    (near, far) = read_sheet(f"{HEADER},phones,zzz\n{GOOD}\n".encode()).findings
    assert (near.row, near.value, near.code, near.detail) == (
        1,
        "phones",
        "column_unknown",
        "phone",
    )
    assert (far.code, far.detail) == ("column_unknown", "")


def test_columns_without_a_name_and_short_rows_are_passed_over() -> None:
    (row,) = read_sheet(f"{HEADER},\n{GOOD},x\n".encode()).rows
    assert "" not in row.cells and row["consent"] == "yes"
    (row,) = read_sheet(f"{HEADER}\nRosa,Marin\n".encode()).rows
    assert (row["last_name"], row["phone"]) == ("Marin", "")


def test_cells_beyond_the_columns_are_a_fault_of_their_row_alone() -> None:
    sheet = read_sheet(f"{HEADER}\n{GOOD},x, \n{GOOD}, ,\n".encode())
    assert [(one.row, one.code, one.detail) for one in sheet.findings] == [
        (2, "too_many_cells", "16, 14")
    ]
    assert [row.number for row in sheet.rows] == [3]


def test_a_thousand_rows_are_read_and_no_more() -> None:
    sheet = read_sheet(f"{HEADER}\n{ROW * 1_000}".encode())
    assert (len(sheet.rows), sheet.findings) == (1_000, [])
    sheet = read_sheet(f"{HEADER}\n{ROW * 1_002}".encode())
    assert [(one.row, one.code, one.detail) for one in sheet.findings] == [
        (1_002, "too_many_rows", "1000")
    ]
    assert len(sheet.rows) == 1_000


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("Rosa", "R" * 200, []),
        ("Rosa", "R" * 201, [(2, "first_name", "cell_too_long")]),
        ("Rosa", "Ro\x07sa", [(2, "first_name", "control")]),
        ("Rosa", "=Rosa", [(2, "first_name", "formula")]),
        ("Rosa", "+Rosa", [(2, "first_name", "formula")]),
        ("+1212", "\uff0b1212", []),
        ("+1212", "=1212", [(2, "phone", "formula")]),
        ("+1212", " +1212", []),
    ],
)
def test_odd_cells_are_named_by_row_and_column(
    old: str, new: str, found: list[tuple[int, str, str]]
) -> None:
    assert codes(f"{HEADER}\n{GOOD.replace(old, new)}\n") == found


def test_findings_are_told_by_row_and_then_by_column() -> None:
    places = [place_of(Finding(row, column, "", "")) for row, column in (
        (2, "phone"), (2, ""), (1, "consent"), (2, "first_name"),
    )]  # fmt: skip
    assert places == [(2, 4), (2, -1), (1, 13), (2, 0)]
