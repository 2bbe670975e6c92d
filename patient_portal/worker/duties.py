"""The worker's look at the rotas: turns that begin, answers that did not come, the day's look.

Every clinic has its own transactions, opened only where there is something to write: a rota that
makes trouble keeps no other waiting, and a worker that dies leaves the rest to the next look.
"""

from patient_portal.clock import Clock
from patient_portal.database import Database
from patient_portal.logs import get_logger
from patient_portal.services import duty, rota_watch, turns
from patient_portal.services.site import Site


class Duties:
    """What the rotas ask for at this moment. Any number of workers may look at once."""

    def __init__(self, database: Database, clock: Clock, site: Site) -> None:
        self._database = database
        self._clock = clock
        self._site = site
        self._log = get_logger()

    def watch(self) -> int:
        """One look at every clinic; how many texts, looks and reports came of it."""
        with self._database.reading() as session:
            found = rota_watch.clinics(session)
        done = 0
        for clinic_id in found:
            try:
                done += self._hand_over(clinic_id) + self._look(clinic_id)
            except Exception as error:
                self._log.error("duty.failed", kind=clinic_id, exc_info=error)
        return done + self._tell_of_silence()

    def _hand_over(self, clinic_id: str) -> int:
        with self._database.reading() as session:
            now = self._clock.now(session)
            board = rota_watch.board_of(session, clinic_id, now)
            begun = turns.turn_starts(board, now)
            if all(turns.is_told(session, clinic_id, start) for start in begun):
                return 0
        with self._database.transaction() as session:
            now = self._clock.now(session)
            board = rota_watch.board_of(session, clinic_id, now)
            return sum(
                turns.hand_over(session, self._site, board, start, now)
                for start in turns.turn_starts(board, now)
            )

    def _look(self, clinic_id: str) -> int:
        with self._database.reading() as session:
            now = self._clock.now(session)
            board = rota_watch.board_of(session, clinic_id, now)
            near = rota_watch.near_gaps(session, board, now)
            if not near and not rota_watch.is_look_due(session, board, now):
                return 0
        with self._database.transaction() as session:
            now = self._clock.now(session)
            board = rota_watch.board_of(session, clinic_id, now)
            told = rota_watch.tell_near_gaps(session, self._site, board, now)
            if rota_watch.is_look_due(session, board, now):
                told += rota_watch.look(session, self._site, board, now)
            return told

    def _tell_of_silence(self) -> int:
        with self._database.reading() as session:
            if not duty.is_silence_due(session, self._clock.now(session)):
                return 0
        with self._database.transaction() as session:
            return duty.tell_of_silence(session, self._clock.now(session))
