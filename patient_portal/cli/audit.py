"""``audit verify``: whether the audit log is whole."""

import re
import time
from collections.abc import Callable

import click

from patient_portal.cli.environment import UsedWrongly, open_database, settings_or_exit
from patient_portal.services import audit_chains

SAY_AFTER = 2.0  # seconds
_NOTE = re.compile(r"(?P<chain>[A-Za-z0-9_-]{1,16}):(?P<seq>[0-9]{1,18}):(?P<hash>[0-9a-f]{64})")


@click.group()
def audit() -> None:
    """Check the audit log."""


@audit.command("verify")
@click.option("--clinic", help="Only this clinic's chain, by its id; - for rows without a clinic.")
@click.option(
    "--kept", multiple=True, metavar="CHAIN:NUMBER:HASH",
    help="A place that was noted outside the database before. May be given again and again.",
)  # fmt: skip
@click.option("--demo", is_flag=True, hidden=True)
def verify_command(clinic: str | None, kept: tuple[str, ...], demo: bool) -> None:
    """Check numbers and hashes from the first row to the last; exit status 1 if one is wrong.

    Each good line ends in CHAIN:NUMBER:HASH. Keep it where nobody who can write to the database
    can change it, and hand it back with --kept the next time.
    """
    notes = _notes(kept)
    is_bad = False
    with open_database(settings_or_exit(demo=demo)) as database, database.reading() as session:
        known = audit_chains.chains(session)
        if clinic is not None and clinic not in known:
            raise UsedWrongly(f"There is no chain {clinic!r}. There are: {', '.join(known)}")
        on_row = progress(audit_chains.count_rows(session))
        wanted = [clinic] if clinic is not None else sorted({*known, *notes})
        for chain in wanted:
            proof = audit_chains.verify(session, chain, kept=notes.get(chain), on_row=on_row)
            is_bad |= bool(proof.bad)
            click.echo(_line(proof))
    if is_bad:
        raise click.exceptions.Exit(1)


def _notes(kept: tuple[str, ...]) -> dict[str, dict[int, str]]:
    notes: dict[str, dict[int, str]] = {}
    for each in kept:
        found = _NOTE.fullmatch(each.strip())
        if found is None:
            raise UsedWrongly(f"--kept {each!r} is not CHAIN:NUMBER:HASH as verify prints it.")
        notes.setdefault(found["chain"], {})[int(found["seq"])] = found["hash"]
    return notes


def _line(proof: audit_chains.Proof) -> str:
    if proof.bad:
        return f"WRONG {proof.chain}: row {proof.bad_seq}: {proof.bad} ({proof.rows} good before)"
    return f"ok    {proof.rows} rows  {proof.chain}:{proof.end.seq}:{proof.end.hash}"


def progress(total: int, clock: Callable[[], float] = time.monotonic) -> Callable[[], None]:
    """Says how far it is, each second from the third on, where it does not mix with the lines."""
    done, said_at = 0, clock() + SAY_AFTER - 1

    def on_row() -> None:
        nonlocal done, said_at
        done += 1
        if done % 200 == 0 and clock() - said_at >= 1:
            said_at = clock()
            click.echo(f"{done} of {total} rows …", err=True)

    return on_row
