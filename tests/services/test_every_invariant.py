# ruff: noqa: S608 - raw statements over rows of our own
"""Every invariant of ``db check`` is broken on purpose by raw SQL, and counts the one row."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from patient_portal.database import Database, build_engine
from patient_portal.models import Alert, CheckIn, Message, Patient, StaffMember
from patient_portal.services import alerts, checkins, drills, invariants
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.checkins import Form, Step
from tests.support.people import NOON, Team, a_clinic, a_house, a_patient, a_site
from tests.support.postgres import OWNER

EARLY, LATE = NOON - timedelta(hours=2), NOON + timedelta(hours=2)
ONE_TEXT = "id = (SELECT min(id) FROM message WHERE alert_id = '{alert}')"
OTHER_TEXT = (
    "alert_id = '{alert}' AND id <> (SELECT min(id) FROM message WHERE alert_id = '{alert}')"
)
TAKEN = (
    "UPDATE alert SET state = 'taken', taken_by = '{nurse}', taken_at = {noon} WHERE id = '{alert}'"
)


@dataclass
class World:
    """A red check-in with its open alert, a drill that was answered, and another clinic."""

    database: Database
    names: dict[str, str]

    def moment(self, at: datetime) -> str:
        zone = "" if self.database.is_sqlite else "+00"
        return f"'{at:%Y-%m-%d %H:%M:%S.%f}{zone}'"

    def run(self, *statements: str) -> None:
        """Raw SQL, as the tables' owner."""
        url = self.database.engine.url
        address = url if self.database.is_sqlite else url.set(username=OWNER)
        engine = build_engine(address.render_as_string(hide_password=False), pool_size=1)
        moments = {
            "early": self.moment(EARLY), "noon": self.moment(NOON), "late": self.moment(LATE)
        }  # fmt: skip
        with engine.begin() as connection:
            for statement in statements:
                filled = statement.format(**self.names, **moments)
                connection.exec_driver_sql(filled.replace("%", "%%"))
        engine.dispose()

    def broken(self) -> dict[str, int]:
        with self.database.reading() as session:
            counts = {each.name: invariants.count(session, each) for each in invariants.ALL}
        return {name: count for name, count in counts.items() if count}


def _red(database: Database, patient: Patient, key: str) -> Alert:
    with database.transaction() as session:
        form = Form(patient, key * 22, Actor("patient", patient.id))
        step = Step("red_flags", {"red_flags": ["chest_pain"]}, ("red_flags",))
        checkins.record_answers(session, a_site(), form, step, NOON)
        return session.scalars(select(Alert).where(Alert.patient_id == patient.id)).one()


def _answered_drill(database: Database, team: Team) -> str:
    with database.transaction() as session:
        drill = drills.start(session, a_site(), team.clinic, SYSTEM, NOON)
        alert = session.get_one(Alert, drill.alert_id)
        alerts.take(session, alert, session.get_one(StaffMember, team.nurse.id), NOON)
        assert drills.settle(session, drill, NOON)
        return drill.id


@pytest.fixture
def world(database: Database) -> World:
    team, patient = a_house(database)
    alert = _red(database, patient, "k")
    drill = _answered_drill(database, team)
    with database.transaction() as session:
        other = a_clinic(session, name="Oak Clinic", live_at=None)
        another = a_patient(session, team.clinic, phone="+12125550124")
        check_in = session.scalars(select(CheckIn).where(CheckIn.alert_id == alert.id)).one()
        assert session.scalars(select(Message).where(Message.alert_id == alert.id)).first()
    names = {
        "alert": alert.id, "nurse": team.nurse.id, "lead": team.lead.id, "patient": patient.id,
        "another": another.id, "clinic": team.clinic.id, "other": other.id, "drill": drill,
        "check_in": check_in.id,
    }  # fmt: skip
    found = World(database, names)
    assert found.broken() == {}
    return found


