"""PostgreSQL: away, crashed under load, read-only, a connection ended, a deadlock."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from patient_portal.database import upgrade
from patient_portal.migrations.rights import grant_to
from patient_portal.models import CheckIn, Message, MessageState
from tests.fault.client import Said
from tests.fault.conftest import Stage
from tests.fault.history import violations
from tests.fault.scene import Scene
from tests.support.callbacks import Word
from tests.support.postgres import APP, OWNER, Cluster, running_cluster
from tests.support.processes import until

DATABASE_ERRORS = (
    "page.failed", "form.not_found", "worker.database", "chore.failed", "message.not_noted",
    "message.poisoned", "timers.failed", "asking.failed", "silence.failed",
)  # fmt: skip
NAME = "fault"


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A server of this module's own, that syncs to disk and may be crashed."""
    with running_cluster(is_durable=True) as cluster:
        yield cluster


@pytest.fixture
def own(stage: Stage, own_cluster: Cluster) -> Iterator[Scene]:
    """A stage on that server, with living processes."""
    own_cluster.create(NAME)
    url = own_cluster.url(NAME)
    upgrade(own_cluster.url(NAME, OWNER))
    grant_to(own_cluster.url(NAME, OWNER), APP)
    with stage(url) as scene:
        scene.stand()
        yield scene
    own_cluster.drop(NAME)


def _superuser(cluster: Cluster) -> psycopg.Connection[tuple[object, ...]]:
    return cluster.connect(NAME)


def _end_others(cluster: Cluster) -> None:
    with _superuser(cluster) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.catalogue("F20", "F41")
def test_the_server_is_away(own: Scene, own_cluster: Cluster) -> None:
    """Every page still says whom to call; the same tap is taken when the server is back."""
    before, patient = own.patient(), own.patient()
    assert own.form(before).report().status == 200
    own.told(before)
    own.settled()
    form, text = own.form(patient), own.gateway.ledger[0]
    own_cluster.stop()
    own.tries += 2
    answer = form.report()
    assert (answer.status, "911" in answer.page) == (503, True)
    assert own.gateway.call_back(text, Word("delivered")) in {500, 503}
    own_cluster.start()
    own.gateway.answers.clear()
    assert until(lambda: own.gateway.call_back(text, Word("delivered")) == 204)
    assert form.report().status == 200
    own.told(patient)
    own.settled()
    (row,) = own.all(Message, Message.gateway_id == text.sid)
    assert row.state is MessageState.DELIVERED
    assert violations(own, errors=DATABASE_ERRORS) == []


@pytest.mark.fault
@pytest.mark.catalogue("F21")
@pytest.mark.parametrize("crashes", [1, 5], ids=["once", "five times"])
def test_the_server_crashes_under_load(own: Scene, own_cluster: Cluster, crashes: int) -> None:
    """Four people tap without end while the server is ended at once and recovers."""
    stop = threading.Event()

    def tap() -> None:
        while not stop.is_set():
            try:
                own.form(own.patient(), timeout=20).report("chest_pain")
            except Exception:
                time.sleep(0.2)  # the page itself, or this test's own rows, need the server too

    tapping = [threading.Thread(target=tap) for _ in range(4)]
    for each in tapping:
        each.start()
    for _ in range(crashes):
        time.sleep(1.5)
        own_cluster.stop(crash=True)
        own.tries += 1
        time.sleep(0.5)
        own_cluster.start()
    time.sleep(1)
    stop.set()
    for each in tapping:
        each.join(30)
    assert own.log.keys("red", Said.OK)
    own.revive()
    own.repeats = 8 * crashes
    own.settled(90)
    assert violations(own, errors=DATABASE_ERRORS) == []


@pytest.mark.catalogue("F22")
def test_the_connection_is_ended_before_its_commit(own: Scene, own_cluster: Cluster) -> None:
    patient = own.patient()
    form = own.form(patient)
    own.plan("checkin.before_commit:sleep")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(form.report()))
    asking.start()
    assert until(lambda: not own.plan_file.exists())
    _end_others(own_cluster)
    asking.join()
    assert (answers[0].status, "911" in answers[0].page) == (503, True)
    assert own.count(CheckIn) == 0
    assert form.report().status == 200
    own.told(patient)
    own.settled()
    assert violations(own, errors=DATABASE_ERRORS) == []


@pytest.mark.fault
@pytest.mark.catalogue("F17")
def test_a_server_that_takes_no_writes(own: Scene, own_cluster: Cluster) -> None:
    patient = own.patient()
    form = own.form(patient)
    with _superuser(own_cluster) as connection:
        connection.execute(f"ALTER DATABASE {NAME} SET default_transaction_read_only = on")
    _end_others(own_cluster)
    own.tries += 1
    answer = form.report()
    with _superuser(own_cluster) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {NAME} RESET default_transaction_read_only")
    _end_others(own_cluster)
    assert (answer.status, "911" in answer.page) == (503, True)
    assert until(lambda: form.report().status == 200)
    own.revive()
    own.told(patient)
    own.settled()
    assert violations(own, errors=DATABASE_ERRORS) == []


@pytest.mark.fault
@pytest.mark.catalogue("F16")
def test_a_deadlock_ends_with_an_answer_that_says_so(own: Scene, own_cluster: Cluster) -> None:
    """Somebody holds the alert and wants the check-in; the tap is the one that gives way."""
    patient = own.patient()
    form = own.form(patient)
    assert form.report().status == 200
    worse = "very_hard_to_breathe"
    with _superuser(own_cluster) as other:
        other.autocommit = False
        other.execute("SET deadlock_timeout = '20s'")
        other.execute("SELECT 1 FROM alert FOR UPDATE")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(form.report(worse)))
        asking.start()
        time.sleep(0.7)  # it holds the check-in and waits for the alert
        other.execute("SELECT 1 FROM check_in FOR UPDATE")
        other.rollback()
    own.tries += 1
    asking.join()
    assert answers[0].status in {200, 503}
    assert "911" in answers[0].page
    assert form.report().status == 200
    own.told(patient)
    own.settled()
    assert violations(own, errors=DATABASE_ERRORS) == []
