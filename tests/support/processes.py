"""The portal's processes, started for real one by one, so that each can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from patient_portal.config import Settings
from tests.support.running import SECRETS, START_SECONDS, is_alive

ROOT = Path(__file__).resolve().parents[2]


def environment_for(database_url: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings of a portal over this database, with the simulator unless told otherwise."""
    found = {
        "DATABASE_URL": database_url,
        **SECRETS,
        "BASE_URL": "http://127.0.0.1:8000",
        "SMS_GATEWAY": "simulator",
        **(more or {}),
    }
    if not found["BASE_URL"].startswith("https"):
        found.setdefault("DRILL_AT", "off")  # a test of texts must not meet the morning's drill
    return found


def settings_for(database_url: str, more: Mapping[str, str] | None = None) -> Settings:
    """The same as typed settings."""
    return Settings.from_environment(environment_for(database_url, more))


def until(holds: Callable[[], bool], seconds: float = 40.0) -> bool:
    """Wait until something holds; False if it does not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


@dataclass
class Process:
    """One started command, in a process group of its own."""

    child: subprocess.Popen[bytes]
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.child.poll() is None

    def wait_killed(self, seconds: float = 60.0) -> None:
        """Wait until SIGKILL ended it; fail with its log if anything else did."""
        code = self.child.wait(seconds)
        assert code == -signal.SIGKILL, f"ended with {code}:\n{self.said()}"

    def stop(self) -> int:
        """Ask it to end, as a deploy does; its exit status."""
        if self.is_running:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def pause(self) -> None:
        """Stop it where it is, as a machine does that swaps or a virtual one that is moved."""
        os.killpg(self.child.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.killpg(self.child.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL the whole group, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(20)

    def said(self) -> str:
        """What it logged."""
        return self.log.read_text("utf-8", "replace")


@dataclass
class Processes:
    """Starts commands over one database and ends all of them."""

    environment: dict[str, str]
    folder: Path
    code: Path = ROOT  # where the portal's package lies
    log_to: str = ""  # where they log instead of a file of the folder
    started: list[Process] = field(default_factory=list)

    def start(self, *command: str, **more: str) -> Process:
        """Start ``patient-portal COMMAND``, with more in its environment."""
        log = self.folder / f"{command[0]}-{len(self.started)}.log"
        log.touch()
        with open(self.log_to or log, "wb") as sink:
            child = subprocess.Popen(
                [sys.executable, "-m", "patient_portal.cli", *command],
                cwd=self.code,
                env={"PATH": os.environ["PATH"], **self.environment, **more},
                stdout=sink,
                stderr=sink,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        process = Process(child, log)
        self.started.append(process)
        return process

    def web(self, port: int, *, demo: bool = False, **more: str) -> Process:
        """Start a web process and wait until it answers. ``demo``: its clock can be moved."""
        flags = ["--demo"] if demo else []
        process = self.start("web", "--port", str(port), *flags, **more)
        answers = until(lambda: not process.is_running or is_alive(port), START_SECONDS)
        assert answers and process.is_running, process.said()
        return process

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command to its end; its exit status and what it said."""
        process = self.start(*command)
        return process.child.wait(60), process.said()


@contextmanager
def running_processes(environment: dict[str, str], folder: Path) -> Iterator[Processes]:
    """Processes over one database; none of them is left at the end."""
    processes = Processes(environment, folder)
    try:
        yield processes
    finally:
        for process in processes.started:
            process.kill()
