"""``make contract``: is what we send and expect what Twilio defines?

Gets Twilio's definition with npm, compares our schema with it, then runs the real adapter against
a mock that Prism makes of that definition. Needs Node and the network; says what it did not run.
Ends with 0 if all was run and agrees, 1 on a difference, 2 if something was not run.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from patient_portal.config import TwilioSettings
from patient_portal.domain.delivery import MessageState
from patient_portal.sms.gateway import Outgoing, SendError
from patient_portal.sms.twilio import TwilioGateway
from tests.contract.comparing import differences
from tests.contract.definition import PACKAGE, PRISM, NotAvailable, cut, fetch
from tests.support.messages_api import schema
from tests.support.processes import until

START_SECONDS = 180.0
ACCOUNT = "AC" + "0" * 32
TEXT = Outgoing(
    "mEsSaGe-iD_12345", "+12125550142", "Maple: ALERT K7Q3M", True, timedelta(seconds=300)
)


def main() -> int:
    """Run what can be run; the exit status."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            definition = fetch(folder)
        except (NotAvailable, subprocess.TimeoutExpired) as error:
            print(f"NOT RUN, the comparison and the mock: {error}")
            return 2
        found = differences(schema(), definition)
        print(f"{PACKAGE}: {len(schema()['operations'])} operations compared, ", end="")
        print("\n".join([f"{len(found)} differences", *found]))
        paths = sorted({each["path"] for each in schema()["operations"].values()})
        cut_file = folder / "messages.json"
        cut_file.write_text(json.dumps(cut(definition, paths)), "utf-8")
        try:
            with _mock(folder, cut_file) as url:
                found += _against(url)
        except NotAvailable as error:
            print(f"NOT RUN, the mock: {error}")
            return 1 if found else 2
    return 1 if found else 0


@contextmanager
def _mock(folder: Path, definition: Path) -> Iterator[str]:
    """Prism's mock of the definition; it refuses what the definition does not allow."""
    npx = shutil.which("npx")
    if npx is None:
        raise NotAvailable("npx is not installed (it comes with Node)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "prism.log"
    with log.open("wb") as sink:
        child = subprocess.Popen(
            [npx, "--yes", PRISM, "mock", "-p", str(port), str(definition)],
            stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: child.poll() is not None or _answers(port), START_SECONDS)
        if child.poll() is not None or not _answers(port):
            said = log.read_text("utf-8", "replace").strip().splitlines() or ["it said nothing"]
            raise NotAvailable(f"{PRISM} did not start: {said[-1]}")
        yield url
    finally:
        child.terminate()
        child.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _against(url: str) -> list[str]:
    """Send, ask and look through the real adapter; what went wrong."""
    settings = TwilioSettings(
        account_sid=ACCOUNT, auth_token="made up", sender="+12125550100", api_base=url
    )
    gateway = TwilioGateway(settings, "https://portal.example.org")
    found = []

    def check(name: str, call: Any, holds: Any) -> None:
        try:
            answer = call()
        except SendError as error:
            found.append(f"{name}: {error.code}")
            return
        if not holds(answer):
            found.append(f"{name}: {answer}")

    check("send", lambda: gateway.send(TEXT), lambda got: got.gateway_id.startswith("SM"))
    check(
        "fetch",
        lambda: gateway.fetch("SM" + "1" * 32),
        lambda got: isinstance(got.state, MessageState),
    )
    check("find", lambda: gateway.find(TEXT, timedelta(minutes=1)), lambda got: got == [])
    refused = _status_of(f"{url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", b"Body=x")
    if refused != 422:
        found.append(f"the mock takes a text to nobody ({refused}): it checks nothing")
    print("\n".join([f"{PRISM}: 4 requests, {len(found)} differences", *found]))
    return found


def _status_of(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, body, {"Authorization": "Basic eDp5"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


if __name__ == "__main__":
    sys.exit(main())
