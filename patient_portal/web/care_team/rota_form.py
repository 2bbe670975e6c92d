"""What was typed into the forms of the rota, read without guessing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from flask import request

from patient_portal.domain.ladders import LADDER, MOST_STEPS, POSITIONS, Ladder
from patient_portal.domain.rota import ChangeKind, Position
from patient_portal.domain.typed import NotReadable, read_date, read_whole, with_latin_digits
from patient_portal.services.rota_edit import NewChange, NewTurns
from patient_portal.web.language import current_words

_LONGEST = 60


def sent(name: str) -> str:
    """A field as it was sent, cut to a bearable length."""
    return request.form.get(name, "").replace("\0", "")[:_LONGEST].strip()


@dataclass
class TurnForm:
    """A weekly turn as it was typed, and what is wrong with it. Field names start with turn_."""

    who: str = ""
    position: str = ""
    days: list[str] = field(default_factory=list)
    starts: str = ""
    ends: str = ""
    since: str = ""
    until: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    unproven: str = ""  # the phone (id) that a test alert would be sent to

    def read(self) -> NewTurns | None:
        """What was meant; None with ``errors`` filled."""
        position = _position(self.errors, "turn_position", self.position)
        starts = _time(self.errors, "turn_starts", self.starts)
        ends = _time(self.errors, "turn_ends", self.ends)
        since = _day(self.errors, "turn_since", self.since)
        until = _day(self.errors, "turn_until", self.until) if self.until else None
        days = frozenset(int(day) for day in self.days if day in set("0123456"))
        if not days:
            self.errors["turn_days"] = current_words().message(
                "Choose at least one day of the week."
            )
        if not self.who:
            self.errors["turn_who"] = current_words().message("Choose who is on call.")
        if self.errors or position is None or starts is None or ends is None or since is None:
            return None
        return NewTurns(self.who, position, days, starts, ends, since, until)


@dataclass
class ChangeForm:
    """A dated change as it was typed. Field names start with change_."""

    who: str = ""
    position: str = ""
    kind: str = ""
    from_day: str = ""
    from_time: str = ""
    until_day: str = ""
    until_time: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    unproven: str = ""

    def read(self) -> NewChange | None:
        """What was meant; None with ``errors`` filled."""
        position = _position(self.errors, "change_position", self.position)
        kind = next((each for each in ChangeKind if each.value == self.kind), None)
        if kind is None:
            self.errors["change_kind"] = current_words().message("Choose what changes.")
        if not self.who:
            self.errors["change_who"] = current_words().message("Choose who it is about.")
        starts = _moment(self.errors, "change_from", self.from_day, self.from_time)
        ends = _moment(self.errors, "change_until", self.until_day, self.until_time)
        if self.errors or position is None or kind is None or starts is None or ends is None:
            return None
        return NewChange(self.who, position, kind, starts, ends)


@dataclass
class PhoneForm:
    """The two numbers of whoever looks, as typed."""

    numbers: dict[int, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class PlaceForm:
    """The clinic's own phone and zone, as typed."""

    catch_all: str = ""
    zone: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class LadderForm:
    """The ladder as typed: for each level and step who is texted, and the minutes."""

    steps: dict[str, list[tuple[list[str], str]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def read(self) -> dict[str, list[dict[str, object]]]:
        """The ladder as ``parse_ladder`` reads it; empty steps are left out."""
        return {
            level: [
                {"who": list(who), "minutes": _minutes(minutes)}
                for who, minutes in steps
                if who or minutes
            ]
            for level, steps in self.steps.items()
        }


def turn_form() -> TurnForm:
    """The weekly turn that was sent."""
    return TurnForm(
        who=sent("turn_who"), position=sent("turn_position"),
        days=[day[:1] for day in request.form.getlist("turn_days")[:7]],
        starts=sent("turn_starts"), ends=sent("turn_ends"),
        since=sent("turn_since"), until=sent("turn_until"),
    )  # fmt: skip


def change_form() -> ChangeForm:
    """The dated change that was sent."""
    return ChangeForm(
        who=sent("change_who"), position=sent("change_position"), kind=sent("change_kind"),
        from_day=sent("change_from_day"), from_time=sent("change_from_time"),
        until_day=sent("change_until_day"), until_time=sent("change_until_time"),
    )  # fmt: skip


def ladder_form() -> LadderForm:
    """The ladder that was sent."""
    return LadderForm(
        {
            level.code: [
                (
                    [
                        who[:_LONGEST]
                        for who in request.form.getlist(f"{level.code}_{number}_who")[:8]
                    ],
                    sent(f"{level.code}_{number}_minutes"),
                )
                for number in range(1, MOST_STEPS + 2)
            ]
            for level in LADDER
        }
    )


def ladder_as_it_holds(ladder: Ladder) -> LadderForm:
    """The form filled with what holds, and one empty step a level."""
    return LadderForm(
        {
            level.code: [
                *(
                    (list(step.positions), str(int(step.wait.total_seconds() // 60)))
                    for step in steps
                ),
                ([], ""),
            ]
            for level, steps in ladder.items()
        }
    )


def known_positions(words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Every position that a step may text, with its name."""
    return [(position, words[position]) for position in POSITIONS]


def _position(errors: dict[str, str], name: str, text: str) -> Position | None:
    found = next((each for each in Position if each.value == text), None)
    if found is None:
        errors[name] = current_words().message("Choose a position.")
    return found


def _time(errors: dict[str, str], name: str, text: str) -> time | None:
    try:
        hour, _, minute = with_latin_digits(text).partition(":")
        return time(read_whole(hour, 0, 23), read_whole(minute[:2], 0, 59))
    except (NotReadable, ValueError):
        errors[name] = current_words().message("Type a time from 00:00 to 23:59, like 20:00.")
        return None


def _day(errors: dict[str, str], name: str, text: str) -> date | None:
    try:
        return read_date(text)
    except (NotReadable, ValueError):
        errors[name] = current_words().message("Type the day like 2026-04-11.")
        return None


def _moment(errors: dict[str, str], name: str, day: str, at: str) -> datetime | None:
    on, clock = _day(errors, f"{name}_day", day), _time(errors, f"{name}_time", at)
    return None if on is None or clock is None else datetime.combine(on, clock)


def _minutes(text: str) -> int | None:
    try:
        return read_whole(text, 0, 9999)
    except NotReadable:
        return None
