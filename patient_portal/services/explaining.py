"""Any alert, explained from its own row by the rules that judged it, however old it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from patient_portal import protocols
from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.replay import explain
from patient_portal.domain.triage import TriageResult
from patient_portal.models import Alert
from patient_portal.services.alerts import NoSuchAlert
from patient_portal.services.danger_texts import RULES as OF_TEXTS


@dataclass(frozen=True, slots=True)
class Explained:
    """An alert's stored reasons (rule to level) beside those that its stored inputs give again."""

    alert: Alert
    stored: Mapping[str, str]
    again: TriageResult

    @property
    def not_found(self) -> tuple[str, ...]:
        """Stored reasons that the rules do not give again, or at a lower level only.

        Words of a text are judged by no rule.
        """
        again = {one.rule: one.level for one in self.again.reasons}
        return tuple(
            rule
            for rule, level in self.stored.items()
            if rule not in OF_TEXTS.values()
            and again.get(rule, TriageLevel.NONE) < TriageLevel.from_code(level)
        )


def explained(session: Session, ref: str) -> Explained:
    """Judge the alert's inputs again.

    Raises NoSuchAlert, LookupError for a protocol whose file is gone, and ValueError for inputs
    that cannot be read.
    """
    alert = session.scalars(select(Alert).where(Alert.ref == ref.upper())).first()
    if alert is None:
        raise NoSuchAlert(ref)
    again = explain(protocols.kept(alert.protocol), alert.inputs, protocols.kept)
    stored = {str(one["rule"]): str(one["level"]) for one in alert.reasons}
    return Explained(alert, stored, again)
