"""The words that stop and start texts, and ask what this number is; alone in a text they count.

"Please do not stop" is no wish to stop. The network acts on its own words by itself; those of
other languages are ours alone, and so is the answer to them.
"""

import re
import unicodedata
from enum import StrEnum


class Wish(StrEnum):
    """What a word asks for."""

    STOP = "stop"
    START = "start"
    YES = "yes"  # starts texts again for a phone that stopped them, and is plain talk else
    HELP = "help"


# The network's own: it stops, starts or answers by itself, and we only follow.
NETWORK = {
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"), Wish.STOP
    ),
    **dict.fromkeys(("start", "unstop"), Wish.START),
    "yes": Wish.YES,
    **dict.fromkeys(("help", "info"), Wish.HELP),
}
# Ours: other carriers' words and those of other languages.
OURS = {
    **dict.fromkeys(
        ("arret", "remove", "td", "alto", "parar", "pare", "parada", "cancelar", "detener",
         "stopp", "arreter", "停止", "退订", "توقف", "стоп"),
        Wish.STOP,
    ),
    **dict.fromkeys(
        ("iniciar", "comenzar", "empezar", "reanudar", "commencer", "开始", "ابدأ", "старт"),
        Wish.START,
    ),
    **dict.fromkeys(("ayuda", "aide", "ajuda", "hilfe", "帮助", "مساعدة"), Wish.HELP),
}  # fmt: skip
_NOT_A_LETTER = re.compile(r"[\W_]+")


def _bare(text: str) -> str:
    """Small letters only; accents are no letters. The Arabic hamza stays one of its own."""
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKD", text).casefold())


_WISHES = {_bare(word): wish for word, wish in (OURS | NETWORK).items()}
_NETWORK = frozenset(_bare(word) for word in NETWORK)


def wish_of(text: str) -> Wish | None:
    """The wish, if the text is such a word and nothing else."""
    return _WISHES.get(_bare(text))


def is_networks(text: str) -> bool:
    """Whether the network answers this word itself."""
    return _bare(text) in _NETWORK
