"""``demo``: the demo clinic on this machine, with its web and worker processes."""

import contextlib
import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

import click
from sqlalchemy import select

from patient_portal import logs
from patient_portal.cli.environment import UsedWrongly
from patient_portal.config import Settings, SettingsError
from patient_portal.database import Database, upgrade

SECRETS = ("SECRET_KEY", "PEPPER")
START_SECONDS = 60.0
STOP_SECONDS = 20.0
ON_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to
_DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG


@click.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option(
    "--port", envvar="PORT", type=click.IntRange(1, 65535), default=8000, show_default=True
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Where the demo keeps its database and its secrets.",
)
@click.option("--fresh", is_flag=True, help="Forget what was done in the demo and start anew.")
def demo(host: str, port: int, state: Path, fresh: bool) -> None:
    """Start the demo clinic on this machine. Ctrl-C stops all of it."""
    folder = state.resolve() / "demo"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):
        _refuse_busy_port(host, port)
        if fresh:
            _forget(folder)
        environ = _environment(folder, host, port)
        try:
            settings = Settings.from_environment(environ, demo=True)
        except SettingsError as error:
            raise UsedWrongly(str(error)) from None
        click.echo("Preparing the demo clinic …")
        is_new = _prepare(settings)
        with _stopped_by_signals() as stopping:
            _run(environ, host, port, settings.base_url, is_new, stopping)


# ---- what it needs


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two demos over one database would send each other's texts."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsedWrongly(
                "A demo runs here already. Stop it with Ctrl-C where it was started, or keep a "
                "second one apart: patient-portal demo --state other --port 8001"
            ) from None
        yield


def _refuse_busy_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsedWrongly(
                f"Port {port} on {host} cannot be used: {error.strerror}. "
                f"Stop what uses it, or choose another port: PORT={min(port + 1, 65535)} make run"
            ) from None


def _forget(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _environment(folder: Path, host: str, port: int) -> dict[str, str]:
    """The child processes' environment: the demo's own database, secrets and simulator."""
    shown = "127.0.0.1" if host in ON_EVERY_ADDRESS else host
    address = f"[{shown}]" if ":" in shown else shown
    own = {
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite'}",
        "SMS_GATEWAY": "simulator",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL") or "WARNING",
        # Nobody sits at the demo's phones at seven; one drill is run when the clinic is made.
        "DRILL_AT": os.environ.get("DRILL_AT") or "off",
        "BASE_URL": os.environ.get("BASE_URL") or f"http://{address}:{port}",
        "TRUSTED_HOSTS": os.environ.get("TRUSTED_HOSTS") or "127.0.0.1,localhost,[::1]",
        **{name: _secret(folder / name.lower()) for name in SECRETS},
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TWILIO_", "DATABASE_")) and not name.endswith("_FILE")
    }
    return {**kept, **own}


def _secret(path: Path) -> str:
    """The secret kept in this file; made and kept at the first start."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _prepare(settings: Settings) -> bool:
    """Migrate and seed. True if the clinic was made now."""
    from patient_portal.clock import clock_of
    from patient_portal.demo import cast
    from patient_portal.demo.seed import seed
    from patient_portal.services.accounts import hash_password
    from patient_portal.services.site import site_of

    upgrade(settings.database_url)
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.transaction() as session:
            now = clock_of(demo=True).now(session)
            is_new = seed(session, site_of(settings), hash_password(cast.PASSWORD), now)
        if is_new:
            _drill(settings, database)
        return is_new
    finally:
        database.dispose()


def _drill(settings: Settings, database: Database) -> None:
    """Test the alarm of the new clinic as any clinic does; the made-up phone answers by itself."""
    from patient_portal.clock import clock_of
    from patient_portal.database import new_id
    from patient_portal.demo import cast
    from patient_portal.models import Alert, Clinic, Drill, Lane, Message
    from patient_portal.services import drills, inbound
    from patient_portal.services.audit import SYSTEM
    from patient_portal.services.site import site_of
    from patient_portal.sms.choice import gateway_of
    from patient_portal.worker import Worker

    logs.set_up(settings.log_level)
    site, clock = site_of(settings), clock_of(demo=True)
    sender = Worker(database, clock, site, gateway_of(settings)).sender
    with database.transaction() as session:
        clinic = session.get_one(Clinic, cast.CLINIC_ID)
        drill = drills.start(session, site, clinic, SYSTEM, clock.now(session))
    while claimed := sender.claim(Lane.ALERT):
        for one in claimed:
            sender.send(one)
    with database.transaction() as session:
        now = clock.now(session)
        alert = session.get_one(Alert, drill.alert_id)
        texts = session.scalars(select(Message).where(Message.alert_id == alert.id))
        for number in {text.to_number for text in texts}:
            inbound.receive(session, site, f"demo-{new_id()}", number, alert.ref, now)
        drills.settle(session, session.get_one(Drill, drill.id), now)


# ---- the processes


class _Stopping:
    """Whether somebody asked for the end."""

    asked = False

    def ask(self, _signal: int, _frame: FrameType | None) -> None:
        """Remember it; the loop looks often."""
        self.asked = True


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[_Stopping]:
    stopping = _Stopping()
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.signal(name, stopping.ask) for name in names}
    try:
        yield stopping
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _run(
    environ: dict[str, str], host: str, port: int, url: str, is_new: bool, stopping: _Stopping
) -> None:
    commands = {
        "web": ["web", "--demo", "--host", host, "--port", str(port)],
        "worker": ["worker", "--demo"],
    }
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in commands.items():
            children[name] = _start(arguments, environ)
        is_up = False
        deadline = time.monotonic() + START_SECONDS
        while not stopping.asked:
            for name, child in children.items():
                if child.poll() is not None:
                    raise click.ClickException(
                        f"The {name} process ended with {child.returncode}; the demo stops."
                    )
            if not is_up:
                is_up = _answers(host, port)
                if is_up:
                    _say_where(url, host, is_new)
                elif time.monotonic() > deadline:
                    raise click.ClickException("The pages did not come up in a minute.")
            time.sleep(0.1)
    finally:
        _stop(children)
    click.echo("\nStopped.")


def _start(arguments: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches the demo alone, which then ends both in order.
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "patient_portal.cli", *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )


def _die_with_parent() -> None:
    """Even SIGKILL of the demo leaves no process behind, where the kernel can promise that."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


def _answers(host: str, port: int) -> bool:
    # Not urllib: it would ask the proxy that the environment may name.
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = HTTPConnection(shown, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # the web process has a child of its own
            child.wait()


def _say_where(url: str, host: str, is_new: bool) -> None:
    click.echo(f"\nThe demo clinic is open: {url}/demo\n")
    click.echo(f"1. {url}/demo         come in as N. Silva, the nurse on call")
    click.echo(f"2. {url}/demo/phones  tap the link in Rosa's text, say it is very hard to breathe")
    click.echo("3. See the text arrive on the nurse's phone, and take the alert in the inbox.\n")
    if host in ON_EVERY_ADDRESS and "BASE_URL" not in os.environ:
        click.echo("For other machines name the address they open: BASE_URL=http://… make run")
    if not is_new:
        click.echo("The clinic is as it was left. To start anew: patient-portal demo --fresh")
    click.echo("Ctrl-C stops all of it.")
