"""What the synthetic courses assume, each with its unit and where it comes from.

`state` is "read" for a figure read in a source named in the evidence of the protocol, and
"opinion" for one that nobody measured. Nothing here comes from patients of this product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

READ = "read"
OPINION = "opinion"
SHARE = "share"
PER_DAY = "per day"
MOST = 500


def _assumed(value: float, unit: str, state: str, about: str) -> float:
    about_it = {"unit": unit, "state": state, "about": about}
    made: float = field(default=value, metadata=about_it)
    return made


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Every number the generator uses, apart from the tables below."""

    check_in_hour: float = _assumed(8.5, "h", OPINION, "hour of day of the check-in, sd 1 h")
    least_completion: float = _assumed(
        0.70, SHARE, OPINION, "check-ins answered, lowest person; each person is drawn up to 1"
    )
    thermometer_used: float = _assumed(0.9, SHARE, OPINION, "check-ins with a temperature")
    scale_used: float = _assumed(0.95, SHARE, OPINION, "check-ins with a weight")
    weight_sd_kg: float = _assumed(0.5, "kg", OPINION, "day to day spread of a steady weight")
    weight_drift_kg: float = _assumed(0.02, "kg/day", OPINION, "slow change, sd between people")
    scale_error_share: float = _assumed(
        0.003, SHARE, OPINION, "weighings that are wrong by 2 to 4 kg (another scale, clothes)"
    )
    temperature_sd_c: float = _assumed(0.25, "°C", OPINION, "spread of a healthy temperature")
    imperial: float = _assumed(0.5, SHARE, OPINION, "people who use °F and pounds")
    has_usual: float = _assumed(
        0.15, SHARE, OPINION, "people with each long-standing complaint, answered as usual"
    )
    mild_reported: float = _assumed(0.7, SHARE, OPINION, "mild complaints that are reported")
    worse_reported: float = _assumed(0.9, SHARE, OPINION, "worse ones that are reported")
    worst_reported: float = _assumed(1.0, SHARE, OPINION, "severe ones that are reported")
    slip: float = _assumed(0.002, SHARE, OPINION, "check-ins with one wrong tap on a mild answer")
    not_sure: float = _assumed(0.005, SHARE, OPINION, "check-ins with one answer 'not sure'")
    complaints: float = _assumed(
        1, "times", OPINION, "how often everyday complaints start (table below)"
    )
    grown_worse: float = _assumed(0.15, SHARE, OPINION, "chance complaints above the mild grade")
    prodrome_median_h: float = _assumed(
        72, "h", OPINION, "first sign to severe syndrome, untreated; log-normal, 18 to 240 h"
    )
    prodrome_spread: float = _assumed(0.5, "log sd", OPINION, "spread of the same")
    fluid_kg_day: float = _assumed(0.7, "kg/day", OPINION, "median gain; log sd 0.4")
    calls_mild: float = _assumed(0.05, PER_DAY, OPINION, "people who call by themselves: mild")
    calls_worse: float = _assumed(0.35, PER_DAY, OPINION, "the same: a worse complaint")
    calls_worst: float = _assumed(0.85, PER_DAY, OPINION, "the same: a severe complaint")


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint of everyday life: starts in 100 days, mean days, answers from mild to bad."""

    item: str
    starts: float
    days: float
    grades: tuple[str | bool, ...]


# All opinion: how often people on treatment have each of these without the syndrome.
COMPLAINTS = (
    Complaint("cough", 1.0, 4, ("new", "worse")),
    Complaint("dizziness", 1.0, 2, ("mild",)),
    Complaint("bone_pain", 1.0, 4, ("mild", "moderate")),
    Complaint("rash", 0.7, 5, ("mild", "painful_or_widespread")),
    Complaint("headache", 1.5, 2, ("mild", "severe")),
    Complaint("swelling", 0.5, 4, ("new_mild", "worse")),
    Complaint("breathlessness", 0.7, 3, ("mild_exertion", "moderate_exertion")),
    Complaint("palpitations", 0.4, 1, ("brief",)),
    Complaint("bleeding", 0.8, 3, ("minor", "moderate")),
    Complaint("urine", 0.3, 2, ("less",)),
    Complaint("vomiting", 1.0, 1, (True,)),
    Complaint("feels_much_worse", 0.3, 1, (True,)),
    Complaint("fever", 0.7, 2, ("37.8", "38.6")),
)


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of the syndrome: share of people who have it, weight of being first, grades."""

    item: str
    share: float
    first: float
    state: str
    grades: tuple[str, ...]


