"""``clinic add`` and ``clinic set``: a clinic, its place, its hours and its lines."""

from datetime import time
from zoneinfo import available_timezones

import click
from sqlalchemy.orm import Session

from patient_portal.cli.environment import open_database, settings_or_exit
from patient_portal.clock import clock_of
from patient_portal.domain.phone_numbers import NotAPhoneNumber, read_phone
from patient_portal.domain.places import PLACES
from patient_portal.models import Clinic, StaffMember
from patient_portal.services import clinic_lines, cover, team
from patient_portal.services.audit import SYSTEM
from patient_portal.services.cover import Missing
from patient_portal.words import known_languages


class FoundWrong(click.ClickException):
    """The command ran and found something wrong; exit status 1."""

    exit_code = 1


class WallTime(click.ParamType[time]):
    """A time of day like 08:00."""

    name = "HH:MM"

    def convert(self, value: object, param: object, ctx: object) -> time:
        """The time, or a usage error."""
        try:
            return value if isinstance(value, time) else time.fromisoformat(str(value))
        except ValueError:
            raise click.BadParameter(f"{value!r} is no time like 08:00.") from None


def phone_or_exit(text: str, country: str) -> str:
    """A phone number in E.164, or a usage error."""
    try:
        return read_phone(text, country)
    except NotAPhoneNumber:
        raise click.BadParameter(f"{text!r} is no phone number of {country}.") from None


@click.group()
def clinic() -> None:
    """Add a clinic, or change its lines."""


@clinic.command("add")
@click.option("--name", required=True, help="Stands in every text; must not say what is treated.")
@click.option("--country", required=True, help="ISO 3166, like US.")
@click.option("--zone", required=True, help="IANA, like America/New_York.")
@click.option("--line", required=True, help="The number answered 24 hours a day.")
@click.option("--language", default="en", show_default=True, help="Of the staff's pages and texts.")
@click.option("--staffed-from", type=WallTime(), default="08:00", show_default=True)
@click.option("--staffed-until", type=WallTime(), default="18:00", show_default=True)
@click.option(
    "--uk-lines", is_flag=True, help="37.5 °C and above, and below 36.0 °C, count as urgent."
)
@click.option("--catch-all", help="A phone of the clinic that is texted when nobody else is left.")
@click.option("--demo", is_flag=True, hidden=True)
def add(
    name: str,
    country: str,
    zone: str,
    line: str,
    language: str,
    staffed_from: time,
    staffed_until: time,
    uk_lines: bool,
    catch_all: str | None,
    demo: bool,
) -> None:
    """Add a clinic and print its id."""
    country = country.upper()
    if not 0 < len(name.strip()) <= 40:
        raise click.BadParameter("a name has 1 to 40 characters.", param_hint="--name")
    if country not in PLACES:
        raise click.BadParameter(
            f"no checked emergency number for {country!r}. Known: {', '.join(sorted(PLACES))}.",
            param_hint="--country",
        )
    if zone not in available_timezones():
        raise click.BadParameter(f"{zone!r} is no IANA time zone.", param_hint="--zone")
    if language not in known_languages():
        raise click.BadParameter(
            f"{language!r} is not one of {', '.join(known_languages())}.", param_hint="--language"
        )
    new = team.NewClinic(
        name=name.strip(),
        country=country,
        zone=zone,
        language=language,
        line=phone_or_exit(line, country),
        staffed_from=staffed_from,
        staffed_until=staffed_until,
        uk_lines=uk_lines,
        catch_all=phone_or_exit(catch_all, country) if catch_all else None,
    )
    with open_database(settings_or_exit(demo=demo)) as database, database.transaction() as session:
        now = clock_of(demo=demo).now(session)
        added = team.add_clinic(session, new, SYSTEM, now)
        click.echo(f"Added clinic {added.name}, id {added.id}.")


_MISSING = {
    Missing.COVER: "ring the clinic's line at night, and confirm it on the page Alarm",
    Missing.FALLBACK: "give the clinic a phone of its own to fall back on (page On call)",
    Missing.PHONES: "each position on the rota needs a phone that answered a test (page On call)",
    Missing.DRILL: "a test of the alarm must be answered: patient-portal drill",
}


@clinic.command("go-live")
@click.argument("clinic_name", metavar="CLINIC")
@click.option("--demo", is_flag=True, hidden=True)
def go_live(clinic_name: str, demo: bool) -> None:
    """Let CLINIC (id or name) invite patients, if an alert is proven to find somebody."""
    with open_database(settings_or_exit(demo=demo)) as database, database.transaction() as session:
        found = one_clinic(session, clinic_name)
        try:
            is_new = cover.go_live(session, found, SYSTEM, clock_of(demo=demo).now(session))
        except cover.NotReady as error:
            lines = "\n- ".join(_MISSING[one] for one in error.missing)
            raise FoundWrong(f"{found.name} cannot go live yet:\n- {lines}") from None
        click.echo(f"{found.name} is live{'' if is_new else ', as before'}.")


_REFUSED = {
    "two_clinicians": "turning them off needs --clinician and --second-clinician.",
    "same_person": "the two clinicians must be two people.",
    "role": "the first must be a nurse, physician or lead, the second a physician or lead.",
}


@clinic.command("set")
@click.argument("clinic_name", metavar="CLINIC")
@click.option(
    "--uk-lines/--no-uk-lines",
    required=True,
    help="Whether 37.5 °C and above, and below 36.0 °C, count as urgent.",
)
@click.option("--clinician", help="Name or e-mail of who agrees to turn them off.")
@click.option("--second-clinician", help="A physician or lead who agrees too.")
@click.option("--demo", is_flag=True, hidden=True)
def change(
    clinic_name: str,
    uk_lines: bool,
    clinician: str | None,
    second_clinician: str | None,
    demo: bool,
) -> None:
    """Change the lines of CLINIC (id or name). On holds at once; off needs two clinicians of it."""
    with open_database(settings_or_exit(demo=demo)) as database, database.transaction() as session:
        found = one_clinic(session, clinic_name)
        named = [name for name in (clinician, second_clinician) if name]
        agreed = [_one_clinician(session, found, name) for name in named]
        now = clock_of(demo=demo).now(session)
        try:
            is_new = clinic_lines.set_uk_lines(session, found, uk_lines, SYSTEM, now, agreed)
        except clinic_lines.LinesRefused as refused:
            raise FoundWrong(_REFUSED[refused.code]) from None
        state = "on" if uk_lines else "off"
        click.echo(f"UK lines of {found.name} are {state}{'' if is_new else ', as before'}.")


def _one_clinician(session: Session, clinic: Clinic, name: str) -> StaffMember:
    found = clinic_lines.clinicians_named(session, clinic, name)
    if len(found) != 1:
        raise FoundWrong(f"{len(found)} people of {clinic.name} have the name or e-mail {name!r}.")
    return found[0]


def one_clinic(session: Session, name: str) -> Clinic:
    """The clinic with this id or name; exits when there is none, or more than one."""
    found = team.clinics_named(session, name)
    if len(found) != 1:
        much = "no clinic" if not found else f"{len(found)} clinics: give an id of"
        listed = ", ".join(f"{one.name} ({one.id})" for one in found)
        raise FoundWrong(f"There is {much} {listed or repr(name)}.")
    return found[0]
