"""What the gateway says of a text afterwards, on order: never, twice, late, in the wrong order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One status callback: ``after`` seconds of waiting, the status, an error code or none."""

    status: str
    code: str = ""
    after: float = 0.0


@dataclass(frozen=True)
class Script:
    """The callbacks of one text, in the order in which they come."""

    words: tuple[Word, ...]
    is_before_answer: bool = False  # the last of them is answered before the request is


_SENT, _DELIVERED = Word("sent"), Word("delivered")


def script(name: str) -> Script:
    """The script of this name; ``late:600``, ``dup:100``, ``failed:30003`` carry a number.

    Raises ValueError for a name that means nothing.
    """
    kind, _, value = name.partition(":")
    scripts = {
        "none": (),
        "delivered": (_SENT, _DELIVERED),
        "sent": (_SENT,),
        "dup": (_SENT, *[_DELIVERED] * int(value or 3)) if kind == "dup" else (),
        "reverse": (_DELIVERED, _SENT, Word("queued")),
        "late": (_SENT, Word("delivered", after=float(value or 600) if kind == "late" else 0)),
        "before_response": (_SENT, _DELIVERED),
        "unknown_status": (Word("teleported"),),
        "failed": (Word("failed", value or "30008"),),
        "undelivered": (_SENT, Word("undelivered", value or "30003")),
        "delivered_after_failed": (Word("failed", value or "30008"), _DELIVERED),
    }
    if kind not in scripts:
        raise ValueError(f"no script is called {name!r}")
    return Script(scripts[kind], is_before_answer=kind == "before_response")
