"""`patient-portal protocol show` and `protocol check`."""

from pathlib import Path

from click.testing import CliRunner

from patient_portal.cli.protocol import protocol
from patient_portal.protocols import current
from patient_portal.protocols.library import CURRENT


def test_show_prints_every_rule_medicine_and_source() -> None:
    result = CliRunner().invoke(protocol, ["show"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ds-1.0: ")
    assert "awaiting clinical sign-off" in lines[0].lower()
    firsts = [line.split()[0] for line in lines if line.split()]
    for name in (
        *(rule.id for rule in current().rules),
        *(drug.code for drug in current().drugs),
        *(source.id for source in current().sources),
        *(condition.id for condition in current().conditions),
    ):
        assert name in firsts
    (fever,) = [line for line in lines if line.split()[:1] == ["F1"]]
    assert "urgent" in fever
    assert "from 38.0 below 40.0 °C / from 100.4 below 104.0 °F" in fever
    headache, said = [line for line in lines if line.split()[:1] == ["HA7"]]
    assert "I have a very bad headache." in said
    assert "medicine apl, to day 30" in headache


def test_check_accepts_the_protocol_in_force() -> None:
    result = CliRunner().invoke(protocol, ["check", str(CURRENT)])
    assert result.exit_code == 0
    assert "ds-1.0 holds" in result.stdout


def test_check_refuses_a_hole_with_line_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "holed.toml"
    source = CURRENT.read_text("utf-8").replace(
        "from = { percent = 92 }", "from = { percent = 93 }"
    )
    path.write_text(source, "utf-8")
    result = CliRunner().invoke(protocol, ["check", str(path)])
    assert result.exit_code == 1
    name, line, reason = result.stderr.strip().split(":", 2)
    assert name == str(path)
    assert source.splitlines()[int(line) - 1] == "from = { percent = 93 }"
    assert "leaves a gap from 92 to 93" in reason


def test_check_of_no_file_is_wrong_use(tmp_path: Path) -> None:
    for arguments in (["check"], ["check", str(tmp_path / "none.toml")], ["check", str(tmp_path)]):
        assert CliRunner().invoke(protocol, arguments).exit_code == 2
