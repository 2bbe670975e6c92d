"""The people of the demo clinic. All of them are made up, and so are their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from patient_portal.models import Position, Role

CLINIC_ID = "maple"
CLINIC_NAME = "Maple Clinic"
CLINIC_LINE = "+12125550100"
COUNTRY = "US"
ZONE = "America/New_York"
STAFFED = (time(8), time(20))

# Every member of the demo's staff has this password, so that the sign-in page can be tried.
PASSWORD = "maple leaves in november"  # noqa: S105 - shown on the demo's own page


# A phone that somebody at the clinic always carries.
CATCH_ALL = "+12125550150"


@dataclass(frozen=True)
class Colleague:
    """A member of the care team. Who has a phone has answered a test text from it."""

    id: str
    name: str
    role: Role
    email: str
    phone: str | None = None
    second_phone: str | None = None


STAFF = (
    Colleague(
        "n-silva", "N. Silva", Role.NURSE, "n.silva@maple.example", "+12125550142", "+12125550152"
    ),
    Colleague("j-park", "J. Park", Role.NURSE, "j.park@maple.example", "+12125550143"),
    Colleague("a-osei", "Dr. A. Osei", Role.PHYSICIAN, "a.osei@maple.example", "+12125550144"),
    Colleague("l-brandt", "L. Brandt", Role.LEAD, "l.brandt@maple.example", "+12125550145"),
    Colleague("m-reyes", "M. Reyes", Role.ADMINISTRATOR, "m.reyes@maple.example"),
)

# Who is on call in which position, every day, from when until when.
ROTA = (
    ("n-silva", Position.NURSE, time(8), time(20)),
    ("j-park", Position.NURSE, time(20), time(8)),
    ("j-park", Position.BACKUP, time(8), time(20)),
    ("n-silva", Position.BACKUP, time(20), time(8)),
    ("a-osei", Position.PHYSICIAN, time(7), time(7)),
    ("l-brandt", Position.LEAD, time(7), time(7)),
)
NURSE = "n-silva"
LEAD = "l-brandt"

# A day's answers that differ from a well day; keys and values are the protocol's.
Story = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Person:
    """A patient of the demo.

    ``day`` is today's day of therapy, ``weight`` the baseline as entered. ``story`` tells what
    was different so many days ago (0 is today); ``missed`` are the days without a check-in.
    ``checked_in`` says whether there is one today.
    """

    id: str
    first_name: str
    last_name: str
    birth_year: int
    phone: str
    language: str
    drug: str
    day: int | None
    weight: str
    weight_unit: str = "kg"
    temperature_unit: str = "c"
    zone: str = ZONE
    at: time = time(9)
    partners: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    story: Story = field(default_factory=dict)
    missed: frozenset[int] = frozenset()
    checked_in: bool = True
    invited_only: bool = False


# Rosa's sixteen days: weight and temperature rose, on day 9 it was differentiation syndrome, then
# three days in hospital.
ROSA: Story = {
    15: {"weight": "70.1", "temperature": "36.6"},
    14: {"weight": "70.0", "temperature": "36.7"},
    13: {"weight": "70.2", "temperature": "36.5"},
    12: {"weight": "70.1", "temperature": "36.8"},
    11: {"weight": "70.3", "temperature": "36.7"},
    10: {"weight": "70.4", "temperature": "36.9"},
    9: {"weight": "70.9", "temperature": "37.1"},
    8: {"weight": "71.2", "temperature": "37.5"},
    7: {
        "breathlessness": "at_rest",
        "swelling": "worse",
        "cough": "new",
        "weight": "72.5",
        "temperature": "38.1",
    },
    3: {"weight": "70.3", "temperature": "36.6"},
    2: {"weight": "70.2", "temperature": "36.5"},
    1: {"weight": "70.6", "temperature": "36.8"},
}

PEOPLE = (
    Person(
        "rosa", "Rosa", "Marin", 1959, "+12125550123", "en", "atra_ato", 16, "70.1",
        story=ROSA, missed=frozenset({4, 5, 6}), checked_in=False,
    ),
    Person(
        "samir", "Samir", "Haddad", 1968, "+12125550125", "ar", "enasidenib", 23, "81.4",
        at=time(8, 30), partners=("azacitidine",), checked_in=False,
        story={10: {"swelling": "new_mild"}}, missed=frozenset({4, 17}),
    ),
    Person(
        "grace", "Grace", "Okafor", 1955, "+12125550126", "en", "ivosidenib", 41, "148.2",
        weight_unit="lb", temperature_unit="f", at=time(8),
        story={0: {"temperature": "100.9"}, 1: {"temperature": "99.1"}},
        missed=frozenset({6}),
    ),
    Person(
        "wei", "Wei", "Chen", 1963, "+12125550127", "zh_Hans", "gilteritinib", 12, "66.8",
        story={0: {"temperature": "37.6"}}, at=time(8, 15),
    ),
    Person(
        "anna", "Anna", "Becker", 1977, "+12125550128", "de", "atra", 15, "64.5",
        story={0: {"headache": "mild"}}, missed=frozenset({1, 9}), at=time(8, 40),
    ),
    Person(
        "lucia", "Lucia", "Torres", 1984, "+12125550129", "es", "ato", 33, "59.7",
        zone="America/Los_Angeles", at=time(8), missed=frozenset({12}),
    ),
    Person(
        "noah", "Noah", "Fisher", 1949, "+12125550130", "en", "olutasidenib", 210, "183.6",
        weight_unit="lb", temperature_unit="f", zone="America/Chicago", at=time(8),
        story={0: {"bone_pain": "mild"}}, missed=frozenset({2, 3, 15}),
    ),
    Person(
        "priya", "Priya", "Nair", 1990, "+12125550131", "hi", "midostaurin", 8, "55.3",
        at=time(8, 20),
    ),
    Person(
        "jean", "Jean", "Moreau", 1971, "+12125550132", "fr", "quizartinib", 27, "77.9",
        at=time(9), missed=frozenset({8, 20}),
    ),
    Person(
        "olga", "Olga", "Petrova", 1962, "+12125550133", "ru", "revumenib", 19, "72.6",
        at=time(8, 10), story={11: {"temperature": "37.7"}},
    ),
    Person(
        "daniel", "Daniel", "Costa", 1980, "+12125550134", "pt_BR", "ziftomenib", 11, "84.2",
        at=time(8, 50), checked_in=False, missed=frozenset({0}),
    ),
    Person(
        "hana", "Hana", "Sato", 1951, "+12125550135", "ja", "unknown", None, "52.4",
        at=time(8, 30), usual=("bone_pain",), missed=frozenset({5}),
    ),
    Person(
        "elif", "Elif", "Demir", 1987, "+12125550136", "tr", "ivosidenib", 1, "61.0",
        invited_only=True, checked_in=False,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Helper:
    """Someone who helps a patient of the demo."""

    id: str
    first_name: str
    phone: str
    language: str
    helps: str
    scopes: tuple[str, ...] = ("report", "status", "remind")


HELPERS = (Helper("luis", "Luis", "+12125550124", "en", "rosa"),)
