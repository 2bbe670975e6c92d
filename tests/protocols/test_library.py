"""The loader refuses, with file, line and reason, whatever cannot be right."""

import re
from pathlib import Path

import pytest

from patient_portal.domain.levels import TriageLevel
from patient_portal.protocols import ProtocolError, current, kept, load
from patient_portal.protocols.library import CURRENT, read

SOURCE = CURRENT.read_text("utf-8")


def refused(source: str) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        read(source, "p.toml")
    error = caught.value
    assert str(error) == f"p.toml:{error.line}: {error.reason}"
    return error


def table(name: str, id: str, source: str = SOURCE) -> str:
    """The text of one table of the file."""
    blocks = re.split(r"(?m)^(?=\[\[?)", source)
    return next(b for b in blocks if b.startswith(f"[[{name}]]") and f' = "{id}"\n' in b)


# what is changed in which table, and what the refusal must say
CHANGES: list[tuple[str, str, str, str, str]] = [
    ("rule", "CO1", 'level = "urgent"', 'level = "urgnt"', "'level' is 'urgnt', not one of none"),
    ("rule", "CO1", 'level = "urgent"', "level = 2", "'level' must be a text"),
    ("rule", "CO1", 'level = "urgent"', 'level = "urgent"\nlevle = 1', "unknown key 'levle'"),
    ("rule", "CO1", 'sources = ["nci-definition", "fda-2018"]', "", "has no source"),
    ("rule", "CO1", '["nci-definition", "fda-2018"]', "[]", "has no source"),
    ("rule", "CO1", '"nci-definition"', '"rumour"', "'sources': rumour is not one of"),
    ("rule", "CO1", 'patient = "You told us you have a new cough."\n', "", "'patient' is missing"),
    ("rule", "CO1", 'staff = "New cough, in window"\n', "", "'staff' is missing"),
    ("rule", "CO1", '"New cough, in window"', '""', "'staff' is empty"),
    ("rule", "CO5", 'say = "I cough up blood."\n', "", "'say' is missing"),
    (
        "rule",
        "OR1",
        'say_unsure = "I am not sure if I can breathe when I lie down."\n',
        "",
        "'say_unsure' is missing: 'orthopnea' can be answered 'not_sure'",
    ),
    (
        "rule",
        "SW7",
        'say_unsure = "My face is swollen, and I may be short of breath."\n',
        "",
        "'say_unsure' is missing: 'breathlessness' can be answered 'not_sure'",
    ),
    (
        "combination",
        "C2",
        'say_unsure = "I may be short of breath, and I may have another warning sign."\n',
        "",
        "'say_unsure' is missing",
    ),
    ("rule", "CO1", 'is = ["new"]', 'is = ["newish"]', "'is': newish is not one of none, usual"),
    ("rule", "CO1", 'is = ["new"]\n', "", "must have either 'is' or 'band'"),
    ("rule", "CO1", 'is = ["new"]', "is = [1]", "'is' must be a list of answer values"),
    ("rule", "CO1", 'item = "cough"', 'item = "couch"', "'item': couch is not one of red_flags"),
    ("rule", "CO1", 'window = "in"', 'window = "inside"', "'window' is 'inside', not one of any"),
    ("rule", "CO1", 'window = "in"', 'drugs = "some"', "'drugs' is 'some', not one of all, qt"),
    ("rule", "CO1", 'id = "CO1"', 'id = "CO2"', "id 'CO2' is already used on line"),
    ("rule", "BR5", '["chest_pain_now"]', '["chest_pian"]', "'with': chest_pian is not one of"),
    ("rule", "HA7", "until_day = 30", 'until_day = "30"', "'until_day' must be a whole number"),
    ("rule", "WT2", 'band = "three_days_in_fast"', 'band = "fast"', "'band': fast is not one of"),
    ("rule", "WT2", "band =", 'window = "in"\nband =', "the window of a number is set by its band"),
    ("drug", "atra", "window = [1, 60]", "window = [60, 1]", "'window' must be [first day, last"),
    ("drug", "atra", "window = [1, 60]", "window = [0, 60]", "'window' must be [first day, last"),
    ("drug", "atra", "window = [1, 60]\n", "", "only 'unknown' has no window"),
    ("drug", "atra", "qt = false", "qt = 0", "'qt' must be true or false"),
    ("drug", "atra", "lists = []", 'lists = ["pain"]', "'lists': pain is not one of red_flags"),
    ("drug", "atra", 'code = "atra"', 'code = "ato"', "code 'ato' is already used"),
    ("drug", "unknown", 'code = "unknown"', 'code = "other"', "only 'unknown' has no window"),
    ("drug", "unknown", "apl = true", "apl = false", "must have every column that another"),
    ("item", "cough", 'kind = "choice"', 'kind = "choise"', "'kind' is 'choise', not one of"),
    ("item", "cough", 'not_sure = "new"\n', "", "'not_sure' is missing"),
    ("item", "cough", 'not_sure = "new"', 'not_sure = "nu"', "'not_sure': nu is not one of"),
    ("item", "cough", '"worse", "blood"]', '"wurse"]', "'worse': wurse is not one of"),
    ("item", "cough", 'value = "worse"', 'value = "new"', "an option is given twice"),
    ("item", "cough", 'value = "worse", label', 'value = "worse", lable', "'label' is missing"),
    ("item", "cough", 'key = "cough"', 'key = "rash"', "key 'rash' is already used"),
    ("item", "chills", "value = false", 'value = "no"', "a flag has the options false and true"),
    ("item", "weight", '"not_measured"', '"none"', "a number has the one option 'not_measured'"),
    ("item", "orthopnea", 'item = "breathlessness"', 'item = "x"', "'follows': x is not one of"),
    ("tick", "cough", 'items = ["cough"]', 'items = ["couch"]', "'items': couch is not one of"),
    ("gauge", "gain_3_days", "days = 3\n", "", "'days' is for gains and losses"),
    ("gauge", "gain_3_days", '["kg", "lb"]', '["kg", "st"]', "'units' must be out of c, f"),
    ("gauge", "crossing_baseline", "step = { kg = 1.0, lb = 2.2 }", "", "'step' is for a crossing"),
    ("band", "temperature_warm", "c = 37.5", "c = 99.5", "99.5 °C is 211.1 °F, not 99.5"),
    ("band", "week_in_fast", "lb = 5.0", "lb = 2.3", "2.3 kg is 5.07 lb, not 2.3"),
    ("band", "temperature_warm", "c = 37.5, f = 99.5", "c = 37.5", "'from' has c; it needs c, f"),
    ("band", "temperature_warm", "c = 37.5", 'c = "37.5"', "'from': c must be a number"),
    ("band", "temperature_warm", "c = 37.5", "c = inf", "'from': c must be a finite number"),
    ("band", "temperature_warm", "gauge =", 'window = "in"\ngauge =', "the same in any window"),
    (
        "band",
        "oxygen_low",
        "from = { percent = 92 }",
        "from = { percent = 93 }",
        "a gap from 92 to 93",
    ),
    ("band", "oxygen_low", "from = { percent = 92 }", "from = { percent = 91 }", "overlaps oxygen"),
    ("band", "oxygen_low", "below = { percent = 95 }\n", "", "overlaps oxygen_low"),
    ("band", "oxygen_very_low", "below", "from = { percent = 1 }\nbelow", "nothing lies below 1"),
    (
        "band",
        "oxygen_normal",
        "from",
        "below = { percent = 99 }\nfrom",
        "nothing lies at 99 and above",
    ),
    (
        "condition",
        "chills",
        "is = [true]",
        "is = [true]\nmissing = false\nitems = 1",
        "unknown key",
    ),
    ("condition", "chills", "is = [true]\n", "", "must be one of: item with is, bands"),
    ("condition", "chills", 'item = "chills"', 'item = "chill"', "'item': chill is not one of"),
    ("condition", "masked", '"steroid"', '"K"', "'any_of': K is not one of"),
    ("condition", "uk_lines", '"uk_lines"\n', '"uk_line"\n', "'setting' is 'uk_line'"),
    ("gauge", "spo2", 'worse = "low"\n', "", "'worse' is for readings, and they need it"),
    ("gauge", "gain_1_day", "days = 1", 'days = 1\nworse = "low"', "'worse' is for readings"),
    ("rule", "F2", '"emergency"', '"watch"', "temperature_very_high is watch for atra, but"),
    ("rule", "F14", '"urgent"', '"none"', "temperature_very_low is none for atra, but"),
    ("rule", "OX2", '"emergency"', '"none"', "oxygen_very_low is none for atra, but oxygen_low"),
    ("rule", "BP2", '"emergency"', '"watch"', "pressure_very_low is watch for atra, but"),
    ("rule", "WW3", '"urgent"', '"watch"', "week_in_very_fast is watch for atra, but week_in_fast"),
    ("rule", "RF3", '"emergency"', '"urgent"', "each sign of the first screen is an emergency"),
    ("rule", "HA7", "until_day = 30", "until_day = 0", "'until_day' must be from 1 to 3650"),
    ("drug", "atra", "[1, 60]", "[1, 99999]", "'window' must be [first day, last day], from 1"),
    ("item", "breathlessness", '"mild_exertion"\nworse', '"usual"\nworse', "never as none"),
    ("item", "cough", 'not_sure = "new"', 'not_sure = "none"', "never as none"),
    ("item", "chills", "not_sure = true", "not_sure = false", "never as none"),
    ("source", "opinion", 'state = "opinion"', 'state = "guess"', "'state' is 'guess', not one"),
]


