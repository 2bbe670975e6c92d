"""Check-ins: every answer is kept as it is given, triaged at once, and alerts if it is red.

``record_answers`` is the way of each step of the form, ``send`` of its last. Both are idempotent:
the form's own key makes a repeated request the same check-in.

``forms`` says what comes in and out, ``recording`` keeps answers, ``verdicts`` judges them and
raises the alert, ``days`` ends a day, ``reading`` finds what is kept.
"""

from patient_portal.services.checkins.days import close_yesterdays
from patient_portal.services.checkins.forms import FORM_LIVES, Form, FormExpired, Recorded, Step
from patient_portal.services.checkins.reading import alert_of, find, find_by_key, of_day
from patient_portal.services.checkins.recording import record_answers, send, take_back

__all__ = [
    "FORM_LIVES",
    "Form",
    "FormExpired",
    "Recorded",
    "Step",
    "alert_of",
    "close_yesterdays",
    "find",
    "find_by_key",
    "of_day",
    "record_answers",
    "send",
    "take_back",
]
