"""Rules for every file of the tree: no machine, no registry and no broken template in it."""

import re
import subprocess
from pathlib import Path

import pytest
from jinja2 import Environment

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
# Pieced together so that this file does not hold what it forbids.
_FOLDERS = "|".join(("work", "root", "home/[a-z]", "Users/[A-Za-z]", "opt/p" + "ypi"))
MACHINE_PATH = re.compile(rf"(?<![\w.<{{)/-])/(?:{_FOLDERS})[/\w]")
HOSTS = re.compile("|".join(("p" + r"ypi\.org", "python" + r"hosted\.org", "registry" + r"\.npm")))


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _texts() -> list[tuple[Path, str]]:
    found = []
    for path in _tracked():
        try:
            found.append((path, path.read_text("utf-8")))
        except UnicodeDecodeError:  # a picture
            continue
    return found


@pytest.mark.parametrize(
    "sentence", ["see /ro" + "ot/x", 'path = "/ho' + 'me/ana/x"', "/wo" + "rk/x"]
)
def test_the_pattern_finds_a_machine_path(sentence: str) -> None:
    assert MACHINE_PATH.search(sentence)


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) or HOSTS.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_and_hashes_everything_and_holds_no_host(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("--")]
    starts = [number for number, line in enumerate(lines) if line and not line.startswith(" ")]
    assert len(starts) > 30
    for start in starts:
        assert "==" in lines[start], lines[start]
        assert "--hash=sha256:" in lines[start + 1], lines[start]


def test_the_test_lock_holds_every_pin_of_the_runtime_lock() -> None:
    pins = [
        {
            line.split(" \\")[0]
            for line in (ROOT / name).read_text("utf-8").splitlines()
            if "==" in line
        }
        for name in LOCKS
    ]
    assert pins[0] <= pins[1]


def _environment() -> Environment:
    # The extensions the app gives its own environment; parsing needs no globals.
    return Environment(autoescape=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do"])


def test_every_template_parses() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert templates
    environment = _environment()
    for path in templates:
        environment.parse(path.read_text("utf-8"), filename=str(path))


# Where `| safe` stands on a constant of the template itself.
CONSTANT_MARKUP = {("macros/icons.html", "{{ drawings[name] | safe }}")}


def test_markup_is_escaped_everywhere() -> None:
    folder = ROOT / "templates"
    found = {
        (path.relative_to(folder).as_posix(), expression)
        for path in folder.rglob("*.html")
        for expression in re.findall(r"\{\{[^{}]*\|\s*safe\b[^{}]*\}\}", path.read_text("utf-8"))
    }
    assert found <= CONSTANT_MARKUP, found - CONSTANT_MARKUP
    switched_off = re.compile(r"autoescape\s+false|\|\s*safe\b")
    for path in folder.rglob("*.html"):
        text = path.read_text("utf-8")
        for _, expression in CONSTANT_MARKUP:
            text = text.replace(expression, "")
        assert not switched_off.search(text), path.name


def test_no_template_carries_an_inline_style_or_handler() -> None:
    inline = re.compile(r"""\sstyle\s*=\s*["']|\son[a-z]+\s*=\s*["']""")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if inline.search(line)
    ]
    assert not found, "\n".join(found)


def test_a_workflow_file_runs() -> None:
    for script in (".ci/run", "scripts/ensure_browser.sh"):
        path = ROOT / script
        assert path.stat().st_mode & 0o111, f"{script} is not executable"
        shell = path.read_text("utf-8").splitlines()[0].rsplit("/", 1)[-1].split()[-1]
        subprocess.run([shell, "-n", str(path)], check=True)


@pytest.mark.parametrize(
    "target", ["run", "test", "lint", "translations", "bench", "fault", "mutation", "help"]
)
def test_make_knows_its_targets(target: str) -> None:
    dry = subprocess.run(
        ["make", "-n", target], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert dry.returncode == 0, dry.stderr
