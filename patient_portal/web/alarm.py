"""What pages say of the alarm path: the care team's strips, the patients' sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from patient_portal.domain.schedule import readable_zone
from patient_portal.services import alarm_path, drills, machine
from patient_portal.services.alarm_path import Finding
from patient_portal.web.access import viewer
from patient_portal.web.context import reading
from patient_portal.web.language import current_language
from patient_portal.words import format_time

KEEP_FOR = timedelta(seconds=5)
Found = TypeVar("Found")


@dataclass
class Recent:
    """Answers of the last seconds, of this process. A clock that was moved makes them old."""

    _kept: dict[str, tuple[datetime, object]] = field(default_factory=dict)

    def get(self, key: str, now: datetime, find: Callable[[], Found]) -> Found:
        """What is kept under ``key``, if it is fresh; else what ``find`` finds now."""
        at, found = self._kept.get(key, (None, None))
        if at is None or not timedelta(0) <= now - at <= KEEP_FOR:
            found = find()
            self._kept[key] = (now, found)
        return found  # type: ignore[return-value]


@dataclass(frozen=True)
class Tested:
    """When a test of the alarm was answered, on the patient's own clock."""

    time: str
    is_today: bool


def recent() -> Recent:
    """The answers that this app keeps."""
    found = current_app.extensions["alarm"]
    assert isinstance(found, Recent)  # noqa: S101 - install put it there
    return found


def install(app: Flask) -> None:
    """Keep answers for this app, and let templates ask."""
    app.extensions["alarm"] = Recent()
    app.jinja_env.globals.update(alarm_may_be_slow=may_be_slow, alarm_tested_at=tested_at)


def findings(session: Session, now: datetime, clinic_id: str) -> Sequence[Finding]:
    """All that is wrong for the clinic; what changes slowly may be some seconds old."""
    slow = recent().get(
        f"rota {clinic_id}",
        now,
        lambda: alarm_path.slow(session, now, clinic_id, machine.measure(session)),
    )
    return alarm_path.in_order([*alarm_path.quick(session, now, clinic_id), *slow])


def may_be_slow(*, fresh: bool = False) -> bool:
    """Whether this page's patient must be told that an alert may not arrive.

    Some seconds old at most; right now where ``fresh``. In doubt it is so.
    """
    clinic_id = _clinic()
    if not clinic_id:
        return False
    try:
        with reading() as (session, now):
            if fresh:
                return alarm_path.for_patients(session, now, clinic_id)
            return recent().get(
                f"patients {clinic_id}",
                now,
                lambda: alarm_path.for_patients(session, now, clinic_id),
            )
    except SQLAlchemyError:
        return True


def tested_at() -> Tested | None:
    """When the alarm of this phone's clinic was last proven; None if not within about a day."""
    who = viewer()
    people = [who.patient] if who.patient is not None else who.helps
    if not people:
        return None
    zone = ZoneInfo(readable_zone(people[0].zone))
    with reading() as (session, now):
        found = drills.last_proven(session, people[0].clinic_id)
    if found is None or now - found.started_at > alarm_path.DRILL_IS_GOOD_FOR:
        return None
    is_today = found.started_at.astimezone(zone).date() == now.astimezone(zone).date()
    text = format_time(found.started_at, zone, current_language(), people[0].country)
    return Tested(text, is_today=is_today)


def _clinic() -> str:
    """The clinic of the form in hand, or of whose phone this is; empty for a stranger."""
    of_form = g.get("form_clinic", "")
    if of_form:
        return str(of_form)
    who = viewer()
    people = [who.patient] if who.patient is not None else who.helps
    return people[0].clinic_id if people else ""
