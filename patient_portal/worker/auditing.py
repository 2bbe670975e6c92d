"""Once a minute: is all well? Only then the address outside is asked, which misses us otherwise."""

import http.client
import threading
from urllib.parse import urlsplit

from patient_portal.clock import Clock
from patient_portal.database import Database
from patient_portal.logs import get_logger
from patient_portal.services import auditor

TIMEOUT = 5.0  # seconds, for each step of the call


class Auditing:
    """Looks at the rows, and pings ``url`` if nothing is wrong. Without an address it only logs."""

    def __init__(self, database: Database, clock: Clock, url: str | None) -> None:
        self._database = database
        self._clock = clock
        self._url = url
        self._under_way = threading.Lock()
        self._log = get_logger()

    def audit(self) -> bool:
        """One look. True if all is well; then the call outside starts, in a thread of its own."""
        with self._database.reading() as session:
            found = auditor.audit(session, self._clock.now(session))
        for code, count in found.faults:
            self._log.error("audit.withheld", code=code, count=count)
        if found.is_well and self._url is not None:
            threading.Thread(target=self._ping, name="outside", daemon=True).start()
        return found.is_well

    def _ping(self) -> None:
        if self._url is None or not self._under_way.acquire(blocking=False):
            return  # the last call still hangs; it will be missed outside, as it should be
        try:
            status = ping(self._url)
            if not 200 <= status < 300:
                self._log.error("audit.not_heard", status=status)
        except (OSError, http.client.HTTPException) as error:
            self._log.error("audit.not_heard", exc_info=error)
        finally:
            self._under_way.release()


def ping(url: str) -> int:
    """GET the address and give back the status. No redirect is followed and no proxy is used.

    Raises OSError, HTTPException.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        path = parts.path or "/"
        connection.request("GET", f"{path}?{parts.query}" if parts.query else path)
        answer = connection.getresponse()
        answer.read(1024)
        return answer.status
    finally:
        connection.close()
