"""How long an alert's texts take: from the commit until the gateway has them, on both engines.

Real pages, a real worker, and the gateway stand-in of the tests. The pages tell when they
committed, the gateway writes down when it had a text; both read the clock of this machine.
"""

import http.client
import math
import random
import secrets
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

from sqlalchemy import func, select

from patient_portal.database import Database, upgrade
from patient_portal.migrations.rights import grant_to
from patient_portal.models import Alert, Message, MessageState, Position
from patient_portal.services import accounts, devices
from tests.bench.cases import FORM, Page, get_page
from tests.bench.server import running
from tests.bench.timed import COMMITTED
from tests.support.gateway import ACCOUNT, ALERT_SENDER, FakeGateway, running_gateway, sign
from tests.support.people import a_clinic, a_member, a_patient
from tests.support.postgres import APP, OWNER, running_cluster
from tests.support.processes import environment_for, running_processes, until

WARMUP, ALERTS = 20, 200  # half of the alerts are taken on the page, half by text
GOALS = {"PostgreSQL": 20.0, "SQLite": 140.0}  # milliseconds, of the median
WAIT_SECONDS = 30.0
LOOK_EVERY = 0.002
# Four people are texted at once: so the last of three others is waited for.
_FIRST_STEP = (Position.NURSE, Position.NURSE, Position.BACKUP, Position.BACKUP)


@dataclass(frozen=True)
class Delays:
    """One line of the table: milliseconds of each try, and the goal of their median."""

    name: str
    values: Sequence[float]
    goal: float

    def percentile(self, share: float) -> float:
        """The time within which this share of the tries was done."""
        ordered = sorted(self.values)
        return ordered[max(0, math.ceil(len(ordered) * share) - 1)]

    def __str__(self) -> str:
        middle = median(self.values)
        verdict = "met" if middle <= self.goal else "NOT MET"
        return (
            f"  {self.name:<46}{len(self.values):>5}{middle:>9.1f}{self.percentile(0.99):>9.1f}"
            f"{max(self.values):>9.1f}   <= {self.goal:<4.0f} {verdict}"
        )


@dataclass(frozen=True)
class Case:
    """A clinic, a patient's remembered phone, and the four who are texted first."""

    clinic_id: str
    phone_token: str
    nurse_token: str
    numbers: tuple[str, ...]  # the first is the nurse's who takes the alert


@dataclass(frozen=True)
class Stage:
    """Pages, a worker beside them and a gateway, while they run."""

    base_url: str
    database: Database
    gateway: FakeGateway
    chance: random.Random

    def post(self, path: str, headers: Mapping[str, str], form: Mapping[str, str]) -> float:
        """Post a form; the moment of its commit. Raises RuntimeError where it was refused."""
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
        connection.request("POST", path, urlencode(form), {"Content-Type": FORM, **headers})
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        if answer.status not in (200, 303) or COMMITTED not in answer.headers:
            raise RuntimeError(f"{path} answered {answer.status}:\n{text[:400]}")
        return float(answer.headers[COMMITTED])

    def arrivals(self, after: int, numbers: Collection[str]) -> list[float]:
        """When the first text since then to each number was at the gateway, in order."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            found: dict[str, float] = {}
            for sent in self.gateway.ledger[after:]:
                if sent.to in numbers:
                    found.setdefault(sent.to, sent.at)
            if len(found) == len(numbers):
                return sorted(found.values())
            time.sleep(LOOK_EVERY)
        raise RuntimeError(f"The gateway had not got all texts after {WAIT_SECONDS:.0f} s.")

    def settle(self) -> None:
        """Wait until all is sent and noted, and then at random, for the worker looks in turns."""
        waiting = select(func.count(Message.id)).where(
            Message.state.in_((MessageState.DUE, MessageState.SENDING))
        )

        def is_over() -> bool:
            with self.database.reading() as session:
                return not session.execute(waiting).scalar_one()

        if not until(is_over, WAIT_SECONDS):
            raise RuntimeError(f"Texts are still on their way after {WAIT_SECONDS:.0f} s.")
        time.sleep(self.chance.uniform(0.05, 0.2))


# ---- one try


def _red_answer(stage: Stage, page: Page, case: Case) -> tuple[float, float]:
    """Seconds from a red answer's commit until its first and its last text is there."""
    before = len(stage.gateway.ledger)
    committed = stage.post(
        "/check-in/red-flags",
        {"Cookie": f"{page.cookie}; dev={case.phone_token}"},
        {"form": secrets.token_hex(16), "red_flags": "chest_pain", "csrf_token": page.token},
    )
    arrived = stage.arrivals(before, case.numbers)
    return arrived[0] - committed, arrived[-1] - committed


