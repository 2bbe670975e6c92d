"""Every sentence a person sees, in that person's language.

Three gettext domains: `safety` (questions, answers, results, texts, card), `messages`
(interface) and `learn` (education). Works outside Flask, so worker and SMS use it as well.
"""

from patient_portal.words.catalog import DOMAINS, SOURCE_LANGUAGE, known_languages, translations
from patient_portal.words.formats import (
    format_date,
    format_datetime,
    format_number,
    format_time,
)
from patient_portal.words.languages import direction, negotiate, own_name, tag
from patient_portal.words.review import ReviewState, may_offer, review_state
from patient_portal.words.text import Words, mark_learn, mark_message, mark_safety

__all__ = [
    "DOMAINS",
    "SOURCE_LANGUAGE",
    "ReviewState",
    "Words",
    "direction",
    "format_date",
    "format_datetime",
    "format_number",
    "format_time",
    "known_languages",
    "mark_learn",
    "mark_message",
    "mark_safety",
    "may_offer",
    "negotiate",
    "own_name",
    "review_state",
    "tag",
    "translations",
]
