"""`patient-portal triage`: each line is answered, whatever it holds."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from patient_portal.cli.triage import LONGEST_LINE, triage


def run(data: bytes | str, *arguments: str) -> Result:
    return CliRunner().invoke(triage, arguments, input=data)


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def one(line: bytes | str) -> dict[str, Any]:
    result = run(line)
    (answer,) = answers(result)
    assert result.exit_code == ("error" in answer)
    return answer


def test_a_case_is_answered_as_the_contract_says() -> None:
    line = (
        '{"id": "x1", "drug": "enasidenib", "day_of_therapy": 12,'
        ' "answers": {"temperature_c": 38.0}, "window_extended": false}'
    )
    result = run(line)
    assert result.exit_code == 0
    assert answers(result) == [
        {
            "id": "x1",
            "level": "urgent",
            "reasons": [{"rule": "F1", "level": "urgent", "text": "You told us you have a fever."}],
            "protocol": "ds-1.0",
        }
    ]


def test_a_bad_line_stops_no_other_and_order_is_kept() -> None:
    lines = [
        '{"id": "a", "answers": {"orthopnea": true}}',
        "not json",
        "",
        '{"id": "b", "answers": {"breathlessness": "sometimes"}}',
        '{"id": "c", "answers": {"red_flags": "none"}}',
    ]
    result = run("\n".join(lines))
    assert result.exit_code == 1
    first, second, third, fourth = answers(result)
    assert (first["id"], first["level"]) == ("a", "emergency")
    assert second["id"] is None
    assert second["error"].startswith("line 2: not JSON")
    assert third["id"] == "b"
    assert third["error"].startswith("answers.breathlessness: 'sometimes' is not one of none,")
    assert (fourth["id"], fourth["level"], fourth["reasons"]) == ("c", "none", [])


@pytest.mark.parametrize(
    ("line", "id", "said"),
    [
        ("[1]", None, "line 1: a list is not an object"),
        ("null", None, "line 1: null is not an object"),
        ('"x"', None, "line 1: 'x' is not an object"),
        ("7", None, "line 1: 7 is not an object"),
        ("{", None, "line 1: not JSON"),
        ("{} {}", None, "line 1: not JSON"),
        (b'{"id": "\xff"}', None, "line 1: not UTF-8 text (byte 9)"),
        (b"\x00", None, "line 1: not JSON"),
        ("[" * 100_000 + "]" * 100_000, None, "line 1: not JSON: nested too deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, None, "line 1: not JSON: nested too deep"),
        ('{"id": "x"}', "x", "answers: is missing"),
        ('{"id": ["x"], "answers": {}}', None, "id: a list is not a text or number"),
        ('{"id": "x", "id": "y", "answers": {}}', None, "line 1: key 'id' is given twice"),
        (
            '{"id": "x", "answers": {"cough": "none", "cough": "blood"}}',
            "x",
            "line 1: key 'cough' is given twice",
        ),
        ('{"id": "x", "answers": {"temperature_c": NaN}}', "x", "NaN is not a finite number"),
        ('{"id": "x", "answers": {"temperature_c": -Infinity}}', "x", "not a finite number"),
        ('{"id": "x", "answers": {"temperature_c": 1e999}}', "x", "1E+999 is not between"),
        ('{"id": "x", "answers": {"spo2": 1e99999999999999999999}}', "x", "not a finite number"),
        (f'{{"id": "x", "answers": {{"spo2": {"9" * 5000}}}}}', "x", "… is not between 50"),
        (f'{{"id": "x", "day_of_therapy": {"9" * 5000}, "answers": {{}}}}', "x", "not a whole"),
        ('{"id": "x", "answers": {"chills": "true"}}', "x", "answers.chills: 'true' is not one of"),
        ('{"id": "x", "answers": {"spo2": 5}}', "x", "answers.spo2: 5 is not between 50 and 100"),
        ('{"id": "x", "colour": 1, "answers": {}}', "x", "colour: unknown key"),
        ('{"id": "x", "drug": "aspirin", "answers": {}}', "x", "drug: 'aspirin' is not one of"),
    ],
    ids=lambda part: str(part)[:40],
)
def test_a_hostile_line_is_answered_with_its_error(
    line: bytes | str, id: str | None, said: str
) -> None:
    answer = one(line)
    assert answer["id"] == id
    assert said in answer["error"]
    assert len(answer["error"]) < 1000


def test_a_line_too_long_for_memory_is_refused_and_the_next_is_read() -> None:
    huge = b'{"id": "' + b"x" * LONGEST_LINE + b'", "answers": {}}\n'
    result = run(huge + b'{"id": "next", "answers": {}}\n' + huge.strip())
    first, second, third = answers(result)
    assert first["error"] == f"line 1: longer than {LONGEST_LINE} bytes"
    assert second == {"id": "next", "level": "none", "reasons": [], "protocol": "ds-1.0"}
    assert third["error"].startswith("line 3: longer")
    assert result.exit_code == 1


def test_marks_and_half_characters_do_no_harm() -> None:
    assert one(b'\xef\xbb\xbf{"id": "bom", "answers": {}}')["id"] == "bom"
    assert one(b'{"id": "\\ud800", "answers": {}}')["id"] == "\ud800"


def test_exact_decimals_are_compared() -> None:
    assert one('{"answers": {"temperature_f": 100.39}}')["level"] == "watch"
    assert one('{"answers": {"temperature_f": 100.4}}')["level"] == "urgent"
    # 70.1 + 2.0 is a little short of 72.1 in binary floating point.
    series = '{"drug": "atra", "answers": {"weight_series": [[1, 70.1], [4, 72.1]]}}'
    assert one(series)["level"] == "urgent"


def test_an_empty_input_is_no_error(tmp_path: Path) -> None:
    assert (run("").exit_code, run("").stdout) == (0, "")
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": 1, "answers": {"cough": "blood"}}\n')
    result = run("", str(path))
    assert (result.exit_code, answers(result)[0]["level"]) == (0, "emergency")
    assert answers(run('{"answers": {}}', "-"))[0]["id"] is None


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    assert run("", str(tmp_path / "none.jsonl")).exit_code == 2
    assert run("", str(tmp_path)).exit_code == 2
    assert run("", "--help").exit_code == 0


def test_a_long_run_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patient_portal.cli.triage.QUIET_SECONDS", -1.0)
    result = run('{"answers": {}}\n{"answers": {}}\n')
    assert result.stderr.splitlines() == ["1 lines done", "2 lines done"]
    assert len(answers(result)) == 2


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60).filter(lambda line: b"\n" not in line and line.strip()))
def test_any_bytes_get_one_answer(line: bytes) -> None:
    one(line)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
top = st.fixed_dictionaries(
    {},
    optional={
        key: json_values
        for key in ("id", "drug", "day_of_therapy", "history", "usual", "owns", "partners")
    }
    | {
        "answers": json_values
        | st.dictionaries(st.sampled_from(["cough", "weight_series", "red_flags"]), json_values)
    },
)


@settings(max_examples=200, deadline=None)
@given(top)
def test_any_json_gets_one_answer(case: dict[str, Any]) -> None:
    one(json.dumps(case))
