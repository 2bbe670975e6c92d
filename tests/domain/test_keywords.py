"""The words that stop and start texts: alone in a text, in several languages."""

import pytest

from patient_portal.domain.keywords import OURS, Wish, is_networks, wish_of


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("STOP", Wish.STOP), ("stop!", Wish.STOP), ("'stop'", Wish.STOP), ("ＳＴＯＰ", Wish.STOP),
        ("Stop all", Wish.STOP), ("unsubscribe", Wish.STOP), ("opt-out", Wish.STOP),
        ("END", Wish.STOP), ("Arrêt", Wish.STOP), ("ALTO", Wish.STOP), ("停止", Wish.STOP),
        ("Start", Wish.START), ("unstop", Wish.START), ("INICIAR", Wish.START),
        ("Help?", Wish.HELP), ("INFO", Wish.HELP), ("Ayuda", Wish.HELP), ("YES", Wish.YES),
        ("please do not stop", None), ("stopped breathing well", None), ("stop thank you", None),
        ("", None), ("1", None), ("K7Q2M", None),
    ],
)  # fmt: skip
def test_only_a_word_alone_is_a_wish(text: str, wish: Wish | None) -> None:
    assert wish_of(text) is wish


def test_the_network_answers_its_own_words_only() -> None:
    assert is_networks("Stop.") and is_networks("unstop")
    assert not any(is_networks(word) for word in OURS)
