"""Staff accounts: passwords, sessions, limits, joiners and leavers, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from patient_portal.database import Database
from patient_portal.models import AuditEntry, Position, Role, Shift, StaffMember, StaffSession
from patient_portal.services import accounts, rota, team
from patient_portal.services.audit import SYSTEM
from tests.support.doors import dump
from tests.support.people import NOON, a_clinic, a_house, a_site

SITE = a_site()
PASSWORD = "correct horse battery staple"
HASH = accounts.hash_password(PASSWORD)
ADDRESS = "192.0.2.7"


@pytest.fixture
def silva(database: Database) -> StaffMember:
    with database.transaction() as session:
        new = team.NewStaff(
            a_clinic(session).id, "N. Silva", Role.NURSE, " Silva@Maple.Example ", "+12125550142"
        )
        return team.add_staff(session, new, HASH, SYSTEM, NOON)


def signed_in(
    database: Database,
    email: str = "silva@maple.example",
    password: str = PASSWORD,
    now: datetime = NOON,
    address: str = ADDRESS,
) -> str | None:
    """A session's token, or None when the door stays shut."""
    with database.transaction() as session:
        attempt = accounts.start_sign_in(session, SITE, email, address, now)
    if attempt.limit is not None or not accounts.proves(attempt, password):
        return None
    assert attempt.staff_id is not None
    with database.transaction() as session:
        return accounts.open_session(session, attempt.staff_id, now, rate_key=attempt.rate_key)


def who(database: Database, token: str, now: datetime) -> str | None:
    with database.reading() as session:
        found = accounts.find_session(session, token, now)
        return found.staff.name if found else None


# ---- passwords


def test_a_password_is_kept_as_argon2id(silva: StaffMember) -> None:
    assert silva.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in silva.password_hash


@pytest.mark.parametrize("length", [15, 16, 255, 256])
def test_a_password_of_the_right_length_is_hashed(length: int) -> None:
    assert accounts.hash_password("å" * length)


@pytest.mark.parametrize("length", [0, 1, 14, 257, 1_000_000])
def test_another_length_is_refused_before_any_work(length: int) -> None:
    with pytest.raises(accounts.UnusablePassword):
        accounts.hash_password("x" * length)
    attempt = accounts.SignIn("", "id", "not a hash at all")
    assert not accounts.proves(attempt, "x" * length)


@pytest.mark.parametrize("password", ["\ud800" * 20, "пароль длиннее пятнадцати", "\x00" * 20])
def test_any_characters_make_a_password(password: str) -> None:
    attempt = accounts.SignIn("", "id", accounts.hash_password(password))
    assert accounts.proves(attempt, password)
    assert not accounts.proves(attempt, password[:-1] + "x")


def test_a_broken_hash_lets_nobody_in() -> None:
    for kept in ("", "plain", "$argon2id$", HASH[:-4], HASH.replace("argon2id", "argon2x")):
        assert not accounts.proves(accounts.SignIn("", "id", kept), PASSWORD)


# ---- signing in


def test_the_right_password_signs_in(database: Database, silva: StaffMember) -> None:
    token = signed_in(database, " SILVA@maple.example")
    assert token is not None
    assert who(database, token, NOON) == "N. Silva"
    assert token not in repr(dump(database))


def test_an_unknown_e_mail_costs_the_same_work(database: Database, silva: StaffMember) -> None:
    with database.transaction() as session:
        known = accounts.start_sign_in(session, SITE, silva.email, ADDRESS, NOON)
        unknown = accounts.start_sign_in(session, SITE, "x@y.example", ADDRESS, NOON)
    assert known.staff_id == silva.id
    assert unknown.staff_id is None

    def work(attempt: accounts.SignIn) -> str:
        return attempt.password_hash.rsplit("$", 2)[0]

    assert work(known) == work(unknown) == "$argon2id$v=19$m=19456,t=2,p=1"


def test_nobodys_hash_fits_no_account(database: Database) -> None:
    assert signed_in(database, "nobody@maple.example") is None
    assert signed_in(database, "nobody@maple.example\x00' OR 1=1") is None


def test_five_fails_close_the_door_for_this_account_from_this_address(
    database: Database, silva: StaffMember
) -> None:
    for _ in range(5):
        assert signed_in(database, password="wrong horse battery") is None
    assert signed_in(database) is None
    assert signed_in(database, address="198.51.100.9") is not None
    assert signed_in(database, "other@maple.example", "wrong horse battery") is None
    assert signed_in(database, now=NOON + timedelta(minutes=15)) is not None


