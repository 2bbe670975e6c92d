"""``rota show`` and ``rota simulate``: who is on call, and how likely somebody takes an alert."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.cli.clinic import FoundWrong, one_clinic
from patient_portal.cli.environment import open_database, settings_or_exit
from patient_portal.clock import clock_of
from patient_portal.domain.ladders import ladder_of
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.rota import Position
from patient_portal.domain.rota_check import LOOK_AHEAD, Finding, look_ahead
from patient_portal.domain.rota_simulation import (
    HOURS,
    LIMITS,
    Assumptions,
    Fix,
    Habit,
    Outcome,
    Scene,
    best_fixes,
    simulate,
)
from patient_portal.models import Clinic, Role
from patient_portal.services.rota_plan import Board, read_board

DAYS = LOOK_AHEAD.days


class HabitType(click.ParamType[Habit]):
    """A table like 5:60,10:75: within 5 minutes with a chance of 60 %, within 10 with 75 %."""

    name = "MINUTES:PERCENT,…"

    def convert(self, value: object, param: object, ctx: object) -> Habit:
        """The table, or a usage error: both numbers must grow, to 30 minutes and 100 % at most."""
        if not isinstance(value, str):
            return value  # type: ignore[return-value]
        try:
            pairs = [one.split(":") for one in value.split(",")]
            found = tuple((float(minutes), float(chance) / 100) for minutes, chance in pairs)
        except ValueError:
            raise click.BadParameter(f"{value!r} is no table like 5:60,10:75.") from None
        grown = list(zip(((0.0, 0.0), *found), found, strict=False))
        if not all(a[0] < b[0] <= 30 and a[1] < b[1] <= 1 for a, b in grown):
            raise click.BadParameter("minutes and percent must grow, to 30 and 100 at most.")
        return found


@click.group()
def rota() -> None:
    """Show a clinic's rota; try how likely an alert is taken in time."""


@rota.command("show")
@click.option("--clinic", "clinic_name", help="Name or id; may be left out if there is only one.")
@click.option("--demo", is_flag=True, hidden=True)
def show(clinic_name: str | None, demo: bool) -> None:
    """Who is on call now and for the next 14 days, and what must be mended (exit 1)."""
    with open_database(settings_or_exit(demo=demo)) as database, database.reading() as session:
        board, now = _board(session, clinic_name, demo)
        click.echo(f"{board.clinic.name}, times of {board.plan.zone}")
        for position, spans in board.plan.lines(now, now + LOOK_AHEAD).items():
            click.echo(f"\n{position.value}")
            for span in spans:
                names = ", ".join(board.name(each) for each in span.people) or "NOBODY"
                starts, ends = _when(board, span.starts), _when(board, span.ends)
                click.echo(f"  {starts} to {ends}  {names}")
        findings = look_ahead(board.plan, now)
        click.echo(f"\n{len(findings)} findings in the next {DAYS} days")
        for one in findings:
            click.echo(f"  {_finding(board, one)}")
    if findings:
        raise click.exceptions.Exit(1)


