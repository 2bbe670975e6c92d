"""What Twilio tells us: the status of our texts, and texts that people send.

The signature is checked before anything else is looked at, and before the database is. What we
could not store is answered with an error, so that the gateway tells us again.
"""

import re
from typing import NoReturn

from flask import Blueprint, Response, abort, request

from patient_portal.config import TwilioSettings
from patient_portal.logs import get_logger
from patient_portal.services import inbound, outcomes
from patient_portal.sms import twilio
from patient_portal.web.access import Audience, audience
from patient_portal.web.context import portal, writing

blueprint = Blueprint("webhooks", __name__, url_prefix="/twilio")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_SID = re.compile(r"[A-Za-z0-9]{2,40}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # PostgreSQL keeps no NUL in a text
_NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
_log = get_logger()


def _refuse(status: int) -> NoReturn:
    """End with a bare status: no page is made for a machine, and a flood stays cheap."""
    abort(Response(status=status))


def _genuine() -> TwilioSettings:
    """The settings of the gateway that signed this request; ends with 403 if it did not."""
    settings = portal().settings
    if settings.twilio is None:
        _refuse(404)
    # The address as the gateway knows it: ours to the outside, whatever proxies made of it.
    query = request.query_string.decode("latin-1")
    url = f"{settings.base_url}{request.path}" + (f"?{query}" if query else "")
    if not twilio.is_genuine(
        settings.twilio,
        url,
        request.form,
        request.headers.get("X-Twilio-Signature"),
        request.headers.get("X-Twilio-Webhooks-Signature-Settings"),
    ):
        _refuse(403)
    # One token may serve several accounts; what is not about ours is none of our texts.
    account = settings.twilio.account_sid
    if request.form.get("AccountSid", account) != account:
        _log.warning("webhook.other_account")
        _refuse(403)
    return settings.twilio


@blueprint.post("/status")
@audience(Audience.GATEWAY)
def status() -> Response:
    """Store the status of one of our texts; `?message=` carries our own id of it."""
    _genuine()
    sid = request.form.get("MessageSid", "")
    word = request.form.get("MessageStatus", "")
    if not _SID.fullmatch(sid):
        _refuse(400)
    code = re.sub(r"\D", "", request.form.get("ErrorCode", ""))[:10]
    heard = outcomes.Status(
        gateway_id=sid,
        state=twilio.STATES.get(word),
        error_code=code or None,
    )
    named = request.args.get("message", "")
    message_id = named if _MESSAGE_ID.fullmatch(named) else None
    with writing() as (session, now):
        changed = outcomes.record_status(session, message_id, heard, now)
        is_ours = changed or outcomes.is_ours(session, message_id, sid)
    if not is_ours:
        _log.warning("webhook.unknown_text", state=word[:20])
    elif heard.state is None:
        _log.error("message.unknown_status", message_id=message_id)
    elif changed:
        _log.info("message.status", message_id=message_id, state=heard.state.value, code=code)
    return Response(status=204)


def _own_numbers(gateway: TwilioSettings) -> set[str]:
    """Ours: a text from one of them would be answered to ourselves, for ever."""
    ours = {gateway.sender, gateway.alert_sender, request.form.get("To")}
    return {number for number in ours if number}


@blueprint.post("/inbound")
@audience(Audience.GATEWAY)
def inbound_text() -> Response:
    """Keep a text that somebody sent us and act on it. We answer by texts of our own."""
    gateway = _genuine()
    sid = request.form.get("MessageSid", "")
    sender = _CONTROL.sub("", request.form.get("From", ""))
    if not _SID.fullmatch(sid) or not sender:
        _refuse(400)
    with writing() as (session, now):
        handled_as = inbound.receive(
            session,
            portal().site,
            sid,
            sender,
            request.form.get("Body", ""),
            now,
            opt_out=request.form.get("OptOutType", ""),
            own_numbers=_own_numbers(gateway),
        )
    _log.info("inbound.kept", kind=handled_as)
    return Response(_NO_REPLY, mimetype="text/xml")
