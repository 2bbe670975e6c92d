"""The history checker: what clients were told, against rows, the gateway's ledger, audit and logs.

An answer of success is a promise: one check-in, its alert, a text on every phone of the first
step. An answer that never came promises nothing, and either outcome is right.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select

from patient_portal.models import Alert, Answer, AuditEntry, CheckIn, Message, Patient
from patient_portal.services import invariants
from tests.fault.client import Said
from tests.fault.scene import FIRST, LAST, STAFF_NAMES, Scene

# What no log may hold: names, numbers, what was tapped, and what a link or a code is made of.
_PRIVATE = (FIRST, LAST, *STAFF_NAMES, "+1212", "%2B1212", "chest_pain", "enasidenib", "/c/")
_MESSAGE = re.compile(r"[?&]message=([A-Za-z0-9_-]{16})")
_FOLDED = {
    "alert.opened": "open", "alert.taken": "taken", "alert.released": "open",
    "alert.reopened": "open", "alert.closed": "closed",
}  # fmt: skip


def violations(scene: Scene, *, errors: tuple[str, ...] = (), may_end: bool = False) -> list[str]:
    """Everything that is wrong, a line each; ``scene.repeats`` texts may have come once more.

    ``errors``: the events of error level that this fault may log. ``may_end``: it may end a
    process with an exception, which starts it anew.
    """
    found = [
        *_answers(scene),
        *_texts(scene),
        *_audit(scene),
        *_invariants(scene),
        *_logs(scene, errors, may_end=may_end),
    ]
    scene.found += len(found)
    return found


def _answers(scene: Scene) -> Iterator[str]:
    """The client log against check-ins, alerts and phones."""
    stored = Counter(each.form_key for each in scene.all(CheckIn))
    yield from (f"{n} check-ins of one form" for n in stored.values() if n > 1)
    asked = scene.log.keys("red", Said.INVOKE) | scene.log.keys("calm", Said.INVOKE)
    yield from ("a check-in that nobody sent" for key in stored if key not in asked)
    for act in ("red", "calm"):
        taken = scene.log.keys(act, Said.OK)
        yield from (f"a {act} answer was thanked for and is gone" for k in taken - stored.keys())
        refused = scene.log.keys(act, Said.FAIL) - scene.log.keys(act, Said.OK, Said.INFO)
        yield from (f"a refused {act} answer was stored" for key in refused & stored.keys())
    red = scene.log.keys("red", Said.INVOKE) & stored.keys()
    alerts = {each.id: each for each in scene.all(Alert)}
    for check_in in scene.all(CheckIn, CheckIn.form_key.in_(red)):
        alert = alerts.get(check_in.alert_id or "")
        if alert is None:
            yield "a red answer without an alert"
        elif check_in.form_key in scene.log.keys("red", Said.OK):
            yield from _reached(scene, alert)
    linked = {each.alert_id for each in scene.all(CheckIn)}
    yield from ("an alert without a check-in" for alert in alerts if alert not in linked)


def _reached(scene: Scene, alert: Alert) -> Iterator[str]:
    team = next(each for each in scene.teams if each.clinic.id == alert.clinic_id)
    nurse, backup = scene.rung(team)
    if alert.taken_at is not None:
        return  # somebody has it; texts that had not left by then never do
    if alert.clinic_id in scene.without_first_step:
        everyone = [nurse[:-1] + rank for rank in "1234"]
        if not any(scene.has_reached(alert, number) for number in everyone):
            yield f"nobody at all was texted about {alert.ref}"
        return
    for number in (nurse, backup):
        if not scene.has_reached(alert, number) and not scene.was_taken_first(alert, number):
            yield f"nobody was texted at {number[-1]} about {alert.ref}"


def _texts(scene: Scene) -> Iterator[str]:
    """Rows of the outbox against the ledger: nothing made up, nothing sent too often."""
    rows = {each.id: each for each in scene.all(Message)}
    sids = {each.sid: each for each in scene.gateway.ledger}
    sent: Counter[str] = Counter()
    for text in sids.values():
        named = _MESSAGE.search(text.form.get("StatusCallback", ""))
        row = rows.get(named[1]) if named else None
        if row is None or row.to_number != text.to:
            yield "a text on a phone that no row of the outbox knows"
        else:
            sent[row.id] += 1
    own = {number for row in rows.values() if (number := row.to_number)}
    yield from ("a text to a number of nobody" for to in {t.to for t in sids.values()} - own)
    for row in rows.values():
        if row.gateway_id is not None and row.gateway_id not in sids:
            yield "a text is noted under an id that the gateway never gave"
        if sent[row.id] > row.attempts:
            yield f"{sent[row.id]} texts from {row.attempts} attempts"
    more = sum(count - 1 for count in sent.values() if count > 1)
    if more > scene.repeats:
        yield f"{more} repeated texts, {scene.repeats} allowed"
    yield from (f"the gateway refused a request: {words}" for words in scene.gateway.refused)
    yield from _isolation(scene)


def _isolation(scene: Scene) -> Iterator[str]:
    """Texts about an alert go to people of its clinic and to its own patient."""
    clinic_of = {each.id: each.clinic_id for each in scene.all(Alert)}
    phone_of = {each.id: each.phone for each in scene.all(Patient)}
    for row in scene.all(Message, Message.alert_id.is_not(None)):
        if row.clinic_id != clinic_of[row.alert_id]:
            yield "an alert was texted to another clinic"
        if row.patient_id and row.staff_id is None and row.to_number != phone_of[row.patient_id]:
            yield "a patient's text went to another phone"


def _audit(scene: Scene) -> Iterator[str]:
    """Each change of state has its entry, and folding the entries gives the state."""
    with scene.database.reading() as session:
        entries = list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
        session.expunge_all()
    count = Counter((each.action, each.subject_id) for each in entries)
    answers = Counter(each.check_in_id for each in scene.all(Answer))
    for check_in, number in answers.items():
        if count["check_in.answered", check_in] != number:
            yield f"{number} answers, {count['check_in.answered', check_in]} in the audit log"
    for alert in scene.all(Alert):
        if count["alert.opened", alert.id] != 1:
            yield f"an alert was opened {count['alert.opened', alert.id]} times"
        folded = [_FOLDED[e.action] for e in entries
                  if e.subject_id == alert.id and e.action in _FOLDED]  # fmt: skip
        if folded[-1:] != [alert.state.value]:
            yield f"the audit log says {folded[-1:]}, the alert is {alert.state.value}"
    for event in scene.log.events:
        if (event.act, event.said) == ("take", Said.OK):
            alert_id = next(a.id for a in scene.all(Alert) if a.ref == event.key)
            if not any(e.action == "alert.taken" and e.subject_id == alert_id
                       and e.actor_id == event.by for e in entries):  # fmt: skip
                yield "a nurse was told that she has an alert, and the audit log does not know"


def _invariants(scene: Scene) -> Iterator[str]:
    with scene.database.reading() as session:
        for each in invariants.ALL:
            if count := invariants.count(session, each):
                yield f"{count} {each.name}"


# The auditor says what it finds while a fault lasts. What is left in the end, the rows tell.
_AUDITOR = "audit.withheld"


def _logs(scene: Scene, allowed: tuple[str, ...], *, may_end: bool) -> Iterator[str]:
    """No person in any line, no exception that nobody caught, no error that was not expected."""
    said = scene.log_text()
    yield from (f"a log holds {word!r}" for word in _PRIVATE if word in said)
    if "Traceback" in said and not may_end:
        yield "an exception that nobody caught: " + said[said.index("Traceback") :][-400:]
    for line in said.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        expected = (*allowed, _AUDITOR)
        if event.get("level") in {"error", "critical"} and event.get("event") not in expected:
            yield f"logged as an error: {event.get('event')} {event.get('error', '')} " + str(
                event.get("where", "")
            )
