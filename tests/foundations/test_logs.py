"""A log line holds what is on the list, and nothing that a person typed."""

import json
import subprocess
import sys

import pytest

from patient_portal import logs


@pytest.fixture
def captured(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    logs.set_up("INFO")
    return capsys


def test_a_field_that_is_not_on_the_list_is_dropped(
    captured: pytest.CaptureFixture[str],
) -> None:
    logs.get_logger().info("check_in.saved", check_in_id="abc", first_name="Rosa", phone="+1212")
    line = json.loads(captured.readouterr().err)
    assert line["check_in_id"] == "abc"
    assert "Rosa" not in json.dumps(line)
    assert "+1212" not in json.dumps(line)
    assert line["count"] == 2


def test_an_error_shows_its_kind_and_place_never_its_text(
    captured: pytest.CaptureFixture[str],
) -> None:
    try:
        int("Rosa cannot breathe")
    except ValueError as error:
        logs.get_logger().error("request.failed", exc_info=error)
    out = captured.readouterr().err
    line = json.loads(out)
    assert line["error"] == "ValueError"
    assert "Rosa" not in out


def test_debug_lines_stay_silent_at_info(captured: pytest.CaptureFixture[str]) -> None:
    logs.get_logger().debug("quiet")
    assert captured.readouterr().err == ""


def test_a_line_that_cannot_be_written_costs_only_the_line() -> None:
    program = (
        "from patient_portal import logs; logs.set_up(); logs.get_logger().info('x'); print('on')"
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert done.stdout == b"on\n"
