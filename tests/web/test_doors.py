"""Doors over the web: links, signing in, cookies, sessions, settings, invitations."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from patient_portal.database import Database, new_id
from patient_portal.models import (
    Caregiver,
    CaregiverGrant,
    Device,
    LinkKind,
    MessageKind,
    Patient,
    Role,
    StaffMember,
)
from patient_portal.services import enrolment
from patient_portal.services.accounts import hash_password
from patient_portal.services.tokens import secret_for
from tests.support.doors import (
    PASSWORD,
    PEPPER,
    an_app,
    counts,
    dump,
    move_clock,
    portal_of,
    post,
    remembered,
    secret_in,
    signed_in,
    texts_to,
    writing,
)
from tests.support.people import NOON, Team, a_member, a_patient, a_team

HASH = hash_password(PASSWORD)
ROSA = "+12125550123"
WEI = "+12125550190"


class House:
    """A running application with a clinic, its team and one patient."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.app: Flask = an_app(database)
        with writing(self.app) as (session, _now):
            self.team: Team = a_team(session)
            self.rosa: Patient = a_patient(session, self.team.clinic)

    def link(self, kind: LinkKind, patient: Patient | None = None) -> str:
        """The path of a fresh link."""
        with writing(self.app) as (session, now):
            site = portal_of(self.app).site
            link = enrolment.new_link(session, site, patient or self.rosa, kind, now)
            return "/c/" + secret_for(PEPPER, f"link:{link.id}")

    def newcomer(self, **values: Any) -> Patient:
        """A patient who was entered and has not started."""
        with writing(self.app) as (session, _now):
            return a_patient(
                session,
                self.team.clinic,
                **{"first_name": "Wei", "phone": WEI, "enrolled_at": None, **values},
            )

    def helper(self) -> Caregiver:
        """Luis, who reports for Rosa."""
        with writing(self.app) as (session, now):
            luis = Caregiver(
                clinic_id=self.team.clinic.id, first_name="Luis", phone="+12125550177",
                language="en", created_at=now,
            )  # fmt: skip
            session.add(luis)
            session.flush()
            session.add(
                CaregiverGrant(
                    caregiver_id=luis.id, patient_id=self.rosa.id, scopes=["report"],
                    granted_at=now,
                )
            )  # fmt: skip
            return luis

    def code(self, number: str) -> str:
        """The code in the newest text to a number."""
        return secret_in([t for t in texts_to(self.app, number) if t.kind is MessageKind.CODE][-1])

    def stored(self, patient: Patient) -> Patient:
        """The patient's row as it is now."""
        with self.database.reading() as session:
            found = session.get_one(Patient, patient.id)
            session.expunge_all()
            return found


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def cookies(response: TestResponse) -> dict[str, str]:
    """Each cookie that an answer sets, with its attributes."""
    return {line.split("=", 1)[0]: line for line in response.headers.getlist("Set-Cookie")}


def place(response: TestResponse) -> str:
    """Where an answer sends the browser."""
    return urlsplit(response.headers["Location"]).path


# ---- looking at a link changes nothing


@pytest.mark.parametrize("kind", list(LinkKind))
@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_a_link_changes_nothing(house: House, kind: LinkKind, method: str) -> None:
    paths = [house.link(kind), "/c/unknown"]
    before = dump(house.database)
    for path in paths:
        for client in (house.app.test_client(), house.app.test_client(use_cookies=False)):
            for _ in range(3):
                assert getattr(client, method)(path).status_code in (200, 404)
    assert dump(house.database) == before


def test_a_link_on_an_unknown_phone_shows_nothing_of_the_person(house: House) -> None:
    page = house.app.test_client().get(house.link(LinkKind.DAILY))
    assert page.status_code == 200
    assert 'name="red_flags"' in page.text
    for known in ("Rosa", "Marin", "1959", "enasidenib", "5550123", "Maple", "70.0"):
        assert known not in re.sub(r'value="[^"]*"', "", page.text), known
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Cache-Control"] == "no-store"


