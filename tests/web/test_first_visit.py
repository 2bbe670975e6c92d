"""The first visit: from the link of an invitation to the home page."""

from datetime import timedelta

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from patient_portal.models import (
    LinkKind,
)
from tests.support.doors import (
    move_clock,
    post,
    texts_to,
)
from tests.support.house import WEI, House, place


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
