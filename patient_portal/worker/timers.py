"""Watches the alerts' timers. A thread of its own: neither texts nor chores make an alert late."""

import threading

from patient_portal.clock import Clock
from patient_portal.database import Database, is_current
from patient_portal.failpoints import passing
from patient_portal.logs import get_logger
from patient_portal.services import ladder
from patient_portal.services.site import Site

LOOK_EVERY = 1.0  # seconds


class Timers:
    """Lets each alert's ladder go on when it is time. ``run`` goes on until ``stopping`` is set."""

    def __init__(
        self, database: Database, clock: Clock, site: Site, *, name: str, stopping: threading.Event
    ) -> None:
        self._database = database
        self._clock = clock
        self._site = site
        self._stopping = stopping
        self._wake = threading.Event()
        self._log = get_logger().bind(worker=name)

    def run(self) -> None:
        """Look each second, and whenever ``wake`` is called."""
        is_rebuilt = False
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.advance()
                is_rebuilt = is_rebuilt or self.rebuild()
            except Exception as error:
                # Whatever went wrong, the next look starts from the rows again.
                self._log.error("timers.failed", exc_info=error)
            self._wake.wait(LOOK_EVERY)

    def rebuild(self) -> bool:
        """Mend timers that rows do not bear out, as after a restore. True when it is done."""
        with self._database.transaction() as session:
            if not is_current(session):
                return False
            mended = ladder.rebuild(session, self._clock.now(session))
        if mended:
            self._log.warning("timers.mended", count=mended)
        return True

    def wake(self) -> None:
        """Look now. Safe to call from any thread and from a signal handler."""
        self._wake.set()

    def advance(self) -> int:
        """Do what is due, each alert in a transaction of its own. Returns how many went on."""
        with self._database.reading() as session:
            if not is_current(session):
                return 0
            waiting = ladder.due(session, self._clock.now(session))
        went_on = 0
        for alert_id in waiting:
            if self._stopping.is_set():
                break
            try:
                went_on += self._advance_one(alert_id)
            except Exception as error:
                # One alert that cannot go on must not keep the others waiting.
                self._log.error("alert.stuck", alert_id=alert_id, exc_info=error)
        return went_on

    def _advance_one(self, alert_id: str) -> bool:
        with self._database.transaction() as session:
            went_on = ladder.advance_one(session, self._site, alert_id, self._clock.now(session))
            if went_on:
                passing("ladder.before_commit")
        if went_on:
            passing("ladder.after_commit")
            self._log.info("alert.went_on", alert_id=alert_id)
        return went_on