def test_a_daily_link_on_the_patients_phone_is_their_check_in(house: House) -> None:
    page = remembered(house.app, house.rosa).get(house.link(LinkKind.DAILY))
    assert page.status_code == 200
    assert "Rosa" in page.text
    assert 'name="red_flags"' in page.text


def test_a_daily_link_on_a_helpers_phone_is_the_patients_check_in(house: House) -> None:
    page = remembered(house.app, house.helper()).get(house.link(LinkKind.DAILY))
    assert page.status_code == 200
    assert 'name="red_flags"' in page.text


def test_a_link_on_another_patients_phone_asks_who(house: House) -> None:
    wei = house.newcomer(enrolled_at=NOON, birth_year=1971)
    client, path = remembered(house.app, wei), house.link(LinkKind.DAILY)
    page = client.get(path)
    assert "Who is this check-in for?" in page.text
    assert "Wei" in page.text
    assert "Rosa" not in page.text
    assert 'name="red_flags"' not in page.text
    stranger = client.get(f"{path}?for=link")
    assert 'name="red_flags"' in stranger.text
    assert "Rosa" not in stranger.text
    assert "1959" not in stranger.text


@pytest.mark.parametrize(("kind", "days"), [(LinkKind.DAILY, 2), (LinkKind.INVITE, 8)])
def test_a_link_that_is_over_says_how_to_get_in(house: House, kind: LinkKind, days: int) -> None:
    path = house.link(kind)
    move_clock(house.app, timedelta(days=days))
    for response in (
        house.app.test_client().get(path),
        post(house.app.test_client(), path, page="/sign-in"),
    ):
        assert response.status_code == 410
        assert "911" in response.text
        assert "/sign-in" in response.text
        assert "Rosa" not in response.text


def test_an_unknown_link_is_a_kind_404(house: House) -> None:
    client = house.app.test_client()
    for token in ("x", "a" * 22, "a" * 3000, "%00", "%ff", "..%2f", "<b>", "%F0%9F%98%80"):
        page = client.get(f"/c/{token}")
        assert page.status_code == 404, token
        assert "911" in page.text or "112" in page.text, token


# ---- the first visit


def start(client: FlaskClient, path: str) -> TestResponse:
    return post(client, path)


def test_the_whole_first_visit(house: House) -> None:
    wei = house.newcomer()
    client, path = house.app.test_client(), house.link(LinkKind.INVITE, wei)
    welcome = client.get(path)
    assert "Welcome" in welcome.text
    assert "911" in welcome.text
    assert "Wei" not in welcome.text
    assert place(start(client, path)) == "/sign-in/you"
    asked = post(client, "/sign-in/you", {"birth_year": "1959", "phone_is": "mine"})
    assert place(asked) == "/sign-in/code"
    code = house.code(WEI)
    done = post(client, "/sign-in/code", {"code": f"{code[:3]} {code[3:]}", "birth_year": "1959"})
    assert place(done) == "/welcome"
    page = client.get("/welcome")
    assert page.status_code == 200
    assert "Never at night" in page.text
    kept = post(
        client,
        "/welcome",
        {
            "reminder_at": "10:30", "language": "en", "country": "US",
            "temperature_unit": "f", "weight_unit": "lb",
        },
    )  # fmt: skip
    assert place(kept) == "/"
    stored = house.stored(wei)
    assert (stored.temperature_unit, stored.weight_unit) == ("f", "lb")
    assert f"{stored.reminder_at:%H:%M}" == "10:30"
    assert stored.enrolled_at is not None
    assert stored.reminder_due_at is not None
    assert "Wei" in client.get("/").text
    assert place(client.get(path)) == "/"  # the invitation has done its work


def test_the_wrong_year_is_asked_again_and_locks_nothing(house: House) -> None:
    wei, client = house.newcomer(), house.app.test_client()
    path = house.link(LinkKind.INVITE, wei)
    start(client, path)
    post(client, "/sign-in/you", {"birth_year": "1960"})
    code = house.code(WEI)
    again = post(client, "/sign-in/code", {"code": code, "birth_year": "1960"})
    assert again.status_code == 422
    assert "does not match" in again.text
    assert 'value="1960"' in again.text
    done = post(client, "/sign-in/code", {"code": code, "birth_year": "1959"})
    assert place(done) == "/welcome"
    for _ in range(12):
        post(client, "/sign-in/code", {"code": "000000", "birth_year": "1900"}, page="/sign-in")
    daily = house.app.test_client().get(house.link(LinkKind.DAILY, wei))
    assert 'name="red_flags"' in daily.text


