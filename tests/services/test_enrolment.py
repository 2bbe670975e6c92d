"""Invitations, links, codes and remembered phones, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.database import Database, new_id
from patient_portal.models import (
    AuditEntry,
    Caregiver,
    CaregiverGrant,
    Device,
    Link,
    LinkKind,
    Message,
    MessageKind,
    Patient,
    SignInCode,
)
from patient_portal.services import devices, enrolment, sign_in
from patient_portal.services.audit import Actor
from patient_portal.services.enrolment import Invitation, LinkState
from patient_portal.services.sign_in import Refusal, Remembered
from patient_portal.services.tokens import digest, secret_for
from tests.support.doors import dump
from tests.support.people import NOON, a_clinic, a_house, a_patient, a_site

SITE = a_site()
NURSE = Actor("staff", "n", None)
ADDRESS = "192.0.2.7"


def an_invitation(**values: Any) -> Invitation:
    return Invitation(
        **{
            "key": new_id(),
            "first_name": "Wei",
            "last_name": "Chen",
            "birth_year": 1971,
            "phone": "+12125550190",
            "language": "en",
            "country": "US",
            "zone": "America/New_York",
            "drug": "ivosidenib",
            **values,
        }
    )


def invited(database: Database, invitation: Invitation | None = None) -> tuple[str, str]:
    """A patient's id and the token of the link in their invitation."""
    with database.transaction() as session:
        clinic = a_clinic(session)
        patient = enrolment.invite(
            session, SITE, clinic.id, invitation or an_invitation(), NURSE, NOON
        )
        return patient.id, last_secret(session)


def last_secret(session: Session) -> str:
    text = session.scalars(
        select(Message)
        .where(Message.secret_of.is_not(None))
        .order_by(Message.created_at.desc())
        .limit(1)
    ).one()
    assert text.secret_of is not None
    return secret_for(SITE.pepper, text.secret_of)


def count(session: Session, model: type) -> int:
    return session.scalars(select(func.count()).select_from(model)).one()


def asked(
    database: Database, number: str, now: datetime = NOON, address: str = ADDRESS
) -> tuple[str, str]:
    """A challenge and its code."""
    with database.transaction() as session:
        found = sign_in.ask_code_for_number(session, SITE, [number], address, now)
        assert found.limit is None
        row = session.scalars(
            select(SignInCode.id).where(SignInCode.challenge_hash == digest(found.challenge))
        ).one()
        return found.challenge, secret_for(SITE.pepper, f"code:{row}")


def tried(
    database: Database,
    challenge: str,
    code: str,
    year: int = 1959,
    now: datetime = NOON,
    *,
    is_shared: bool = False,
) -> Remembered | Refusal:
    with database.transaction() as session:
        return sign_in.verify(session, SITE, challenge, code, year, now, is_shared=is_shared)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


# ---- invitations


def test_an_invitation_is_a_patient_a_link_and_a_text(database: Database) -> None:
    patient_id, token = invited(database)
    with database.reading() as session:
        patient = session.get_one(Patient, patient_id)
        text = session.scalars(select(Message)).one()
        assert (patient.first_name, patient.drug, patient.enrolled_at) == (
            "Wei",
            "ivosidenib",
            None,
        )
        assert patient.invited_at == NOON
        assert patient.reminder_due_at is None
        assert text.kind is MessageKind.INVITE
        assert text.to_number == "+12125550190"
        assert "{secret}" in text.body
        assert token not in text.body
        assert "ivosidenib" not in text.body
        assert "Wei" not in text.body
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions == ["patient.added", "patient.invited"]


def test_the_same_form_sent_twice_invites_once(database: Database) -> None:
    with database.transaction() as session:
        clinic = a_clinic(session)
        form = an_invitation()
        first = enrolment.invite(session, SITE, clinic.id, form, NURSE, NOON)
        again = enrolment.invite(session, SITE, clinic.id, form, NURSE, NOON)
        assert first.id == again.id
        assert count(session, Message) == count(session, Link) == count(session, Patient) == 1


def test_nobody_is_invited_before_the_clinic_is_live(database: Database) -> None:
    with database.transaction() as session:
        clinic = a_clinic(session, live_at=None)
        with pytest.raises(enrolment.ClinicNotLive):
            enrolment.invite(session, SITE, clinic.id, an_invitation(), NURSE, NOON)
        assert count(session, Message) == count(session, Patient) == 0


