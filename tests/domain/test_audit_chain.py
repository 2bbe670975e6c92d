"""The chain itself: what is hashed, and that every kind of change is seen."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from patient_portal.domain.audit_chain import (
    BEGINNING,
    Link,
    canonical,
    chain_of,
    fault,
    hash_of,
    linked,
)

AT = datetime(2026, 11, 20, 17, 0, 0, 5, tzinfo=UTC)


def a_row(**values: Any) -> dict[str, Any]:
    return {
        "at": AT, "clinic_id": "c", "actor_kind": "staff", "actor_id": "n", "action": "alert.taken",
        "subject_kind": "alert", "subject_id": "a", "detail": {"ref": "K7Q3M"}, **values,
    }  # fmt: skip


def a_chain(count: int) -> list[dict[str, Any]]:
    rows, end = [], BEGINNING
    for number in range(1, count + 1):
        row, end = linked(a_row(), "c", end)
        rows.append({**row, "id": number})
    return rows


def faults(rows: list[dict[str, Any]]) -> list[str]:
    found, before, last = [], BEGINNING, 0
    for row in rows:
        found.append(fault(row, before, last))
        before, last = Link(row["seq"], row["hash"]), row["id"]
    return [each for each in found if each]


def test_the_form_is_the_one_that_is_written_down() -> None:
    """Rows of today must be provable in years: this text may never change."""
    row = a_chain(1)[0]
    assert canonical(row) == (
        b'["patient-portal-audit-1","c",1,"' + b"0" * 64 + b'","2026-11-20T17:00:00.000005+00:00",'
        b'"c","staff","n","alert.taken","alert","a",{"ref":"K7Q3M"}]'
    )
    assert hash_of(row) == ("beb487d4b33782873c481ae9e99c65247fe3c626f3682496731688461ec77acb")


def test_a_whole_chain_has_no_fault() -> None:
    assert faults(a_chain(5)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("at", AT + timedelta(microseconds=1)), ("actor_kind", "system"), ("actor_id", "m"),
        ("actor_id", None), ("action", "alert.closed"), ("subject_kind", "patient"),
        ("subject_id", "b"), ("detail", {}), ("hash", "0" * 64), ("prev_hash", "1" * 64),
        ("seq", 7), ("chain", "d"), ("clinic_id", "d"),
    ],
)  # fmt: skip
def test_no_column_can_be_changed(name: str, value: Any) -> None:
    rows = a_chain(5)
    rows[2][name] = value
    assert faults(rows)


def test_rows_cannot_be_taken_out_put_in_or_moved() -> None:
    rows = a_chain(5)
    assert faults(rows[:2] + rows[3:]) == ["number 3 is missing"]
    assert faults([*rows[:2], rows[1], *rows[2:]])
    rows[1]["id"], rows[2]["id"] = rows[2]["id"], rows[1]["id"]
    assert faults(rows)


def test_the_same_moment_and_number_hash_alike_however_they_are_given_back() -> None:
    row = a_chain(1)[0]
    there = row["at"].astimezone(timezone(timedelta(hours=-5)))
    assert hash_of({**row, "at": there}) == row["hash"]
    one, other = ({**row, "detail": {"n": n, "l": [n]}} for n in (2, 2.0))
    assert hash_of(one) == hash_of(other)
    assert hash_of({**row, "detail": {1: "x"}}) == hash_of({**row, "detail": {"1": "x"}})


def test_the_order_of_the_details_keys_does_not_matter() -> None:
    """PostgreSQL gives the keys of a JSON column back in an order of its own."""
    row = a_chain(1)[0]
    one, other = (
        {**row, "detail": dict(each)} for each in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)])
    )
    assert hash_of(one) == hash_of(other)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_hold_is_not_hashed(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        hash_of({**a_chain(1)[0], "detail": {"n": number}})


def test_a_number_with_decimals_keeps_them() -> None:
    row = a_chain(1)[0]
    assert b'{"n":2.5}' in canonical({**row, "detail": {"n": 2.5}})
    assert b'{"n":"2.0"}' in canonical({**row, "detail": {"n": "2.0"}})


def test_rows_of_no_clinic_have_a_chain_of_their_own() -> None:
    assert (chain_of("c"), chain_of(None)) == ("c", "-")
    row, _ = linked(a_row(clinic_id=None), chain_of(None), BEGINNING)
    assert faults([{**row, "id": 1}]) == []
    strayed, _ = linked(a_row(), chain_of(None), BEGINNING)
    assert faults([{**strayed, "id": 1}]) == ["it stands in another clinic's chain"]


def test_a_row_that_stands_at_the_place_of_another_was_moved() -> None:
    rows = a_chain(2)
    rows[1]["id"] = rows[0]["id"]
    assert faults(rows) == ["it was moved"]


def test_the_chain_begins_at_one() -> None:
    (first,) = a_chain(1)
    assert (first["seq"], first["prev_hash"]) == (1, "0" * 64)
    assert faults(a_chain(3)[1:])[0] == "number 1 is missing"
