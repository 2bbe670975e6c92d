"""What a form brings into a check-in, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.steroid import SteroidTablets
from patient_portal.models import Patient
from patient_portal.services.audit import Actor

# A form that was started can be sent for this long.
FORM_LIVES = timedelta(hours=36)


class FormExpired(LookupError):
    """The form was started too long ago to be changed or sent."""


@dataclass(frozen=True)
class Form:
    """Who sends which form: ``key`` is the form's own random key, made when it was first shown."""

    patient: Patient
    key: str
    reporter: Actor
    phone_recognised: bool = True
    is_new: bool = False  # the caller looked, and found no answer of it yet


@dataclass(frozen=True)
class Step:
    """One step's answers, validated, in the protocol's keys; ``keys`` are all the step could give.

    A key that the step could give and did not is taken out of the present view (an unticked box).
    ``defaults`` stand only where no answer stands yet: what a tick says before it is graded.
    ``name`` is the page that was answered, ``reopens`` the pages that must be asked again.
    ``steroid`` answers the weekly question; the rules read it as `on_steroid`.
    """

    name: str
    given: Mapping[str, Any]
    keys: Sequence[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ticks: Sequence[str] | None = None
    reopens: Sequence[str] = ()
    steroid: SteroidTablets | None = None

    @property
    def as_given(self) -> dict[str, Any]:
        """What is kept as given, word for word."""
        given = dict(self.given)
        if self.ticks is not None:
            given["other"] = list(self.ticks)
        if self.steroid is not None:
            given["steroid_tablets"] = self.steroid.value
        return given

    def moves(self, progress: Mapping[str, Any]) -> dict[str, Any]:
        """Where the form stands once this step is answered."""
        asked_again = {self.name, *self.reopens}
        done = [page for page in progress.get("done", ()) if page not in asked_again]
        ticks = progress.get("ticks", []) if self.ticks is None else list(self.ticks)
        return {"done": [*done, self.name], "ticks": ticks}


@dataclass(frozen=True)
class Recorded:
    """What came of it. ``level`` is the highest this check-in ever reached.

    ``stops``: this very answer is an emergency, so no further question may come before the call.
    """

    check_in_id: str
    level: TriageLevel
    alert_id: str | None
    raised: bool
    stops: bool = False
