"""The portal as in production: a web and a worker process, started by the console script."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

SECRETS = {
    "SECRET_KEY": "tests keep no secrets, they only sign their forms",
    "PEPPER": "nor do tests have texts whose links could be guessed",
}
START_SECONDS = 30.0
STOP_SECONDS = 20.0


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_command(arguments: list[str], environ: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run ``patient-portal`` with these arguments while the block runs; gives its process id.

    SIGTERM ends it; if it does not go, it is killed and the test fails.
    """
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "patient_portal.cli", *arguments],
            env={**inherited, "PYTHONPATH": os.getcwd(), **environ},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        yield process.pid
        assert process.poll() is None, f"{arguments} ended by itself:\n{log.read_text()}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


@dataclass(frozen=True)
class RunningPortal:
    """A web process and a worker process over one database."""

    base_url: str
    web_pid: int
    worker_pid: int


@contextmanager
def running_portal(
    database_url: str, environ: Mapping[str, str], folder: Path, port: int
) -> Iterator[RunningPortal]:
    """Both processes, ready to answer, while the block runs."""
    base_url = f"http://127.0.0.1:{port}"
    whole = {**SECRETS, "DATABASE_URL": database_url, "BASE_URL": base_url, **environ}
    with ExitStack() as stack:
        web = stack.enter_context(
            running_command(["web", "--port", str(port)], whole, folder / "web.log")
        )
        worker = stack.enter_context(running_command(["worker"], whole, folder / "worker.log"))
        _wait_until_alive(port, folder / "web.log")
        yield RunningPortal(base_url, web, worker)


def is_alive(port: int) -> bool:
    """Whether a portal answers on this port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _wait_until_alive(port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_alive(port):
        assert time.monotonic() < deadline, f"The pages did not come up:\n{log.read_text()}"
        time.sleep(0.1)
