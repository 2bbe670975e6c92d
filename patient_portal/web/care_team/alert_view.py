"""One alert in words: why now, what was answered, what was sent, what happened, what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from patient_portal import protocols
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.places import place_of
from patient_portal.domain.protocol import Protocol
from patient_portal.models import AlertState, CheckIn, MessageKind
from patient_portal.services.alert_file import AlertFile, Given
from patient_portal.web.care_team import wording
from patient_portal.web.care_team.frame import Frame
from patient_portal.web.care_team.rows import ladder_words
from patient_portal.web.context import portal
from patient_portal.words import Words


@dataclass(frozen=True, slots=True)
class Why:
    """One item of the "why now" box: what was answered, what it was before, which rules fired."""

    label: str
    answer: str
    before: str
    rules: tuple[tuple[str, str, str], ...]  # id, words, level


@dataclass(frozen=True, slots=True)
class Answered:
    """All answers of one check-in, as they were given."""

    heading: str
    answers: tuple[tuple[str, str], ...]
    is_finished: bool
    is_recognised: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list with times."""

    at: str
    text: str
    note: str = ""
    kind: str = ""


def _rules_of(id: str) -> Protocol:
    """The rules that judged an alert, for their words; those in force where the file is gone."""
    try:
        return protocols.kept(id)
    except (LookupError, protocols.ProtocolError):
        return portal().site.protocol