def test_a_twin_is_refused_but_a_relative_on_the_same_phone_is_not(database: Database) -> None:
    with database.transaction() as session:
        clinic = a_clinic(session)
        first = enrolment.invite(session, SITE, clinic.id, an_invitation(), NURSE, NOON)
        with pytest.raises(enrolment.AlreadyInvited) as caught:
            enrolment.invite(session, SITE, clinic.id, an_invitation(last_name="CHEN"), NURSE, NOON)
        assert caught.value.patient_id == first.id
        other = an_invitation(first_name="Lin", birth_year=1974)
        assert enrolment.invite(session, SITE, clinic.id, other, NURSE, NOON).id != first.id


def test_a_form_key_cannot_reach_into_another_clinic(database: Database) -> None:
    with database.transaction() as session:
        theirs = a_patient(session, a_clinic(session))
        clinic = a_clinic(session)
        with pytest.raises(enrolment.AlreadyInvited) as caught:
            enrolment.invite(session, SITE, clinic.id, an_invitation(key=theirs.id), NURSE, NOON)
        assert caught.value.patient_id == ""
        assert session.get_one(Patient, theirs.id).first_name == "Rosa"


def test_a_new_invitation_ends_the_link_of_the_last(database: Database) -> None:
    patient_id, first = invited(database)
    later = NOON + timedelta(minutes=5)
    with database.transaction() as session:
        patient = session.get_one(Patient, patient_id)
        enrolment.invite_again(session, SITE, patient, NURSE, later)
        with pytest.raises(enrolment.TooManyTexts):
            enrolment.invite_again(session, SITE, patient, NURSE, later + timedelta(seconds=5))
        second = last_secret(session)
        assert enrolment.look_at_link(session, first, later).state is LinkState.EXPIRED
        assert enrolment.look_at_link(session, second, later).state is LinkState.VALID


@pytest.mark.parametrize(
    ("kind", "lives"),
    [(LinkKind.INVITE, timedelta(days=7)), (LinkKind.DAILY, timedelta(hours=36))],
)
def test_a_link_lives_as_long_as_its_kind(
    database: Database, kind: LinkKind, lives: timedelta
) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        link = enrolment.new_link(session, SITE, patient, kind, NOON)
        token = secret_for(SITE.pepper, f"link:{link.id}")
        early, late = NOON + lives - timedelta(seconds=1), NOON + lives
        assert enrolment.look_at_link(session, token, early).valid_patient is not None
        assert enrolment.look_at_link(session, token, late).state is LinkState.EXPIRED
        session.get_one(Patient, patient.id).ended_at = NOON
        session.flush()
        assert enrolment.look_at_link(session, token, early).valid_patient is None


@pytest.mark.parametrize("token", ["", "x", "a" * 22, "a" * 5000, "\x00", "é\ud800", "' OR 1=1 --"])
def test_a_made_up_link_is_unknown(database: Database, token: str) -> None:
    with database.reading() as session:
        assert enrolment.look_at_link(session, token, NOON).state is LinkState.UNKNOWN


# ---- codes


def test_a_right_code_remembers_the_phone_and_plans_the_first_reminder(database: Database) -> None:
    patient_id, _ = invited(database, an_invitation(birth_year=1959))
    challenge, code = asked(database, "+12125550190")
    found = tried(database, challenge, code)
    assert isinstance(found, Remembered)
    assert found.is_first_time
    with database.reading() as session:
        known = devices.find_device(session, found.token, NOON)
        assert known is not None
        assert known.patient is not None
        assert known.patient.id == patient_id
        assert known.patient.enrolled_at == NOON
        due = known.patient.reminder_due_at
        assert due is not None
        assert NOON < due < NOON + timedelta(hours=24)


def test_a_code_works_once(database: Database) -> None:
    a_house(database)
    challenge, code = asked(database, "+12125550123")
    assert isinstance(tried(database, challenge, code), Remembered)
    assert tried(database, challenge, code) is Refusal.CODE


def test_a_code_is_late_after_ten_minutes(database: Database) -> None:
    a_house(database)
    challenge, code = asked(database, "+12125550123")
    late = NOON + timedelta(minutes=10)
    assert tried(database, challenge, code, now=late) is Refusal.CODE
    early = late - timedelta(seconds=1)
    assert isinstance(tried(database, challenge, code, now=early), Remembered)


def test_a_code_belongs_to_the_browser_that_asked(database: Database) -> None:
    a_house(database)
    _, code = asked(database, "+12125550123")
    for challenge in ("", "somebody else's", "x" * 5000, "\x00"):
        assert tried(database, challenge, code) is Refusal.CODE


