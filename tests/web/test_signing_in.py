"""Signing in by phone number and code, and signing out."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from patient_portal.models import (
    Device,
)
from tests.support.doors import (
    move_clock,
    post,
    remembered,
    texts_to,
)
from tests.support.house import (
    ROSA,
    House,
    cookies,
    place,
)


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
