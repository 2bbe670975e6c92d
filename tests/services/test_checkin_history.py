"""What earlier check-ins of a patient make of today's, through the database; both engines."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from patient_portal.database import Database
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.replay import explain
from patient_portal.models import Alert, CheckIn, Message, MessageKind, Patient
from patient_portal.services import alerts, checkins
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Recorded, Step
from tests.support.people import NOON, Team, a_house, a_site

DAY = timedelta(days=1)
NONE, WATCH, URGENT, EMERGENCY = TriageLevel


def answer(
    database: Database,
    patient: Patient,
    now: datetime,
    key: str,
    *,
    ticks: tuple[str, ...] | None = None,
    by: str = "patient",
    **given: Any,
) -> Recorded:
    with database.transaction() as session:
        step = Step("other" if ticks is not None else "page", given, tuple(given), ticks=ticks)
        form = Form(patient, key, Actor(by, patient.id))
        return checkins.record_answers(session, a_site(), form, step, now)


def rules(database: Database, made: Recorded) -> dict[str, str]:
    with database.reading() as session:
        row = session.get_one(CheckIn, made.check_in_id)
        return {reason["rule"]: reason["level"] for reason in row.reasons}


def pages(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(
            select(func.count()).select_from(Message)
            .where(Message.kind == MessageKind.STAFF_ALERT)
        ) or 0  # fmt: skip


def close(
    database: Database,
    made: Recorded,
    team: Team,
    now: datetime,
    recheck: datetime | None = None,
    over: tuple[str, ...] = (),
) -> None:
    with database.transaction() as session:
        alert = session.get_one(Alert, made.alert_id)
        outcome = "advised" if recheck else "not_ds"
        closing = alerts.Closing(outcome, None, "", recheck, over, now if over else None)
        alerts.close(session, alert, team.nurse, closing, now)


def test_a_sign_of_days_ago_counts_with_todays(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON - 5 * DAY, "k1", breathlessness="mild_exertion")
    made = answer(database, patient, NOON, "k2", urine="less")
    assert "C3" in rules(database, made)
    later = answer(database, patient, NOON + 7 * DAY, "k3", urine="less")
    assert "C3" not in rules(database, later)


def test_rows_that_were_not_ticked_resolve_a_sign(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON - 4 * DAY, "k1", ticks=("cough",), cough="new")
    answer(database, patient, NOON - 3 * DAY, "k2", ticks=())
    answer(database, patient, NOON - 2 * DAY, "k3", ticks=())
    assert "C4" not in rules(database, answer(database, patient, NOON, "k4", urine="less"))


def test_rows_that_were_never_shown_resolve_nothing(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON - 4 * DAY, "k1", ticks=("cough",), cough="new")
    answer(database, patient, NOON - 3 * DAY, "k2", swelling="none")
    answer(database, patient, NOON - 2 * DAY, "k3", swelling="none")
    assert "C4" in rules(database, answer(database, patient, NOON, "k4", urine="less"))


def test_urgent_again_is_unresolved_until_somebody_closes(database: Database) -> None:
    team, patient = a_house(database)
    first = answer(database, patient, NOON - 2 * DAY, "k1", breathlessness="mild_exertion")
    second = answer(database, patient, NOON - DAY, "k2", breathlessness="mild_exertion")
    assert "T4" in rules(database, second)
    assert second.alert_id == first.alert_id
    close(database, second, team, NOON - DAY + timedelta(hours=1))
    third = answer(database, patient, NOON, "k3", breathlessness="mild_exertion")
    assert "T4" not in rules(database, third)
    assert third.alert_id != first.alert_id


@pytest.mark.parametrize(("over", "counts"), [(("D",), False), ((), True), (("F",), True)])
def test_a_sign_that_the_closing_names_counts_no_more(
    database: Database, over: tuple[str, ...], counts: bool
) -> None:
    """Even beside a sign of today; a sign that it does not name counts as before."""
    team, patient = a_house(database)
    first = answer(database, patient, NOON - DAY, "k1", breathlessness="mild_exertion")
    close(database, first, team, NOON - DAY + timedelta(hours=1), over=over)
    made = answer(database, patient, NOON, "k2", urine="less")
    assert ("C3" in rules(database, made)) is counts


def test_a_sign_told_after_the_closer_looked_still_counts(database: Database) -> None:
    team, patient = a_house(database)
    first = answer(database, patient, NOON - DAY, "k1", breathlessness="mild_exertion")
    close(database, first, team, NOON - DAY + timedelta(hours=1), over=("D",))
    later = NOON - DAY + timedelta(hours=2)
    answer(database, patient, later, "k1", breathlessness="mild_exertion")
    assert "C3" in rules(database, answer(database, patient, NOON, "k2", urine="less"))


def test_a_closing_resolves_signs_that_paged_nobody(database: Database) -> None:
    """A sign of watch level belongs to no alert; the closing of another one can name it."""
    team, patient = a_house(database)
    answer(database, patient, NOON - 3 * DAY, "k1", ticks=("cough",), cough="new")
    first = answer(database, patient, NOON - DAY, "k2", breathlessness="mild_exertion")
    close(database, first, team, NOON - DAY + timedelta(hours=1), over=("D", "cough"))
    made = answer(database, patient, NOON, "k3", urine="less")
    assert not {"C3", "C4"} & set(rules(database, made))


def test_a_closing_that_cannot_be_read_resolves_nothing(database: Database) -> None:
    team, patient = a_house(database)
    first = answer(database, patient, NOON - DAY, "k1", breathlessness="mild_exertion")
    close(database, first, team, NOON - DAY + timedelta(hours=1), over=("D",))
    for damaged in ({"signs": ["D"]}, {"signs": ["D"], "until": "soon"}, {"until": 5}, ["D"], "D"):
        with database.transaction() as session:
            session.get_one(Alert, first.alert_id).resolved = damaged  # type: ignore[assignment]
        key = f"k{damaged}"[:32]
        assert "C3" in rules(database, answer(database, patient, NOON, key, urine="less"))


def test_until_the_recheck_the_same_is_watch_and_a_rise_pages(database: Database) -> None:
    team, patient = a_house(database)
    first = answer(database, patient, NOON - 2 * DAY, "k1", breathlessness="moderate_exertion")
    close(database, first, team, NOON - 2 * DAY + timedelta(hours=1), NOON + timedelta(hours=3))
    before = pages(database)
    milder = answer(database, patient, NOON, "k2", breathlessness="mild_exertion")
    assert (milder.level, milder.alert_id) == (WATCH, None)
    assert rules(database, milder) == {"BR1": "watch", "RC1": "watch"}
    assert pages(database) == before
    worse = answer(database, patient, NOON, "k2", breathlessness="at_rest")
    assert worse.level is EMERGENCY
    assert pages(database) > before


def test_what_was_held_pages_when_the_recheck_has_passed(database: Database) -> None:
    team, patient = a_house(database)
    first = answer(database, patient, NOON - 2 * DAY, "k1", breathlessness="mild_exertion")
    close(database, first, team, NOON - 2 * DAY + timedelta(hours=1), NOON - timedelta(hours=1))
    made = answer(database, patient, NOON, "k2", breathlessness="mild_exertion")
    assert made.level is URGENT
    assert made.alert_id is not None


def test_a_held_answer_that_rises_within_the_form_pages_with_its_reason(
    database: Database,
) -> None:
    """The rule is the same, its level is not: it must not be taken for one that is known."""
    team, patient = a_house(database)
    fever: dict[str, Any] = {"temperature_unit": "c"}
    first = answer(database, patient, NOON - 2 * DAY, "k1", temperature="38.4", **fever)
    close(database, first, team, NOON - 2 * DAY + timedelta(hours=1), NOON + timedelta(hours=3))
    held = answer(database, patient, NOON, "k2", temperature="38.2", **fever)
    assert held.level is WATCH
    risen = answer(database, patient, NOON, "k2", temperature="38.9", **fever)
    assert risen.level is URGENT
    with database.reading() as session:
        alert = session.get_one(Alert, risen.alert_id)
        assert [reason["rule"] for reason in alert.reasons] == ["F1"]


def test_a_second_check_in_of_the_day_keeps_its_level_and_pages_nobody_again(
    database: Database,
) -> None:
    _, patient = a_house(database)
    first = answer(database, patient, NOON, "k1", breathlessness="mild_exertion")
    before = pages(database)
    later = NOON + timedelta(hours=2)
    second = answer(database, patient, later, "k2", breathlessness="none")
    assert (second.level, second.alert_id) == (URGENT, first.alert_id)
    assert "SD2" in rules(database, second)
    assert pages(database) == before
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 1


def test_a_worse_second_check_in_of_the_day_pages(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON, "k1", breathlessness="mild_exertion")
    before = pages(database)
    second = answer(database, patient, NOON + timedelta(hours=2), "k2", breathlessness="at_rest")
    assert (second.level, second.stops) == (EMERGENCY, True)
    assert pages(database) > before


def test_after_closing_a_calm_second_check_in_of_the_day_is_calm(database: Database) -> None:
    team, patient = a_house(database)
    first = answer(database, patient, NOON, "k1", breathlessness="mild_exertion")
    close(database, first, team, NOON + timedelta(hours=1))
    second = answer(database, patient, NOON + timedelta(hours=2), "k2", breathlessness="none")
    assert (second.level, second.alert_id) == (NONE, None)


def test_a_helper_who_tells_otherwise_is_noted(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON, "k1", by="caregiver", breathlessness="at_rest")
    second = answer(database, patient, NOON + timedelta(hours=1), "k2", breathlessness="none")
    assert second.level is EMERGENCY
    assert "divergence" in rules(database, second)


def test_no_scale_mutes_the_watch_for_a_missing_weight(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON - DAY, "k1", weight="not_measured")
    made = answer(database, patient, NOON, "k2", weight="not_measured")
    assert rules(database, made) == {"MV1": "watch"}
    with database.transaction() as session:
        session.get_one(Patient, patient.id).has_scale = False
        patient.has_scale = False
    again = answer(database, patient, NOON + DAY, "k3", weight="not_measured")
    assert rules(database, again) == {}


def test_what_only_two_check_ins_of_a_day_say_together_pages(database: Database) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON, "k1", temperature="38.4", temperature_unit="c")
    before = pages(database)
    later = NOON + timedelta(hours=2)
    second = answer(database, patient, later, "k2", dizziness="severe")
    assert second.level is EMERGENCY
    assert pages(database) > before
    with database.reading() as session:
        alert = session.get_one(Alert, second.alert_id)
        assert {"F1", "F5", "DZ4"} <= {reason["rule"] for reason in alert.reasons}


def test_a_watch_answer_that_makes_an_emergency_with_the_mornings_pages(
    database: Database,
) -> None:
    _, patient = a_house(database)
    answer(database, patient, NOON, "k1", chest_pain="gone_now")
    before = pages(database)
    later = NOON + timedelta(hours=2)
    second = answer(database, patient, later, "k2", palpitations="brief")
    assert second.level is EMERGENCY
    assert "HP5" in rules(database, second)
    assert pages(database) > before


def test_a_stored_alert_explains_all_its_reasons(database: Database) -> None:
    """Several answers of several days join one alert; its inputs give every reason again."""
    _, patient = a_house(database)
    answer(database, patient, NOON - 3 * DAY, "k0", ticks=("cough",), cough="new")
    answer(database, patient, NOON - DAY, "k1", temperature="37.6", temperature_unit="c")
    weight: dict[str, Any] = {"weight_unit": "kg"}
    answer(database, patient, NOON - DAY, "k1", weight="70.0", **weight)
    answer(database, patient, NOON, "k2", temperature="37.6", temperature_unit="c")
    answer(database, patient, NOON, "k2", weight="72.4", **weight)
    answer(database, patient, NOON, "k2", breathlessness="mild_exertion")
    answer(database, patient, NOON, "k2", breathlessness="none")  # corrected; nothing is lowered
    made = answer(database, patient, NOON, "k2", ticks=("urine",), urine="less")
    with database.reading() as session:
        alert = session.get_one(Alert, made.alert_id)
        found = explain(a_site().protocol, alert.inputs)
        stored = {(reason["rule"], reason["level"]) for reason in alert.reasons}
        assert len(stored) >= 6
        assert stored <= {(reason.rule, reason.level.code) for reason in found.reasons}
        assert (TriageLevel(alert.level), alert.protocol) == (found.level, found.protocol)