SIGNS = (
    Sign("breathlessness", 0.81, 4, READ, ("mild_exertion", "moderate_exertion", "at_rest")),
    Sign("fever", 0.80, 3, READ, ("37.8", "38.4", "39.1")),
    Sign("weight", 0.50, 2, READ, ("gain",)),
    Sign("swelling", 0.40, 1, OPINION, ("new_mild", "worse", "worse")),
    Sign("cough", 0.40, 1, OPINION, ("new", "worse")),
    Sign("dizziness", 0.30, 1, OPINION, ("mild", "mild", "severe")),
    Sign("urine", 0.20, 0.5, OPINION, ("less", "less", "very_little")),
    Sign("bone_pain", 0.25, 1, OPINION, ("mild", "moderate", "severe")),
    Sign("rash", 0.15, 0.5, OPINION, ("mild", "painful_or_widespread")),
)


@dataclass(frozen=True, slots=True)
class Onset:
    """Day of the first sign: (share of people, day), joined by straight lines in log days."""

    quantiles: tuple[tuple[float, float], ...]
    about: str


_APL = Onset(
    ((0, 2), (0.45, 7), (0.5, 11), (0.8, 22), (1, 47)),
    "read: days 2 to 47, median 11, peaks in weeks 1 and 3; opinion: size of the peaks",
)
ONSETS = MappingProxyType(
    {
        "atra": _APL,
        "atra_ato": _APL,
        "ivosidenib": Onset(((0, 1), (0.5, 20), (1, 92)), "read: 1 day to 3 months, median 20"),
        "enasidenib": Onset(((0, 10), (0.5, 19), (1, 150)), "read: 10 days to 5 months, median 19"),
        "olutasidenib": Onset(
            ((0, 1), (0.5, 20), (1, 548)), "read: 1 day to 18 months; opinion: median 20"
        ),
        "gilteritinib": Onset(((0, 1), (0.5, 20), (1, 82)), "read: 1 to 82; opinion: median 20"),
        "revumenib": Onset(((0, 1), (0.5, 14), (1, 41)), "read: 1 to 41; opinion: median 14"),
        "ziftomenib": Onset(((0, 1), (0.5, 14), (1, 41)), "opinion: as revumenib"),
    }
)


def changed(assumed: Assumptions, name: str, value: float) -> Assumptions:
    """The assumptions with another number for one of them.

    Raises:
        ValueError: no such assumption, or a number that it cannot have.
    """
    known = {one.name: one for one in fields(assumed)}
    if name not in known:
        raise ValueError(f"{name!r} is not one of {', '.join(known)}")
    most = 1 if known[name].metadata["unit"] in (SHARE, PER_DAY) else MOST
    if not 0 <= value <= most:
        raise ValueError(f"{name}: {value:g} is not between 0 and {most:g}")
    return replace(assumed, **{name: value})


def lines(assumed: Assumptions) -> Iterator[str]:
    """The assumptions as lines of text, to stand before every result."""
    yield "Assumptions (read = found in a source, opinion = nobody measured it)"
    for one in fields(assumed):
        about = one.metadata
        value = getattr(assumed, one.name)
        what = f"{value:g} {about['unit']}"
        yield f"  {about['state']:8}{one.name:20}{what:12} {about['about']}"
    yield "  Day of the first sign, by medicine (within the weeks followed)"
    for medicine, onset in ONSETS.items():
        yield f"    {medicine:13}{onset.about}"
    yield "  Signs of the syndrome: share of people, grades from the first sign to severe"
    for sign in SIGNS:
        yield f"  {sign.state:8}{sign.share:.2f} {sign.item}: {', '.join(sign.grades)}"
    yield "  opinion Complaints without the syndrome: starts in 100 days, mean days"
    for complaint in COMPLAINTS:
        yield f"    {complaint.item:18}{complaint.starts:4.1f}{complaint.days:5.1f}"
    yield "  opinion The team closes each alert the same day and asks to look again after 2 days."
    yield "  A weight, a thermometer reading or a check-in that is missing is missing by chance."
    yield "  No one is paged for silence here. Fever without the syndrome counts as a false alert."
