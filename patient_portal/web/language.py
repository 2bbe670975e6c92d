"""The language of a request, and the words of that language in templates.

Order: `?lang=`, the choice kept in the session, the person's own preference, what the browser
asks for, English. A draft is offered in the demo only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    has_request_context,
    redirect,
    request,
    session,
)
from flask_babel import Babel
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as BaseResponse

from patient_portal.config import Settings
from patient_portal.paths import shipped
from patient_portal.web.access import Viewer, public, viewer
from patient_portal.words import (
    DOMAINS,
    SOURCE_LANGUAGE,
    Words,
    direction,
    known_languages,
    may_offer,
    negotiate,
    own_name,
    review_state,
    tag,
)
from patient_portal.words.text import require_format, with_one_stop

_SESSION_KEY = "language"
STATE = "patient_portal.languages"
_ENGLISH = Words(SOURCE_LANGUAGE)

language = Blueprint("language", __name__)


@dataclass(frozen=True)
class LanguageState:
    """What one application offers."""

    directory: Path
    offered: tuple[str, ...]
    drafts: frozenset[str]


@dataclass(frozen=True)
class LanguageChoice:
    """One row of the language switch."""

    code: str
    tag: str
    dir: str
    name: str
    is_draft: bool
    is_current: bool


def init_language(app: Flask, settings: Settings, directory: Path | None = None) -> None:
    """Give the application its languages, template functions and `POST /language`.

    Raises FileNotFoundError when the catalogs are missing, and RuntimeError when a language
    of the tree has not been compiled: silently English would be the alternative.
    """
    folder = (directory or shipped("translations")).resolve()
    languages = known_languages(folder)
    _require_compiled(folder, languages)
    offered = tuple(
        code for code in languages if may_offer(code, drafts=settings.demo, directory=folder)
    )
    drafts = frozenset(
        code for code in offered if review_state(code, "safety", folder) in ("draft", "translated")
    )
    app.extensions[STATE] = LanguageState(folder, offered, drafts)
    # Absolute, because Flask-Babel looks for a relative folder inside the package and says
    # nothing when it is not there.
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(folder)
    app.config["BABEL_DOMAIN"] = "messages"
    Babel(app, configure_jinja=False, locale_selector=current_language)
    _teach_templates(app)
    app.register_blueprint(language)
    app.after_request(_name_language)


def _require_compiled(folder: Path, languages: tuple[str, ...]) -> None:
    for code in languages:
        for domain in DOMAINS:
            path = folder / code / "LC_MESSAGES" / f"{domain}.mo"
            if code != SOURCE_LANGUAGE and not path.is_file():
                raise RuntimeError(
                    f"translations/{code} has no compiled {domain}. "
                    "Run: python -m patient_portal.words compile"
                )


def _state() -> LanguageState:
    state = current_app.extensions[STATE]
    assert isinstance(state, LanguageState)  # noqa: S101 - narrows the type of a registry
    return state


def current_language() -> str:
    """Return the language of this request, a folder name such as "es"; English outside one."""
    return current_words().language


def current_words() -> Words:
    """Return the words of this request's language; English outside a request."""
    # Asked for a hundred times a page, so the request's own store is looked up once. The viewer
    # may become known after the first time.
    try:
        kept = g._get_current_object().__dict__
    except RuntimeError:
        return _ENGLISH
    known: tuple[object, object, Words] | None = kept.get("_words")
    who, named = kept.get("viewer"), kept.get("viewer_language")
    if known is not None and known[0] is who and known[1] == named:
        return known[2]
    if not has_request_context():
        return _ENGLISH
    words = Words(_choose(named or language_of(viewer())), _state().directory)
    kept["_words"] = (who, named, words)
    return words


def language_of(who: Viewer) -> str | None:
    """Return the language a known person asked for when they were enrolled.

    Staff read in their clinic's language: whoever recognises them sets `g.viewer_language`.
    """
    person = who.caregiver or who.patient
    return person.language if person else None


def _choose(preference: str | None) -> str:
    offered = _state().offered
    asked = request.args.get("lang", "")
    if asked and (chosen := negotiate([asked[:35]], offered, default="")):
        if session.get(_SESSION_KEY) != chosen:
            session[_SESSION_KEY] = chosen
        return chosen
    kept = session.get(_SESSION_KEY)
    if isinstance(kept, str) and kept in offered:
        return kept
    if preference and (chosen := negotiate([preference], offered, default="")):
        return chosen
    return negotiate([accepted for accepted, _ in request.accept_languages], offered)


