"""The adapter against a server that speaks the API, well and badly."""

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug.datastructures import MultiDict

from patient_portal.config import TwilioSettings
from patient_portal.domain.delivery import MessageState
from patient_portal.domain.gateway_policy import TABLE, Act, Policy, is_unsure
from patient_portal.sms import twilio
from patient_portal.sms.gateway import OutcomeUnknown, Outgoing, Report, SendError
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
from tests.support.processes import ROOT

BASE = "https://portal.example.org"
STATUS_OF = {"20003": "401", "20404": "404", "20429": "429", "20500": "500", "20503": "503"}


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


@pytest.mark.parametrize("row", [row for row in TABLE if row.code != "not_connected"])
def test_a_refusal_is_read_as_its_row_says(fake: FakeGateway, row: Policy) -> None:
    status = row.code if len(row.code) == 3 else STATUS_OF.get(row.code, "400")
    fake.plan.append(f"{status}:{row.code}")
    with pytest.raises(SendError) as refused:
        TwilioGateway(_settings(fake), BASE).send(_text())
    assert not isinstance(refused.value, OutcomeUnknown)
    assert (refused.value.code, refused.value.permanent) == (
        row.code,
        row.refused is Act.GIVE_UP,
    )
    assert not fake.ledger


@pytest.mark.parametrize(
    ("mood", "code"),
    [("429", "429"), ("500", "500"), ("400:99999", "99999"), ("redirect", "302")],
)
def test_an_error_without_a_row_is_tried_again(fake: FakeGateway, mood: str, code: str) -> None:
    fake.plan.append(mood)
    with pytest.raises(SendError) as refused:
        TwilioGateway(_settings(fake), BASE).send(_text())
    assert (refused.value.code, refused.value.permanent) == (code, False)


@pytest.mark.parametrize("mood", ["accept_then_reset", "garbage", "empty", "no_sid"])
def test_an_answer_that_cannot_be_trusted_is_an_unknown_outcome(
    fake: FakeGateway, mood: str
) -> None:
    fake.plan.append(mood)
    with pytest.raises(OutcomeUnknown) as unknown:
        TwilioGateway(_settings(fake), BASE).send(_text())
    assert not unknown.value.permanent
    assert is_unsure(unknown.value.code)
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


def test_what_became_of_a_text_can_be_asked(fake: FakeGateway) -> None:
    gateway = TwilioGateway(_settings(fake), BASE)
    sid = gateway.send(_text()).gateway_id
    assert gateway.fetch(sid) == Report(sid, MessageState.ACCEPTED)
    fake.now_says[sid] = "undelivered:30003"
    assert gateway.fetch(sid) == Report(sid, MessageState.UNDELIVERED, "30003")
    fake.now_says[sid] = "teleported"
    assert gateway.fetch(sid) == Report(sid, None)
    with pytest.raises(SendError) as unknown:
        gateway.fetch("SM" + "f" * 32)
    assert unknown.value.code == "20404"
    fake.look_plan.append("500")
    with pytest.raises(SendError) as away:
        gateway.fetch(sid)
    assert away.value.code == "500"
    assert not fake.refused


@pytest.mark.parametrize("status", ["401", "429", "500"])
def test_a_list_that_is_refused_says_why(fake: FakeGateway, status: str) -> None:
    fake.look_plan.append(status)
    with pytest.raises(SendError) as refused:
        TwilioGateway(_settings(fake), BASE).find(_text(), timedelta(minutes=1))
    assert refused.value.code == status


def test_a_text_is_found_by_number_and_words(fake: FakeGateway) -> None:
    gateway = TwilioGateway(_settings(fake), BASE)
    assert not gateway.find(_text(), timedelta(minutes=1))
    first, second = gateway.send(_text()), gateway.send(_text())
    gateway.send(replace(_text(), body="Maple: ALERT Q9Z2X"))
    gateway.send(replace(_text(), to="+12125550143"))
    found = gateway.find(_text(), timedelta(minutes=1))
    assert [each.gateway_id for each in found] == [second.gateway_id, first.gateway_id]
    fake.ledger[0] = replace(fake.ledger[0], at=time.time() - 3600)
    found = gateway.find(_text(), timedelta(minutes=1))
    assert [each.gateway_id for each in found] == [second.gateway_id]
    assert not fake.refused
    assert len(fake.ledger) == 4  # looking sends nothing


@pytest.mark.parametrize("mood", ["hang", "drip"])
def test_looking_ends_soon(fake: FakeGateway, mood: str) -> None:
    fake.look_plan.append(mood)
    began = time.monotonic()
    with pytest.raises(SendError):
        TwilioGateway(_settings(fake), BASE).find(_text(), timedelta(minutes=1))
    assert time.monotonic() - began < 6


def test_an_alert_whose_sender_failed_leaves_from_the_other(fake: FakeGateway) -> None:
    gateway = TwilioGateway(_settings(fake), BASE)
    gateway.send(replace(_text(), other_sender=True))
    gateway.send(replace(_text(is_alert=False), other_sender=True))
    assert [sent.form["From"] for sent in fake.ledger] == [SENDER, SENDER]


def test_timeouts_fit_into_the_lease() -> None:
    assert twilio.CONNECT_SECONDS == 3
    assert twilio.READ_SECONDS == 10
    looking = twilio.LOOK_CONNECT_SECONDS + 2 * twilio.LOOK_READ_SECONDS
    sending = twilio.CONNECT_SECONDS + 2 * twilio.READ_SECONDS
    assert looking < 10
    assert looking + sending < 30


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


def test_the_printed_page_is_fresh() -> None:
    printed = subprocess.run(
        [sys.executable, "scripts/gateway_errors.py"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ROOT / "docs" / "sms-gateway.md").read_text("utf-8") == printed.stdout
