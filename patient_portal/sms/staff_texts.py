"""Texts about an alert to the care team: its reference and level, never who or what it is about.

Each is one part of GSM-7, whatever the clinic, the address and the language are called: every text
has shorter forms, and the first that fits is sent. Where a language has no form that fits, English
has one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from patient_portal.domain.levels import TriageLevel
from patient_portal.sms.fitting import first_that_fits
from patient_portal.sms.segments import as_gsm7
from patient_portal.words import Words, mark_safety

_LEVELS = {
    TriageLevel.URGENT: mark_safety("URGENT"),
    TriageLevel.EMERGENCY: mark_safety("EMERGENCY"),
}


@dataclass(frozen=True)
class Next:
    """Whom the ladder texts next, by name, and when on the clinic's clocks."""

    who: str
    at: datetime


def page(
    words: Words,
    *,
    clinic: str,
    ref: str,
    level: TriageLevel,
    url: str,
    following: Next | None = None,
    is_test: bool = False,
) -> str:
    """The text that pages a member of staff."""

    def forms(words: Words) -> Iterator[str]:
        said = {
            "clinic": as_gsm7(clinic),
            "ref": ref,
            "level": words.safety(_LEVELS[level]),
            "url": url,
        }
        if is_test:
            yield words.safety(
                "%(clinic)s: TEST %(ref)s of the alarm. No patient waits. Reply %(ref)s",
                clinic=as_gsm7(clinic), ref=ref,
            )  # fmt: skip
            yield words.safety("TEST %(ref)s. Reply %(ref)s", ref=ref)
            return
        if following is not None:
            yield words.safety(
                "%(clinic)s: ALERT %(ref)s, %(level)s. %(url)s "
                "Reply %(ref)s to take, %(ref)s E to pass on. Next: %(who)s %(time)s",
                **said, who=as_gsm7(following.who), time=_clock(following.at),
            )  # fmt: skip
        yield words.safety(
            "%(clinic)s: ALERT %(ref)s, %(level)s. %(url)s "
            "Reply %(ref)s to take, %(ref)s E to pass on.",
            **said,
        )
        yield words.safety(
            "ALERT %(ref)s, %(level)s. %(url)s Reply %(ref)s to take, %(ref)s E to pass on.",
            **said,
        )
        yield words.safety("ALERT %(ref)s, %(level)s. Reply %(ref)s %(url)s", **said)
        yield words.safety("ALERT %(ref)s, %(level)s. Reply %(ref)s", **said)

    return first_that_fits(words, forms)


def unmanned(words: Words, *, clinic: str, ref: str, level: TriageLevel, url: str) -> str:
    """The text to the clinic's own number, from which no reply can take an alert."""

    def forms(words: Words) -> Iterator[str]:
        said = {
            "clinic": as_gsm7(clinic), "ref": ref, "level": words.safety(_LEVELS[level]),
            "url": url,
        }  # fmt: skip
        yield words.safety(
            "%(clinic)s: ALERT %(ref)s, %(level)s. Nobody has taken it. Phone your team. %(url)s",
            **said,
        )
        yield words.safety(
            "ALERT %(ref)s, %(level)s. Nobody has taken it. Phone your team.", **said
        )

    return first_that_fits(words, forms)


def worse(
    words: Words,
    *,
    clinic: str,
    ref: str,
    level: TriageLevel,
    url: str,
    is_silence: bool = False,
) -> str:
    """To the owner: the patient has given new red answers, or is silent, which no answer says."""

    def forms(words: Words) -> Iterator[str]:
        said = {
            "clinic": as_gsm7(clinic), "ref": ref, "level": words.safety(_LEVELS[level]),
            "url": url,
        }  # fmt: skip
        if is_silence:
            yield words.safety(
                "%(clinic)s: ALERT %(ref)s: no check-in came, %(level)s. Open: %(url)s", **said
            )
            yield words.safety("ALERT %(ref)s: no check-in came, %(level)s. %(url)s", **said)
            yield words.safety("ALERT %(ref)s: no check-in came, %(level)s.", **said)
            return
        if level is TriageLevel.EMERGENCY:
            yield words.safety(
                "%(clinic)s: ALERT %(ref)s got WORSE, now %(level)s. Open: %(url)s", **said
            )
            yield words.safety("ALERT %(ref)s got WORSE, now %(level)s. %(url)s", **said)
        else:
            yield words.safety(
                "%(clinic)s: ALERT %(ref)s has new answers, %(level)s. Open: %(url)s", **said
            )
            yield words.safety("ALERT %(ref)s has new answers, %(level)s. %(url)s", **said)
        yield words.safety("ALERT %(ref)s has new answers, %(level)s.", **said)

    return first_that_fits(words, forms)


