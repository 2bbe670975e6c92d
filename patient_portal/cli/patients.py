"""``patients import`` and ``patients template``: many patients at once, from a spreadsheet."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from sqlalchemy.orm import Session

from patient_portal.cli.audit import progress
from patient_portal.cli.clinic import FoundWrong, one_clinic
from patient_portal.cli.environment import UsedWrongly, open_database, settings_or_exit
from patient_portal.cli.patient_findings import finding_line
from patient_portal.clock import clock_of
from patient_portal.config import Settings
from patient_portal.domain.patient_sheet import (
    COLUMNS,
    LONGEST_FILE,
    Finding,
    Sheet,
    place_of,
    read_sheet,
)
from patient_portal.domain.schedule import local_date, readable_zone
from patient_portal.models import Clinic
from patient_portal.services import patient_import
from patient_portal.services.audit import SYSTEM
from patient_portal.services.enrolment import ClinicNotLive, Invitation
from patient_portal.services.patient_import import Entry, NothingImported, SheetRules
from patient_portal.services.site import site_of
from patient_portal.words import known_languages, may_offer

_NOT_LIVE = (
    "{name} is not live yet, so it may not invite. Nothing was written. Leave --invite away, "
    "or see: patient-portal clinic go-live --help"
)


@click.group()
def patients() -> None:
    """Add patients from a file."""


@patients.command("template")
def template() -> None:
    """Print an empty file: one row with the names of the columns."""
    click.echo(",".join(COLUMNS))


@patients.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--clinic", "clinic_name", required=True, help="The clinic's name or id.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and write nothing.")
@click.option("--invite", is_flag=True, help="Text an invitation to each; the clinic must be live.")
@click.option("--demo", is_flag=True, hidden=True)
def import_file(file: str, clinic_name: str, dry_run: bool, invite: bool, demo: bool) -> None:
    """Add the patients of FILE (CSV in UTF-8, or - for standard input) to a clinic.

    All rows or none: if one is wrong, every wrong place is listed and nothing is written. Comma,
    semicolon or tab is found by itself. Row 1 names the columns, in any order:

    \b
    first_name, last_name   needed
    birth_year              needed: four digits
    phone                   needed: the clinic's country, or with + and its code
    drug                    needed: name or code of a medicine, or unknown
    consent                 needed: yes, if the patient agreed to the texts
    record_number           the hospital's own number
    language, country, zone like en, US, America/New_York; empty = the clinic's
    first_dose              year-month-day, like 2026-11-04
    weight, weight_unit     before therapy; 72.4 or 72,4; kg or lb
    usual                   long-standing symptoms, with / between

    Without --invite nobody is texted. An invitation can be sent later, on the patient's page.
    Exit status: 0 done, 1 something is wrong in the file or the clinic, 2 used wrongly.
    """
    settings = settings_or_exit(demo=demo)
    raw = _content(file)
    sheet = read_sheet(raw)
    with open_database(settings) as database:
        with database.reading() as session:
            clinic = one_clinic(session, clinic_name)
            entries = _right_entries(session, settings, clinic, sheet)
            if invite and clinic.live_at is None:
                raise FoundWrong(_NOT_LIVE.format(name=clinic.name))
        if dry_run:
            _preview(entries, clinic, invite)
            return
        with _refusals(clinic), database.transaction() as session:
            patient_import.import_patients(
                session, site_of(settings), clinic.id, entries, SYSTEM,
                clock_of(demo=demo).now(session),
                file_hash=hashlib.sha256(raw).hexdigest(), invite=invite,
            )  # fmt: skip
    done = "Invitations wait for the worker." if invite else "Nobody was texted."
    click.echo(f"Added {len(entries)} patients to {clinic.name}. {done}")


def _content(file: str) -> bytes:
    try:
        with click.open_file(file, "rb") as opened:
            return bytes(opened.read(LONGEST_FILE + 1))
    except OSError as error:
        raise UsedWrongly(f"{file} cannot be read: {error.strerror}.") from None


def _right_entries(
    session: Session, settings: Settings, clinic: Clinic, sheet: Sheet
) -> list[Entry]:
    """Every row's meaning; ends the command with every finding if one is wrong."""
    languages = [code for code in known_languages() if may_offer(code, drafts=settings.demo)]
    today = local_date(clock_of(demo=settings.demo).now(session), readable_zone(clinic.zone))
    rules = SheetRules(site_of(settings), clinic, languages, today)
    entries, findings = patient_import.read_rows(sheet, rules, progress(len(sheet.rows)))
    findings += patient_import.known_already(session, clinic.id, entries)
    if findings:
        _say_wrong(findings, rules)
    return entries


def _say_wrong(findings: Sequence[Finding], rules: SheetRules) -> None:
    known = {
        "drug": sorted(rules.drugs),
        "language": sorted(rules.languages.values()),
        "country": sorted(rules.countries.values()),
        "zone": ["America/New_York", *sorted(rules.zones.values())],
        "usual": sorted(set(rules.usual.values())),
    }
    for finding in sorted(findings, key=place_of):
        click.echo(finding_line(finding, known))
    places = "1 place is" if len(findings) == 1 else f"{len(findings)} places are"
    raise FoundWrong(f"{places} wrong. Nothing was written.")


@contextmanager
def _refusals(clinic: Clinic) -> Iterator[None]:
    """What can still be refused when the rows are written, said as before."""
    try:
        yield
    except ClinicNotLive:
        raise FoundWrong(_NOT_LIVE.format(name=clinic.name)) from None
    except NothingImported as refused:
        for finding in refused.findings:
            click.echo(finding_line(finding, {}))
        raise FoundWrong("Somebody was added meanwhile. Nothing was written.") from None


def _preview(entries: Sequence[Entry], clinic: Clinic, invite: bool) -> None:
    for entry in entries:
        click.echo(f"row {entry.row}: {_line(entry.invitation)}")
    texted = "and text each an invitation" if invite else "and text nobody"
    click.echo(
        f"This would add {len(entries)} patients to {clinic.name} {texted}. Nothing was written."
    )


def _line(one: Invitation) -> str:
    weight = f"{one.baseline_weight} {one.baseline_weight_unit}" if one.baseline_weight else ""
    parts = [
        f"{one.first_name} {one.last_name}", str(one.birth_year), one.record_number or "",
        one.phone, one.drug, f"first dose {one.first_dose_on or 'not known'}", weight,
        "/".join(one.usual), one.language, one.country, one.zone,
    ]  # fmt: skip
    return ", ".join(part for part in parts if part)
