"""Answers to texts that people send us. No name of a patient, no symptom; staff's are one part."""

from collections.abc import Sequence

from patient_portal.sms.segments import as_gsm7, count
from patient_portal.words import Words

# More references than this do not fit one part beside the words.
MOST_NAMED = 6
_LONGEST_NAME = 24


def _named(refs: Sequence[str]) -> str:
    shown = ", ".join(refs[:MOST_NAMED])
    return f"{shown} +{len(refs) - MOST_NAMED}" if len(refs) > MOST_NAMED else shown


def _first_that_fits(*forms: str) -> str:
    """The first of these that is one part; the last, shortest one if none is."""
    return next((form for form in forms if count(form).parts == 1), forms[-1])


# ---- to the care team


def you_have_it(words: Words, *, ref: str, until: str, url: str) -> str:
    """Taken; ``until`` is when the patient should have been called."""
    return _first_that_fits(
        words.safety(
            "You have %(ref)s. Call the patient by %(time)s. Reply %(ref)s E to pass it on. "
            "%(url)s",
            ref=ref, time=until, url=url,
        ),
        words.safety(
            "You have %(ref)s. Call the patient by %(time)s. Reply %(ref)s E to pass it on.",
            ref=ref, time=until,
        ),
    )  # fmt: skip


def you_have_it_already(words: Words, *, ref: str, since: str, url: str) -> str:
    """Taken again by the same person."""
    return words.safety(
        "You have %(ref)s already, since %(time)s. %(url)s", ref=ref, time=since, url=url
    )


def was_taken(words: Words, *, ref: str, by: str, at: str) -> str:
    """Somebody else was first."""
    return words.safety(
        "%(ref)s was taken by %(who)s at %(time)s. Thank you.",
        ref=ref, who=as_gsm7(by)[:_LONGEST_NAME], time=at,
    )  # fmt: skip


def was_closed(words: Words, *, ref: str, at: str) -> str:
    """The alert is over."""
    return words.safety("%(ref)s was closed at %(time)s. There is nothing to do.", ref=ref, time=at)


def passed_on(words: Words, *, ref: str) -> str:
    """Passed on to the next step."""
    return words.safety("You passed on %(ref)s. The next person gets a text now.", ref=ref)


def cannot_pass_on(words: Words, *, ref: str, url: str) -> str:
    """Passing on is not possible as the alert stands."""
    return words.safety("%(ref)s cannot be passed on as it stands. Open %(url)s", ref=ref, url=url)


def not_yours(words: Words, *, ref: str, url: str) -> str:
    """No such alert, another clinic's, or one that never was sent to this person: all the same."""
    return words.safety(
        "%(ref)s is no alert of yours. Check the code, or open %(url)s", ref=ref, url=url
    )


def close_on_page(words: Words, *, ref: str, url: str) -> str:
    """Closing needs sign-in."""
    return words.safety("%(ref)s can only be closed on its page: %(url)s", ref=ref, url=url)


def one_at_a_time(words: Words, *, refs: Sequence[str]) -> str:
    """More than one reference in a text."""
    return words.safety(
        "Nothing was taken. Please send one code in each text: %(refs)s", refs=_named(refs)
    )


def which_one(words: Words, *, refs: Sequence[str]) -> str:
    """A bare OK. One code may be the only one: taking still needs it by name."""
    return words.safety(
        "Nothing was taken. To take an alert reply its code: %(refs)s", refs=_named(refs)
    )


def say_it_plainly(words: Words, *, ref: str) -> str:
    """A reference in words that may mean anything."""
    return words.safety(
        "Nothing was done. Reply %(ref)s to take it, or %(ref)s E to pass it on.", ref=ref
    )


def none_waits(words: Words, *, url: str) -> str:
    """There is no open alert of this person's."""
    return words.safety("No alert waits for you now. The inbox: %(url)s", url=url)


def phone_not_tested(words: Words, *, url: str) -> str:
    """A number from which its owner has not answered a test yet."""
    return words.safety(
        "Nothing was taken: this phone has not been tested yet. Open %(url)s", url=url
    )


def phone_shared(words: Words, *, url: str) -> str:
    """Two people have this number, and both were texted."""
    return words.safety("Nothing was taken: two people have this number. Open %(url)s", url=url)


def phone_works(words: Words) -> str:
    """A test, a hand-over or the weekly text was answered."""
    return words.safety("Thank you. Alerts reach this phone.")


def wrong_codes(words: Words, *, clinic: str, name: str) -> str:
    """To the lead: somebody guesses references, or is lost among them."""
    return words.safety(
        "%(clinic)s: the phone of %(name)s sent several wrong alert codes. Please call them.",
        clinic=as_gsm7(clinic), name=as_gsm7(name)[:_LONGEST_NAME],
    )  # fmt: skip


# ---- to patients, helpers and strangers


def call_emergency(words: Words, *, clinic: str, number: str, line: str) -> str:
    """The answer to words of danger that are an emergency."""
    return words.safety(
        "%(clinic)s: call %(number)s NOW if you are in danger. Then call your team: %(line)s. "
        "Do not wait for a text.",
        clinic=clinic, number=number, line=line,
    )  # fmt: skip


def call_team(words: Words, *, clinic: str, number: str, line: str) -> str:
    """The answer to other words of danger."""
    return words.safety(
        "%(clinic)s: call your team NOW: %(line)s. Do not wait for a text. "
        "Getting worse? Call %(number)s.",
        clinic=clinic, number=number, line=line,
    )  # fmt: skip


def texts_stopped(words: Words, *, clinic: str, line: str, number: str) -> str:
    """Stopped by a word that the network does not answer itself."""
    return words.safety(
        "%(clinic)s: no more texts. Unwell? Call %(line)s, in an emergency %(number)s. "
        "START to get texts again.",
        clinic=clinic, line=line, number=number,
    )  # fmt: skip


def nobody_reads(words: Words, *, number: str) -> str:
    """To a phone that we do not know. It says nothing of who we are."""
    return words.safety(
        "This number cannot give medical help. In an emergency call %(number)s.", number=number
    )
