"""Texts to the lead when the alarm path itself is in trouble. Names of staff only, one part."""

from collections.abc import Iterator

from patient_portal.sms.fitting import with_names
from patient_portal.words import Words


def phone_stopped(words: Words, *, clinic: str, name: str) -> str:
    """Somebody's phone texted STOP, so alerts do not reach it."""

    def forms(words: Words, clinic: str, name: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: %(name)s texted STOP and gets no alerts. "
            "Ask them to text START to this number.",
            clinic=clinic, name=name,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic, name=name)


def phone_bad(words: Words, *, clinic: str, name: str) -> str:
    """The network says that somebody's number cannot be texted."""

    def forms(words: Words, clinic: str, name: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: alerts cannot reach the phone of %(name)s. "
            "Add another number to the team.",
            clinic=clinic, name=name,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic, name=name)


def gateway_trouble(words: Words, *, clinic: str, code: str) -> str:
    """Texts fail for a reason that is not one phone's."""

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: some texts fail (error %(code)s). Alerts may come late. "
            "Watch the inbox and tell your technical help.",
            clinic=clinic, code=code,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic)


def reminders_stopped(words: Words, *, clinic: str) -> str:
    """The day's number of reminder texts is used up."""

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: the daily limit of reminder texts is reached. "
            "Patients get no more today. Alerts still go out.",
            clinic=clinic,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic)


def drill_failed(words: Words, *, clinic: str) -> str:
    """Nobody answered the test of the alarm."""

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: nobody answered the TEST of the alarm in 15 minutes. "
            "Find out why and test again.",
            clinic=clinic,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic)
