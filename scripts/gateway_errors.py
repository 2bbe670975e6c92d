"""Print ``docs/sms-gateway.md`` from the tables the code runs on.

Run: PYTHONPATH=. python scripts/gateway_errors.py > docs/sms-gateway.md
"""

from datetime import timedelta

from patient_portal.config import USUAL_LEASE
from patient_portal.domain.gateway_policy import printed
from patient_portal.services import gateway_faults, outcomes, reconcile
from patient_portal.sms import gateway, twilio


def _said(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    raise ValueError(span)


def page() -> str:
    """The whole page, as Markdown."""
    looking = twilio.LOOK_CONNECT_SECONDS + 2 * twilio.LOOK_READ_SECONDS
    sending = twilio.CONNECT_SECONDS + 2 * twilio.READ_SECONDS
    return f"""# The SMS gateway

Printed by `scripts/gateway_errors.py` from the tables the code runs on; a test keeps it fresh.

## What every error means

"Refused": the gateway did not take the text. "Lost later": it took the text, and then told us, or
was asked and said, that it failed. **Retry**: the same text again, each wait longer. **Once more**:
one further text, while its alert is open; a text that was refused is tried a second time. **Give
up**: never again. Whenever an alert's text is given up or lost and no other text of the running
step can still arrive, the ladder goes on at once. *Bad* and *stopped* numbers of the care team get
no further text, and the lead is texted. The operator's faults are shown until they pass; for all
but *down* and *away* the lead is texted too, once a day.

{printed()}
**Down** means that the gateway refuses our account. It is then left alone for
{_said(gateway_faults.REST)}; after that one text a minute tries it, of all workers together. Its
first other answer ends that. Meanwhile phone the people of the ladder.

## When nobody knows whether a text left

A worker that is killed between the gateway's answer and its own note, an answer that never comes,
an answer that cannot be read, and an error of the gateway's own leave the text in doubt. Before it
is sent again the texts to that number are listed (at most {looking:g} seconds) and one with the
same words, which no other row holds, is taken for it. Where the gateway cannot be asked, an alert
and what a person waits for are sent again; a reminder waits
{_said(outcomes.REMINDER_IS_LOOKED_FOR_AFTER)} and is looked for again. Looking and sending take
{looking + sending:g} seconds at most, less than the {USUAL_LEASE} seconds of the lease.

## When no callback comes

Callbacks are hints. A text of an alert without an end is asked about each
{_said(reconcile.ALERT_EVERY)}, every other text after {_said(reconcile.OTHER_AFTER)} and then once
in {_said(reconcile.OTHER_EVERY)}, for {_said(reconcile.GIVE_UP_AFTER)}.

## How long the gateway may try

`ValidityPeriod` of an alert is {int(gateway.ALERT_IS_VALID.total_seconds())} seconds, of everything
else {_said(gateway.OTHER_IS_VALID)} or what is left of its worth.

## Checked against the gateway's own definition

`make contract` gets Twilio's OpenAPI definition with npm, compares our own schema of it
(`tests/support/messages_api.json`) and runs the adapter against a mock that Prism makes of it. It
needs Node and the network.
"""


if __name__ == "__main__":
    print(page(), end="")