def test_the_year_page_is_only_for_who_came_by_a_link(house: House) -> None:
    client = house.app.test_client()
    assert place(client.get("/sign-in/you")) == "/sign-in"
    assert (
        place(post(client, "/sign-in/you", {"birth_year": "1959"}, page="/sign-in")) == "/sign-in"
    )


def test_a_year_that_cannot_be_read_is_kept_and_asked_again(house: House) -> None:
    client = house.app.test_client()
    start(client, house.link(LinkKind.INVITE, house.newcomer()))
    for typed in ("", "59", "195", "19590", "abcd", "1899", "2999", "１９５x", "9" * 60, "19²9"):
        page = post(client, "/sign-in/you", {"birth_year": typed})
        assert page.status_code == 422, typed
        assert "four digits" in page.text
        assert f'value="{typed}"' in page.text
    assert texts_to(house.app, WEI) == []


def test_a_year_in_other_digits_is_read(house: House) -> None:
    client = house.app.test_client()
    start(client, house.link(LinkKind.INVITE, house.newcomer()))
    for typed in ("١٩٥٩", "१९५९", " 1959 ", "\u200e1959\u200e"):
        assert post(client, "/sign-in/you", {"birth_year": typed}).status_code == 303, typed
        move_clock(house.app, timedelta(minutes=20))


# ---- signing in by number


def test_a_number_is_read_as_people_type_it(house: House) -> None:
    for typed in (
        "(212) 555-0123", "+1 212 555 0123", "2125550123", "٢١٢٥٥٥٠١٢٣", "\u202a+12125550123\u202c"
    ):  # fmt: skip
        client = house.app.test_client()
        assert place(post(client, "/sign-in", {"phone": typed})) == "/sign-in/code", typed
        done = post(client, "/sign-in/code", {"code": house.code(ROSA), "birth_year": "1959"})
        assert place(done) == "/"
        assert "Rosa" in client.get("/").text
        move_clock(house.app, timedelta(minutes=20))


def test_a_number_that_cannot_be_read_is_kept_and_asked_again(house: House) -> None:
    client = house.app.test_client()
    for typed in ("", "12", "abc", "1-800-FLOWERS", "9" * 200, "\x00", "' OR 1=1 --", "<script>"):
        page = post(client, "/sign-in", {"phone": typed})
        assert page.status_code == 422, typed
        assert "There is a problem" in page.text
        assert "<script>" not in page.text
        assert not typed.isalnum() or f'value="{typed}"' in page.text


def test_a_stranger_cannot_tell_a_known_number_from_an_unknown(house: House) -> None:
    def road(number: str) -> list[Any]:
        client, seen = house.app.test_client(), []
        for response in (
            post(client, "/sign-in", {"phone": number}),
            client.get("/sign-in/code"),
            *(
                post(client, "/sign-in/code", {"code": "000000", "birth_year": "1959"})
                for _ in range(7)
            ),
            post(client, "/sign-in", {"phone": number}),
        ):
            text = re.sub(r'name="csrf_token" value="[^"]+"', "", response.text)
            # Names and attributes; values and the second in which they end differ by themselves.
            names = [
                re.sub(r"; Expires=[^;]+", "", re.sub(r"=[^;]*", "", line, count=1))
                for line in sorted(cookies(response).values())
            ]
            seen.append((response.status_code, text.replace(number, "N"), names))
        return seen

    assert road("+12125550123") == road("+12125550999")


def test_a_code_page_without_a_challenge_leads_back(house: House) -> None:
    client = house.app.test_client()
    assert place(client.get("/sign-in/code")) == "/sign-in"
    page = post(client, "/sign-in/code", {"code": "123456", "birth_year": "1959"}, page="/sign-in")
    assert page.status_code == 422


