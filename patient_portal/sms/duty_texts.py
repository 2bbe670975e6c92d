"""Texts to the care team about their own duty: a test, a hand-over, the weekly answer, a gap.

No patient is in them. Each is one part, and each that wants an answer names its reference.
"""

from collections.abc import Iterator

from patient_portal.sms.fitting import with_names
from patient_portal.sms.segments import as_gsm7
from patient_portal.words import Words


def test(words: Words, *, clinic: str, ref: str) -> str:
    """The text that proves a phone before somebody goes on call."""

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: TEST, no patient waits. Reply %(ref)s to show that texts reach you.",
            clinic=clinic, ref=ref,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic)


def hand_over(words: Words, *, clinic: str, ref: str, until: str) -> str:
    """At the start of a turn. ``until`` is a time, empty when the turn has no end in sight."""

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        if not until:
            yield words.safety(
                "%(clinic)s: you are on call from now on. Reply %(ref)s to show that you know.",
                clinic=clinic, ref=ref,
            )  # fmt: skip
            return
        yield words.safety(
            "%(clinic)s: you are on call until %(time)s. Reply %(ref)s to show that you know.",
            clinic=clinic, ref=ref, time=as_gsm7(until),
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic)


def weekly(words: Words, *, clinic: str, ref: str) -> str:
    """Once a week, to everyone of the rota who has not answered any text since."""

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: weekly phone check, no patient waits. Reply %(ref)s today, please.",
            clinic=clinic, ref=ref,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic)


def not_answered(words: Words, *, clinic: str, name: str, on_call: bool) -> str:
    """To the lead: a hand-over or weekly text was not answered in time."""

    def forms(words: Words, clinic: str, name: str) -> Iterator[str]:
        if on_call:
            yield words.safety(
                "%(clinic)s: %(name)s went on call and did not answer the text. Please phone them.",
                clinic=clinic, name=name,
            )  # fmt: skip
            return
        yield words.safety(
            "%(clinic)s: %(name)s did not answer the weekly phone check. Please ask them.",
            clinic=clinic, name=name,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic, name=name)


def not_reachable(words: Words, *, clinic: str, name: str, url: str) -> str:
    """To the lead: somebody's turn begins, and no number of theirs can be texted."""

    def forms(words: Words, clinic: str, name: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: %(name)s goes on call now and cannot be texted. Open: %(url)s",
            clinic=clinic, name=name, url=url,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic, name=name)


def gap(
    words: Words, *, clinic: str, position: str, starts: str, ends: str, more: int, url: str
) -> str:
    """To the lead: a time ahead in which a position has nobody. ``more``: other such times.

    ``position`` is the position's key.
    """

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        said = {
            "clinic": clinic, "position": position_name(words, position),
            "starts": as_gsm7(starts), "ends": as_gsm7(ends), "url": url,
        }  # fmt: skip
        if more:
            yield words.nsafety(
                "%(clinic)s: no %(position)s %(starts)s to %(ends)s, and %(n)s more gap. %(url)s",
                "%(clinic)s: no %(position)s %(starts)s to %(ends)s, and %(n)s more gaps. %(url)s",
                more, **said,
            )  # fmt: skip
        yield words.safety("%(clinic)s: no %(position)s %(starts)s to %(ends)s. %(url)s", **said)
        yield words.safety("%(clinic)s: no %(position)s %(starts)s to %(ends)s.", **said)

    return with_names(words, forms, clinic=clinic)


def position_name(words: Words, position: str) -> str:
    """A position of the ladder, as a word within a sentence."""
    if position == "nurse":
        return words.safety("nurse")
    if position == "backup":
        return words.safety("backup")
    if position == "physician":
        return words.safety("physician")
    return words.safety("lead")
