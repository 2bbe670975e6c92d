"""Answers to texts that people send us. No name of a patient, no symptom; staff's are one part."""

from collections.abc import Iterator, Sequence

from patient_portal.sms.fitting import first_that_fits, with_names
from patient_portal.sms.segments import as_gsm7
from patient_portal.words import Words

# More references than this do not fit one part beside the words.
MOST_NAMED = 6
_LONGEST_NAME = 24


def _named(refs: Sequence[str]) -> str:
    shown = ", ".join(refs[:MOST_NAMED])
    return f"{shown} +{len(refs) - MOST_NAMED}" if len(refs) > MOST_NAMED else shown


# ---- to the care team


def you_have_it(words: Words, *, ref: str, until: str, url: str) -> str:
    """Taken; ``until`` is when the patient should have been called."""
    by = as_gsm7(until)

    def forms(words: Words) -> Iterator[str]:
        yield words.safety(
            "You have %(ref)s. Call the patient by %(time)s. Reply %(ref)s E to pass it on. "
            "%(url)s",
            ref=ref, time=by, url=url,
        )  # fmt: skip
        yield words.safety(
            "You have %(ref)s. Call the patient by %(time)s. Reply %(ref)s E to pass it on.",
            ref=ref, time=by,
        )  # fmt: skip

    return first_that_fits(words, forms)


def you_have_it_already(words: Words, *, ref: str, since: str, url: str) -> str:
    """Taken again by the same person."""
    return words.safety(
        "You have %(ref)s already, since %(time)s. %(url)s", ref=ref, time=as_gsm7(since), url=url
    )


def was_taken(words: Words, *, ref: str, by: str, at: str) -> str:
    """Somebody else was first."""
    time = as_gsm7(at)

    def forms(words: Words) -> Iterator[str]:
        yield words.safety(
            "%(ref)s was taken by %(who)s at %(time)s. Thank you.",
            ref=ref, who=as_gsm7(by)[:_LONGEST_NAME], time=time,
        )  # fmt: skip
        yield words.safety("%(ref)s was taken at %(time)s.", ref=ref, time=time)

    return first_that_fits(words, forms)


def was_closed(words: Words, *, ref: str, at: str) -> str:
    """The alert is over."""
    return words.safety(
        "%(ref)s was closed at %(time)s. There is nothing to do.", ref=ref, time=as_gsm7(at)
    )


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

    def forms(words: Words, clinic: str, name: str) -> Iterator[str]:
        yield words.safety(
            "%(clinic)s: the phone of %(name)s sent several wrong alert codes. Please call them.",
            clinic=clinic, name=name,
        )  # fmt: skip

    return with_names(words, forms, clinic=clinic, name=name)


# ---- to patients, helpers and strangers


def call_emergency(words: Words, *, clinic: str, number: str, line: str) -> str:
    """The answer to words of danger that are an emergency."""
    return words.safety(
        "%(clinic)s: call %(number)s NOW if you are in danger. Then call your team: %(line)s. "
        "Do not wait for a text.",
        clinic=as_gsm7(clinic), number=number, line=line,
    )  # fmt: skip


def call_team(words: Words, *, clinic: str, number: str, line: str) -> str:
    """The answer to other words of danger."""
    return words.safety(
        "%(clinic)s: call your team NOW: %(line)s. Do not wait for a text. "
        "Getting worse? Call %(number)s.",
        clinic=as_gsm7(clinic), number=number, line=line,
    )  # fmt: skip


def texts_stopped(words: Words, *, clinic: str, line: str, number: str) -> str:
    """Stopped by a word that the network does not answer itself."""
    return words.safety(
        "%(clinic)s: no more texts. Unwell? Call %(line)s, in an emergency %(number)s. "
        "START to get texts again.",
        clinic=as_gsm7(clinic), line=line, number=number,
    )  # fmt: skip


def nobody_reads(words: Words, *, number: str) -> str:
    """To a phone that we do not know. It says nothing of who we are."""
    return words.safety(
        "This number cannot give medical help. In an emergency call %(number)s.", number=number
    )
