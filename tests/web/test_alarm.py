"""Banners, deep health and figures, and the page on which the alarm is proven; on both engines."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from patient_portal.database import Database
from patient_portal.models import (
    Alert,
    AlertState,
    Clinic,
    Drill,
    Heartbeat,
    Message,
    MessageKind,
    Patient,
    Role,
    StaffMember,
    StaffPhone,
)
from patient_portal.services import drills, inbound
from tests.support.check_in import Filler
from tests.support.doors import an_app, move_clock, post, remembered, signed_in, writing
from tests.support.people import Team, a_member, a_patient, a_team

TOKEN = "figures for who may see them"
PAGE = "/staff/alarm"
SLOW = "Our alert system may be slow."
TODAY = (datetime.now(UTC) - timedelta(hours=8)).date()  # nowhere in the clinic's zone ahead
STOPPED = "Texts are not going out: the sender has stopped."


@dataclass
class Scene:
    """A clinic of which everything is proven, with a worker that has just shown a sign of life."""

    app: Flask
    team: Team
    patient: Patient

    def get(self, path: str, who: StaffMember | None = None) -> str:
        return signed_in(self.app, who or self.team.nurse).get(path).text

    def send(self, path: str, who: StaffMember | None = None, **fields: str) -> TestResponse:
        return post(signed_in(self.app, who or self.team.lead), PAGE + path, fields, page=PAGE)

    def beat(self) -> None:
        """A worker lives."""
        with writing(self.app) as (session, now):
            session.merge(Heartbeat(worker="w1", beat_at=now))

    def deep(self) -> tuple[int, list[str]]:
        answer = self.app.test_client().get("/healthz/deep")
        return answer.status_code, answer.get_json()["troubles"]

    def pass_time(self, **span: float) -> None:
        move_clock(self.app, timedelta(**span))


@pytest.fixture
def scene(database: Database) -> Scene:
    app = an_app(database, metrics_token=TOKEN)
    with writing(app) as (session, now):
        team = a_team(session, catch_all="+12125550199")
        patient = a_patient(session, team.clinic)
        clinic = session.get_one(Clinic, team.clinic.id)
        clinic.cover_confirmed_at, clinic.cover_confirmed_by = now, team.lead.id
        session.add(
            Drill(
                clinic_id=clinic.id, started_at=now - timedelta(hours=1),
                answered_at=now - timedelta(hours=1), ended_at=now,
            )
        )  # fmt: skip
    found = Scene(app, team, patient)
    found.beat()
    return found


# ---- a dead worker


def test_while_all_is_proven_no_page_says_otherwise(scene: Scene) -> None:
    assert scene.deep() == (200, [])
    assert 'class="strip' not in scene.get("/staff/inbox")
    assert SLOW not in remembered(scene.app, scene.patient).get("/").text


def test_a_dead_worker_is_seen_by_everybody_within_two_minutes(scene: Scene) -> None:
    phone = remembered(scene.app, scene.patient)
    Filler(phone).answer(red_flags="chest_pain")
    scene.pass_time(seconds=121)
    status, troubles = scene.deep()
    assert (status, troubles) == (503, ["worker_silent", "texts_late"])
    inbox = scene.get("/staff/inbox")
    assert STOPPED in inbox
    assert "Alert texts that have waited more than 2 minutes" in inbox
    for page in ("/staff/patients", "/staff/rota", PAGE):
        assert STOPPED in scene.get(page)
    assert SLOW in phone.get("/").text
    scene.pass_time(minutes=6)
    assert "timers_late" in scene.deep()[1]


def test_a_red_answer_is_told_to_call_at_once_when_the_worker_is_dead(scene: Scene) -> None:
    scene.pass_time(seconds=61)
    phone = remembered(scene.app, scene.patient)
    page = Filler(phone).answer(red_flags="chest_pain")
    assert f"{SLOW} Call 911 now." in page.text
    assert phone.get("/check-in").text.count(SLOW) <= 1


def test_the_patient_s_sentence_names_the_line_and_no_more(scene: Scene) -> None:
    scene.pass_time(seconds=61)
    phone = remembered(scene.app, scene.patient)
    for path in ("/", "/check-in/red_flags"):
        page = phone.get(path, follow_redirects=True).text
        assert f"{SLOW} If you feel unwell, call (212) 555-0100 now." in page
    scene.beat()
    scene.pass_time(seconds=6)
    assert SLOW not in phone.get("/").text


def test_trouble_that_is_no_matter_of_patients_is_not_told_to_them(scene: Scene) -> None:
    with writing(scene.app) as (session, _):
        session.execute(update(Clinic).values(cover_confirmed_at=None))
        session.execute(update(Drill).values(answered_at=None))
    page = scene.get("/staff/inbox")
    assert "2 things to mend before they delay an alert" in page
    assert 'role="alert"' not in page
    assert SLOW not in remembered(scene.app, scene.patient).get("/").text


# ---- deep health


def test_deep_health_says_codes_only(scene: Scene) -> None:
    with writing(scene.app) as (session, _):
        session.execute(update(StaffPhone).values(stopped_at=None))
        session.execute(update(Drill).values(answered_at=None))
    answer = scene.app.test_client().get("/healthz/deep")
    assert (answer.status_code, answer.get_json()) == (
        503,
        {"status": "trouble", "troubles": ["drill_failed"]},
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_cover_that_is_not_confirmed_is_no_fault_of_the_path(scene: Scene) -> None:
    with writing(scene.app) as (session, _):
        session.execute(update(Clinic).values(cover_confirmed_at=None))
    assert scene.deep() == (200, [])


def test_tables_of_another_version_are_told(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    app = an_app(database)
    with writing(app) as (session, _):
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = app.test_client().get("/healthz/deep")
    assert (answer.status_code, answer.get_json()["troubles"]) == (503, ["database_version"])
    with writing(app) as (session, _):
        session.execute(text("DROP TABLE alembic_version"))
    answer = app.test_client().get("/healthz/deep")
    assert (answer.status_code, answer.get_json()["troubles"]) == (503, ["database"])
    assert app.test_client().get("/healthz").status_code == 200
    database.dispose()


# ---- figures


def test_figures_are_for_who_has_the_token(scene: Scene) -> None:
    client = scene.app.test_client()
    assert client.get("/metrics").status_code == 401
    wrong = {"Authorization": f"Bearer {TOKEN}x"}
    assert client.get("/metrics", headers=wrong).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer é"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert 'portal_alerts{state="open"} 0' in answer.text
    assert "Rosa" not in answer.text


def test_without_a_token_there_are_no_figures(database: Database) -> None:
    assert an_app(database).test_client().get("/metrics").status_code == 404


# ---- the page


def test_the_alarm_is_tested_from_the_page_and_answered_by_text(scene: Scene) -> None:
    assert scene.send("/test", scene.team.nurse).status_code == 303
    page = scene.get(PAGE)
    assert "It waits for its answer." in page
    assert "Test the alarm now" not in page
    assert scene.send("/test", scene.team.lead).status_code == 303  # one at a time, and no error
    with writing(scene.app) as (session, now):
        (drill,) = session.scalars(select(Drill).where(Drill.ended_at.is_(None))).all()
        assert drill.asked_by == scene.team.nurse.id
        alert = session.get_one(Alert, drill.alert_id)
        (message,) = session.scalars(
            select(Message).where(Message.kind == MessageKind.STAFF_ALERT)
        ).all()
        site = scene.app.extensions["portal"].site
        inbound.receive(session, site, "SM1", message.to_number, alert.ref, now)
        assert drills.settle(session, drill, now)
        assert alert.state is AlertState.CLOSED
    for path in (PAGE, "/staff/inbox"):
        assert "Last proven" in scene.get(path)
    settings = remembered(scene.app, scene.patient).get("/settings").text
    assert "We tested the alarm today at" in settings


def test_a_test_alert_shows_in_no_list(scene: Scene) -> None:
    scene.send("/test")
    inbox = scene.get("/staff/inbox")
    assert "no open alerts" in inbox
    assert "Test Alarm" not in inbox + scene.get("/staff/patients")


def test_the_page_of_a_test_alert_says_that_nobody_is_ill(scene: Scene) -> None:
    scene.send("/test")
    with writing(scene.app) as (session, _):
        alert = session.scalars(select(Alert).where(Alert.state == AlertState.OPEN)).one()
    page = scene.get(f"/staff/alerts/{alert.ref}")
    assert "This is a test of the alarm. Nobody is ill." in page
    assert f"/staff/alerts/{alert.ref}/take" in page
    assert 'href="tel:"' not in page  # there is nobody to call
    assert f"/staff/patients/{alert.patient_id}" not in page
    assert "Next:" not in page  # a test climbs no ladder


def test_who_looks_at_records_only_tests_nothing(scene: Scene) -> None:
    with writing(scene.app) as (session, _):
        auditor = a_member(session, scene.team.clinic, "A. Udit", phone=None, role=Role.AUDITOR)
    assert "Test the alarm now" not in scene.get(PAGE, auditor)
    assert scene.send("/test", auditor).status_code == 403


# ---- cover and going live


def _not_live(scene: Scene) -> None:
    with writing(scene.app) as (session, _):
        session.execute(
            update(Clinic).values(live_at=None, cover_confirmed_at=None, cover_confirmed_by=None)
        )


def test_a_clinic_goes_live_when_nothing_is_missing_and_not_before(scene: Scene) -> None:
    _not_live(scene)
    page = scene.get(PAGE, scene.team.lead)
    assert "Somebody has to ring the clinic line at night and confirm it." in page
    assert scene.send("/live").status_code == 409
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    answer = scene.send("/cover", rung_on=yesterday, sure="y", line=scene.team.clinic.line)
    assert answer.status_code == 303
    page = scene.get(PAGE, scene.team.lead)
    assert "L. Brandt rang it at night on" in page
    assert "Nothing is missing." in page
    assert scene.send("/live").status_code == 303
    with writing(scene.app) as (session, _):
        assert session.scalars(select(Clinic.live_at)).one() is not None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Which day did you ring it?"),
        ({"rung_on": "yesterday"}, "Which day did you ring it?"),
        ({"rung_on": "2026-01-01"}, "Please tick that somebody answered."),
        ({"rung_on": "2020-01-01", "sure": "y"}, "Please ring again."),
        ({"rung_on": "2099-01-01", "sure": "y"}, "This day has not come yet."),
        ({"rung_on": TODAY.isoformat(), "sure": "y", "line": "+12125550000"},
         "The clinic line has changed."),
    ],
)  # fmt: skip
def test_cover_is_confirmed_by_somebody_who_rang(
    scene: Scene, fields: dict[str, str], says: str
) -> None:
    given = {"line": scene.team.clinic.line, **fields}
    answer = scene.send("/cover", None, **given)
    assert answer.status_code == 422
    assert says in answer.text
    if fields.get("rung_on"):
        assert f'value="{fields["rung_on"]}"' in answer.text


def test_a_nurse_confirms_no_cover(scene: Scene) -> None:
    assert "A lead or the administrator confirms it here." in scene.get(PAGE)
    assert scene.send("/cover", scene.team.nurse, rung_on="2026-01-01").status_code == 403
    assert scene.send("/live", scene.team.nurse).status_code == 403


def test_before_that_nobody_is_invited(scene: Scene) -> None:
    _not_live(scene)
    page = scene.get("/staff/patients/new")
    assert "Patients cannot be invited before the clinic is live." in page
    assert f'href="{PAGE}"' in page
