"""The loop: one thread claims, a few of each lane send, timers and chores have their own."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time as dt_time
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from patient_portal.clock import Clock
from patient_portal.database import Database
from patient_portal.logs import get_logger
from patient_portal.models import Lane
from patient_portal.services import budget, messages
from patient_portal.services.messages import Claimed
from patient_portal.services.site import Site
from patient_portal.sms.gateway import Gateway
from patient_portal.worker.asking import Asker
from patient_portal.worker.chores import Chores
from patient_portal.worker.listener import Listener
from patient_portal.worker.sending import Sender
from patient_portal.worker.timers import Timers

# How many texts of a lane may be on their way at once. A gateway that hangs costs one place.
PLACES = {Lane.ALERT: 4, Lane.PATIENT: 2, Lane.REMINDER: 1}
LOOK_EVERY_ON_SQLITE = 0.1
LOOK_EVERY_ON_POSTGRESQL = 1.0
BEAT_EVERY = 10.0
REMINDERS_A_SECOND = 1.0


@dataclass
class Meter:
    """Lets so many things a second through; unused room is kept for five seconds."""

    a_second: float
    _room: float = 1.0
    _seen: float = field(default_factory=time.monotonic)

    def room(self) -> int:
        """How many may pass now."""
        now = time.monotonic()
        most = max(1.0, self.a_second * 5)
        self._room = min(most, self._room + (now - self._seen) * self.a_second)
        self._seen = now
        return int(self._room)

    def take(self, count: int) -> None:
        """Use up room."""
        self._room -= count


class Worker:
    """One worker process. ``run`` works until ``stop``; its parts can be used alone."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        site: Site,
        gateway: Gateway,
        *,
        lease_seconds: float = 30,
        reminders_a_second: float = REMINDERS_A_SECOND,
        reminders_a_day: int = budget.REMINDERS_A_DAY,
        drill_at: dt_time | None = None,
        heartbeat_url: str | None = None,
        name: str | None = None,
    ) -> None:
        self.name = (name or f"{socket.gethostname()[:24]}:{os.getpid()}")[:40]
        self._database = database
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._lease_seconds = lease_seconds
        lease = timedelta(seconds=lease_seconds)
        self.sender = Sender(
            database, clock, site, gateway, name=self.name, lease=lease,
            reminders_a_day=reminders_a_day,
        )  # fmt: skip
        self.chores = Chores(
            database, clock, site, name=self.name, stopping=self._stopping, drill_at=drill_at,
            heartbeat_url=heartbeat_url,
        )  # fmt: skip
        self.timers = Timers(database, clock, site, name=self.name, stopping=self._stopping)
        self.asker = Asker(database, clock, gateway, name=self.name, stopping=self._stopping)
        self._meter = Meter(reminders_a_second)
        self._free = {lane: threading.Semaphore(places) for lane, places in PLACES.items()}
        self._beat_due = 0.0
        self._log = get_logger().bind(worker=self.name)

    def run(self) -> None:
        """Work until ``stop`` is called, then finish the texts that are on their way.

        Raises RuntimeError when a part of it died: the process must start again.
        """
        self._log.info("worker.started")
        beside = [
            threading.Thread(target=part, name=name, daemon=True)
            for name, part in (
                ("timers", self.timers.run),
                ("chores", self.chores.run),
                ("asking", self.asker.run),
            )
        ]
        for thread in beside:
            thread.start()
        with self._listening() as look_every, self._senders() as senders:
            while not self._stopping.is_set():
                self._wake.clear()
                if not all(thread.is_alive() for thread in beside):
                    raise RuntimeError("a part of the worker ended; the process must start again")
                self._turn(senders)
                self._wake.wait(look_every)
        for thread in beside:
            thread.join(timeout=5)
        self._log.info("worker.stopped")

    def stop(self) -> None:
        """Claim nothing more. Safe to call from a signal handler."""
        self._stopping.set()
        self._wake.set()
        self.timers.wake()

    def _heard(self) -> None:
        """Something was queued, or an alert must go on: look now."""
        self._wake.set()
        self.timers.wake()

    def _turn(self, senders: dict[Lane, ThreadPoolExecutor]) -> None:
        try:
            if time.monotonic() >= self._beat_due:
                self.chores.beat()
                self._beat_due = time.monotonic() + BEAT_EVERY
            self._dispatch(senders)
        except SQLAlchemyError as error:
            self._log.error("worker.database", exc_info=error)
            self._stopping.wait(1)

    def _dispatch(self, senders: dict[Lane, ThreadPoolExecutor]) -> None:
        """Claim what is due and hand it to free senders, alerts before everything else."""
        waiting = self.sender.waiting_lanes()
        for lane in (lane for lane in Lane if lane in waiting):
            while not self._stopping.is_set() and (places := self._take_places(lane)):
                loads: list[list[Claimed]] = []
                try:
                    loads = self._loads(lane, places)
                finally:
                    if places > len(loads):
                        self._free[lane].release(places - len(loads))
                if not loads:
                    break
                for load in loads:
                    senders[lane].submit(self._send_and_free, lane, load, time.monotonic())

    def _take_places(self, lane: Lane) -> int:
        """Take every place of a lane that is free; how many."""
        taken = 0
        while self._free[lane].acquire(blocking=False):
            taken += 1
        return taken

    def _loads(self, lane: Lane, places: int) -> list[list[Claimed]]:
        """What each sender gets: one text, claimed by one transaction with the others'.

        A reminder's sender gets as many as the rate lets through.
        """
        if lane is not Lane.REMINDER:
            return [[one] for one in self.sender.claim(lane, places)]
        claimed = self._claim_within_rate()
        return [claimed] if claimed else []

    def _claim_within_rate(self) -> list[Claimed]:
        room = self._meter.room()
        claimed = self.sender.claim(Lane.REMINDER, room) if room else []
        self._meter.take(len(claimed))
        return claimed

    def _send_and_free(self, lane: Lane, claimed: list[Claimed], since: float) -> None:
        try:
            for number, one in enumerate(claimed):
                # The first goes at once. If it hung, the lease of the others is running out, and
                # another worker would send them too: they are left to come back by themselves.
                late = time.monotonic() - since > self._lease_seconds / 6
                if number and (late or self._stopping.is_set()):
                    break
                self.sender.send(one)
        finally:
            self._free[lane].release()
            self._wake.set()

    @contextmanager
    def _senders(self) -> Iterator[dict[Lane, ThreadPoolExecutor]]:
        senders = {
            lane: ThreadPoolExecutor(places, thread_name_prefix=lane.value)
            for lane, places in PLACES.items()
        }
        try:
            yield senders
        finally:
            for pool in senders.values():
                pool.shutdown(wait=True)

    @contextmanager
    def _listening(self) -> Iterator[float]:
        """How long to wait for a call before looking by oneself, in seconds."""
        if self._database.is_sqlite:
            yield LOOK_EVERY_ON_SQLITE
            return
        listener = Listener(self._database.engine.url, messages.CHANNEL, self._heard)
        listener.start()
        try:
            yield LOOK_EVERY_ON_POSTGRESQL
        finally:
            listener.stop()
