"""A gunicorn of one process and four threads, and what the kernel says it used."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30.0


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server; ``pid`` is gunicorn's master."""

    base_url: str
    pid: int

    def _workers(self) -> list[int]:
        text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def cpu_seconds(self) -> float:
        """CPU time of master and worker so far, by the scheduler's own count."""
        total = 0
        for pid in (self.pid, *self._workers()):
            for task in Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self) -> float:
        """Proportional set size of the worker process, in MiB."""
        kilobytes = 0
        for pid in self._workers():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
        return kilobytes / 1024


@contextmanager
def running(app: str, environ: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Serve ``module:factory()`` by gunicorn, 1 process x 4 threads, while the block runs."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / f"{port}.log"
    command = [
        sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1",
        "--threads", "4", "--bind", f"127.0.0.1:{port}", "--keep-alive", "30",
        "--worker-tmp-dir", str(folder), "--no-control-socket", app,
    ]  # fmt: skip
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environ, "BENCH_URL": url},
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        _wait(process, port, log)
        yield Server(url, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")
