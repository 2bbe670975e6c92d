"""The hazard log names tests that exist, leaves no hazard bare, and is printed as it stands."""

import copy
from pathlib import Path
from typing import Any

import pytest

from scripts import hazard_log

LOG = hazard_log.read()


def test_every_hazard_is_controlled_or_said_to_be_open() -> None:
    assert hazard_log.faults(LOG) == []
    assert [one["id"] for one in LOG["hazard"]] == [f"H{number:02}" for number in range(1, 41)]


def test_the_printed_log_is_fresh() -> None:
    assert hazard_log.PAGE.read_text("utf-8") == hazard_log.page(LOG)


def test_no_hazard_gets_likelier_by_its_controls() -> None:
    order = hazard_log.LIKELIHOODS.index
    for one in LOG["hazard"]:
        assert order(one["residual_likelihood"]) <= order(one["likelihood"]), one["id"]
        if not one.get("control"):  # nothing that is proved, nothing gained
            assert one["residual_likelihood"] == one["likelihood"], one["id"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"control": [], "gap": []}, "H01: has neither a control nor an open gap"),
        ({"severity": "bad"}, "H01: severity is one of minor, significant"),
        ({"residual_likelihood": "some"}, "H01: residual_likelihood is one of very_low"),
        ({"id": "H02"}, "H02: twice"),
        ({"color": "red"}, "H01: color is not known"),
        ({"gap": [{"what": "Nothing."}]}, "H01: gap: needs what and why"),
        ({"control": [{"what": "A hope.", "tests": []}]}, "H01: control: needs tests and what"),
        (
            {"control": [{"what": "A lie.", "tests": ["tests/conftest.py::test_nothing"]}]},
            "H01: no test tests/conftest.py::test_nothing",
        ),
    ],
)
def test_a_faulty_log_is_found(change: dict[str, Any], fault: str) -> None:
    log = copy.deepcopy(LOG)
    log["hazard"][0] |= change
    assert [one for one in hazard_log.faults(log) if one.startswith(fault)]


def test_what_is_a_test(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "def test_b() -> None: ...\ndef helper() -> None: ...\n# def test_c() -> None: ...\n",
        encoding="utf-8",
    )
    (tmp_path / "a.py").write_text("def test_b() -> None: ...\n", encoding="utf-8")
    assert hazard_log.is_test("test_a.py::test_b", tmp_path)
    assert hazard_log.is_test("test_a.py::test_b[one case]", tmp_path)
    for name in ("test_a.py::test_c", "test_a.py::helper", "a.py::test_b", "test_a.py", "x.py::y"):
        assert not hazard_log.is_test(name, tmp_path), name
