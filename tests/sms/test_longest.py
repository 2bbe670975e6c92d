"""Every sentence we text, in each language, with the longest of whatever may stand in it.

The functions are found, not listed: a new text is measured without anybody thinking of it.
"""

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import String, Table

from patient_portal.domain.levels import TriageLevel
from patient_portal.models import Clinic, Position, StaffMember
from patient_portal.paths import shipped
from patient_portal.sms import alarm_texts, duty_texts, reply_texts, staff_texts, texts
from patient_portal.sms.segments import count
from patient_portal.words import (
    Words,
    format_date,
    format_datetime,
    format_time,
    translations,
)
from patient_portal.words.catalog_files import compile_all

MODULES = (alarm_texts, duty_texts, reply_texts, staff_texts, texts)
SATURDAY = datetime(2026, 11, 21, 22, 48, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
ADDRESS = "https://patients.differentiation.maple-valley-hospital.example.org"
CLINICS = ("Clínica Universitária São João Baptista 1", "W" * 40)
NAMES = ("Dr. Ágnes Wolfeschlegelsteinhausenbergerdorff-Mälzer-Ibánezes", "M" * 60)
OTHER_ALPHABET = ("Поликлиника на улице Кленовой, дом 12 А", "Д. Иванова")
SECRET = "0123456789abcdefghijkl"
Text = Callable[..., str]


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    compile_all(shipped("translations"))
    translations.cache_clear()


def found(*modules: ModuleType) -> Iterator[tuple[str, Text]]:
    for module in modules:
        for name, one in inspect.getmembers(module, inspect.isfunction):
            is_text = inspect.signature(one).return_annotation is str
            is_ours = one.__module__ == module.__name__ and not name.startswith("_")
            if is_ours and is_text and name != "position_name":
                yield f"{module.__name__.rpartition('.')[2]}.{name}", one


def is_to_staff(name: str, one: Text) -> bool:
    """Texts to patients, helpers and strangers stand in two modules."""
    if name.startswith("texts."):
        return name == "texts.not_understood"
    return "number" not in inspect.signature(one).parameters


ALL = dict(found(*MODULES))
STAFF = sorted(name for name, one in ALL.items() if is_to_staff(name, one))
PATIENTS = sorted(set(ALL) - set(STAFF))


def values(
    language: str, country: str, clinics: tuple[str, ...], names: tuple[str, ...], address: str
) -> Any:
    """The longest values by the name of the argument; several where either may be the longest."""
    clock = format_time(SATURDAY, ZONE, language, country)
    day = format_date(date(2026, 11, 21), language, country, "short")
    moments = [clock, format_datetime(SATURDAY, ZONE, language, country), f"{day}, {clock}"]
    return {
        "clinic": clinics, "name": names, "by": names, "who": names, "ref": ["K7Q2M"],
        "refs": [["K7Q2M"], ["K7Q2M"] * 200], "url": [f"{address}/staff/alerts/K7Q2M"],
        "base_url": [address], "host": [address.removeprefix("https://")],
        "level": [TriageLevel.URGENT, TriageLevel.EMERGENCY], "worst": [TriageLevel.EMERGENCY],
        "following": [None, *(staff_texts.Next(name, SATURDAY) for name in names)],
        "is_test": [False, True], "is_silence": [False, True], "on_call": [False, True],
        "waited": [timedelta(hours=28)], "opens_at": [SATURDAY], "more": [0, 1, 99],
        "until": ["", *moments], "since": moments, "at": moments, "code": ["not_connected"],
        "starts": [f"{day} {clock}"], "ends": [f"{day} {clock}"],
        "position": [each.value for each in Position], "number": ["10177"],
        "line": ["+123456789012345"],
    }  # fmt: skip


def bodies(
    name: str, language: str, clinics: tuple[str, ...], names: tuple[str, ...],
    address: str = ADDRESS,
) -> Iterator[str]:  # fmt: skip
    one = ALL[name]
    parameters = inspect.signature(one).parameters
    wanted = [each for each in parameters if each != "words"]
    for country in ("US", "MX", "CO"):
        given = values(language, country, clinics, names, address)
        if parameters.get("at") and parameters["at"].annotation is datetime:
            given["at"] = [SATURDAY]
        for chosen in product(*(given[each] for each in wanted)):
            body = one(Words(language), **dict(zip(wanted, chosen, strict=True)))
            yield body.replace("{secret}", SECRET)


languages = pytest.mark.parametrize("language", ["en", "es"])


def room(model: type[Clinic] | type[StaffMember]) -> int:
    table = model.__table__
    assert isinstance(table, Table)
    kind = table.c.name.type
    assert isinstance(kind, String)
    return kind.length or 0


def test_the_longest_are_as_long_as_the_columns() -> None:
    assert max(map(len, CLINICS)) >= room(Clinic) > 0
    assert max(map(len, NAMES)) >= room(StaffMember) > 0


@languages
@pytest.mark.parametrize("name", STAFF)
def test_a_text_to_staff_is_one_part_of_gsm7(name: str, language: str) -> None:
    there, person = OTHER_ALPHABET
    for body in bodies(name, language, (*CLINICS, there), (*NAMES, person)):
        size = count(body)
        assert (size.parts, size.is_gsm7) == (1, True), (size, body)
        assert "%(" not in body


@languages
@pytest.mark.parametrize("name", STAFF)
def test_a_text_to_staff_keeps_its_reference(name: str, language: str) -> None:
    if "ref" in inspect.signature(ALL[name]).parameters:
        for body in bodies(name, language, CLINICS, NAMES):
            assert "K7Q2M" in body


@languages
@pytest.mark.parametrize("name", PATIENTS)
def test_a_text_to_a_patient_is_two_parts_at_most(name: str, language: str) -> None:
    for body in bodies(name, language, CLINICS, NAMES):
        size = count(body)
        assert size.parts <= 2 and size.is_gsm7, (size, body)
        assert "%(" not in body


@pytest.mark.parametrize("name", sorted(ALL))
def test_where_names_are_ordinary_nobody_falls_back_on_english(name: str) -> None:
    ordinary = (("Clínica San Luis",), ("N. Silva",), "https://portal.example.org")
    named = "clinic" in inspect.signature(ALL[name]).parameters
    english = set(bodies(name, "en", *ordinary))
    for body in bodies(name, "es", *ordinary):
        assert body not in english
        assert not named or "Clinica San Luis" in body, body


def test_every_text_is_measured() -> None:
    assert len(STAFF) > 30 and len(PATIENTS) > 10
    assert "reply_texts.nobody_reads" in PATIENTS and "duty_texts.gap" in STAFF
