"""Settings and a database for a command, or a clear end."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from patient_portal.config import Settings, SettingsError
from patient_portal.database import Database


class UsedWrongly(click.ClickException):
    """The command cannot start with what it was given; exit status 2."""

    exit_code = 2


def settings_or_exit(*, demo: bool = False) -> Settings:
    """The settings of the environment; ends the command with every fault and its cure."""
    try:
        return Settings.from_environment(demo=demo)
    except SettingsError as error:
        raise UsedWrongly(str(error)) from None


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database of the settings, closed at the end."""
    database = Database(settings.database_url, pool_size=2)
    try:
        yield database
    finally:
        database.dispose()