def repage(
    words: Words, *, clinic: str, ref: str, waited: timedelta, opens_at: datetime, url: str
) -> str:
    """To the owner: no call is noted, and at a certain time the alert is open again."""

    def forms(words: Words) -> Iterator[str]:
        said = {
            "clinic": as_gsm7(clinic), "ref": ref, "n": waited // timedelta(minutes=1),
            "time": _clock(opens_at), "url": url,
        }  # fmt: skip
        yield words.safety(
            "%(clinic)s: you took %(ref)s %(n)s min ago and no call is noted. "
            "It opens again at %(time)s. %(url)s",
            **said,
        )
        yield words.safety(
            "You took %(ref)s %(n)s min ago and no call is noted. It opens again at %(time)s.",
            **said,
        )

    return first_that_fits(words, forms)


def taken(words: Words, *, clinic: str, ref: str, who: str, at: datetime) -> str:
    """To everybody else who was texted: somebody has it."""

    def forms(words: Words) -> Iterator[str]:
        said = {"clinic": as_gsm7(clinic), "ref": ref, "who": as_gsm7(who), "time": _clock(at)}
        yield words.safety(
            "%(clinic)s: %(ref)s was taken by %(who)s at %(time)s. Thank you.", **said
        )
        yield words.safety("%(ref)s was taken by %(who)s at %(time)s.", **said)
        yield words.safety("%(ref)s was taken at %(time)s.", **said)

    return first_that_fits(words, forms)


def closed(words: Words, *, clinic: str, ref: str, who: str, at: datetime) -> str:
    """To everybody else who was texted: it is over."""

    def forms(words: Words) -> Iterator[str]:
        said = {"clinic": as_gsm7(clinic), "ref": ref, "who": as_gsm7(who), "time": _clock(at)}
        yield words.safety(
            "%(clinic)s: %(ref)s was closed by %(who)s at %(time)s. Nothing more to do.", **said
        )
        yield words.safety("%(ref)s was closed by %(who)s at %(time)s.", **said)
        yield words.safety("%(ref)s was closed at %(time)s.", **said)

    return first_that_fits(words, forms)


def not_closed(
    words: Words, *, clinic: str, ref: str, who: str, waited: timedelta, url: str
) -> str:
    """To the lead: an alert was taken long ago and is not closed."""

    def forms(words: Words) -> Iterator[str]:
        said = {
            "clinic": as_gsm7(clinic), "ref": ref, "who": as_gsm7(who),
            "n": waited // timedelta(hours=1), "url": url,
        }  # fmt: skip
        yield words.safety(
            "%(clinic)s: ALERT %(ref)s was taken by %(who)s %(n)s h ago and is not closed. %(url)s",
            **said,
        )
        yield words.safety("ALERT %(ref)s was taken %(n)s h ago and is not closed.", **said)

    return first_that_fits(words, forms)


# No more references than this have room in one part, with a comma and a space after each.
_MOST_NAMED = 160 // 7


def bundle(words: Words, *, clinic: str, refs: Sequence[str], worst: TriageLevel, url: str) -> str:
    """Several alerts in one text, as many references as fit; an alert is taken by its own."""

    def forms(words: Words) -> Iterator[str]:
        said = {
            "clinic": as_gsm7(clinic), "level": words.safety(_LEVELS[worst]), "url": url,
        }  # fmt: skip
        for shown in range(min(len(refs), _MOST_NAMED), 0, -1):
            named = ", ".join(refs[:shown]) + (", ..." if shown < len(refs) else "")
            yield words.nsafety(
                "%(clinic)s: +%(n)s more ALERT waits (worst: %(level)s): %(refs)s. %(url)s",
                "%(clinic)s: +%(n)s more ALERTS wait (worst: %(level)s): %(refs)s. %(url)s",
                len(refs), **said, refs=named,
            )  # fmt: skip
        yield words.nsafety(
            "+%(n)s more ALERT waits (worst: %(level)s). %(url)s",
            "+%(n)s more ALERTS wait (worst: %(level)s). %(url)s",
            len(refs), **said,
        )  # fmt: skip
        yield words.nsafety(
            "+%(n)s more ALERT waits (worst: %(level)s).",
            "+%(n)s more ALERTS wait (worst: %(level)s).",
            len(refs), **said,
        )  # fmt: skip

    return first_that_fits(words, forms)


def _clock(at: datetime) -> str:
    """Hours and minutes as the clinic's clocks show them, in plain digits: ``at`` is local."""
    return f"{at:%H:%M}"
