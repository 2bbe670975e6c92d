"""The adapter against a server that speaks the API, well and badly."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug.datastructures import MultiDict

from patient_portal.config import TwilioSettings
from patient_portal.sms import twilio
from patient_portal.sms.gateway import OutcomeUnknown, Outgoing, SendError
from patient_portal.sms.twilio import TwilioGateway, is_genuine
from tests.support.gateway import (
    ACCOUNT,
    ALERT_SENDER,
    SENDER,
    TOKEN,
    FakeGateway,
    running_gateway,
    sign,
)

BASE = "https://portal.example.org"


@pytest.fixture
def fake() -> Iterator[FakeGateway]:
    with running_gateway() as gateway:
        yield gateway


def _settings(fake: FakeGateway) -> TwilioSettings:
    return TwilioSettings(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        sender=SENDER,
        alert_sender=ALERT_SENDER,
        api_base=fake.url,
    )


def _text(*, is_alert: bool = True) -> Outgoing:
    return Outgoing(
        "mEsSaGe-iD_12345", "+12125550142", "Maple: ALERT K7Q3M", is_alert, timedelta(seconds=300)
    )


def test_a_text_is_handed_over_with_everything_it_needs(fake: FakeGateway) -> None:
    receipt = TwilioGateway(_settings(fake), BASE).send(_text())
    (sent,) = fake.ledger
    assert receipt.gateway_id == sent.sid
    assert sent.form == {
        "To": "+12125550142",
        "Body": "Maple: ALERT K7Q3M",
        "From": ALERT_SENDER,
        "ValidityPeriod": "300",
        "StatusCallback": f"{BASE}/twilio/status?message=mEsSaGe-iD_12345",
    }


def test_reminders_come_from_the_other_sender(fake: FakeGateway) -> None:
    TwilioGateway(_settings(fake), BASE).send(_text(is_alert=False))
    assert fake.ledger[0].form["From"] == SENDER


def test_a_messaging_service_and_an_api_key_can_be_used(fake: FakeGateway) -> None:
    settings = replace(
        _settings(fake), sender=None, alert_sender=None, messaging_service_sid="MG" + "1" * 32
    )
    TwilioGateway(settings, BASE).send(_text())
    assert fake.ledger[0].form["MessagingServiceSid"] == "MG" + "1" * 32
    keyed = replace(settings, api_key_sid="SK" + "2" * 32, api_key_secret="not the token")
    with pytest.raises(SendError) as refused:
        TwilioGateway(keyed, BASE).send(_text())
    assert (refused.value.code, refused.value.permanent) == ("20003", False)


@pytest.mark.parametrize(
    ("mood", "code", "permanent"),
    [
        ("429:20429", "20429", False),
        ("429", "429", False),
        ("500:20500", "20500", False),
        ("401:20003", "20003", False),
        ("400:21610", "21610", True),
        ("400:21211", "21211", True),
        ("400:21614", "21614", True),
        ("400:21408", "21408", False),
        ("400:99999", "99999", False),
        ("redirect", "302", False),
    ],
)
def test_a_refusal_says_whether_it_is_for_good(
    fake: FakeGateway, mood: str, code: str, permanent: bool
) -> None:
    fake.plan.append(mood)
    with pytest.raises(SendError) as refused:
        TwilioGateway(_settings(fake), BASE).send(_text())
    assert not isinstance(refused.value, OutcomeUnknown)
    assert (refused.value.code, refused.value.permanent) == (code, permanent)
    assert not fake.ledger


@pytest.mark.parametrize("mood", ["accept_then_reset", "garbage", "empty", "no_sid"])
def test_an_answer_that_cannot_be_trusted_is_an_unknown_outcome(
    fake: FakeGateway, mood: str
) -> None:
    fake.plan.append(mood)
    with pytest.raises(OutcomeUnknown) as unknown:
        TwilioGateway(_settings(fake), BASE).send(_text())
    assert not unknown.value.permanent
    assert len(fake.ledger) == 1


@pytest.mark.parametrize("mood", ["hang", "drip"])
def test_a_gateway_that_hangs_is_left_in_time(
    fake: FakeGateway, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "READ_SECONDS", 0.5)
    fake.plan.append(mood)
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        TwilioGateway(_settings(fake), BASE).send(_text())
    assert time.monotonic() - began < 3


def test_a_gateway_that_is_not_there_took_nothing(fake: FakeGateway) -> None:
    settings = replace(_settings(fake), api_base="http://127.0.0.1:1")
    with pytest.raises(SendError) as refused:
        TwilioGateway(settings, BASE).send(_text())
    assert not isinstance(refused.value, OutcomeUnknown)
    assert refused.value.code == "not_connected"


def test_timeouts_fit_into_the_lease() -> None:
    assert twilio.CONNECT_SECONDS == 3
    assert twilio.READ_SECONDS == 10
    assert twilio.CONNECT_SECONDS + 2 * twilio.READ_SECONDS < 30


def test_nothing_about_a_person_is_logged(
    fake: FakeGateway, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    fake.plan.extend(["ok", "500"])
    gateway = TwilioGateway(_settings(fake), BASE)
    gateway.send(_text())
    with pytest.raises(SendError) as refused:
        gateway.send(_text())
    said = caplog.text + "".join(capfd.readouterr()) + repr(_text()) + repr(refused.value)
    assert "+1212" not in said
    assert "K7Q3M" not in said


URL = f"{BASE}/twilio/status?message=abc"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+12125550142"}


def _signed(settings: TwilioSettings, signature: str | None, url: str = URL) -> bool:
    return is_genuine(settings, url, MultiDict(FORM), signature)


def test_only_the_gateways_signature_is_genuine() -> None:
    settings = TwilioSettings(account_sid=ACCOUNT, auth_token=TOKEN)
    good = sign(URL, FORM)
    assert _signed(settings, good)
    assert not _signed(settings, None)
    assert not _signed(settings, "")
    assert not _signed(settings, "é" * 28)
    assert not _signed(settings, good[:-2] + "A=")
    assert not _signed(settings, sign(URL, FORM, "another token"))
    assert not _signed(settings, good, URL + "d")
    assert not is_genuine(settings, URL, MultiDict({**FORM, "To": "+1"}), good)


def test_the_previous_token_still_counts() -> None:
    settings = TwilioSettings(ACCOUNT, auth_token="the new one", auth_token_previous=TOKEN)
    assert _signed(settings, sign(URL, FORM))
    assert _signed(settings, sign(URL, FORM, "the new one"))


def test_a_named_algorithm_is_used() -> None:
    settings = TwilioSettings(account_sid=ACCOUNT, auth_token=TOKEN)
    good = sign(URL, FORM)
    assert not is_genuine(settings, URL, MultiDict(FORM), good, "key=x,algorithm=HMAC_SHA256")
    assert not is_genuine(settings, URL, MultiDict(FORM), good, "key=x,algorithm=ROT13")
