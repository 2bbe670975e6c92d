"""`patient-portal cohort`: a protocol put through synthetic courses, assumptions first."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import click

from patient_portal import protocols
from patient_portal.cohort.assumptions import Assumptions, changed, lines
from patient_portal.cohort.figures import Findings, Ill, Quiet, run
from patient_portal.cohort.judging import Judge
from patient_portal.cohort.pictures import pictures
from patient_portal.cohort.variants import variants_of
from patient_portal.domain.protocol import Protocol

QUIET_SECONDS = 2.0
MOST_RULES = 24
SHORT = ("before", "with 5", "5 and 7")


@click.command()
@click.option("--patients", default=600, show_default=True, type=click.IntRange(2, 100_000))
@click.option("--seed", default=1, show_default=True, type=int, help="Same seed, same people.")
@click.option(
    "--weeks", default=8, show_default=True, type=click.IntRange(1, 78), help="How long followed."
)
@click.option(
    "--protocol",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another protocol file than the one in force.",
)
@click.option(
    "--assume",
    "assumptions",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Another number for one of the assumptions; may be given more than once.",
)
@click.option(
    "--svg",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write pictures to this directory.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.pass_context
def cohort(
    context: click.Context,
    patients: int,
    seed: int,
    weeks: int,
    file: Path | None,
    assumptions: tuple[str, ...],
    svg: Path | None,
    as_json: bool,
) -> None:
    """Put a protocol through synthetic courses of therapy.

    Half of the people have differentiation syndrome, half have not. The quiet half tells how
    many false alerts to expect; the other half only shows what its assumptions lead to.
    """
    try:
        protocol = protocols.load(file) if file else protocols.current()
    except protocols.ProtocolError as error:
        click.echo(str(error), err=True)
        context.exit(1)
    assumed = _assumed(assumptions)
    if not as_json:
        click.echo("\n".join(lines(assumed)))
    findings = run(
        Judge(protocol),
        seed=seed,
        people=patients,
        weeks=weeks,
        assumed=assumed,
        variants=variants_of(protocol),
        progress=_progress(),
    )
    if as_json:
        result = {"protocol": protocol.id, "seed": seed, "assumptions": asdict(assumed)}
        click.echo(json.dumps(result | asdict(findings)))
    else:
        click.echo("\n".join(told(protocol, findings)))
    if svg:
        _draw(findings, svg)


def _assumed(given: tuple[str, ...]) -> Assumptions:
    assumed = Assumptions()
    for one in given:
        name, _, number = one.partition("=")
        try:
            assumed = changed(assumed, name.strip(), float(number))
        except ValueError as error:
            raise click.BadParameter(f"{one}: {error}", param_hint="--assume") from None
    return assumed


def _progress() -> Callable[[int, int], None]:
    spoken = time.monotonic()

    def told(done: int, of: int) -> None:
        nonlocal spoken
        if time.monotonic() - spoken > QUIET_SECONDS:
            spoken = time.monotonic()
            click.echo(f"{done} of {of} courses", err=True)

    return told


def _draw(findings: Findings, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pictures(findings).items():
        (directory / name).write_text(text, encoding="utf-8")
        click.echo(f"wrote {directory / name}", err=True)


def told(protocol: Protocol, findings: Findings) -> Iterator[str]:
    """The findings as text, the quiet half first."""
    yield ""
    yield (
        f"{protocol.id}, {findings.people} synthetic people, {findings.weeks} weeks. "
        f"{protocol.status.capitalize()}."
    )
    yield ""
    yield f"Quiet half: no syndrome ({findings.person_days} person-days). The half to trust."
    yield f"  {'':38}{'false alerts':>14}{'urgent':>10}{'emergency':>11}"
    yield f"  {'':38}{'/100 weeks':>14}{'/100 days':>10}{'/100 days':>11}"
    for quiet in (*findings.variants_of_quiet, *findings.quiet):
        yield (
            f"  {quiet.way:38}{quiet.false_alerts:14.1f}{quiet.urgent:10.2f}{quiet.emergency:11.2f}"
        )
    yield from _rules(protocol, findings)
    yield ""
    yield "Half with the syndrome. It shows what the assumptions lead to and is no claim."
    yield f"  {'':38}{'found':>8}{'24 h ahead':>12}{'median lead':>13}"
    yield from map(_ill_row, findings.ill)


def _rules(protocol: Protocol, findings: Findings) -> Iterator[str]:
    """False alerts by rule: with each variant, in force, and by that rule alone."""
    daily, others = findings.quiet[0], findings.variants_of_quiet
    yield ""
    yield "  Red check-ins of quiet people per 100 person-days, by rule (daily check-in)"
    heads = "".join(f"{SHORT[min(place, 2)]:>8}" for place in range(len(others)))
    yield f"  {'rule':8}{heads}{'now':>8}{'alone':>8}"
    every = {one.rule: one for other in (daily, *others) for one in reversed(other.rules)}
    heaviest = sorted(every, key=lambda rule: -max(_named(one, rule) for one in (daily, *others)))
    for rule in heaviest[:MOST_RULES]:
        alone = sum(one.alone for one in daily.rules if one.rule == rule)
        row = "".join(f"{_named(one, rule):8.2f}" for one in (*others, daily))
        yield f"  {rule:8}{row}{alone:8.2f}  {protocol.rule(rule).staff}"


def _named(quiet: Quiet, rule: str) -> float:
    return sum(one.named for one in quiet.rules if one.rule == rule)


def _ill_row(ill: Ill) -> str:
    lead = "none" if ill.median_lead is None else f"{ill.median_lead:.0f} h"
    return f"  {ill.way:38}{ill.found:8.0%}{ill.a_day_ahead:12.0%}{lead:>13}"
