"""From answers to a level, and from a red level to the patient's alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.triage import TriageResult
from patient_portal.models import Alert, AlertState, CheckIn
from patient_portal.services import alerts
from patient_portal.services.audit import record
from patient_portal.services.checkins.forms import Form, Recorded
from patient_portal.services.judging import Judged, judge
from patient_portal.services.site import Site


@dataclass(frozen=True)
class Verdict:
    """What the rules say of the answers so far, and what of it is new."""

    judged: Judged
    before: TriageLevel
    fresh: Sequence[dict[str, Any]]
    of_this_step: TriageLevel


def weigh(
    session: Session,
    site: Site,
    form: Form,
    check_in: CheckIn,
    now: datetime,
    answered: Sequence[str] = (),
) -> Verdict:
    """Triage the answers so far; raise the check-in's level and reasons, never lower them."""
    judged = judge(session, site.protocol, form.patient, check_in, now)
    check_in.day_of_therapy = judged.course.day_of_therapy  # a restart counts anew
    before = TriageLevel(check_in.level)
    fresh = _fresh(check_in, judged.result)
    check_in.reasons = [*check_in.reasons, *fresh]
    check_in.level = int(max(before, judged.result.level))
    of_this_step = _answered(site.protocol, judged.own, answered)
    return Verdict(judged, before, fresh, of_this_step)


def act_on(
    session: Session, site: Site, form: Form, check_in: CheckIn, verdict: Verdict, now: datetime
) -> Recorded:
    """Write what was found into the audit log, and raise the alert if there is a red answer."""
    level = TriageLevel(check_in.level)
    record(
        session, form.reporter, "check_in.answered", "check_in", check_in.id,
        now=now, clinic_id=check_in.clinic_id, level=level.code,
    )  # fmt: skip
    if level.is_red and not _is_news(check_in, verdict) and check_in.alert_id is None:
        # Red only because the day already was, and that was told: it joins in silence.
        check_in.alert_id = _alert_of_same_day(session, check_in)
    if level.is_red and (check_in.alert_id is None or _is_news(check_in, verdict)):
        red = _red(check_in, level, verdict.judged.inputs, form)
        check_in.alert_id = alerts.raise_alert(session, site, form.patient, red, now).id
    raised = level > verdict.before
    is_emergency = raised or verdict.of_this_step is TriageLevel.EMERGENCY
    return Recorded(
        check_in.id,
        level,
        check_in.alert_id,
        raised=raised,
        stops=is_emergency and level is TriageLevel.EMERGENCY,
    )


def _is_news(check_in: CheckIn, verdict: Verdict) -> bool:
    """Whether a red check-in has something to tell that its day has not told."""
    news = verdict.judged.news
    return (
        verdict.of_this_step >= TriageLevel.URGENT
        or (check_in.alert_id is None and bool(news))
        or any(reason["rule"] in news for reason in verdict.fresh)
    )


def _fresh(check_in: CheckIn, result: TriageResult) -> list[dict[str, str]]:
    """The reasons that are new, or of a higher level than they had."""
    known = {
        (reason["rule"], TriageLevel.from_code(reason["level"])) for reason in check_in.reasons
    }
    highest = {rule: max(level for r, level in known if r == rule) for rule, _ in known}
    return [
        {"rule": reason.rule, "level": reason.level.code}
        for reason in result.reasons
        if reason.level > highest.get(reason.rule, TriageLevel.NONE)
    ]


def _alert_of_same_day(session: Session, check_in: CheckIn) -> str | None:
    """The alert, not closed, of another check-in of the same day."""
    return session.scalars(
        select(Alert.id)
        .join(CheckIn, CheckIn.alert_id == Alert.id)
        .where(
            CheckIn.patient_id == check_in.patient_id,
            CheckIn.local_date == check_in.local_date,
            CheckIn.id != check_in.id,
            Alert.state != AlertState.CLOSED,
        )
        .limit(1)
    ).first()


def _answered(protocol: Protocol, result: TriageResult, answered: Sequence[str]) -> TriageLevel:
    """The level of the step just answered, by itself.

    A calm answer to a later question of a red form is no new red answer: it must neither page
    again nor open a second alert after the first was closed.
    """
    levels = (
        reason.level for reason in result.reasons if protocol.rule(reason.rule).item in answered
    )
    return max(levels, default=TriageLevel.NONE)


def _red(
    check_in: CheckIn, level: TriageLevel, inputs: dict[str, Any], form: Form
) -> alerts.RedAnswer:
    return alerts.RedAnswer(
        check_in_id=check_in.id,
        level=level,
        reasons=[r for r in check_in.reasons if TriageLevel.from_code(r["level"]).is_red],
        inputs=inputs,
        phone_recognised=form.phone_recognised,
        known_alert_id=check_in.alert_id,
        by_patient=form.reporter.kind == "patient",
    )
