"""Patients from a file: each row read by the rules of the invitation's form, all or none added."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import available_timezones

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from patient_portal.database import new_id
from patient_portal.domain import new_patient
from patient_portal.domain.measures import PLAUSIBLE
from patient_portal.domain.new_patient import Slip
from patient_portal.domain.patient_sheet import Finding, Row, Sheet
from patient_portal.domain.places import PLACES, default_units
from patient_portal.models import Clinic, Link, LinkKind, Patient
from patient_portal.services import messages
from patient_portal.services.audit import Actor, record
from patient_portal.services.enrolment import (
    CONSENT_VERSION,
    ClinicNotLive,
    Invitation,
    invitation_text,
    link_for,
    person_of,
    row_of,
)
from patient_portal.services.site import Site

_YES = frozenset({"yes", "y", "true", "1", "x", "sí", "si"})
_BETWEEN = re.compile(r"[,;|/]")
Read = TypeVar("Read")


class NothingImported(ValueError):
    """Somebody of the file is in the clinic already; ``findings`` say who."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("nothing imported")
        self.findings = findings


@dataclass(frozen=True)
class Entry:
    """A row that is right."""

    row: int
    invitation: Invitation


class SheetRules:
    """What a clinic's rows may hold. Empty language, country and zone are the clinic's own."""

    def __init__(self, site: Site, clinic: Clinic, languages: Sequence[str], today: date) -> None:
        self.clinic = clinic
        self.today = today
        self.languages = {code.casefold(): code for code in languages}
        self.countries = {code.casefold(): code for code in PLACES}
        self.zones = {zone.casefold(): zone for zone in available_timezones()}
        self.drugs = {drug.name.casefold(): drug.code for drug in site.protocol.drugs}
        self.drugs |= {drug.code: drug.code for drug in site.protocol.drugs}
        items = new_patient.usual_items(site.protocol)
        self.usual = {label.casefold(): key for key, label in items}
        self.usual |= {key: key for key, _ in items}


class _Reading:
    """One row being read: every cell is looked at, whatever was wrong before."""

    def __init__(self, row: Row, rules: SheetRules) -> None:
        self.row = row
        self.rules = rules
        self.findings: list[Finding] = []

    def cell(self, column: str, read: Callable[[str], Read], instead: Read) -> Read:
        """What the cell means; ``instead`` when it is wrong, which is then a finding."""
        text = self.row[column]
        try:
            return read(text)
        except Slip as slip:
            self.findings.append(Finding(self.row.number, column, text, slip.code, _detail(slip)))
            return instead

    def one_of(self, column: str, known: dict[str, str], own: str = "") -> str:
        """The code that the cell means, in either case; the clinic's ``own`` when it is empty."""

        def read(text: str) -> str:
            plain = text.strip().casefold() or own.casefold()
            return known[new_patient.listed(plain, known)]

        return self.cell(column, read, own)

    def usual(self, text: str) -> tuple[str, ...]:
        """Long-standing symptoms, several with a comma, semicolon, bar or slash between."""
        known = self.rules.usual
        words = [word.strip().casefold() for word in _BETWEEN.split(text)]
        found = new_patient.all_listed([word for word in words if word], known)
        return tuple(dict.fromkeys(known[word] for word in found))

    def first_dose(self, text: str) -> date | None:
        """The day of the first dose; None when nobody knows."""
        return new_patient.new_first_dose(text, self.rules.today) if text.strip() else None

    def invitation(self) -> Invitation:
        """What the row means, if there are no findings afterwards."""
        rules, clinic, cell = self.rules, self.rules.clinic, self.cell
        country = self.one_of("country", rules.countries, clinic.country)
        unit = self.row["weight_unit"].strip().casefold()
        weight = cell("weight", lambda text: new_patient.new_weight(text, unit), None)
        cell("consent", _consent, None)
        units = default_units(country)
        return Invitation(
            key=new_id(),
            first_name=cell("first_name", new_patient.new_name, ""),
            last_name=cell("last_name", new_patient.new_name, ""),
            birth_year=cell(
                "birth_year", lambda text: new_patient.new_birth_year(text, rules.today), 0
            ),
            phone=cell("phone", lambda text: new_patient.new_phone(text, clinic.country), ""),
            language=self.one_of("language", rules.languages, clinic.language),
            country=country,
            zone=self.one_of("zone", rules.zones, clinic.zone),
            drug=self.one_of("drug", rules.drugs),
            first_dose_on=cell("first_dose", self.first_dose, None),
            baseline_weight=weight.value if weight else None,
            baseline_weight_unit=weight.unit if weight else None,
            usual=cell("usual", self.usual, ()),
            record_number=cell("record_number", new_patient.new_record_number, None),
            temperature_unit=units[0],
            weight_unit=weight.unit if weight else units[1],
        )


def _consent(text: str) -> None:
    if text.strip().casefold() not in _YES:
        raise Slip("consent")


