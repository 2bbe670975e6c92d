"""Accounts of the care team: who works here, how they sign in, and when a session ends.

A password is hashed outside any transaction (it takes tens of milliseconds on purpose, and on
SQLite one writer at a time waits for the other), so signing in is three steps: ``start_sign_in``,
``proves``, ``open_session``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from patient_portal.database import UtcDateTime, new_id
from patient_portal.models import Clinic, StaffMember, StaffSession
from patient_portal.services import rates
from patient_portal.services.audit import SYSTEM, Actor, record
from patient_portal.services.site import Site
from patient_portal.services.tokens import digest, fresh_token, keyed_digest

SHORTEST_PASSWORD = 15
LONGEST_PASSWORD = 256
SESSION_IDLE = timedelta(minutes=15)
SESSION_LIVES = timedelta(hours=12)
# How often a request may write that the session is in use.
SEEN_EVERY = timedelta(minutes=1)
_LONGEST_EMAIL = 120
_LONGEST_TOKEN = 100

# argon2id with 19 MiB and two passes on one lane: the least that OWASP's cheat sheet names.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class UnusablePassword(ValueError):
    """A password that is too short or too long; says how many characters are wanted."""

    def __init__(self) -> None:
        super().__init__(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")


def has_right_length(password: str) -> bool:
    """Whether a password may be hashed at all; a longer one would only cost time."""
    return SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD


def hash_password(password: str) -> str:
    """The argon2id hash. Raises UnusablePassword before any work is done."""
    if not has_right_length(password):
        raise UnusablePassword
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return hash_password(fresh_token())


def email_of(text: str) -> str:
    """An e-mail as it is kept: in lower case, without spaces around it or signs none can have."""
    plain = "".join(char for char in text if char.isprintable())
    return plain.strip().casefold()[: _LONGEST_EMAIL + 1]


@dataclass(frozen=True)
class SignIn:
    """One attempt to sign in, before the password is looked at."""

    rate_key: str
    staff_id: str | None
    password_hash: str
    limit: rates.Limit | None = None


def start_sign_in(session: Session, site: Site, email: str, address: str, now: datetime) -> SignIn:
    """Count the attempt for this account from this address and look the account up.

    An unknown e-mail gets a hash that no password fits, so that the same work follows.
    """
    email = email_of(email)
    rate_key = "staff:" + keyed_digest(site.pepper, f"{email} {address}")
    limit = rates.hit(session, rate_key, rates.STAFF_SIGN_INS, now)
    row = session.execute(
        select(StaffMember.id, StaffMember.password_hash).where(
            StaffMember.email == email, StaffMember.disabled_at.is_(None)
        )
    ).first()
    if row is None:
        return SignIn(rate_key, None, _nobodys_hash(), limit)
    return SignIn(rate_key, row.id, row.password_hash, limit)


def proves(attempt: SignIn, password: str) -> bool:
    """Whether the password is the account's. Slow on purpose; call it outside a transaction."""
    if not has_right_length(password):
        return False
    try:
        _hasher.verify(attempt.password_hash, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return attempt.staff_id is not None


def note_failure(session: Session, attempt: SignIn, now: datetime) -> None:
    """Keep a failed attempt on the record."""
    clinic_id = None
    if attempt.staff_id:
        clinic_id = session.get_one(StaffMember, attempt.staff_id).clinic_id
    record(
        session, SYSTEM, "staff.sign_in_failed", "staff_member", attempt.staff_id,
        now=now, clinic_id=clinic_id,
    )  # fmt: skip


def open_session(
    session: Session, staff_id: str, now: datetime, *, rate_key: str | None = None
) -> str:
    """Open a session and return the token for its cookie; only a hash of it is stored."""
    if rate_key:
        rates.forget(session, rate_key, rates.STAFF_SIGN_INS)
    staff = session.get_one(StaffMember, staff_id)
    token = fresh_token()
    row = StaffSession(
        id=new_id(),
        staff_id=staff.id,
        token_hash=digest(token),
        factors=1,
        created_at=now,
        last_seen_at=now,
        expires_at=now + SESSION_LIVES,
    )
    session.add(row)
    session.flush()
    record(session, actor_of(staff), "staff.signed_in", "staff_session", row.id, now=now)
    return token


def needs_second_factor(staff: StaffMember) -> bool:
    """Whether the password alone does not sign this person in.

    The seam for a second factor: ``StaffSession.factors`` counts what was proven, sign-in opens
    a session with one, and ``find_session`` gives nobody whose session has fewer than needed.
    Whoever adds a factor raises ``factors`` on its page and answers here by role. Until then
    every account has a password only.
    """
    return False


@dataclass(frozen=True)
class SignedIn:
    """A session that stands, whose it is, and the language of their clinic."""

    staff: StaffMember
    session: StaffSession
    language: str


# Made once: it is asked for every page of the care team.
_STANDING_SESSION = (
    select(StaffSession, StaffMember, Clinic.language)
    .join(StaffMember, StaffMember.id == StaffSession.staff_id)
    .join(Clinic, Clinic.id == StaffMember.clinic_id)
    .where(
        StaffSession.token_hash == bindparam("token"),
        StaffSession.ended_at.is_(None),
        StaffSession.expires_at > bindparam("now", type_=UtcDateTime),
        StaffSession.last_seen_at > bindparam("idle_since", type_=UtcDateTime),
        StaffMember.disabled_at.is_(None),
    )
)


def find_session(session: Session, token: str, now: datetime) -> SignedIn | None:
    """The session with this token: not ended, in use within 15 minutes, younger than 12 hours."""
    if not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    asked = {"token": digest(token), "now": now, "idle_since": now - SESSION_IDLE}
    row = session.execute(_STANDING_SESSION, asked).first()
    if row is None:
        return None
    found, staff, language = row
    wanted = 2 if needs_second_factor(staff) else 1
    return SignedIn(staff, found, language) if found.factors >= wanted else None


def touch(session: Session, session_id: str, now: datetime) -> None:
    """Note that a person used the session."""
    session.execute(
        update(StaffSession).where(StaffSession.id == session_id).values(last_seen_at=now)
    )


def sign_out(session: Session, found: StaffSession, actor: Actor, now: datetime) -> None:
    """End one session; its cookie is worth nothing from the next request on."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.id == found.id, StaffSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    record(session, actor, "staff.signed_out", "staff_session", found.id, now=now)


def actor_of(staff: StaffMember) -> Actor:
    """A member of staff as the audit log names them."""
    return Actor("staff", staff.id, staff.clinic_id)
