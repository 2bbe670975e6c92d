"""``db upgrade`` and ``db check``."""

import click

from patient_portal.cli.environment import open_database, settings_or_exit
from patient_portal.database import revisions, upgrade
from patient_portal.services import invariants


@click.group()
def db() -> None:
    """Migrate the database; check what must always hold."""


@db.command("upgrade")
@click.option("--demo", is_flag=True, hidden=True)
def upgrade_command(demo: bool) -> None:
    """Bring the database to the newest migration, as its owner. Safe to run again."""
    settings = settings_or_exit(demo=demo)
    url = settings.database_owner_url or settings.database_url
    before, newest = revisions(url)
    if before == newest:
        click.echo(f"Nothing to do: the database is at migration {newest}.")
        return
    click.echo(f"Migrating from {before or 'an empty database'} to {newest} …", err=True)
    upgrade(url)
    click.echo(f"Done: the database is at migration {newest}.")


@db.command("check")
@click.option("--demo", is_flag=True, hidden=True)
def check_command(demo: bool) -> None:
    """Count the rows that break an invariant; exit status 1 if there is one."""
    settings = settings_or_exit(demo=demo)
    broken = 0
    with open_database(settings) as database, database.reading() as session:
        for invariant in invariants.ALL:
            count = invariants.count(session, invariant)
            broken += bool(count)
            mark = "WRONG" if count else "ok"
            click.echo(f"{mark:5} {count:>7}  {invariant.number:4} {invariant.name}")
    if broken:
        raise click.exceptions.Exit(1)