@pytest.mark.parametrize(("name", "id", "old", "new", "said"), CHANGES, ids=lambda part: None)
def test_a_wrong_table_is_refused_at_its_line(
    name: str, id: str, old: str, new: str, said: str
) -> None:
    whole = table(name, id)
    if name == "condition" and id == "uk_lines":
        old, new = f"setting = {old}", f"setting = {new}"
    assert old in whole
    changed = SOURCE.replace(whole, whole.replace(old, new, 1), 1)
    error = refused(changed)
    assert said in error.reason
    assert error.reason.startswith(name_at(error.line, changed))


def name_at(line: int, source: str) -> str:
    """The name of the table that a line stands in, as refusals give it."""
    lines = source.splitlines()
    head = next(n for n in range(line - 1, -1, -1) if lines[n].startswith("[["))
    return f"{lines[head].strip('[]')} {lines[head + 1].split(chr(34))[1]}"


def test_a_condition_that_nothing_asks_for_is_refused() -> None:
    spare = '[[condition]]\nid = "spare"\nitem = "cough"\nis = ["new"]\n\n'
    whole = table("condition", "vomiting")
    changed = SOURCE.replace(whole, spare + whole, 1)
    error = refused(changed)
    assert error.reason == "condition spare: is asked for by nothing"
    assert changed.splitlines()[error.line - 1] == 'id = "spare"'


