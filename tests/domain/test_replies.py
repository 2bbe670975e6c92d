"""What a text of the care team means: forgiving about how, never about which."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patient_portal.domain.replies import CROCKFORD, Meaning, as_reference, read_reply

TAKE, PASS_ON, CLOSE = Meaning.TAKE, Meaning.PASS_ON, Meaning.CLOSE
BARE, UNCLEAR, NOTHING = Meaning.BARE, Meaning.UNCLEAR, Meaning.NOTHING
K7Q2M = ("K7Q2M",)


@pytest.mark.parametrize(
    "text",
    [
        "K7Q2M", "k7q2m", " K7Q2M ", "'k7q2m'", "“K7Q2M”", "(K7Q2M)", "#K7Q2M!", "K7Q2M.",
        "K7Q-2M", "K7Q 2M", "K 7 Q 2 M", "K-7-Q-2-M", "k7q_2m", "K7Q2M\u200b", "\u202aK7Q2M\u202c",
        "Ｋ７Ｑ２Ｍ", "K٧Q٢M", "K७Q२M", "k7q2m\n", "K7Q2M\x00", "take K7Q2M", "TAKE: K7Q2M",
        "ack k7q2m", "ok K7Q2M", "Ok, K7Q-2M", "yes K7Q2M", "1 K7Q2M", "A K7Q2M", "K7Q2M a",
        "I'll take K7Q2M now, thanks", "I’m taking K7Q 2M", "alert ref: K7Q2M",
        "Hi, this is Nina on 4 West. I will call them about K7Q2M in a moment", "tomo K7Q2M",
        "K7Q2M 👍", "K7Q2M K7Q2M", "got K7Q2M",
    ],
)  # fmt: skip
def test_a_reference_takes_however_it_is_written(text: str) -> None:
    reply = read_reply(text)
    assert (reply.meaning, reply.refs) == (TAKE, K7Q2M)


@pytest.mark.parametrize(
    "text",
    [
        "K7Q2M E", "K7Q2ME", "k7q2m e", "e k7q2m", "E, K7Q2M", "K7Q2M-E", "K7Q-2M-E", "K7Q 2M E",
        "K 7 Q 2 M E", "pass K7Q2M", "pass on K7Q2M", "K7Q2M pass", "escalate k7q2m", "'K7Q2ME'",
        "please pass K7Q2M on", "K٧Q٢M e",
    ],
)  # fmt: skip
def test_the_letter_e_passes_on(text: str) -> None:
    reply = read_reply(text)
    assert (reply.meaning, reply.refs) == (PASS_ON, K7Q2M)


@pytest.mark.parametrize("text", ["K7Q2M D", "K7Q2M done", "close K7Q2M", "K7Q2M c", "done k7q2m"])
def test_closing_is_understood_so_that_it_can_be_refused(text: str) -> None:
    assert read_reply(text).meaning is CLOSE


@pytest.mark.parametrize(
    "text",
    [
        "can't take K7Q2M", "cannot take K7Q2M", "I am busy K7Q2M", "not K7Q2M", "who has K7Q2M",
        "K7Q2M?", "no puedo K7Q2M", "take K7Q2M E", "ack K7Q2M done", "K7Q2M e obrigado",
        "K7Q2M E done", "Liked “ALERT K7Q2M, URGENT. Reply K7Q2M”", "Reacted 👍 to K7Q2M",
        "do NOT take K7Q2M", "didn’t get K7Q2M",
        "Liked “Maple Clinic: ALERT K7Q2M, EMERGENCY level. https://x.org/a Reply K7Q2M”",
    ],
)  # fmt: skip
def test_what_may_mean_two_things_is_not_acted_on(text: str) -> None:
    assert read_reply(text).meaning is UNCLEAR


@pytest.mark.parametrize(
    "text",
    ["ok", "OK.", "ack", "yes", "Y", "1", "take", "take it", "ok thanks", "E", "pass", "pass on",
     "I'll take it", "'ok'", "mine", "k", "ＯＫ"],
)  # fmt: skip
def test_yes_to_nothing_in_particular(text: str) -> None:
    assert read_reply(text) == read_reply("ok")
    assert read_reply(text).meaning is BARE


@pytest.mark.parametrize(
    "text",
    ["", " ", "👍", "hey you", "12345", "ABCDE", "what", "7Q2M E", "7Q2M-E", "K7Q2", "K7Q2MX9",
     "call me back", "K7Q2MK7Q2M", "555-0123", "\x00", "ok 7q2 me"],
)  # fmt: skip
def test_without_a_reference_there_is_none(text: str) -> None:
    reply = read_reply(text)
    assert not reply.refs
    assert reply.meaning is not PASS_ON


def test_two_references_are_both_named() -> None:
    assert read_reply("K7Q2M and P3R4T").refs == ("K7Q2M", "P3R4T")
    assert read_reply("K7Q2M,P3R4T").refs == ("K7Q2M", "P3R4T")
    assert read_reply("K7Q2M-P3R4T").refs == ("K7Q2M", "P3R4T")


@pytest.mark.parametrize(
    ("text", "maybe"),
    [("KO7QM", ("K07QM",)), ("k7q2l", ("K7Q21",)), ("world", ("W0R1D",)), ("I7Q2M", ("17Q2M",))],
)
def test_letters_for_digits_are_only_perhaps_a_reference(text: str, maybe: tuple[str, ...]) -> None:
    reply = read_reply(text)
    assert (reply.refs, reply.maybe) == ((), maybe)


def test_words_of_the_care_team_are_no_references() -> None:
    for word in ("close", "alert", "hello", "passed", "taking"):
        assert not read_reply(f"{word} K7Q2M").maybe


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("K 7 Q 2 E", "K7Q2E"), ("K-7-Q-2-E", "K7Q2E"), ("K7-E-2M", "K7E2M"),
        ("2-7Q2ME", "7Q2ME"), ("about D-7Q2M", "D7Q2M"), ("about C7-Q2-M", "C7Q2M"),
    ],
)  # fmt: skip
def test_the_letters_of_a_reference_ask_for_nothing_by_themselves(text: str, ref: str) -> None:
    reply = read_reply(text)
    assert (reply.meaning, reply.refs) == (TAKE, (ref,))


def test_what_may_be_a_reference_does_not_blur_the_one_that_is() -> None:
    reply = read_reply("world, K7Q2ME")
    assert (reply.meaning, reply.refs, reply.maybe) == (PASS_ON, K7Q2M, ("W0R1D",))
    assert read_reply("KO7QME").meaning is PASS_ON  # and alone it is asked of all the same
    assert read_reply("KO7QM").meaning is TAKE


def test_to_take_one_and_pass_the_other_on_is_asked_about() -> None:
    reply = read_reply("P3R4T K7Q2ME")
    assert (reply.meaning, reply.refs) == (UNCLEAR, ("P3R4T", "K7Q2M"))


@pytest.mark.parametrize("text", ["thanks", "I", "hello", "please", "ok doctor", "yes, Rosa"])
def test_a_greeting_or_a_sentence_is_no_yes(text: str) -> None:
    assert read_reply(text).meaning is NOTHING


def test_only_the_beginning_of_a_very_long_text_is_read() -> None:
    assert read_reply("x" * 314 + " K7Q2M").refs == K7Q2M
    assert read_reply("x" * 315 + " K7Q2M").refs == ()


# ---- properties

ALPHABET = sorted(CROCKFORD)
REFS = st.text(ALPHABET, min_size=5, max_size=5).filter(
    lambda ref: any(c.isdigit() for c in ref) and any(c.isalpha() for c in ref)
)
AROUND = st.sampled_from(
    [
        "",
        " ",
        "'",
        '"',
        "“",
        "«",
        "(",
        "[",
        "#",
        "*",
        ".",
        "!",
        "\n",
        "\t",
        "\u200e",
        "\u00a0",
        "👍 ",
    ]
)
CASES = st.sampled_from([str.upper, str.lower, str.title])
BEFORE = st.sampled_from(["", "take ", "ack ", "ok ", "OK: ", "yes, ", "Alert ", "I will take "])
DIGITS = st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९"])


def _written(ref: str, cut: int, mark: str, digits: str) -> str:
    shown = ref.translate(str.maketrans("0123456789", digits))
    return shown[:cut] + mark + shown[cut:] if 0 < cut < 5 else shown


@given(REFS, st.integers(0, 5), st.sampled_from(["-", "‑", "."]), DIGITS, CASES, BEFORE, AROUND,
       AROUND)  # fmt: skip
def test_a_reference_is_found_in_any_decoration(
    ref: str, cut: int, mark: str, digits: str, case: object, before: str, left: str, right: str
) -> None:
    written = case(_written(ref, cut, mark, digits))  # type: ignore[operator]
    reply = read_reply(f"{left}{before}{written}{right}")
    # A cut before the last letter E, or one that leaves a letter for passing on in front, can be
    # read in two ways; then nothing is found, and never something else.
    if 0 < cut < 5 and "E" in (ref[cut:], ref[:cut]):
        assert reply.refs in ((), (ref,))
    else:
        assert reply.refs == (ref,)
    assert reply.meaning in (TAKE, NOTHING) or not reply.refs


@given(REFS, st.sampled_from([" E", "E", "-E", " e", "e", ", e", " E."]), CASES, AROUND, AROUND)
def test_a_reference_is_never_confused_with_its_passing_on(
    ref: str, letter: str, case: object, left: str, right: str
) -> None:
    taken = read_reply(f"{left}{case(ref)}{right}")  # type: ignore[operator]
    passed = read_reply(f"{left}{case(ref)}{letter}{right}")  # type: ignore[operator]
    assert (taken.meaning, taken.refs) == (TAKE, (ref,))
    assert (passed.meaning, passed.refs) == (PASS_ON, (ref,))


@given(st.text(string.ascii_letters + " .,!?-'’áéíóúñ", max_size=80))
def test_a_text_without_a_digit_is_never_a_take(text: str) -> None:
    assert not read_reply(text).refs


@given(st.text(max_size=200))
def test_any_text_is_read_and_only_whole_references_are_found(text: str) -> None:
    for ref in (*read_reply(text).refs, *read_reply(text).maybe):
        assert as_reference(ref) == ref


@given(REFS, REFS, st.sampled_from([" ", ", ", " and ", "/", "\n", " ok "]))
def test_never_one_of_two(one: str, other: str, between: str) -> None:
    reply = read_reply(f"{one}{between}{other}")
    assert reply.refs == tuple(dict.fromkeys((one, other)))
