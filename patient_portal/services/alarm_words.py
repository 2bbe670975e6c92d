"""What is said of each trouble of the alarm path, and how it is mended."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from patient_portal.services.alarm_path import Finding, Trouble
from patient_portal.words import Words, format_date, format_time, mark_message


@dataclass(frozen=True)
class Said:
    """A finding in words: what is so, and what to do about it."""

    what: str
    cure: str


@dataclass(frozen=True)
class Place:
    """Where moments are told: the clinic's zone and country, on the day of ``now``."""

    zone: ZoneInfo
    country: str
    now: datetime


_SAYS: dict[Trouble, tuple[str, str]] = {
    Trouble.WORKER_SILENT: (
        mark_message("Texts are not going out: the sender has stopped."),
        mark_message("Watch this page, use the phone, and call whoever runs this portal."),
    ),
    Trouble.WORKER_VERSION: (
        mark_message("Texts are not going out: the sender and the database do not fit together."),
        mark_message("Watch this page, use the phone, and call whoever runs this portal."),
    ),
    Trouble.GATEWAY_DOWN: (
        mark_message("Texts are not going out: the text service refuses or does not answer."),
        mark_message("Phone the people on call, in the order of the list."),
    ),
    Trouble.NOBODY: (
        mark_message("An alert would reach nobody: no phone of the team can be texted."),
        mark_message("Add a phone on the page On call, or ask who stopped theirs to text START."),
    ),
    Trouble.TEXTS_LATE: (
        mark_message("Alert texts that have waited more than 2 minutes: %(n)s."),
        mark_message("Phone who is on call now."),
    ),
    Trouble.TIMERS_LATE: (
        mark_message("Alerts that should have gone on to the next person: %(n)s."),
        mark_message("Phone who is on call now, and call whoever runs this portal."),
    ),
    Trouble.UNTAKEN: (
        mark_message("Alerts that nobody has taken after everybody was texted: %(n)s."),
        mark_message("Take them now, from the inbox."),
    ),
    Trouble.DISK: (
        mark_message("The disk is nearly full: %(n)s percent is free."),
        mark_message("Ask whoever runs this portal to make room. A full disk keeps no answers."),
    ),
    Trouble.CLOCK: (
        mark_message("The clocks of this portal are %(n)s seconds apart."),
        mark_message("Ask whoever runs this portal to set them by a time server."),
    ),
    Trouble.GATEWAY: (
        mark_message("Some texts fail, so an alert may be late."),
        mark_message("Watch the inbox, and tell whoever runs this portal."),
    ),
    Trouble.DRILL_FAILED: (
        mark_message("The last test of the alarm was not answered (%(time)s)."),
        mark_message("Find out why, then test it again on the page Alarm."),
    ),
    Trouble.DRILL_OLD: (
        mark_message("No test of the alarm was answered in the last 26 hours."),
        mark_message("Test it now on the page Alarm."),
    ),
    Trouble.ROTA_GAP: (
        mark_message("In the next 24 hours somebody is missing on the rota, from %(time)s."),
        mark_message("Fill the gap on the page On call."),
    ),
    Trouble.PHONE_STOPPED: (
        mark_message("Phones of the team that texted STOP and get no alerts: %(n)s."),
        mark_message("Ask their owners to text START."),
    ),
    Trouble.COVER: (
        mark_message("Nobody has confirmed that the clinic line is answered at night."),
        mark_message("A lead or the administrator does so on the page Alarm."),
    ),
}


def said(words: Words, finding: Finding, place: Place) -> Said:
    """The finding and its cure, in the reader's language, on the clinic's clock."""
    what, cure = _SAYS[finding.trouble]
    values = {"n": finding.count, "time": _moment(words, finding.at, place)}
    return Said(words.message(what, **values), words.message(cure))


def _moment(words: Words, at: datetime | None, place: Place) -> str:
    if at is None:
        return "-"
    text = format_time(at, place.zone, words.language, place.country)
    day = at.astimezone(place.zone).date()
    if day == place.now.astimezone(place.zone).date():
        return text
    return f"{format_date(day, words.language, place.country, 'day')}, {text}"