def test_a_new_code_ends_the_one_before(database: Database) -> None:
    a_house(database)
    first, first_code = asked(database, "+12125550123")
    later = NOON + timedelta(seconds=61)
    second, second_code = asked(database, "+12125550123", later)
    assert tried(database, first, first_code, now=later) is Refusal.CODE
    assert isinstance(tried(database, second, second_code, now=later), Remembered)


def test_five_wrong_tries_end_a_code(database: Database) -> None:
    a_house(database)
    challenge, code = asked(database, "+12125550123")
    for _ in range(5):
        assert tried(database, challenge, wrong(code)) is Refusal.CODE
    assert tried(database, challenge, code) is Refusal.CODE


def test_four_wrong_tries_do_not(database: Database) -> None:
    a_house(database)
    challenge, code = asked(database, "+12125550123")
    for _ in range(4):
        tried(database, challenge, wrong(code))
    assert isinstance(tried(database, challenge, code), Remembered)


def test_ten_fails_pause_this_way_for_an_hour(database: Database) -> None:
    a_house(database)
    for round_number in range(2):
        at = NOON + timedelta(minutes=2 * round_number)
        challenge, code = asked(database, "+12125550123", at)
        for _ in range(5):
            tried(database, challenge, wrong(code), now=at)
    at = NOON + timedelta(minutes=4)
    challenge, code = asked(database, "+12125550123", at)
    assert tried(database, challenge, code, now=at) is Refusal.PAUSED
    at = NOON + timedelta(hours=2)
    challenge, code = asked(database, "+12125550123", at)
    assert isinstance(tried(database, challenge, code, now=at), Remembered)


def test_twenty_tries_at_once_remember_one_phone(database: Database) -> None:
    a_house(database)
    challenge, code = asked(database, "+12125550123")
    at_once = Barrier(20)

    def one_try(_: int) -> Remembered | Refusal:
        at_once.wait()
        return tried(database, challenge, code)

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(one_try, range(20)))
    assert sum(isinstance(each, Remembered) for each in found) == 1
    with database.reading() as session:
        assert count(session, Device) == 1


def test_twenty_wrong_tries_at_once_are_five(database: Database) -> None:
    a_house(database)
    challenge, code = asked(database, "+12125550123")
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: tried(database, challenge, wrong(code)), range(20)))
    with database.reading() as session:
        assert session.scalars(select(SignInCode.tries)).one() == 5
    assert tried(database, challenge, code) is Refusal.CODE


# ---- who it is


def test_the_year_guards_against_the_wrong_person(database: Database) -> None:
    a_house(database)
    challenge, code = asked(database, "+12125550123")
    assert tried(database, challenge, code, year=1960) is Refusal.YEAR
    assert isinstance(tried(database, challenge, code, year=1959), Remembered)


def test_two_patients_of_one_phone_are_told_apart_by_year(database: Database) -> None:
    team, _ = a_house(database)
    with database.transaction() as session:
        samir = a_patient(session, team.clinic, first_name="Samir", birth_year=1961)
    challenge, code = asked(database, "+12125550123")
    found = tried(database, challenge, code, year=1961)
    assert isinstance(found, Remembered)
    assert found.person.id == samir.id


def test_a_helper_signs_in_with_the_year_of_whom_they_help(database: Database) -> None:
    luis = a_helper(database, ["report", "remind"])
    challenge, code = asked(database, "+12125550177")
    assert tried(database, challenge, code, year=1980) is Refusal.YEAR
    found = tried(database, challenge, code, year=1959)
    assert isinstance(found, Remembered)
    assert found.person.id == luis
    assert not found.is_first_time


def test_a_helper_who_may_not_report_is_nobody(database: Database) -> None:
    a_helper(database, ["remind"])
    challenge, code = asked(database, "+12125550177")
    assert tried(database, challenge, code, year=1959) is Refusal.YEAR


def a_helper(database: Database, scopes: list[str]) -> str:
    team, rosa = a_house(database)
    with database.transaction() as session:
        luis = Caregiver(
            clinic_id=team.clinic.id, first_name="Luis", phone="+12125550177", language="es",
            created_at=NOON,
        )  # fmt: skip
        session.add(luis)
        session.flush()
        session.add(
            CaregiverGrant(caregiver_id=luis.id, patient_id=rosa.id, scopes=scopes, granted_at=NOON)
        )
        return luis.id


# ---- what a stranger may learn


