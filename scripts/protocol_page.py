"""Print the rules in force into ``docs/protocol/README.md``, between its two marks.

Run: PYTHONPATH=. python scripts/protocol_page.py
"""

from pathlib import Path

from patient_portal.protocols import current
from patient_portal.protocols.printed import as_markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "protocol" / "README.md"
BEGIN, END = "<!-- rules: printed -->", "<!-- rules: end -->"


def fresh(page: str) -> str:
    """The page with the rules as they are now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, "", *as_markdown(current()), "", END + after])


if __name__ == "__main__":
    PAGE.write_text(fresh(PAGE.read_text("utf-8")), "utf-8")
