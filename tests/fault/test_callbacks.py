"""What the gateway says afterwards: twice, in any order, too early, too late, wrong, or never."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import pytest

from patient_portal.models import Alert, AuditEntry, Message, MessageState, StaffMember, StaffPhone
from tests.fault.conftest import chosen
from tests.fault.history import violations
from tests.fault.scene import Case, Scene
from tests.support.callbacks import Word
from tests.support.callbacks import script as spoken
from tests.support.gateway import ACCOUNT, post_signed
from tests.support.processes import until

DELIVERED, ACCEPTED = MessageState.DELIVERED, MessageState.ACCEPTED
FAILED, UNDELIVERED = MessageState.FAILED, MessageState.UNDELIVERED


@dataclass(frozen=True)
class Heard:
    """A script, what it makes of the nurse's first text, how many it sends her in all."""

    fault: str
    state: MessageState
    code: str | None = None
    texts: int = 1
    is_number_bad: bool = False


SCRIPTS = {
    "dup:100": Heard("F34", DELIVERED),
    "reverse": Heard("F35", DELIVERED),
    "before_response": Heard("F36", DELIVERED),
    "delivered_after_failed:30006": Heard("F37", DELIVERED, is_number_bad=True),
    "unknown_status": Heard("F33", ACCEPTED),
    "undelivered:30003": Heard("F33", UNDELIVERED, "30003", texts=2),
    "undelivered:30004": Heard("F33", UNDELIVERED, "30004"),
    "undelivered:30005": Heard("F33", UNDELIVERED, "30005", is_number_bad=True),
    "undelivered:30006": Heard("F33", UNDELIVERED, "30006", is_number_bad=True),
    "undelivered:30007": Heard("F33", UNDELIVERED, "30007", texts=2),
    "failed:30001": Heard("F33", FAILED, "30001", texts=2),
    "failed:30008": Heard("F33", FAILED, "30008", texts=2),
    "failed:30036": Heard("F33", FAILED, "30036", texts=2),
    "failed:12345": Heard("F33", FAILED, "12345", texts=2),
}
CUT = ("dup:100", "reverse", "before_response", "unknown_status", "undelivered:30003")


@pytest.fixture(scope="module")
def cases(_standing: Scene, request: pytest.FixtureRequest) -> Iterator[dict[str, Case]]:
    """All red answers, given within a second or two of each other."""
    made = {}
    for name in (name for name in SCRIPTS if name in chosen(request, "script")):
        made[name] = _standing.case()
        _standing.gateway.script_for[_standing.rung(made[name].team)[0]] = name
    for case in made.values():
        assert _standing.form(case.patient).report().status == 200
    yield made


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            name,
            marks=[
                pytest.mark.catalogue(heard.fault),
                *([] if name in CUT else [pytest.mark.fault]),
            ],
        )
        for name, heard in SCRIPTS.items()
    ],
)
def test_a_script_is_understood(standing: Scene, cases: dict[str, Case], script: str) -> None:
    case, wanted = cases[script], SCRIPTS[script]
    standing.tries += 1

    def first() -> Message:
        return standing.nurse_texts(case)[0]

    def is_all_said() -> bool:
        """Every word about it was told, not only the one that is waited for."""
        texts = standing.gateway.sent_to(standing.rung(case.team)[0])
        words = len(spoken(script).words)
        return bool(texts) and standing.gateway.told[texts[0].sid] >= words

    def is_heard() -> bool:
        row = first()
        arrived = standing.gateway.sent_to(row.to_number)
        # A word that nobody knows leaves its name, unless our own note comes after it.
        code = None if row.error_code == "unknown_status" else row.error_code
        return (row.state, code) == (wanted.state, wanted.code) and len(arrived) >= wanted.texts

    assert until(is_all_said)
    assert until(is_heard), (first().state, first().error_code)
    standing.settled()
    (phone,) = standing.all(StaffPhone, StaffPhone.number == standing.rung(case.team)[0])
    assert (phone.bad_at is not None) == wanted.is_number_bad
    changes = standing.log_text().count(f'"message_id": "{first().id}"')
    assert changes <= 8, changes
    assert set(standing.gateway.answers) <= {204}
    if script == [*cases][-1]:
        assert violations(standing, errors=("message.unknown_status",)) == []


