"""Asks the gateway what became of texts, in a thread of its own: being slow, it delays nobody."""

import threading

from patient_portal.clock import Clock
from patient_portal.database import Database, is_current
from patient_portal.logs import get_logger
from patient_portal.models import Lane
from patient_portal.services import gateway_faults, reconcile
from patient_portal.services.reconcile import Question
from patient_portal.sms.gateway import Gateway, SendError

LOOK_EVERY = 5.0  # seconds; how often a text is asked about is ``services.reconcile``'s


class Asker:
    """Settles texts whose callbacks do not come. ``run`` goes on until ``stopping`` is set."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        gateway: Gateway,
        *,
        name: str,
        stopping: threading.Event,
    ) -> None:
        self._database = database
        self._clock = clock
        self._gateway = gateway
        self._stopping = stopping
        self._log = get_logger().bind(worker=name)

    def run(self) -> None:
        """Ask about what is due, every few seconds."""
        while not self._stopping.wait(LOOK_EVERY):
            try:
                self.ask()
            except Exception as error:
                # Whatever went wrong, the next turn starts from the rows again.
                self._log.error("asking.failed", exc_info=error)

    def ask(self) -> int:
        """Ask about one batch of each lane, alerts first. Returns how many texts changed.

        A gateway that does not answer ends the turn: the next is seconds away.
        """
        settled = 0
        for lane in Lane:
            for question in self._questions(lane):
                if self._stopping.is_set():
                    return settled
                try:
                    settled += self._settle(question)
                except SendError as error:
                    self._log.warning(
                        "message.not_told", message_id=question.message_id, code=error.code
                    )
                    if error.code != "20404":  # that one it does not know, or keeps no longer
                        return settled
        if settled:
            self._log.info("messages.settled", count=settled)
        return settled

    def _questions(self, lane: Lane) -> list[Question]:
        with self._database.reading() as session:
            now = self._clock.now(session)
            if not is_current(session) or gateway_faults.leave(session, now).is_trial:
                return []  # it refuses our account and is left alone
            if not reconcile.questions(session, lane, now, limit=1):
                return []  # mostly; a look takes no lock
        with self._database.transaction() as session:
            now = self._clock.now(session)
            asked = reconcile.questions(session, lane, now)
            reconcile.begin(session, asked, now)
            return asked

    def _settle(self, question: Question) -> bool:
        report = self._gateway.fetch(question.gateway_id)  # no connection is held meanwhile
        with self._database.transaction() as session:
            return reconcile.settle(session, question, report, self._clock.now(session))
