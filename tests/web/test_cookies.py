"""Cookies: what they are bound to, and how long they last."""

import re
from datetime import timedelta

from patient_portal.database import Database
from tests.support.doors import (
    an_app,
    move_clock,
    post,
    remembered,
    signed_in,
)
from tests.support.house import (
    ROSA,
    House,
    cookies,
    place,
)


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
