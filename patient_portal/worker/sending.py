"""One text's way out: claimed, sent, and its outcome noted, each in a transaction of its own."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from patient_portal.clock import Clock
from patient_portal.database import Database, is_current
from patient_portal.domain.gateway_policy import is_unsure
from patient_portal.failpoints import passing
from patient_portal.logs import get_logger
from patient_portal.models import Lane
from patient_portal.services import budget, gateway_faults, messages, outcomes
from patient_portal.services.messages import Claimed
from patient_portal.services.site import Site
from patient_portal.sms.gateway import (
    Gateway,
    Outgoing,
    Receipt,
    Report,
    SendError,
)

# A text that is no alert and that our own code cannot send is given up after so many attempts.
TRIES_OF_A_POISONED_TEXT = 5
NOTES_TRIED = 3


class _AnotherTries(Exception):
    """Another worker's text is trying the gateway; ours goes back."""


class Sender:
    """Claims and sends under one worker's name. Safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        site: Site,
        gateway: Gateway,
        *,
        name: str,
        lease: timedelta,
        reminders_a_day: int = budget.REMINDERS_A_DAY,
    ) -> None:
        self.name = name
        self._database = database
        self._clock = clock
        self._site = site
        self._gateway = gateway
        self._lease = lease
        self._reminders_a_day = reminders_a_day
        self._log = get_logger().bind(worker=name)

    def waiting_lanes(self) -> set[Lane]:
        """The lanes that hold a text to be sent now."""
        with self._database.reading() as session:
            now = self._clock.now(session)
            if not (is_current(session) and gateway_faults.leave(session, now).may_send):
                return set()
            return messages.waiting_lanes(session, now)

    def claim(self, lane: Lane, limit: int = 1) -> list[Claimed]:
        """Claim up to ``limit`` texts of a lane, in a transaction of its own.

        While the gateway refuses our account one text a minute tries it, of all workers together.
        """
        try:
            with self._database.transaction() as session:
                claimed = self._claim_in(session, lane, limit)
                if claimed:
                    passing("claim.before_commit")
        except _AnotherTries:
            return []
        if claimed:
            passing("claim.after_commit")
        return claimed

    def _claim_in(self, session: Session, lane: Lane, limit: int) -> list[Claimed]:
        now = self._clock.now(session)
        leave = gateway_faults.leave(session, now)
        # Asked in the transaction that claims: a migration may be under way.
        if not (leave.may_send and is_current(session)):
            return []
        if leave.is_trial:
            limit = 1
        claimed = messages.claim(session, lane, self.name, now, self._lease, limit)
        if claimed and leave.is_trial and not gateway_faults.begin_trial(session, now):
            raise _AnotherTries
        if lane is Lane.REMINDER:
            return budget.within(session, claimed, self._reminders_a_day, now)
        return claimed

    def send(self, claimed: Claimed) -> None:
        """Send one claimed text and note what came of it. Never raises; holds no connection."""
        try:
            with self._database.reading() as session:
                now = self._clock.now(session)
            text = messages.outgoing(claimed, self._site.pepper, now)
            found = self._look_for(claimed, text, now)
            receipt = Receipt(found.gateway_id) if found else self._gateway.send(text)
        except SendError as error:
            self._note_failure(
                claimed, error.code, permanent=outcomes.is_final(claimed, error.code)
            )
        except Exception as error:
            # A row that our own code cannot send must not take the others with it.
            self._log.error("message.poisoned", message_id=claimed.id, exc_info=error)
            given_up = (
                claimed.lane is not Lane.ALERT and claimed.attempt >= TRIES_OF_A_POISONED_TEXT
            )
            self._note_failure(claimed, type(error).__name__[:40], permanent=given_up)
        else:
            passing("send.after_gateway")
            self._note_success(claimed, receipt, found)

    def _look_for(self, claimed: Claimed, text: Outgoing, now: datetime) -> Report | None:
        """The gateway's word of an earlier attempt of which nobody knows whether it left.

        Where the gateway cannot be asked, an alert and what a person waits for is sent again; a
        reminder never is before we know.
        """
        if not is_unsure(claimed.last_error):
            return None
        try:
            reports = self._gateway.find(text, now - claimed.created_at)
        except SendError:
            if claimed.lane is Lane.REMINDER:
                raise
            return None
        with self._database.reading() as session:
            gateway_id = outcomes.unbound(session, [each.gateway_id for each in reports])
        self._log.info(
            "message.looked_for", message_id=claimed.id,
            state="found" if gateway_id else "not_found",
        )  # fmt: skip
        return next((each for each in reports if each.gateway_id == gateway_id), None)

    def _note_success(self, claimed: Claimed, receipt: Receipt, found: Report | None) -> None:
        def note(session: Session, now: datetime) -> bool:
            taken = outcomes.record_accepted(
                session, claimed, receipt.gateway_id, now, is_delivered=receipt.is_delivered
            )
            if found is not None:
                status = outcomes.Status(found.gateway_id, found.state, found.error_code)
                outcomes.record_status(session, claimed.id, status, now)
            return taken

        is_noted = self._note(claimed, note)
        passing("send.after_note")
        if is_noted:
            self._log.info(
                "message.accepted", message_id=claimed.id, kind=claimed.kind.value,
                attempt=claimed.attempt,
            )  # fmt: skip

    def _note_failure(self, claimed: Claimed, code: str, *, permanent: bool) -> None:
        def note(session: Session, now: datetime) -> bool:
            return outcomes.record_failure(session, claimed, code, now, permanent=permanent)

        self._note(claimed, note)
        self._log.warning(
            "message.failed" if permanent else "message.retry", message_id=claimed.id,
            kind=claimed.kind.value, attempt=claimed.attempt, code=code,
        )  # fmt: skip

    def _note(self, claimed: Claimed, note: Callable[[Session, datetime], bool]) -> bool:
        """Write an outcome down. If the database stays away, the lease ends and it is resent."""
        for tried in range(1, NOTES_TRIED + 1):
            try:
                with self._database.transaction() as session:
                    return note(session, self._clock.now(session))
            except SQLAlchemyError as error:
                self._log.error("message.not_noted", message_id=claimed.id, exc_info=error)
                if tried < NOTES_TRIED:
                    time.sleep(0.5 * tried)
        return False
