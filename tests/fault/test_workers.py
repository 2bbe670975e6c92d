"""Workers that die, stop, race and are replaced: every text goes out, and not twice for nothing."""

import signal
import threading
from collections import deque
from datetime import timedelta

import pytest

from patient_portal.clock import DatabaseClock
from patient_portal.models import Lane, Message, MessageKind, MessageState
from patient_portal.services import messages, outcomes
from tests.fault.conftest import Stage
from tests.fault.history import violations
from tests.fault.scene import Scene
from tests.support.processes import environment_for, settings_for, until


def _red(scene: Scene) -> None:
    assert scene.form(scene.patient()).report().status == 200


@pytest.mark.catalogue("F07")
def test_killed_while_the_gateway_is_asked(standing: Scene) -> None:
    """The text left, no answer came, and the process that waited for it is gone."""
    patient = standing.patient()
    standing.gateway.per_number = dict.fromkeys(standing.rung(), "hang")
    before = standing.gateway.attempts
    assert standing.form(patient).report().status == 200
    assert until(lambda: standing.gateway.attempts >= before + 2)
    standing.living.kill()
    standing.tries += 1
    standing.gateway.per_number = {}
    standing.worker()
    assert standing.told(patient) < 30
    standing.settled()
    assert violations(standing) == []


@pytest.mark.fault
@pytest.mark.catalogue("F27", "F23")
@pytest.mark.parametrize("mood", ["hang", "slow_body"])
def test_a_gateway_that_never_answers_holds_up_nobody(standing: Scene, mood: str) -> None:
    """In real time: cut off after ten seconds, sent again; another clinic's alert goes at once."""
    slow, quick = standing.add_team(name="Maple slow"), standing.add_team(name="Maple quick")
    nurse = standing.rung(slow)[0]
    standing.gateway.plan_for[nurse] = deque([mood])
    standing.tries += 1
    waiting, other = standing.patient(slow), standing.patient(quick)
    assert standing.form(waiting).report().status == 200
    assert until(lambda: not standing.gateway.plan_for[nurse])
    assert standing.form(other).report().status == 200
    assert standing.told(other) < 10
    # The lease of these tests is shorter than the wait: whoever takes over asks first.
    standing.repeats += 1
    standing.told(waiting)
    standing.settled()
    standing.gateway.released.set()
    standing.gateway.released.clear()
    assert violations(standing) == []


@pytest.mark.catalogue("F06")
def test_a_worker_that_lives_takes_over_from_one_that_died(standing: Scene) -> None:
    standing.plan("claim.after_commit:kill")
    living = standing.worker()
    assert until(lambda: "worker.started" in living.said())
    patient = standing.patient()
    assert standing.form(patient).report().status == 200
    standing.told(patient)
    assert until(lambda: sum(each.is_running for each in standing.workers) == 1)
    standing.settled()
    assert violations(standing) == []


@pytest.mark.catalogue("F12")
def test_all_processes_are_killed_at_once(scene: Scene) -> None:
    """A power cut between a red answer and its texts; whoever starts the machine starts them."""
    scene.web()
    patients = [scene.patient() for _ in range(3)]
    for patient in patients:
        assert scene.form(patient).report().status == 200
    scene.worker()
    for process in scene.processes.started:
        process.kill()
    scene.tries += 1
    scene.repeats = 2 * len(patients)
    scene.web()
    scene.worker()
    for patient in patients:
        scene.told(patient, seconds=15)
    scene.settled()
    assert violations(scene) == []


@pytest.mark.catalogue("F13")
def test_a_worker_that_stood_still_cannot_undo_what_another_did(standing: Scene) -> None:
    """Stopped while the gateway is asked, for longer than its lease; then it reads the answer."""
    frozen = standing.living
    standing.gateway.per_number = dict.fromkeys(standing.rung(), "wait:3")
    before = standing.gateway.attempts
    patient = standing.patient()
    assert standing.form(patient).report().status == 200
    assert until(lambda: standing.gateway.attempts >= before + 2)
    frozen.pause()
    standing.gateway.per_number = {}
    standing.repeats += 2
    standing.tries += 1
    other = standing.worker()
    standing.told(patient)
    standing.settled()
    row = standing.all(Message, Message.alert_id == standing.alert_of(patient).id)
    frozen.go_on()
    assert frozen.stop() == 0  # it has read its answer and has tried to note it
    again = standing.all(Message, Message.alert_id == standing.alert_of(patient).id)
    assert {(each.id, each.gateway_id) for each in again} == {(e.id, e.gateway_id) for e in row}
    assert other.is_running
    assert violations(standing) == []


@pytest.mark.catalogue("F73")
def test_a_worker_that_is_asked_to_end_finishes_what_it_sends(standing: Scene) -> None:
    patient = standing.patient()
    standing.plan("send.after_gateway:sleep")
    assert standing.form(patient).report().status == 200
    assert until(lambda: not standing.plan_file.exists())
    ending = standing.living
    ending.child.send_signal(signal.SIGTERM)
    assert ending.child.wait(15) == 0
    standing.worker()
    standing.told(patient)
    standing.settled()
    assert violations(standing) == []


@pytest.mark.catalogue("F14")
def test_workers_that_race_share_the_rows(scene: Scene, rows: int = 120) -> None:
    """Four claimers, one queue: each text is one worker's, and all of them go out."""
    with scene.database.transaction() as session:
        now = DatabaseClock().now(session)
        drafts = [
            messages.Draft(
                scene.team.clinic.id, "+12125560001", MessageKind.STAFF_ALERT, Lane.ALERT, "x",
                f"race:{number}", timedelta(hours=1),
            )
            for number in range(rows)
        ]  # fmt: skip
        messages.queue_all(session, drafts, now)
    claimed: list[tuple[str, str]] = []
    start = threading.Barrier(4)

    def race(name: str) -> None:
        start.wait()
        while True:
            with scene.database.transaction() as session:
                now = DatabaseClock().now(session)
                mine = messages.claim(session, Lane.ALERT, name, now, timedelta(seconds=30), 7)
            if not mine:
                return
            for one in mine:
                with scene.database.transaction() as session:
                    assert outcomes.record_accepted(session, one, f"SM{one.id}", now)
                claimed.append((one.id, name))

    racers = [threading.Thread(target=race, args=(f"w{number}",)) for number in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    scene.tries += rows
    assert len(claimed) == len({message for message, _ in claimed}) == rows
    assert scene.count(Message, Message.state == MessageState.ACCEPTED) == rows


@pytest.mark.fault
@pytest.mark.catalogue("F14")
def test_worker_processes_race(scene: Scene, people: int = 40) -> None:
    """Three worker processes and forty red answers: two texts each, none of them twice."""
    scene.web()
    for _ in range(3):
        scene.worker()
    patients = [scene.patient() for _ in range(people)]
    for patient in patients:
        assert scene.form(patient).report().status == 200
    for patient in patients:
        scene.told(patient)
    scene.tries += people
    scene.settled()
    assert violations(scene) == []


@pytest.mark.catalogue("F12")
def test_the_lease_is_short_for_these_tests_alone(stage: Stage) -> None:
    plain = environment_for("sqlite:///unused")
    assert settings_for("sqlite:///unused").lease_seconds == timedelta(seconds=30).seconds
    public = {**plain, "BASE_URL": "https://portal.example.org", "PORTAL_LEASE_SECONDS": "2"}
    with pytest.raises(Exception, match="PORTAL_LEASE_SECONDS is for tests"):
        settings_for("sqlite:///unused", public)