def test_the_line_named_is_that_of_the_wrong_key() -> None:
    whole = table("rule", "CO1")
    changed = SOURCE.replace(whole, whole.replace('level = "urgent"', 'level = "red"'))
    lines = changed.splitlines()
    assert lines[refused(changed).line - 1] == 'level = "red"'


def without(name: str, id: str) -> str:
    return SOURCE.replace(table(name, id), "", 1)


def test_an_answer_that_no_rule_classifies_is_refused() -> None:
    error = refused(without("rule", "CO3"))
    assert "item cough: no rule classifies answer new for atra, outside the window" in error.reason
    assert SOURCE.splitlines()[error.line - 1] == "[[item]]"


def test_an_answer_unclassified_for_one_medicine_alone_is_refused() -> None:
    error = refused(without("rule", "DZ2"))
    assert "no rule classifies answer mild for ato, outside the window" in error.reason


def test_a_flag_that_no_rule_classifies_is_refused() -> None:
    assert "no rule classifies answer true for atra" in refused(without("rule", "CH1")).reason


def test_a_red_flag_that_no_rule_classifies_is_refused() -> None:
    assert "no rule classifies answer blue_lips" in refused(without("rule", "RF3")).reason


def test_a_band_that_no_rule_classifies_is_refused() -> None:
    error = refused(without("rule", "WT2"))
    assert "band three_days_in_fast: no rule classifies it" in error.reason


def test_an_answer_that_two_rules_classify_is_refused() -> None:
    whole = table("rule", "CO3")
    error = refused(SOURCE.replace(whole, whole.replace('window = "out"\n', ""), 1))
    assert "CO1 and CO3 both classify answer new of item cough" in error.reason


def test_a_missing_band_is_a_gap() -> None:
    error = refused(without("band", "temperature_warm"))
    assert "leaves a gap from 37.5 to 38.0 (in c, in window)" in error.reason


def test_a_level_that_falls_along_a_chain_is_refused() -> None:
    whole = table("rule", "BN5")
    error = refused(SOURCE.replace(whole, whole.replace('"urgent"', '"watch"'), 1))
    assert "severe is watch for atra, but a milder answer of bone_pain is urgent" in error.reason


def test_a_level_that_is_worse_outside_the_window_is_refused() -> None:
    whole = table("rule", "SW1")
    error = refused(SOURCE.replace(whole, whole.replace('"urgent"', '"none"'), 1))
    assert "new_mild for atra is worse outside the window than inside" in error.reason


