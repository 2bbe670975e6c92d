"""A stage for faults: a clinic with its team and patients, a gateway, and real processes.

Everybody's name is one that could stand in a log only by a leak; ``history`` looks for them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from patient_portal.clock import MovableClock
from patient_portal.config import USUAL_LEASE
from patient_portal.database import Base, Database
from patient_portal.models import (
    Alert,
    CheckIn,
    LinkKind,
    Message,
    MessageKind,
    Patient,
    Position,
    Role,
    StaffMember,
)
from patient_portal.services import accounts
from patient_portal.services.enrolment import new_link
from patient_portal.services.site import Site, site_of
from patient_portal.services.tokens import link_token
from tests.fault.client import Client, ClientLog, Form, open_form
from tests.support.gateway import FakeGateway
from tests.support.people import Team, a_clinic, a_member, a_patient
from tests.support.processes import (
    Process,
    Processes,
    environment_for,
    running_processes,
    settings_for,
    until,
)
from tests.support.running import free_port

LEASE_SECONDS = 2
# Names and numbers of the cast: none may ever stand in a log.
FIRST, LAST = "Zebedina", "Quillfeather"
STAFF_NAMES = ("N. Oxbowlake", "J. Umbershire", "A. Vexillum", "L. Yarrowmoor")


@dataclass(frozen=True)
class Case:
    """One of several things that happen at once: a clinic and a patient of its own."""

    team: Team
    patient: Patient


@dataclass
class Scene:
    """One clinic's stage. ``moved`` scenes have processes whose clock tests can move."""

    database: Database
    gateway: FakeGateway
    processes: Processes
    port: int
    moved: bool
    log: ClientLog = field(default_factory=ClientLog)
    tries: int = 0  # how many faults were made
    found: int = 0  # how many things the history checker found wrong
    repeats: int = 0  # how many texts may have come once more than planned
    teams: list[Team] = field(default_factory=list)
    without_first_step: set[str] = field(default_factory=set)  # clinics whose nurses are gone
    workers: list[Process] = field(default_factory=list)
    _patients: int = 0

    @property
    def base_url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def site(self) -> Site:
        """What the services of this stage need to know."""
        return site_of(settings_for("sqlite:///unused", self.processes.environment))

    @property
    def team(self) -> Team:
        """The first clinic's team."""
        return self.teams[0]

    # ---- people

    def add_team(self, **clinic: Any) -> Team:
        """Another clinic with a team whose numbers nobody else has."""
        number = len(self.teams)
        with self.database.transaction() as session:
            made = a_clinic(session, created_at=datetime.now(UTC) - timedelta(days=30), **clinic)
            places = zip(
                (Position.NURSE, Position.BACKUP, Position.PHYSICIAN, Position.LEAD),
                (Role.NURSE, Role.NURSE, Role.PHYSICIAN, Role.LEAD),
                STAFF_NAMES,
                strict=True,
            )
            members = [
                a_member(
                    session, made, name, position, role=role, phone=f"+1212556{number:03}{rank}"
                )
                for rank, (position, role, name) in enumerate(places, start=1)
            ]
            team = Team(made, *members)
        self.teams.append(team)
        return team

    def rung(self, team: Team | None = None) -> tuple[str, str]:
        """The numbers of an emergency's first step: the nurse and the backup."""
        number = self.teams.index(team) if team else 0
        return f"+1212556{number:03}1", f"+1212556{number:03}2"

    def patient(self, team: Team | None = None, **values: Any) -> Patient:
        """Another patient of a clinic."""
        self._patients += 1
        phone = f"+1212557{self._patients:04}"
        with self.database.transaction() as session:
            return a_patient(
                session, (team or self.team).clinic,
                **{"first_name": FIRST, "last_name": LAST, "phone": phone, **values},
            )  # fmt: skip

    def form(self, patient: Patient, timeout: float = 30.0) -> Form:
        """Today's form of a patient, opened by the link of a text. The pages must be there."""
        with self.database.transaction() as session:
            link = new_link(session, self.site, patient, LinkKind.DAILY, self.now())
            path = f"/c/{link_token(self.site.pepper, link.id)}"
        return open_form(Client(self.base_url, self.log, patient.id, timeout), path)

    def nurse(self, member: StaffMember) -> Client:
        """A signed-in browser of a member of the care team."""
        with self.database.transaction() as session:
            token = accounts.open_session(session, member.id, self.now())
        client = Client(self.base_url, self.log, member.id)
        client.hold("staff", token)
        return client

    def case(self) -> Case:
        """A clinic and a patient of its own."""
        team = self.add_team(name=f"Maple {len(self.teams)}")
        return Case(team, self.patient(team))

    def nurse_texts(self, case: Case) -> list[Message]:
        """The texts of a case's alert to its nurse, oldest first."""
        alert, number = self.alert_of(case.patient), self.rung(case.team)[0]
        found = self.all(Message, Message.alert_id == alert.id, Message.to_number == number)
        return sorted(found, key=lambda text: text.created_at)

    # ---- time and rows

    def now(self) -> datetime:
        """The present moment of this stage's processes."""
        with self.database.reading() as session:
            return MovableClock().now(session)

    def move(self, by: timedelta) -> None:
        """Let time pass, for every process."""
        assert self.moved, "this stage's processes go by the real time"
        with self.database.transaction() as session:
            MovableClock().move(session, by)

    def pass_time(self, seconds: float, step: float = 5.0) -> None:
        """Let time pass in small jumps, with a moment of real work after each."""
        for _ in range(round(seconds / step)):
            self.move(timedelta(seconds=step))
            time.sleep(0.25)

    def until_moved(
        self, holds: Callable[[], bool], most: float = 300.0, step: float = 5.0
    ) -> bool:
        """Let time pass until something holds, or so many seconds have passed."""
        for _ in range(round(most / step)):
            if holds():
                return True
            self.pass_time(step, step)
        return holds()

    def count(self, table: type[Base], *where: Any) -> int:
        """How many rows there are."""
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(table).where(*where)).one()

    def all(self, table: type[Any], *where: Any) -> list[Any]:
        """The rows, out of their session."""
        with self.database.reading() as session:
            rows = list(session.scalars(select(table).where(*where)))
            session.expunge_all()
            return rows

    def patient_of(self, key: str) -> Patient:
        """Whose check-in has this form's key."""
        with self.database.reading() as session:
            query = select(Patient).join(CheckIn, CheckIn.patient_id == Patient.id)
            return session.scalars(query.where(CheckIn.form_key == key)).one()

    def alert_of(self, patient: Patient) -> Alert:
        """The patient's one alert."""
        (found,) = self.all(Alert, Alert.patient_id == patient.id)
        assert isinstance(found, Alert)
        return found

    # ---- processes

    def web(self, **more: str) -> Process:
        """Start the pages and wait until they answer."""
        return self.processes.web(self.port, demo=self.moved, **more)

    def worker(self, **more: str) -> Process:
        """Start a worker."""
        started = self.processes.start("worker", *(["--demo"] if self.moved else []), **more)
        self.workers.append(started)
        return started

    def plan(self, text: str) -> None:
        """What happens next at which place, in the first process that passes it: see failpoints."""
        self.plan_file.write_text(text, "ascii")
        self.tries += 1

    @property
    def plan_file(self) -> Path:
        """The file in which running processes look for a plan."""
        return self.processes.folder / "plan"

    def stand(self) -> None:
        """Start the pages and a worker; both look for plans."""
        self.processes.environment["PORTAL_FAILPOINTS"] = f"@{self.plan_file}"
        worker = self.worker()
        self.web()
        assert until(lambda: "worker.started" in worker.said()), worker.said()

    @property
    def living(self) -> Process:
        """A worker that lives."""
        return next(each for each in self.workers if each.is_running)

    def revive(self) -> None:
        """Start a worker unless one lives, as whatever watches over processes does.

        (The pages' server starts what died of its own by itself.)
        """
        if not any(each.is_running for each in self.workers):
            self.worker()

    def pages_taken(self, patients: int) -> bool:
        """Whether the gateway's taking of the first step's texts is written down, for each."""
        pages = Message.kind == MessageKind.STAFF_ALERT
        return self.count(Message, pages, Message.accepted_at.is_not(None)) >= 2 * patients

    def pages_out(self, patient: Patient) -> bool:
        """Whether nurse and backup have been texted about this patient."""
        team = next(each for each in self.teams if each.clinic.id == patient.clinic_id)
        alert = self.alert_of(patient)
        return all(self.has_reached(alert, number) for number in self.rung(team))

    def told(self, patient: Patient, seconds: float = 40.0) -> float:
        """Wait until nurse and backup were texted about this patient; how long it took."""
        began = time.monotonic()
        team = next(each for each in self.teams if each.clinic.id == patient.clinic_id)

        def reached() -> bool:
            alerts = self.all(Alert, Alert.patient_id == patient.id)
            return bool(alerts) and all(
                self.has_reached(alerts[0], number) for number in self.rung(team)
            )

        assert until(reached, seconds), [each.said()[-600:] for each in self.processes.started]
        return time.monotonic() - began

    def has_reached(self, alert: Alert, number: str) -> bool:
        """Whether a phone got a text about this alert: its own, or one that carries it."""
        rows = self.all(Message, Message.alert_id == alert.id, Message.to_number == number)
        wanted = {row.carried_by or row.id for row in rows}
        return any(
            text.form["StatusCallback"].rpartition("=")[2] in wanted
            for text in self.gateway.sent_to(number)
        )

    def was_taken_first(self, alert: Alert, number: str) -> bool:
        """Whether somebody took the alert before its text to this phone had left."""
        rows = self.all(Message, Message.alert_id == alert.id, Message.to_number == number)
        unsent = bool(rows) and all(row.state == "expired" and not row.attempts for row in rows)
        return alert.taken_at is not None and unsent

    def settled(self, seconds: float = 40.0) -> None:
        """Wait until no text waits to be sent or is on its way."""
        waiting = Message.state.in_(("due", "sending"))
        assert until(lambda: not self.count(Message, waiting), seconds), [
            (row.kind, row.state, row.attempts, row.error_code, row.due_at, row.carried_by)
            for row in self.all(Message, waiting)
        ] + [each.said()[-300:] for each in self.workers]

    def log_text(self) -> str:
        """What all processes of this stage have logged."""
        return "".join(each.said() for each in self.processes.started)


@contextmanager
def a_scene(
    url: str, folder: Path, *, moved: bool = False, gateway: FakeGateway, **settings: str
) -> Iterator[Scene]:
    """A stage over this database; every process of it is gone at the end."""
    database = Database(url)
    port = free_port()
    environment = environment_for(url, gateway.environment())
    environment["BASE_URL"] = f"http://127.0.0.1:{port}"
    # Where the clock is moved a short lease would end while its text is still on the way.
    environment["PORTAL_LEASE_SECONDS"] = str(USUAL_LEASE if moved else LEASE_SECONDS)
    environment.update(settings)
    try:
        with running_processes(environment, folder) as processes:
            scene = Scene(database, gateway, processes, port, moved)
            scene.add_team()
            yield scene
    finally:
        database.dispose()
