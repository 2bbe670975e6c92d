"""The shipped lists of danger words."""

from pathlib import Path

import pytest

from patient_portal.domain.danger import DangerWordsUnusable, worst
from patient_portal.domain.levels import TriageLevel
from patient_portal.protocols import danger_words
from patient_portal.words import known_languages

EMERGENCY, URGENT, NONE = TriageLevel.EMERGENCY, TriageLevel.URGENT, TriageLevel.NONE


def test_every_language_of_the_portal_has_a_list() -> None:
    assert {"en", *known_languages()} <= {one.language for one in danger_words.current()}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I can't breathe", EMERGENCY), ("cant breath", EMERGENCY), ("Chest pain!!", EMERGENCY),
        ("my dad passed out", EMERGENCY), ("911", EMERGENCY), ("lips are blue", EMERGENCY),
        ("coughing up blood", EMERGENCY), ("she had a seizure", EMERGENCY),
        ("No puedo respirar", EMERGENCY), ("me duele el pecho", EMERGENCY),
        ("se desmayó", EMERGENCY), ("LABIOS MORADOS", EMERGENCY),
        ("I have a fever", URGENT), ("short of breath", URGENT), ("feeling worse", URGENT),
        ("tengo fiebre", URGENT), ("Estoy peor", URGENT), ("my legs are swollen", URGENT),
        ("gained weight", URGENT), ("help me", URGENT),
    ],
)  # fmt: skip
def test_what_people_write_in_danger(text: str, level: TriageLevel) -> None:
    assert worst(text, danger_words.current()) is level


@pytest.mark.parametrize(
    "text",
    [
        "Thank you", "What time is my visit?", "Can I eat grapefruit?", "My weight is 112 lb",
        "Is the blood test tomorrow", "ok", "1", "K7Q2M", "STOP", "YES", "HELP", "hola, gracias",
        "¿A qué hora es mi cita?", "I changed my phone number", "+12125550911", "I feel fine",
        "Me siento bien", "running late",
    ],
)  # fmt: skip
def test_everyday_texts_open_no_alert(text: str) -> None:
    assert worst(text, danger_words.current()) is NONE


@pytest.mark.parametrize(
    "source",
    ["", "emergency = ['a']", "emergency = 'a'\nurgent = ['b']", "emergency = [1]\nurgent = []",
     "emergency = ['a'\n", "emergency = ['a']\nurgent = ['A']"],
)  # fmt: skip
def test_a_broken_list_is_refused_with_its_file(tmp_path: Path, source: str) -> None:
    (tmp_path / "xx.toml").write_text(source, encoding="utf-8")
    with pytest.raises(DangerWordsUnusable, match=r"xx\.toml"):
        danger_words.read_folder(tmp_path)


def test_no_list_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DangerWordsUnusable):
        danger_words.read_folder(tmp_path)
