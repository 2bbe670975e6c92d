"""The loader refuses signs, combinations, trends and silence that cannot be right."""

import pytest

from tests.protocols.test_library import SOURCE, refused, table


def single(name: str) -> str:
    """The text of a table of which there is one."""
    start = SOURCE.index(f"\n[{name}]\n") + 1
    end = SOURCE.find("\n\n", start)
    return SOURCE[start : end if end > 0 else len(SOURCE)]


# table, id, what is changed, and what the refusal must say
CHANGES: list[tuple[str, str, str, str, str]] = [
    ("sign", "D", 'kind = "core"', 'kind = "main"', "'kind' is 'main', not one of core, minor"),
    ("sign", "D", '["D", "flag_breathing"]', '["Q"]', "'when': Q is not one of chills"),
    ("sign", "D", '["breathing_calm"]', '["calm"]', "'calm': calm is not one of"),
    ("sign", "D", 'calm = ["breathing_calm"]', "", "'calm' is missing"),
    ("sign", "F", '["warm_reading", ', '["warm", ', "'unless': warm is not one of"),
    ("sign", "D", 'id = "D"', 'id = "F"', "id 'F' is already used"),
    ("sign", "D", 'label = "Shortness of breath"', "", "'label' is missing"),
    ("kind", "cough", '["new_cough"]', '["old_cough"]', "'when': old_cough is not one of"),
    ("kind", "rash", '["new_rash"]', '["new_cough"]', "is of kind cough already"),
    ("combination", "C3", "{ core = 2 }", "{ core = 0 }", "'core' must be from 1 to 9"),
    ("combination", "C3", "{ core = 2 }", "{ cores = 2 }", "unknown key 'cores'"),
    ("combination", "C3", "{ core = 2 }", "{}", "counts nothing"),
    ("combination", "C3", "[{ core = 2 }]", "[]", "'counts' is missing"),
    ("combination", "C3", "{ core = 2 }", "{ core = 6 }", "counts more signs than there are"),
    ("combination", "C5", "watch = 2", "watch = 9", "counts more kinds than there are"),
    ("combination", "C1", '"emergency"', '"watch"', "asks for more than C3, but is milder"),
    ("combination", "C1", 'say = "I have', 'sya = "I have', "'say' is missing"),
    ("combination", "C1", 'level = "emergency"', 'level = "none"', "'level' is 'none', not one of"),
    ("combination", "C2", '["breathless_at_home"]', '["x"]', "'today': x is not one of"),
    ("combination", "C2", 'besides = ["D"]', 'besides = ["Q"]', "'besides': Q is not one of D, F"),
    ("combination", "C3", '["criteria-2009", "fda-2020"]', "[]", "has no source"),
    ("combination", "C3", '"fda-2020"', '"hearsay"', "'sources': hearsay is not one of"),
    ("combination", "C3", 'id = "C3"', 'id = "CO1"', "id 'CO1' is already used on line"),
    ("combination", "C3", 'staff = "Two core', 'stuff = "Two core', "'staff' is missing"),
    ("trend", "T5", 'kind = "step"', 'kind = "stride"', "'kind' is 'stride', not one of worse"),
    ("trend", "T5", "within_days = 1", "within_days = 0", "'within_days' must be from 1 to 7"),
    ("trend", "T5", "within_days = 1\n", "", "'within_days' is missing"),
    ("trend", "T5", '"usual", "mild_exertion"]', '"at_rest"]', "'after' must be worse than"),
    ("trend", "T5", '"usual", ', '"usally", ', "'before': usally is not one of"),
    ("trend", "T5", 'items = ["breathlessness"]\n', "", "'items' is for worse and step"),
    (
        "trend",
        "T3",
        'level = "urgent"',
        'items = ["cough"]\nlevel = "urgent"',
        "'items' is for worse",
    ),
    (
        "trend",
        "T2B",
        '["breathlessness"]',
        '["vomiting"]',
        "vomiting has no order from mild to bad",
    ),
    ("trend", "T2B", '["breathlessness"]', '["breath"]', "'items': breath is not one of"),
    ("trend", "T5", 'after = ["moderate_exertion"]\n', "", "'before' and 'after' are for a step"),
    ("missing", "MV1", '"scale"', '"balance"', "'owns' is 'balance', not one of scale"),
    ("missing", "MV1", 'item = "weight"', 'item = "spo2"', "'item' is 'spo2', not one of weight"),
    ("notice", "SD1", '"same_day"', '"someday"', "'kind' is 'someday', not one of same_day"),
    ("notice", "divergence", "levels_apart = 2\n", "", "'levels_apart' is for divergence"),
    ("notice", "RC1", 'level = "watch"', 'level = "urgent"', "must have the levels watch"),
    ("missed", "MC1", "days = 1", "days = 0", "'days' must be from 1 to 60"),
    ("missed", "MC3", 'after = "urgent"', 'after = "red"', "'after' is 'red', not one of none"),
    ("rule", "T1C", 'band = "rise_in_much"', 'band = "rise"', "'band': rise is not one of"),
    ("gauge", "rise_3_days", "days = 3\n", "", "'days' is for gains and losses"),
    ("band", "rise_in_some", "lb = 2.2", "lb = 1.0", "1.0 kg is 2.20 lb, not 1.0"),
]


