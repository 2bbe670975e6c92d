"""Rows, one file an aggregate. Importing this package registers every table."""

from patient_portal.models.alert import Alert, AlertState
from patient_portal.models.audit import AuditEntry, AuditHead
from patient_portal.models.checkin import Answer, CheckIn, CheckInState
from patient_portal.models.clinic import Clinic
from patient_portal.models.course import MedicineEvent, MedicineKind, Override, OverrideKind
from patient_portal.models.door import Device, Link, LinkKind, RateWindow, SignInCode
from patient_portal.models.gateway import GatewayFault
from patient_portal.models.message import InboundText, Lane, Message, MessageKind, MessageState
from patient_portal.models.patient import Caregiver, CaregiverGrant, Patient, PauseReason
from patient_portal.models.rota import (
    ChangeKind,
    CheckKind,
    Drill,
    DutyCheck,
    Position,
    RotaNotice,
    Shift,
    ShiftChange,
)
from patient_portal.models.silence import SilenceMark, SilenceMarkKind
from patient_portal.models.staff import Role, StaffMember, StaffPhone, StaffSession
from patient_portal.models.worker import Heartbeat

__all__ = [
    "Alert", "AlertState", "Answer", "AuditEntry", "AuditHead", "Caregiver", "CaregiverGrant",
    "ChangeKind", "CheckIn", "CheckInState", "CheckKind", "Clinic", "Device", "Drill", "DutyCheck",
    "GatewayFault", "Heartbeat", "InboundText", "Lane", "Link", "LinkKind", "MedicineEvent",
    "MedicineKind", "Message", "MessageKind", "MessageState", "Override", "OverrideKind", "Patient",
    "PauseReason", "Position", "RateWindow", "Role", "RotaNotice", "Shift", "ShiftChange",
    "SignInCode", "SilenceMark", "SilenceMarkKind", "StaffMember", "StaffPhone", "StaffSession",
]  # fmt: skip
