"""What every error of the gateway means: for the text, the number, the ladder and the operator.

Plain data, a row a code. Source: the gateway's error dictionary (twilio.com/docs/api/errors).
``python -m patient_portal.domain.gateway_policy`` prints it as the table of the manual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """What is done with the text."""

    RETRY = "retry"  # the same text again, each wait longer than the last
    ONCE_MORE = "once more"  # one further text, while its alert still waits for somebody
    GIVE_UP = "give up"


class Number(StrEnum):
    """What is noted of the person's number."""

    KEEP = "-"
    BAD = "bad"  # no text will ever reach it; somebody has to ask for another number
    STOPPED = "stopped"  # its owner texted STOP and has to text START


class Fault(StrEnum):
    """What the operator must know of; shown until a text goes through again."""

    DOWN = "down"  # nothing leaves: phone the people of the ladder
    AWAY = "away"  # the gateway does not answer, or answers with its own failures
    FILTERED = "filtered"  # networks block our texts
    QUEUE = "queue"  # more texts than the gateway or the network takes
    LATE = "late"  # texts grow too old before their turn comes
    UNKNOWN = "unknown"  # an error that no row names


@dataclass(frozen=True)
class Policy:
    """One row. ``refused``: the gateway did not take it. ``lost``: it took it and it failed later.

    ``other_sender``: the next attempt leaves from our other sender, if there is one. The ladder
    goes on at once whenever a text is given up or lost; a text that is retried has its timer.
    """

    code: str
    means: str
    refused: Act
    lost: Act
    number: Number = Number.KEEP
    fault: Fault | None = None
    other_sender: bool = False

    @property
    def is_down(self) -> bool:
        """Whether to let the gateway rest before the next text, whichever it is."""
        return self.fault is Fault.DOWN


_DOWN = {"refused": Act.RETRY, "lost": Act.ONCE_MORE, "fault": Fault.DOWN}
_AWAY = {"refused": Act.RETRY, "lost": Act.ONCE_MORE, "fault": Fault.AWAY}
_BUSY = {"refused": Act.RETRY, "lost": Act.ONCE_MORE}
_BAD = {"refused": Act.GIVE_UP, "lost": Act.GIVE_UP, "number": Number.BAD}
_OURS = {"refused": Act.GIVE_UP, "lost": Act.GIVE_UP, "fault": Fault.UNKNOWN}
_FILTERED = {
    "refused": Act.ONCE_MORE, "lost": Act.ONCE_MORE, "fault": Fault.FILTERED,
    "other_sender": True,
}  # fmt: skip
_QUEUE = {
    "refused": Act.RETRY, "lost": Act.ONCE_MORE, "fault": Fault.QUEUE, "other_sender": True,
}  # fmt: skip


def _row(code: str, means: str, shape: Mapping[str, object]) -> Policy:
    return Policy(code, means, **shape)  # type: ignore[arg-type]