def test_a_code_that_cannot_be_read_costs_no_try(house: House) -> None:
    client = house.app.test_client()
    post(client, "/sign-in", {"phone": ROSA})
    for typed in ("", "12345", "1234567", "abcdef", "x" * 500, "½23456", "-12345"):
        page = post(client, "/sign-in/code", {"code": typed, "birth_year": "1959"})
        assert page.status_code == 422, typed
    done = post(client, "/sign-in/code", {"code": house.code(ROSA), "birth_year": "1959"})
    assert done.status_code == 303


def test_asking_too_often_is_said_kindly(house: House) -> None:
    client = house.app.test_client()
    post(client, "/sign-in", {"phone": ROSA})
    page = post(client, "/sign-in", {"phone": ROSA})
    assert page.status_code == 429
    assert "wait" in page.text
    assert f'value="{ROSA}"' in page.text
    assert "I have a code" in page.text  # whoever went Back finds the way on
    elsewhere = post(house.app.test_client(), "/sign-in", {"phone": ROSA})
    assert elsewhere.status_code == 429 and "I have a code" not in elsewhere.text
    assert len(texts_to(house.app, ROSA)) == 1
    done = post(client, "/sign-in/code", {"code": house.code(ROSA), "birth_year": "1959"})
    assert done.status_code == 303


def test_a_helper_signs_in_with_the_year_of_the_patient(house: House) -> None:
    house.helper()
    client = house.app.test_client()
    post(client, "/sign-in", {"phone": "+12125550177"})
    done = post(client, "/sign-in/code", {"code": house.code("+12125550177"), "birth_year": "1959"})
    assert done.status_code == 303
    assert client.get("/settings").status_code == 200
    assert "reminder_at" not in client.get("/settings").text


def test_signing_in_again_forgets_the_phone_before(house: House) -> None:
    client = remembered(house.app, house.rosa)
    post(client, "/sign-in", {"phone": ROSA})
    post(client, "/sign-in/code", {"code": house.code(ROSA), "birth_year": "1959"})
    with house.database.reading() as session:
        standing = session.scalars(select(Device).where(Device.revoked_at.is_(None))).all()
        assert len(standing) == 1


def test_signing_out_forgets_the_phone(house: House) -> None:
    client = remembered(house.app, house.rosa)
    kept = client.get_cookie("dev")
    assert kept is not None
    gone = post(client, "/sign-out", page="/settings")
    assert place(gone) == "/"
    assert "dev=;" in cookies(gone)["dev"]
    assert gone.headers["Clear-Site-Data"] == '"cache", "storage"'
    client.set_cookie("dev", kept.value)
    assert place(client.get("/settings")) == "/sign-in"
    assert post(house.app.test_client(), "/sign-out", page="/sign-in").status_code == 303


# ---- cookies


def test_cookies_over_https_are_host_bound_secure_and_hidden(database: Database) -> None:
    house = House(database)
    app = an_app(database, base_url="https://localhost", demo=False)
    client = app.test_client()
    base = "https://localhost"
    form = client.get("/sign-in", base_url=base)
    token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    assert token is not None
    fields = {"csrf_token": token[1], "phone": ROSA}
    asked = client.post("/sign-in", data=fields, base_url=base)
    fields = {"csrf_token": token[1], "code": house.code(ROSA), "birth_year": "1959"}
    done = client.post("/sign-in/code", data=fields, base_url=base)
    assert done.status_code == 303
    for line in [*cookies(form).values(), *cookies(asked).values(), *cookies(done).values()]:
        assert line.startswith("__Host-")
        assert "; Secure" in line
        assert "; HttpOnly" in line
        assert "; Path=/" in line
        assert "SameSite=Lax" in line
        assert "Domain" not in line
    assert "Max-Age=15552000" in cookies(done)["__Host-dev"]