_TEST_ALERT = "(SELECT alert_id FROM drill WHERE id = '{drill}')"
BREAKS: dict[str, tuple[str, ...]] = {
    "red check-ins without an alert": (
        "UPDATE check_in SET alert_id = NULL WHERE id = '{check_in}'",
    ),
    "check-ins with another patient's alert": (
        "UPDATE check_in SET patient_id = '{another}' WHERE id = '{check_in}'",
    ),
    "alerts calmer than their check-ins": ("UPDATE alert SET level = 2 WHERE id = '{alert}'",),
    "alerts without a text to the care team": (
        "DELETE FROM message WHERE alert_id = '{alert}'",
    ),
    "patients with two alerts not closed": (
        "DROP INDEX uq_alert_one_open",
        f"UPDATE alert SET state = 'open', patient_id = '{{patient}}' WHERE id = {_TEST_ALERT}",
    ),
    "alerts whose opening is not in the audit log": (
        "{no_audit_rules}",
        "DELETE FROM audit_entry WHERE subject_id = '{alert}' AND action = 'alert.opened'",
    ),
    "pages about silence without an alert": (
        "INSERT INTO silence_mark (id, clinic_id, patient_id, since, kind, level, rule, days, at) "
        "VALUES ('m', '{clinic}', '{patient}', '2026-11-20', 'paged', 2, 'T4', 2, {noon})",
    ),
    "check-ins sent at no time": ("UPDATE check_in SET state = 'sent' WHERE id = '{check_in}'",),
    "texts the gateway took without an id": (
        f"UPDATE message SET state = 'accepted' WHERE {ONE_TEXT}",
    ),
    "texts being sent by nobody or without end": (
        f"UPDATE message SET state = 'sending' WHERE {ONE_TEXT}",
    ),
    "texts that failed without a reason": (
        f"UPDATE message SET state = 'failed' WHERE {ONE_TEXT}",
    ),
    "reminders less than 20 hours after another": (
        f"UPDATE message SET kind = 'reminder', patient_id = '{{patient}}' WHERE {ONE_TEXT}",
        f"UPDATE message SET kind = 'reminder', patient_id = '{{patient}}', created_at = {{late}} "
        f"WHERE {OTHER_TEXT}",
    ),
    "medicine entries that take back none of their patient's": (
        "INSERT INTO medicine_event (id, patient_id, kind, on_date, entered_by, entered_at) "
        "VALUES ('e', '{patient}', 'taken_back', '2026-11-20', '{nurse}', {noon})",
    ),
    "medicine entries of a day that had not come": (
        "INSERT INTO medicine_event (id, patient_id, kind, on_date, entered_by, entered_at) "
        "VALUES ('e', '{patient}', 'steroid_started', '2026-12-24', '{nurse}', {noon})",
    ),
    "limits not approved by a second person": (
        "INSERT INTO override (id, patient_id, what, value, needs_second, set_by, set_at, "
        "approved_by, approved_at) VALUES ('o', '{patient}', 'fever_line', "
        "'{{\"is\": \"38.0\"}}', true, '{nurse}', {noon}, '{nurse}', {noon})",
    ),
    "forms that became two check-ins": ("{no_form_rule}",),
    "alerts not closed that wait for nothing": (
        "UPDATE alert SET next_action_at = NULL WHERE id = '{alert}'",
    ),
    "alerts that wait longer than any step": (
        "UPDATE alert SET next_action_at = {late} WHERE id = '{alert}'",
    ),
    "texts that share the gateway's id": (
        "UPDATE message SET gateway_id = 'SM1' WHERE alert_id = '{alert}'",
    ),
    "pages queued after somebody had the alert": (
        TAKEN,
        f"UPDATE message SET created_at = {{late}} WHERE {ONE_TEXT}",
    ),
    "texts whose state went back": (
        f"UPDATE message SET delivered_at = {{noon}} WHERE {ONE_TEXT}",
    ),
    "alerts taken by a text of nobody on their ladder": (
        TAKEN,
        "{forged_text}",
    ),
    "alerts taken by nobody": ("UPDATE alert SET state = 'taken' WHERE id = '{alert}'",),
    "alerts whose owner never took them": (TAKEN,),
    "alerts closed by nobody or without outcome": (
        "UPDATE alert SET state = 'closed' WHERE id = '{alert}'",
    ),
    "alerts whose end is not in the audit log": (
        "UPDATE alert SET state = 'closed', closed_at = {late} WHERE id = '{alert}'",
    ),
    "alert texts to another clinic": (
        f"UPDATE message SET clinic_id = '{{other}}' WHERE {ONE_TEXT}",
    ),
    "open alerts of another clinic's patient": (
        "UPDATE patient SET clinic_id = '{other}' WHERE id = '{patient}'",
    ),
    "live clinics with nobody to text": (
        "UPDATE clinic SET live_at = {noon} WHERE id = '{other}'",
    ),
    "live clinics without a line": ("UPDATE clinic SET line = '' WHERE id = '{clinic}'",),
    "signs of life far ahead of all others": (
        "INSERT INTO heartbeat (worker, beat_at) VALUES ('w1', {noon})",
        "INSERT INTO heartbeat (worker, beat_at) VALUES ('w2', '2036-11-20 17:00:00{zone}')",
    ),
    "bundled texts that do not follow their bundle": (
        f"UPDATE message SET carried_by = (SELECT min(id) FROM message WHERE {ONE_TEXT}), "
        f"state = 'delivered', delivered_at = {{noon}} WHERE {OTHER_TEXT}",
    ),
    "bundled texts that were sent by themselves": (
        f"UPDATE message SET carried_by = (SELECT min(id) FROM message WHERE {ONE_TEXT}), "
        f"attempts = 1 WHERE {OTHER_TEXT}",
    ),
    "drills that bother a patient, or patients' alerts as drills": (
        "UPDATE alert SET is_test = true WHERE id = '{alert}'",
    ),
    "drills that ended and whose alert goes on": (
        f"UPDATE alert SET state = 'open' WHERE id = {_TEST_ALERT}",
    ),
    "drills answered by nobody": (
        f"UPDATE alert SET taken_by = NULL WHERE id = {_TEST_ALERT}",
    ),
}  # fmt: skip