def _one_text(scene: Scene) -> Message:
    """The nurse's text of a fresh alert, of which the gateway has said nothing yet."""
    case = scene.case()
    scene.gateway.script_for[scene.rung(case.team)[0]] = "none"
    assert scene.form(case.patient).report().status == 200
    scene.told(case.patient)
    scene.settled()
    return scene.nurse_texts(case)[0]


@pytest.mark.catalogue("F37")
@pytest.mark.parametrize("after", [timedelta(minutes=10), timedelta(days=3)])
def test_a_late_word_wakes_no_closed_alert(standing: Scene, after: timedelta) -> None:
    """The text's time is long over and its alert closed; the word is noted, and nothing else."""
    text = _one_text(standing)
    nurse = standing.nurse(standing.all(StaffMember, StaffMember.id == text.staff_id)[0])
    ref = _alert_of(standing, text).ref
    assert nurse.take(ref).status == 200
    closing = {"outcome": "false_alarm", "useful": "no", "note": "spoke with her"}
    assert nurse.on_alert(ref, "close", **closing).status == 200
    with standing.database.transaction() as session:  # as if it had been sent so long ago
        row = session.get_one(Message, text.id)
        row.created_at, row.expires_at = row.created_at - after, row.expires_at - after
    sent = next(each for each in standing.gateway.ledger if each.sid == text.gateway_id)
    standing.tries += 1
    before = standing.count(AuditEntry)
    assert standing.gateway.call_back(sent, Word("delivered")) == 204
    (row,) = standing.all(Message, Message.id == text.id)
    assert row.state is DELIVERED
    assert standing.count(AuditEntry) == before
    assert _alert_of(standing, text).state == "closed"
    assert violations(standing, errors=("message.unknown_status",)) == []


def _alert_of(scene: Scene, text: Message) -> Alert:
    (found,) = scene.all(Alert, Alert.id == text.alert_id)
    assert isinstance(found, Alert)
    return found


@pytest.mark.catalogue("F39")
def test_a_word_about_an_unknown_text_changes_nothing(standing: Scene) -> None:
    text = _one_text(standing)
    sent = next(each for each in standing.gateway.ledger if each.sid == text.gateway_id)
    stranger = {"MessageSid": "SM" + "f" * 32, "MessageStatus": "failed", "ErrorCode": "30005",
                "AccountSid": ACCOUNT}  # fmt: skip
    url = sent.form["StatusCallback"].partition("?")[0]
    standing.tries += 3
    for query in ("", "?message=AAAAAAAAAAAAAAAA", "?message='; DROP TABLE message; --"):
        assert post_signed(url + quote(query, safe="?=&"), stranger) in {200, 204}
    foreign = {**stranger, "MessageSid": sent.sid, "AccountSid": "AC" + "9" * 32}
    assert post_signed(sent.form["StatusCallback"], foreign) in {200, 204, 403}
    (row,) = standing.all(Message, Message.id == text.id)
    assert (row.state, row.error_code) == (text.state, None)


@pytest.mark.catalogue("F40")
def test_a_flood_of_bad_signatures_holds_up_nobody(standing: Scene, seconds: float = 3.0) -> None:
    """Two floods of forged words, refused without a row; a real one is answered in a second."""
    text = _one_text(standing)
    sent = next(each for each in standing.gateway.ledger if each.sid == text.gateway_id)
    form = {"MessageSid": sent.sid, "MessageStatus": "failed", "AccountSid": ACCOUNT}
    answers: list[int] = []
    until_when = time.monotonic() + seconds

    def flood() -> None:
        while time.monotonic() < until_when:
            answers.append(post_signed(sent.form["StatusCallback"], form, token="guessed"))

    floods = [threading.Thread(target=flood) for _ in range(2)]
    before = standing.count(AuditEntry)
    for each in floods:
        each.start()
    began = time.monotonic()
    assert standing.gateway.call_back(sent, Word("delivered")) == 204
    took = time.monotonic() - began
    for each in floods:
        each.join()
    standing.tries += len(answers)
    assert set(answers) == {403}
    assert took < 2
    assert standing.count(AuditEntry) == before
    (row,) = standing.all(Message, Message.id == text.id)
    assert row.state is DELIVERED
