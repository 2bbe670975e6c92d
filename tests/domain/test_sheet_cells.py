"""Cells of a spreadsheet hold text, whatever the text is."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.sheet_cells import cell, sheet


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "|cmd", "%x",
        "\u200b=1", "\x00=1", "=cmd|' /C calc'!A0",
    ],
)  # fmt: skip
def test_formulas_become_text(text: str) -> None:
    assert cell(text).startswith("'")


@pytest.mark.parametrize("text", ["", "Marin, Rosa", "9:42", "a=b", "O'Neil", "مريم", "'x"])
def test_other_text_stays(text: str) -> None:
    assert cell(text) == text


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
def test_what_is_read_back_is_never_a_formula(rows: list[list[str]]) -> None:
    found = list(csv.reader(io.StringIO(sheet(rows), newline="")))
    assert len(found) == len(rows)
    for one in (each for row in found for each in row):
        assert not one.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