def language_choices() -> list[LanguageChoice]:
    """Return the languages this person may switch to, for the switch on every page."""
    state, current = _state(), current_language()
    return [
        LanguageChoice(
            code, tag(code), direction(code), own_name(code), code in state.drafts, code == current
        )
        for code in state.offered
    ]


def is_draft() -> bool:
    """Say whether this page is in a language nobody has checked."""
    return current_language() in _state().drafts


@language.post("/language")
@public
def choose() -> BaseResponse:
    """Keep the chosen language for this browser and go back to the page."""
    chosen = request.form.get("language", "")
    if chosen not in _state().offered:
        abort(400)
    session[_SESSION_KEY] = chosen
    return redirect(local_path(request.form.get("next", "")), 303)


def local_path(target: str) -> str:
    """Return `target` if it is a path of this site, else "/"; `lang` is taken off it."""
    is_local = target.startswith("/") and not target.startswith("//")
    if not is_local or not target.isprintable() or "\\" in target:
        return "/"
    parts = urlsplit(target)
    query = "&".join(
        part for part in parts.query.split("&") if part and not part.startswith("lang=")
    )
    return parts.path + (f"?{query}" if query else "")


def _name_language(response: Response) -> Response:
    if "_words" in g:
        response.headers["Content-Language"] = tag(current_language())
        response.vary.add("Accept-Language")
    return response


# ---- words in templates


@lru_cache(maxsize=8192)
def _as_html(text: str) -> tuple[Markup, bool]:
    # A translation is data: all of it is escaped, and bold is let through again.
    html = str(escape(text)).replace("&lt;b&gt;", "<b>").replace("&lt;/b&gt;", "</b>")
    takes_values = "%(" in text
    return Markup(html if takes_values else html.replace("%%", "%")), takes_values  # noqa: S704


def _filled(text: str, values: Mapping[str, object]) -> Markup:
    html, takes_values = _as_html(with_one_stop(text, values))
    if not takes_values:
        return html
    require_format(text)
    return html % values


def _html(domain: str, msgid: str, values: dict[str, object]) -> Markup:
    words = current_words()
    found = words.find(domain, msgid)
    try:
        return _filled(msgid if found is None else found, values)
    except (KeyError, ValueError):
        return Markup(escape(words.translate(domain, msgid, values)))  # noqa: S704


def _nhtml(domain: str, one: str, many: str, n: int, values: dict[str, object]) -> Markup:
    values = {"num": n, "n": n, **values}
    found = current_words().find_count(domain, one, many, n)
    try:
        return _filled(found, values)
    except (KeyError, ValueError):
        return Markup(  # noqa: S704
            escape(current_words().translate_count(domain, one, many, n, values))
        )


def safety(msgid: str, /, **values: object) -> Markup:
    """Translate a sentence of `safety` for a page; values are escaped."""
    return _html("safety", msgid, values)


def message(msgid: str, /, **values: object) -> Markup:
    """Translate a sentence of `messages` for a page; values are escaped."""
    return _html("messages", msgid, values)


def learn(msgid: str, /, **values: object) -> Markup:
    """Translate a sentence of `learn` for a page; values are escaped."""
    return _html("learn", msgid, values)


def nsafety(one: str, many: str, n: int, /, **values: object) -> Markup:
    """Translate a counted sentence of `safety` for a page."""
    return _nhtml("safety", one, many, n, values)


def nmessage(one: str, many: str, n: int, /, **values: object) -> Markup:
    """Translate a counted sentence of `messages` for a page."""
    return _nhtml("messages", one, many, n, values)


def _teach_templates(app: Flask) -> None:
    jinja = app.jinja_env
    jinja.add_extension("jinja2.ext.i18n")
    # The functions below fill placeholders themselves.
    jinja.newstyle_gettext = True  # type: ignore[attr-defined]
    jinja.policies["ext.i18n.trimmed"] = True
    jinja.globals.update(
        _=message,
        gettext=message,
        ngettext=nmessage,
        safety=safety,
        nsafety=nsafety,
        learn=learn,
        language_choices=language_choices,
    )
    app.context_processor(_page_language)


def _page_language() -> dict[str, object]:
    code = current_language()
    return {
        "words": current_words(),
        "lang": tag(code),
        "dir": direction(code),
        "is_draft": code in _state().drafts,
    }
