"""``clinic add``: a clinic, its place and its hours."""

from datetime import time
from zoneinfo import available_timezones

import click

from patient_portal.cli.environment import open_database, settings_or_exit
from patient_portal.clock import clock_of
from patient_portal.domain.phone_numbers import NotAPhoneNumber, read_phone
from patient_portal.domain.places import PLACES
from patient_portal.services import team
from patient_portal.services.audit import SYSTEM
from patient_portal.words import known_languages


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
    """Add a clinic."""


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
    )
    with open_database(settings_or_exit(demo=demo)) as database, database.transaction() as session:
        now = clock_of(demo=demo).now(session)
        added = team.add_clinic(session, new, SYSTEM, now)
        click.echo(f"Added clinic {added.name}, id {added.id}.")
