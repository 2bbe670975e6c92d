"""A clinic with its people as rows, for tests: real models, invented persons."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from patient_portal import protocols
from patient_portal.database import Database
from patient_portal.models import Clinic, Patient, Position, Role, StaffMember, StaffPhone
from patient_portal.services.audit import SYSTEM
from patient_portal.services.rota import put_on_call
from patient_portal.services.site import Site

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)  # noon in New York
NOBODYS_HASH = "no password opens this"


def a_site() -> Site:
    """The site as services see it, with the protocol in force."""
    return Site(base_url="https://chk.example", pepper="p" * 32, protocol=protocols.current())


@dataclass(frozen=True)
class Team:
    """A clinic with four people of the care team, each on one rung of the ladder."""

    clinic: Clinic
    nurse: StaffMember
    backup: StaffMember
    physician: StaffMember
    lead: StaffMember


def a_clinic(session: Session, **values: Any) -> Clinic:
    """A clinic in New York, staffed from 8 to 17."""
    clinic = Clinic(
        **{
            "name": "Maple Clinic",
            "country": "US",
            "zone": "America/New_York",
            "language": "en",
            "line": "+12125550100",
            "staffed_from": time(8),
            "staffed_until": time(17),
            "created_at": NOON,
            "live_at": NOON,
            **values,
        }
    )
    session.add(clinic)
    session.flush()
    return clinic


def a_member(
    session: Session,
    clinic: Clinic,
    name: str,
    position: Position | None = None,
    **values: Any,
) -> StaffMember:
    """A member of staff with a verified phone; with a position, on call in it day and night."""
    number = values.pop("phone", "+12125550142")
    member = StaffMember(
        **{
            "clinic_id": clinic.id,
            "name": name,
            "role": Role.NURSE,
            "email": f"{name.lower().replace(' ', '').replace('.', '')}@{clinic.id}.example",
            "password_hash": NOBODYS_HASH,
            "created_at": NOON,
            **values,
        }
    )
    session.add(member)
    session.flush()
    if number is not None:
        phone = StaffPhone(
            staff_id=member.id, rank=1, number=number, verified_at=NOON, added_at=NOON
        )
        session.add(phone)
        session.flush()
    if position is not None:
        put_on_call(session, member, position, SYSTEM, NOON - timedelta(days=400))
    return member


def a_team(session: Session, **clinic: Any) -> Team:
    """A clinic with nurse, backup, physician and lead on call."""
    made = a_clinic(session, **clinic)
    return Team(
        clinic=made,
        nurse=a_member(session, made, "N. Silva", Position.NURSE),
        backup=a_member(session, made, "J. Park", Position.BACKUP, phone="+12125550143"),
        physician=a_member(
            session, made, "A. Osei", Position.PHYSICIAN, phone="+12125550144",
            role=Role.PHYSICIAN,
        ),
        lead=a_member(
            session, made, "L. Brandt", Position.LEAD, phone="+12125550145", role=Role.LEAD
        ),
    )  # fmt: skip


def a_patient(session: Session, clinic: Clinic, **values: Any) -> Patient:
    """Rosa Marin, on enasidenib since 12 days, 70 kg."""
    patient = Patient(
        **{
            "clinic_id": clinic.id,
            "first_name": "Rosa",
            "last_name": "Marin",
            "birth_year": 1959,
            "phone": "+12125550123",
            "language": "en",
            "country": "US",
            "zone": "America/New_York",
            "drug": "enasidenib",
            "first_dose_on": date(2026, 11, 9),
            "baseline_weight": Decimal("70.0"),
            "baseline_weight_unit": "kg",
            "enrolled_at": NOON,
            "created_at": NOON,
            **values,
        }
    )
    session.add(patient)
    session.flush()
    return patient


def a_house(database: Database) -> tuple[Team, Patient]:
    """A committed clinic with its team and one patient."""
    with database.transaction() as session:
        team = a_team(session)
        return team, a_patient(session, team.clinic)
