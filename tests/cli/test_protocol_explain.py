"""`patient-portal protocol explain`: a stored alert, judged again from its own row."""

from click.testing import CliRunner, Result

from patient_portal.cli.protocol import protocol
from patient_portal.database import Database
from patient_portal.models import Alert
from patient_portal.services import checkins
from patient_portal.services.audit import Actor
from patient_portal.services.checkins import Form, Step
from tests.support.people import NOON, a_house, a_site


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def explained(database: Database, ref: str) -> Result:
    return CliRunner().invoke(protocol, ["explain", ref, "--database", url_of(database)])


def an_alert(database: Database) -> str:
    """The reference of an alert for 38.2 degrees."""
    _, patient = a_house(database)
    given = {"temperature": "38.2", "temperature_unit": "c"}
    with database.transaction() as session:
        form = Form(patient, "k", Actor("patient", patient.id))
        step = Step("temperature", given, tuple(given))
        made = checkins.record_answers(session, a_site(), form, step, NOON)
        assert made.alert_id is not None
        return session.get_one(Alert, made.alert_id).ref


def test_an_alert_is_judged_again_from_its_row(database: Database) -> None:
    ref = an_alert(database)
    result = explained(database, ref.lower())
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{ref}, opened ")
    assert lines[0].endswith("judged by ds-1.0")
    (fever,) = [line for line in lines if line.startswith("  F1 ")]
    assert fever.split()[:3] == ["F1", "urgent", "urgent"]
    assert len(fever.split()) > 3  # in words, too


def test_a_reason_that_is_not_found_again_is_an_error(database: Database) -> None:
    ref = an_alert(database)
    with database.transaction() as session:
        alert = session.query(Alert).one()
        alert.inputs = {**alert.inputs, "answers": {"cough": "none"}}
    result = explained(database, ref)
    assert result.exit_code == 1
    assert "  F1        urgent     -" in result.stdout


def test_the_words_of_a_text_are_judged_by_no_rule(database: Database) -> None:
    ref = an_alert(database)
    with database.transaction() as session:
        alert = session.query(Alert).one()
        alert.reasons = [*alert.reasons, {"rule": "TEXT-E", "level": "emergency"}]
    assert explained(database, ref).exit_code == 0


def test_an_alert_by_rules_that_are_gone_says_so(database: Database) -> None:
    ref = an_alert(database)
    with database.transaction() as session:
        session.query(Alert).one().protocol = "ds-0.9"
    result = explained(database, ref)
    assert result.exit_code == 1
    assert result.stderr == f"{ref} cannot be explained: protocol 'ds-0.9' is not kept\n"


def test_inputs_of_another_shape_are_refused(database: Database) -> None:
    ref = an_alert(database)
    with database.transaction() as session:
        session.query(Alert).one().inputs = {"version": 2}
    result = explained(database, ref)
    assert result.exit_code == 1
    assert "inputs of version 2 cannot be read" in result.stderr


def test_an_alert_that_is_not_there(database: Database) -> None:
    result = explained(database, "0000A")
    assert result.exit_code == 1
    assert result.stderr == "There is no alert 0000A.\n"
