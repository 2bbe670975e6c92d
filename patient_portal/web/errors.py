"""Kind pages for what goes wrong. Each holds the emergency number; none tells how we work inside.

An error on a check-in's answer shows the same question again with the answer kept, and first what
to do if the answer is red: nobody may believe that a red answer arrived when it did not.
"""

from http import HTTPStatus

from flask import Flask, current_app, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from patient_portal.logs import get_logger
from patient_portal.web import doors
from patient_portal.web.access import Audience, Viewer, viewer
from patient_portal.web.patient.form_in_hand import team_line

KIND = frozenset({400, 403, 404, 405, 409, 410, 413, 429, 500, 503})
_ANSWERS = frozenset({"patient.checkin.answer", "patient.checkin.take_back"})
# PostgreSQL's code for a write while the server takes none, as a standby or in an emergency.
READ_ONLY = "25006"
_HELP = frozenset({"patient.help_now.show", "patient.help_now.choose"})


def install(app: Flask) -> None:
    """Answer every error with a page of ours."""
    app.register_error_handler(CSRFError, _token_expired)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unexpected)


def _token_expired(_error: CSRFError) -> Response:
    return _answer(HTTPStatus.BAD_REQUEST, is_expired=True)


def _refused(error: HTTPException) -> Response:
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if error.response is not None or 300 <= code < 400:
        return make_response(error.get_response())
    response = _answer(code if code in KIND or code < 500 else HTTPStatus.INTERNAL_SERVER_ERROR)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _database(error: SQLAlchemyError) -> Response:
    # A lock that was not given, a server that is away or takes no writes, an empty pool: all pass.
    passes = isinstance(error, OperationalError | PoolTimeout) or (
        isinstance(error, DBAPIError)
        and (error.connection_invalidated or getattr(error.orig, "sqlstate", "") == READ_ONLY)
    )
    _log(error)
    if not passes:
        return _answer(HTTPStatus.INTERNAL_SERVER_ERROR)
    response = _answer(HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = "10"
    return response


def _unexpected(error: Exception) -> Response:
    _log(error)
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR)


def _log(error: Exception) -> None:
    # Its name and place only: text and variables of an exception may hold what a person typed.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else ""
    get_logger().error(
        "page.failed",
        error=type(error).__name__,
        where=where,
        endpoint=request.endpoint,
        method=request.method,
    )


def _answer(code: int, *, is_expired: bool = False) -> Response:
    """The page for this status; the question again for an answer; always help for /help-now."""
    _recognise()
    try:
        if request.endpoint in _HELP:
            from patient_portal.web.patient.help_now import page

            return page()
        if request.endpoint in _ANSWERS and request.method == "POST":
            from patient_portal.web.patient import not_saved

            return not_saved.response(code)
        html = render_template(
            "errors/page.html",
            code=int(code),
            is_expired=is_expired,
            line=team_line(),
            kept=_kept(code, is_expired=is_expired),
            must_sign_in=_is_for_staff() and viewer().staff is None,
        )
    except Exception as error:
        _log(error)
        html = _bare()
    return make_response(html, code)


def _is_for_staff() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "audience", None) is Audience.STAFF


def _kept(code: int, *, is_expired: bool) -> list[tuple[str, str]]:
    """What somebody of the care team typed, when what refused it passes: sign-in, token, database.

    A nurse who was on the phone for longer than a session may idle must not lose her note. Only
    for a form of our own: another site's could hold an act that nobody here has chosen.
    """
    passes = is_expired or code >= HTTPStatus.INTERNAL_SERVER_ERROR or viewer().staff is None
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if request.method != "POST" or not (passes and is_ours and _is_for_staff()):
        return []
    return [each for each in request.form.items(multi=True) if each[0] != "csrf_token"]


def _recognise() -> None:
    """Find out who looks, when the error came before that; a stranger if it cannot be known."""
    if "viewer" in g:
        return
    g.viewer = Viewer()
    try:
        g.viewer = doors.recognise()
    except Exception as error:
        _log(error)


def _bare() -> str:
    """The last page there is, when even a template fails: how to get help, and nothing else."""
    # To look loses nothing; whoever sent something must know that it did not arrive.
    lost = "" if request.method in {"GET", "HEAD"} else " Nothing was saved."
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Error</title>'
        f"<h1>Something went wrong.{lost}</h1>"
        "<p>Very unwell? Call your emergency number now (911 in the USA, 999 in the UK, "
        '112 in the European Union). Then call your care team.</p><p><a href="/help-now">'
        "Emergency help</a></p></html>"
    )
