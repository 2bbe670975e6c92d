"""Secrets that people carry: link tokens, codes, device and session tokens.

Links and codes are derived from the pepper and the row's id, so that the database holds only
hashes while the worker can still put the secret into the text when it sends it.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

LINK_CHARACTERS = 22  # 132 bits
CODE_DIGITS = 6


def fresh_token() -> str:
    """A new random token of 256 bits, for a cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What the database keeps of a token: 64 hexadecimal digits of SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def keyed_digest(pepper: str, text: str) -> str:
    """A digest that cannot be searched without the pepper; for codes, which are short."""
    return hmac.new(
        pepper.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def _derive(pepper: str, purpose: str, row_id: str) -> bytes:
    return hmac.new(pepper.encode(), f"{purpose}:{row_id}".encode(), hashlib.sha256).digest()


def link_token(pepper: str, link_id: str) -> str:
    """The token in the address of the link with this id."""
    return urlsafe_b64encode(_derive(pepper, "link", link_id)).decode()[:LINK_CHARACTERS]


def sign_in_code(pepper: str, code_id: str) -> str:
    """The six digits of the sign-in code with this id."""
    number = int.from_bytes(_derive(pepper, "code", code_id)[:8], "big")
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def secret_for(pepper: str, secret_of: str) -> str:
    """The secret that a message names: ``link:<id>`` or ``code:<id>``. Raises ValueError else."""
    kind, _, row_id = secret_of.partition(":")
    if kind == "link":
        return link_token(pepper, row_id)
    if kind == "code":
        return sign_in_code(pepper, row_id)
    raise ValueError(f"no secret is derived for {kind!r}")


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
