"""Stored data that the rules cannot read never loses a red answer; both engines."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from patient_portal import protocols
from patient_portal.database import Database
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.replay import explain
from patient_portal.models import (
    Alert,
    CheckIn,
    CheckInState,
    Clinic,
    Message,
    MessageKind,
    Patient,
)
from patient_portal.services import checkins, inbox
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Recorded, Step
from patient_portal.web.care_team.wording import rule_words
from patient_portal.words import Words
from tests.support.people import NOON, a_house, a_patient, a_site

DAY = timedelta(days=1)
DAMAGE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a value of an older protocol", {"cough": "barking"}, {}),
    ("a key of an older protocol", {"hiccups": "new"}, {}),
    ("a weight that is no number", {"weight": "heavy", "weight_unit": "kg"}, {}),
    ("a medicine that is gone", {}, {"drug": "withdrawnib"}),
    ("a baseline in stone", {}, {"baseline_weight_unit": "st"}),
    ("a zone that is gone", {}, {"zone": "Mars/Olympus"}),
]
NAMES = [one[0] for one in DAMAGE]


def answer(database: Database, patient: Patient, key: str, **given: Any) -> Recorded:
    with database.transaction() as session:
        person = session.get_one(Patient, patient.id)
        form = Form(person, key, Actor("patient", person.id))
        step = Step("page", given, tuple(given))
        return checkins.record_answers(session, a_site(), form, step, NOON)


def send(database: Database, patient: Patient, key: str) -> Recorded:
    with database.transaction() as session:
        person = session.get_one(Patient, patient.id)
        form = Form(person, key, Actor("patient", person.id))
        sent = checkins.send(session, a_site(), form, NOON)
        assert sent is not None
        return sent


def spoil(database: Database, patient: Patient, **values: Any) -> None:
    with database.transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(Patient, patient.id), name, value)


def an_earlier(database: Database, patient: Patient, answers: dict[str, Any]) -> None:
    with database.transaction() as session:
        session.add(
            CheckIn(
                clinic_id=patient.clinic_id, patient_id=patient.id, form_key="old",
                local_date=(NOON - DAY).date(), state=CheckInState.SENT, reporter="patient",
                drug="enasidenib", day_of_therapy=11, answers=answers, progress={}, level=0,
                reasons=[], protocol="ds-0.1", started_at=NOON - DAY, sent_at=NOON - DAY,
            )
        )  # fmt: skip


def reasons_of(database: Database, made: Recorded) -> dict[str, str]:
    with database.reading() as session:
        row = session.get_one(CheckIn, made.check_in_id)
        return {reason["rule"]: reason["level"] for reason in row.reasons}


def texts(database: Database) -> int:
    with database.reading() as session:
        asked = select(func.count()).where(Message.kind == MessageKind.STAFF_ALERT)
        return session.execute(asked).scalar_one()


@pytest.mark.parametrize(("what", "earlier", "person"), DAMAGE, ids=NAMES)
def test_an_emergency_is_one_whatever_lies_around_it(
    database: Database, what: str, earlier: dict[str, Any], person: dict[str, Any]
) -> None:
    _, patient = a_house(database)
    an_earlier(database, patient, earlier)
    spoil(database, patient, **person)
    made = answer(database, patient, "k1", breathlessness="at_rest")
    assert made.level is TriageLevel.EMERGENCY
    assert made.stops
    assert made.alert_id is not None
    assert texts(database) == 2  # both rungs of an emergency's first step
    if "zone" not in person:
        assert reasons_of(database, made)["X1"] == "urgent"


@pytest.mark.parametrize(("what", "earlier", "person"), DAMAGE[:-1], ids=NAMES[:-1])
def test_a_calm_answer_is_urgent_where_the_record_cannot_be_read(
    database: Database, what: str, earlier: dict[str, Any], person: dict[str, Any]
) -> None:
    team, patient = a_house(database)
    an_earlier(database, patient, earlier)
    spoil(database, patient, **person)
    answer(database, patient, "k1", breathlessness="none")
    made = send(database, patient, "k1")  # at the latest then all of it is looked at
    assert made.level is TriageLevel.URGENT
    assert texts(database) == 1
    with database.reading() as session:
        alert = session.get_one(Alert, made.alert_id)
        assert [reason["rule"] for reason in alert.reasons] == ["X1"]
        again = explain(protocols.current(), alert.inputs)
        assert [reason.rule for reason in again.reasons] == ["X1"]
        (line,) = inbox.open_alerts(session, team.clinic.id, NOON)
        assert line.ref == alert.ref


def test_what_can_be_read_beside_a_damaged_answer_still_counts(database: Database) -> None:
    """The form was begun under another protocol: its own answers cannot all be read."""
    _, patient = a_house(database)
    made = answer(database, patient, "k1", breathlessness="none")
    with database.transaction() as session:
        row = session.get_one(CheckIn, made.check_in_id)
        row.answers = {**row.answers, "cough": "barking", "red_flags": ["gone_flag", "chest_pain"]}
    made = answer(database, patient, "k1", swelling="worse")
    found = reasons_of(database, made)
    assert made.level is TriageLevel.EMERGENCY  # the red flag that is known
    assert {"X1"} < set(found)
    assert "urgent" in found.values()


def test_the_damage_pages_once_not_with_every_step(database: Database) -> None:
    _, patient = a_house(database)
    an_earlier(database, patient, {"cough": "barking"})
    answer(database, patient, "k1", breathlessness="mild_exertion")
    before = texts(database)
    answer(database, patient, "k1", swelling="none")
    send(database, patient, "k1")
    assert before == texts(database) == 1


def test_the_reason_has_words_for_both_readers() -> None:
    protocol = protocols.current()
    assert protocol.rule("X1").patient
    assert rule_words(protocol, Words("en"), "X1").startswith("The rules could not read")


def test_one_bad_zone_keeps_no_form_from_being_closed(database: Database) -> None:
    team, patient = a_house(database)
    with database.transaction() as session:
        other = a_patient(session, team.clinic, phone="+12125550199")
    first = answer(database, patient, "k1", breathlessness="none")
    second = answer(database, other, "k2", breathlessness="none")
    spoil(database, patient, zone="Mars/Olympus")
    with database.transaction() as session:
        assert checkins.close_yesterdays(session, NOON + 2 * DAY) == 2
    with database.reading() as session:
        for made in (first, second):
            assert session.get_one(CheckIn, made.check_in_id).state is CheckInState.PARTIAL


def test_a_clinic_in_a_zone_that_is_gone_still_has_its_watch_list(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, "k1", weight="69.0", weight_unit="kg", temperature_c="37.6")
    send(database, patient, "k1")
    with database.transaction() as session:
        clinic = session.get_one(Clinic, patient.clinic_id)
        clinic.zone = "Mars/Olympus"
        assert len(inbox.watch(session, clinic, NOON)) == 1
