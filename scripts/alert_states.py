"""Print ``docs/alert-states.md`` from the tables the code runs on.

Run: PYTHONPATH=. python scripts/alert_states.py > docs/alert-states.md
"""

from datetime import timedelta

from patient_portal.domain.escalation import (
    CONTACT_WITHIN,
    LADDER,
    OWNER,
    TAKEN_IS_FRESH,
    TRANSITIONS,
    Act,
    AlertState,
)
from patient_portal.services.alerts import CONTACT_RESULTS, OUTCOMES, TRIES_BEFORE_UNREACHABLE
from patient_portal.services.tracking import MUST_BE_ACCEPTED_IN, TELL_PATIENT_AFTER

_ACTS = {
    Act.TAKE: "a member of the care team takes it",
    Act.RELEASE: "a member of the care team gives it back; the ladder starts over",
    Act.CONTACT: "a call to the patient is noted",
    Act.CLOSE: "a signed-in person closes it with an outcome",
    Act.WORSEN: "a higher level, or a red answer more than "
    f"{TAKEN_IS_FRESH.seconds // 60} minutes after it was taken; the ladder starts over",
}


def _minutes(span: timedelta) -> str:
    return f"{int(span.total_seconds() // 60)} min"


def page() -> str:
    """The whole page, as Markdown."""
    lines = [
        "# How an alert moves",
        "",
        "Printed by `scripts/alert_states.py` from `domain/escalation.py`; a test keeps it fresh.",
        "Timers are proposals that await clinical sign-off.",
        "",
        "## Who has to act",
        "",
        "| state | owner |",
        "|---|---|",
        *(f"| {state} | {OWNER[state]} |" for state in AlertState),
        "",
        "## Every legal move",
        "",
        "| from | what happens | to |",
        "|---|---|---|",
        *(f"| {old} | {act}: {_ACTS[act]} | {new} |" for (old, act), new in TRANSITIONS.items()),
        "",
        "Everything else is refused. Nothing ends by itself: only a person closes an alert.",
        "",
        "## The ladder",
        "",
        "| level | step | texted together | wait |",
        "|---|---|---|---|",
    ]
    for level, steps in LADDER.items():
        for number, step in enumerate(steps, start=1):
            who = ", ".join(step.positions)
            lines.append(f"| {level.code} | {number} | {who} | {_minutes(step.wait)} |")
    lines += [
        "",
        "A step with nobody who has a phone is skipped at once. In this version the first step is",
        "texted; the timers that climb further come with the rota.",
        "",
        "## Timers",
        "",
        "| level | contact within | patient is told that nobody took it after |",
        "|---|---|---|",
        *(
            f"| {level.code} | {_minutes(CONTACT_WITHIN[level])} "
            f"| {_minutes(TELL_PATIENT_AFTER[level])} |"
            for level in LADDER
        ),
        "",
        f"An open alert of which the gateway has accepted no text within "
        f"{int(MUST_BE_ACCEPTED_IN.total_seconds())} seconds is shown as failing.",
        "",
        "## Words of the forms",
        "",
        f"- Result of a call: {', '.join(f'`{result}`' for result in CONTACT_RESULTS)}.",
        f"- Outcome at closing: {', '.join(f'`{outcome}`' for outcome in OUTCOMES)}.",
        "- `advised` needs a moment to look again; "
        f"`unreachable` needs {TRIES_BEFORE_UNREACHABLE} noted calls; an emergency that nobody",
        "  contacted needs a reason.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
