"""A small client that sends prepared requests over kept connections, on this machine only."""

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Call:
    """One prepared request and the status that means it worked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None
    expect: int = 200


@dataclass(frozen=True)
class Outcome:
    """What a volley of requests came to: seconds of wall clock, seconds of each, failures."""

    wall: float
    seconds: tuple[float, ...]
    failed: tuple[str, ...]

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.wall

    def percentile(self, share: float) -> float:
        """The time within which this share of requests was answered, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def volley(base_url: str, calls: Sequence[Call], clients: int) -> Outcome:
    """Send all calls, split over so many connections, and time each."""
    address = urlsplit(base_url)
    assert address.hostname is not None
    host, port = address.hostname, address.port
    seconds: list[float] = []
    failed: list[str] = []
    lock = threading.Lock()

    def one_client(mine: Sequence[Call]) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=60)
        took, wrong = [], []
        for call in mine:
            start = time.perf_counter()
            connection.request(call.method, call.path, call.body, call.headers)
            response = connection.getresponse()
            response.read()
            took.append(time.perf_counter() - start)
            if response.status != call.expect:
                wrong.append(f"{call.method} {call.path}: {response.status}")
        connection.close()
        with lock:
            seconds.extend(took)
            failed.extend(wrong)

    threads = [
        threading.Thread(target=one_client, args=(calls[number::clients],))
        for number in range(clients)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Outcome(time.perf_counter() - start, tuple(seconds), tuple(failed))
