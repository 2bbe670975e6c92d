"""``patients import`` and ``patients template``: every row right, or nothing written."""

import io
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from patient_portal.cli import main
from patient_portal.database import Database
from patient_portal.domain.patient_sheet import COLUMNS, MOST_ROWS
from patient_portal.models import AuditEntry, Clinic, Link, Message, MessageKind, Patient
from patient_portal.services import audit_chains
from tests.support.people import a_clinic, a_patient

DOSE = date.today() - timedelta(days=9)  # noqa: DTZ011 - any day near enough
WEI = {
    "first_name": "Wei", "last_name": "Chen", "birth_year": "1971", "record_number": "A-17",
    "phone": "(212) 555-0190", "language": "", "country": "", "zone": "", "drug": "Ivosidenib",
    "first_dose": DOSE.isoformat(), "weight": "72,4", "weight_unit": "KG",
    "usual": "swelling / Cough", "consent": "Yes",
}  # fmt: skip
ANA = {
    **WEI, "first_name": "Ana", "last_name": "Ruiz", "birth_year": "1980", "record_number": "",
    "phone": "+52 55 1234 5678", "country": "mx", "zone": "america/mexico_city",
    "drug": "unknown", "first_dose": "", "weight": "", "weight_unit": "", "usual": "",
}  # fmt: skip