def test_a_shared_phone_keeps_its_cookie_only_while_the_browser_is_open(house: House) -> None:
    client = house.app.test_client()
    post(client, "/sign-in", {"phone": ROSA, "phone_is": "shared"})
    done = post(client, "/sign-in/code", {"code": house.code(ROSA), "birth_year": "1959"})
    line = cookies(done)["dev"]
    assert "Max-Age" not in line
    assert "Expires" not in line
    assert "HttpOnly" in line
    move_clock(house.app, timedelta(hours=13))
    assert place(client.get("/settings")) == "/sign-in"


def test_a_broken_cookie_makes_a_stranger(house: House) -> None:
    client = house.app.test_client(use_cookies=False)
    values = ("", "x", "x" * 3000, "%00", "\x7f", "é", '"', "a.b.c", "' OR 1=1", "null")
    for name in ("dev", "staff", "code", "page", "country"):
        for value in values:
            headers = {"Cookie": f"{name}={value}".encode().decode("latin-1")}
            assert client.get("/", headers=headers).status_code == 200, (name, value)
            assert place(client.get("/settings", headers=headers)) == "/sign-in"
            assert place(client.get("/staff/patients", headers=headers)) == "/staff/sign-in"


def test_a_phone_is_no_staff_session_and_the_other_way_round(house: House) -> None:
    phone = remembered(house.app, house.rosa).get_cookie("dev")
    staff = signed_in(house.app, house.team.nurse).get_cookie("staff")
    assert phone is not None
    assert staff is not None
    client = house.app.test_client()
    client.set_cookie("staff", phone.value)
    client.set_cookie("dev", staff.value)
    assert place(client.get("/settings")) == "/sign-in"
    assert place(client.get("/staff/patients")) == "/staff/sign-in"


# ---- settings


GOOD = {
    "reminder_at": "20:59", "language": "en", "country": "GB",
    "temperature_unit": "c", "weight_unit": "kg",
}  # fmt: skip


def test_settings_are_kept_and_said(house: House) -> None:
    client = remembered(house.app, house.rosa)
    kept = post(client, "/settings", GOOD)
    assert place(kept) == "/settings"
    page = client.get(kept.headers["Location"])
    assert "Your settings are saved." in page.text
    assert "999" in page.text
    stored = house.stored(house.rosa)
    assert (stored.country, f"{stored.reminder_at:%H:%M}") == ("GB", "20:59")


BAD_SETTINGS = {
    "reminder_at": (
        "", "07:59", "21:00", "9:00", "24:00", "noon", "09:00:00", "09:00+02:00", "٩", "\x00"
    ),
    "language": ("", "xx", "EN", "../en"),
    "country": ("", "XX", "us", "ZZ", "x" * 500),
    "temperature_unit": ("", "k"),
    "weight_unit": ("", "stone"),
}  # fmt: skip


def test_a_bad_setting_is_asked_again_and_nothing_is_lost(house: House) -> None:
    client = remembered(house.app, house.rosa)
    for field, values in BAD_SETTINGS.items():
        for value in values:
            page = post(client, "/settings", {**GOOD, field: value})
            assert page.status_code == 422, (field, value)
            assert "There is a problem" in page.text
            assert f'href="#{field}"' in page.text
            assert field == "country" or '<option value="GB" selected>' in page.text
    stored = house.stored(house.rosa)
    assert (stored.country, f"{stored.reminder_at:%H:%M}") == ("US", "09:00")


# ---- staff sign-in


def a_signing_nurse(house: House, role: Role = Role.NURSE) -> StaffMember:
    with writing(house.app) as (session, _now):
        return a_member(
            session, house.team.clinic, "K. Berg", email="berg@maple.example",
            password_hash=HASH, role=role,
        )  # fmt: skip


def staff_signs_in(client: FlaskClient, password: str = PASSWORD, **fields: str) -> TestResponse:
    data = {"email": "berg@maple.example", "password": password, **fields}
    return post(client, "/staff/sign-in", data)


