"""Which language a phone gets, and how a language is named."""

import pytest

from patient_portal.words import direction, negotiate, own_name, tag

OFFERED = ("en", "es", "pt_BR", "zh_Hans", "ar", "he")


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (["es"], "es"),
        (["es-MX", "en"], "es"),
        (["es-419"], "es"),
        (["ar-EG"], "ar"),
        (["pt-BR"], "pt_BR"),
        (["pt"], "pt_BR"),
        (["pt_BR"], "pt_BR"),
        (["zh"], "zh_Hans"),
        (["zh-CN"], "zh_Hans"),
        (["zh_CN"], "zh_Hans"),
        (["zh-SG"], "zh_Hans"),
        (["zh-Hans"], "zh_Hans"),
        (["zh-Hans-CN"], "zh_Hans"),
        (["zh-Hans-HK"], "zh_Hans"),
        (["ZH-hans-cn"], "zh_Hans"),
        (["iw-IL"], "he"),
        (["xx", "es"], "es"),
        (["*"], "en"),
        ([""], "en"),
        ([], "en"),
        (["../../etc"], "en"),
        (["es-" + "x" * 5000], "es"),
    ],
)
def test_the_first_possible_tag_wins(tags: list[str], chosen: str) -> None:
    assert negotiate(tags, OFFERED) == chosen


@pytest.mark.parametrize(
    "asked", ["zh-TW", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-TW", "zh-Hant-CN"]
)
def test_a_reader_of_traditional_script_never_gets_simplified(asked: str) -> None:
    assert negotiate([asked], OFFERED) == "en"
    assert negotiate([asked, "es"], OFFERED) == "es"
    assert negotiate([asked], (*OFFERED, "zh_Hant")) == "zh_Hant"


def test_only_what_is_offered_is_chosen() -> None:
    assert negotiate(["es"], ("en",)) == "en"
    assert negotiate(["es"], ("en",), default="") == ""


def test_tags_and_directions_for_html() -> None:
    assert [tag(name) for name in ("en", "zh_Hans", "pt_BR")] == ["en", "zh-Hans", "pt-BR"]
    assert [direction(name) for name in ("en", "ar", "he", "fa", "ar_ZZ")] == ["ltr", *["rtl"] * 4]


def test_languages_name_themselves() -> None:
    assert [own_name(name) for name in ("en", "es", "ar")] == ["English", "Español", "العربية"]
    assert own_name("pt_BR") == "Português (Brasil)"
