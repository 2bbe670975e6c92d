"""Limits set for one person: towards caution at once, the other way once two clinicians agree.

Baseline and usual symptoms stand on the patient's own row, where the check-in form reads them too;
the other limits are read from the rows of this log.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.measures import Measure
from patient_portal.domain.overrides import Overrides, check_overrides, loosened
from patient_portal.domain.protocol import Drug, Protocol
from patient_portal.models import Clinic, Override, OverrideKind, Patient, Role, StaffMember
from patient_portal.services.accounts import actor_of
from patient_portal.services.audit import record

MAY_SET = frozenset({Role.NURSE, Role.PHYSICIAN, Role.LEAD})
MAY_APPROVE = frozenset({Role.PHYSICIAN, Role.LEAD})
STANDS = Override.ended_at.is_(None) & (
    Override.needs_second.is_(False) | Override.approved_by.is_not(None)
)


class LimitRefused(ValueError):
    """What may not be done; ``code`` says why: role, same_person, stale, gone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Changed:
    """What a change came to: limits that hold from now on, and those that wait for a yes."""

    holding: tuple[OverrideKind, ...]
    waiting: tuple[OverrideKind, ...]


def open_rows(session: Session, patient: Patient) -> list[Override]:
    """The rows that stand or wait, the oldest first."""
    return list(
        session.scalars(
            select(Override)
            .where(Override.patient_id == patient.id, Override.ended_at.is_(None))
            .order_by(Override.set_at, Override.id)
        )
    )


def waits(row: Override) -> bool:
    """Whether a row has no effect yet."""
    return row.needs_second and row.approved_by is None


def standing_of(patient: Patient, rows: Iterable[tuple[OverrideKind, Any]]) -> Overrides:
    """What holds for a patient; ``rows`` are kind and value of those that stand."""
    found = Overrides(usual=frozenset(patient.usual), baseline=_baseline(patient))
    for what, value in rows:
        if what not in (OverrideKind.USUAL, OverrideKind.BASELINE):
            found = replace(found, **{what.value: read_value(what, value)})
    return found


def read_value(what: OverrideKind, stored: Any) -> Any:
    """A stored value in the type the rules take; raises ValueError for what no rule can read."""
    value = stored["is"]
    match what:
        case OverrideKind.ON_STEROID:
            return bool(value)
        case OverrideKind.USUAL:
            return frozenset(value or ())
        case _ if value is None:
            return None
        case OverrideKind.FEVER_LINE:
            return Decimal(value)
        case OverrideKind.WINDOW_LAST_DAY:
            return int(value)
        case OverrideKind.BASELINE:
            return Measure(Decimal(value[0]), value[1])


def last_day_of(stored: Any) -> int | None:
    """The last day of the window set for one person, from its stored value; None without one.

    Raises KeyError, TypeError or ValueError for what cannot be read.
    """
    return None if stored is None else read_value(OverrideKind.WINDOW_LAST_DAY, stored)


def _stored(value: Any) -> dict[str, Any]:
    if isinstance(value, Measure):
        return {"is": [str(value.value), value.unit]}
    if isinstance(value, frozenset):
        return {"is": sorted(value)}
    return {"is": str(value) if isinstance(value, Decimal) else value}


