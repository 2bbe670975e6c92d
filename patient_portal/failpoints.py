"""Named places where a test may kill the process.

A crash between two lines cannot be provoked from outside with any aim; a named place can. Without
``PORTAL_FAILPOINTS`` in the environment every place is an empty call. Settings refuse the variable
together with a public (https) address.
"""

import os
import signal
import time

# Every place there is. A test walks this list, so a new one cannot stay untested.
PLACES = (
    "checkin.before_commit",
    "checkin.after_commit",
    "claim.before_commit",
    "claim.after_commit",
    "send.after_gateway",
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


_planned = _plan(os.environ.get("PORTAL_FAILPOINTS", ""))
_passed: dict[str, int] = {}


def passing(place: str) -> None:
    """Say that this place is reached; does what the plan says for it, mostly nothing."""
    if place not in _planned:
        return
    action, nth = _planned[place]
    _passed[place] = _passed.get(place, 0) + 1
    if _passed[place] != nth:
        return
    if action == "sleep":
        time.sleep(5)
        return
    os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)