def test_every_invariant_has_a_way_to_break_it() -> None:
    assert sorted(BREAKS) == sorted(each.name for each in invariants.ALL)


@pytest.mark.parametrize("name", BREAKS)
def test_it_counts_the_one_row_that_breaks_it(world: World, name: str) -> None:
    world.names |= {
        "zone": "" if world.database.is_sqlite else "+00",
    }
    for statement in BREAKS[name]:
        if statement == "{no_audit_rules}":
            _lift_audit_rules(world)
        elif statement == "{no_form_rule}":
            _send_a_form_twice(world)
        elif statement == "{forged_text}":
            _take_by_a_stranger_s_text(world)
        else:
            world.run(statement)
    assert world.broken()[name] == 1


def _lift_audit_rules(world: World) -> None:
    """The audit log refuses deletions; who owns the tables can lift that."""
    if world.database.is_sqlite:
        with world.database.reading() as session:
            found = session.scalars(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all()
        world.run(*(f'DROP TRIGGER "{name}"' for name in found))
    else:
        world.run("ALTER TABLE audit_entry DISABLE TRIGGER USER")


def _take_by_a_stranger_s_text(world: World) -> None:
    """The log chains its entries, so this one is written as any other: the lead was not texted."""
    with world.database.transaction() as session:
        record(
            session, Actor("staff", world.names["lead"], world.names["clinic"]), "alert.taken",
            "alert", world.names["alert"], now=NOON, channel="text",
        )  # fmt: skip


def _send_a_form_twice(world: World) -> None:
    """The unique rule stands in the table itself, so the table is made anew without it."""
    columns = ", ".join(column.key for column in CheckIn.__table__.columns if column.key != "id")
    copy = (
        f"INSERT INTO check_in (id, {columns}) SELECT 'twice', {columns} FROM check_in "
        "WHERE id = '{check_in}'"
    )
    if world.database.is_sqlite:
        world.run(
            "PRAGMA legacy_alter_table = ON",
            "ALTER TABLE check_in RENAME TO before",
            "CREATE TABLE check_in AS SELECT * FROM before",
            copy,
        )
    else:
        world.run("ALTER TABLE check_in DROP CONSTRAINT uq_check_in_patient_form", copy)
