"""SIGKILL while silence pages: the next worker pages, and once, however many there are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from patient_portal.database import Database
from patient_portal.models import Alert, Message, MessageKind, Patient, SilenceMark
from patient_portal.services import invariants
from tests.support.gateway import running_gateway
from tests.support.people import a_house
from tests.support.processes import environment_for, running_processes, until

NURSE = "+12125550142"


def _where_it_is_noon(now: datetime) -> str:
    """A zone in which it is between 12 and 13: silence pages by day."""
    ahead = 12 - now.hour
    return "Etc/GMT" if ahead == 0 else f"Etc/GMT{-ahead:+d}"


def _counts(database: Database) -> tuple[int, int, int]:
    """Alerts, marks and pages that are written."""
    pages = select(func.count(Message.id)).where(Message.kind == MessageKind.STAFF_ALERT)
    with database.reading() as session:
        return (
            session.scalars(select(func.count(Alert.id))).one(),
            session.scalars(select(func.count(SilenceMark.id))).one(),
            session.scalars(pages).one(),
        )


def test_a_worker_killed_before_its_commit_leaves_the_page_to_the_next(
    engine_url: str, tmp_path: Path
) -> None:
    database = Database(engine_url)
    _, patient = a_house(database)
    now = datetime.now(UTC)
    with database.transaction() as session:
        silent = session.get_one(Patient, patient.id)
        silent.enrolled_at = now - timedelta(days=6)
        silent.first_dose_on = now.date() - timedelta(days=8)
        silent.zone = _where_it_is_noon(now)
    with running_gateway() as gateway:
        environment = environment_for(engine_url, gateway.environment())
        with running_processes(environment, tmp_path) as processes:
            plan = "silence.before_commit:kill@1"
            processes.start("worker", PORTAL_FAILPOINTS=plan).wait_killed()
            assert _counts(database) == (0, 0, 0)
            workers = [processes.start("worker") for _ in range(2)]
            assert until(lambda: bool(gateway.sent_to(NURSE))), workers[0].said()
            # Asked to end before it has begun to listen for that, a process just ends.
            assert until(lambda: all("worker.started" in worker.said() for worker in workers))
            assert [worker.stop() for worker in workers] == [0, 0]
    assert _counts(database) == (1, 1, 1)
    with database.reading() as session:
        assert not [one.name for one in invariants.ALL if invariants.count(session, one)]
    database.dispose()