def test_an_unknown_number_leaves_the_same_rows_but_no_text(database: Database) -> None:
    a_house(database)
    before = {table: len(rows) for table, rows in dump(database).items()}

    def added(number: str) -> dict[str, int]:
        with database.transaction() as session:
            found = sign_in.ask_code_for_number(session, SITE, [number], ADDRESS, NOON)
            assert found.challenge
        after = {table: len(rows) for table, rows in dump(database).items()}
        gain = {table: after[table] - before[table] for table in after}
        before.update(after)
        return {table: n for table, n in gain.items() if n}

    known, unknown = added("+12125550123"), added("+12125550999")
    assert known.pop("message") == 1
    assert known.pop("audit_entry") == 1
    assert unknown.pop("rate_window") == known.pop("rate_window") - 1  # the address was seen
    assert known == unknown == {"sign_in_code": 1}


def test_limits_and_refusals_are_the_same_for_an_unknown_number(database: Database) -> None:
    a_house(database)
    for number in ("+12125550123", "+12125550999"):
        with database.transaction() as session:
            first = sign_in.ask_code_for_number(session, SITE, [number], ADDRESS, NOON)
        with database.transaction() as session:
            again = sign_in.ask_code_for_number(session, SITE, [number], ADDRESS, NOON)
            assert again.limit is not None
        for _ in range(6):
            assert tried(database, first.challenge, "000000") is Refusal.CODE


def test_texts_to_one_number_are_limited(database: Database) -> None:
    a_house(database)
    with database.transaction() as session:

        def may_ask(at: datetime) -> bool:
            number = ["+12125550123"]
            return sign_in.ask_code_for_number(session, SITE, number, str(at), at).limit is None

        minutes = [n for n in range(24 * 60) if may_ask(NOON + timedelta(minutes=n))]
        assert len([n for n in minutes if n < 15]) == 3
        assert len([n for n in minutes if n < 60]) == 5
        assert len(minutes) == 10
        assert not may_ask(NOON + timedelta(hours=23, minutes=59, seconds=30))


def test_impatience_does_not_use_up_the_day(database: Database) -> None:
    a_house(database)
    asked(database, "+12125550123")
    with database.transaction() as session:
        for second in range(1, 50):
            at = NOON + timedelta(seconds=second)
            sign_in.ask_code_for_number(session, SITE, ["+12125550123"], ADDRESS, at)
    asked(database, "+12125550123", NOON + timedelta(seconds=61))


def test_no_token_and_no_code_lies_in_the_database(database: Database) -> None:
    _, link = invited(database, an_invitation(birth_year=1959))
    challenge, code = asked(database, "+12125550190")
    found = tried(database, challenge, code)
    assert isinstance(found, Remembered)
    everything = repr(dump(database))
    for secret in (link, challenge, found.token):
        assert secret not in everything
    assert code not in everything
    rates = repr(dump(database)["rate_window"])
    assert "2125550190" not in rates
    assert ADDRESS not in rates


# ---- remembered phones


def test_a_phone_is_remembered_for_90_idle_days_and_180_in_all(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        token = devices.remember(session, patient, NOON)
        idle = NOON + timedelta(days=90)
        assert devices.find_device(session, token, idle - timedelta(seconds=1)) is not None
        assert devices.find_device(session, token, idle) is None
        known = devices.find_device(session, token, NOON)
        assert known is not None
        for days in (80, 160):
            devices.touch(session, known.device.id, NOON + timedelta(days=days))
        end = NOON + timedelta(days=180)
        assert devices.find_device(session, token, end - timedelta(seconds=1)) is not None
        assert devices.find_device(session, token, end) is None


def test_a_shared_phone_is_forgotten_after_half_a_day(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        token = devices.remember(session, patient, NOON, is_shared=True)
        assert devices.find_device(session, token, NOON + timedelta(hours=13)) is None


def test_a_sixth_phone_takes_the_place_of_the_idlest(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        tokens = [devices.remember(session, patient, NOON + timedelta(minutes=n)) for n in range(6)]
        now = NOON + timedelta(hours=1)
        known = [devices.find_device(session, token, now) is not None for token in tokens]
        assert known == [False, True, True, True, True, True]


def test_a_forgotten_phone_is_a_stranger_at_once(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        tokens = [devices.remember(session, patient, NOON) for _ in range(3)]
        assert devices.forget_all(session, patient, NURSE, NOON) == 3
        assert not any(devices.find_device(session, token, NOON) for token in tokens)


def test_a_patient_who_left_is_a_stranger(database: Database) -> None:
    _, patient = a_house(database)
    with database.transaction() as session:
        token = devices.remember(session, patient, NOON)
        session.get_one(Patient, patient.id).ended_at = NOON
        session.flush()
        assert devices.find_device(session, token, NOON) is None
