"""``doctor``: everything that must work, a line each, with the cure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import click
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from patient_portal.cli.environment import open_database
from patient_portal.clock import clock_of
from patient_portal.config import Settings, SettingsError
from patient_portal.database import DatabaseUnusable, revisions
from patient_portal.models import Clinic, Heartbeat
from patient_portal.services import alarm_path, audit_chains, auditor, machine
from patient_portal.services.alarm_path import Trouble
from patient_portal.services.audit_chains import Weakness


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
    looks: tuple[Callable[[Settings], Iterable[Finding]], ...] = (
        database, migrations, audit_log, alarm,
    )  # fmt: skip
    for look in looks:
        try:
            for finding in look(settings):
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


def database(settings: Settings) -> list[Finding]:
    """Whether the database answers and can be written to."""
    with open_database(settings) as opened:
        with opened.transaction() as session:
            session.execute(select(1))
        kind = "SQLite, one machine" if opened.is_sqlite else "PostgreSQL"
    return [Finding("database", kind)]


def migrations(settings: Settings) -> list[Finding]:
    """Whether the tables are those of this version."""
    found, newest = revisions(settings.database_url)
    if found == newest:
        return [Finding("migrations", f"at {newest}")]
    return [Finding("migrations", f"at {found or 'none'}", "Run: patient-portal db upgrade")]


def audit_log(settings: Settings) -> Iterator[Finding]:
    """Whether this process could change the audit log that it writes."""
    with open_database(settings) as opened, opened.reading() as session:
        found = audit_chains.weaknesses(session)
        is_file = opened.is_sqlite
    well = "guarded; keep what `audit verify` prints outside this file" if is_file else "guarded"
    if not found:
        yield Finding("audit log", well)
    for weakness in found:
        yield Finding("audit log", *_WEAKNESSES[weakness])


_WEAKNESSES = {
    Weakness.OWNS: (
        "the portal's own role owns it and could change it",
        "Make a second role: DATABASE_OWNER_URL owns, DATABASE_URL works. See "
        "docs/security/audit.md.",
    ),
    Weakness.MAY_CHANGE: (
        "the portal's role has the right to change it",
        "Run with DATABASE_OWNER_URL set: patient-portal db upgrade",
    ),
    Weakness.NO_GUARDS: (
        "the database does not refuse to change it",
        "Somebody took its triggers away. Run: patient-portal audit verify. Then restore them.",
    ),
}


def alarm(settings: Settings) -> Iterator[Finding]:
    """The way of an alert to a phone, a line for each thing that can break it."""
    with open_database(settings) as opened, opened.reading() as session:
        now = clock_of(demo=settings.demo).now(session)
        this = machine.measure(session)
        found = {one.trouble: one for one in alarm_path.look_everywhere(session, now, this)}
        clinics = session.scalars(select(Clinic).order_by(Clinic.name)).all()
        waiting = [clinic.name for clinic in clinics if clinic.live_at is None]
        last = session.scalars(select(func.max(Heartbeat.beat_at))).first()
        faults = auditor.audit(session, now).faults
    yield _worker(found, None if last is None else now - last)
    for line in _LINES:
        ill = [found[one] for one in line.troubles if one in found]
        yield Finding(line.what, _so(ill[0]) if ill else line.well, line.cure if ill else "")
    if waiting:
        yield Finding(
            "not live", ", ".join(waiting),
            "See the page Alarm, then: patient-portal clinic go-live",
        )  # fmt: skip
    yield _outside(settings, faults)


@dataclass(frozen=True)
class _Line:
    what: str
    troubles: tuple[Trouble, ...]
    well: str
    cure: str


_LINES = (
    _Line(
        "gateway errors", (Trouble.GATEWAY_DOWN, Trouble.GATEWAY), "none",
        "Phone the people on call. Look up the error: docs/sms-gateway.md",
    ),
    _Line(
        "alert texts", (Trouble.TEXTS_LATE,), "none has waited two minutes",
        "Phone the care team now. Then look at the worker's log for the gateway's error code.",
    ),
    _Line(
        "timers", (Trouble.TIMERS_LATE,), "every alert goes on in time",
        "Phone the care team now. Restart the worker and look at its log.",
    ),
    _Line(
        "alerts", (Trouble.UNTAKEN,), "none waits after its whole ladder",
        "Phone the care team now: nobody has taken it.",
    ),
    _Line(
        "people", (Trouble.NOBODY, Trouble.PHONE_STOPPED), "somebody can be texted",
        "Ask them to text START, or add a phone on the page On call.",
    ),
    _Line("rota", (Trouble.ROTA_GAP,), "no gap in the next 24 hours", "Fill it: page On call."),
    _Line(
        "drill", (Trouble.DRILL_FAILED, Trouble.DRILL_OLD), "answered in the last 26 hours",
        "Run: patient-portal drill",
    ),
    _Line(
        "cover", (Trouble.COVER,), "confirmed",
        "A lead rings the clinic's line at night and confirms it on the page Alarm.",
    ),
    _Line("clock", (Trouble.CLOCK,), "this machine and the database agree", "Use a time server."),
    _Line("disk", (Trouble.DISK,), "a tenth or more is free", "Make room, or use a larger disk."),
)  # fmt: skip


def _so(found: alarm_path.Finding) -> str:
    """What a finding says in a line of a terminal."""
    when = f", {found.at:%Y-%m-%d %H:%M} UTC" if found.at else ""
    return f"{found.trouble.value} ({found.count}{when})"


def _worker(found: dict[Trouble, alarm_path.Finding], silent: timedelta | None) -> Finding:
    if silent is None:
        return Finding("worker", "has never run", _START)
    so = f"last sign of life {max(0, int(silent.total_seconds()))} s ago"
    if Trouble.WORKER_VERSION in found:
        return Finding(
            "worker", f"{so}, of another version than the tables",
            "Install the version that the database was migrated for, and start it again.",
        )  # fmt: skip
    return Finding("worker", so, _START if Trouble.WORKER_SILENT in found else "")


_START = "Start one: patient-portal worker. Without it no text is sent."


def _outside(settings: Settings, faults: tuple[tuple[str, int], ...]) -> Finding:
    if settings.heartbeat_url is None:
        cure = "" if settings.demo or not settings.is_https else (
            "Set HEARTBEAT_URL, so that somebody hears of it when all of this machine is dead."
        )  # fmt: skip
        return Finding("outside heartbeat", "no address is set", cure)
    if faults:
        said = ", ".join(f"{code} ({count})" for code, count in faults)
        return Finding("outside heartbeat", f"withheld: {said}", "Mend that; db check says where.")
    return Finding("outside heartbeat", "sent each minute")
