"""The lines of the inbox, ready to be shown: every sentence is made here, once a line."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from flask import get_template_attribute, url_for
from markupsafe import Markup

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import Protocol
from patient_portal.models import AlertState
from patient_portal.services.inbox import AlertLine, Person, WatchLine
from patient_portal.services.missed import Silent
from patient_portal.services.rungs import LadderNow
from patient_portal.services.tracking import TELL_PATIENT_AFTER
from patient_portal.web.care_team import wording
from patient_portal.web.care_team.frame import Frame
from patient_portal.web.language import current_language
from patient_portal.words import Words, format_date

MOST_NAMES = 3
_LEAST_LATE = timedelta(minutes=1)  # "late by 0 min" reads as not late


class Row(NamedTuple):
    """One line: a level, who, why, how long, and whose it is."""

    level: str
    ref: str
    href: str
    name: str
    age: str
    is_late: bool
    status: str
    why: str
    who: str
    phone: str
    is_open: bool
    trouble: str
    ladder: str = ""  # who was texted, who is next


@lru_cache(maxsize=512)
def _row_html(_language: str, row: Row, is_current: bool, may_act: bool) -> Markup:
    macro = get_template_attribute("care_team/_alert_row.html", "alert_row")
    return Markup(macro(row, is_current, may_act))  # noqa: S704 - what a template has escaped


def alert_row(row: Row, is_current: bool, may_act: bool) -> Markup:
    """A line of the list. A function for templates.

    Everybody on duty reads the same lines every half minute: one that has not changed since is
    not made again.
    """
    return _row_html(current_language(), row, is_current, may_act)


def ladder_words(words: Words, frame: Frame, now: LadderNow | None) -> str:
    """Whom the running step texted, whose text has not left, who is next; empty if taken."""
    if now is None or now.texted_at is None:
        return ""
    parts = []
    if now.texted:
        parts.append(
            words.message(
                "Texted at %(time)s: %(names)s", time=frame.time(now.texted_at),
                names=named(words, now.texted),
            )
        )  # fmt: skip
    if now.waiting:
        parts.append(words.message("Not sent yet: %(names)s", names=named(words, now.waiting)))
    if now.goes_on_at is not None and now.following:
        names, time = named(words, now.following), frame.time(now.goes_on_at)
        if now.goes_on_at < frame.now:
            parts.append(words.message("Next: %(names)s, due at %(time)s", names=names, time=time))
        else:
            parts.append(words.message("Next: %(names)s at %(time)s", names=names, time=time))
    return " · ".join(parts)


def named(words: Words, names: Sequence[str]) -> str:
    """A few names, and how many more."""
    shown, rest = names[:MOST_NAMES], len(names) - MOST_NAMES
    if rest <= 0:
        return ", ".join(shown)
    more = words.nmessage("%(n)s more", "%(n)s more", rest)
    return ", ".join([*shown, more])


class RowMaker:
    """Makes lines for one page."""

    def __init__(self, protocol: Protocol, words: Words, frame: Frame) -> None:
        self.protocol, self.words, self.frame = protocol, words, frame
        # Building an address costs more than a line; they differ in the reference alone.
        self._alert_at = url_for("care_team.alerts.one", ref="")
        self._whose: dict[tuple[str, int | None, str], str] = {}

    def alert(self, line: AlertLine) -> Row:
        """A line of an alert that is not closed."""
        words, now = self.words, self.frame.now
        waited = now - line.since
        limit = TELL_PATIENT_AFTER[line.level]
        is_late = line.state is AlertState.OPEN and waited >= limit
        if line.state is AlertState.TAKEN:
            status = words.message("Taken by %(who)s", who=line.owner or "")
            if line.contacted_at is not None:
                status = words.message("%(who)s spoke with them", who=line.owner or "")
        elif is_late:
            late = max(waited - limit, _LEAST_LATE)
            status = words.message("Late by %(time)s", time=wording.age(words, late))
        else:
            status = words.message("New")
        who = self.who(line.person)
        if not line.phone_recognised:
            who = f"{who} · {words.message('phone not recognised')}"
        return Row(
            level=line.level.code,
            ref=line.ref,
            href=self._alert_at + line.ref,
            name=line.person.name,
            age=wording.age(words, now - line.opened_at),
            is_late=is_late,
            status=status,
            why=wording.trigger(self.protocol, words, line.reasons, line.inputs),
            who=who,
            phone=line.person.phone,
            is_open=line.state is AlertState.OPEN,
            trouble=words.message(wording.TROUBLE_WORDS[line.trouble]) if line.trouble else "",
            ladder=ladder_words(words, self.frame, line.ladder),
        )

    def closed(self, line: AlertLine) -> Row:
        """A line of an alert that somebody has closed."""
        words = self.words
        said = wording.OUTCOME_WORDS.get(line.outcome or "")
        return Row(
            level=line.level.code,
            ref=line.ref,
            href=self._alert_at + line.ref,
            name=line.person.name,
            age=self.frame.time(line.closed_at) if line.closed_at else "",
            is_late=False,
            status=words.message("Closed by %(who)s", who=line.owner or ""),
            why=words.message(said) if said else "",
            who=self.who(line.person),
            phone=line.person.phone,
            is_open=False,
            trouble="",
        )

    def watch(self, line: WatchLine) -> Row:
        """A line of a watch-level check-in."""
        words = self.words
        return Row(
            level=TriageLevel.WATCH.code,
            ref=line.check_in_id,
            href=url_for("care_team.patients.one", patient_id=line.person.id),
            name=line.person.name,
            age=wording.age(words, self.frame.now - line.given_at),
            is_late=False,
            status="" if line.is_finished else words.message("Not finished"),
            why=wording.trigger(self.protocol, words, line.reasons, line.inputs),
            who=self.who(line.person),
            phone=line.person.phone,
            is_open=False,
            trouble="",
        )

    def silent(self, line: Silent) -> Row:
        """A line of somebody who has not checked in."""
        words, frame = self.words, self.frame
        since = ""
        if line.since is not None:
            day = format_date(line.since, words.language, frame.clinic.country)
            since = words.message("last check-in %(day)s", day=day)
        return Row(
            level=line.rule.level.code,
            ref="",
            href=url_for("care_team.patients.one", patient_id=line.person.id),
            name=line.person.name,
            age=words.nmessage("%(n)s day", "%(n)s days", line.days),
            is_late=False,
            status=since or words.message("no check-in yet"),
            why=wording.rule_words(self.protocol, words, line.rule.id),
            who=self.who(line.person),
            phone=line.person.phone,
            is_open=False,
            trouble="",
        )

    def who(self, person: Person) -> str:
        """Birth year, medicine, day, language: what a nurse asks first."""
        words, key = self.words, (person.drug, person.day, person.language)
        born = words.message("born %(year)s", year=person.birth_year)
        if key not in self._whose:
            self._whose[key] = self._course(person)
        return f"{born} · {self._whose[key]}"

    def _course(self, person: Person) -> str:
        words = self.words
        parts = [
            wording.drug_name(self.protocol, words, person.drug),
            words.message("day not known")
            if person.day is None
            else words.message("day %(n)s", n=person.day),
            wording.language_name(person.language, words.language),
        ]
        return " · ".join(parts)
