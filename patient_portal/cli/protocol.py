"""`patient-portal protocol`: the rules in force, a check of a file, and what it would change."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patient_portal import protocols
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.replay import Comparison, Stored, compare
from patient_portal.protocols.printed import as_markdown, as_text

if TYPE_CHECKING:  # `show` and `check` load no database
    from patient_portal.services.explaining import Explained

QUIET_SECONDS = 2.0
A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def protocol() -> None:
    """The rules that decide each level."""


@protocol.command()
@click.option("--markdown", is_flag=True, help="As the documentation has it.")
def show(markdown: bool) -> None:
    """Print the rules in force, with their thresholds and sources."""
    print_ = as_markdown if markdown else as_text
    click.echo("\n".join(print_(protocols.current())))


@protocol.command()
@click.argument("file", type=A_FILE)
@click.pass_context
def check(context: click.Context, file: Path) -> None:
    """Refuse a protocol FILE that cannot be right, naming the line and the reason."""
    found = _load(context, file)
    click.echo(f"{file}: {found.id} holds, {len(found.rules)} rules for {len(found.items)} items")


def _load(context: click.Context, file: Path) -> Protocol:
    try:
        return protocols.load(file)
    except protocols.ProtocolError as error:
        click.echo(str(error), err=True)
        context.exit(1)


@protocol.command()
@click.argument("file", type=A_FILE)
@click.option(
    "--database", "url", envvar="DATABASE_URL", required=True, metavar="URL",
    help="Where the check-ins are; DATABASE_URL if not given. It is only read.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def replay(context: click.Context, file: Path, url: str, as_json: bool) -> None:
    """Judge every stored check-in by the rules in force and by those of FILE.

    Prints the alerts gained and lost, per 100 patient-days, and by which rules. An alert is a
    patient's day that comes to urgent or worse.
    """
    # Imported here: `show` and `check` need no database.
    from sqlalchemy.exc import SQLAlchemyError

    from patient_portal.database import Database
    from patient_portal.services.replay import count_check_ins, stored_check_ins

    after = _load(context, file)
    before = protocols.current()
    try:
        database = Database(url, pool_size=1)
    except (ValueError, SQLAlchemyError) as error:
        raise click.UsageError(f"--database: {_first_line(error)}") from None
    try:
        with database.reading() as session:
            total = count_check_ins(session)
            stored = _counted(stored_check_ins(session, before), total)
            found = compare(before, after, stored)
    except SQLAlchemyError as error:
        click.echo(f"The database cannot be read: {_first_line(error)}", err=True)
        context.exit(1)
    finally:
        database.dispose()
    if as_json:
        click.echo(json.dumps(_as_json(found, before, after)))
    else:
        click.echo("\n".join(_told(found, before, after)))


@protocol.command("explain")
@click.argument("ref")
@click.option(
    "--database", "url", envvar="DATABASE_URL", required=True, metavar="URL",
    help="Where the alert is; DATABASE_URL if not given. It is only read.",
)  # fmt: skip
@click.pass_context
def explain_(context: click.Context, ref: str, url: str) -> None:
    """Judge the stored inputs of the alert REF again, by the rules that it names.

    Exits with 1 where a stored reason is not found again.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from patient_portal.database import Database
    from patient_portal.services.alerts import NoSuchAlert
    from patient_portal.services.explaining import explained

    try:
        database = Database(url, pool_size=1)
    except (ValueError, SQLAlchemyError) as error:
        raise click.UsageError(f"--database: {_first_line(error)}") from None
    try:
        with database.reading() as session:
            found = explained(session, ref)
            lines = list(_explained(found))
    except NoSuchAlert:
        lines, found = [f"There is no alert {ref}."], None
    except (SQLAlchemyError, LookupError, ValueError, protocols.ProtocolError) as error:
        lines, found = [f"{ref} cannot be explained: {_first_line(error)}"], None
    finally:
        database.dispose()
    click.echo("\n".join(lines), err=found is None)
    context.exit(1 if found is None or found.not_found else 0)


def _explained(found: Explained) -> Iterator[str]:
    alert, words = found.alert, {r.id: r.staff for r in protocols.kept(found.alert.protocol).rules}
    yield f"{alert.ref}, opened {alert.opened_at:%Y-%m-%d %H:%M} UTC, judged by {alert.protocol}"
    again = {one.rule: one.level.code for one in found.again.reasons}
    yield f"  {'rule':10}{'stored':11}{'again':11}"
    for rule in dict.fromkeys([*again, *found.stored]):
        row = f"{found.stored.get(rule, '-'):11}{again.get(rule, '-'):11}"
        yield f"  {rule:10}{row}{words.get(rule, '')}".rstrip()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _counted(stored: Iterable[Stored], total: int) -> Iterator[Stored]:
    spoken = time.monotonic()
    for number, one in enumerate(stored, start=1):
        yield one
        if time.monotonic() - spoken > QUIET_SECONDS:
            spoken = time.monotonic()
            print(f"{number} of {total} check-ins", file=sys.stderr)


def _told(found: Comparison, before: Protocol, after: Protocol) -> Iterator[str]:
    yield f"{before.id} (in force) against {after.id}"
    yield f"{found.check_ins} check-ins on {found.patient_days} patient-days"
    if found.unreadable:
        yield f"{found.unreadable} check-ins cannot be judged by one of them; they are left out"
    if found.drifted:
        yield (
            f"{found.drifted} come to another level by {before.id} today than is stored"
            " (a corrected answer, a closed alert or a changed profile)"
        )
    yield ""
    yield f"{'':22}{'days':>8}  per 100 patient-days"
    for name, count in (
        ("alerts before", found.alerts_before),
        ("alerts after", found.alerts_after),
        ("gained", found.gained),
        ("lost", found.lost),
        ("raised to emergency", found.raised),
        ("lowered to urgent", found.lowered),
    ):
        yield f"{name:22}{count:>8}  {found.per_100_days(count):.2f}"
    for name, rules in (("gained by", found.gained_by), ("lost by", found.lost_by)):
        if rules:
            yield f"{name}: " + ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
    if found.examples:
        yield ""
        yield "First of them (check-in, before, after, rules that differ)"
        for one in found.examples:
            yield f"  {one.id}  {one.before.code}  {one.after.code}  {', '.join(one.rules)}"


def _as_json(found: Comparison, before: Protocol, after: Protocol) -> dict[str, object]:
    made = dict(vars(found))
    made["examples"] = [
        {"id": e.id, "before": e.before.code, "after": e.after.code, "rules": list(e.rules)}
        for e in found.examples
    ]
    rates = ("alerts_before", "alerts_after", "gained", "lost")
    return {
        "before": before.id,
        "after": after.id,
        **made,
        "per_100_patient_days": {key: round(found.per_100_days(made[key]), 4) for key in rates},
    }
