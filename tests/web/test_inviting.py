"""Inviting a patient: the form, its text shown first, and everything that it refuses."""

from decimal import Decimal
from typing import Any

from werkzeug.test import TestResponse

from patient_portal.database import new_id
from patient_portal.models import (
    Patient,
    Role,
)
from tests.support.doors import (
    counts,
    post,
    signed_in,
    texts_to,
    writing,
)
from tests.support.house import ROSA, WEI, House, a_signing_nurse

FORM = {
    "first_name": "Wei", "last_name": "Chen", "birth_year": "1971", "phone": "(212) 555-0190",
    "language": "en", "country": "US", "zone": "America/New_York", "drug": "ivosidenib",
    "first_dose_day": "4", "first_dose_month": "11", "first_dose_year": "2026",
    "baseline_weight": "72,4", "baseline_weight_unit": "kg", "usual": ["swelling"],
    "consent": "y", "record_number": "A-17",
}  # fmt: skip


def invite(house: House, **fields: Any) -> TestResponse:
    client = signed_in(house.app, house.team.nurse)
    page = "/staff/patients/new"
    return post(client, page, {**FORM, "key": new_id(), **fields})


def test_inviting_shows_the_text_first_and_then_sends_it(house: House) -> None:
    with writing(house.app) as (_session, now):
        pass
    key, recent = new_id(), {"first_dose_year": str(now.year), "first_dose_month": "1"}
    shown = invite(house, key=key, action="check", **recent)
    assert shown.status_code == 200
    assert "Tap to start" in shown.text
    assert "(212) 555-0190" in shown.text
    assert texts_to(house.app, WEI) == []
    change = invite(house, key=key, action="change", **recent)
    assert 'value="72,4"' in change.text
    sent = invite(house, key=key, action="send", **recent)
    assert sent.status_code == 303
    assert invite(house, key=key, action="send", **recent).status_code == 303
    assert len(texts_to(house.app, WEI)) == 1
    with house.database.reading() as session:
        wei = session.get_one(Patient, key)
        assert (wei.baseline_weight, wei.baseline_weight_unit) == (Decimal("72.4"), "kg")
        assert wei.usual == ["swelling"]
        assert (wei.weight_unit, wei.temperature_unit) == ("kg", "f")
        assert wei.consent_version
    page = signed_in(house.app, house.team.nurse).get(f"/staff/patients/{key}")
    assert "72.4 kg" in page.text
    assert "Invitation" in page.text


BAD_FIELDS: list[tuple[str, Any, str]] = [
        ("first_name", "", "first_name"), ("first_name", " " * 5, "first_name"),
        ("first_name", "x" * 61, "first_name"), ("last_name", "\x00", "last_name"),
        ("last_name", "a\nb", "last_name"), ("birth_year", "71", "birth_year"),
        ("birth_year", "2020", "birth_year"), ("birth_year", "", "birth_year"),
        ("phone", "12", "phone"), ("phone", "", "phone"), ("phone", "call me", "phone"),
        ("language", "xx", "language"), ("country", "ZZ", "country"), ("country", "", "country"),
        ("zone", "Mars/Base", "zone"), ("zone", "", "zone"), ("zone", "../../etc", "zone"),
        ("drug", "", "drug"), ("drug", "aspirin", "drug"),
        ("first_dose_day", "31", "first_dose"), ("first_dose_day", "", "first_dose"),
        ("first_dose_year", "26", "first_dose"), ("first_dose_year", "1990", "first_dose"),
        ("first_dose_year", "2199", "first_dose"), ("first_dose", "soon", "first_dose"),
        ("baseline_weight", "heavy", "baseline_weight"),
        ("baseline_weight", "724", "baseline_weight"),
        ("baseline_weight", "7", "baseline_weight"),
        ("baseline_weight", "159 lb", "baseline_weight"),
        ("baseline_weight", "72.4.1", "baseline_weight"),
        ("baseline_weight_unit", "stone", "baseline_weight_unit"),
    ("baseline_weight_unit", "", "baseline_weight_unit"),
        ("usual", ["nonsense"], "usual"), ("consent", "", "consent"),
        ("record_number", "x" * 31, "record_number"), ("key", "../x", ""), ("key", "", ""),
    ]  # fmt: skip


def test_a_bad_field_is_asked_again_and_nothing_is_lost(house: House) -> None:
    for field, value, marked in BAD_FIELDS:
        page = invite(house, **{field: value})
        assert page.status_code == 422, (field, value)
        assert "There is a problem" in page.text
        assert not marked or f'href="#{marked}"' in page.text, (field, value)
        for kept in {"first_name", "phone", "baseline_weight"} - {field}:
            assert f'value="{FORM[kept]}"' in page.text, (field, value)
    assert counts(house.database)["patient"] == 1


def test_repeated_missing_and_huge_fields_never_break_the_form(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    hostile: list[dict[str, Any]] = [
        {name: [value, value] for name, value in FORM.items()},
        {},
        {"usual": ["swelling"] * 150},
        {name: "x" * 1000 for name in FORM},
        {name: "\x00\x01" for name in FORM},
    ]
    for fields in hostile:
        assert post(client, "/staff/patients/new", fields).status_code in (303, 413, 422)


def test_a_twin_is_refused_with_the_way_to_the_first(house: House) -> None:
    page = invite(house, last_name="MARIN", birth_year="1959", phone=ROSA, first_dose_year="")
    assert page.status_code == 422
    page = invite(
        house, last_name="MARIN", birth_year="1959", phone=ROSA,
        first_dose_day="", first_dose_month="", first_dose_year="",
    )  # fmt: skip
    assert page.status_code == 409
    assert f"/staff/patients/{house.rosa.id}" in page.text


def test_an_auditor_may_look_and_not_invite(house: House) -> None:
    client = signed_in(house.app, a_signing_nurse(house, Role.AUDITOR))
    assert client.get("/staff/patients").status_code == 200
    assert client.get("/staff/patients/new").status_code == 403
    page = client.get(f"/staff/patients/{house.rosa.id}")
    assert page.status_code == 200
    assert "forget-phones" not in page.text


def test_a_form_without_its_token_changes_nothing(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    before = counts(house.database)
    for path in ("/staff/patients/new", f"/staff/patients/{house.rosa.id}/invite", "/sign-in"):
        assert client.post(path, data={**FORM, "key": new_id(), "phone": ROSA}).status_code == 400
    assert counts(house.database) == before
