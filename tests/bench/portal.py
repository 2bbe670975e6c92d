"""The portal as the bench runs it: production settings on an SQLite file with made-up rows."""

import os
import sys
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from flask import Flask
from sqlalchemy import insert
from sqlalchemy.orm import Session

from patient_portal.config import Settings
from patient_portal.database import Database, new_id, upgrade
from patient_portal.domain.escalation import AlertState
from patient_portal.domain.levels import TriageLevel
from patient_portal.models import (
    Alert,
    CheckIn,
    CheckInState,
    Clinic,
    Device,
    Lane,
    Message,
    MessageKind,
    MessageState,
    Patient,
    Position,
    Role,
    StaffMember,
    StaffPhone,
    StaffSession,
)
from patient_portal.services.audit import SYSTEM
from patient_portal.services.refs import new_ref
from patient_portal.services.rota import put_on_call
from patient_portal.services.tokens import digest

RED, FLOOD, INBOX = "red", "flood", "inbox"
# A phone that is texted more than five times a minute gets bundled texts, which is a case of its
# own; elsewhere the patients are spread over many clinics.
RED_CLINICS = 400
NURSE_TOKEN = "bench-nurse"
_FIRST_NAMES = ("Rosa", "Samir", "Grace", "Wei", "Anna", "Lucia", "Noah", "Priya")


def settings(database: str, url: str) -> Settings:
    """Settings of a server that sends nothing: no worker runs beside it."""
    return Settings.from_environment(
        {
            "DATABASE_URL": f"sqlite:///{database}",
            "SECRET_KEY": "a bench keeps no secrets, it only signs its own forms",
            "PEPPER": "nor does it have texts whose links could be guessed",
            "BASE_URL": url,
            "SMS_GATEWAY": "simulator",
        }
    )


def as_in_production() -> None:
    """Hide what only the development set brings: structlog loads rich wherever it finds it."""
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]


def build() -> Flask:
    """The portal over the SQLite file named by BENCH_DATABASE, at BENCH_URL."""
    as_in_production()
    from patient_portal.app import create_app  # only the server needs it, not the measuring

    return create_app(settings(os.environ["BENCH_DATABASE"], os.environ["BENCH_URL"]))


def fill(path: str, tokens: list[str], inbox_rows: int) -> None:
    """Migrate, and add a patient with a remembered phone for each token, and a full inbox.

    Tokens that begin with the name of the clinic ``FLOOD`` are of its patients.
    """
    upgrade(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    now = datetime.now(UTC)
    with database.transaction() as session:
        reds = [f"{RED}{number}" for number in range(RED_CLINICS)]
        for number, clinic in enumerate((*reds, FLOOD, INBOX)):
            _clinic(session, clinic, number, now)
        flooded = [token.startswith(FLOOD) for token in tokens]
        _patients(
            session,
            [
                (f"p{number}", FLOOD if is_flooded else reds[number % RED_CLINICS])
                for number, is_flooded in enumerate(flooded)
            ],
            now,
        )
        session.execute(
            insert(Device),
            [
                {
                    "id": f"d{number}", "patient_id": f"p{number}", "token_hash": digest(token),
                    "is_shared": False, "created_at": now, "last_used_at": now,
                    "expires_at": now + timedelta(days=90),
                }
                for number, token in enumerate(tokens)
            ],
        )  # fmt: skip
        session.add(
            StaffSession(
                id="nurse", staff_id=f"{INBOX}-nurse", token_hash=digest(NURSE_TOKEN), factors=1,
                created_at=now, last_seen_at=now, expires_at=now + timedelta(hours=12),
            )
        )  # fmt: skip
        _inbox(session, [f"i{number}" for number in range(inbox_rows)], now)
    database.dispose()


def _clinic(session: Session, name: str, place: int, now: datetime) -> None:
    session.add(
        Clinic(
            id=name, name="Maple Clinic", country="US", zone="America/New_York", language="en",
            line="+12125550100", staffed_from=time(8), staffed_until=time(20), created_at=now,
        )
    )  # fmt: skip
    session.flush()
    for number, position in enumerate((Position.NURSE, Position.BACKUP)):
        staff = f"{name}-{position}"
        session.add(
            StaffMember(
                id=staff, clinic_id=name, name=f"N. {position}", role=Role.NURSE,
                email=f"{staff}@maple.example", password_hash="none",
                created_at=now,
            )
        )  # fmt: skip
        session.flush()
        number_of_it = f"+121255{number}{place:04}"
        session.add(
            StaffPhone(staff_id=staff, rank=1, number=number_of_it, verified_at=now, added_at=now)
        )
        put_on_call(session, session.get_one(StaffMember, staff), position, SYSTEM, now)
    session.flush()


def _patients(session: Session, homes: list[tuple[str, str]], now: datetime) -> None:
    """A patient of each id in the clinic beside it."""
    session.execute(
        insert(Patient),
        [
            {
                "id": one, "clinic_id": clinic, "first_name": _FIRST_NAMES[number % 8],
                "last_name": "Marin", "birth_year": 1959, "phone": f"+1212{5550000 + number:07d}",
                "language": "en", "country": "US", "zone": "America/New_York", "drug": "atra_ato",
                "partners": [], "first_dose_on": now.date() - timedelta(days=15),
                "baseline_weight": Decimal("70.1"), "baseline_weight_unit": "kg", "usual": [],
                "enrolled_at": now, "created_at": now,
            }
            for number, (one, clinic) in enumerate(homes)
        ],
    )  # fmt: skip


def _inbox(session: Session, ids: list[str], now: datetime) -> None:
    """An open urgent alert for each, with its check-in and a delivered text."""
    _patients(session, [(one, INBOX) for one in ids], now)
    answers = {"red_flags": ["none"], "breathlessness": "none", "swelling": "worse"}
    reasons = [{"rule": "SW3", "level": "urgent"}]
    for one in ids:
        session.add(
            Alert(
                id=one, ref=new_ref(), clinic_id=INBOX, patient_id=one, state=AlertState.OPEN,
                level=int(TriageLevel.URGENT), reasons=reasons, protocol="ds-1.0",
                inputs={"drug": "atra_ato", "day_of_therapy": 16, "answers": answers},
                opened_at=now, ladder_started_at=now, step=1,
                next_action_at=now + timedelta(minutes=15),
            )
        )  # fmt: skip
        session.flush()
        session.add(
            CheckIn(
                clinic_id=INBOX, patient_id=one, form_key=new_id(), local_date=now.date(),
                state=CheckInState.SENT, reporter="patient", drug="atra_ato", day_of_therapy=16,
                answers=answers, level=int(TriageLevel.URGENT), reasons=reasons, protocol="ds-1.0",
                alert_id=one, started_at=now, sent_at=now,
            )
        )  # fmt: skip
        session.add(
            Message(
                clinic_id=INBOX, kind=MessageKind.STAFF_ALERT, lane=Lane.ALERT,
                to_number="+12125550140", staff_id=f"{INBOX}-nurse", alert_id=one, body="text",
                once_key=f"bench:{one}", state=MessageState.DELIVERED, due_at=now, created_at=now,
                expires_at=now + timedelta(hours=24), accepted_at=now, delivered_at=now,
                gateway_id=f"bench{one}", attempts=1,
            )
        )  # fmt: skip
    session.flush()
