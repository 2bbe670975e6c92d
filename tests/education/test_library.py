"""A page with a fault is refused with the file, the line and the reason."""

from datetime import date
from pathlib import Path

import pytest

from patient_portal.education import PageFault, load, page, pages
from patient_portal.education.library import MEDICINES
from patient_portal.protocols import current

FRONT = """title = "Why?"
summary = "Because."
order = 1
state = "awaiting clinical review"
changed_on = 2026-11-20
sources = [{ title = "A study", publisher = "A journal", year = 2020 }]
"""
REVIEWED = FRONT.replace("awaiting clinical review", "reviewed") + (
    'reviewer = "A clinician"\nreviewed_on = 2026-11-01\nnext_review = 2027-11-01\n'
)


def read(folder: Path, front: str, body: str = "Text.") -> None:
    (folder / "why.md").write_text(f"+++\n{front}+++\n{body}\n", encoding="utf-8")
    load(folder)


def test_the_two_pages_are_on_the_shelf() -> None:
    assert list(pages()) == ["what-is-differentiation-syndrome", "how-my-medicine-works"]
    assert page("nothing") is None
    assert not any(each.is_reviewed for each in pages().values())


def test_pages_know_every_medicine_of_the_protocol() -> None:
    assert set(MEDICINES) == {drug.code for drug in current().drugs}


@pytest.mark.parametrize("code", MEDICINES)
def test_each_medicine_has_its_own_paragraph(code: str) -> None:
    found = page("how-my-medicine-works")
    assert found is not None
    assert [s.codes for s in found.sections_for(code) if s.codes] == [(code,)]


def test_an_unknown_medicine_reads_the_paragraph_of_the_unknown() -> None:
    found = page("how-my-medicine-works")
    assert found is not None
    for code in (None, "aspirin", ""):
        assert found.sections_for(code) == found.sections_for("unknown")


def test_a_review_is_kept_and_runs_out(tmp_path: Path) -> None:
    read(tmp_path, REVIEWED)
    found = load(tmp_path)["why"]
    assert found.is_reviewed
    assert not found.is_overdue(date(2027, 11, 1))
    assert found.is_overdue(date(2027, 11, 2))


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("", "'changed_on' is missing"),
        (FRONT + 'x = "y"\n', "unknown key 'x'"),
        (FRONT.replace("Why?", "Why"), "must be a question"),
        (FRONT.replace('"Because."', "3"), "must be texts"),
        (FRONT.replace("2026-11-20", '"soon"'), "must be a date"),
        (FRONT.replace("order = 1", 'order = "1"'), "a number"),
        (FRONT.replace("awaiting clinical review", "fine"), "state is"),
        (FRONT + 'reviewer = "A clinician"\n', "nobody has reviewed"),
        (REVIEWED.replace("next_review", "#"), "'next_review'"),
        (REVIEWED.replace("2027-11-01", '"later"'), "next_review must be a date"),
        (FRONT.replace("[{", "[] #"), "names its sources"),
        (FRONT.replace("publisher", "printer"), "a title and a publisher"),
        (FRONT.replace("year = 2020", 'address = "http://x"'), "https://"),
        ("title = \n", "front matter"),
    ],
)
def test_a_faulty_front_is_refused(tmp_path: Path, front: str, reason: str) -> None:
    with pytest.raises(PageFault) as caught:
        read(tmp_path, front)
    assert str(caught.value).startswith("why.md")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("::: medicine atra\n## T\n:::", "no section for"),
        ("::: medicine aspirin\n## T\n:::", "no medicine of the check-in"),
        ("::: medicine atra atra\n## T\n:::", "two sections"),
        ("::: medicine atra\nText\n:::", "begins with a heading"),
        ("x\n\n# one", "why.md:11"),
    ],
)
def test_a_faulty_body_is_refused(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(PageFault) as caught:
        read(tmp_path, FRONT, body)
    assert reason in str(caught.value)
