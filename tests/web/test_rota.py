"""The on-call page, as a browser without scripts meets it; on both engines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.domain.schedule import local_date
from patient_portal.models import (
    Clinic,
    DutyCheck,
    MessageKind,
    Role,
    Shift,
    ShiftChange,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import duty
from tests.support.doors import an_app, post, signed_in, texts_to, writing
from tests.support.people import Team, a_member, a_team
from tests.support.rotas import CATCH_ALL

PAGE = "/staff/rota"
ADE = "+12125550146"


@dataclass
class Desk:
    """A clinic with everyone on call around the clock, a lead, and somebody not yet proven."""

    app: Flask
    team: Team
    ade: StaffMember
    now: datetime

    @property
    def today(self) -> date:
        return local_date(self.now, "America/New_York")

    def get(self, who: StaffMember) -> str:
        return text_of(signed_in(self.app, who).get(PAGE))

    def send(self, path: str, who: StaffMember | None = None, **fields: Any) -> TestResponse:
        return post(signed_in(self.app, who or self.team.lead), PAGE + path, fields, page=PAGE)

    def turn(self, who: StaffMember | None = None, **fields: Any) -> TestResponse:
        wanted = {
            "turn_who": self.team.backup.id, "turn_position": "nurse", "turn_days": ["2", "3"],
            "turn_starts": "08:00", "turn_ends": "20:00", "turn_since": self.today.isoformat(),
            "turn_until": "", **fields,
        }  # fmt: skip
        return self.send("/turns", who, **wanted)

    def change(self, who: StaffMember | None = None, **fields: Any) -> TestResponse:
        tomorrow = (self.today + timedelta(days=1)).isoformat()
        wanted = {
            "change_who": self.team.backup.id, "change_position": "nurse",
            "change_kind": "replace", "change_from_day": tomorrow, "change_from_time": "09:00",
            "change_until_day": tomorrow, "change_until_time": "15:00", **fields,
        }  # fmt: skip
        return self.send("/changes", who, **wanted)

    def rows(self, kind: Any) -> list[Any]:
        with writing(self.app) as (session, _):
            return list(session.scalars(select(kind)))

    def phone_of(self, who: StaffMember) -> StaffPhone:
        (found,) = [each for each in self.rows(StaffPhone) if each.staff_id == who.id]
        assert isinstance(found, StaffPhone)
        return found


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    app = an_app(database)
    with writing(app) as (session, now):
        team = a_team(session, catch_all=CATCH_ALL)
        ade = a_member(session, team.clinic, "T. Ade", phone=ADE)
        phone = session.scalars(select(StaffPhone).where(StaffPhone.staff_id == ade.id)).one()
        phone.verified_at = None
    yield Desk(app, team, ade, now)


def text_of(page: TestResponse) -> str:
    main = page.text[page.text.index("<main") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def value_in(page: TestResponse, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page.text)
    assert found is not None, name
    return found[1]


def is_chosen(page: TestResponse, name: str, value: str) -> bool:
    menu = re.search(rf'<select id="{name}".*?</select>', page.text, re.S)
    assert menu is not None
    return f'value="{value}" selected' in menu[0]


def test_everyone_of_the_team_reads_and_only_some_change(desk: Desk) -> None:
    with writing(desk.app) as (session, _):
        clinic = session.get_one(Clinic, desk.team.clinic.id)
        others = [a_member(session, clinic, f"B. {role}", role=role, phone=None)
                  for role in (Role.ADMINISTRATOR, Role.AUDITOR)]  # fmt: skip
    for who, may in (
        (desk.team.nurse, False), (desk.team.physician, False), (desk.team.lead, True),
        (others[0], True), (others[1], False),
    ):  # fmt: skip
        page = desk.get(who)
        assert "N. Silva" in page and "Nothing to mend" in page
        assert ("Save this turn" in page) is may
        assert ("Save the ladder" in page) is may
    for path in ("/turns", "/changes", "/place", "/ladder"):
        assert desk.send(path, desk.team.nurse).status_code == 403
    assert desk.send("/phones", others[1]).status_code == 403


def test_the_page_says_who_is_on_call_and_what_comes(desk: Desk) -> None:
    page = desk.get(desk.team.nurse)
    assert "Nurse N. Silva" in page
    assert "Nurse: you are on call now." in page
    assert "Answered a text this week 0 of 4" in page
    assert "Clock changes" in page
    assert "All times are those of America/New York." in page


def test_a_weekly_turn_is_saved_and_shown(desk: Desk) -> None:
    assert desk.turn().headers["Location"].endswith("/staff/rota?kept=1#pattern")
    page = desk.get(desk.team.nurse)
    assert "J. Park Wednesday, Thursday, 8:00 AM to 8:00 PM" in page
    assert "N. Silva, J. Park are on call together" in page
    rows = [row for row in desk.rows(Shift) if row.starts == time(8)]
    assert {row.weekday for row in rows} == {2, 3}
    assert desk.send(f"/turns/{rows[0].id}/end", day="3").status_code == 303
    assert "J. Park Wednesday, 8:00 AM to 8:00 PM" in desk.get(desk.team.nurse)
    left = [row for row in desk.rows(Shift) if row.starts == time(8) and row.weekday == 2]
    assert desk.send(f"/turns/{left[0].id}/end").status_code == 303


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"turn_who": ""}, "Choose who is on call."),
        ({"turn_who": "nobody"}, "Choose somebody of your team who may be on call."),
        ({"turn_position": "boss"}, "Choose a position."),
        ({"turn_days": []}, "Choose at least one day of the week."),
        ({"turn_starts": "25:00"}, "Type a time from 00:00 to 23:59, like 20:00."),
        ({"turn_ends": "soon"}, "Type a time from 00:00 to 23:59, like 20:00."),
        ({"turn_since": "4/11"}, "Type the day like 2026-04-11."),
        ({"turn_until": "2020-01-01"}, "The end is before the start."),
        ({"turn_since": "2090-01-01"}, "This is more than a year ahead."),
        ({"turn_who": "NURSE"}, "N. Silva has this position already at that time."),
    ],
)
def test_a_turn_that_cannot_be_is_asked_again_with_all_that_was_typed(
    desk: Desk, fields: dict[str, Any], sentence: str
) -> None:
    if fields.get("turn_who") == "NURSE":
        fields = {"turn_who": desk.team.nurse.id}
    page = desk.turn(**fields)
    assert page.status_code == 422
    assert sentence in page.text and "<title>Error:" in page.text
    wanted = {"turn_starts": "08:00", "turn_ends": "20:00", **fields}
    for name in ("turn_starts", "turn_ends"):
        assert value_in(page, name) == wanted[name]
    if "turn_days" not in fields:
        assert re.search(r'name="turn_days" value="2" checked', page.text)
    assert is_chosen(page, "turn_position", wanted.get("turn_position", "nurse")) is (
        "turn_position" not in fields
    )


def test_an_hour_that_does_not_come_is_named_with_its_day(desk: Desk) -> None:
    page = desk.turn(turn_days=["6"], turn_starts="02:30", turn_ends="10:00")
    assert page.status_code == 422
    assert re.search(r"On Sun, \w+ \d+ the clocks jump forward, and 2:30 AM does not", page.text)
    assert "It would mean 3:00 AM." in page.text


def test_who_has_not_answered_a_test_is_not_put_on_call_and_gets_one_from_the_form(
    desk: Desk,
) -> None:
    page = desk.turn(turn_who=desk.ade.id)
    assert page.status_code == 422
    assert "T. Ade has not answered a test alert yet." in page.text
    phone = desk.phone_of(desk.ade)
    assert f'formaction="/staff/rota/phones/{phone.id}/test"' in page.text
    again = desk.send(
        f"/phones/{phone.id}/test", turn_who=desk.ade.id, turn_position="backup",
        turn_days=["5"], turn_starts="07:15", turn_ends="19:45", turn_since="2026-12-01",
    )  # fmt: skip
    assert again.status_code == 200
    assert "A test alert is on its way to T. Ade." in text_of(again)
    assert (value_in(again, "turn_starts"), value_in(again, "turn_since")) == (
        "07:15", "2026-12-01",
    )  # fmt: skip
    (text,) = texts_to(desk.app, ADE)
    assert text.kind is MessageKind.STAFF_CHECK
    (check,) = desk.rows(DutyCheck)
    assert check.ref in text.body and check.ref not in again.text
    with writing(desk.app) as (session, now):
        assert duty.answer(session, session.get_one(StaffPhone, phone.id), check.ref, now)
    assert desk.turn(turn_who=desk.ade.id).status_code == 303


def test_a_gap_is_refused_naming_its_hours_until_there_is_a_catch_all(desk: Desk) -> None:
    with writing(desk.app) as (session, _):
        session.get_one(Clinic, desk.team.clinic.id).catch_all = None
    remove: dict[str, Any] = {"change_who": desk.team.nurse.id, "change_kind": "remove"}
    page = desk.change(**remove)
    assert page.status_code == 422
    assert "Nobody would be on call as Nurse from" in page.text and "9:00 AM" in page.text
    assert value_in(page, "change_until_time") == "15:00"
    assert desk.rows(ShiftChange) == []
    place = desk.send("/place", catch_all="212 555 0199", zone="America/New_York")
    assert place.status_code == 303
    assert desk.change(**remove).status_code == 303
    page_now = desk.get(desk.team.nurse)
    assert "No one is on call as Nurse from" in page_now
    assert "The last step always texts the clinic's own phone." in page_now.replace("&#39;", "'")
    (row,) = desk.rows(ShiftChange)
    assert "Not on call" in page_now
    assert desk.send(f"/changes/{row.id}/end").status_code == 303
    assert "Nothing to mend" in desk.get(desk.team.nurse)
    gone = desk.send(f"/changes/{row.id}/end")
    assert gone.status_code == 409 and "ended this already" in gone.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"change_kind": "swap"}, "Choose what changes."),
        ({"change_who": ""}, "Choose who it is about."),
        ({"change_from_day": ""}, "Type the day like 2026-04-11."),
        ({"change_until_time": "x"}, "Type a time from 00:00 to 23:59"),
        ({"change_from_time": "16:00"}, "The end is before the start."),
        ({"change_kind": "remove"}, "J. Park is not on call in this position at that time."),
    ],
)
def test_a_change_that_cannot_be_is_asked_again(
    desk: Desk, fields: dict[str, Any], sentence: str
) -> None:
    page = desk.change(**fields)
    assert page.status_code == 422
    assert sentence in page.text
    assert value_in(page, "change_until_day") == (desk.today + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("catch_all", "zone", "sentence"),
    [
        ("", "America/New_York", "This is no phone number."),
        ("12", "America/New_York", "This is no phone number."),
        ("2125550199", "Mars/Olympus", "There is no such time zone."),
    ],
)
def test_the_clinics_own_phone_and_zone_are_checked(
    desk: Desk, catch_all: str, zone: str, sentence: str
) -> None:
    page = desk.send("/place", catch_all=catch_all, zone=zone)
    assert page.status_code == 422
    assert sentence in page.text
    assert value_in(page, "zone") == zone


def test_a_zone_that_was_stored_and_nobody_knows_is_said(desk: Desk) -> None:
    with writing(desk.app) as (session, _):
        session.get_one(Clinic, desk.team.clinic.id).zone = "Mars/Olympus"
    assert "does not know the time zone Mars/Olympus" in desk.get(desk.team.lead)


def ladder(**fields: Any) -> dict[str, Any]:
    return {
        "emergency_1_who": ["nurse", "backup"], "emergency_1_minutes": "5",
        "emergency_2_who": ["lead", "everyone"], "emergency_2_minutes": "10",
        "urgent_1_who": ["nurse"], "urgent_1_minutes": "15",
        "urgent_2_who": ["lead"], "urgent_2_minutes": "20", **fields,
    }  # fmt: skip


def test_the_ladder_is_shown_and_changed(desk: Desk) -> None:
    assert "again every 10 minutes until somebody takes it" in desk.get(desk.team.nurse)
    assert desk.send("/ladder", **ladder()).status_code == 303
    with writing(desk.app) as (session, _):
        stored = session.get_one(Clinic, desk.team.clinic.id).ladder
    assert stored is not None and [len(stored[each]) for each in ("emergency", "urgent")] == [2, 2]
    assert "again every 20 minutes until somebody takes it" in desk.get(desk.team.nurse)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"emergency_1_minutes": "20"}, "Step 1 waits too long"),
        ({"emergency_1_minutes": "five"}, "Step 1: type the minutes"),
        ({"emergency_1_minutes": "0"}, "Step 1: a step waits one minute at least."),
        ({"urgent_1_who": []}, "Step 1 texts nobody."),
        ({"urgent_2_who": ["nurse"]}, "Step 2 texts the same people as an earlier step."),
        ({"emergency_2_who": ["lead"]}, "The last step must text the lead"),
        ({"urgent_1_who": ["boss"]}, "Step 1: choose from the list."),
    ],
)
def test_a_ladder_that_could_leave_an_alert_alone_is_refused(
    desk: Desk, fields: dict[str, Any], sentence: str
) -> None:
    page = desk.send("/ladder", **ladder(**fields))
    assert page.status_code == 422
    assert sentence in page.text
    assert value_in(page, "urgent_2_minutes") == "20"


def test_ones_own_phones_are_changed_tested_and_proven(desk: Desk) -> None:
    nurse = desk.team.nurse
    kept = desk.send("/phones", nurse, phone_1="212 555 0142", phone_2="212 555 0162")
    assert kept.status_code == 303
    page = desk.get(nurse)
    assert "not proven yet" in page and "proven on" in page
    second = next(each for each in desk.rows(StaffPhone) if each.rank == 2)
    assert desk.send(f"/phones/{second.id}/test", nurse).status_code == 303
    assert "A test alert went out at" in desk.get(nurse)
    (check,) = desk.rows(DutyCheck)
    with writing(desk.app) as (session, now):
        assert duty.answer(session, session.get_one(StaffPhone, second.id), check.ref, now)
    assert "not proven yet" not in desk.get(nurse).replace("phone not proven yet", "")
    assert desk.send("/phones", nurse, phone_1="212 555 0142", phone_2="").status_code == 303
    assert "0162" not in desk.get(nurse)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("12", "", "This is no phone number."),
        ("212 555 0143", "", "Somebody else of your team has this number."),
        ("212 555 0142", "212 555 0142", "This is your other number already."),
        ("", "", "You are on the schedule."),
    ],
)
def test_numbers_that_cannot_be_are_asked_again(
    desk: Desk, first: str, second: str, sentence: str
) -> None:
    page = desk.send("/phones", desk.team.nurse, phone_1=first, phone_2=second)
    assert page.status_code == 422
    assert sentence in page.text
    assert (value_in(page, "phone_1"), value_in(page, "phone_2")) == (first, second)
    assert desk.phone_of(desk.team.nurse).number == "+12125550142"


def test_a_colleagues_phone_is_tested_by_the_lead_only(desk: Desk) -> None:
    path = f"/phones/{desk.phone_of(desk.ade).id}/test"
    assert desk.send(path, desk.team.nurse).status_code == 403
    assert desk.send(path).status_code == 303
    for _ in range(duty.TESTS_A_DAY):
        with writing(desk.app) as (session, _now):
            for check in session.scalars(select(DutyCheck)):
                check.created_at -= timedelta(minutes=2)
        last = desk.send(path)
    assert last.status_code == 429 and "many test alerts today" in last.text


def test_another_clinics_rota_does_not_exist(desk: Desk) -> None:
    with writing(desk.app) as (session, _):
        theirs = a_team(session, name="Oak Clinic")
    turn = next(row for row in desk.rows(Shift) if row.clinic_id == desk.team.clinic.id)
    phone = desk.phone_of(desk.ade)
    paths = (f"/turns/{turn.id}/end", f"/phones/{phone.id}/test", "/changes/none/end")
    assert [desk.send(path, theirs.lead).status_code for path in paths] == [404, 404, 404]
    assert "T. Ade" not in desk.get(theirs.lead)
    refused = desk.turn(theirs.lead, turn_who=desk.team.nurse.id)
    assert refused.status_code == 422


def test_the_inbox_says_until_when_somebody_is_on_call(desk: Desk) -> None:
    desk.change(
        change_from_day=desk.today.isoformat(), change_from_time="00:00",
        change_until_day=(desk.today + timedelta(days=1)).isoformat(), change_until_time="00:30",
    )  # fmt: skip
    inbox = text_of(signed_in(desk.app, desk.team.nurse).get("/staff/inbox"))
    assert re.search(r"Nurse J\. Park until [^(]*12:30 AM", inbox)
    assert "Backup J. Park (212)" in inbox  # no end in sight
