"""``drill``: a test alert through the real path, and how far it came."""

import time
from datetime import timedelta

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.cli.clinic import FoundWrong, one_clinic
from patient_portal.cli.environment import open_database, settings_or_exit
from patient_portal.clock import Clock, clock_of
from patient_portal.database import Database
from patient_portal.models import Clinic, Drill
from patient_portal.services import drills
from patient_portal.services.audit import SYSTEM
from patient_portal.services.drills import Result
from patient_portal.services.site import site_of

LOOK_EVERY = 1.0  # seconds


@click.command()
@click.argument("clinic_name", metavar="[CLINIC]", required=False)
@click.option(
    "--wait", type=click.IntRange(0, 900), default=900, show_default=True,
    help="Seconds to wait for the nurse's answer.",
)  # fmt: skip
@click.option("--demo", is_flag=True, hidden=True)
def drill(clinic_name: str | None, wait: int, demo: bool) -> None:
    """Test the alarm of CLINIC (id or name; not needed when there is one).

    The nurse on call gets a TEST text and answers it; a worker must be running. Exit status 1
    when nobody answered.
    """
    settings = settings_or_exit(demo=demo)
    clock = clock_of(demo=demo)
    with open_database(settings) as database:
        with database.transaction() as session:
            clinic = _clinic(session, clinic_name)
            try:
                now = clock.now(session)
                started = drills.start(session, site_of(settings), clinic, SYSTEM, now)
            except drills.DrillRuns:
                raise FoundWrong(f"A test of {clinic.name}'s alarm is under way.") from None
            click.echo(f"Testing the alarm of {clinic.name} …")
        found = _follow(database, clock, started.id, wait)
    if not found.is_proven:
        raise FoundWrong(
            "Nobody has answered. Is a worker running, and who is on call? patient-portal doctor"
        )
    click.echo("The alarm works.")


def _clinic(session: Session, name: str | None) -> Clinic:
    if name is not None:
        return one_clinic(session, name)
    only = session.scalars(select(Clinic)).all()
    if len(only) != 1:
        raise FoundWrong(f"There are {len(only)} clinics: name one.")
    return only[0]


def _follow(database: Database, clock: Clock, drill_id: str, wait: int) -> Result:
    """Print each step as it comes, until the drill is over or ``wait`` seconds have passed."""
    deadline, said = time.monotonic() + wait, set[str]()
    while True:
        with database.transaction() as session:
            drill = session.get_one(Drill, drill_id)
            drills.settle(session, drill, clock.now(session))
            found = drills.result(session, drill)
        for step, after in _steps(found):
            if step not in said:
                click.echo(f"{step} after {after.total_seconds():.0f} s")
                said.add(step)
        if not found.is_running or time.monotonic() > deadline:
            return found
        time.sleep(LOOK_EVERY)


def _steps(found: Result) -> list[tuple[str, timedelta]]:
    steps = [
        ("taken by the gateway", found.accepted_after),
        ("delivered", found.delivered_after),
        ("answered", found.answered_after),
    ]
    return [(step, after) for step, after in steps if after is not None]
