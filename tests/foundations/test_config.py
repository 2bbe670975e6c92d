"""A portal with a missing or unusable setting does not start, and says how to mend it."""

from datetime import time
from pathlib import Path

import pytest

from patient_portal.config import Settings, SettingsError

STRONG = "k9X2mQ7vB4nL8sD1fG6hJ3pR5tY0wZcEaUiO"
GOOD = {
    "DATABASE_URL": "sqlite:////srv/portal.sqlite",
    "SECRET_KEY": STRONG,
    "PEPPER": STRONG[::-1],
    "BASE_URL": "https://portal.example.org",
    "SMS_GATEWAY": "twilio",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
    "TWILIO_FROM": "+12125550100",
}


def test_good_settings_start() -> None:
    settings = Settings.from_environment(GOOD)
    assert settings.host == "portal.example.org"
    assert settings.is_https
    assert settings.twilio is not None
    assert settings.twilio.sender == "+12125550100"


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL", "SECRET_KEY", "PEPPER", "BASE_URL", "SMS_GATEWAY", "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
    ],
)  # fmt: skip
def test_a_missing_value_is_named(name: str) -> None:
    without = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_environment(without)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://db/portal", "DATABASE_URL names mysql"),
        ("DATABASE_URL", "not an address", "DATABASE_URL names nothing"),
        ("SECRET_KEY", "changeme", "SECRET_KEY is too weak"),
        ("SECRET_KEY", "a" * 64, "SECRET_KEY is too weak"),
        ("PEPPER", "short", "PEPPER is too weak"),
        ("BASE_URL", "http://portal.example.org", "https://"),
        ("BASE_URL", "https://portal.example.org/app", "without a path"),
        ("BASE_URL", "portal.example.org", "without a path"),
        ("SMS_GATEWAY", "carrier-pigeon", "must be twilio or simulator"),
        ("SMS_GATEWAY", "simulator", "sends nothing"),
        ("TWILIO_API_KEY_SID", "SK00", "Set both"),
        ("PROXY_HOPS", "many", "whole number"),
        ("PROXY_HOPS", "-1", "whole number"),
        ("PROXY_HOPS", "²", "whole number"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL is"),
        ("HEARTBEAT_URL", "http://beat.example.org/1", "HEARTBEAT_URL must begin with https"),
        ("HEARTBEAT_URL", "beat.example.org", "HEARTBEAT_URL must begin with https"),
        ("METRICS_TOKEN", "short", "METRICS_TOKEN needs 16"),
        ("DRILL_AT", "dawn", "DRILL_AT is 'dawn'"),
        ("DRILL_AT", "07:00+02:00", "DRILL_AT is"),
        ("DRILL_AT", "off", "DRILL_AT is 'off'"),
        ("PORTAL_FAILPOINTS", "claim.after_commit:kill@1", "PORTAL_FAILPOINTS"),
    ],
)
def test_an_unusable_value_is_refused(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Settings.from_environment({**GOOD, name: value})


def test_the_alarm_s_settings_are_read() -> None:
    assert Settings.from_environment(GOOD).drill_at == time(7)
    found = Settings.from_environment(
        {
            **GOOD, "DRILL_AT": "06:30", "HEARTBEAT_URL": "https://beat.example.org/1",
            "METRICS_TOKEN": STRONG,
        }
    )  # fmt: skip
    assert (found.drill_at, found.metrics_token) == (time(6, 30), STRONG)
    assert found.heartbeat_url == "https://beat.example.org/1"
    assert STRONG not in repr(found)
    on_this_machine = {**GOOD, "HEARTBEAT_URL": "http://127.0.0.1:9000/beat"}
    assert Settings.from_environment(on_this_machine).heartbeat_url


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({})
    for name in ("DATABASE_URL", "SECRET_KEY", "PEPPER", "BASE_URL", "SMS_GATEWAY"):
        assert name in str(refused.value)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "key"
    kept.write_text(STRONG + "\n", encoding="utf-8")
    environ = {**GOOD, "SECRET_KEY_FILE": str(kept)}
    del environ["SECRET_KEY"]
    assert Settings.from_environment(environ).secret_key == STRONG


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    environ = {**GOOD, "SECRET_KEY_FILE": str(tmp_path / "nothing")}
    del environ["SECRET_KEY"]
    with pytest.raises(SettingsError, match="SECRET_KEY_FILE"):
        Settings.from_environment(environ)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = Settings.from_environment(GOOD)
    assert STRONG not in repr(settings)
    assert GOOD["TWILIO_AUTH_TOKEN"] not in repr(settings)
