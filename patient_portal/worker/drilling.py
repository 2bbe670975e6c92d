"""Starts the day's drills, and ends those that were answered or were not in time."""

from collections.abc import Callable
from datetime import datetime, time

from sqlalchemy.orm import Session

from patient_portal.clock import Clock
from patient_portal.database import Database
from patient_portal.logs import get_logger
from patient_portal.models import Drill
from patient_portal.services import drills
from patient_portal.services.site import Site


class Drilling:
    """Drills at ``at`` on each clinic's own clocks, none by itself where that is None.

    Any number of workers may look at once.
    """

    def __init__(self, database: Database, clock: Clock, site: Site, at: time | None) -> None:
        self._database = database
        self._clock = clock
        self._site = site
        self._at = at
        self._log = get_logger()

    def watch(self) -> int:
        """One look. Returns how many drills were started or ended."""
        with self._database.reading() as session:
            now = self._clock.now(session)
            due = [] if self._at is None else drills.due(session, self._at, now)
            unsettled = drills.unsettled(session)
        done = 0
        for clinic_id in due:
            done += self._alone(clinic_id, self._start)
        for drill_id in unsettled:
            done += self._alone(drill_id, self._settle)
        return done

    def _alone(self, row_id: str, act: Callable[[Session, str, datetime], bool]) -> bool:
        """A transaction for each, so that one that makes trouble keeps no other waiting."""
        try:
            with self._database.transaction() as session:
                is_done = act(session, row_id, self._clock.now(session))
        except Exception as error:
            self._log.error("drill.failed", kind=row_id, exc_info=error)
            return False
        if is_done:
            self._log.info("drill.moved", kind=row_id)
        return is_done

    def _start(self, session: Session, clinic_id: str, now: datetime) -> bool:
        at = self._at
        return at is not None and drills.start_daily(session, self._site, clinic_id, at, now)

    def _settle(self, session: Session, drill_id: str, now: datetime) -> bool:
        return drills.settle(session, session.get_one(Drill, drill_id), now)
