"""A gateway that misbehaves: the text arrives, hardly ever twice, and nobody else waits.

All moods are met at once, each by a clinic of its own, so that one case shows that it does not
hold up another. The clock is moved through the waits between attempts.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from patient_portal.models import Message, MessageState
from tests.fault.conftest import chosen
from tests.fault.history import violations
from tests.fault.scene import Case, Scene
from tests.support.processes import until


@dataclass(frozen=True)
class Mood:
    """What the nurse's texts meet, and within how many seconds the first has to arrive."""

    fault: str
    plan: tuple[str, ...]
    within: float = 120.0


# The worker asks the gateway for a text of which nobody knows before it sends it again: so one
# arrives, even where an answer was lost.
MOODS = {
    "429 five times": Mood("F24", ("429:20429",) * 5, within=240),
    "500 three times": Mood("F25", ("500:20500",) * 3),
    "503 three times": Mood("F25", ("503",) * 3),
    "accept_then_reset": Mood("F28", ("accept_then_reset",)),
    "accept_then_500": Mood("F28", ("accept_then_500",)),
    "reset_before_read": Mood("F28", ("reset_before_read",)),
    "html_200": Mood("F29", ("html_200",)),
    "garbage": Mood("F29", ("garbage",)),
    "garbage_json": Mood("F29", ("garbage_json",)),
    "empty_200": Mood("F29", ("empty_200",)),
    "no_sid": Mood("F29", ("no_sid",)),
    "redirect": Mood("F30", ("redirect", "redirect")),
}
CUT = ("500 three times", "accept_then_reset", "garbage_json", "redirect")


@pytest.fixture(scope="module")
def cases(_moved_standing: Scene, request: pytest.FixtureRequest) -> Iterator[dict[str, Case]]:
    """All red answers, given within a second or two of each other."""
    scene = _moved_standing
    made = {}
    for mood in (name for name in MOODS if name in chosen(request, "mood")):
        made[mood] = scene.case()
        scene.gateway.plan_for[scene.rung(made[mood].team)[0]] = deque(MOODS[mood].plan)
    for form in [scene.form(case.patient) for case in made.values()]:
        assert form.report().status == 200
    # Before any clock is moved: whom no mood meets is texted at once.
    backups = [scene.rung(case.team)[1] for case in made.values()]
    assert until(lambda: all(scene.gateway.sent_to(number) for number in backups))
    yield made


@pytest.mark.parametrize(
    "mood",
    [
        pytest.param(
            name,
            marks=[
                pytest.mark.catalogue(mood.fault, "F23"),
                *([] if name in CUT else [pytest.mark.fault]),
            ],
        )
        for name, mood in MOODS.items()
    ],
)
def test_a_mood_is_lived_through(moved_standing: Scene, cases: dict[str, Case], mood: str) -> None:
    scene, case, wanted = moved_standing, cases[mood], MOODS[mood]
    scene.tries += len(wanted.plan)
    nurse, backup = scene.rung(case.team)

    def arrived() -> bool:
        texts = scene.nurse_texts(case)
        return bool(texts) and all(
            text.state in (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED)
            for text in texts[:1]
        )

    assert scene.until_moved(arrived, wanted.within), [
        (text.state, text.error_code, text.attempts) for text in scene.nurse_texts(case)
    ]
    first = scene.nurse_texts(case)[0]
    texts = [text for text in scene.gateway.sent_to(nurse) if f"={first.id}" in str(text.form)]
    assert len(texts) == 1
    # Its neighbours never waited for it: the backup's text went out at the first attempt.
    at_once = Message.created_at == first.created_at
    whose = (Message.alert_id == first.alert_id, Message.to_number == backup)
    (other,) = scene.all(Message, *whose, at_once)
    assert other.attempts == 1
    assert (other.accepted_at - other.created_at).total_seconds() < 15
    assert not any("elsewhere" in path for path in scene.gateway.asked)
    if mood == [*cases][-1]:
        scene.settled()
        assert violations(scene) == []
