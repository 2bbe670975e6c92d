"""``doctor``: everything that must work, a line each, with the cure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import click
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from patient_portal.cli.environment import open_database
from patient_portal.clock import clock_of
from patient_portal.config import Settings, SettingsError
from patient_portal.database import DatabaseUnusable, revisions
from patient_portal.models import Heartbeat, Lane, Message, MessageState

WORKER_SILENT_AFTER = timedelta(seconds=60)
ALERT_LATE_AFTER = timedelta(seconds=120)


@dataclass(frozen=True)
class Finding:
    """What was looked at, what is so, and how to mend it (empty = it is well)."""

    what: str
    so: str
    cure: str = ""


@click.command()
@click.option("--demo", is_flag=True, hidden=True)
def doctor(demo: bool) -> None:
    """Look at everything that must work, a line each, with the cure."""
    ill = 0
    for finding in examine(demo=demo):
        ill += bool(finding.cure)
        mark = "WRONG" if finding.cure else "ok"
        cure = f" -> {finding.cure}" if finding.cure else ""
        click.echo(f"{mark:5} {finding.what}: {finding.so}{cure}")
    if ill:
        raise click.exceptions.Exit(1)


def examine(*, demo: bool = False) -> Iterator[Finding]:
    """Every finding; ends early where the rest cannot be looked at."""
    try:
        settings = Settings.from_environment(demo=demo)
    except SettingsError as error:
        faults = " ".join(str(error).split("\n- ")[1:])
        yield Finding("configuration", "incomplete", faults)
        return
    yield Finding("configuration", "every value can be used")
    yield gateway_settings(settings)
    looks: tuple[Callable[[Settings], Finding], ...] = (database, migrations, worker, alert_texts)
    for look in looks:
        try:
            finding = look(settings)
            yield finding
            if look is migrations and finding.cure:
                return  # the next would ask tables that are not there
        except (SQLAlchemyError, DatabaseUnusable) as error:
            yield Finding(
                "database", type(error).__name__,
                "Is the server running, and is DATABASE_URL right? Then: patient-portal db upgrade",
            )  # fmt: skip
            return


def gateway_settings(settings: Settings) -> Finding:
    """Who texts come from; alerts should have a sender of their own."""
    found = settings.twilio
    if found is None:
        return Finding("gateway", "the simulator: no text reaches a phone")
    if not (found.alert_sender or found.alert_messaging_service_sid):
        return Finding("gateway", "Twilio; alerts share the reminders' sender (TWILIO_ALERT_FROM)")
    return Finding("gateway", "Twilio; alerts have a sender of their own")


def database(settings: Settings) -> Finding:
    """Whether the database answers and can be written to."""
    with open_database(settings) as opened:
        with opened.transaction() as session:
            session.execute(select(1))
        kind = "SQLite, one machine" if opened.is_sqlite else "PostgreSQL"
    return Finding("database", kind)


def migrations(settings: Settings) -> Finding:
    """Whether the tables are those of this version."""
    found, newest = revisions(settings.database_url)
    if found == newest:
        return Finding("migrations", f"at {newest}")
    return Finding("migrations", f"at {found or 'none'}", "Run: patient-portal db upgrade")


def worker(settings: Settings) -> Finding:
    """Whether a worker gave a sign of life within a minute."""
    cure = "Start one: patient-portal worker. Without it no text is sent."
    with open_database(settings) as opened, opened.reading() as session:
        now = clock_of(demo=settings.demo).now(session)
        last = session.scalars(select(func.max(Heartbeat.beat_at))).first()
    if last is None:
        return Finding("worker", "has never run", cure)
    silent = max(now - last, timedelta(0))
    so = f"last sign of life {int(silent.total_seconds())} s ago"
    return Finding("worker", so, cure if silent > WORKER_SILENT_AFTER else "")


def alert_texts(settings: Settings) -> Finding:
    """Whether an alert's text has waited longer than two minutes for the gateway."""
    with open_database(settings) as opened, opened.reading() as session:
        now = clock_of(demo=settings.demo).now(session)
        late = session.scalars(
            select(func.count()).where(
                Message.lane == Lane.ALERT,
                Message.state.in_((MessageState.DUE, MessageState.SENDING)),
                Message.created_at <= now - ALERT_LATE_AFTER,
            )
        ).one()
    if not late:
        return Finding("alert texts", "none has waited two minutes")
    return Finding(
        "alert texts", f"{late} not accepted after two minutes",
        "Phone the care team now. Then look at the worker's log for the gateway's error code.",
    )  # fmt: skip
