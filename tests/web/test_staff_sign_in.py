"""Staff sign-in: where it leads, what it refuses, when a session ends."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from tests.support.doors import (
    PASSWORD,
    move_clock,
    post,
    signed_in,
)
from tests.support.house import (
    House,
    a_signing_nurse,
    cookies,
    place,
    staff_signs_in,
)


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