def test_staff_sign_in_goes_where_they_wanted_to(house: House) -> None:
    a_signing_nurse(house)
    client = house.app.test_client()
    asked = client.get("/staff/patients")
    assert asked.headers["Location"].endswith("/staff/sign-in?next=/staff/patients")
    assert 'value="/staff/patients"' in client.get(asked.headers["Location"]).text
    done = staff_signs_in(client, next="/staff/patients")
    assert place(done) == "/staff/patients"
    line = cookies(done)["staff"]
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Max-Age=43200" in line
    assert client.get("/staff/patients").status_code == 200


LEADING_AWAY = (
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "///x",
    "http:evil", "javascript:alert(1)", "/staff/../../evil", "/staff//evil.example/..", "x",
    "/sign-in", "/staff/sign-out", "/staff/sign-in?next=//evil.example", "/%0d%0aSet-Cookie:x",
    "/staff/\r\nSet-Cookie: x=1", " //evil.example", "/\t/evil.example", "/staff\\evil",
    "//user@evil.example/staff/", "/" * 3000, "", "/staff/%2e%2e/%2e%2e/evil", "http://[bad",
)  # fmt: skip


def test_next_never_leads_away(house: House) -> None:
    a_signing_nurse(house)
    for target in LEADING_AWAY:
        client = house.app.test_client()
        done = staff_signs_in(client, next=target)
        assert done.status_code == 303, target
        to = urlsplit(done.headers["Location"])
        assert to.netloc in ("", "localhost"), target
        assert to.path.startswith("/staff/"), target
        assert not to.path.startswith("/staff/sign-"), target
        assert "Set-Cookie" not in done.headers["Location"]
        again = client.get("/staff/sign-in", query_string={"next": target})
        assert urlsplit(again.headers["Location"]).netloc in ("", "localhost"), target


def test_wrong_password_and_unknown_e_mail_look_the_same(house: House) -> None:
    a_signing_nurse(house)

    def answer(email: str) -> tuple[int, str, list[str]]:
        page = staff_signs_in(house.app.test_client(), "wrong horse battery", email=email)
        text = re.sub(r'name="csrf_token" value="[^"]+"', "", page.text).replace(email, "E")
        return page.status_code, text, sorted(cookies(page))

    assert answer("berg@maple.example") == answer("nobody@maple.example")
    assert answer("berg@maple.example")[0] == 422


def test_bad_credentials_are_4xx_and_the_e_mail_is_kept(house: House) -> None:
    berg = "berg@maple.example"
    for email, password in (
        ("", PASSWORD), (berg, ""), ("", ""), ("x" * 5000, "y" * 5000), ("\x00", "\x00" * 20),
        (berg, "short"), ("' OR 1=1", "' OR 1=1 --"),
    ):  # fmt: skip
        page = staff_signs_in(house.app.test_client(), password, email=email)
        assert page.status_code == 422, email
        assert email != berg or f'value="{email}"' in page.text
        assert len(password) < 2 or password not in page.text


def test_five_wrong_passwords_are_enough(house: House) -> None:
    a_signing_nurse(house)
    client = house.app.test_client()
    for _ in range(5):
        assert staff_signs_in(client, "wrong horse battery").status_code == 422
    assert staff_signs_in(client).status_code == 429
    move_clock(house.app, timedelta(minutes=16))
    assert staff_signs_in(client).status_code == 303


def test_signing_in_makes_a_new_session_and_ends_the_old(house: House) -> None:
    nurse = a_signing_nurse(house)
    client = signed_in(house.app, nurse)
    old = client.get_cookie("staff")
    assert old is not None
    done = post(client, "/staff/sign-in", {"email": nurse.email, "password": PASSWORD},
                      page="/staff/patients/new")  # fmt: skip
    assert done.status_code == 303
    new = client.get_cookie("staff")
    assert new is not None
    assert new.value != old.value
    client.set_cookie("staff", old.value)
    assert place(client.get("/staff/patients")) == "/staff/sign-in"