@pytest.fixture
def portal(database: Database, engine_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A live clinic with Rosa Marin in it, on each engine; the environment names the database."""
    for name, value in {
        "DATABASE_URL": engine_url,
        "SECRET_KEY": "a secret key for tests, 32 characters",
        "PEPPER": "a pepper for tests, 32 characters",
        "BASE_URL": "http://127.0.0.1:8000",
        "SMS_GATEWAY": "simulator",
    }.items():
        monkeypatch.setenv(name, value)
    with database.transaction() as session:
        a_patient(session, a_clinic(session), record_number="R-1")
    return database


def sheet(*rows: dict[str, str], separator: str = ",", columns: tuple[str, ...] = COLUMNS) -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = [separator.join(columns)]
    lines += [separator.join(quoted(row.get(name, "")) for name in columns) for row in rows]
    return "\r\n".join(lines) + "\r\n"


def run(content: str | bytes, *options: str, clinic: str = "Maple Clinic") -> Result:
    raw = content.encode() if isinstance(content, str) else content
    arguments = ["patients", "import", "-", "--clinic", clinic, *options]
    return CliRunner().invoke(main, arguments, input=io.BytesIO(raw))


def counts(database: Database) -> tuple[int, int, int, int]:
    """How many patients, texts, links and audit entries there are."""
    with database.reading() as session:
        found = [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Patient, Message, Link, AuditEntry)
        ]
    return (found[0], found[1], found[2], found[3])


def refused(database: Database, content: str | bytes, *options: str) -> str:
    """What a refusal says; it wrote nothing and broke nowhere."""
    before = counts(database)
    answer = run(content, *options)
    assert answer.exit_code == 1, answer.output
    assert isinstance(answer.exception, SystemExit), answer.exception
    assert "Nothing was written" in answer.output
    assert counts(database) == before
    return answer.output


def patient(database: Database, last_name: str) -> Patient:
    with database.reading() as session:
        return session.scalars(select(Patient).where(Patient.last_name == last_name)).one()


def test_patients_are_added_and_nobody_is_texted(portal: Database) -> None:
    answer = run(sheet(WEI, ANA))
    assert answer.exit_code == 0, answer.output
    assert "Added 2 patients to Maple Clinic. Nobody was texted." in answer.output
    assert counts(portal) == (3, 0, 0, 3)
    wei, ana = patient(portal, "Chen"), patient(portal, "Ruiz")
    assert (wei.phone, wei.drug, wei.first_dose_on) == ("+12125550190", "ivosidenib", DOSE)
    assert (wei.baseline_weight, wei.baseline_weight_unit) == (Decimal("72.4"), "kg")
    assert (wei.usual, wei.record_number, wei.birth_year) == (["swelling", "cough"], "A-17", 1971)
    assert (wei.language, wei.country, wei.zone) == ("en", "US", "America/New_York")
    assert (wei.temperature_unit, wei.weight_unit) == ("f", "kg")
    assert wei.consent_version and wei.invited_at is None and wei.enrolled_at is None
    assert (ana.country, ana.zone, ana.temperature_unit) == ("MX", "America/Mexico_City", "c")
    assert (ana.first_dose_on, ana.baseline_weight, ana.record_number) == (None, None, None)


def test_with_invite_each_gets_a_text_with_a_link_of_their_own(portal: Database) -> None:
    answer = run(sheet(WEI, ANA), "--invite")
    assert answer.exit_code == 0, answer.output
    assert counts(portal) == (3, 2, 2, 5)
    with portal.reading() as session:
        texts = session.scalars(select(Message)).all()
        links = {f"link:{link.id}": link.patient_id for link in session.scalars(select(Link))}
    assert {text.kind for text in texts} == {MessageKind.INVITE}
    assert {text.to_number for text in texts} == {"+12125550190", "+525512345678"}
    assert {text.secret_of: text.patient_id for text in texts} == links
    assert patient(portal, "Chen").invited_at is not None


def test_the_log_names_each_patient_and_the_import(portal: Database) -> None:
    run(sheet(WEI, ANA), "--invite")
    with portal.reading() as session:
        rows = session.execute(
            select(AuditEntry.action, AuditEntry.subject_id).order_by(AuditEntry.seq)
        ).all()
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
        chain = audit_chains.chains(session)
        assert all(not audit_chains.verify(session, one).bad for one in chain)
    ids = {patient(portal, "Chen").id, patient(portal, "Ruiz").id}
    assert [action for action, _ in rows] == [
        "patient.added", "patient.added", "patient.invited", "patient.invited",
        "patients.imported",
    ]  # fmt: skip
    assert {subject for action, subject in rows[:2]} == ids
    assert last is not None and last.detail["count"] == 2 and last.detail["invited"] is True
    assert "Chen" not in str(last.detail) and len(last.detail["file"]) == 64


def test_a_dry_run_shows_what_would_happen_and_writes_nothing(portal: Database) -> None:
    before = counts(portal)
    answer = run(sheet(WEI, ANA), "--dry-run", "--invite")
    assert answer.exit_code == 0, answer.output
    assert counts(portal) == before
    assert (
        f"row 2: Wei Chen, 1971, A-17, +12125550190, ivosidenib, first dose {DOSE}, 72.4 kg, "
        "swelling/cough, en, US, America/New_York"
    ) in answer.output
    assert "This would add 2 patients to Maple Clinic and text each an invitation" in answer.output
    assert "row 2, birth_year" in refused(portal, sheet({**WEI, "birth_year": "71"}), "--dry-run")


def test_a_clinic_that_is_not_live_may_add_but_not_invite(portal: Database) -> None:
    with portal.transaction() as session:
        session.scalars(select(Clinic)).one().live_at = None
    assert "not live yet" in refused(portal, sheet(WEI), "--invite")
    assert "not live yet" in refused(portal, sheet(WEI), "--invite", "--dry-run")
    assert run(sheet(WEI)).exit_code == 0


BAD_CELLS: list[tuple[str, str, str]] = [
    ("first_name", "", "type the name"), ("first_name", "x" * 61, "at most 60"),
    ("last_name", "a\x00b", "control sign"), ("last_name", "a\nb", "line break"),
    ("last_name", "Chen\u202egnp", "hidden"), ("last_name", "Ch\u200ben", "hidden"),
    ("first_name", "=HYPERLINK(1)", "formula"), ("last_name", "\uff1d1+1", "formula"),
    ("record_number", "@SUM(1)", "formula"), ("record_number", "+1", "formula"),
    ("phone", "=1+1", "formula"), ("first_name", "x" * 1_000_000, "at most 200"),
    ("record_number", "x" * 31, "at most 30"), ("birth_year", "71", "like 1959"),
    ("birth_year", "1971.0", "like 1959"), ("birth_year", "19²1", "like 1959"),
    ("birth_year", str(DOSE.year - 5), "18 years"), ("birth_year", "", "like 1959"),
    ("phone", "12", "no phone number"), ("phone", "2.12556E+09", "no phone number"),
    ("phone", "", "no phone number"), ("phone", "call me", "no phone number"),
    ("language", "xx", "not one of: en"), ("country", "ZZ", "not one of"),
    ("zone", "../../etc", "not one of: America/New_York"), ("drug", "aspirin", "ivosidenib"),
    ("drug", "", "not one of"), ("first_dose", "4/11/2026", "2026-11-04"),
    ("first_dose", "4/11", "year-month-day"), ("first_dose", "2026-02-30", "year-month-day"),
    ("first_dose", "46330", "year-month-day"), ("first_dose", "1990-01-01", "too far away"),
    ("weight", "heavy", "like 72.4"), ("weight", "72.4.1", "like 72.4"),
    ("weight", "NaN", "like 72.4"), ("weight", "1e2", "like 72.4"),
    ("weight", "724", "is it 72.4 kg?"), ("weight", "159 lb", "unit beside the number"),
    ("weight_unit", "stone", "kg or lb"), ("weight_unit", "", "kg or lb"),
    ("usual", "nonsense", "not one of"), ("consent", "", "ask for consent"),
    ("consent", "no", "ask for consent"),
]  # fmt: skip


def test_each_bad_cell_is_named_with_its_row_and_its_cure(portal: Database) -> None:
    for column, value, cure in BAD_CELLS:
        said = refused(portal, sheet(ANA, {**WEI, column: value}))
        assert "1 place is wrong" in said, (column, value[:20], said)
        line = next(line for line in said.splitlines() if line.startswith("row 3, "))
        shown = "weight" if column == "weight_unit" else column
        assert line.startswith(f"row 3, {shown}"), (column, value[:20], line)
        assert cure in line, (column, value[:20], line)
        assert all(sign.isprintable() for sign in line) and len(line) < 1200


def test_every_bad_cell_of_every_row_is_said_at_once(portal: Database) -> None:
    bad = {**WEI, "birth_year": "71", "phone": "12", "drug": "aspirin", "consent": ""}
    said = refused(portal, sheet(WEI, bad, ANA, {**ANA, "weight": "heavy", "weight_unit": "kg"}))
    assert [line.split(":")[0] for line in said.splitlines()[:5]] == [
        "row 3, birth_year, '71'", "row 3, phone, '12'", "row 3, drug, 'aspirin'",
        "row 3, consent", "row 5, weight, 'heavy'",
    ]  # fmt: skip
    assert "5 places are wrong" in said


def test_whoever_stands_there_twice_is_named(portal: Database) -> None:
    twin = {**WEI, "first_name": "W.", "last_name": "CHEN", "record_number": "B-1",
            "phone": "+1 212 555 0190"}  # fmt: skip
    same_number = {**ANA, "record_number": "a-17"}
    said = refused(portal, sheet(WEI, twin, same_number))
    assert "row 3, phone, '+12125550190': phone, birth year and last name are the same" in said
    assert "as in row 2" in said
    assert "row 4, record_number, 'a-17': row 2 has the same record number" in said


def test_whoever_the_clinic_has_is_named(portal: Database) -> None:
    rosa = {**WEI, "last_name": "marin", "birth_year": "1959", "phone": "212 555 0123"}
    said = refused(portal, sheet(rosa, {**ANA, "record_number": "r-1"}))
    there = f"/staff/patients/{patient(portal, 'Marin').id}"
    assert said.count(there) == 2
    assert "row 2, phone" in said and "row 3, record_number" in said
    assert there in refused(portal, sheet(rosa), "--dry-run")
    with portal.transaction() as session:
        a_clinic(session, name="Oak Clinic")
    assert run(sheet(rosa), clinic="Oak Clinic").exit_code == 0  # another clinic's patients


def test_the_same_file_twice_adds_nobody_twice(portal: Database) -> None:
    assert run(sheet(WEI, ANA), "--invite").exit_code == 0
    said = refused(portal, sheet(WEI, ANA), "--invite")
    assert said.count("the clinic has a patient with this phone") == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_separator_and_mark_are_found(portal: Database, separator: str, encoding: str) -> None:
    content = sheet({**WEI, "first_name": "Zoë", "last_name": "陈"}, separator=separator)
    assert run(content.encode(encoding)).exit_code == 0
    assert patient(portal, "陈").first_name == "Zoë"


def test_names_of_columns_are_forgiving_and_may_stand_anywhere(portal: Database) -> None:
    content = (
        "sep=;\n"
        " Consented ;SURNAME;Given name;Year of birth;Mobile-Phone;Medication;;MRN\n"
        "\n"
        "x;Chen;Wei;1971;'+12125550190;arsenic trioxide;;A-17;;\n"
        ";;;;;;;\n"
    )
    answer = run(content)
    assert answer.exit_code == 0, answer.output
    assert patient(portal, "Chen").drug == "ato"


@pytest.mark.parametrize("zero", ["\u0660", "\u06f0", "\u0966", "\u09e6", "\uff10", "\u0e50"])
def test_digits_of_every_script_are_read(portal: Database, zero: str) -> None:
    to_script = {ord(str(digit)): chr(ord(zero) + digit) for digit in range(10)}
    names = ("birth_year", "phone", "first_dose", "weight")
    row = {**WEI, **{name: WEI[name].translate(to_script) for name in names}}
    assert run(sheet(row)).exit_code == 0
    wei = patient(portal, "Chen")
    assert (wei.birth_year, wei.phone) == (1971, "+12125550190")
    assert (wei.first_dose_on, wei.baseline_weight) == (DOSE, Decimal("72.4"))


HEADER = ",".join(COLUMNS)
BAD_FILES: list[tuple[bytes, str]] = [
    (b"", "no patients"), (b"\xef\xbb\xbf", "no patients"), (b"\r\n\r\n", "no patients"),
    (f"{HEADER}\n".encode(), "no patients"), (f"{HEADER}\n,,,\n".encode(), "no patients"),
    (sheet(WEI).encode("utf-16"), "not UTF-8"),
    (sheet(WEI, {**WEI, "first_name": "Zoë"}).encode("latin-1"), "row 3: from here"),
    (b"\xff\xfe\x00\x00", "not UTF-8"), (b"PK\x03\x04" + bytes(range(256)), "not UTF-8"),
    (b"\x00" * 5000, "column is missing"), (b"x" * 2_000_000, "column is missing"),
    (b"first_name,last_name\nWei,Chen\n", "row 1, phone: the column is missing"),
    (f"{HEADER},First Name\n".encode(), "the column is there twice"),
    (sheet(WEI).replace("weight,", "wieght,", 1).encode(), "Is it weight? Take it away"),
    (f'{HEADER}\n"Wei,Chen\n'.encode(), "row 2: from here the rows cannot be read"),
    (f'{HEADER}\n"We"i,Chen\n'.encode(), "row 2: from here the rows cannot be read"),
    (sheet(WEI).replace('"72,4"', "72,4").encode(), "row 2: the row has more cells"),
    (b'"' * 1001, "cannot be read"),
]  # fmt: skip


def test_a_file_that_is_none_is_refused_kindly(portal: Database) -> None:
    for content, cure in BAD_FILES:
        said = refused(portal, content)
        assert cure in said, (content[:40], said[:400])
        assert len(said) < 10_000


def test_too_many_rows_and_too_long_files_are_refused(portal: Database) -> None:
    rows = sheet(*({**WEI, "birth_year": "71"} for _ in range(3))).splitlines()
    said = refused(portal, "\r\n".join([rows[0], *rows[1:2] * 100_000]))
    assert f"at most {MOST_ROWS} patients" in said
    assert "longer than 16 MB" in refused(portal, HEADER + "\n" + "x" * 16_000_001)


def test_what_is_no_file_is_used_wrongly(portal: Database, tmp_path: Path) -> None:
    file = tmp_path / "patients.csv"
    file.write_text(sheet(WEI))
    options = ["--clinic", "Maple Clinic"]
    for wrong in (str(tmp_path), str(tmp_path / "none.csv"), os.devnull + "/x"):
        answer = CliRunner().invoke(main, ["patients", "import", wrong, *options])
        assert answer.exit_code == 2, answer.output
        assert "Traceback" not in answer.output
    assert CliRunner().invoke(main, ["patients", "import", str(file)]).exit_code == 2
    assert run(sheet(WEI), clinic="Elm Clinic").exit_code == 1
    assert counts(portal)[0] == 1
    assert CliRunner().invoke(main, ["patients", "import", str(file), *options]).exit_code == 0


def test_the_template_is_an_empty_file_that_is_read(portal: Database) -> None:
    empty = CliRunner().invoke(main, ["patients", "template"])
    assert empty.output.strip().split(",") == list(COLUMNS)
    assert "no patients" in refused(portal, empty.output)
    asked = CliRunner().invoke(main, ["patients", "import", "--help"]).output
    assert all(column in asked for column in COLUMNS)
