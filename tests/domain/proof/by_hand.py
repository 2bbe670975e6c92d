"""Section 4 of the protocol once more, in plain words of Python: what signs come to together.

Written from the text, without the engine's tables. Only the answers of `GRID` are known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from patient_portal.domain.levels import TriageLevel

NONE, WATCH, URGENT, EMERGENCY = TriageLevel


@dataclass(frozen=True)
class Pattern:
    """One pattern of signs; `weight` is a name of `GRID_WEIGHTS`."""

    breath: str  # none, mild, moderate, at_rest
    heat: str  # none, warm, fever, chills, felt
    dizzy: bool
    dry: bool  # passes less urine
    swollen: bool
    cough: bool
    bones: bool
    rash: bool
    weight: str
    headache: bool
    inside: bool
    lists_bones: bool
    lists_rash: bool
    has_qt: bool


def weight_level(p: Pattern) -> TriageLevel:
    """What the weight comes to by itself, inside and outside the window."""
    inside, outside = {
        "none": (NONE, NONE),
        "1.4 in a day": (WATCH, WATCH),
        "1.0 in 3 days": (WATCH, NONE),
        "2.0 in 3 days": (URGENT, WATCH),
        "1.5 in 7 days": (WATCH, NONE),
        "2.3 in 7 days": (URGENT, WATCH),
        "4.5 in 7 days": (URGENT, URGENT),
        "3.0 over baseline": (WATCH, NONE),
        "5.0 over baseline": (URGENT, WATCH),
    }[p.weight]
    return inside if p.inside else outside


def is_fluid(p: Pattern) -> bool:
    heavy = p.weight in ("2.0 in 3 days", "2.3 in 7 days", "4.5 in 7 days")
    return p.swollen or heavy or (p.weight == "5.0 over baseline" and p.inside)


def core_signs(p: Pattern) -> int:
    hot = p.heat in ("fever", "chills", "felt")
    return sum((p.breath != "none", hot, is_fluid(p), p.dizzy, p.dry))


def single_levels(p: Pattern) -> dict[str, TriageLevel]:
    """The level of each kind of finding alone; those of the syndrome under their kind's name."""
    return {
        "breath": {"none": NONE, "mild": URGENT, "moderate": URGENT, "at_rest": EMERGENCY}[
            p.breath
        ],
        "temperature": {"warm": WATCH, "fever": URGENT}.get(p.heat, NONE),
        "shaking": URGENT if p.heat in ("chills", "felt") else NONE,
        "dizziness": _if(p.dizzy, URGENT if p.inside or p.has_qt else WATCH),
        "urine": _if(p.dry, URGENT if p.inside else WATCH),
        "swelling": _if(p.swollen, URGENT if p.inside else WATCH),
        "cough": _if(p.cough, URGENT if p.inside else WATCH),
        "bones": _if(p.bones, URGENT if p.inside and p.lists_bones else WATCH),
        "rash": _if(p.rash, URGENT if p.inside and p.lists_rash else WATCH),
        "weight": weight_level(p),
        "headache": _if(p.headache, WATCH),
    }


def _if(is_there: bool, level: TriageLevel) -> TriageLevel:
    return level if is_there else NONE


OF_THE_SYNDROME = (
    "temperature", "cough", "rash", "bones", "dizziness", "urine", "swelling", "weight",
)  # fmt: skip


def level_of(p: Pattern) -> TriageLevel:
    """The level of a whole pattern."""
    single = single_levels(p)
    worst = max(single.values())
    core = core_signs(p)
    minor = p.cough + p.bones + p.rash
    if core >= 3 or (p.breath in ("moderate", "at_rest") and core >= 2):
        return EMERGENCY
    ten_pounds = p.weight == "4.5 in 7 days" or (p.weight == "5.0 over baseline" and p.inside)
    if ten_pounds and core >= 2:  # the weight itself is one of them
        return EMERGENCY
    if p.heat == "fever" and p.breath in ("moderate", "at_rest"):
        return EMERGENCY
    watches = sum(single[kind] is WATCH for kind in OF_THE_SYNDROME)
    if core >= 2 or (core >= 1 and minor >= 1) or minor >= 2 or watches >= 2:
        worst = max(worst, URGENT)
    if p.heat == "fever" and p.rash:
        worst = max(worst, URGENT)
    return worst
