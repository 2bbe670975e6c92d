"""Who is on call, where a rota has nothing to say."""

import pytest
from sqlalchemy.exc import NoResultFound

from patient_portal.database import Database
from patient_portal.models import Position
from patient_portal.services import rota
from patient_portal.services.audit import SYSTEM
from tests.support.people import NOON, a_clinic, a_member


def test_a_clinic_without_shifts_has_nobody_on_call(database: Database) -> None:
    with database.transaction() as session:
        clinic = a_clinic(session, zone="Asia/Tokyo")
        found = rota.read_rota(session, clinic.id, NOON)
        assert (found.turns, found.changes, found.zone) == ((), (), "Asia/Tokyo")
        assert rota.on_call(session, clinic.id, NOON) == dict.fromkeys(Position, ())


def test_another_clinics_shifts_are_not_read(database: Database) -> None:
    with database.transaction() as session:
        clinic, other = a_clinic(session), a_clinic(session)
        nurse = a_member(session, clinic, "N. Silva")
        rota.put_on_call(session, nurse, Position.NURSE, SYSTEM, NOON)
        assert rota.on_call(session, clinic.id, NOON)[Position.NURSE] == (nurse.id,)
        assert rota.on_call(session, other.id, NOON)[Position.NURSE] == ()


def test_no_clinic_is_no_empty_rota(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NoResultFound):
        rota.read_rota(session, "nowhere", NOON)