class AlertView:
    """An alert's file with its sentences, for one page."""

    def __init__(self, file: AlertFile, frame: Frame, words: Words) -> None:
        self.file, self.frame, self.words = file, frame, words
        self.alert, self.patient = file.alert, file.patient
        self.protocol = _rules_of(file.alert.protocol)
        self.level = TriageLevel(self.alert.level)
        self.place = place_of(self.patient.country)

    @property
    def name(self) -> str:
        """The patient's name."""
        return f"{self.patient.first_name} {self.patient.last_name}"

    @property
    def age(self) -> str:
        """How long ago the alert was opened."""
        return wording.age(self.words, self.frame.now - self.alert.opened_at)

    @property
    def drug(self) -> str:
        """The medicine's name."""
        return wording.drug_name(self.protocol, self.words, self.patient.drug)

    @property
    def day(self) -> int | None:
        """The day of therapy, today."""
        return self.file.trend.days[-1].number

    @property
    def language(self) -> str:
        """The language the patient speaks, in the reader's language."""
        return wording.language_name(self.patient.language, self.words.language)

    @property
    def needs_interpreter(self) -> bool:
        """Whether patient and clinic speak different languages."""
        theirs, ours = self.patient.language, self.frame.clinic.language
        return theirs.split("_")[0] != ours.split("_")[0]

    @property
    def state(self) -> str:
        """open, taken or closed."""
        return self.alert.state.value

    @property
    def trouble(self) -> str:
        """What is wrong with the alert's texts; empty if nothing is."""
        found = self.file.trouble
        return self.words.message(wording.TROUBLE_WORDS[found]) if found else ""

    @property
    def ladder(self) -> str:
        """Who was texted last, who is next and when; empty once somebody has it."""
        return ladder_words(self.words, self.frame, self.file.ladder)

    @property
    def can_pass_on(self) -> bool:
        """Whether there is a further step, or somebody has it who may pass it on."""
        found = self.file.ladder
        if found is None:
            return self.alert.state is AlertState.TAKEN
        return found.step < found.steps

    @property
    def outcome(self) -> str:
        """How the alert ended."""
        said = wording.OUTCOME_WORDS.get(self.alert.outcome or "")
        return self.words.message(said) if said else ""

    @property
    def was_told_to_call(self) -> bool:
        """Whether the patient's own page said to call the emergency number."""
        return self.level is TriageLevel.EMERGENCY

    @property
    def needs_reason(self) -> bool:
        """Whether closing asks why nobody has spoken with the patient."""
        return self.level is TriageLevel.EMERGENCY and self.alert.contacted_at is None

    def is_mine(self, staff_id: str) -> bool:
        """Whether this person has taken the alert."""
        return self.alert.state is AlertState.TAKEN and self.alert.taken_by == staff_id

    # ---- why now

    def why(self) -> list[Why]:
        """The items whose answers raised the alert, the worst first."""
        by_item: dict[str, list[dict[str, Any]]] = {}
        for reason in wording.worst_first(self.alert.reasons):
            item = wording.item_of(self.protocol, reason["rule"])
            by_item.setdefault(item, []).append(dict(reason))
        return [self._why(item, reasons) for item, reasons in by_item.items()]

    def _why(self, key: str, reasons: list[dict[str, Any]]) -> Why:
        rules = tuple(
            (
                reason["rule"],
                wording.rule_words(self.protocol, self.words, reason["rule"]),
                reason["level"],
            )
            for reason in reasons
        )
        given = next(
            (found for reason in reasons if (found := self.file.given_for(reason["rule"]))), None
        )
        if not key or given is None:
            if self._is_silence(reasons):
                return Why(self.words.message("No check-in"), "", "", rules)
            return Why(self.words.message("Sign"), "", "", rules)
        item = self.protocol.item(key)
        answer = wording.answer_words(self.words, item, given.check_in.answers)
        return Why(self.words.safety(item.label), answer, self._before(key, given, answer), rules)

    def _is_silence(self, reasons: list[dict[str, Any]]) -> bool:
        missed = {one.rule for one in self.protocol.beyond.missed}
        return all(reason["rule"] in missed for reason in reasons)

    def _before(self, key: str, given: Given, answer: str) -> str:
        """What the same item was at the check-in before, if that was another answer."""
        if given.before is None:
            return ""
        item, words = self.protocol.item(key), self.words
        was = wording.answer_words(words, item, given.before.answers)
        if not was:
            return ""
        days = (given.check_in.local_date - given.before.local_date).days
        if was == answer:
            return words.nmessage("Same yesterday.", "Same %(n)s days ago.", days)
        return words.nmessage(
            "Was “%(what)s” yesterday.", "Was “%(what)s” %(n)s days ago.", days, what=was
        )

    @property
    def entered(self) -> str:
        """When the latest check-in of the alert came, and from whom."""
        if not self.file.given:
            return ""
        latest = self.file.given[0]
        return self._entered(latest.check_in, latest.by)

    def _entered(self, check_in: CheckIn, by: str | None) -> str:
        at = self.frame.time(check_in.started_at)
        first = self.patient.first_name
        if by is None:
            return self.words.message("%(time)s by %(who)s", time=at, who=first)
        return self.words.message("%(time)s by %(who)s for %(patient)s", time=at, who=by,
                                  patient=first)  # fmt: skip

    def answered(self) -> Iterator[Answered]:
        """Every check-in of the alert with all its answers, the newest first."""
        for given in self.file.given:
            rows = [
                (self.words.safety(item.label), said)
                for item in self.protocol.items
                if (said := wording.answer_words(self.words, item, given.check_in.answers))
            ]
            yield Answered(
                heading=self._entered(given.check_in, given.by),
                answers=tuple(rows),
                is_finished=given.check_in.sent_at is not None,
                is_recognised=given.check_in.phone_recognised,
            )

    # ---- what was sent, what happened, what to do

    def sent(self) -> list[Entry]:
        """Each text about this alert, and where it is."""
        return [
            Entry(
                at=self.frame.time(text.created_at),
                text=wording.text_to(self.words, text, self.frame.clinic.country),
                note=wording.text_words(self.words, text),
                kind=wording.text_class(text.state),
            )
            for text in self.file.sent
        ]

    @property
    def nobody_texted(self) -> bool:
        """Whether there is no text about this alert at all."""
        return not any(text.kind is MessageKind.STAFF_ALERT for text in self.file.sent)

    @property
    def was_taken_back(self) -> bool:
        """Whether the patient says that an emergency was tapped by mistake."""
        return any(entry.action == "alert.taken_back" for entry in self.file.log)

    def log(self) -> list[Entry]:
        """What has happened, the oldest first."""
        return [
            Entry(self.frame.time(entry.at), wording.log_words(self.protocol, self.words, entry))
            for entry in self.file.log
        ]

    def to_do(self) -> list[str]:
        """What the level asks of whoever takes the alert. No doses: those are for the physician."""
        words, first = self.words, self.patient.first_name
        steps = [words.message("Call %(who)s now. Ask how they are at this moment.", who=first)]
        if self.level is TriageLevel.EMERGENCY:
            steps += [
                words.message(
                    "If they have not called %(number)s, have them call, or call for them.",
                    number=self.place.number,
                ),
                words.message("No answer? Call a helper. Still none? Send help to their address."),
                words.message("Tell the physician on call: it may be differentiation syndrome."),
            ]
        else:
            steps += [
                words.message(
                    "Any red flag, or getting worse? Have them call %(number)s.",
                    number=self.place.number,
                ),
                words.message("No answer? Try again, then call a helper."),
                words.message("Ask the physician today: it may be differentiation syndrome."),
            ]
        if self.needs_interpreter:
            steps.insert(
                0, words.message("Get an interpreter for %(language)s.", language=self.language)
            )
        steps.append(words.message("Note each call here. Close with what came of it."))
        return steps
