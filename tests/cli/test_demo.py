"""``patient-portal demo``: starts all of it, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import free_port, is_alive

START_SECONDS = 60.0
END_SECONDS = 25.0


def _command(state: Path, port: int) -> list[str]:
    return [
        sys.executable, "-m", "patient_portal.cli", "demo",
        "--state", str(state), "--port", str(port),
    ]  # fmt: skip


def _environ() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), "PYTHONUNBUFFERED": "1"}


@contextmanager
def _demo(state: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The demo, answering; whatever a test leaves of it is killed."""
    log = state.with_suffix(".log")
    with log.open("w") as sink:
        process = subprocess.Popen(
            _command(state, port), env=_environ(), stdout=sink, stderr=sink, text=True,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (is_alive(port) and "Ctrl-C" in log.read_text()):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        for pid in _family(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + END_SECONDS
    while left := [pid for pid in pids if _is_running(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _json(port: int, path: str) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    found = json.loads(response.read())
    connection.close()
    return found


def _post(port: int, path: str, body: str = "") -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, dict(response.getheaders())


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_it_shows_its_people_and_a_signal_ends_all_of_it(
    tmp_path: Path, name: signal.Signals
) -> None:
    port = free_port()
    with _demo(tmp_path / "state", port) as process:
        people = _json(port, "/demo/people.json")
        assert {"patient", "caregiver", "nurse", "physician"} <= {one["role"] for one in people}
        nurse = next(one for one in people if one["name"] == "N. Silva")
        status, headers = _post(port, nurse["enter"])
        assert (status, headers["Location"]) == (303, "/staff/inbox")
        texts = _json(port, "/demo/phones.json")
        assert texts == sorted(texts, key=lambda text: str(text["sent_at"]), reverse=True)
        family = _family(process.pid)
        assert len(family) >= 4  # demo, web and its worker process, worker
        process.send_signal(name)
        _wait_until_gone(family)
        assert process.wait(1) == 0
    with socket.socket() as probe:  # the port is free again
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_a_reply_is_answered_by_the_worker(tmp_path: Path) -> None:
    port = free_port()
    with _demo(tmp_path / "state", port):
        status, _ = _post(port, "/demo/phones/+12125550123/reply", "body=can+i+wait")
        assert status == 303
        deadline = time.monotonic() + 10
        while not [text for text in _json(port, "/demo/phones.json") if text["kind"] == "reply"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_it_ends_when_one_of_its_processes_dies(tmp_path: Path) -> None:
    port = free_port()
    with _demo(tmp_path / "state", port) as process:
        family = _family(process.pid)
        worker = next(pid for pid in family if "worker" in _arguments(pid))
        os.kill(worker, signal.SIGKILL)
        _wait_until_gone(family)
        assert process.wait(1) == 1


def _arguments(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def test_a_second_demo_over_the_same_state_is_refused(tmp_path: Path) -> None:
    port = free_port()
    with _demo(tmp_path / "state", port):
        second = _run(tmp_path / "state", free_port())
    assert second.returncode == 2
    assert "runs here already" in second.stderr


def test_a_busy_port_is_named_with_the_cure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = _run(tmp_path / "state", port)
    assert run.returncode == 2
    assert f"Port {port}" in run.stderr
    assert f"PORT={port + 1} make run" in run.stderr


def _run(state: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(state, port), env=_environ(), capture_output=True, text=True, timeout=60
    )


def test_secrets_are_kept_and_for_the_owner_only(tmp_path: Path) -> None:
    port = free_port()
    state = tmp_path / "state"
    for _ in range(2):
        with _demo(state, port) as process:
            process.send_signal(signal.SIGTERM)
            _wait_until_gone(_family(process.pid))
    kept = state / "demo" / "secret_key"
    assert len(kept.read_text()) >= 32
    assert kept.stat().st_mode & 0o077 == 0
