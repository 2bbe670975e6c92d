"""Print ``docs/alert-states.md`` from the tables the code runs on.

Run: PYTHONPATH=. python scripts/alert_states.py > docs/alert-states.md
"""

from datetime import timedelta

from patient_portal.domain.escalation import (
    CONTACT_WITHIN,
    LADDER,
    LEAD_TOLD_AFTER,
    LEAD_TOLD_EVERY,
    OPENS_AGAIN_AFTER,
    OWNER,
    PROOF_WITHIN,
    TAKEN_IS_FRESH,
    TELL_PATIENT_AFTER,
    TEST_LASTS,
    TRANSITIONS,
    Act,
    AlertState,
)
from patient_portal.domain.ladders import LAST_STEP, LONGEST_WAIT, SHORTEST_WAIT
from patient_portal.services.alerts import CONTACT_RESULTS, OUTCOMES, TRIES_BEFORE_UNREACHABLE
from patient_portal.services.bundles import MOST_A_MINUTE
from patient_portal.services.paging import OWNER_IS_TOLD_EVERY
from patient_portal.services.tracking import MUST_BE_ACCEPTED_IN

_ACTS = {
    Act.TAKE: "a member of the care team takes it",
    Act.RELEASE: "a member of the care team gives it back; the ladder starts over",
    Act.PASS_ON: "a member of the care team lets the next step be texted now",
    Act.CONTACT: "a call to the patient is noted",
    Act.CLOSE: "a signed-in person closes it with an outcome",
    Act.WORSEN: "a higher level, or a red answer more than "
    f"{TAKEN_IS_FRESH.seconds // 60} minutes after it was taken; the ladder starts over",
    Act.REOPEN: "the clock: taken, and no call noted; the ladder starts over",
    Act.END_TEST: "the clock, or the test's own answer; only an alert that is a test",
}


def _minutes(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes} min" if not seconds else f"{minutes} min {seconds} s"


def _drawn() -> list[str]:
    """The moves as a diagram in Mermaid."""
    arrows: dict[tuple[AlertState, AlertState], list[str]] = {}
    for (old, act), new in TRANSITIONS.items():
        arrows.setdefault((old, new), []).append(act.value.replace("_", " "))
    return [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {AlertState.OPEN}: red answer",
        *(f"    {old} --> {new}: {', '.join(acts)}" for (old, new), acts in arrows.items()),
        f"    {AlertState.CLOSED} --> [*]",
        "```",
    ]


def _timers() -> list[str]:
    rows = [
        ("nothing proves that a text of the step arrived: the ladder goes on", PROOF_WITHIN),
        ("nobody took it: the patient is told to call (page and text)", TELL_PATIENT_AFTER),
        ("taken, no call noted: the owner is texted again", CONTACT_WITHIN),
        ("taken, no call noted: it opens again", OPENS_AGAIN_AFTER),
    ]
    levels = list(LADDER)
    return [
        f"| after this | {' | '.join(level.code for level in levels)} |",
        f"|---|{'---|' * len(levels)}",
        *(
            f"| {what} | {' | '.join(_minutes(times[level]) for level in levels)} |"
            for what, times in rows
        ),
    ]


def _own_ladder() -> list[str]:
    longest = ", ".join(f"{_minutes(wait)} ({level.code})" for level, wait in LONGEST_WAIT.items())
    last = "; ".join(
        f"{level.code}: {' and '.join(sorted(who))}" for level, who in LAST_STEP.items()
    )
    return [
        "A clinic may have a ladder of its own, by level a list of"
        ' `{"who": ["nurse"], "minutes": 5}`.',
        "Refused: no steps or a step with nobody, an unknown position, the same step twice, a",
        f"wait under {_minutes(SHORTEST_WAIT)} or over {longest}, and a last step without",
        f"these: {last}.",
    ]


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
        "Everything else is refused. A patient's alert never ends by itself: only a person closes",
        f"it. A test that nobody ended ends after {_minutes(TEST_LASTS)}.",
        "",
        *_drawn(),
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
        "The last step comes again after its wait, until somebody takes the alert. A step with",
        "nobody who has a phone is skipped at once, and so is one whose every text is lost. Where",
        "nobody of any step has a phone, everyone is texted. The clinic's own number is texted",
        "with the last step, and whenever there is nobody else. Who has two numbers is texted on",
        "the second when the first fails or nothing proves that its text arrived. A worker that",
        "slept texts the steps it missed as one, once: late, never in a burst.",
        "",
        "A text proves nothing any more once its phone answers STOP, the network refuses it, or",
        "its person's account is closed: the ladder goes on as if it had been lost. An alert whose",
        "owner's account is closed opens again at once; where a call is noted, the lead is told.",
        "A ladder that the clinic changes holds for alerts that are open already.",
        "",
        *_own_ladder(),
        "",
        "## Timers",
        "",
        *_timers(),
        "",
        f"Taken and not closed after {LEAD_TOLD_AFTER.seconds // 3600} hours: the lead is told, and"
        f" every {int(LEAD_TOLD_EVERY.total_seconds() // 3600)} hours from then on.",
        "A start of the ladder starts the patient's timer too; in an emergency the helpers who may",
        "know are told with the patient. New answers of a taken alert go to its owner, once in",
        f"{_minutes(OWNER_IS_TOLD_EVERY)} unless the level rises.",
        "",
        f"An open alert of which the gateway has accepted no text within "
        f"{int(MUST_BE_ACCEPTED_IN.total_seconds())} seconds is shown as failing.",
        "",
        "## Many alerts at once",
        "",
        f"After {MOST_A_MINUTE} alert texts to one phone in a minute the later ones go out inside"
        " one text, which",
        "names the alerts, the worst first. Each alert keeps a text of its own in the outbox, and",
        "its state follows that one's. An alert is taken by its own reference alone.",
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