def _detail(slip: Slip) -> str:
    if slip.measure is None or slip.doubt is None:
        return ""
    low, high = PLAUSIBLE[slip.measure.unit]
    meant = new_patient.meant_instead(slip.doubt)
    asked = f"; is it {meant}?" if meant else ""
    return f"{low} to {high} {slip.measure.unit}{asked}"


def read_rows(
    sheet: Sheet, rules: SheetRules, on_row: Callable[[], None]
) -> tuple[list[Entry], list[Finding]]:
    """The rows that are right, and everything that is wrong in the file."""
    odd = {(finding.row, finding.column) for finding in sheet.findings}
    entries, findings = [], list(sheet.findings)
    for row in sheet.rows:
        reading = _Reading(row, rules)
        invitation = reading.invitation()
        findings += [one for one in reading.findings if (one.row, one.column) not in odd]
        if not reading.findings:
            entries.append(Entry(row.number, invitation))
        on_row()
    return entries, findings + _twice_in_file(entries)


def _twice_in_file(entries: Sequence[Entry]) -> list[Finding]:
    found = []
    people: dict[Any, int] = {}
    numbers: dict[str, int] = {}
    for entry in entries:
        one = entry.invitation
        first = people.setdefault(person_of(one), entry.row)
        if first != entry.row:
            found.append(Finding(entry.row, "phone", one.phone, "person_twice", str(first)))
        if one.record_number:
            first = numbers.setdefault(one.record_number.casefold(), entry.row)
            if first != entry.row:
                number = one.record_number
                found.append(
                    Finding(entry.row, "record_number", number, "record_twice", str(first))
                )
    return found


def known_already(session: Session, clinic_id: str, entries: Sequence[Entry]) -> list[Finding]:
    """Rows of people whom the clinic has: the same person, or the same record number."""
    people: dict[Any, str] = {}
    numbers: dict[str, str] = {}
    query = select(Patient.id, Patient.phone, Patient.birth_year, Patient.last_name,
                   Patient.record_number)  # fmt: skip
    for id_, phone, year, name, number in session.execute(
        query.where(
            Patient.clinic_id == clinic_id, Patient.ended_at.is_(None), Patient.is_test.is_(False)
        )
    ):
        people[(phone, year, name.casefold())] = id_
        if number:
            numbers[number.casefold()] = id_
    found = []
    for entry in entries:
        one = entry.invitation
        if twin := people.get(person_of(one)):
            found.append(Finding(entry.row, "phone", one.phone, "person_known", twin))
        if twin := numbers.get((one.record_number or "").casefold()):
            number = one.record_number or ""
            found.append(Finding(entry.row, "record_number", number, "record_known", twin))
    return found


def import_patients(
    session: Session,
    site: Site,
    clinic_id: str,
    entries: Sequence[Entry],
    actor: Actor,
    now: datetime,
    *,
    file_hash: str,
    invite: bool,
) -> None:
    """Add every patient of the file, and with ``invite`` queue their invitations.

    Raises:
        ClinicNotLive: invitations were asked for, and the clinic may not invite yet.
        NothingImported: somebody was added to the clinic since the file was looked at.
    """
    # Two imports of a clinic take turns. Check-ins only refer to the row, and do not wait.
    clinic = session.get_one(Clinic, clinic_id, with_for_update={"key_share": True})
    if invite and clinic.live_at is None:
        raise ClinicNotLive(clinic_id)
    known = known_already(session, clinic_id, entries)
    if known:
        raise NothingImported(known)
    rows = [row_of(clinic_id, entry.invitation, now) for entry in entries]
    if invite:
        rows = [{**row, "invited_at": now} for row in rows]
    session.execute(insert(Patient), rows)
    for row in rows:
        record(
            session, actor, "patient.added", "patient", row["id"], now=now, clinic_id=clinic_id,
            drug=row["drug"], consent=CONSENT_VERSION, source="file",
        )  # fmt: skip
    if invite:
        _queue_invitations(session, site, clinic, rows, actor, now)
    record(
        session, actor, "patients.imported", "clinic", clinic_id, now=now, clinic_id=clinic_id,
        count=len(rows), invited=invite, file=file_hash,
    )  # fmt: skip


def _queue_invitations(
    session: Session,
    site: Site,
    clinic: Clinic,
    rows: Sequence[dict[str, Any]],
    actor: Actor,
    now: datetime,
) -> None:
    links: list[Link] = []
    drafts: list[messages.Draft] = []
    for row in rows:
        patient = Patient(**row)  # not added to the session: its row is there already
        link = link_for(site, patient, LinkKind.INVITE, now)
        links.append(link)
        drafts.append(invitation_text(site, clinic, patient, link))
        record(
            session, actor, "patient.invited", "patient", patient.id,
            now=now, clinic_id=clinic.id, language=patient.language,
        )  # fmt: skip
    session.add_all(links)
    session.flush()
    messages.queue_all(session, drafts, now)
