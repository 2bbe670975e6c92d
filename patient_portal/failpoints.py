"""Named places where a test may kill the process.

A crash between two lines cannot be provoked from outside with any aim; a named place can. Without
``PORTAL_FAILPOINTS`` in the environment every place is an empty call. Settings refuse the variable
together with a public (https) address. Its value is a plan, or ``@`` and the path of a file that
holds one: read at each place, carried out once.
"""

import os
import signal
import time
from contextlib import suppress

# Every place there is. A test walks this list, so a new one cannot stay untested.
PLACES = (
    "checkin.before_begin",
    "checkin.before_alert",
    "checkin.before_commit",
    "checkin.after_commit",
    "alert.before_begin",
    "alert.before_commit",
    "alert.after_commit",
    "status.before_begin",
    "status.before_commit",
    "status.after_commit",
    "inbound.before_begin",
    "inbound.before_commit",
    "inbound.after_commit",
    "claim.before_commit",
    "claim.after_commit",
    "send.after_gateway",
    "send.after_note",
    "silence.before_commit",
    "ladder.before_commit",
    "ladder.after_commit",
)


def _plan(text: str) -> dict[str, tuple[str, int]]:
    """Read ``place:action@nth,…``; actions are kill (SIGKILL), stop (SIGSTOP) and sleep (5 s)."""
    plan: dict[str, tuple[str, int]] = {}
    for part in filter(None, text.split(",")):
        place, _, rest = part.partition(":")
        action, _, nth = rest.partition("@")
        if place not in PLACES or action not in {"kill", "stop", "sleep"}:
            raise ValueError(f"PORTAL_FAILPOINTS: {part!r} names no known place and action")
        plan[place] = (action, int(nth or 1))
    return plan


_asked = os.environ.get("PORTAL_FAILPOINTS", "")
_planned = _plan("" if _asked.startswith("@") else _asked)
_passed: dict[str, int] = {}


def passing(place: str) -> None:
    """Say that this place is reached; does what the plan says for it, mostly nothing."""
    if not _asked:
        return
    planned = _planned or _plan(_read(_asked[1:]))
    if place not in planned:
        return
    action, nth = planned[place]
    _passed[place] = _passed.get(place, 0) + 1
    if _passed[place] != nth:
        return
    if not _planned:
        _passed[place] = 0
        with suppress(FileNotFoundError):  # what comes back after a kill must not die again
            os.unlink(_asked[1:])
    if action == "sleep":
        time.sleep(5)
        return
    os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)


def _read(path: str) -> str:
    """The plan in a file that a test writes while we run; it is gone once it was carried out."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return ""
