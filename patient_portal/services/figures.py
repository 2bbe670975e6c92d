"""Figures for a monitoring system, counted from rows when they are asked for.

Rows outlive every process, so the figures are the same whichever of several web processes
answers, and a worker that died cannot make them look well. Text format of Prometheus 0.0.4.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patient_portal.domain.delivery import MessageState
from patient_portal.models import (
    Alert,
    AlertState,
    Drill,
    Heartbeat,
    Lane,
    Message,
    MessageKind,
)
from patient_portal.services import alarm_path
from patient_portal.services.machine import Machine

WINDOW = timedelta(hours=1)
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Figure:
    """A gauge and its values, each with its labels."""

    name: str
    help: str
    values: Sequence[tuple[Labels, float]] = field(default_factory=tuple)


def read(session: Session, now: datetime, machine: Machine) -> list[Figure]:
    """All figures at this moment."""
    return [
        Figure("portal_alerts", "Alerts by state; drills are not counted.", _alerts(session)),
        Figure(
            "portal_oldest_untaken_seconds", "Age of the oldest alert that nobody has taken.",
            _one(_oldest_untaken(session, now)),
        ),
        Figure(
            "portal_texts", "Texts of the last hour by lane and state.", _texts(session, now)
        ),
        Figure(
            "portal_commit_to_accepted_seconds",
            "From the commit of an alert text to the gateway's yes, last hour.",
            _quantiles(session, now),
        ),
        Figure(
            "portal_heartbeat_age_seconds", "Since a working worker's last sign of life.",
            _one(_beat_age(session, now)),
        ),
        Figure(
            "portal_drill_age_seconds", "Since a test of the alarm was last answered.",
            _one(_drill_age(session, now)),
        ),
        Figure("portal_trouble", "1 for each trouble of the alarm path.",
               _troubles(session, now, machine)),
    ]  # fmt: skip


def as_text(figures: Iterable[Figure]) -> str:
    """The figures as Prometheus reads them. A figure without a value is left out."""
    lines: list[str] = []
    for figure in figures:
        if not figure.values:
            continue
        lines += [f"# HELP {figure.name} {figure.help}", f"# TYPE {figure.name} gauge"]
        for labels, value in figure.values:
            named = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{figure.name}{{{named}}} {value:g}" if named else
                         f"{figure.name} {value:g}")  # fmt: skip
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _one(value: float | None) -> list[tuple[Labels, float]]:
    return [] if value is None else [({}, value)]


def _alerts(session: Session) -> list[tuple[Labels, float]]:
    rows = session.execute(
        select(Alert.state, func.count()).where(Alert.is_test.is_(False)).group_by(Alert.state)
    )
    counts = {state: count for state, count in rows}
    return [({"state": state.value}, counts.get(state, 0)) for state in AlertState]


def _oldest_untaken(session: Session, now: datetime) -> float:
    oldest = session.scalars(
        select(func.min(Alert.ladder_started_at)).where(
            Alert.state == AlertState.OPEN, Alert.is_test.is_(False)
        )
    ).first()
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def _texts(session: Session, now: datetime) -> list[tuple[Labels, float]]:
    rows = session.execute(
        select(Message.lane, Message.state, func.count())
        .where(Message.created_at > now - WINDOW)
        .group_by(Message.lane, Message.state)
    )
    counts = {(lane, state): count for lane, state, count in rows}
    return [
        ({"lane": lane.value, "state": state.value}, counts.get((lane, state), 0))
        for lane in Lane
        for state in MessageState
    ]


def _quantiles(session: Session, now: datetime) -> list[tuple[Labels, float]]:
    rows = session.execute(
        select(Message.created_at, Message.accepted_at).where(
            Message.kind == MessageKind.STAFF_ALERT,
            Message.carried_by.is_(None),
            Message.created_at > now - WINDOW,
            Message.accepted_at.is_not(None),
        )
    )
    waits = sorted((row.accepted_at - row.created_at).total_seconds() for row in rows)
    if not waits:
        return []
    return [
        ({"quantile": str(share)}, waits[min(len(waits) - 1, int(share * len(waits)))])
        for share in (0.5, 0.99)
    ]


def _beat_age(session: Session, now: datetime) -> float | None:
    last = session.scalars(
        select(func.max(Heartbeat.beat_at)).where(Heartbeat.note.is_(None))
    ).first()
    return None if last is None else max(0.0, (now - last).total_seconds())


def _drill_age(session: Session, now: datetime) -> float | None:
    last = session.scalars(select(func.max(Drill.answered_at))).first()
    return None if last is None else max(0.0, (now - last).total_seconds())


def _troubles(session: Session, now: datetime, machine: Machine) -> list[tuple[Labels, float]]:
    found = {each.trouble for each in alarm_path.look_everywhere(session, now, machine)}
    return [({"code": trouble.value}, trouble in found) for trouble in alarm_path.Trouble]
