"""A person's settings."""

from tests.support.doors import (
    post,
    remembered,
)
from tests.support.house import House, place

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
