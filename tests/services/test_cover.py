"""Going live: refused until cover, rota, phones and a drill are proven, one by one."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from patient_portal.database import Database
from patient_portal.models import AuditEntry, Clinic, Drill, Shift, StaffMember, StaffPhone
from patient_portal.services import cover
from patient_portal.services.audit import SYSTEM
from patient_portal.services.cover import CoverRefused, Missing, NotReady
from tests.support.people import NOON, Team, a_clinic, a_member, a_team

TODAY = date(2026, 11, 20)


@pytest.fixture
def team(database: Database) -> Team:
    """A clinic that is not live, of which everything but its cover is proven."""
    with database.transaction() as session:
        team = a_team(session, live_at=None, catch_all="+12125550199")
        session.add(
            Drill(clinic_id=team.clinic.id, started_at=NOON, answered_at=NOON, ended_at=NOON)
        )
    return team


def _missing(database: Database, team: Team) -> list[Missing]:
    with database.reading() as session:
        return cover.missing(session, session.get_one(Clinic, team.clinic.id), NOON)


def _confirm(
    database: Database, team: Team, by: StaffMember | None = None, rung_on: date = TODAY,
    line: str = "",
) -> None:  # fmt: skip
    with database.transaction() as session:
        clinic = session.get_one(Clinic, team.clinic.id)
        cover.confirm(session, clinic, by or team.lead, rung_on, line or clinic.line, NOON)


def test_cover_is_the_last_thing_and_then_it_goes_live_once(database: Database, team: Team) -> None:
    assert _missing(database, team) == [Missing.COVER]
    _confirm(database, team)
    assert _missing(database, team) == []
    for is_new in (True, False):
        with database.transaction() as session:
            clinic = session.get_one(Clinic, team.clinic.id)
            assert cover.go_live(session, clinic, SYSTEM, NOON) is is_new
    with database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).where(
            AuditEntry.subject_kind == "clinic"
        )).all()  # fmt: skip
        found = cover.confirmed(session, session.get_one(Clinic, team.clinic.id))
    assert [each for each in actions if each != "clinic.added"] == [
        "clinic.cover_confirmed", "clinic.live",
    ]  # fmt: skip
    assert found is not None
    assert (found.by, found.rung_on) == ("L. Brandt", TODAY)


def test_it_is_refused_with_what_is_missing(database: Database, team: Team) -> None:
    with database.transaction() as session:
        session.execute(delete(Drill))
        session.execute(update(Clinic).values(catch_all=None))
        session.execute(delete(Shift).where(Shift.staff_id == team.backup.id))
    assert _missing(database, team) == [
        Missing.COVER, Missing.FALLBACK, Missing.PHONES, Missing.DRILL,
    ]  # fmt: skip
    with database.transaction() as session, pytest.raises(NotReady) as refused:
        cover.go_live(session, session.get_one(Clinic, team.clinic.id), SYSTEM, NOON)
    assert Missing.DRILL in refused.value.missing


def test_a_gap_in_the_rota_is_no_bar_but_a_clinic_without_a_phone_to_fall_back_on_is(
    database: Database, team: Team
) -> None:
    with database.transaction() as session:
        shifts = update(Shift).where(Shift.staff_id == team.backup.id, Shift.weekday == 6)
        session.execute(shifts.values(valid_until=TODAY - timedelta(days=30)))
    assert _missing(database, team) == [Missing.COVER]
    with database.transaction() as session:
        session.execute(update(Clinic).values(catch_all=None))
    assert _missing(database, team) == [Missing.COVER, Missing.FALLBACK]


def test_each_position_needs_a_phone_that_has_answered(database: Database, team: Team) -> None:
    with database.transaction() as session:
        session.execute(
            update(StaffPhone)
            .where(StaffPhone.staff_id == team.physician.id)
            .values(verified_at=None)
        )
    assert _missing(database, team) == [Missing.COVER, Missing.PHONES]


@pytest.mark.parametrize(("days", "code"), [(1, "ahead"), (0, None), (-30, None), (-31, "too_old")])
def test_the_call_must_have_been_made_and_lately(
    database: Database, team: Team, days: int, code: str | None
) -> None:
    rung_on = TODAY + timedelta(days=days)
    if code is None:
        _confirm(database, team, rung_on=rung_on)
        return
    with pytest.raises(CoverRefused) as refused:
        _confirm(database, team, rung_on=rung_on)
    assert refused.value.code == code


def test_only_a_lead_of_this_clinic_and_of_this_line_confirms(
    database: Database, team: Team
) -> None:
    with database.transaction() as session:
        other = a_clinic(session, name="Oak Clinic")
        theirs = a_member(session, other, "O. Kim", phone=None, role=team.lead.role)
    for by in (team.nurse, theirs):
        with pytest.raises(CoverRefused) as refused:
            _confirm(database, team, by)
        assert refused.value.code == "role"
    with pytest.raises(CoverRefused) as refused:
        _confirm(database, team, line="+12125550111")
    assert refused.value.code == "number"
