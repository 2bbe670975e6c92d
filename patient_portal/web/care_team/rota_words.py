"""What is said of a rota: positions, findings, and why an edit was not kept."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from patient_portal.domain.ladders import LadderRefused
from patient_portal.domain.rota import ChangeKind
from patient_portal.domain.rota_check import Finding, Trouble
from patient_portal.services.rota_edit import RotaRefused
from patient_portal.services.rota_plan import Board
from patient_portal.words import Words, format_date, format_time, mark_message

POSITION_WORDS: Mapping[str, str] = {
    "nurse": mark_message("Nurse"),
    "backup": mark_message("Backup"),
    "physician": mark_message("Physician"),
    "lead": mark_message("Lead"),
    "everyone": mark_message("Everyone with a phone"),
}
KIND_WORDS: Mapping[ChangeKind, str] = {
    ChangeKind.REPLACE: mark_message("Instead of everybody in this position"),
    ChangeKind.ADD: mark_message("Beside those on call"),
    ChangeKind.REMOVE: mark_message("Not on call"),
}
# What speaks of one person; the name stands first in each.
_PERSON_WORDS: Mapping[Trouble, str] = {
    Trouble.DISABLED: mark_message("%(who)s is on call, but the account is closed."),
    Trouble.NO_NUMBER: mark_message("%(who)s is on call and has no phone here."),
    Trouble.STOPPED: mark_message(
        "%(who)s is on call, but the phone texted STOP. Ask them to text START."
    ),
    Trouble.BAD: mark_message("%(who)s is on call, but the network refuses the number."),
    Trouble.UNVERIFIED: mark_message(
        "%(who)s is on call, but has not answered a test alert yet. Send one."
    ),
}
_REFUSED: Mapping[str, str] = {
    "person": mark_message("Choose somebody of your team who may be on call."),
    "unproven": mark_message(
        "%(who)s has not answered a test alert yet. Send one, and save again when it was answered."
    ),
    "unreachable": mark_message("%(who)s has no phone that can be texted. Add a number first."),
    "days": mark_message("Choose at least one day of the week."),
    "order": mark_message("The end is before the start. Please check both."),
    "past": mark_message("This time is over. Choose one that lies ahead."),
    "far": mark_message("This is more than a year ahead. Please check the day."),
    "long": mark_message("A change lasts 35 days at most. For longer, use the weekly pattern."),
    "skipped": mark_message(
        "On %(day)s the clocks jump forward, and %(time)s does not come. "
        "It would mean %(instead)s. Choose another hour."
    ),
    "overlap": mark_message("%(who)s has this position already at that time."),
    "not_on_call": mark_message("%(who)s is not on call in this position at that time."),
    "gap": mark_message(
        "Not saved. Nobody would be on call as %(position)s from %(starts)s to %(ends)s. "
        "Fill this time, or enter a catch-all phone of the clinic first."
    ),
    "nobody": mark_message(
        "Not saved. From %(starts)s to %(ends)s nobody on call could be texted. "
        "Mend a number, or enter a catch-all phone of the clinic first."
    ),
    "zone": mark_message("There is no such time zone. Type one like America/New_York."),
    "gone": mark_message("Somebody else has ended this already. Look at what holds now."),
}
_LADDER_REFUSED: Mapping[str, str] = {
    "empty": mark_message("Step %(step)s texts nobody. Tick who is texted, or empty the step."),
    "no_minutes": mark_message("Step %(step)s: type the minutes as a whole number, like 5."),
    "too_short": mark_message("Step %(step)s: a step waits one minute at least."),
    "too_long": mark_message(
        "Step %(step)s waits too long: 15 minutes at most in an emergency, 60 when urgent."
    ),
    "loop": mark_message("Step %(step)s texts the same people as an earlier step."),
    "last_step": mark_message(
        "The last step must text the lead, and in an emergency everyone as well."
    ),
    "too_many": mark_message("A ladder has 8 steps at most."),
    "unknown_position": mark_message("Step %(step)s: choose from the list."),
}
PHONE_REFUSED: Mapping[str, str] = {
    "taken": mark_message(
        "Somebody else of your team has this number. An answer could be from either of you."
    ),
    "same": mark_message("This is your other number already."),
    "last": mark_message("You are on the schedule. Add another number before you remove this one."),
    "gone": mark_message("This number is not there any more."),
}


class RotaWords:
    """Sentences about one clinic's rota, in the reader's language and on the clinic's clock."""

    def __init__(self, words: Words, board: Board) -> None:
        self.words, self.board = words, board
        self._country = board.clinic.country

    def moment(self, moment: datetime) -> str:
        """Day and time, on the clinic's clock."""
        return f"{self.day(moment.astimezone(self.board.zone).date())}, {self.hour(moment)}"

    def hour(self, moment: datetime) -> str:
        """The time of a moment, on the clinic's clock."""
        return format_time(moment, self.board.zone, self.words.language, self._country)

    def day(self, day: date) -> str:
        """A day with its weekday, shortened."""
        return format_date(day, self.words.language, self._country, "short")

    def wall(self, at: time) -> str:
        """A wall time; it belongs to no day, so to no zone."""
        moment = datetime.combine(date(2000, 1, 1), at, tzinfo=UTC)
        return format_time(moment, ZoneInfo("UTC"), self.words.language, self._country)

    def weekday(self, number: int) -> str:
        """The name of a weekday, Monday = 0."""
        return format_date(date(2024, 1, 1 + number), self.words.language, None, "weekday")

    def position(self, position: str) -> str:
        """A position of the ladder."""
        return self.words.message(POSITION_WORDS[position])

    def names(self, people: tuple[str, ...]) -> str:
        """The people's names, in the order of the rota."""
        return ", ".join(self.board.name(each) for each in people)

    def finding(self, one: Finding) -> str:
        """What was found, in a sentence that names the hours."""
        words, who = self.words, self.names(one.people)
        starts, ends = self.moment(one.starts), self.moment(one.ends)
        if one.trouble in _PERSON_WORDS:
            return words.message(_PERSON_WORDS[one.trouble], who=who)
        position = self.position(one.position.value) if one.position else ""
        if one.trouble is Trouble.NOBODY:
            return words.message(
                "From %(starts)s to %(ends)s nobody on call can be texted.",
                starts=starts, ends=ends,
            )  # fmt: skip
        if one.trouble is Trouble.GAP:
            return words.message(
                "No one is on call as %(position)s from %(starts)s to %(ends)s.",
                position=position, starts=starts, ends=ends,
            )  # fmt: skip
        if one.trouble is Trouble.SAME_PERSON:
            return words.message(
                "%(who)s is nurse and backup at once, from %(starts)s to %(ends)s.",
                who=who, starts=starts, ends=ends,
            )  # fmt: skip
        if one.trouble is Trouble.SHARED_NUMBER:
            return words.message("%(who)s have the same phone number.", who=who)
        if one.trouble is Trouble.OVERLAP:
            return words.message(
                "%(position)s: %(who)s are on call together from %(starts)s to %(ends)s. "
                "Both are texted.",
                position=position, who=who, starts=starts, ends=ends,
            )  # fmt: skip
        return words.message(
            "The clocks change while %(who)s is on call: "
            "%(starts)s to %(ends)s is %(hours)s hours.",
            who=who, starts=starts, ends=ends,
            hours=f"{(one.ends - one.starts).total_seconds() / 3600:g}",
        )  # fmt: skip

    def refused(self, error: RotaRefused) -> str:
        """Why an edit was not kept, with the hour that is the trouble."""
        values: dict[str, object] = {}
        if error.staff_id is not None:
            values["who"] = self.board.name(error.staff_id)
        if error.finding is not None:
            values["starts"] = self.moment(error.finding.starts)
            values["ends"] = self.moment(error.finding.ends)
            place = error.finding.position
            values["position"] = self.position(place.value) if place else ""
        if error.day is not None and error.at is not None and error.instead is not None:
            values["day"] = self.day(error.day)
            values["time"], values["instead"] = self.wall(error.at), self.wall(error.instead)
        return self.words.message(_REFUSED[error.code], **values)

    def ladder_refused(self, error: LadderRefused) -> str:
        """Why a ladder was not kept, with the step that is the trouble."""
        step = error.at.partition(".")[2]
        sentence = _LADDER_REFUSED.get(error.code, _LADDER_REFUSED["empty"])
        return self.words.message(sentence, step=step or "1")
