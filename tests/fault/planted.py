"""Bugs that are planted on purpose into a copy of the portal; named tests must catch each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """``old`` becomes ``new`` in a file; then these tests, on SQLite, must fail.

    ``tests`` are files below tests/fault with a choice of pytest's ``-k`` each.
    """

    file: str
    old: str
    new: str
    tests: str
    choice: str


_SERVICES = "patient_portal/services"

BUGS = {
    "no text in the outbox": Bug(
        f"{_SERVICES}/messages.py",
        "    if drafts:\n        rows = [row_of(draft, now) for draft in drafts]",
        "    if drafts and drafts[0].lane is not Lane.ALERT:\n"
        "        rows = [row_of(draft, now) for draft in drafts]",
        "test_places.py",
        "sqlite and checkin.after_commit",
    ),
    "check-in and alert in two commits": Bug(
        f"{_SERVICES}/checkins/recording.py",
        '    passing("checkin.before_alert")\n',
        '    session.connection().connection.driver_connection.execute("COMMIT")\n'
        '    session.connection().connection.driver_connection.execute("BEGIN IMMEDIATE")\n'
        '    passing("checkin.before_alert")\n',
        "test_places.py",
        "sqlite and checkin.before_alert",
    ),
    "outcome noted without the fence": Bug(
        f"{_SERVICES}/outcomes.py",
        "        Message.lease_by == claimed.worker,\n"
        "        Message.attempts == claimed.attempt,\n",
        "",
        "test_one_row.py",
        "sqlite and fence",
    ),
    "200 for a callback that was not stored": Bug(
        "patient_portal/web/errors.py",
        '    """The page for this status; the question again for an answer; '
        'always help for /help-now."""\n',
        '    """The page."""\n'
        '    if request.path.startswith("/twilio"):\n        return make_response("", 200)\n',
        "test_one_row.py",
        "not_stored",
    ),
    "undelivered counted as sent": Bug(
        "patient_portal/sms/twilio.py",
        '"undelivered": MessageState.UNDELIVERED,',
        '"undelivered": MessageState.SENT,',
        "test_callbacks.py",
        "sqlite and script and undelivered",
    ),
    "a lease that never ends": Bug(
        f"{_SERVICES}/messages.py",
        '        Message.lease_until <= bindparam("now"),\n',
        "        Message.lease_until < Message.created_at,\n",
        "test_places.py",
        "sqlite and claim.after_commit",
    ),
    "the alarm needs a living worker": Bug(
        f"{_SERVICES}/alarm_path.py",
        "def of_worker(session: Session, now: datetime) -> Iterator[Finding]:\n",
        "def of_worker(session: Session, now: datetime) -> Iterator[Finding]:\n    return\n",
        "test_ladder.py",
        "sqlite and no_worker_at_all",
    ),
    "a late word lowers what is known": Bug(
        "patient_portal/domain/delivery.py",
        "    return RANK[heard] > RANK[known]",
        "    return heard is not known",
        "test_callbacks.py",
        "sqlite and script and reverse",
    ),
    "sent again after it was taken": Bug(
        f"{_SERVICES}/messages.py",
        "        Message.state == MessageState.DUE,\n        Message.due_at",
        "        Message.state.in_((MessageState.DUE, MessageState.ACCEPTED)),\n"
        "        Message.due_at",
        "test_one_row.py",
        "sqlite and sent_once",
    ),
    "reminders in the alerts' lane": Bug(
        f"{_SERVICES}/reminders.py",
        "lane=Lane.REMINDER",
        "lane=Lane.ALERT",
        "test_one_row.py",
        "sqlite and lane_of",
    ),
    "looking changes an alert": Bug(
        "patient_portal/web/care_team/alerts.py",
        "        patients.note_look(db, patient,",
        "        alerts.take(db, alert, me, now)\n        patients.note_look(db, patient,",
        "test_one_row.py",
        "sqlite and looking",
    ),
    "the gateway is asked before the claim is kept": Bug(
        "patient_portal/worker/sending.py",
        '            passing("claim.after_commit")\n',
        '            passing("claim.after_commit")\n            claimed = []\n',
        "test_places.py",
        "sqlite and claim.after_commit",
    ),
    "an alert that is closed can be taken": Bug(
        "patient_portal/domain/escalation.py",
        "    (AlertState.OPEN, Act.TAKE): AlertState.TAKEN,\n",
        "    (AlertState.OPEN, Act.TAKE): AlertState.TAKEN,\n"
        "    (AlertState.CLOSED, Act.TAKE): AlertState.TAKEN,\n",
        "test_one_row.py",
        "sqlite and stays_closed",
    ),
    "a bundle leaves one out": Bug(
        f"{_SERVICES}/bundles.py",
        '    row = {**messages.row_of(draft, now), "carried_by": carrier.id}\n',
        '    row = {**messages.row_of(draft, now), "carried_by": carrier.id}\n'
        "    if carrier.body:\n        return\n",
        "test_ladder.py",
        "sqlite and many_alerts",
    ),
    "a second number is never used": Bug(
        f"{_SERVICES}/ladder.py",
        "    paging.page(session, site, roster, alert, numbers, now)\n\n\ndef _repage",
        "    numbers.clear()\n\n\ndef _repage",
        "test_one_row.py",
        "sqlite and second_number",
    ),
    "a name in the log": Bug(
        "patient_portal/worker/sending.py",
        '"message.accepted", message_id=claimed.id,',
        '"message.accepted", message_id=claimed.to_number,',
        "test_places.py",
        "sqlite and checkin.after_commit",
    ),
}
# What runs with every `make test`; all of them run with `make fault`.
CUT = ("check-in and alert in two commits", "outcome noted without the fence")
