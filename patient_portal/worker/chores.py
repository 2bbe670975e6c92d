"""The worker's chores: short steps on the clock, each with its own query and transaction."""

import threading
import time
from collections.abc import Callable
from datetime import time as dt_time
from datetime import timedelta

from sqlalchemy import delete

from patient_portal.clock import Clock
from patient_portal.database import Database, is_current
from patient_portal.failpoints import passing
from patient_portal.logs import get_logger
from patient_portal.models import Heartbeat
from patient_portal.services import checkins, nudges, outcomes, rates, reminders, silence
from patient_portal.services.alarm_path import WRONG_VERSION
from patient_portal.services.site import Site
from patient_portal.worker.auditing import Auditing
from patient_portal.worker.drilling import Drilling
from patient_portal.worker.duties import Duties

FORGET_WORKERS_AFTER = timedelta(days=1)
PAGES_AT_ONCE = 100


class Chores:
    """What has to be done when its time comes. ``run`` does it until ``stopping`` is set."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        site: Site,
        *,
        name: str,
        stopping: threading.Event,
        drill_at: dt_time | None = None,
        heartbeat_url: str | None = None,
    ) -> None:
        self._name = name
        self._database = database
        self._clock = clock
        self._site = site
        self._stopping = stopping
        self._log = get_logger().bind(worker=name)
        self._duties = Duties(database, clock, site)
        self._drilling = Drilling(database, clock, site, drill_at)
        self._auditing = Auditing(database, clock, heartbeat_url)

    def run(self) -> None:
        """Give each chore its turn, the first at once."""
        chores: list[tuple[float, Callable[[], object]]] = [
            (1.0, self.remind),
            (10.0, self.expire),
            (60.0, self.plan),
            (60.0, self.close_forms),
            (60.0, self.nudge),
            (60.0, self.page_silence),
            (30.0, self.watch_rotas),
            (5.0, self._drilling.watch),
            (60.0, self._auditing.audit),
            (3600.0, self.sweep),
        ]
        due = [0.0] * len(chores)
        while not self._stopping.wait(0.2):
            for number, (every, chore) in enumerate(chores):
                if time.monotonic() < due[number] or self._stopping.is_set():
                    continue
                due[number] = time.monotonic() + every
                try:
                    if self.fits():
                        chore()
                except Exception as error:
                    # One chore that fails must not keep the others from their turn.
                    self._log.error("chore.failed", kind=chore.__name__, exc_info=error)

    def beat(self) -> None:
        """Leave a sign of life, and forget workers that are long gone."""
        with self._database.transaction() as session:
            now = self._clock.now(session)
            note = None if is_current(session) else WRONG_VERSION
            session.merge(Heartbeat(worker=self._name, beat_at=now, note=note))
            session.execute(delete(Heartbeat).where(Heartbeat.beat_at < now - FORGET_WORKERS_AFTER))

    def fits(self) -> bool:
        """Whether the tables are those of this version; with others we would do harm."""
        with self._database.reading() as session:
            return is_current(session)

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

    def nudge(self) -> int:
        """Text again who has not checked in, and ask their helpers. Returns how many texts."""
        queued = 0
        for clinic_id in self._clinics():
            if self._stopping.is_set():
                break
            with self._database.transaction() as session:
                now = self._clock.now(session)
                queued += nudges.queue_due(session, self._site, clinic_id, now)
        if queued:
            self._log.info("nudges.queued", count=queued)
        return queued

    def page_silence(self) -> int:
        """Page the care team for who is silent for too long. Returns for how many people."""
        paged = 0
        for clinic_id in self._clinics():
            # The rest waits for the next look: other chores must have their turn.
            for patient_id in self._silent(clinic_id)[:PAGES_AT_ONCE]:
                if self._stopping.is_set():
                    return paged
                paged += self._page(clinic_id, patient_id)
        if paged:
            self._log.warning("silence.paged", count=paged)
        return paged

    def _clinics(self) -> list[str]:
        with self._database.reading() as session:
            return silence.clinics(session)

    def _silent(self, clinic_id: str) -> list[str]:
        with self._database.reading() as session:
            now = self._clock.now(session)
            found = silence.to_page(session, self._site.protocol, clinic_id, now)
            return [one.person.id for one in found]

    def _page(self, clinic_id: str, patient_id: str) -> bool:
        """A transaction for each person: a record that makes trouble keeps no other waiting."""
        try:
            with self._database.transaction() as session:
                now = self._clock.now(session)
                alert = silence.page(session, self._site, clinic_id, patient_id, now)
                passing("silence.before_commit")
                return alert is not None
        except Exception as error:
            self._log.error("silence.failed", patient_id=patient_id, exc_info=error)
            return False

    def expire(self) -> int:
        """Give up texts whose time is over. Returns how many."""
        with self._database.transaction() as session:
            count = outcomes.expire_overdue(session, self._clock.now(session))
        if count:
            self._log.warning("messages.expired", count=count)
        return count

    def watch_rotas(self) -> int:
        """Text whose turn begins, tell leads of silence and gaps. Returns how much it did."""
        done = self._duties.watch()
        if done:
            self._log.info("rotas.watched", count=done)
        return done

    def close_forms(self) -> int:
        """Close forms of past days that nobody sent. Returns how many."""
        with self._database.transaction() as session:
            return checkins.close_yesterdays(session, self._clock.now(session))

    def sweep(self) -> None:
        """Delete counts of tries that are long over."""
        with self._database.transaction() as session:
            rates.sweep(session, self._clock.now(session))
