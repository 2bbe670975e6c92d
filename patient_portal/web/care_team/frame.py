"""What stands around every page of the care team: who is on call, how many alerts wait, when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from flask import g
from sqlalchemy.orm import Session

from patient_portal.domain.schedule import readable_zone
from patient_portal.models import Clinic, Position
from patient_portal.services import alarm_words, inbox
from patient_portal.services.alarm_path import Finding, Trouble
from patient_portal.services.alarm_words import Place, Said
from patient_portal.services.inbox import Duty, OnDuty
from patient_portal.web import alarm
from patient_portal.web.access import viewer
from patient_portal.web.context import reading
from patient_portal.web.language import current_language, current_words
from patient_portal.words import format_date, format_time


@dataclass(frozen=True)
class Frame:
    """The clinic's present moment, as the top of a page shows it."""

    duty: Duty
    open_count: int
    now: datetime
    language: str
    findings: Sequence[Finding] = ()

    @property
    def clinic(self) -> Clinic:
        """The clinic whose page this is."""
        return self.duty.clinic

    @property
    def loaded_at(self) -> str:
        """When the page was made, on the clinic's clock."""
        return self.time(self.now)

    @cached_property
    def broken(self) -> list[Said]:
        """What may keep an alert from everybody at this moment, in words."""
        return [self._said(each) for each in self.findings if each.is_broken]

    @cached_property
    def unproven(self) -> list[Said]:
        """What has to be mended, or proven anew, before it does harm."""
        shown = (each for each in self.findings if each.trouble is not Trouble.UNTAKEN)
        return [self._said(each) for each in shown if not each.is_broken]

    def _said(self, finding: Finding) -> Said:
        zone = ZoneInfo(readable_zone(self.clinic.zone))
        place = Place(zone, self.clinic.country, self.now)
        return alarm_words.said(current_words(), finding, place)

    def names(self, position: str) -> str:
        """Who holds a position now, as a list of names; empty if nobody does."""
        return ", ".join(member.name for member in self.people(position))

    def people(self, position: str) -> tuple[OnDuty, ...]:
        """Who holds a position now."""
        return self.duty.on_call.get(Position(position), ())

    def time(self, moment: datetime) -> str:
        """A moment on the clinic's clock; with the day when it is not today."""
        zone = ZoneInfo(readable_zone(self.clinic.zone))
        text = format_time(moment, zone, self.language, self.clinic.country)
        day = moment.astimezone(zone).date()
        if day == self.now.astimezone(zone).date():
            return text
        return f"{format_date(day, self.language, self.clinic.country, 'day')}, {text}"


def load(session: Session, now: datetime, clinic_id: str, open_count: int | None = None) -> Frame:
    """Read the frame within a view's own transaction, and keep it for the template."""
    frame = Frame(
        duty=inbox.duty(session, clinic_id, now),
        open_count=inbox.count_open(session, clinic_id) if open_count is None else open_count,
        now=now,
        language=current_language(),
        findings=alarm.findings(session, now, clinic_id),
    )
    g.home_country = frame.clinic.country  # local numbers are written as people there dial them
    g.staff_frame = frame
    return frame


def staff_frame() -> Frame | None:
    """The frame of this page; None for a stranger. A function for templates."""
    found = g.get("staff_frame")
    if isinstance(found, Frame):
        return found
    staff = viewer().staff
    if staff is None:
        return None
    with reading() as (session, now):
        return load(session, now, staff.clinic_id)
