"""Every named place, one after the other, with SIGKILL: nothing is lost and nobody left untold."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from patient_portal.failpoints import PLACES
from patient_portal.models import (
    Alert,
    CheckIn,
    InboundText,
    Message,
    MessageKind,
    MessageState,
    Patient,
)
from tests.fault.history import violations
from tests.fault.scene import Scene
from tests.support.callbacks import Word
from tests.support.gateway import ACCOUNT, SENDER, post_signed
from tests.support.processes import until

pytestmark = pytest.mark.catalogue("places")


@dataclass(frozen=True)
class Journey:
    """What passes a place: ``go`` drives a process to its death there, and the people on.

    ``repeats``: how many texts may reach phones once more than planned.
    """

    go: Callable[[Scene, str], None]
    repeats: int = 0


def _red(scene: Scene) -> Patient:
    patient = scene.patient()
    assert scene.form(patient).report().status == 200
    return patient


def a_red_answer_is_given(scene: Scene, place: str) -> None:
    """The web process dies with a red answer in its hands; the person taps again, twice."""
    patient = scene.patient()
    form = scene.form(patient)
    scene.plan(f"{place}:kill")
    assert form.report().status == 0
    assert scene.count(CheckIn, CheckIn.form_key == form.key) == (place == "checkin.after_commit")
    for _ in range(2):
        answer = form.report()
        assert (answer.status, "911" in answer.page) == (200, True)
    scene.told(patient)


def a_text_is_sent(scene: Scene, place: str) -> None:
    """The worker dies with the texts of a red answer in its hands; another one goes on."""
    scene.plan(f"{place}:kill")
    patient = _red(scene)
    scene.workers[-1].wait_killed()
    scene.worker()
    scene.told(patient)


def an_alert_is_taken(scene: Scene, place: str) -> None:
    """The web process dies while a nurse takes an alert; she sees the truth and can go on."""
    patient = _red(scene)
    scene.told(patient)
    nurse = scene.nurse(scene.team.nurse)
    ref = scene.alert_of(patient).ref
    scene.plan(f"{place}:kill")
    assert nurse.take(ref).status == 0
    assert scene.alert_of(patient).state == ("taken" if "after_commit" in place else "open")
    assert nurse.take(ref).status == 200
    assert scene.alert_of(patient).taken_by == scene.team.nurse.id


def a_status_comes(scene: Scene, place: str) -> None:
    """The web process dies with a status in its hands; the gateway tells it again."""
    before = len(scene.gateway.ledger)
    scene.gateway.script = "none"
    scene.told(_red(scene))
    scene.gateway.script = "delivered"
    text = scene.gateway.ledger[before]
    scene.settled()
    scene.plan(f"{place}:kill")
    assert scene.gateway.call_back(text, Word("delivered")) == 0
    assert scene.gateway.call_back(text, Word("delivered")) == 204
    rows = scene.all(Message, Message.gateway_id == text.sid)  # with what it carries
    assert {row.state for row in rows} == {MessageState.DELIVERED}


def a_text_comes(scene: Scene, place: str) -> None:
    """The web process dies with a patient's text in its hands; the gateway tells it again."""
    patient = scene.patient()
    form = {
        "MessageSid": "SM" + secrets.token_hex(16), "From": patient.phone, "Body": "hello",
        "AccountSid": ACCOUNT, "To": SENDER,
    }  # fmt: skip
    scene.plan(f"{place}:kill")
    with pytest.raises(OSError):
        post_signed(f"{scene.base_url}/twilio/inbound", form)
    for _ in range(2):
        assert post_signed(f"{scene.base_url}/twilio/inbound", form) == 200
    assert scene.count(InboundText, InboundText.from_number == patient.phone) == 1


def a_ladder_goes_on(scene: Scene, place: str) -> None:
    """The worker dies while it lets a ladder go on; another one does so, once."""
    patient = _red(scene)
    scene.told(patient)
    scene.settled()
    scene.plan(f"{place}:kill")
    with scene.database.transaction() as session:  # nobody has taken it for six minutes
        alert = session.get_one(Alert, scene.alert_of(patient).id)
        alert.ladder_started_at -= timedelta(minutes=6)
        alert.step_started_at = alert.next_action_at = alert.ladder_started_at
    scene.workers[-1].wait_killed()
    scene.worker()
    physician = Message.staff_id == scene.team.physician.id
    about_it = Message.alert_id == alert.id
    call = Message.kind == MessageKind.CALL_NOW
    assert until(lambda: scene.count(Message, physician, about_it) == 1)
    assert until(lambda: scene.count(Message, call, about_it) == 1)
    scene.settled()
    assert scene.count(Message, physician, about_it) == scene.count(Message, call, about_it) == 1


JOURNEYS = {
    "checkin.before_begin": Journey(a_red_answer_is_given),
    "checkin.before_alert": Journey(a_red_answer_is_given),
    "checkin.before_commit": Journey(a_red_answer_is_given),
    "checkin.after_commit": Journey(a_red_answer_is_given),
    "alert.before_begin": Journey(an_alert_is_taken),
    "alert.before_commit": Journey(an_alert_is_taken),
    "alert.after_commit": Journey(an_alert_is_taken),
    "status.before_begin": Journey(a_status_comes),
    "status.before_commit": Journey(a_status_comes),
    "status.after_commit": Journey(a_status_comes),
    "inbound.before_begin": Journey(a_text_comes),
    "inbound.before_commit": Journey(a_text_comes),
    "inbound.after_commit": Journey(a_text_comes),
    "claim.before_commit": Journey(a_text_is_sent),
    "claim.after_commit": Journey(a_text_is_sent),
    "send.after_gateway": Journey(a_text_is_sent, repeats=2),  # a text may come twice here
    "send.after_note": Journey(a_text_is_sent),
    "ladder.before_commit": Journey(a_ladder_goes_on),
    "ladder.after_commit": Journey(a_ladder_goes_on),
}
ELSEWHERE = {"silence.before_commit"}  # test_silence_kill.py
# The catalogue's own numbers of some places.
NUMBERS = {
    "checkin.before_begin": "F01", "checkin.before_alert": "F02", "checkin.after_commit": "F04",
    "claim.before_commit": "F05", "claim.after_commit": "F06", "send.after_gateway": "F08",
    "send.after_note": "F09",
}  # fmt: skip


def test_every_place_has_a_journey() -> None:
    assert {*JOURNEYS, *ELSEWHERE} == {*PLACES}


@pytest.mark.parametrize(
    "place",
    [pytest.param(place, marks=pytest.mark.catalogue(NUMBERS[place])) if place in NUMBERS else place
     for place in JOURNEYS],
)  # fmt: skip
def test_killed_at(standing: Scene, place: str) -> None:
    journey = JOURNEYS[place]
    standing.repeats += journey.repeats
    journey.go(standing, place)
    assert not standing.plan_file.exists()
    standing.settled()
    assert violations(standing) == []