def state_of(patient: Patient, rows: Collection[Override]) -> str:
    """A short sum of what stands and waits: a form shown before it changed is seen to be old."""
    told = [f"{row.id} {row.approved_by}" for row in rows]
    baseline = _baseline(patient)
    told += [*sorted(patient.usual), str(baseline and (baseline.kilograms.normalize()))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def current_of(session: Session, patient: Patient) -> tuple[Overrides, list[Override]]:
    """What holds for a patient now, and the open rows."""
    rows = open_rows(session, patient)
    return standing_of(patient, [(row.what, row.value) for row in rows if not waits(row)]), rows


def change(
    session: Session,
    protocol: Protocol,
    patient: Patient,
    wanted: Overrides,
    seen: str,
    by: StaffMember,
    now: datetime,
) -> Changed:
    """Set limits; those that can make a level milder wait for a second clinician.

    ``seen`` is the ``state_of`` that the form was shown with. Raises LimitRefused (role, stale)
    and OverrideRefused for a value that cannot be right.
    """
    if by.role not in MAY_SET:
        raise LimitRefused("role")
    _hold(session, patient)
    before, rows = current_of(session, patient)
    if seen != state_of(patient, rows):
        raise LimitRefused("stale")
    fields = [kind for kind in OverrideKind if _of(before, kind) != _of(wanted, kind)]
    # What has not changed is not judged: an item that the protocol dropped may stay as it is.
    check_overrides(protocol, replace(Overrides(), **{f.value: _of(wanted, f) for f in fields}))
    uk_lines = session.get_one(Clinic, patient.clinic_id).uk_lines
    loose = loosened(_drug(protocol, patient.drug), before, wanted, uk_lines=uk_lines)
    for kind in fields:
        is_loose = kind.value in loose
        row = Override(
            patient_id=patient.id, what=kind, value=_stored(_of(wanted, kind)),
            needs_second=is_loose, set_by=by.id, set_at=now,
        )  # fmt: skip
        replaced = [old for old in rows if old.what == kind and (waits(old) or not is_loose)]
        _end(replaced, by, now)
        session.add(row)
        session.flush()
        if not is_loose:
            _apply(patient, row)
        _note(session, "override.set", patient, row, by, now)
    return Changed(
        tuple(kind for kind in fields if kind.value not in loose),
        tuple(kind for kind in fields if kind.value in loose),
    )


def approve(
    session: Session, patient: Patient, override_id: str, by: StaffMember, now: datetime
) -> None:
    """The second clinician's yes: from now on the limit holds.

    Raises LimitRefused: role for all but a physician or lead, same_person for who set it, gone
    when it does not wait any more.
    """
    if by.role not in MAY_APPROVE:
        raise LimitRefused("role")
    row, rows = _waiting(session, patient, override_id)
    if row.set_by == by.id:
        raise LimitRefused("same_person")
    _end([old for old in rows if old.what == row.what and old is not row], by, now)
    row.approved_by, row.approved_at = by.id, now
    session.flush()
    _apply(patient, row)
    _note(session, "override.approved", patient, row, by, now)


def decline(
    session: Session, patient: Patient, override_id: str, by: StaffMember, now: datetime
) -> None:
    """End a limit that waits: by a physician or lead, or by who set it. Raises LimitRefused."""
    row, _ = _waiting(session, patient, override_id)
    if by.role not in MAY_SET or (row.set_by != by.id and by.role not in MAY_APPROVE):
        raise LimitRefused("role")
    _end([row], by, now)
    session.flush()
    _note(session, "override.declined", patient, row, by, now)


def _waiting(
    session: Session, patient: Patient, override_id: str
) -> tuple[Override, list[Override]]:
    _hold(session, patient)
    rows = open_rows(session, patient)
    found = next((row for row in rows if row.id == override_id and waits(row)), None)
    if found is None:
        raise LimitRefused("gone")
    return found, rows


def _hold(session: Session, patient: Patient) -> None:
    """Two people's changes come one after the other, the second seeing the first."""
    session.refresh(patient, with_for_update=True)


def _end(rows: Iterable[Override], by: StaffMember, now: datetime) -> None:
    for row in rows:
        row.ended_by, row.ended_at = by.id, now


def _apply(patient: Patient, row: Override) -> None:
    value = read_value(row.what, row.value)
    if row.what is OverrideKind.USUAL:
        patient.usual = sorted(value)
    elif row.what is OverrideKind.BASELINE:
        patient.baseline_weight = value.value if value else None
        patient.baseline_weight_unit = value.unit if value else None


def _baseline(patient: Patient) -> Measure | None:
    if patient.baseline_weight is None:
        return None
    return Measure(patient.baseline_weight, patient.baseline_weight_unit or "kg")


def _of(overrides: Overrides, kind: OverrideKind) -> Any:
    return getattr(overrides, kind.value)


def _drug(protocol: Protocol, code: str) -> Drug:
    try:
        return protocol.drug(code)
    except KeyError:
        return protocol.drug("unknown")


def _note(
    session: Session,
    action: str,
    patient: Patient,
    row: Override,
    by: StaffMember,
    now: datetime,
) -> None:
    record(
        session, actor_of(by), action, "patient", patient.id, now=now,
        clinic_id=patient.clinic_id, override=row.id, what=row.what.value, value=row.value["is"],
        waits=waits(row),
    )  # fmt: skip
