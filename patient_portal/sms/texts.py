"""Texts to patients and helpers. No name, no symptom, no medicine, no speciality.

Each is two parts at most, in other alphabets too. ``{secret}`` in a body is filled by the worker
with the token or code when it sends the text. Texts to staff are in ``sms.staff_texts``.
"""

from collections.abc import Iterator

from patient_portal.domain.levels import TriageLevel
from patient_portal.sms.fitting import with_names
from patient_portal.sms.segments import as_gsm7
from patient_portal.words import Words


def call_now(words: Words, *, clinic: str, level: TriageLevel, line: str, number: str) -> str:
    """To a patient: nobody has taken the alert in time."""
    if level is TriageLevel.EMERGENCY:
        return words.safety(
            "%(clinic)s: nobody on our team has answered yet. Do not wait. Call %(number)s now.",
            clinic=as_gsm7(clinic), number=number,
        )  # fmt: skip
    return words.safety(
        "%(clinic)s: nobody on our team has answered yet. Call %(line)s now. "
        "Getting worse? Call %(number)s.",
        clinic=as_gsm7(clinic), line=line, number=number,
    )  # fmt: skip


def risen(words: Words, *, clinic: str, level: TriageLevel, line: str, number: str) -> str:
    """To a patient: somebody else's answers, or a second look, say more than their own page."""
    if level is TriageLevel.EMERGENCY:
        return words.safety(
            "%(clinic)s: today's answers may mean you need help at once. Call %(number)s now.",
            clinic=as_gsm7(clinic), number=number,
        )  # fmt: skip
    return words.safety(
        "%(clinic)s: today's answers need a call. Call %(line)s now. "
        "Getting worse? Call %(number)s.",
        clinic=as_gsm7(clinic), line=line, number=number,
    )  # fmt: skip


def helper_call_now(words: Words, *, clinic: str, number: str) -> str:
    """To a helper: the person needs help and nobody of the team has answered."""
    return words.safety(
        "%(clinic)s: the person you help may need help now. Nobody on our team has answered yet. "
        "Call them or go to them. No answer? Call %(number)s.",
        clinic=as_gsm7(clinic), number=number,
    )  # fmt: skip


def invite(words: Words, *, clinic: str, base_url: str) -> str:
    """The text that invites a patient; the link works for 7 days."""
    return words.safety(
        "%(clinic)s: you asked us to text you. Tap to start: %(url)s "
        "The link works for one week. Not you? Ignore this text. STOP to end texts.",
        clinic=as_gsm7(clinic), url=f"{base_url}/c/{{secret}}",
    )  # fmt: skip


def code(words: Words, *, clinic: str, host: str) -> str:
    """The sign-in code; the last line lets the phone fill it in on our page only."""
    text = words.safety(
        "%(clinic)s code: %(code)s. It works for 10 minutes. Do not share it.",
        clinic=as_gsm7(clinic), code="{secret}",
    )  # fmt: skip
    return f"{text}\n\n@{host} #{{secret}}"


def reminder(words: Words, *, clinic: str, base_url: str, number: str) -> str:
    """The daily text."""
    return words.safety(
        "%(clinic)s: time for your daily check-in: %(url)s "
        "Very unwell? Call %(number)s. STOP to end texts.",
        clinic=as_gsm7(clinic), url=f"{base_url}/c/{{secret}}", number=number,
    )  # fmt: skip


def repeat(words: Words, *, clinic: str, base_url: str, number: str) -> str:
    """The daily text once more, some hours later."""
    return words.safety(
        "%(clinic)s: no check-in from you yet today: %(url)s "
        "Very unwell? Call %(number)s. STOP to end texts.",
        clinic=as_gsm7(clinic), url=f"{base_url}/c/{{secret}}", number=number,
    )  # fmt: skip


def ask_helper(words: Words, *, clinic: str, number: str) -> str:
    """The text to a helper when there is no check-in; it names nobody."""
    return words.safety(
        "%(clinic)s: no check-in yet today from the person you help. "
        "Please ask how they are. In an emergency call %(number)s.",
        clinic=as_gsm7(clinic), number=number,
    )  # fmt: skip


def no_medical_help(words: Words, *, clinic: str, line: str, number: str) -> str:
    """The answer to a patient who writes to the number."""
    return words.safety(
        "%(clinic)s: this number cannot give medical help. Call %(line)s. "
        "In an emergency call %(number)s. STOP to end texts.",
        clinic=as_gsm7(clinic), line=line, number=number,
    )  # fmt: skip


def not_understood(words: Words, *, clinic: str, url: str) -> str:
    """The answer to a member of staff whose text we cannot act on."""

    def forms(words: Words, clinic: str, _: str) -> Iterator[str]:
        yield words.message(
            "%(clinic)s: not understood. Open the inbox: %(url)s", clinic=clinic, url=url
        )

    return with_names(words, forms, clinic=clinic)