TABLE: tuple[Policy, ...] = (
    # The account. Every text would fail; a rest of a minute spares the gateway's own limits.
    _row("20003", "our password is refused", _DOWN),
    _row("20005", "our account is not active", _DOWN),
    _row("20404", "our account is not found", _DOWN),
    _row("401", "our password is refused", _DOWN),
    _row("403", "we may not do this", _DOWN),
    _row("30002", "our account is suspended", _DOWN),
    # The gateway's own state.
    _row("20429", "too many requests", _BUSY),
    _row("429", "too many requests", _BUSY),
    _row("20500", "the gateway failed", _AWAY),
    _row("20503", "the gateway is not available", _AWAY),
    _row("500", "the gateway failed", _AWAY),
    _row("502", "the gateway failed", _AWAY),
    _row("503", "the gateway is not available", _AWAY),
    _row("504", "the gateway was too slow", _AWAY),
    _row("not_connected", "the gateway cannot be reached", _AWAY),
    # The number.
    _row("21211", "not a phone number", _BAD),
    _row("21217", "not a phone number", _BAD),
    _row("21604", "no number to send to", _BAD),
    _row("21614", "not a mobile phone", _BAD),
    _row("21635", "a landline", _BAD),
    _row("30005", "no such phone any more", _BAD),
    _row("30006", "a landline, or a network that cannot be reached", _BAD),
    _row("21610", "this phone texted STOP",
         {"refused": Act.GIVE_UP, "lost": Act.GIVE_UP, "number": Number.STOPPED}),
    _row("30003", "the phone is off or has no signal",
         {"refused": Act.RETRY, "lost": Act.ONCE_MORE}),
    _row("30004", "blocked by the phone or its network",
         {"refused": Act.GIVE_UP, "lost": Act.GIVE_UP}),
    # Our sender or our text.
    _row("21408", "texts to this country are switched off",
         {"refused": Act.GIVE_UP, "lost": Act.GIVE_UP, "fault": Fault.FILTERED}),
    _row("21612", "our sender cannot reach this number",
         {"refused": Act.ONCE_MORE, "lost": Act.ONCE_MORE, "other_sender": True}),
    _row("21602", "the text is empty", _OURS),
    _row("21617", "the text is too long", _OURS),
    _row("30007", "the network filters our texts", _FILTERED),
    _row("30034", "our sender is not registered", _FILTERED),
    _row("21611", "too many texts wait at our sender", _QUEUE),
    _row("30001", "too many texts wait in the network", _QUEUE),
    _row("30036", "too old when its turn came",
         {"refused": Act.RETRY, "lost": Act.ONCE_MORE, "fault": Fault.LATE}),
    _row("30008", "unknown, says the gateway",
         {"refused": Act.RETRY, "lost": Act.ONCE_MORE, "fault": Fault.UNKNOWN}),
)  # fmt: skip

POLICIES: Mapping[str, Policy] = {row.code: row for row in TABLE}

# Whatever has no row of its own.
ANY_OTHER = _row(
    "any other", "an error that we do not know",
    {"refused": Act.RETRY, "lost": Act.ONCE_MORE, "fault": Fault.UNKNOWN},
)  # fmt: skip
# A text that failed and of which no code was told: it may pass, and is nobody's trouble yet.
NO_CODE = _row("no code", "lost, without a reason", {"refused": Act.RETRY, "lost": Act.ONCE_MORE})

# How the codes begin that say nobody knows whether the text left (see ``gateway.OutcomeUnknown``).
UNSURE = "unsure:"


def policy_of(code: str | None) -> Policy:
    """The row for an error code; every code has one."""
    if not code:
        return NO_CODE
    bare = code.removeprefix(UNSURE)
    # An answer that never came, or that nobody can read, is the gateway's own failure.
    return POLICIES.get(bare, ANY_OTHER if bare == code else POLICIES["504"])


def is_unsure(code: str | None) -> bool:
    """Whether an attempt that ended with this code, or one before it, may have reached the phone.

    A gateway that answers with its own failure may have taken the text before it failed.
    """
    if not code:
        return False
    is_away = policy_of(code).fault is Fault.AWAY and code != "not_connected"
    return code.startswith(UNSURE) or is_away


def still_unsure(before: str | None, code: str) -> str:
    """The code to keep after a further attempt: a doubt stays until the text is found or sent."""
    if is_unsure(before) and not is_unsure(code):
        return f"{UNSURE}{code}"[:40]
    return code


def printed() -> str:
    """The table in Markdown, for the manual."""
    lines = [
        "| code | meaning | when refused | when lost later | number | operator | other sender |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in (*TABLE, NO_CODE, ANY_OTHER):
        fault = row.fault.value if row.fault else "-"
        other = "yes" if row.other_sender else "-"
        lines.append(
            f"| {row.code} | {row.means} | {row.refused} | {row.lost} | {row.number} "
            f"| {fault} | {other} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(printed(), end="")
