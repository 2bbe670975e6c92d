"""``db upgrade`` and ``db check``."""

import click
from sqlalchemy.engine import make_url

from patient_portal.cli.environment import open_database, settings_or_exit
from patient_portal.config import Settings
from patient_portal.database import revisions, upgrade
from patient_portal.migrations.rights import grant_to
from patient_portal.services import audit_chains, invariants


@click.group()
def db() -> None:
    """Migrate the database; check what must always hold."""


@db.command("upgrade")
@click.option("--demo", is_flag=True, hidden=True)
def upgrade_command(demo: bool) -> None:
    """Bring the database to the newest migration, as its owner. Safe to run again.

    With DATABASE_OWNER_URL, the role of DATABASE_URL gets its rights too: rows yes, tables no,
    and of the audit log only to read it and add to it.
    """
    settings = settings_or_exit(demo=demo)
    url = settings.database_owner_url or settings.database_url
    before, newest = revisions(url)
    if before != newest:
        click.echo(f"Migrating from {before or 'an empty database'} to {newest} …", err=True)
        upgrade(url)
        click.echo(f"Done: the database is at migration {newest}.")
    else:
        click.echo(f"Nothing to do: the database is at migration {newest}.")
    _grant(settings)


def _grant(settings: Settings) -> None:
    """Give the working role its rights, where there is one beside the owner."""
    role = make_url(settings.database_url).username
    owner_url = settings.database_owner_url
    if owner_url is None or role is None or role == make_url(owner_url).username:
        return
    grant_to(owner_url, role)
    click.echo(f"The role {role} may read and write rows, and add to the audit log.")


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
        found = [audit_chains.verify(session, each) for each in audit_chains.chains(session)]
    count = sum(bool(proof.bad) for proof in found)
    click.echo(f"{'WRONG' if count else 'ok':5} {count:>7}  {'':4} audit chains that are not whole")
    if broken or count:
        raise click.exceptions.Exit(1)
