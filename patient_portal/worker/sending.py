"""One text's way out: claimed, sent, and its outcome noted, each in a transaction of its own."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from patient_portal.clock import Clock
from patient_portal.database import Database
from patient_portal.failpoints import passing
from patient_portal.logs import get_logger
from patient_portal.models import Lane
from patient_portal.services import messages, outcomes
from patient_portal.services.messages import Claimed
from patient_portal.services.site import Site
from patient_portal.sms.gateway import Gateway, OutcomeUnknown, Receipt, SendError

# A text that is no alert and that our own code cannot send is given up after so many attempts.
TRIES_OF_A_POISONED_TEXT = 5
NOTES_TRIED = 3


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
    ) -> None:
        self.name = name
        self._database = database
        self._clock = clock
        self._site = site
        self._gateway = gateway
        self._lease = lease
        self._log = get_logger().bind(worker=name)

    def waiting_lanes(self) -> set[Lane]:
        """The lanes that hold a text to be sent now."""
        with self._database.reading() as session:
            return messages.waiting_lanes(session, self._clock.now(session))

    def claim(self, lane: Lane, limit: int = 1) -> list[Claimed]:
        """Claim up to ``limit`` texts of a lane, in a transaction of its own."""
        with self._database.transaction() as session:
            now = self._clock.now(session)
            claimed = messages.claim(session, lane, self.name, now, self._lease, limit)
            if claimed:
                passing("claim.before_commit")
        if claimed:
            passing("claim.after_commit")
        return claimed

    def send(self, claimed: Claimed) -> None:
        """Send one claimed text and note what came of it. Never raises; holds no connection."""
        try:
            with self._database.reading() as session:
                now = self._clock.now(session)
            text = messages.outgoing(claimed, self._site.pepper, now)
            receipt = self._gateway.send(text)
        except SendError as error:
            self._note_failure(claimed, error.code, permanent=self._is_final(claimed, error))
        except Exception as error:
            # A row that our own code cannot send must not take the others with it.
            self._log.error("message.poisoned", message_id=claimed.id, exc_info=error)
            given_up = (
                claimed.lane is not Lane.ALERT and claimed.attempt >= TRIES_OF_A_POISONED_TEXT
            )
            self._note_failure(claimed, type(error).__name__[:40], permanent=given_up)
        else:
            passing("send.after_gateway")
            self._note_success(claimed, receipt)

    def _is_final(self, claimed: Claimed, error: SendError) -> bool:
        # A reminder that may have arrived is not sent again; an alert is, and so is what a
        # person waits for.
        return error.permanent or (
            isinstance(error, OutcomeUnknown) and claimed.lane is Lane.REMINDER
        )

    def _note_success(self, claimed: Claimed, receipt: Receipt) -> None:
        def note(session: Session, now: datetime) -> bool:
            return outcomes.record_accepted(
                session, claimed, receipt.gateway_id, now, is_delivered=receipt.is_delivered
            )

        if self._note(claimed, note):
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
