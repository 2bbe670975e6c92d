"""When an answer could not be stored: the same page, nothing typed is lost, guidance first.

Needs no database. The posted answers are judged by themselves, with medicine and day unknown, so
the level can only come out higher than it would have been.
"""

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from patient_portal.domain.pages import SEND, Page
from patient_portal.logs import get_logger
from patient_portal.web.context import portal, reading
from patient_portal.web.language import current_words
from patient_portal.web.patient import form_in_hand, question
from patient_portal.web.patient.form_in_hand import FormInHand
from patient_portal.web.patient.number_words import Asker
from patient_portal.web.patient.posted import read


def response(status: int, *, is_too_old: bool = False) -> Response:
    """The page that was answered, asked again because its answer could not be kept."""
    slug = str((request.view_args or {}).get("slug", ""))
    page = question.page_named(portal().site.protocol, slug)
    hand = _hand()
    # A form that is too old is never filled on: the next tap opens a new one.
    key = form_in_hand.new_key() if is_too_old else ""
    line = hand.line if hand else form_in_hand.team_line()
    if page is None or slug == SEND:
        return make_response(
            render_template("patient/check_in/not_sent.html", line=line, status=status,
                            hidden=question.hidden(hand), is_too_old=is_too_old),
            status,
        )  # fmt: skip
    is_unknown_phone = status == 403 and hand is None
    return make_response(_again(page, hand, line, key, is_unknown_phone), status)


def _again(page: Page, hand: FormInHand | None, line: str, key: str, is_unknown_phone: bool) -> str:
    asker = Asker(portal().site.protocol, current_words())
    posted = read(page, request.form, asker)
    guidance = question.guidance_for(posted, line, is_lost=True)
    guidance.is_unknown_phone = is_unknown_phone
    return question.render(page, hand, posted=posted, guidance=guidance, key=key)


def _hand() -> FormInHand | None:
    """Whose form it is, as far as it can be found out now."""
    try:
        with reading() as (session, now):
            hand = form_in_hand.find(session, now)
            session.expunge_all()
            return hand
    except Exception as error:  # whatever is broken, the guidance must still be shown
        get_logger().error("form.not_found", error=type(error).__name__)
        return None
