"""``staff add`` and ``staff disable``."""

import os
import secrets
import sys
from pathlib import Path

import click

from patient_portal.cli.clinic import FoundWrong, one_clinic, phone_or_exit
from patient_portal.cli.environment import UsedWrongly, open_database, settings_or_exit
from patient_portal.clock import clock_of
from patient_portal.models import Position, Role
from patient_portal.services import accounts, duty, phones, rota, team
from patient_portal.services.audit import SYSTEM

PASSWORD_VARIABLE = "STAFF_PASSWORD"  # noqa: S105 - a name


@click.group()
def staff() -> None:
    """Add and disable members of the care team."""


@staff.command("add")
@click.option("--name", required=True, help='What patients may read: "N. Silva".')
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--email", required=True, help="The sign-in name.")
@click.option("--phone", default="", help="For alerts by text.")
@click.option("--clinic", "clinic_name", required=True, help="The clinic's name or id.")
@click.option(
    "--on-call",
    type=click.Choice([position.value for position in Position]),
    help="Put this person on call now, in this position of the ladder.",
)
@click.option("--generate", is_flag=True, help="Make a password and print it once.")
@click.option("--demo", is_flag=True, hidden=True)
def add(
    name: str,
    role: str,
    email: str,
    phone: str,
    clinic_name: str,
    on_call: str | None,
    generate: bool,
    demo: bool,
) -> None:
    """Add a member of staff.

    The password comes from STAFF_PASSWORD or the file STAFF_PASSWORD_FILE, is asked for at a
    terminal, or is made and printed with --generate.
    """
    if not 0 < len(name.strip()) <= 60:
        raise click.BadParameter("a name has 1 to 60 characters.", param_hint="--name")
    if "@" not in email.strip("@ ") or len(email) > 120:
        raise click.BadParameter(f"{email!r} is no e-mail address.", param_hint="--email")
    if on_call and not phone:
        raise click.BadParameter("somebody on call needs a phone.", param_hint="--phone")
    settings = settings_or_exit(demo=demo)
    password = secrets.token_urlsafe(18) if generate else _password()
    try:
        password_hash = accounts.hash_password(password)
    except accounts.UnusablePassword as error:
        raise UsedWrongly(f"This password cannot be used: {error}.") from None
    with open_database(settings) as database, database.transaction() as session:
        now = clock_of(demo=demo).now(session)
        place = one_clinic(session, clinic_name)
        new = team.NewStaff(
            clinic_id=place.id,
            name=name.strip(),
            role=Role(role),
            email=email,
            phone=phone_or_exit(phone, place.country) if phone else None,
        )
        try:
            added = team.add_staff(session, new, password_hash, SYSTEM, now)
        except team.EmailTaken:
            raise FoundWrong(f"{email} signs in already.") from None
        if on_call:
            rota.put_on_call(session, added, Position(on_call), SYSTEM, now)
        click.echo(f"Added {added.name}, {role}, at {place.name}.")
        if on_call:
            click.echo(
                "On call from now on. The phone is not proven until it answers a test: "
                f"patient-portal staff test-phone --email {email}"
            )
    if generate:
        click.echo(f"Password (shown once): {password}")


@staff.command("test-phone")
@click.option("--email", required=True)
@click.option("--demo", is_flag=True, hidden=True)
def test_phone(email: str, demo: bool) -> None:
    """Text a test to somebody's phone. The answer, by text, proves it; a worker must run."""
    with open_database(settings_or_exit(demo=demo)) as database, database.transaction() as session:
        found = team.staff_by_email(session, email)
        if found is None:
            raise FoundWrong(f"Nobody signs in as {email}.")
        numbers = phones.usable(session, found.id)
        if not numbers:
            raise FoundWrong(f"{found.name} has no phone that can be texted.")
        try:
            duty.send_test(session, numbers[0], SYSTEM, clock_of(demo=demo).now(session))
        except duty.TooManyTests:
            raise FoundWrong("This phone got many tests today. Call the person instead.") from None
        click.echo(f"A test waits for the worker, to {found.name}. Their answer proves the phone.")


@staff.command("disable")
@click.option("--email", required=True)
@click.option("--demo", is_flag=True, hidden=True)
def disable(email: str, demo: bool) -> None:
    """Close an account; its sessions end at once, and it is taken off call."""
    with open_database(settings_or_exit(demo=demo)) as database, database.transaction() as session:
        found = team.staff_by_email(session, email)
        if found is None:
            raise FoundWrong(f"Nobody signs in as {email}.")
        team.disable_staff(session, found, SYSTEM, clock_of(demo=demo).now(session))
        click.echo(f"Disabled {found.name}.")
        if not team.is_anybody_reachable(session, found.clinic_id):
            click.echo("Warning: nobody of this clinic can be texted about an alert now.", err=True)


def _password() -> str:
    value = os.environ.get(PASSWORD_VARIABLE, "")
    file = os.environ.get(f"{PASSWORD_VARIABLE}_FILE", "")
    if not value and file:
        try:
            value = Path(file).read_text("utf-8").rstrip("\n")
        except OSError as error:
            raise UsedWrongly(
                f"{PASSWORD_VARIABLE}_FILE cannot be read: {error.strerror}."
            ) from None
    if not value and sys.stdin.isatty():
        value = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    if not value:
        raise UsedWrongly(
            f"No password: set {PASSWORD_VARIABLE} or {PASSWORD_VARIABLE}_FILE, or use --generate."
        )
    return value
