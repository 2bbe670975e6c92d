"""The worker's chores: short steps on the clock, each with its own query and transaction."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete

from patient_portal.clock import Clock
from patient_portal.database import Database
from patient_portal.logs import get_logger
from patient_portal.models import Heartbeat
from patient_portal.services import checkins, outcomes, rates, reminders
from patient_portal.services.site import Site

FORGET_WORKERS_AFTER = timedelta(days=1)


class Chores:
    """What has to be done when its time comes. ``run`` does it until ``stopping`` is set."""

    def __init__(
        self, database: Database, clock: Clock, site: Site, *, name: str, stopping: threading.Event
    ) -> None:
        self._name = name
        self._database = database
        self._clock = clock
        self._site = site
        self._stopping = stopping
        self._log = get_logger().bind(worker=name)

    def run(self) -> None:
        """Give each chore its turn, the first at once."""
        chores: list[tuple[float, Callable[[], object]]] = [
            (1.0, self.remind),
            (10.0, self.expire),
            (60.0, self.plan),
            (60.0, self.close_forms),
            (3600.0, self.sweep),
        ]
        due = [0.0] * len(chores)
        while not self._stopping.wait(0.2):
            for number, (every, chore) in enumerate(chores):
                if time.monotonic() < due[number] or self._stopping.is_set():
                    continue
                due[number] = time.monotonic() + every
                try:
                    chore()
                except Exception as error:
                    # One chore that fails must not keep the others from their turn.
                    self._log.error("chore.failed", kind=chore.__name__, exc_info=error)

    def beat(self) -> None:
        """Leave a sign of life, and forget workers that are long gone."""
        with self._database.transaction() as session:
            now = self._clock.now(session)
            session.merge(Heartbeat(worker=self._name, beat_at=now))
            session.execute(delete(Heartbeat).where(Heartbeat.beat_at < now - FORGET_WORKERS_AFTER))

    def remind(self) -> int:
        """Decide on the reminders that are due, in batches. Returns how many."""
        decided = 0
        while not self._stopping.is_set() and self._is_a_reminder_due():
            with self._database.transaction() as session:
                batch = reminders.queue_due(session, self._site, self._clock.now(session))
            if not batch:
                break  # another worker holds the rest
            decided += batch
        if decided:
            self._log.info("reminders.decided", count=decided)
        return decided

    def _is_a_reminder_due(self) -> bool:
        with self._database.reading() as session:
            return reminders.any_due(session, self._clock.now(session))

    def plan(self) -> int:
        """Plan reminders for those who have none planned. Returns how many."""
        with self._database.transaction() as session:
            return reminders.plan_missing(session, self._clock.now(session))

    def expire(self) -> int:
        """Give up texts whose time is over. Returns how many."""
        with self._database.transaction() as session:
            count = outcomes.expire_overdue(session, self._clock.now(session))
        if count:
            self._log.warning("messages.expired", count=count)
        return count

    def close_forms(self) -> int:
        """Close forms of past days that nobody sent. Returns how many."""
        with self._database.transaction() as session:
            return checkins.close_yesterdays(session, self._clock.now(session))

    def sweep(self) -> None:
        """Delete counts of tries that are long over."""
        with self._database.transaction() as session:
            rates.sweep(session, self._clock.now(session))