@rota.command("simulate")
@click.option("--clinic", "clinic_name", help="Name or id; may be left out if there is only one.")
@click.option("--day", type=HabitType(), help="How people answer by day.")
@click.option("--night", type=HabitType(), help="How people answer at night.")
@click.option("--day-from", type=click.IntRange(0, 23), help="Local hour in which the day begins.")
@click.option("--day-until", type=click.IntRange(1, 24), help="Local hour in which it ends.")
@click.option(
    "--arrives", type=click.FloatRange(0, 100), help="Percent of texts that reach their phone."
)
@click.option("--alerts", default=60, show_default=True, type=click.IntRange(1, 2000),
              help="Alerts tried in each hour of the week, for each level.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="The same seed, the same figures.")
@click.option("--fixes/--no-fixes", default=True, help="Try what single change would help most.")
@click.option("--demo", is_flag=True, hidden=True)
def simulate_command(
    clinic_name: str | None,
    day: Habit | None,
    night: Habit | None,
    day_from: int | None,
    day_until: int | None,
    arrives: float | None,
    alerts: int,
    seed: int,
    fixes: bool,
    demo: bool,
) -> None:
    """How likely an alert is taken in time in the week ahead, the worst hour, the best fix.

    The figures rest on assumptions about people, printed first. They compare one rota with
    another; they promise nothing about a single night.
    """
    usual = Assumptions()
    assumptions = Assumptions(
        day=day or usual.day,
        night=night or usual.night,
        day_from=usual.day_from if day_from is None else day_from,
        day_until=usual.day_until if day_until is None else day_until,
        arrives=usual.arrives if arrives is None else arrives / 100,
    )
    with open_database(settings_or_exit(demo=demo)) as database, database.reading() as session:
        board, now = _board(session, clinic_name, demo)
        scene = scene_of(board, now, assumptions)
    _say_assumptions(assumptions, alerts, seed)
    outcome = simulate(scene, alerts_an_hour=alerts, seed=seed)
    _say_outcome(scene, outcome)
    if fixes:
        names = {each.id: each.name for each in board.people.values()}
        few = max(1, alerts // 3)
        before = simulate(scene, alerts_an_hour=few, seed=seed).figure
        click.echo("\nTrying single changes", nl=False, err=True)
        found = best_fixes(
            scene, names, alerts_an_hour=few, seed=seed,
            tried=lambda _done, _of: click.echo(".", nl=False, err=True),
        )  # fmt: skip
        click.echo(err=True)
        _say_fixes(before, found)


def scene_of(board: Board, now: datetime, assumptions: Assumptions) -> Scene:
    """The clinic's week ahead, from the next full hour, as the simulation sees it."""
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    lines = board.plan.lines(start, start + timedelta(hours=HOURS + 2))
    numbers = {
        each.id: sum(number.is_usable for number in each.reach.numbers)
        for each in board.people.values()
        if not each.is_disabled
    }
    everyone = tuple(
        each.id for each in board.people.values()
        if each.role is not Role.AUDITOR and numbers.get(each.id)
    )  # fmt: skip
    return Scene(
        start, board.plan.zone, lines, ladder_of(board.clinic.ladder), numbers, everyone,
        catch_all=board.clinic.catch_all is not None, assumptions=assumptions,
    )  # fmt: skip


def _say_assumptions(made: Assumptions, alerts: int, seed: int) -> None:
    click.echo("Assumed, not measured. Each person answers on their own:")
    for name, habit in (("day", made.day), ("night", made.night)):
        table = ", ".join(f"{chance:.0%} within {minutes:g} min" for minutes, chance in habit)
        click.echo(f"  by {name}: {table}")
    click.echo(f"  day is from {made.day_from}:00 to {made.day_until}:00 on the clinic's clock")
    click.echo(f"  a text reaches its phone: {made.arrives:.0%}; a second number is texted a")
    click.echo("  minute after a text that was lost; the clinic's own phone answers like a person")
    click.echo("  a further text to the same person adds no chance")
    click.echo(f"  {alerts} alerts a level in each hour of the week ahead, seed {seed}")


def _say_outcome(scene: Scene, outcome: Outcome) -> None:
    click.echo("\nChance that somebody takes an alert")
    heads = "".join(f"  within {minutes:>2} min" for minutes in LIMITS)
    click.echo(f"{'':<10}{heads}   before the patient is told to call")
    for level in (TriageLevel.EMERGENCY, TriageLevel.URGENT):
        cells = "".join(f"{outcome.within[level][minutes]:>15.1%}" for minutes in LIMITS)
        click.echo(f"{level.code:<10}{cells}{outcome.overall(level):>12.1%}")
    hour, chance = outcome.worst_hour()
    worst = (scene.start + timedelta(hours=hour)).astimezone(ZoneInfo(scene.zone))
    held = {
        position.value: next(
            (
                span.people
                for span in scene.lines[position]
                if span.starts <= worst.astimezone(UTC) < span.ends
            ),
            (),
        )
        for position in Position
    }
    empty = [position for position, people in held.items() if not people]
    missing = f" (nobody is {', '.join(empty)})" if empty else ""
    click.echo(f"\nWorst hour: {worst:%A %d %B, %H:00}, {chance:.1%} in time{missing}")


def _say_fixes(before: float, found: list[Fix]) -> None:
    click.echo(f"\nTaken in time, both levels together: {before:.1%}. With one change:")
    for fix in found[:3]:
        click.echo(f"  {fix.figure:.1%}  {fix.what}")
    best = found[0]
    if best.figure <= before:
        click.echo("Best fix: none of the changes that were tried helps.")
    else:
        click.echo(f"Best fix: {best.what} (+{(best.figure - before) * 100:.1f} points).")


def _board(session: Session, clinic_name: str | None, demo: bool) -> tuple[Board, datetime]:
    now = clock_of(demo=demo).now(session)
    if clinic_name is not None:
        return read_board(session, one_clinic(session, clinic_name), now), now
    found = session.scalars(select(Clinic)).all()
    if len(found) != 1:
        raise FoundWrong(f"There are {len(found)} clinics: name one with --clinic.")
    return read_board(session, found[0], now), now


def _when(board: Board, moment: datetime) -> str:
    return f"{moment.astimezone(board.zone):%a %d %b %H:%M}"


def _finding(board: Board, one: Finding) -> str:
    who = ", ".join(board.name(each) for each in one.people)
    position = one.position.value if one.position else ""
    parts = [one.trouble.value.replace("_", " "), position, who]
    times = f"{_when(board, one.starts)} to {_when(board, one.ends)}"
    return ", ".join(part for part in (*parts, times) if part)
