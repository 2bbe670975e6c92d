"""How many parts a text has."""

import pytest

from patient_portal.sms.segments import count


@pytest.mark.parametrize(
    ("body", "parts", "is_gsm7"),
    [
        ("", 1, True),
        ("a" * 160, 1, True),
        ("a" * 161, 2, True),
        ("a" * 306, 2, True),
        ("a" * 307, 3, True),
        ("a" * 158 + "€", 1, True),
        ("a" * 159 + "€", 2, True),
        ("ñ" * 160, 1, True),
        ("á" + "a" * 69, 1, False),
        ("á" + "a" * 70, 2, False),
        ("a" * 69 + "’", 1, False),
        ("\N{GRINNING FACE}" * 35, 1, False),
        ("\N{GRINNING FACE}" * 36, 2, False),
    ],
)
def test_parts(body: str, parts: int, is_gsm7: bool) -> None:
    counted = count(body)
    assert (counted.parts, counted.is_gsm7) == (parts, is_gsm7)


def test_the_odd_characters_are_named() -> None:
    assert count("“Hola”, á").odd == "á“”"
    assert count("{[~]}").odd == ""
