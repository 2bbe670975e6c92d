"""Hears PostgreSQL call that a text was queued. A call that is lost costs a second."""

import threading
from collections.abc import Callable

import psycopg
from psycopg import sql
from sqlalchemy import URL

from patient_portal.logs import get_logger

LISTEN_FOR = 1.0
TRY_AGAIN_AFTER = 2.0
_log = get_logger()


class Listener:
    """A thread with a connection of its own that calls ``heard`` for every notification."""

    def __init__(self, url: URL, channel: str, heard: Callable[[], None]) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, within about a second."""
        self._stopping.set()
        self._thread.join(timeout=LISTEN_FOR * 3)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                _log.warning("worker.listener", exc_info=error)
                self._stopping.wait(TRY_AGAIN_AFTER)

    def _listen(self) -> None:
        with psycopg.connect(self._address, autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            self._heard()  # what was queued before we listened
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=LISTEN_FOR, stop_after=1):
                    self._heard()
