"""Who looks at a page: the cookies of remembered phones and of signed-in staff.

A cookie that is broken, old or made up makes a stranger, never an error.
"""

from datetime import datetime

from flask import current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from patient_portal.logs import get_logger
from patient_portal.models import Caregiver, Patient
from patient_portal.services import accounts, devices, sign_in
from patient_portal.web.access import Audience, Viewer, audience_of
from patient_portal.web.context import portal, reading, writing

# A remembered phone writes that it was used at most this often; it may idle for 90 days.
DEVICE_SEEN_EVERY = devices.DEVICE_IDLE / 90


def _is_https() -> bool:
    return portal().settings.is_https


def device_cookie() -> str:
    """The cookie of a remembered phone."""
    return "__Host-dev" if _is_https() else "dev"


def staff_cookie() -> str:
    """The cookie of a signed-in member of staff."""
    return "__Host-staff" if _is_https() else "staff"


def challenge_cookie() -> str:
    """The cookie that binds a code to the browser that asked for it."""
    return "__Host-code" if _is_https() else "code"


def recognise() -> Viewer:
    """Find out who looks, with one query for each cookie that is there."""
    device = request.cookies.get(device_cookie(), "")
    staff = request.cookies.get(staff_cookie(), "")
    found = Viewer()
    if not device and not staff:
        return found
    try:
        with reading() as (session, now):
            if device:
                _recognise_phone(found, devices.find_device(session, device, now))
                if found.caregiver is not None:
                    found.helps = sign_in.helped_by(session, found.caregiver)
            if staff:
                _recognise_staff(found, accounts.find_session(session, staff, now))
            session.expunge_all()  # the rows outlive the session that read them
    except SQLAlchemyError:
        # Guidance is shown and a form's answers are judged even when the database is away.
        if audience_of(current_app, request.endpoint or "") in (Audience.PUBLIC, Audience.FORM):
            return Viewer()
        raise
    _note_use(found, now)
    return found


def _recognise_phone(found: Viewer, known: devices.KnownPhone | None) -> None:
    if known is not None:
        found.device, found.patient, found.caregiver = known.device, known.patient, known.caregiver


def _recognise_staff(found: Viewer, known: accounts.SignedIn | None) -> None:
    if known is not None:
        found.staff, found.staff_session = known.staff, known.session
        if audience_of(current_app, request.endpoint or "") is Audience.STAFF:
            g.viewer_language = known.language


def _note_use(found: Viewer, now: datetime) -> None:
    """Keep phone and session alive, seldom enough that reading pages stays reading."""
    device, staff_session = found.device, found.staff_session
    is_phone_due = device is not None and now - device.last_used_at >= DEVICE_SEEN_EVERY
    is_staff_due = (
        staff_session is not None
        and now - staff_session.last_seen_at >= accounts.SEEN_EVERY
        and _is_by_a_person()
    )
    if not is_phone_due and not is_staff_due:
        return
    try:
        with writing() as (session, now):
            if is_phone_due and device is not None:
                devices.touch(session, device.id, now)
            if is_staff_due and staff_session is not None:
                accounts.touch(session, staff_session.id, now)
    except SQLAlchemyError:
        # A page is worth more than the note that it was read.
        get_logger().warning("door.use_not_noted", endpoint=request.endpoint)


def _is_by_a_person() -> bool:
    """Whether somebody asked for this page, and not a page that reloads itself.

    The inbox reloads every half minute; if that counted, an abandoned screen would stay signed in
    all day. Browsers send Sec-Fetch-User with what a person did and leave it out of reloads that
    a page makes by itself; a browser that sends no such headers at all is given the benefit.
    """
    if request.method not in ("GET", "HEAD"):
        return True
    return "Sec-Fetch-Mode" not in request.headers or "Sec-Fetch-User" in request.headers


# ---- cookies


def _set(response: Response, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=_is_https(), httponly=True, samesite="Lax"
    )


def _clear(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=_is_https(), httponly=True, samesite="Lax")


def remember_phone(response: Response, token: str, *, is_shared: bool) -> None:
    """Give this browser the cookie of a remembered phone; a shared one forgets when closed."""
    seconds = None if is_shared else int(devices.DEVICE_LIVES.total_seconds())
    _set(response, device_cookie(), token, seconds)


def forget_phone(response: Response) -> None:
    """Take the cookie of a remembered phone away."""
    _clear(response, device_cookie())


def let_staff_in(response: Response, token: str) -> None:
    """Give this browser the cookie of a staff session.

    Lax and not Strict: a nurse opens an alert from a text, and some messengers hand the address
    over as another site's link. Nothing changes by GET, and forms carry a token.
    """
    _set(response, staff_cookie(), token, int(accounts.SESSION_LIVES.total_seconds()))


def let_staff_out(response: Response) -> None:
    """Take the cookie of a staff session away."""
    _clear(response, staff_cookie())


def set_challenge(response: Response, challenge: str) -> None:
    """Bind the code that was texted to this browser."""
    _set(response, challenge_cookie(), challenge, int(sign_in.CODE_LIVES.total_seconds()))


def clear_challenge(response: Response) -> None:
    """The code was used, or is given up."""
    _clear(response, challenge_cookie())


def challenge() -> str:
    """The challenge this browser holds, or an empty text."""
    return request.cookies.get(challenge_cookie(), "")


def person_of(found: Viewer) -> Patient | Caregiver | None:
    """The patient or caregiver whose phone this is."""
    return found.patient or found.caregiver