def _take_on_page(stage: Stage, case: Case, ref: str) -> float:
    address, cookie = f"/staff/alerts/{ref}", f"staff={case.nurse_token}"
    page = get_page(stage.base_url, address, {"Cookie": cookie})
    return stage.post(
        f"{address}/take", {"Cookie": f"{page.cookie}; {cookie}"}, {"csrf_token": page.token}
    )


def _take_by_text(stage: Stage, case: Case, ref: str) -> float:
    form = {
        "MessageSid": "SM" + secrets.token_hex(16), "AccountSid": ACCOUNT,
        "From": case.numbers[0], "To": ALERT_SENDER, "Body": ref,
    }  # fmt: skip
    signature = sign(f"{stage.base_url}/twilio/inbound", form)
    return stage.post("/twilio/inbound", {"X-Twilio-Signature": signature}, form)


def _taken(stage: Stage, case: Case, *, by_text: bool) -> float:
    """Seconds from the commit of a take until the last of the others is stood down."""
    with stage.database.reading() as session:
        query = select(Alert.ref).where(Alert.clinic_id == case.clinic_id)
        ref = session.execute(query).scalar_one()
    before = len(stage.gateway.ledger)
    committed = (_take_by_text if by_text else _take_on_page)(stage, case, ref)
    return stage.arrivals(before, case.numbers[1:])[-1] - committed


# ---- an engine


def measure(folder: Path) -> Iterator[str]:
    """Measure both engines; the lines of the table as they are known."""
    yield "From the commit to the gateway: milliseconds, one alert at a time."
    yield f"  {'':<46}{'tries':>5}{'median':>9}{'p99':>9}{'slowest':>9}   goal of the median"
    with running_cluster(is_durable=True) as cluster:
        name, owner = cluster.create("bench"), cluster.url("bench", OWNER)
        upgrade(owner)
        grant_to(owner, APP)
        yield from _engine("PostgreSQL", cluster.url(name), folder)
    url = f"sqlite:///{folder / 'alerts.sqlite'}"
    upgrade(url)
    yield from _engine("SQLite", url, folder)


def _engine(name: str, url: str, folder: Path) -> Iterator[str]:
    with _stage(url, folder) as stage:
        cases = [_case(stage.database, number) for number in range(WARMUP + ALERTS)]
        page = get_page(stage.base_url, "/check-in", {"Cookie": f"dev={cases[0].phone_token}"})
        answers: list[tuple[float, float]] = []
        takes: dict[bool, list[float]] = {False: [], True: []}
        for number, case in enumerate(cases):
            stage.settle()
            answer = _red_answer(stage, page, case)
            stage.settle()
            by_text = number % 2 == 1
            take = _taken(stage, case, by_text=by_text)
            if number >= WARMUP:
                answers.append(answer)
                takes[by_text].append(take)
    yield f"  {name}"
    for what, seconds in (
        ("red answer, the first of its four texts", [first for first, _ in answers]),
        ("red answer, the last of its four texts", [last for _, last in answers]),
        ("taken on the page, last of three stood down", takes[False]),
        ("taken by text, last of three stood down", takes[True]),
    ):
        yield str(Delays(what, [second * 1000 for second in seconds], GOALS[name]))


@contextmanager
def _stage(url: str, folder: Path) -> Iterator[Stage]:
    database = Database(url)
    with running_gateway() as gateway:
        settings = environment_for(url, gateway.environment())
        with (
            running("tests.bench.timed:build()", settings, folder) as pages,
            running_processes({**settings, "BASE_URL": pages.base_url}, folder) as processes,
        ):
            worker = processes.start("worker")
            if not until(lambda: "worker.started" in worker.said()):
                raise RuntimeError(worker.said())
            yield Stage(pages.base_url, database, gateway, random.Random(4))
    database.dispose()


def _case(database: Database, number: int) -> Case:
    """A clinic of its own for each alert: a phone that is texted often gets bundled texts."""
    now = datetime.now(UTC)
    with database.transaction() as session:
        clinic = a_clinic(session, name=f"Maple {number}", created_at=now, live_at=now)
        numbers = tuple(f"+1212{place}{number:04}" for place in range(551, 555))
        nurse, *_ = [
            a_member(session, clinic, f"N. {place}", position, phone=phone)
            for place, (position, phone) in enumerate(zip(_FIRST_STEP, numbers, strict=True))
        ]
        for place, position in enumerate((Position.PHYSICIAN, Position.LEAD), start=7):
            # Nobody is to be texted about a rota with gaps meanwhile.
            a_member(session, clinic, f"A. {place}", position, phone=f"+121255{place}{number:04}")
        patient = a_patient(session, clinic, phone=f"+1212556{number:04}", enrolled_at=now)
        return Case(
            clinic.id, devices.remember(session, patient, now),
            accounts.open_session(session, nurse.id, now), numbers,
        )  # fmt: skip