@pytest.mark.parametrize(("name", "id", "old", "new", "said"), CHANGES, ids=lambda part: None)
def test_a_wrong_table_is_refused_at_its_line(
    name: str, id: str, old: str, new: str, said: str
) -> None:
    whole = table(name, id)
    assert old in whole
    changed = SOURCE.replace(whole, whole.replace(old, new, 1), 1)
    error = refused(changed)
    assert said in error.reason
    assert error.reason.startswith(name)


SINGLE: list[tuple[str, str, str, str]] = [
    ("look_back", "days = 7", "days = 0", "'days' must be from 1 to 60"),
    ("look_back", "calm_days = 2", "calm_day = 2", "'calm_days' is missing"),
    ("look_back", '"fda-2020", "opinion"', "", "has no source"),
    ("look_back", '"fda-2020"', '"fda-1920"', "'sources': fda-1920 is not one of"),
    ("look_back", "before_days = 3", "before_days = 9", "'before_days' must be from 1 to 7"),
    ("windows", "restart_gap = 7", 'restart_gap = "7"', "'restart_gap' must be a whole number"),
    ("windows", "restart_gap = 7", "restart_gap = 7\nmore = 1", "unknown key 'more'"),
    ("silence", "caregiver_hours = 5", "caregiver_hours = 3", "the hours must follow one another"),
    ("silence", "cut_off_hours = 7", "cut_off_hours = 25", "'cut_off_hours' must be from 1 to 24"),
    ("silence", "row_again_days = 3", "row_again_days = 0", "'row_again_days' must be from 1 to"),
    ("silence", "again_times = 2", "again_times = 1", "'page_again_times' must be from 2 to"),
    ("silence", '"08:00"', '"21:00"', "'pages_from' must be before 'pages_until'"),
    ("silence", '"08:00"', '"8 o\'clock"', "'pages_from' must be a time of day"),
    (
        "protocol",
        'authors = ["The maintainers of the patient portal"]',
        "",
        "'authors' is missing",
    ),
    ("protocol", "awaiting clinical sign-off", "signed", "but a sign-off is missing"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), SINGLE)
def test_a_wrong_limit_is_refused(name: str, old: str, new: str, said: str) -> None:
    whole = single(name)
    assert old in whole
    error = refused(SOURCE.replace(whole, whole.replace(old, new, 1), 1))
    assert said in error.reason
    assert error.reason.startswith(name)


def test_more_missed_days_that_mean_less_are_refused() -> None:
    one, two = table("missed", "MC1"), table("missed", "MC2")
    source = SOURCE.replace(one, one.replace('"watch"', '"urgent"'))
    error = refused(source.replace(two, two.replace('"urgent"', '"watch"')))
    assert error.reason == "missed MC2: is milder than MC1 for no fewer days"


@pytest.mark.parametrize(
    "name", ["sign", "kind", "look_back", "combination", "missed", "silence", "windows"]
)
def test_a_table_that_is_left_out_is_missed(name: str) -> None:
    marks = ("[[" + name + "]]\n", "[" + name + "]\n")
    blocks = SOURCE.split("\n\n")
    kept = [block for block in blocks if not any(mark in block + "\n" for mark in marks)]
    assert len(kept) < len(blocks)
    assert f"there is no table {name!r}" in refused("\n\n".join(kept)).reason


OPEN = ('name = ""\non = ""', 'name = "A. One"\non = "2026-12-01"')


def signed(first: str, second: str, status: str = "approved") -> str:
    source = SOURCE.replace(OPEN[0], first, 1)
    source = source.replace(OPEN[0], second, 1)
    return source.replace('"awaiting clinical sign-off"', f'"{status}"')


def test_two_clinicians_sign() -> None:
    from patient_portal.protocols.library import current, read

    assert not current().is_signed
    assert [one.role for one in current().sign_offs] == ["Hematologist", "Second clinician"]
    both = signed(OPEN[1], 'name = "B. Two"\non = "2026-12-02"')
    assert read(both, "p.toml").is_signed


@pytest.mark.parametrize(
    ("first", "second", "status", "said"),
    [
        (OPEN[1], 'name = "a. one"\non = "2026-12-02"', "approved", "must be by two people"),
        (OPEN[1], OPEN[0], "approved", "but a sign-off is missing"),
        (OPEN[1], 'name = "B. Two"\non = ""', "approved", "'name' and 'on' are given together"),
        (OPEN[1], 'name = ""\non = "2026-12-02"', "approved", "'name' and 'on' are given together"),
        (OPEN[1], 'name = "B. Two"\non = "soon"', "approved", "'on' must be a date"),
        (OPEN[1], 'name = "B. Two"\non = "2026-12-02"', "awaiting more", "sign-offs are given"),
    ],
)
def test_a_signature_that_is_not_whole_is_refused(
    first: str, second: str, status: str, said: str
) -> None:
    assert said in refused(signed(first, second, status)).reason


def test_a_third_or_a_single_sign_off_is_refused() -> None:
    one = '[[sign_off]]\nrole = "Third"\nname = ""\non = ""\n\n'
    more = SOURCE.replace("[[sign_off]]", one + "[[sign_off]]", 1)
    assert "there are 3 sign-offs" in refused(more).reason
    start = SOURCE.index("[[sign_off]]")
    fewer = SOURCE[:start] + SOURCE[SOURCE.index("[[sign_off]]", start + 5) :]
    assert "there are 1 sign-offs" in refused(fewer).reason
