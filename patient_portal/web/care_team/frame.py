"""What stands around every page of the care team: who is on call, how many alerts wait, when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import g
from sqlalchemy.orm import Session

from patient_portal.domain.schedule import readable_zone
from patient_portal.models import Clinic, Position
from patient_portal.services import inbox
from patient_portal.services.inbox import Duty, OnDuty
from patient_portal.web.access import viewer
from patient_portal.web.context import reading
from patient_portal.web.language import current_language
from patient_portal.words import format_date, format_time

# The worker writes a sign of life every ten seconds.
WORKER_SILENT_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Frame:
    """The clinic's present moment, as the top of a page shows it."""

    duty: Duty
    open_count: int
    now: datetime
    language: str

    @property
    def clinic(self) -> Clinic:
        """The clinic whose page this is."""
        return self.duty.clinic

    @property
    def loaded_at(self) -> str:
        """When the page was made, on the clinic's clock."""
        return self.time(self.now)

    @property
    def worker_is_silent(self) -> bool:
        """Whether no worker has shown a sign of life, so that texts do not go out."""
        beat = self.duty.last_beat
        return beat is None or self.now - beat > WORKER_SILENT_AFTER

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