def test_a_number_that_is_worse_outside_the_window_is_refused() -> None:
    some, fast = table("rule", "WT1"), table("rule", "WT2")
    changed = SOURCE.replace(some, some.replace('"watch"', '"none"'))
    changed = changed.replace(fast, fast.replace('"urgent"', '"none"'))
    error = refused(changed)
    said = "three_days_in_fast is none for atra, but outside the window it is watch"
    assert error.reason == f"rule WT2: {said}"
    assert changed.splitlines()[error.line - 1] == 'level = "none"'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "ds-1.0"', 'id = "../ds"', "'id' must be 1 to 20 small letters"),
        ('id = "ds-1.0"', 'id = "ds-1.0-as-our-own-site-has-it"', "'id' must be 1 to 20 small"),
        ('["The maintainers of the patient portal"]', "[]", "has no author"),
    ],
)
def test_a_protocol_has_an_author_and_an_id_that_can_be_stored(
    old: str, new: str, said: str
) -> None:
    error = refused(SOURCE.replace(old, new, 1))
    assert said in error.reason
    assert new in SOURCE.replace(old, new, 1).splitlines()[error.line - 1]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("9" * 5000, "not TOML: a number too long"),
        ("[" * 5000, "not TOML: a number too long, or brackets too deep"),
        ("1e99999999999999999999", "'until_day' must be a whole number"),
    ],
)
def test_a_value_that_no_machine_holds_is_refused_at_its_line(value: str, said: str) -> None:
    changed = SOURCE.replace("until_day = 30", f"until_day = {value}", 1)
    error = refused(changed)
    assert said in error.reason
    assert changed.splitlines()[error.line - 1] == f"until_day = {value}"


def test_lines_are_counted_as_editors_count_them() -> None:
    changed = SOURCE.replace("# ---", "# \u2028 \u0085 ---", 1).replace("\n", "\r\n")
    changed = changed.replace('level = "urgent"', 'level = "red"', 1)
    assert changed.split("\r\n")[refused(changed).line - 1] == 'level = "red"'


def test_a_file_that_is_not_toml_is_refused_at_its_line() -> None:
    broken = SOURCE.replace("[[rule]]\n", "[[rule]\n", 1)
    error = refused(broken)
    assert "not TOML" in error.reason
    assert broken.splitlines()[error.line - 1] == "[[rule]"


def test_a_key_given_twice_is_refused() -> None:
    assert "not TOML" in refused(SOURCE.replace('id = "CO1"', 'id = "CO1"\nid = "CO9"', 1)).reason


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "there is no table 'protocol'"),
        ("x = 1", "unknown table 'x'"),
        ("[protocol]\n[nonsense]\n", "unknown table 'nonsense'"),
        ("[[protocol]]\n", "'protocol' must be written as [protocol]"),
        ("[rule]\n", "'rule' must be written as [[rule]]"),
        ("rule = [{ id = 1 }]\n", "'rule' must be written in tables of its own"),
        ("[[drug.x]]\n", "'drug' must be written as [[drug]]"),
    ],
)
def test_tables_of_another_kind_are_refused(source: str, said: str) -> None:
    assert said in refused(source).reason


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b"[protocol]\n\xff\n")
    with pytest.raises(ProtocolError) as caught:
        load(path)
    assert (caught.value.line, caught.value.reason) == (2, "not UTF-8 text")
    with pytest.raises(OSError, match="missing"):
        load(tmp_path / "missing.toml")


def test_the_protocol_in_force() -> None:
    protocol = current()
    assert protocol is current()
    assert (protocol.id, protocol.version) == ("ds-1.0", "1.0")
    assert "sign-off" in protocol.status
    flags = [r for r in protocol.rules if r.item == "red_flags" and r.level > TriageLevel.NONE]
    assert len(flags) == 6
    assert all(rule.level is TriageLevel.EMERGENCY and rule.say for rule in flags)


def test_a_protocol_is_found_by_its_id() -> None:
    assert kept("ds-1.0") is current()
    for id in ("ds-0.9", "../domain/ds-1.0", "", "DS-1.0"):
        with pytest.raises(LookupError, match="is not kept"):
            kept(id)


def test_every_answer_has_a_label_and_every_tick_opens_a_question() -> None:
    protocol = current()
    for item in protocol.items:
        assert item.question.endswith("?")
        assert item.options
        assert all(option.label for option in item.options)
    opened = [key for tick in protocol.ticks for key in tick.items]
    assert len(opened) == len(set(opened))
    assert set(opened) == {item.key for item in protocol.step_items("other")}
    assert protocol.item("cough").option("new").label == "It is new"
    with pytest.raises(KeyError):
        protocol.item("cough").option("loud")
