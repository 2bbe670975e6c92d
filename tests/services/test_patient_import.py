"""What can change between a look at the file and the moment its rows are written."""

from datetime import date

import pytest
from sqlalchemy import func, select

from patient_portal.database import Database
from patient_portal.domain.patient_sheet import read_sheet
from patient_portal.models import AuditEntry, Clinic, Patient
from patient_portal.services.audit import SYSTEM
from patient_portal.services.enrolment import ClinicNotLive
from patient_portal.services.patient_import import (
    Entry,
    NothingImported,
    SheetRules,
    import_patients,
    read_rows,
)
from tests.support.people import NOON, a_clinic, a_patient, a_site

FILE = (
    b"first_name,last_name,birth_year,phone,drug,consent,record_number\n"
    b"Wei,Chen,1971,2125550190,ato,yes,A-17\n"
    b"Ana,Ruiz,1980,2125550191,atra,yes,\n"
)


@pytest.fixture
def clinic_id(database: Database) -> str:
    with database.transaction() as session:
        return a_clinic(session).id


def entries_of(database: Database, clinic_id: str) -> list[Entry]:
    with database.reading() as session:
        clinic = session.get_one(Clinic, clinic_id)
        rules = SheetRules(a_site(), clinic, ["en"], date(2026, 11, 20))
    entries, findings = read_rows(read_sheet(FILE), rules, lambda: None)
    assert findings == []
    return entries


def write(database: Database, clinic_id: str, entries: list[Entry], *, invite: bool) -> None:
    with database.transaction() as session:
        import_patients(
            session, a_site(), clinic_id, entries, SYSTEM, NOON, file_hash="0" * 64, invite=invite
        )


def rows(database: Database) -> tuple[int, int]:
    with database.reading() as session:
        return (
            session.scalar(select(func.count()).select_from(Patient)) or 0,
            session.scalar(select(func.count()).select_from(AuditEntry)) or 0,
        )


TWIN = {"last_name": "Chen", "birth_year": 1971, "phone": "+12125550190"}


@pytest.mark.parametrize("change", [TWIN, {"record_number": "a-17"}])
def test_whoever_came_meanwhile_stops_the_whole_file(
    database: Database, clinic_id: str, change: dict[str, object]
) -> None:
    entries = entries_of(database, clinic_id)
    with database.transaction() as session:
        came = a_patient(session, session.get_one(Clinic, clinic_id), **change)
    with pytest.raises(NothingImported) as refused:
        write(database, clinic_id, entries, invite=True)
    assert [(one.row, one.detail) for one in refused.value.findings] == [(2, came.id)]
    assert rows(database) == (1, 0)


def test_one_who_left_and_one_who_tests_the_alarm_do_not_count(
    database: Database, clinic_id: str
) -> None:
    entries = entries_of(database, clinic_id)
    with database.transaction() as session:
        clinic = session.get_one(Clinic, clinic_id)
        a_patient(session, clinic, record_number="A-17", ended_at=NOON)
        a_patient(session, clinic, record_number="A-17", is_test=True)
    write(database, clinic_id, entries, invite=False)
    assert rows(database) == (4, 3)


def test_a_clinic_that_is_live_no_more_invites_nobody(database: Database, clinic_id: str) -> None:
    entries = entries_of(database, clinic_id)
    with database.transaction() as session:
        session.get_one(Clinic, clinic_id).live_at = None
    with pytest.raises(ClinicNotLive):
        write(database, clinic_id, entries, invite=True)
    assert rows(database) == (0, 0)
