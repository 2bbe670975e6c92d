"""What of this machine can make an alert late: a disk that fills up, a clock that is off."""

import os
import shutil
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.database import UtcDateTime


@dataclass(frozen=True)
class Machine:
    """The smallest free share of the disks that we write to, and how far the clock is off."""

    least_free: float | None = None  # 0 to 1; None where no disk of ours could be looked at
    clock_is_off: timedelta = timedelta(0)


def measure(session: Session) -> Machine:
    """Look at the disks of the database's file and of the log, and at the two clocks."""
    folders = list(_database_folders(session))
    return Machine(least_free(folders), clock_is_off(session))


def least_free(folders: Iterable[Path]) -> float | None:
    """The smallest free share among the disks of these folders and of the log file."""
    found: list[float] = []
    for folder in folders:
        with suppress(OSError):
            disk = shutil.disk_usage(folder)
            found.append(disk.free / disk.total if disk.total else 1.0)
    with suppress(OSError, ValueError, AttributeError):
        log = sys.stderr.fileno()
        if stat.S_ISREG(os.fstat(log).st_mode):
            disk_of_log = os.fstatvfs(log)
            found.append(disk_of_log.f_bavail / disk_of_log.f_blocks)
    return min(found, default=None)


def clock_is_off(session: Session) -> timedelta:
    """This machine's clock minus the database server's; nothing where they are the same one."""
    if session.get_bind().dialect.name == "sqlite":
        return timedelta(0)
    theirs = session.execute(select(func.clock_timestamp(type_=UtcDateTime()))).scalar_one()
    return datetime.now(UTC) - theirs


def _database_folders(session: Session) -> Iterable[Path]:
    bind = session.get_bind()
    name = bind.engine.url.database
    if bind.dialect.name == "sqlite" and name:
        yield Path(name).resolve().parent
