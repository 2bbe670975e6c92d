"""Choosing words for a text to the care team so that it is one part of GSM-7.

A second part may arrive late or alone, and one letter outside GSM-7 more than halves the room.
"""

from collections.abc import Callable, Iterator

from patient_portal.sms.segments import as_gsm7, count
from patient_portal.words import Words

_LONGEST_NAME = 24


def first_that_fits(words: Words, forms: Callable[[Words], Iterator[str]]) -> str:
    """The first form that is one part, in this language or else in English; the last if none is."""
    shortest = ""
    for language in (words, Words("en")):
        for shortest in forms(language):
            size = count(shortest)
            if size.parts == 1 and size.is_gsm7:
                return shortest
    return shortest


def with_names(
    words: Words, write: Callable[[Words, str, str], Iterator[str]], *, clinic: str, name: str = ""
) -> str:
    """A text that names a clinic and perhaps a person, by plain words where a name does not fit.

    ``write`` yields its forms, longest first, from the language and the two names.
    """
    place, who = as_gsm7(clinic), as_gsm7(name)[:_LONGEST_NAME]

    def forms(words: Words) -> Iterator[str]:
        any_place, anybody = words.safety("Clinic"), words.safety("a colleague")
        yield from write(words, place, who)
        yield from write(words, any_place, who)
        if name:
            yield from write(words, place, anybody)
            yield from write(words, any_place, anybody)

    return first_that_fits(words, forms)
