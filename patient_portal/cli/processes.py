"""The two kinds of process that run in production: ``web`` and ``worker``."""

import importlib
import os
import signal
from types import FrameType
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from sqlalchemy.exc import SQLAlchemyError

from patient_portal import logs
from patient_portal.cli.environment import UsedWrongly, settings_or_exit
from patient_portal.clock import clock_of
from patient_portal.config import Settings
from patient_portal.database import Database, revisions

THREADS = 4
# A deploy waits this long for answers that are under way.
GRACE_SECONDS = 15
# The floor above this one holds the app; it is named, not imported, as for any WSGI server.
APP = "patient_portal.app"

_demo = click.option("--demo", is_flag=True, hidden=True, help="Started by the demo.")


class Server(BaseApplication):
    """gunicorn, told everything by us; it reads no file and no arguments of its own."""

    def __init__(self, settings: Settings, bind: str, workers: int, threads: int) -> None:
        self._settings = settings
        self._options: dict[str, Any] = {
            "bind": bind,
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "graceful_timeout": GRACE_SECONDS,
            "timeout": 60,
            "keepalive": 5,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "patient-portal",
        }
        if os.path.isdir("/dev/shm"):  # noqa: S108 - gunicorn's own file of signs of life
            self._options["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
        super().__init__()

    def load_config(self) -> None:
        """Set what was given."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The app, built in each worker process after the fork: no connection is shared."""
        logs.set_up(self._settings.log_level)
        return importlib.import_module(APP).create_app(self._settings)


def workers_for(settings: Settings, asked: int | None) -> int:
    """How many web processes to start. Raises UsedWrongly for several on SQLite."""
    is_sqlite = settings.database_url.startswith("sqlite")
    if is_sqlite and asked is not None and asked > 1:
        raise UsedWrongly(
            "SQLite lets one process write at a time: several would make each other wait, "
            f"up to seconds. Use one process with {THREADS} threads, or PostgreSQL."
        )
    return asked or (1 if is_sqlite else 2)


def refuse_old_tables(url: str) -> None:
    """End the command unless the database answers and is at the newest migration."""
    try:
        found, newest = revisions(url)
    except SQLAlchemyError as error:
        raise UsedWrongly(
            f"The database cannot be used ({type(error).__name__}). "
            "Is the server running, and is DATABASE_URL right?"
        ) from None
    if found != newest:
        raise UsedWrongly(
            f"The database is at migration {found or 'none'}, this version needs {newest}. "
            "Run: patient-portal db upgrade"
        )


@click.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="PORT", type=click.IntRange(0, 65535), default=8000)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; 1 on SQLite, else 2.")
@click.option("--threads", type=click.IntRange(1, 64), default=THREADS, show_default=True)
@_demo
def web(host: str, port: int, workers: int | None, threads: int, demo: bool) -> None:
    """Serve the pages."""
    settings = settings_or_exit(demo=demo)
    count = workers_for(settings, workers)
    refuse_old_tables(settings.database_url)
    logs.set_up(settings.log_level)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    Server(settings, bind, count, threads).run()


@click.command()
@_demo
def worker(demo: bool) -> None:
    """Send texts, plan reminders, watch the clock. Several may run; each row is done by one."""
    from patient_portal.services.site import site_of
    from patient_portal.sms.choice import gateway_of
    from patient_portal.worker import Worker

    settings = settings_or_exit(demo=demo)
    refuse_old_tables(settings.database_url)
    logs.set_up(settings.log_level)
    database = Database(settings.database_url, pool_size=10)
    running = Worker(
        database,
        clock_of(demo=settings.demo),
        site_of(settings),
        gateway_of(settings),
        lease_seconds=settings.lease_seconds,
        reminders_a_day=settings.reminders_a_day,
        drill_at=settings.drill_at,
        heartbeat_url=settings.heartbeat_url,
    )

    def finish(_signal: int, _frame: FrameType | None) -> None:
        running.stop()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    try:
        running.run()
    finally:
        database.dispose()