def test_a_success_starts_the_count_over(database: Database, silva: StaffMember) -> None:
    for _ in range(3):
        for _ in range(4):
            signed_in(database, password="wrong horse battery")
        assert signed_in(database) is not None


def test_twenty_guesses_at_once_are_five(database: Database, silva: StaffMember) -> None:
    def guess(_: int) -> bool:
        with database.transaction() as session:
            return accounts.start_sign_in(session, SITE, silva.email, ADDRESS, NOON).limit is None

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(guess, range(20))) == 5


def test_failures_and_sign_ins_are_on_the_record(database: Database, silva: StaffMember) -> None:
    with database.transaction() as session:
        attempt = accounts.start_sign_in(session, SITE, silva.email, ADDRESS, NOON)
        accounts.note_failure(session, attempt, NOON)
        nobody = accounts.start_sign_in(session, SITE, "x@y.example", ADDRESS, NOON)
        accounts.note_failure(session, nobody, NOON)
    signed_in(database)
    with database.reading() as session:
        rows = session.execute(
            select(AuditEntry.action, AuditEntry.subject_id).order_by(AuditEntry.id)
        ).all()
    assert [row.action for row in rows] == [
        "staff.added",
        "staff.sign_in_failed",
        "staff.sign_in_failed",
        "staff.signed_in",
    ]
    assert (rows[1].subject_id, rows[2].subject_id) == (silva.id, None)


# ---- sessions


def test_a_session_ends_after_fifteen_idle_minutes(database: Database, silva: StaffMember) -> None:
    token = signed_in(database) or ""
    assert who(database, token, NOON + timedelta(minutes=14, seconds=59)) == "N. Silva"
    assert who(database, token, NOON + timedelta(minutes=15)) is None


def test_use_keeps_it_alive_but_not_for_more_than_twelve_hours(
    database: Database, silva: StaffMember
) -> None:
    token = signed_in(database) or ""
    with database.reading() as session:
        found = accounts.find_session(session, token, NOON)
        assert found is not None
        session_id = found.session.id
    now = NOON
    while now < NOON + timedelta(hours=11, minutes=50):
        now += timedelta(minutes=10)
        assert who(database, token, now) == "N. Silva"
        with database.transaction() as session:
            accounts.touch(session, session_id, now)
    assert who(database, token, NOON + timedelta(hours=12)) is None


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\x00", "\ud800"])
def test_a_made_up_token_is_nobody(database: Database, token: str) -> None:
    assert who(database, token, NOON) is None


def test_signing_out_ends_the_session(database: Database, silva: StaffMember) -> None:
    token, other = signed_in(database) or "", signed_in(database) or ""
    with database.transaction() as session:
        found = accounts.find_session(session, token, NOON)
        assert found is not None
        accounts.sign_out(session, found.session, accounts.actor_of(found.staff), NOON)
    assert who(database, token, NOON) is None
    assert who(database, other, NOON) == "N. Silva"


def test_nobody_with_too_few_factors_is_let_in(
    database: Database, silva: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed_in(database) or ""
    monkeypatch.setattr(accounts, "needs_second_factor", lambda staff: True)
    assert who(database, token, NOON) is None
    with database.transaction() as session:
        session.scalars(select(StaffSession)).one().factors = 2
    assert who(database, token, NOON) == "N. Silva"


# ---- joiners and leavers


def test_an_e_mail_is_one_account(database: Database, silva: StaffMember) -> None:
    with database.transaction() as session, pytest.raises(team.EmailTaken):
        new = team.NewStaff(silva.clinic_id, "S.", Role.LEAD, "SILVA@maple.example", None)
        team.add_staff(session, new, HASH, SYSTEM, NOON)


def test_a_disabled_account_ends_at_once(database: Database, silva: StaffMember) -> None:
    token = signed_in(database) or ""
    with database.transaction() as session:
        member = session.get_one(StaffMember, silva.id)
        rota.put_on_call(session, member, Position.NURSE, SYSTEM, NOON)
        rota.put_on_call(session, member, Position.NURSE, SYSTEM, NOON)
        team.disable_staff(session, member, SYSTEM, NOON)
        assert session.scalars(select(Shift)).all() == []
        assert not team.is_anybody_reachable(session, silva.clinic_id)
    assert who(database, token, NOON) is None
    assert signed_in(database, now=NOON + timedelta(hours=1)) is None


def test_somebody_left_on_call_is_said(database: Database) -> None:
    house, _ = a_house(database)
    with database.transaction() as session:
        team.disable_staff(session, session.get_one(StaffMember, house.nurse.id), SYSTEM, NOON)
        assert team.is_anybody_reachable(session, house.clinic.id)