def test_a_session_ends_after_fifteen_idle_minutes(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    for _ in range(4):
        move_clock(house.app, timedelta(minutes=14))
        assert client.get("/staff/patients").status_code == 200
    move_clock(house.app, timedelta(minutes=15, seconds=1))
    assert place(client.get("/staff/patients")) == "/staff/sign-in"
    assert client.post("/staff/sign-out").status_code in (400, 403)


def test_a_page_that_reloads_itself_does_not_keep_a_session(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    by_itself = {"Sec-Fetch-Mode": "navigate"}
    for _ in range(2):
        move_clock(house.app, timedelta(minutes=7))
        assert client.get("/staff/patients", headers=by_itself).status_code == 200
    move_clock(house.app, timedelta(minutes=2))
    assert place(client.get("/staff/patients", headers=by_itself)) == "/staff/sign-in"


def test_a_click_keeps_a_session(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    by_hand = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}
    for _ in range(3):
        move_clock(house.app, timedelta(minutes=10))
        assert client.get("/staff/patients", headers=by_hand).status_code == 200


def test_no_session_outlives_twelve_hours(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    for _ in range(71):
        move_clock(house.app, timedelta(minutes=10))
        assert client.get("/staff/patients/new").status_code == 200
    move_clock(house.app, timedelta(minutes=10))
    assert place(client.get("/staff/patients/new")) == "/staff/sign-in"


def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    kept = client.get_cookie("staff")
    assert kept is not None
    gone = post(client, "/staff/sign-out", page="/staff/patients/new")
    assert place(gone) == "/staff/sign-in"
    client.set_cookie("staff", kept.value)
    assert place(client.get("/staff/patients")) == "/staff/sign-in"


# ---- the clinic's patients


def test_the_list_shows_the_clinics_patients_and_no_others(house: House) -> None:
    with writing(house.app) as (session, _now):
        other = a_team(session, name="Oak Clinic")
        theirs = a_patient(session, other.clinic, first_name="Samir", last_name="Haddad")
    page = signed_in(house.app, house.team.nurse).get("/staff/patients")
    assert "Marin, Rosa" in page.text
    assert "Haddad" not in page.text
    client = signed_in(house.app, house.team.nurse)
    assert client.get(f"/staff/patients/{house.rosa.id}").status_code == 200
    assert client.get(f"/staff/patients/{theirs.id}").status_code == 404
    for act in ("invite", "forget-phones"):
        path = f"/staff/patients/{theirs.id}/{act}"
        assert post(client, path, page="/staff/patients/new").status_code == 404


def test_a_made_up_patient_is_404(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    for made_up in ("x", "%00", "a" * 16, "a" * 3000, "..", "' OR 1=1"):
        assert client.get(f"/staff/patients/{made_up}").status_code == 404, made_up


def test_a_look_at_a_patient_is_on_the_record(house: House) -> None:
    signed_in(house.app, house.team.nurse).get(f"/staff/patients/{house.rosa.id}")
    rows = [row for row in dump(house.database)["audit_entry"] if "patient.viewed" in row]
    assert len(rows) == 1
    assert house.team.nurse.id in rows[0]


def test_a_lost_phone_is_forgotten_by_the_team(house: House) -> None:
    phone = remembered(house.app, house.rosa)
    assert phone.get("/settings").status_code == 200
    path = f"/staff/patients/{house.rosa.id}"
    client = signed_in(house.app, house.team.nurse)
    assert post(client, f"{path}/forget-phones", page=path).status_code == 303
    assert place(phone.get("/settings")) == "/sign-in"


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


def test_an_invitation_can_be_sent_again_but_not_in_a_hurry(house: House) -> None:
    path = f"/staff/patients/{house.rosa.id}"
    client = signed_in(house.app, house.team.nurse)
    assert post(client, f"{path}/invite", page=path).status_code == 303
    again = post(client, f"{path}/invite", page=path)
    assert again.status_code == 429
    assert "Please wait" in again.text
    assert len(texts_to(house.app, ROSA)) == 1


def test_a_form_without_its_token_changes_nothing(house: House) -> None:
    client = signed_in(house.app, house.team.nurse)
    before = counts(house.database)
    for path in ("/staff/patients/new", f"/staff/patients/{house.rosa.id}/invite", "/sign-in"):
        assert client.post(path, data={**FORM, "key": new_id(), "phone": ROSA}).status_code == 400
    assert counts(house.database) == before
