"""Links in texts: looking at one changes nothing, and shows nothing of the person."""

import re
from datetime import timedelta

import pytest

from patient_portal.models import (
    LinkKind,
)
from tests.support.doors import (
    dump,
    move_clock,
    post,
    remembered,
)
from tests.support.house import (
    House,
)
from tests.support.people import NOON


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
