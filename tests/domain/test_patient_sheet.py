"""Whatever bytes a file of patients holds, its rows are read or its faults are named."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.patient_sheet import COLUMNS, column_of, place_of, read_sheet

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
